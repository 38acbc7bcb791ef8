package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// Receipts are applied many at once, in one transaction. Where that fails for a reason that lies in them, or in what they are
// about, each push is applied by itself, and of one that fails again each call: what is left then can't be applied by anybody.
// It is marked so, and stands in nobody's way.

type judgement = func(notify.Campaign, string) *notify.Halting

// tryPushes applies pushes and marks nothing. What panics is an error: it would come again, and take the process with it.
func (t *tx) tryPushes(pushes []*pushed, now time.Time, judge judgement) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return t.applyPushes(pushes, now, judge)
}

// applyApart applies pushes that can't be applied together, in their order. What lies outside of them ends it: the others wait.
func (s *Store) applyApart(ctx context.Context, pushes []*pushed, now time.Time, judge judgement) (aside error) {
	for _, p := range pushes {
		var why error
		err := s.writeMass(ctx, fmt.Sprintf("store: apply receipts of push %d", p.id), func(t *tx) (err error) {
			why, err = t.applyAlone(p, now, judge)
			return err
		})
		if err != nil {
			return errors.Join(aside, err)
		}
		if why != nil {
			aside = errors.Join(aside, setAside(p.id, why))
		}
	}
	return aside
}

func setAside(push int64, why error) error {
	return fmt.Errorf("%w: push %d: %v", notify.ErrSetAside, push, why) //nolint:errorlint // whoever looks at the whole finds nothing that may pass
}

// applyAlone applies a push and marks it. why: some of it can't be applied.
func (t *tx) applyAlone(p *pushed, now time.Time, judge judgement) (why, err error) {
	if err := t.lockKey(receiptsLock); err != nil {
		return nil, err
	}
	waits, err := t.idsOf(`SELECT id FROM receipts WHERE id = $1 AND applied_at = 0`, p.id)
	if err != nil || len(waits) == 0 { // another worker was first
		return nil, err
	}
	return t.applyAndMark(p, now, judge)
}

// applyAndMark applies what can be applied of a push.
func (t *tx) applyAndMark(p *pushed, now time.Time, judge judgement) (why, err error) {
	why, err = t.tryPart(p, now, judge)
	if err != nil {
		return nil, err
	}
	if why != nil {
		if err := t.applyParts(p, now, judge); err != nil {
			return nil, err
		}
	}
	return why, t.markPushes([]*pushed{p}, now)
}

// applyParts applies what can be applied of a push, call by call.
func (t *tx) applyParts(p *pushed, now time.Time, judge judgement) error {
	var calls []string
	places := map[string][]int{}
	for n, r := range p.reports {
		if places[r.OutID] == nil {
			calls = append(calls, r.OutID)
		}
		places[r.OutID] = append(places[r.OutID], n)
	}
	for _, call := range calls {
		part := &pushed{id: p.id}
		for _, n := range places[call] {
			part.reports = append(part.reports, p.reports[n])
		}
		if _, err := t.tryPart(part, now, judge); err != nil {
			return err
		}
		for i, n := range places[call] {
			p.verdicts[n] = part.verdicts[i]
		}
	}
	return nil
}

// tryPart applies a push, or a part of one, or, where it says why, nothing of it.
func (t *tx) tryPart(p *pushed, now time.Time, judge judgement) (why, err error) {
	p.begin()
	if _, err := t.exec("SAVEPOINT part"); err != nil {
		return nil, err
	}
	if why = t.tryPushes([]*pushed{p}, now, judge); why == nil {
		_, err = t.exec("RELEASE part")
		return nil, err
	}
	if isOutside(why) {
		return nil, why
	}
	t.held = nil // what it says of calls was not written
	p.verdicts = slices.Repeat([]byte{verdictAside}, len(p.reports))
	for _, step := range []string{"ROLLBACK TO part", "RELEASE part"} {
		if _, err := t.exec(step); err != nil {
			return nil, err
		}
	}
	return why, nil
}
