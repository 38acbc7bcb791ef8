package main

import (
	"context"
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/locales"
	"github.com/lingjuli/lingjuli/notify"
)

// inbox is the township's inbox as pages use it: what the store keeps, and the bell for what is to go at once.
type inbox struct {
	*store.Store
	bell *notify.Doorbell
	book *flows.Book
	day  notify.Window // in which an SMS may say that an answer waits
	zone *time.Location
}

func newInbox(cfg config, s *store.Store, bell *notify.Doorbell) (inbox, error) {
	book, err := builtInFlows()
	if err != nil {
		return inbox{}, err
	}
	day, err := notify.ParseWindow(notify.DefaultWindow)
	return inbox{s, bell, book, day, cfg.Zone}, err
}

// AnswerInbox writes the answer down, then rings for it. What the bell can't reach the sweeper finds.
func (i inbox) AnswerInbox(ctx context.Context, scope register.Scope, id int64, a register.InboxAnswer) error {
	item, err := i.InboxItem(ctx, scope, id)
	if err != nil {
		return err
	}
	word := i.word(item.RegionCode, a.At)
	a.Office, a.HintAt = word.Phone, word.From
	letter, hint, err := i.Store.AnswerInbox(ctx, scope, id, a)
	if err != nil {
		return err
	}
	if letter != 0 {
		i.bell.RingLetter(ctx, letter)
	}
	if hint != 0 && a.HintAt.IsZero() {
		i.bell.Ring(ctx, hint)
	}
	return nil
}

// word is whom a text about something that was done in a region says to call, and when it may go: not at night.
func (i inbox) word(region string, at time.Time) register.OfficeWord {
	w := register.OfficeWord{Phone: i.book.Line("office", region)}
	if from := i.day.NextOpen(at, i.zone); from.After(at) {
		w.From = from
	}
	return w
}

// letterText says a worker's answer in the language of whom it is for.
func letterText() (func(language, text string) string, error) {
	texts, err := builtInTexts()
	if err != nil {
		return nil, err
	}
	return func(language, text string) string {
		locale, ok := locales.Parse(language)
		if !ok {
			locale = locales.ZhHans
		}
		return texts.Localizer(locale).Text("letter.from_staff", map[string]string{"text": text})
	}, nil
}
