package main

import (
	"context"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
)

// familyDesk is who speaks for whom as pages settle it: what the store keeps, and word to whoever loses something by it.
type familyDesk struct {
	*store.Store
	office inbox
	turns  *turn.Service
}

// EndProxy ends that somebody looks after a person's matters; they hear of it in WeChat and, where we know their number, by SMS.
func (d familyDesk) EndProxy(ctx context.Context, scope register.Scope, personID, proxyID int64, by staff.Entry) error {
	region, word, err := d.word(ctx, scope, personID, by)
	if err != nil {
		return err
	}
	ended, notice, err := d.Store.EndProxy(ctx, scope, personID, proxyID, word, by)
	if err != nil {
		return err
	}
	d.turns.TellStopped(ended, region)
	d.ring(ctx, notice, word)
	return nil
}

// EndBinding implements console.Bindings; the account hears of it in WeChat, the person by SMS.
func (d familyDesk) EndBinding(ctx context.Context, scope register.Scope, personID int64, by staff.Entry) error {
	region, word, err := d.word(ctx, scope, personID, by)
	if err != nil {
		return err
	}
	lost, language, notice, err := d.Store.EndBinding(ctx, scope, personID, word, by)
	if err != nil {
		return err
	}
	d.turns.TellTaken(lost, language, region)
	d.ring(ctx, notice, word)
	return nil
}

func (d familyDesk) word(ctx context.Context, scope register.Scope, personID int64, by staff.Entry) (region string, w register.OfficeWord, err error) {
	record, err := d.PersonRecord(ctx, scope, personID)
	region = record.Person.RegionCode
	return region, d.office.word(region, by.At), err
}

// ring has a text go that may go now; the sweeper finds the others when their time has come.
func (d familyDesk) ring(ctx context.Context, notice int64, w register.OfficeWord) {
	if notice != 0 && w.From.IsZero() {
		d.office.bell.Ring(ctx, notice)
	}
}
