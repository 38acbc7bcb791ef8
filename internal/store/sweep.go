package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// drainBatch is how many rows of an ended campaign one transaction takes out: the write lock is never held long.
const drainBatch = 2000

// EndCampaigns does what is due for campaigns as a whole: it takes out the rows of cancelled and expired ones, wakes
// who waits behind nobody, and finishes campaigns in which nothing can happen any more. The database's clock judges what has
// expired, as it judges what is sent. more: call again at once.
func (s *Store) EndCampaigns(ctx context.Context) (more bool, err error) {
	var due []notify.Campaign
	var now time.Time
	err = s.read(ctx, "store: campaigns to end", func(t *tx) (err error) {
		if now, err = t.now(); err != nil {
			return err
		}
		due, err = t.campaigns(`WHERE check_at <= $1 AND (state = 'running' OR state = 'cancelled' AND started_at > 0
			OR state IN ('paused', 'halted') AND expires_at > 0 AND expires_at <= $1) ORDER BY id`, toMicros(now))
		return err
	})
	if err != nil {
		return false, err
	}
	for _, c := range due {
		again, err := s.endCampaign(ctx, c, now)
		if err != nil {
			return false, err
		}
		more = more || again
	}
	return more, nil
}

func (s *Store) endCampaign(ctx context.Context, c notify.Campaign, now time.Time) (more bool, err error) {
	expired := c.Expired(now)
	if expired && c.State != notify.Cancelled {
		if more, err = s.drainHeld(ctx, c, now); err != nil || more {
			return more, err
		}
	}
	if c.State == notify.Cancelled || expired {
		why := notify.WasCancelled
		if c.State != notify.Cancelled {
			why = notify.Expired
		}
		if more, err = s.drain(ctx, c, why, now); err != nil || more {
			return more, err
		}
	}
	var left leftover
	began := time.Now()
	err = s.read(ctx, fmt.Sprintf("store: is campaign %d finished", c.ID), func(t *tx) error {
		left, err = t.leftover(c, expired || c.State == notify.Cancelled, now)
		return err
	})
	if err != nil {
		return false, err
	}
	return false, s.finishOrWait(ctx, c, left, now, time.Since(began))
}

// leftover is what may still happen in a campaign.
type leftover struct {
	open  bool // something may
	stuck bool // no call is under way, and somebody waits behind nobody
}

// drain takes planned and queued rows out, of calls and those that wait by themselves.
func (s *Store) drain(ctx context.Context, c notify.Campaign, why notify.SkipReason, now time.Time) (more bool, err error) {
	err = s.write(ctx, fmt.Sprintf("store: take rows out of campaign %d", c.ID), func(t *tx) error {
		calls, err := t.drainCalls(c, now)
		if err != nil {
			return err
		}
		people, err := t.idsOf(`SELECT person_id FROM deliveries WHERE month = $1 AND campaign_id = $2 AND state IN ('planned', 'queued') AND state <> ''
			ORDER BY person_id LIMIT $3`, c.Month, c.ID, drainBatch)
		if err != nil {
			return err
		}
		more = len(people) == drainBatch || calls > 0
		return t.skip(keyOf(c), people, why, now)
	})
	return more, err
}

// drainCalls withdraws calls that have not begun, and lets their members out.
func (t *tx) drainCalls(c notify.Campaign, now time.Time) (int, error) {
	ids, err := t.idsOf(`SELECT id FROM calls WHERE campaign_id = $1 AND state IN ('planned', 'queued') ORDER BY id LIMIT $2`, c.ID, drainBatch/100)
	if err != nil {
		return 0, err
	}
	calls, err := t.holdCalls(ids, `AND state IN ('planned', 'queued')`)
	if err != nil {
		return 0, err
	}
	for _, call := range calls {
		if err := t.unfold(call, call.in()); err != nil {
			return 0, err
		}
		if _, err := t.moveCall(call, notify.CallWithdrawn, now, "wake_at = 0"); err != nil {
			return 0, err
		}
	}
	return len(calls), nil
}

// leftover looks whether anything may still happen to a row of the campaign. The cheap questions come first. What was
// accepted goes on to no further channel in one that has ended; a telephone that may be ringing may have to ring again.
func (t *tx) leftover(c notify.Campaign, ended bool, now time.Time) (left leftover, err error) {
	left.open = true
	if c.Plans() {
		return left, nil
	}
	var calls bool
	err = t.row(`SELECT EXISTS (SELECT 1 FROM calls WHERE campaign_id = $1 AND state IN ('queued', 'sending', 'unconfirmed') AND state <> 'unconfirmed')
		OR EXISTS (SELECT 1 FROM calls WHERE campaign_id = $1 AND state = 'planned')`, c.ID).Scan(&calls)
	if err != nil || calls && c.State == notify.Running {
		return left, err
	}
	err = t.row(`SELECT EXISTS (SELECT 1 FROM deliveries WHERE month = $1 AND campaign_id = $2 AND state <> ''
			AND (state IN ('planned', 'queued', 'sending', 'unconfirmed') OR NOT $3 AND state = 'accepted' AND later <> '' AND channel <> 'wechat'))
		OR NOT $3 AND EXISTS (SELECT 1 FROM calls WHERE campaign_id = $2 AND channel = 'voice' AND state = 'accepted' AND wake_at > 0
			AND presented_at > $4 AND (marks LIKE '%-%' OR marks LIKE '%+%'))
		OR EXISTS (SELECT 1 FROM calls WHERE campaign_id = $2 AND (marks LIKE '%-%' AND state = 'unconfirmed'
			OR marks LIKE '%+%' AND (state = 'unconfirmed' OR NOT $3 AND state = 'accepted' AND channel <> 'wechat')
			OR state IN ('planned', 'queued', 'sending'))),
		EXISTS (SELECT 1 FROM deliveries d WHERE `+waitsStuck()+`)`,
		c.Month, c.ID, ended, toMicros(now.Add(-notify.Ringing))).Scan(&left.open, &left.stuck)
	return left, err
}

// finishOrWait finishes a campaign, or says when to look again: looking at a large one is not free.
func (s *Store) finishOrWait(ctx context.Context, c notify.Campaign, left leftover, now time.Time, took time.Duration) error {
	return s.write(ctx, fmt.Sprintf("store: finish campaign %d", c.ID), func(t *tx) error {
		next := now.Add(900*time.Millisecond + 20*took)
		switch {
		case left.stuck:
			more, err := t.settleStuck(keyOf(c), now)
			if err != nil {
				return err
			}
			if more {
				next = now
			}
		case left.open:
		case c.State == notify.Running || c.State == notify.Paused:
			if done, err := t.finish(c, now); err != nil || done {
				return err
			}
		default:
			next = time.UnixMicro(cursorDone) // nothing of one that was cancelled, or expired while it was halted, is looked at again
		}
		_, err := t.exec(`UPDATE campaigns SET check_at = $2 WHERE id = $1`, c.ID, next.UnixMicro())
		return err
	})
}

// settleStuck settles those who wait behind nobody, as many as a transaction can take turns for. more: others do too.
func (t *tx) settleStuck(key campaignKey, now time.Time) (more bool, err error) {
	if _, err := t.campaign(key.id, t.forUpdate()); err != nil { // it is written next, and comes before households in the order of locks
		return false, err
	}
	people, err := t.idsOf(`SELECT d.person_id FROM deliveries d WHERE `+waitsStuck()+` LIMIT $3`, key.month, key.id, turnsAtOnce)
	if err != nil {
		return false, err
	}
	return len(people) == turnsAtOnce, t.settleHouseholds(key, people, now)
}

// waitsStuck is the SQL test that row d of campaign $2 in month $1 waits behind nobody.
func waitsStuck() string {
	return `d.month = $1 AND d.campaign_id = $2 AND d.state = 'planned' AND d.state <> '' AND NOT d.lead AND (` + mateHeard() + ` OR ` + noCarrier() + `)`
}

// finish ends a campaign unless somebody moved it, or a row came back, since it was looked at: WeChat may still say that a message failed.
func (t *tx) finish(c notify.Campaign, now time.Time) (bool, error) {
	if _, err := t.campaign(c.ID, t.forUpdate()); err != nil {
		return false, err
	}
	n, err := t.exec(`UPDATE campaigns SET state = $2, finished_at = $3, updated_at = $3 WHERE id = $1 AND state = $4
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.campaign_id = $1 AND d.wake_at > 0)`, c.ID, notify.Finish.Move().To, toMicros(now), c.State)
	return n == 1, err
}
