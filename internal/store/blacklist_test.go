package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// blacklistedAt has a campaign's texts go out, and the carrier say of the numbers of some that they are on a blacklist.
func blacklistedAt(t *testing.T, s *Store, numbers ...int) {
	t.Helper()
	p := &platform{}
	id := approved(t, s, nil)
	play(t, s, p, id, quickRules(), finished)
	out := p.outIDs()
	for _, n := range numbers {
		push(t, s, report(out[phoneOf(n)], phoneOf(n), notify.InBlack))
	}
	applyAll(t, s)
}

// playedTo plays a campaign and says how its rows ended, and who got a text.
func playedTo(t *testing.T, s *Store, want map[string]int64) (id int64, texts map[register.Phone]int) {
	t.Helper()
	p := &platform{}
	id = approved(t, s, nil)
	wantCounts(t, play(t, s, p, id, quickRules(), finished), want)
	return id, p.texts()
}

func TestANumberOnABlacklistGetsNoCampaignsTextAndItsPersonIsReachedOtherwiseOrListed(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1)}, villager{id: 2, phone: phoneOf(2)},
			villager{id: 3, phone: phoneOf(3), household: "a"}, villager{id: 4, phone: phoneOf(3), household: "a"},
		)
		blacklistedAt(t, s, 1, 3)
		id, texts := playedTo(t, s, map[string]int64{"accepted": 1, "failed": 3})
		if diff := cmp.Diff(map[register.Phone]int{phoneOf(2): 1}, texts); diff != "" {
			t.Error(diff)
		}
		list := s.listOf(t, id, "", 10)
		if diff := cmp.Diff(map[int64]notify.UnreachedWhy{1: notify.WhyRefused, 3: notify.WhyRefused, 4: notify.WhyRefused}, reasons(list)); diff != "" {
			t.Error(diff)
		}
		for _, u := range list {
			if u.Code != notify.InBlack || u.Channel != notify.SMS {
				t.Errorf("%+v", u)
			}
		}
		preview := func(channels ...notify.Channel) notify.PreviewCount {
			t.Helper()
			count, err := s.PreviewAudience(t.Context(), notify.PreviewQuery{Spec: notify.Spec{Kind: notify.PremiumReminder, Audience: register.Everybody()}, Channels: channels, Now: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			return count
		}
		if n := preview(notify.SMS); n.Reachable[notify.SMS] != 1 || n.Texts[notify.SMS] != 1 || n.Unreachable[notify.OnBlacklist] != 3 {
			t.Errorf("by text alone: %+v", n)
		}
		if n := preview(notify.SMS, notify.Voice); n.Reachable[notify.SMS] != 1 || n.Reachable[notify.Voice] != 3 || n.Texts[notify.Voice] != 2 || len(n.Unreachable) != 0 {
			t.Errorf("by text and telephone: %+v", n)
		}
		p := &platform{}
		id = approved(t, s, func(spec *notify.Spec) { spec.Channels = []notify.Channel{notify.SMS, notify.Voice} })
		play(t, s, p, id, quickRules(), func(st notify.Status) bool { return st.ByChannel[notify.Voice] == 2 && st.ByChannel[notify.SMS] == 1 })
		if len(p.rung(phoneOf(1))) != 1 || len(p.rung(phoneOf(3))) != 1 {
			t.Error("a telephone does not ring, or rings twice")
		}
		if n := count(t, s, `SELECT count(*) FROM opt_outs`) + count(t, s, `SELECT count(*) FROM phone_doubts`); n != 0 {
			t.Errorf("%d words were put into somebody's mouth", n)
		}
	})
}

func TestANumberIsOffTheBlacklistWhenATextArrivesAfterHalfAYearAndForWhoHasAnother(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx, at := t.Context(), time.Now()
		for id := range int64(4) {
			putOnFile(t, s, villager{id: id + 1, phone: phoneOf(int(id + 1))})
		}
		blacklistedAt(t, s, 1, 2, 3)
		number := func(id int64, n int) {
			t.Helper()
			if _, err := s.CorrectPerson(ctx, register.Scope{}, id, register.Person{Phone: phoneOf(n)}, at); err != nil {
				t.Fatal(err)
			}
		}
		number(2, 20)
		number(4, 2) // whoever has it now
		arrives := func(code string) {
			t.Helper()
			exec(t, s, `INSERT INTO outbox (id, kind, template_key, phone, phone_idx, params, created_at, expires_at, state)
				VALUES (9, 'verification', 'verify_code', $1, $2, $1, 1, 1, 'accepted') ON CONFLICT (id) DO UPDATE SET state = 'accepted'`,
				[]byte{1}, phoneIdx(s, phoneOf(1)))
			err := s.write(ctx, "a code's receipt", func(tx *tx) error {
				v, err := tx.applyToNotice(9, report("", phoneOf(1), code), at)
				if v != verdictApplied {
					t.Errorf("%c", v)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		arrives(notify.InBlack)
		arrives("MOBILE_NOT_ON_SERVICE")
		playedTo(t, s, map[string]int64{"accepted": 1, "failed": 3})
		arrives("DELIVERED")
		exec(t, s, `INSERT INTO outbox (id, kind, template_key, phone, phone_idx, params, created_at, expires_at, state, settled_at)
			VALUES (10, 'reply', 'answer', $1, $2, $1, 1, 1, 'accepted', $3)`, []byte{1}, phoneIdx(s, phoneOf(1)), toMicros(at.Add(-time.Hour)))
		if err := s.write(ctx, "late word of texts before it", func(tx *tx) error {
			if v, err := tx.applyToNotice(10, report("", phoneOf(1), notify.InBlack), at.Add(time.Minute)); v != verdictApplied || err != nil {
				t.Errorf("%c %v", v, err)
			}
			return tx.blacklist([][]byte{phoneIdx(s, phoneOf(1))}, toMicros(at.Add(-time.Hour)))
		}); err != nil {
			t.Fatal(err)
		}
		_, texts := playedTo(t, s, map[string]int64{"accepted": 2, "failed": 2})
		if diff := cmp.Diff(map[register.Phone]int{phoneOf(1): 1, phoneOf(20): 1}, texts); diff != "" {
			t.Error(diff)
		}
		purged(t, s, at.Add(179*aDay))
		playedTo(t, s, map[string]int64{"accepted": 2, "failed": 2})
		purged(t, s, at.Add(181*aDay))
		playedTo(t, s, map[string]int64{"accepted": 4})
	})
}
