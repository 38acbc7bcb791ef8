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
	book, err := flows.Load()
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
	a.Office = i.book.Line("office", item.RegionCode)
	if at := i.day.NextOpen(a.At, i.zone); at.After(a.At) {
		a.HintAt = at
	}
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

// letterText says a worker's answer in the language of whom it is for.
func letterText() (func(language, text string) string, error) {
	texts, err := locales.Load()
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
