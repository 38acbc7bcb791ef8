package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// Of turns that go together on PostgreSQL.
const (
	turnLanes     = 2               // how many write at once
	groupPatience = 5 * time.Second // then each is run by itself
)

// newTogether makes the lanes of this database's turns.
func (s *Store) newTogether() *together {
	g := &together{lanes: 1, hold: togetherFor, run: s.runSaved, busy: map[string]bool{}}
	if s.d == postgresDialect {
		g.lanes, g.run = turnLanes, s.runGroup
	}
	return g
}

// runGroup runs turns in one transaction of PostgreSQL, in the order in which they came. People are locked and read by one statement each, and what the
// turns leave is written by one. Where anything fails nothing is kept, and each turn is run anew by itself: one whose
// commit had gone through after all finds its reply.
func (s *Store) runGroup(group []*waitingTurn) (rest []*waitingTurn) {
	if len(group) == 1 {
		group[0].attemptAlone(s)
		settle(group, nil)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(group[0].ctx), groupPatience)
	defer cancel()
	done := 0
	err := s.byHand(ctx, func(t *tx) (err error) {
		done, err = t.runEach(group, s.turns.hold)
		return err
	})
	if err != nil {
		done = len(group)
		for _, w := range group {
			w.alone, w.err, w.crash = w.ctx.Err() == nil, w.ctx.Err(), nil
		}
	}
	settle(group[:done], nil)
	return group[done:]
}

// attemptAlone runs a turn in a transaction of its own; a panic in it is its caller's.
func (w *waitingTurn) attemptAlone(s *Store) {
	defer func() {
		w.crash = recover()
		w.marks.byItself()
	}()
	w.err = s.runAlone(w)
}

// runEach runs turns one after the other and commits. done is how many there was time for.
func (t *tx) runEach(group []*waitingTurn, hold time.Duration) (done int, err error) {
	turns, err := t.openGroup(group)
	if err != nil {
		return 0, err
	}
	markOpened(group)
	began := time.Now()
	for ; done < len(group) && (done == 0 || time.Since(began) < hold); done++ {
		w := group[done]
		if w.err = w.ctx.Err(); w.err != nil {
			continue // whoever asked has gone
		}
		if w.attempt(turns[done]); w.err != nil {
			return 0, w.err
		}
	}
	markRan(group[:done])
	return done, t.closeGroup(turns[:done])
}

// openGroup locks the people of a group in order and reads what is kept of them.
func (t *tx) openGroup(group []*waitingTurn) ([]*turnTx, error) {
	turns := make([]*turnTx, len(group))
	for i, w := range group {
		turns[i] = &turnTx{tx: t, who: w.who, idx: w.idx}
	}
	ordered := slices.Clone(turns)
	slices.SortFunc(ordered, func(a, b *turnTx) int { // two groups must not wait for one another
		return cmp.Or(cmp.Compare(a.who.Channel, b.who.Channel), bytes.Compare(a.idx, b.idx))
	})
	for try := 0; ; try++ {
		if err := t.lockAndLook(ordered); err != nil {
			return nil, err
		}
		fresh := slices.DeleteFunc(slices.Clone(ordered), func(own *turnTx) bool { return own.kept != nil })
		if len(fresh) == 0 {
			return turns, nil
		}
		if try > 0 {
			return nil, errTurn
		}
		for _, own := range fresh { // the first input of a person makes their row
			if err := own.newContact(); err != nil {
				return nil, err
			}
		}
	}
}

// A lock that others hold for long is not waited for together. Each look goes by its key, whatever PostgreSQL makes of
// tables that it hasn't counted.
const (
	groupPatienceSQL = `SELECT set_config('lock_timeout', '200ms', true)`
	groupLockSQL     = `SELECT v.n, c.language, c.language_chosen, c.follows, c.scene, c.elder, c.status_day, c.status_used, c.replies_used
		FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS v(channel, who_idx, n) CROSS JOIN LATERAL (
			SELECT * FROM contacts WHERE channel = v.channel AND who_idx = v.who_idx FOR UPDATE) c`
	groupLookSQL = `SELECT v.n, i.reply, i.at, s.body, s.updated_at, s.expires_at, b.person_id, b.region, f.yes IS NOT NULL OR g.yes IS NOT NULL, h.yes IS NOT NULL
		FROM unnest($1::text[], $2::bytea[], $3::text[]) WITH ORDINALITY AS v(channel, who_idx, key, n)
		LEFT JOIN LATERAL (SELECT reply, at FROM inbound WHERE key = v.key OFFSET 0) i ON TRUE
		LEFT JOIN LATERAL (SELECT body, updated_at, expires_at FROM sessions WHERE channel = v.channel AND who_idx = v.who_idx OFFSET 0) s ON TRUE
		LEFT JOIN LATERAL (SELECT n.person_id, p.region FROM bindings n LEFT JOIN people p ON p.id = n.person_id
			WHERE n.openid_idx = v.who_idx AND n.until = 0 AND n.relation = 'self' ORDER BY n.since DESC LIMIT 1) b ON TRUE
		LEFT JOIN LATERAL (SELECT 1 AS yes FROM proxies x WHERE x.openid_idx = v.who_idx AND (x.state IN ('asked', 'given') OR x.told_at = 0) LIMIT 1) f ON TRUE
		LEFT JOIN LATERAL (SELECT 1 AS yes FROM proxies x WHERE x.consent_by = b.person_id AND x.shown_at = 0 AND x.state <> 'refused' LIMIT 1) g ON TRUE
		LEFT JOIN LATERAL (SELECT 1 AS yes FROM letters l WHERE l.who_idx = v.who_idx AND l.state = 'kept' AND v.channel = 'wechat' LIMIT 1) h ON TRUE`
)

func (t *tx) lockAndLook(turns []*turnTx) error {
	channels, people, keys := make([]string, len(turns)), make([][]byte, len(turns)), make([]string, len(turns))
	found := make([]*keptTurn, len(turns))
	for i, own := range turns {
		channels[i], people[i], keys[i] = string(own.who.Channel), own.idx, own.who.Key
	}
	err := t.execAll([]statement{
		{act: "set patience", query: groupPatienceSQL},
		{act: "lock contacts", query: groupLockSQL, args: []any{channels, people}, each: func(rows pgx.Rows) error {
			var n int
			k := &keptTurn{}
			c := &k.contact
			err := rows.Scan(&n, &c.Language, &c.LanguageChosen, &c.Follows, &c.Scene, &c.Elder, &c.StatusDay, &c.StatusUsed, &c.RepliesUsed)
			if err == nil {
				found[n-1] = k
			}
			return err
		}},
		{act: "read sessions", query: groupLookSQL, args: []any{channels, people, keys}, each: func(rows pgx.Rows) error {
			var n int
			var k keptTurn
			err := rows.Scan(&n, &k.reply, &k.repliedAt, &k.body, &k.updated, &k.expires, &k.person, &k.region, &k.family, &k.answered)
			if err == nil && found[n-1] != nil {
				k.contact = found[n-1].contact
				*found[n-1] = k
			}
			return err
		}},
	})
	for i, own := range turns {
		own.kept = found[i]
	}
	return err
}

// What turns of a group leave, and how it is to be planned: rows are found by their keys, however few there are yet.
const (
	groupPlanSQL = `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`
	groupSaveSQL = `WITH v AS (
			SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::text[], $5::boolean[], $6::boolean[], $7::text[], $8::text[], $9::bigint[],
				$10::bigint[], $11::boolean[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])
			AS v(channel, who_idx, at, language, language_chosen, follows, scene, status_day, status_used, replies_used, elder,
				customer_left, customer_until, click_left, click_until)
		), c AS (
			UPDATE contacts SET language = v.language, language_chosen = v.language_chosen, follows = v.follows, scene = v.scene,
				status_day = v.status_day, status_used = v.status_used, replies_used = v.replies_used, last_inbound_at = v.at, elder = v.elder,
				customer_left = COALESCE(v.customer_left, contacts.customer_left), customer_until = COALESCE(v.customer_until, contacts.customer_until),
				click_left = COALESCE(v.click_left, contacts.click_left), click_until = COALESCE(v.click_until, contacts.click_until)
			FROM v WHERE contacts.channel = v.channel AND contacts.who_idx = v.who_idx
		), s AS (
			INSERT INTO sessions (channel, who_idx, body, updated_at, expires_at)
			SELECT * FROM unnest($1::text[], $2::bytea[], $16::bytea[], $3::bigint[], $17::bigint[])
			ON CONFLICT (channel, who_idx) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at, expires_at = excluded.expires_at
		), i AS (
			INSERT INTO inbound (key, reply, at) SELECT * FROM unnest($18::text[], $19::bytea[], $3::bigint[])
			ON CONFLICT (key) DO UPDATE SET reply = excluded.reply, at = excluded.at
		)
		INSERT INTO turns (channel, who_idx, at, person_id, intent, body)
		SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $20::bigint[], $21::text[], $22::bytea[])
		ON CONFLICT (channel, who_idx, at) DO NOTHING`
)

// closeGroup writes what turns leave and commits.
func (t *tx) closeGroup(turns []*turnTx) error {
	var l left
	var last []statement
	for _, own := range turns {
		if own.closed != nil {
			l.add(own, *own.closed)
		}
		last = append(last, own.closing...)
	}
	if len(l.at) > 0 {
		last = append(last, statement{act: "set the plan", query: groupPlanSQL}, statement{act: "save turns", query: groupSaveSQL, args: l.args()})
	}
	return t.commit(last)
}

// left is what turns leave, column by column.
type left struct {
	channel, language, scene, statusDay, key, intent       []string
	who, body, reply, transcript                           [][]byte
	at, statusUsed, repliesUsed, expires                   []int64
	chosen, follows, elder                                 []bool
	customerLeft, customerUntil, clickLeft, clickUntil, of []*int64
}

func (l *left) add(t *turnTx, c turn.Closing) {
	o := c.Contact
	l.channel, l.who, l.at, l.key = append(l.channel, string(t.who.Channel)), append(l.who, t.idx), append(l.at, t.at()), append(l.key, t.who.Key)
	l.language, l.chosen, l.follows, l.scene = append(l.language, o.Language), append(l.chosen, o.LanguageChosen), append(l.follows, o.Follows), append(l.scene, o.Scene)
	l.statusDay, l.statusUsed = append(l.statusDay, o.StatusDay), append(l.statusUsed, int64(o.StatusUsed))
	l.repliesUsed, l.elder = append(l.repliesUsed, int64(o.RepliesUsed)), append(l.elder, o.Elder)
	w := opens(t.who)
	l.customerLeft, l.customerUntil = append(l.customerLeft, w.customerLeft), append(l.customerUntil, w.customerUntil)
	l.clickLeft, l.clickUntil = append(l.clickLeft, w.clickLeft), append(l.clickUntil, w.clickUntil)
	l.body = append(l.body, t.keys.Seal(c.Session, "sessions", "body", rowID(t.idx)))
	l.expires = append(l.expires, toMicros(c.Expires))
	l.reply = append(l.reply, t.keys.Seal(c.Reply, "inbound", "reply", keyID(t.who.Key)))
	var of *int64
	if c.PersonID != 0 {
		of = &c.PersonID
	}
	l.of, l.intent = append(l.of, of), append(l.intent, c.Intent)
	l.transcript = append(l.transcript, t.keys.Seal(c.Transcript, "turns", "body", rowID(t.idx)))
}

func (l *left) args() []any {
	return []any{
		l.channel, l.who, l.at, l.language, l.chosen, l.follows, l.scene, l.statusDay, l.statusUsed, l.repliesUsed, l.elder,
		l.customerLeft, l.customerUntil, l.clickLeft, l.clickUntil, l.body, l.expires, l.key, l.reply, l.of, l.intent, l.transcript,
	}
}

// opened is what an input opens for customer messages; nil: nothing.
type opened struct{ customerLeft, customerUntil, clickLeft, clickUntil *int64 }

func opens(who turn.Who) opened {
	bound := func(n int64, span time.Duration) (*int64, *int64) {
		until := toMicros(who.At.Add(span))
		return &n, &until
	}
	var o opened
	switch who.Window {
	case turn.MessageWindow:
		o.customerLeft, o.customerUntil = bound(messagesAfterMessage, messageWindow)
	case turn.ClickWindow:
		o.clickLeft, o.clickUntil = bound(messagesAfterClick, clickWindow)
	case turn.NoWindow:
	}
	return o
}
