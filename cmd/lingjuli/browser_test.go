package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// visitor is somebody with a browser, who looks at pages and waits until they hold what they should.
type visitor struct {
	t   *testing.T
	ctx context.Context
}

// step is one action in the browser.
type step = chromedp.Action[chromedp.Void]

const (
	deskWidth  = 1280
	phoneWidth = 400
)

// newVisitor opens a headless browser; LINGJULI_TEST_CHROMIUM is its path. A bare `go test` without one leaves its tests out; in CI
// that is a failure.
func newVisitor(t *testing.T) *visitor {
	t.Helper()
	path := os.Getenv("LINGJULI_TEST_CHROMIUM")
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("LINGJULI_TEST_CHROMIUM is not set; in CI the browser's run may not be missing")
		}
		t.Skip("LINGJULI_TEST_CHROMIUM is not set")
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(deskWidth, 900), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("lang", "zh-CN"), chromedp.Env("LANGUAGE=zh_CN"))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the first call starts the browser and may not be limited
		t.Fatal(err)
	}
	v := &visitor{t, ctx}
	v.do(chromedp.EmulateViewport(deskWidth, 900))
	return v
}

// patience bounds one wait; a machine with two busy cores is slow.
const patience = 2 * time.Minute

func (v *visitor) do(steps ...step) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	for i, s := range steps {
		if err := chromedp.Do(ctx, s); err != nil {
			v.picture("where-it-ended")
			v.t.Fatalf("step %d: %v; the page says\n%s", i+1, err, v.text("body"))
		}
	}
}

// text is what an element says now; a page that is just being replaced says nothing.
func (v *visitor) text(css string) string {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector(`+"`"+css+"`"+`)?.innerText ?? ""`))
	if err != nil {
		return ""
	}
	return text
}

// holds waits until an element says all that is wanted, and gives what it says.
func (v *visitor) holds(css string, wants ...string) string {
	v.t.Helper()
	var text string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		text = v.text(css)
		missing := false
		for _, want := range wants {
			missing = missing || !strings.Contains(text, want)
		}
		if !missing && text != "" {
			return text
		}
	}
	v.picture("where-it-ended")
	v.t.Fatalf("%s never said %q; it says\n%s", css, wants, text)
	return ""
}

// picture keeps a page at both widths where LINGJULI_TEST_SCREENSHOTS names a folder.
func (v *visitor) picture(name string) {
	v.t.Helper()
	folder := os.Getenv("LINGJULI_TEST_SCREENSHOTS")
	if folder == "" {
		return
	}
	for _, width := range []int64{phoneWidth, deskWidth} {
		height := int64(900)
		if err := chromedp.Do(v.ctx, chromedp.EmulateViewport(width, height)); err != nil {
			v.t.Error(err)
			return
		}
		// A window as high as the page: what sticks to its end is then drawn there.
		if tall, err := chromedp.Run(v.ctx, chromedp.Evaluate[int64](`document.documentElement.scrollHeight`)); err == nil && tall > height {
			height = tall
		}
		err := chromedp.Do(v.ctx, chromedp.EmulateViewport(width, height))
		if err != nil {
			v.t.Error(err)
			return
		}
		picture, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			v.t.Error(err)
			return
		}
		file := filepath.Join(folder, fmt.Sprintf("story-%s-%d.png", name, width))
		if err := os.WriteFile(file, picture, 0o600); err != nil {
			v.t.Error(err)
		}
	}
	if err := chromedp.Do(v.ctx, chromedp.EmulateViewport(deskWidth, 900)); err != nil {
		v.t.Error(err)
	}
}

func (v *visitor) open(address, sign string) {
	v.t.Helper()
	v.do(chromedp.Navigate(address), see(sign))
}

// see waits until an element is visible. It asks the page that is there, again and again: a wait of the browser's own may hold
// on to a page that has just been replaced, and never end.
func see(css string) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for {
			ask, done := context.WithTimeout(ctx, 5*time.Second)
			there, err := chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%q)?.checkVisibility({visibilityProperty: true}) ?? false`, css))(ask, target)
			done()
			if err == nil && there {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
}

func click(css, sign string) step {
	return chromedp.Steps(chromedp.Click(chromedp.CSS(css)), see(sign))
}

func typed(css, text string) step { return chromedp.SendKeys(chromedp.CSS(css), text) }

// chosen picks a line of a select, and tells the page as a person's hand would.
func chosen(css, value string) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := chromedp.SetValue(chromedp.CSS(css), value)(ctx, target); err != nil {
			return err
		}
		_, err := chromedp.Evaluate[chromedp.Void](`document.querySelector("`+css+`").dispatchEvent(new Event("change", {bubbles: true}))`)(ctx, target)
		return err
	})
}

// pressed presses what may be drawn anew at any moment, as all on the phones is.
func pressed(css string) step {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).click()", css))
}

// sent writes into a form of the phones and sends it; the keyboard itself is tried where the phones are made.
func sent(form, text string) step {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{ const f = document.querySelector(%q); f.elements.text.value = %q; f.requestSubmit(); }`, form, text))
}

// logIn enters the console as a member of staff; whoever was there before is gone.
func (v *visitor) logIn(console, name, password string) {
	v.t.Helper()
	if v.open(console, "body"); v.text(`form[action="/console/logout"] button`) != "" {
		v.do(click(`form[action="/console/logout"] button`, "[name=password]"))
	}
	v.do(see("[name=password]"))
	v.picture("login")
	v.do(typed("[name=name]", name), typed("[name=password]", password), click(".login button.primary", "nav.main"))
}

// show is a running demo: what it printed, and how it ends.
type show struct {
	t               *testing.T
	console, phones string
	passwords       map[string]string
	said, log       *keeper
	stop            context.CancelFunc
	code            chan int
}

// keeper keeps what a program writes and tells of every write.
type keeper struct {
	mu    sync.Mutex
	b     bytes.Buffer
	wrote chan struct{}
}

func newKeeper() *keeper { return &keeper{wrote: make(chan struct{}, 1)} }

func (k *keeper) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case k.wrote <- struct{}{}:
	default:
	}
	return k.b.Write(p)
}

func (k *keeper) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.String()
}

// startShow runs `lingjuli demo` as the program does and reads addresses and logins from what it prints.
func startShow(t *testing.T, dir string) *show {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &show{t: t, said: newKeeper(), log: newKeeper(), stop: stop, code: make(chan int, 1), passwords: map[string]string{}}
	go func() {
		s.code <- run(ctx, []string{"demo", "--dir", dir, "--people", "300", "--listen", "127.0.0.1:0"},
			strings.NewReader(""), s.said, s.log, func(string) string { return "" })
	}()
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("the demo said\n%s\n%s", s.said, s.log)
		}
	})
	limit := time.After(patience)
	for !strings.Contains(s.said.String(), "Ctrl-C") {
		select {
		case <-s.said.wrote:
		case code := <-s.code:
			t.Fatalf("the demo ended with %d:\n%s\n%s", code, s.said, s.log)
		case <-limit:
			t.Fatalf("the demo never said where it is:\n%s\n%s", s.said, s.log)
		}
	}
	for _, line := range regexp.MustCompile(`http://\S+`).FindAllString(s.said.String(), -1) {
		if strings.HasSuffix(line, "/console/") {
			s.console = line
		} else {
			s.phones = line
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\s+(\w+) / (\S+)`).FindAllStringSubmatch(s.said.String(), -1) {
		s.passwords[m[1]] = m[2]
	}
	if s.console == "" || s.phones == "" || s.passwords["chen"] == "" || s.passwords["li"] == "" {
		t.Fatalf("addresses and logins are not all printed:\n%s", s.said)
	}
	return s
}

// end is a SIGTERM: the program must end, and be content.
func (s *show) end() {
	s.t.Helper()
	s.stop()
	select {
	case code := <-s.code:
		if code != exitDone {
			s.t.Fatalf("the demo ended with %d:\n%s", code, s.log)
		}
	case <-time.After(patience):
		s.t.Fatal("the demo does not end")
	}
}

// sheet reads one of the demo's own sheets by its column names.
func sheet(t *testing.T, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := csv.NewReader(f)
	head, err := lines.Read()
	if err != nil {
		t.Fatal(err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	var rows []map[string]string
	for {
		line, err := lines.Read()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, value := range line {
			row[head[i]] = value
		}
		rows = append(rows, row)
	}
}
