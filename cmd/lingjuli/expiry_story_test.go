package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// What has not gone by a campaign's expiry is skipped, whatever holds it.

// soon is an expiry that a slow machine may pass before anything is approved: all is skipped either way where nothing can go.
func soon() string { return "expires: " + time.Now().Add(3*time.Second).Format(time.RFC3339) + "\n" }

// expires has a campaign's time be over now: how long a machine takes for what goes before decides nothing.
func (w *town) expires(id string) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	if _, err := db.ExecContext(w.t.Context(), "UPDATE campaigns SET expires_at = 1 WHERE id = "+id); err != nil {
		w.t.Fatal(err)
	}
}

// shut is a window that is shut for an hour on each side of now.
func (w *town) shut() string { return localClock(w, time.Hour) + "-" + localClock(w, -time.Hour) }

func TestStoryWhatAWindowHoldsPastTheExpiryIsSkipped(t *testing.T) {
	eachTown(t, 3, nil, func(w *town) {
		w.window = w.shut()
		id := w.campaign("sms", soon())
		w.wants(w.until(id, "finished", done), 3, "expired 3")
		for i := range 3 {
			if n := w.got(w.phone(i)); n != 0 {
				w.t.Errorf("person %d got %d texts", i, n)
			}
		}
		if text := w.command("campaign", "status", id); !strings.Contains(text, "  3 skipped: expired\n") {
			w.t.Error(text)
		}
		if list := w.unreached(id); list.Total != 3 {
			w.t.Errorf("the township hears of %d", list.Total)
		}
	})
}

func TestStoryWhoWaitsForMoneyPastTheExpiryIsSkippedForIt(t *testing.T) {
	eachTown(t, 4, nil, func(w *town) {
		w.budget("0.09") // two texts
		id := w.campaign("sms", "")
		w.until(id, "held for money", func(s notify.Status) bool { return s.Waiting[notify.ForBudget] == 2 && s.Accepted == 2 })
		w.expires(id)
		w.wants(w.until(id, "finished", done), 4, "accepted 2, budget 2")
		if text := w.command("campaign", "status", id); !strings.Contains(text, "  2 skipped: ") || strings.Contains(text, "budget") {
			w.t.Errorf("not said in words: %s", text)
		}
	})
}

func TestStoryACampaignThatExpiresWhilePausedIsFinished(t *testing.T) {
	eachTown(t, 8, nil, func(w *town) {
		half, _ := w.halfway(8) // for want of money
		w.window = w.shut()
		held := w.campaign("sms", "") // by its window
		w.until(held, "planned", func(s notify.Status) bool { return s.State == notify.Running && s.Planned == 8 })
		w.command("campaign", "pause", held, "--as", "li")
		for id, want := range map[string]string{half: "accepted 4, budget 4", held: "expired 8"} {
			w.expires(id)
			s := w.until(id, "finished", done)
			w.wants(s, 8, want)
			if s.FinishedAt == nil {
				w.t.Errorf("%+v", s)
			}
			w.refused("(finished)", "campaign", "resume", id, "--as", "li")
		}
	})
}

func TestStoryACampaignThatExpiresWhileHaltedStaysSoWithItsReason(t *testing.T) {
	eachTown(t, 6, nil, func(w *town) {
		if err := w.box.SetFaults(sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultCode, Code: "isv.AMOUNT_NOT_ENOUGH", Message: "账户余额不足"}); err != nil {
			w.t.Fatal(err)
		}
		id := w.campaign("sms", "")
		reason := w.until(id, "halted", func(s notify.Status) bool { return s.State == notify.Halted }).Reason
		if err := w.box.SetFaults(); err != nil {
			w.t.Fatal(err)
		}
		w.expires(id)
		s := w.until(id, "over", func(s notify.Status) bool { return s.Skipped[notify.Expired] == 6 })
		w.wants(s, 6, "expired 6")
		if s.State != notify.Halted || s.Reason != reason || reason == "" {
			w.t.Errorf("%+v", s)
		}
		if text := w.command("campaign", "status", id); !strings.Contains(text, "isv.AMOUNT_NOT_ENOUGH") || !strings.Contains(text, "  6 skipped: expired\n") {
			w.t.Error(text)
		}
		w.command("campaign", "resume", id, "--as", "li") // who reads the reason and lets it go on sees that nothing is left
		w.wants(w.until(id, "finished", done), 6, "expired 6")
		if n := w.got(w.phone(0)); n != 0 {
			w.t.Error(fmt.Sprint("texts after the expiry: ", n))
		}
	})
}
