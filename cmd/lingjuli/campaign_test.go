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

func TestStatusSaysInWordsWhyMessagesFailedAndHowLongTheRestTakes(t *testing.T) {
	says := func(lang string, s notify.Status) string {
		var out strings.Builder
		a := &app{stdout: &out, texts: textsFor(lang, "")}
		c := &campaignStatusCmd{}
		r := campaignRun{app: a, all: campaigns{Service: &notify.Service{Now: time.Now}}}
		c.printProofs(r, s)
		c.printFailures(r, s)
		c.printPace(r, s)
		return out.String()
	}
	s := notify.Status{
		Delivered: 9, Proofs: map[notify.Proof]int64{notify.ByReceipt: 6, notify.ByHearing: 2, notify.ByAnswer: 1},
		FailedReasons: map[string]int64{"XX": 5, "isv.MOBILE_NUMBER_ILLEGAL": 30, "200003": 5, "unknown": 1}, CostYuan: 1234.5, Rate: 0.55, SecondsLeft: 3661,
	}
	for lang, want := range map[string]string{
		"en": "  6 delivered: the text is on the phone\n  2 delivered: the call was heard to the end\n  1 delivered: the call was answered\n  30 failed: isv.MOBILE_NUMBER_ILLEGAL the platform refuses the number\n  5 failed: 200003 nobody answered three times\n  5 failed: XX\n" +
			"  1 failed: unknown no proof that it arrived\n  33.0 people a minute at present\n  about 1 h 2 min left\n  cost so far 1234.50 yuan, what is not answered yet included\n",
		"zh": "  送达 6 人：短信已到手机\n  送达 2 人：电话听完了\n  送达 1 人：电话接了\n  失败 30 人：isv.MOBILE_NUMBER_ILLEGAL 平台不认这个号码\n  失败 5 人：200003 打了三次没人接\n  失败 5 人：XX\n" +
			"  失败 1 人：unknown 没有送达的凭据\n  现在每分钟 33.0 人\n  大约还要 1 小时 2 分钟\n  已花 1234.50 元，含还没有答复的\n",
	} {
		if got := says(lang, s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := says("en", notify.Status{Rate: 212.4}); got != "  212 people a second at present\n" {
		t.Errorf("%q", got)
	}
	tomorrow := time.Now().AddDate(0, 0, 1)
	if got := says("en", notify.Status{Rate: 212.4, NextAt: &tomorrow}); got != "" {
		t.Errorf("all wait, and it says %q", got)
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
