package console_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// chromium opens a headless browser; LINGJULI_TEST_CHROMIUM is its path.
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
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
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

func TestACampaignGoesFromOneDeskToAnotherInTheBrowser(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int
	}{{"desk", 1280, 900}, {"phone", 390, 844}} {
		t.Run(size.name, func(t *testing.T) {
			d := newDesk(t)
			d.add("linyi", staff.Admin, "441802")
			d.add("meier", staff.Approver, "441802")
			ctx := chromium(t, size.width, size.height)
			at := func(path string) string { return d.server.URL + "/console/" + path }
			picture := func(name string) step { return shot(size.name + "-" + name) }

			do(ctx, t, open(at(""), "[name=password]"), picture("login"), d.logIn("linyi"), picture("home"),
				open(at("people"), "table"), picture("people"), open(at("people/1"), ".facts"), picture("person"),
				click(`form[action$="/reveal"] button`, `form[action$="/hide"]`), picture("person-revealed"))
			do(ctx, t, open(at("campaigns/new"), "#rules"), picture("new"), write("[name=name]", "2026年度城乡居民医保缴费提醒"),
				choose("[name=template]", "medical_premium_due"), see("[name=param_value]"), write("[name=param_value]", "12月31日"),
				choose("[name=field_1]", "age"), see("[name=value_1]"), choose("[name=op_1]", "gte"), write("[name=value_1]", "18"),
				click("[data-add]", "[name=field_2]"), choose("[name=field_2]", "medical.paid"), see("[name=value_2]"),
				choose("[name=value_2]", "false"), picture("filled"), click(".actions [value=preview]", ".phones"), picture("preview"),
				click(".actions [value=save]", `form[action$="/submit"]`), picture("draft"),
				click(`form[action$="/submit"] button`, ".notice.busy"), picture("submitted"))
			do(ctx, t, logOut(), d.logIn("meier"), picture("home-approver"), open(at("campaigns/1"), `form[action$="/approve"]`), picture("approve"))

			d.begin(1, 2431)
			do(ctx, t, open(at("campaigns/1"), ".legend"), picture("running"))
			d.deliver(1, 77)
			read(ctx, t, ".legend", "889")

			do(ctx, t, open(at("campaigns"), "table"), picture("campaigns"), logOut(), d.logIn("linyi"), open(at("audit"), "table"), picture("audit"),
				click(`form[action="/console/language"] button`, "html[lang=en]"), picture("audit-en"),
				open(at("password"), "[name=wished]"), picture("password"), open(at("nowhere"), ".big"), picture("nowhere"))
		})
	}
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
	}
}
