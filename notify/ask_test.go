package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// silent is an accepted call of some of whom no receipt came, and what is done about it.
type silent struct {
	onFile
	campaign Campaign
}

func (o *silent) FindCampaign(context.Context, int64) (Campaign, error) { return o.campaign, nil }

func (o *silent) UnheardNumbers(context.Context, int64) ([]register.Phone, error) {
	return o.numbers, nil
}

func (o *silent) ApplyFound(_ context.Context, found []Report, _ func(Campaign, string) *Halting) error {
	slices.SortFunc(found, func(a, b Report) int { return strings.Compare(string(a.Phone), string(b.Phone)) })
	for _, r := range found {
		o.did = append(o.did, string(r.Phone)+" "+r.ErrCode)
	}
	return nil
}

func (o *silent) FallBackCall(_ context.Context, _ int64, _ bool, next time.Time) error {
	o.did, o.next = append(o.did, "fell back"), next
	return nil
}

func (o *silent) WakeAccepted(_ context.Context, _ int64, at time.Time) error {
	o.did, o.next = append(o.did, "waits"), at
	return nil
}

// carrier answers questions about numbers; what it says nothing of is unknown to it.
type carrier map[register.Phone]Found

func (c carrier) Look(_ context.Context, _ string, number register.Phone, _ time.Time) (Found, error) {
	if found, ok := c[number]; ok {
		return found, nil
	}
	if c == nil {
		return Found{}, errors.New("the carrier is away")
	}
	return Found{}, ErrNoMessage
}

func TestWhoHasNoReceiptIsAskedForBeforeSilenceMeansAnything(t *testing.T) {
	begun := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	arrived, failed, open := Found{State: FoundDelivered}, Found{State: FoundFailed, ErrCode: "NO_ROUTE"}, Found{State: FoundWaiting}
	for name, at := range map[string]struct {
		carrier carrier
		falls   time.Duration // fallback_after
		now     time.Duration // since the call began
		waited  time.Duration // for a carrier that can't be asked
		did     string
		next    time.Duration // since the call began; 0: never
	}{
		"too early for a lost one":           {carrier{"1": arrived}, time.Minute, time.Minute, 0, "fell back", 2 * time.Hour},
		"all known":                          {carrier{"1": arrived, "2": failed}, time.Hour, time.Hour, 0, "1 DELIVERED; 2 NO_ROUTE; fell back", 0},
		"one is open":                        {carrier{"1": arrived, "2": open}, time.Hour, time.Hour, 0, "1 DELIVERED; fell back", 2 * time.Hour},
		"one is unknown there":               {carrier{"1": arrived}, time.Hour, time.Hour, 0, "1 DELIVERED; fell back", 2 * time.Hour},
		"its time for the next isn't come":   {carrier{"1": arrived, "2": open}, 12 * time.Hour, 2 * time.Hour, 0, "1 DELIVERED; waits", 12 * time.Hour},
		"asked for again before that":        {carrier{"1": open, "2": open}, 48 * time.Hour, 2 * time.Hour, 0, "waits", 24 * time.Hour},
		"for the last time":                  {carrier{"1": open, "2": open}, time.Hour, 72 * time.Hour, 0, "fell back", 0},
		"away, and nobody must go on yet":    {nil, 12 * time.Hour, 2 * time.Hour, 0, "waits", 12 * time.Hour},
		"away, and somebody must go on":      {nil, time.Hour, 90 * time.Minute, 0, "", 0},
		"away for longer than anybody waits": {nil, time.Hour, 90 * time.Minute, askPatience, "fell back", 2 * time.Hour},
		"away at the last question":          {nil, time.Hour, 72 * time.Hour, askPatience, "fell back", 73 * time.Hour},
		"away for days":                      {nil, time.Hour, 96 * time.Hour, askPatience, "fell back", 0},
	} {
		o := &silent{onFile: onFile{numbers: []register.Phone{"1", "2"}}, campaign: Campaign{Spec: Spec{FallbackAfter: Span(at.falls)}}}
		w := seeker(&o.onFile, nil)
		w.cfg.Store, w.cfg.Looker = o, at.carrier
		c := Call{ID: 1, Channel: SMS, State: CallAccepted, BegunAt: begun, SignedAt: begun}
		if at.waited > 0 {
			w.patience.lasts(c.ID, begun.Add(at.now-at.waited))
		}
		if err := w.listen(t.Context(), c, begun.Add(at.now)); (err != nil) != (at.carrier == nil) {
			t.Fatal(name, err)
		}
		next := time.Duration(0)
		if !o.next.IsZero() {
			next = o.next.Sub(begun)
		}
		if got := strings.Join(o.did, "; "); got != at.did || next != at.next {
			t.Errorf("%s: %s, next after %s; want %s, %s", name, got, next, at.did, at.next)
		}
	}
}

func TestWhatALookFindsOfWhoDidNotGetItsTextIsAppliedAtOnce(t *testing.T) {
	begun := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	for _, at := range []struct {
		found Found
		did   string
	}{
		{Found{State: FoundWaiting}, "settled found"},
		{Found{State: FoundDelivered}, "settled found"},
		{Found{State: FoundFailed, ErrCode: "NO_ROUTE"}, "settled found; 1 NO_ROUTE"},
	} {
		o := &silent{onFile: onFile{numbers: []register.Phone{"1"}}}
		w := seeker(&o.onFile, nil, time.Minute)
		w.cfg.Store, w.cfg.Looker = o, carrier{"1": at.found}
		c := Call{ID: 1, Channel: SMS, Size: 1, BegunAt: begun, SignedAt: begun, PresentedAt: begun}
		now := begun.Add(time.Hour)
		if err := w.look(t.Context(), c, Campaign{}, now, now); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(o.did, "; "); got != at.did {
			t.Errorf("%v: %s; want %s", at.found, got, at.did)
		}
	}
}

func TestALateReceiptIsAskedForAtTheseTimes(t *testing.T) {
	begun := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	got := ""
	for at := begun; !at.IsZero(); at = NextAsk(begun, at) {
		got += fmt.Sprint(at.Sub(begun), " ")
	}
	if got != "0s 2h0m0s 24h0m0s 72h0m0s " {
		t.Error(got)
	}
}
