package main

import (
	"testing"
	"time"

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
