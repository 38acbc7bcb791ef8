package console_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// chromium opens a headless browser; LINGJULI_TEST_CHROMIUM is its path. A bare `go test` without one leaves its tests out; in CI
// that is a failure.
func chromium(t *testing.T, width, height int) context.Context {
	t.Helper()
	path := os.Getenv("LINGJULI_TEST_CHROMIUM")
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("LINGJULI_TEST_CHROMIUM is not set; in CI the browser's run may not be missing")
		}
		t.Skip("LINGJULI_TEST_CHROMIUM is not set")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the first call starts the browser and may not be limited
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	do(ctx, t, chromedp.EmulateViewport(int64(width), int64(height)))
	return ctx
}

// step is one action in the browser.
type step = chromedp.Action[chromedp.Void]

// shot keeps a picture of the whole page where LINGJULI_TEST_SCREENSHOTS names a folder.
func shot(name string) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		folder := os.Getenv("LINGJULI_TEST_SCREENSHOTS")
		if folder == "" {
			return nil
		}
		picture, err := chromedp.FullScreenshot(100)(ctx, target)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600)
	})
}

func do(ctx context.Context, t *testing.T, steps ...step) {
	t.Helper()
	for i, s := range steps {
		if err := chromedp.Do(ctx, s); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

func open(address string, sign string) step {
	return chromedp.Steps(chromedp.Navigate(address), see(sign))
}

func see(css string) step { return chromedp.WaitVisible(chromedp.CSS(css)) }

func click(css, sign string) step {
	return chromedp.Steps(chromedp.Click(chromedp.CSS(css)), see(sign))
}

func write(css, text string) step { return chromedp.SendKeys(chromedp.CSS(css), text) }

// choose picks a line of a select, and tells the page as a person's hand would.
func choose(css, value string) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := chromedp.SetValue(chromedp.CSS(css), value)(ctx, target); err != nil {
			return err
		}
		_, err := chromedp.Evaluate[chromedp.Void](`document.querySelector("`+css+`").dispatchEvent(new Event("change", {bubbles: true}))`)(ctx, target)
		return err
	})
}

// read waits until an element's text holds something.
func read(ctx context.Context, t *testing.T, css, want string) {
	t.Helper()
	for {
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("`+css+`").textContent`))
		if err != nil {
			t.Fatalf("%s never held %q: %v", css, want, err)
		}
		if strings.Contains(text, want) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (d *desk) logIn(name string) step {
	return chromedp.Steps(open(d.server.URL+"/console/", "[name=password]"), write("[name=name]", name), write("[name=password]", password),
		click(".login button.primary", "nav.main"))
}

func logOut() step { return click(`form[action="/console/logout"] button`, "[name=password]") }

// screen is a browser before a desk, of one of the sizes that staff have.
type screen struct {
	*desk
	t    *testing.T
	ctx  context.Context
	name string
}

// onEveryScreen plays a story at a desk and on a phone. Nothing may be wider than the screen in the end.
func onEveryScreen(t *testing.T, story func(*screen)) {
	t.Helper()
	for _, size := range []struct {
		name          string
		width, height int
	}{{"desk", 1280, 900}, {"phone", 390, 844}} {
		t.Run(size.name, func(t *testing.T) {
			s := &screen{desk: newDesk(t), t: t, name: size.name}
			s.ctx = chromium(t, size.width, size.height)
			story(s)
			s.fits()
		})
	}
}

func (s *screen) do(steps ...step) { s.t.Helper(); do(s.ctx, s.t, steps...) }

// at is the address of a page.
func (s *screen) at(path string) string { return s.server.URL + "/console/" + path }

func (s *screen) picture(name string) step { return shot(s.name + "-" + name) }

// fits holds that the page is no wider than the screen, nor its menu.
func (s *screen) fits() {
	s.t.Helper()
	const wide = `document.documentElement.scrollWidth > innerWidth + 1 ||
		[...document.querySelectorAll("nav.main a")].some(a => a.getBoundingClientRect().right > innerWidth)`
	if too, err := chromedp.Run(s.ctx, chromedp.Evaluate[bool](wide)); err != nil || too {
		s.t.Errorf("the page is wider than the screen: %v", err)
	}
}

// uncovers holds that whatever gets the focus in a form can be seen: nothing lies over it.
func (s *screen) uncovers(form string) {
	s.t.Helper()
	const covered = `[...document.querySelectorAll("%s select, %[1]s input, %[1]s textarea, %[1]s button")].filter(e => e.checkVisibility() && e.tabIndex >= 0 && e.type !== "hidden").filter(e => {
		e.focus();
		const box = e.getBoundingClientRect(), top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
		return !(e === top || e.contains(top));
	}).map(e => e.name || e.textContent).join(" ")`
	if list, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](fmt.Sprintf(covered, form))); err != nil || list != "" {
		s.t.Errorf("under something else: %s: %v", list, err)
	}
}

func TestACampaignGoesFromOneDeskToAnotherInTheBrowser(t *testing.T) {
	onEveryScreen(t, func(s *screen) {
		s.add("linyi", staff.Admin, "441802")
		s.add("meier", staff.Approver, "441802")

		s.do(open(s.at(""), "[name=password]"), s.picture("login"), s.logIn("linyi"), s.picture("home"),
			open(s.at("people"), "table"), s.picture("people"), open(s.at("people/1"), ".facts"), s.picture("person"),
			click(`form[action$="/reveal"] button`, `form[action$="/hide"]`), s.picture("person-revealed"))
		s.do(open(s.at("campaigns/new"), "#rules"), s.picture("new"))
		s.uncovers("#campaign")
		s.fits()
		s.do(write("[name=name]", "2026年度城乡居民医保缴费提醒"),
			choose("[name=template]", "medical_premium_due"), see("[name=param_value]"), write("[name=param_value]", "12月31日"),
			choose("[name=field_1]", "age"), see("[name=value_1]"), choose("[name=op_1]", "gte"), write("[name=value_1]", "18"),
			click("[data-add]", "[name=field_2]"), choose("[name=field_2]", "medical.paid"), see("[name=value_2]"),
			choose("[name=value_2]", "false"), s.picture("filled"), click(".actions [value=preview]", ".phones"), s.picture("preview"),
			click(".actions [value=save]", `form[action$="/submit"]`), s.picture("draft"),
			click(`form[action$="/submit"] button`, ".notice.busy"), s.picture("submitted"))
		s.do(logOut(), s.logIn("meier"), s.picture("home-approver"), open(s.at("campaigns/1"), `form[action$="/approve"]`), s.picture("approve"))

		s.begin(1, 2431)
		s.do(open(s.at("campaigns/1"), ".legend"), s.picture("running"))
		s.deliver(1, 77)
		read(s.ctx, s.t, ".legend", "889")

		s.do(open(s.at("campaigns"), "table"), s.picture("campaigns"), logOut(), s.logIn("linyi"), open(s.at("audit"), "table"), s.picture("audit"),
			click(`form[action="/console/language"] button`, "html[lang=en]"), s.picture("audit-en"),
			open(s.at("password"), "[name=wished]"), s.picture("password"), open(s.at("nowhere"), ".big"), s.picture("nowhere"))
	})
}

// deliver lets some more people have got a campaign's message.
func (d *desk) deliver(id, n int64) {
	d.office.mu.Lock()
	defer d.office.mu.Unlock()
	s := d.office.status[id]
	s.Delivered, s.Planned = s.Delivered+n, s.Planned-n
	d.office.status[id] = s
}

// begin makes a campaign one that is under way.
func (d *desk) begin(id, total int64) {
	d.office.mu.Lock()
	defer d.office.mu.Unlock()
	c := &d.office.list[id-1]
	c.State, c.StartedAt = notify.Running, d.now.Add(-4*time.Minute)
	started := c.StartedAt
	d.office.status[id] = notify.Status{
		Total: total, Delivered: 812, Accepted: 640, Sending: 100, Queued: 200, Planned: total - 812 - 640 - 100 - 200 - 38 - 12 - 129,
		Failed: 38, Unconfirmed: 12, Skipped: map[notify.SkipReason]int64{notify.NoChannel: 96, notify.OptedOut: 21, notify.IsDeceased: 12},
		ByChannel: map[notify.Channel]int64{notify.WeChat: 602, notify.SMS: 850}, StartedAt: &started,
		Proofs:        map[notify.Proof]int64{notify.ByReceipt: 790, notify.ByHearing: 14, notify.ByAnswer: 8},
		FailedReasons: map[string]int64{"isv.MOBILE_NUMBER_ILLEGAL": 30, "200003": 6, "XX": 2},
		CostYuan:      44.13, CostByChannel: map[notify.Channel]float64{notify.SMS: 43.29, notify.Voice: 0.84}, Rate: 6,
	}
}
