package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// What waits for a time goes when it has come, by itself and not before, through the doors.

func TestStoryWhoseTextHasNoReceiptIsCalledAfterTheWaitAndNotBefore(t *testing.T) {
	const wait = 3 * time.Second
	eachTown(t, 3, nil, func(w *town) {
		id := w.campaign("sms, voice", "fallback_after: "+wait.String()+"\n")
		w.until(id, "called", func(s notify.Status) bool { return s.ByChannel[notify.Voice] == 3 && s.Sending == 0 })
		for i := range 3 {
			texts, calls := w.box.Messages(w.phone(i)), w.box.Calls(w.phone(i))
			if len(texts) != 1 || len(calls) != 1 {
				w.t.Errorf("%s got %d texts and %d calls", w.phone(i), len(texts), len(calls))
				continue
			}
			if after := calls[0].At.Sub(texts[0].SentAt); after < wait {
				w.t.Errorf("%s rang %s after the text", w.phone(i), after)
			}
		}
	})
}

func TestStoryWhoseReceiptIsLostIsAskedForBeforeTheirTelephoneRings(t *testing.T) {
	eachTown(t, 4, nil, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{
			Bases: []string{w.base}, LostPercent: 100, PhoneCodes: map[string]string{w.phone(3): "MOBILE_NOT_ON_SERVICE"},
		})
		id := w.campaign("sms, voice", "fallback_after: 1h\n")
		w.until(id, "taken", func(s notify.Status) bool { return s.Accepted == 4 })
		w.eventually("the carrier knows what became of all", func() bool { return w.box.Stats().SMS.Waiting == 0 })
		w.later(id, 61*time.Minute)
		s := w.until(id, "asked for, or called", func(s notify.Status) bool { return s.Delivered == 4 })
		if s.ByChannel[notify.SMS] != 3 || s.ByChannel[notify.Voice] != 1 || s.Proofs[notify.ByReceipt] != 3 {
			w.t.Errorf("%+v", s)
		}
		for i, want := range []int{0, 0, 0, 1} {
			if calls := w.box.Calls(w.phone(i)); len(calls) != want {
				w.t.Errorf("phone %d was called %d times, want %d", i, len(calls), want)
			}
		}
	})
}

func TestStoryACampaignWithATimeStartsByItselfAndNotBefore(t *testing.T) {
	eachTown(t, 3, nil, func(w *town) {
		at := time.Now().Add(6 * time.Second)
		id := w.campaign("sms", "schedule: "+at.Format(time.RFC3339Nano)+"\n")
		if s := w.status(id); time.Now().Before(at) && (s.State != notify.Approved || s.Total != 0 || s.NextAt == nil || !s.NextAt.Equal(at.Truncate(time.Microsecond))) {
			w.t.Errorf("before its time: %+v", s)
		}
		time.Sleep(2 * time.Second) // looks for campaigns to start, in which none may
		if n, still := w.box.Stats().SMS.Recipients, time.Now().Before(at); n > 0 && still {
			w.t.Errorf("%d texts before the time", n)
		}
		w.wants(w.until(id, "finished", done), 3, "accepted 3")
		for i := range 3 {
			if sent := w.box.Messages(w.phone(i))[0].SentAt; sent.Before(at) {
				w.t.Errorf("%s got a text %s before the time", w.phone(i), at.Sub(sent))
			}
		}
		if n := w.count(fmt.Sprintf("SELECT count(*) FROM campaigns WHERE started_at < %d", at.UnixMicro())); n != 0 {
			w.t.Error("it started before its time")
		}
	})
}

func TestStoryWhoHadEnoughGetsTheNextWhenThereIsRoomAgainAndNotBefore(t *testing.T) {
	const room = 6 * time.Second
	eachTown(t, 4, with("LINGJULI_CAP=1/"+room.String()), func(w *town) {
		first, second := w.draft("sms", ""), w.draft("sms", "")
		for _, id := range []string{first, second} {
			w.command("campaign", "submit", id, "--as", "chen")
		}
		began := time.Now() // the first goes after it
		w.command("campaign", "approve", first, "--as", "li")
		w.until(first, "finished", done)
		w.command("campaign", "approve", second, "--as", "li")
		if s := w.until(second, "finished", done); s.Accepted != 4 {
			w.t.Errorf("%+v", s)
		}
		for i := range 4 {
			texts := w.box.Messages(w.phone(i))
			if len(texts) != 2 || texts[1].SentAt.Sub(began) < room {
				w.t.Errorf("%s, %s after the first began: %+v", w.phone(i), room, texts)
			}
		}
	})
}

func TestStoryAWindowOpensAndWhoWasHeldGoesByThemselves(t *testing.T) {
	var opens sync.Map // of each town
	early := func(w *town) {
		at := time.Now().Add(8 * time.Second).Truncate(time.Second)
		opens.Store(w, at)
		// A window opens on the minute: the town's clocks are set by so many seconds that it is one.
		zone := time.FixedZone("town", 8*3600-int((at.Unix()+8*3600)%60))
		w.change = func(cfg *config) { cfg.Zone = zone }
		w.window = at.In(zone).Format("15:04") + "-" + at.In(zone).Add(2*time.Hour).Format("15:04")
	}
	eachTown(t, 3, early, func(w *town) {
		found, _ := opens.Load(w)
		at, _ := found.(time.Time)
		id := w.campaign("sms", "")
		w.wants(w.until(id, "finished", done), 3, "accepted 3")
		for i := range 3 {
			if sent := w.box.Messages(w.phone(i))[0].SentAt; sent.Before(at) {
				w.t.Errorf("%s got a text %s before it opened", w.phone(i), at.Sub(sent))
			}
		}
	})
}

func TestStoryACampaignPausedInFullFlightStandsStillAndOneCancelledEndsThere(t *testing.T) {
	const people = 100
	eachTown(t, people, nil, func(w *town) {
		taken := func() int { return w.box.Stats().SMS.Recipients }
		id := w.campaign("sms", "rate: 8\n") // twelve seconds in all: a slow machine is in time with its commands
		w.eventually("20 texts", func() bool { return taken() >= 20 })
		w.command("campaign", "pause", id, "--as", "li")
		time.Sleep(time.Second) // a claim that had begun is written down
		w.until(id, "at rest", func(s notify.Status) bool { return s.Sending+s.Unconfirmed == 0 })
		stood := taken()
		time.Sleep(3 * time.Second) // in which 24 would go
		if n := taken(); n != stood || n == people {
			w.t.Errorf("%d texts when it came to rest, %d later", stood, n)
		}
		w.command("campaign", "resume", id, "--as", "li")
		w.eventually("10 texts more", func() bool { return taken() >= stood+10 })
		w.command("campaign", "cancel", id, "--as", "li")
		s := w.until(id, "drained", func(s notify.Status) bool { return s.Planned+s.Queued+s.Sending+s.Unconfirmed == 0 })
		sent := taken()
		if sent == people || s.Accepted+s.Delivered+s.Failed != int64(sent) || s.Skipped[notify.WasCancelled] != int64(people-sent) {
			w.t.Errorf("the carrier took %d: %+v", sent, s)
		}
		time.Sleep(3 * time.Second)
		w.wants(w.status(id), people, fmt.Sprintf("accepted %d, cancelled %d", sent, people-sent))
		if n := taken(); n != sent {
			w.t.Errorf("%d texts after it was cancelled", n-sent)
		}
	})
}

func TestStoryASlowCampaignThatIsCancelledIsOverNowAndNotWhenItsTurnsWouldHaveCome(t *testing.T) {
	const people = 250 // at one a second: some four minutes, which nobody waits for here
	eachTown(t, people, with("LINGJULI_SMS_QPS=200"), func(w *town) {
		id := w.campaign("sms", "rate: 1\n")
		w.until(id, "under way", func(s notify.Status) bool { return s.Accepted > 0 })
		w.command("campaign", "cancel", id, "--as", "li")
		s := w.until(id, "drained", func(s notify.Status) bool { return s.Planned+s.Queued+s.Sending+s.Unconfirmed == 0 })
		sent := w.box.Stats().SMS.Recipients
		w.wants(s, people, fmt.Sprintf("accepted %d, cancelled %d", sent, people-sent))
	})
}
