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
	onEveryScreen(t, func(s *screen) {
		s.add("town", staff.Township, "441802103")
		s.missed()
		s.kin.doubt = "invalid"
		s.kin.proxies = []register.Proxy{
			{ID: 9, PersonID: 1, Name: "林**", Who: "陈**", Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-03-01", State: register.ProxyGiven, Witness: "town", Consent: register.ConsentSpoken},
		}
		const form = `form[action$='/doorstep/proxy'] `
		s.do(s.logIn("town"), open(s.at("people/2"), ".facts"), s.picture("witness-person"), click("details.card summary", form+"[name=consent]"),
			s.picture("witness-form"), chromedp.Click(chromedp.CSS(form+"button")), see(form+"[name=consent]:invalid"),
			choose(form+"[name=relation]", "father"), choose(form+"[name=scope]", "act"), choose(form+"[name=months]", "3"), choose(form+"[name=consent]", "signed"),
			s.picture("witness-filled"), click(form+"button", "svg.code"), s.picture("witness-code"))
		s.fits()
		if len(s.kin.terms) != 1 || s.kin.terms[0].Consent != register.ConsentSigned || s.kin.terms[0].Relation != "father" || !s.kin.terms[0].Proxy() {
			s.t.Fatalf("%+v", s.kin.terms)
		}
		s.do(open(s.at("people/1"), ".proxies"), s.picture("witness-given"), agree(), click(`form[action$="/proxies/9/end"] button`, ".notice.good"), s.picture("witness-ended"))
		s.fits()
		if len(s.kin.proxies) != 0 {
			s.t.Error("it has not ended")
		}
		s.do(open(s.at("unreached/sheet?campaign=1"), ".sheet"), s.picture("witness-sheet"))
		s.fits()
	})
}

// agree says yes to what a page asks back.
func agree() step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Evaluate[chromedp.Void](`void (window.confirm = () => true)`)(ctx, target)
		return err
	})
}
