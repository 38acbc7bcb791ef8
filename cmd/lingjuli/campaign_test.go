package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

func TestStatusSaysWhySomeGotNothing(t *testing.T) {
	w := newTown(t, "sqlite:"+t.TempDir()+"/why.db", 2, nil)
	id := w.campaign("wechat", "") // nobody has it
	w.until(id, "finished", func(s notify.Status) bool { return s.State == notify.Finished })
	if out := w.command("campaign", "status", id); !strings.Contains(out, "  2 skipped: no channel\n") || strings.Count(out, "\n") != 2 {
		t.Errorf("%q", out)
	}
}

// heard closes its channel once something is written.
type heard struct {
	strings.Builder
	once sync.Once
	some chan struct{}
}

func (h *heard) Write(p []byte) (int, error) {
	n, err := h.Builder.Write(p)
	h.once.Do(func() { close(h.some) })
	return n, err
}

// The platform answers only once the command has said that it waits for it.
func TestWhoSubmitsHearsWhatIsWaitedFor(t *testing.T) {
	w := newTown(t, "sqlite:"+t.TempDir()+"/slow.db", 1, nil)
	id := w.draft("sms", "")
	stderr := &heard{some: make(chan struct{})}
	platform := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stderr.some:
		case <-r.Context().Done():
		}
	}))
	defer platform.Close()
	env := maps.Clone(w.env)
	env["LINGJULI_ALIYUN_SMS_ENDPOINT"] = platform.URL
	var out strings.Builder
	code := run(t.Context(), []string{"campaign", "submit", id, "--as", "chen"}, strings.NewReader(""), &out, stderr, func(name string) string { return env[name] })
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	if code != exitDone || len(lines) < 2 || !strings.Contains(lines[0], "has not answered yet") || !strings.Contains(lines[1], "could not be asked") {
		t.Errorf("exit %d: %q %q", code, out.String(), lines)
	}
}

func TestWhatIsSaidLaterIsNotSaidOnceStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := 0
		stop := sayLater(time.Second, func() { said++ })
		time.Sleep(time.Second - 1)
		stop()
		time.Sleep(time.Hour)
		if said != 0 {
			t.Error("said although stopped")
		}
		stop = sayLater(time.Second, func() { said++ })
		time.Sleep(2 * time.Second)
		if stop(); said != 1 {
			t.Errorf("said %d times", said)
		}
	})
}
