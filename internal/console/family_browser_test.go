package console_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// Somebody who can't be asked agrees before a township worker: the form, the code that comes of it, and how the office ends it.
func TestAWorkerWitnessesAConsentInTheBrowser(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int
	}{{"desk", 1280, 900}, {"phone", 390, 844}} {
		t.Run(size.name, func(t *testing.T) {
			d := newDesk(t)
			d.add("town", staff.Township, "441802103")
			d.missed()
			d.kin.doubt = "invalid"
			d.kin.proxies = []register.Proxy{
				{ID: 9, PersonID: 1, Name: "林**", Who: "陈**", Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-03-01", State: register.ProxyGiven, Witness: "town", Consent: register.ConsentSpoken},
			}
			ctx := chromium(t, size.width, size.height)
			at := func(path string) string { return d.server.URL + "/console/" + path }
			picture := func(name string) step { return shot(size.name + "-witness-" + name) }
			const form = `form[action$='/doorstep/proxy'] `
			do(ctx, t, d.logIn("town"), open(at("people/2"), ".facts"), picture("person"), click("details.card summary", form+"[name=consent]"),
				picture("form"), chromedp.Click(chromedp.CSS(form+"button")), see(form+"[name=consent]:invalid"),
				choose(form+"[name=relation]", "father"), choose(form+"[name=scope]", "act"), choose(form+"[name=months]", "3"), choose(form+"[name=consent]", "signed"),
				picture("filled"), click(form+"button", "svg.code"), picture("code"))
			narrow(ctx, t)
			if len(d.kin.terms) != 1 || d.kin.terms[0].Consent != register.ConsentSigned || d.kin.terms[0].Relation != "father" || !d.kin.terms[0].Proxy() {
				t.Fatalf("%+v", d.kin.terms)
			}
			do(ctx, t, open(at("people/1"), ".proxies"), picture("given"), agree(), click(`form[action$="/proxies/9/end"] button`, ".notice.good"), picture("ended"))
			narrow(ctx, t)
			if len(d.kin.proxies) != 0 {
				t.Error("it has not ended")
			}
			do(ctx, t, open(at("unreached/sheet?campaign=1"), ".sheet"), picture("sheet"))
			narrow(ctx, t)
		})
	}
}

// agree says yes to what a page asks back.
func agree() step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Evaluate[chromedp.Void](`void (window.confirm = () => true)`)(ctx, target)
		return err
	})
}

// narrow holds that a page is no wider than the screen.
func narrow(ctx context.Context, t *testing.T) {
	t.Helper()
	if wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth + 1`)); err != nil || wide {
		t.Errorf("the page is wider than the screen: %v", err)
	}
}
