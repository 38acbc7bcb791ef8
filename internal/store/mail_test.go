package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// Conversations ask for turn.Mail of whatever store they have.
var _ turn.Mail = (*turnTx)(nil)

// inTurn does something in a turn of a person or a phone.
func inTurn(t *testing.T, s *Store, channel turn.Channel, who string, do func(tx *turnTx) error) {
	t.Helper()
	w := turn.Who{Channel: channel, ID: who, Key: who + time.Now().String(), At: time.Now()}
	if err := s.Turn(context.Background(), w, func(tx turn.Tx) error { return do(tx.(*turnTx)) }); err != nil {
		t.Fatal(err)
	}
}

func TestWhoWantsNoneOfAKindIsSkippedForThatKindAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(2), household: "b"}, villager{id: 3, phone: phoneOf(3), household: "c"})
		inTurn(t, s, turn.WeChat, "o-1", func(tx *turnTx) error { return tx.Mute(1, string(notify.PremiumReminder)) })
		inTurn(t, s, turn.SMS, string(phoneOf(2)), func(tx *turnTx) error { return tx.Mute(2, string(notify.PremiumReminder)) })
		p := &platform{}
		st := play(t, s, p, approved(t, s, nil), quickRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 1, "opted_out": 2})
		other := play(t, s, p, approved(t, s, func(spec *notify.Spec) { spec.Kind = notify.PolicyGuidance }), quickRules(), finished)
		wantCounts(t, other, map[string]int64{"accepted": 3})
		inTurn(t, s, turn.SMS, string(phoneOf(2)), func(tx *turnTx) error {
			kinds, err := tx.Muted(2)
			if len(kinds) != 1 || kinds[0] != string(notify.PremiumReminder) {
				t.Errorf("%v", kinds)
			}
			if err == nil {
				err = tx.Unmute(2, kinds[0])
			}
			return err
		})
		st = play(t, s, p, approved(t, s, nil), quickRules(), finished)
		wantCounts(t, st, map[string]int64{"accepted": 2, "opted_out": 1})
	})
}

func TestANumberThatWantsNoneOfAKindStaysSoWhoeverGetsIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(2), household: "b"})
		inTurn(t, s, turn.SMS, string(phoneOf(9)), func(tx *turnTx) error { return tx.Mute(0, string(notify.PremiumReminder)) })
		p := &platform{}
		wantCounts(t, play(t, s, p, approved(t, s, nil), quickRules(), finished), map[string]int64{"accepted": 2})
		if _, err := s.CorrectPerson(t.Context(), register.Scope{}, 2, register.Person{Phone: phoneOf(9)}, time.Now()); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, play(t, s, p, approved(t, s, nil), quickRules(), finished), map[string]int64{"accepted": 1, "opted_out": 1})
	})
}

func TestWhoMutesAKindAfterThePlanIsSkippedAtTheLastMoment(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(2), household: "b"})
		id := approved(t, s, nil)
		dispatched(t, s, id, notify.SMS)
		inTurn(t, s, turn.WeChat, "o-1", func(tx *turnTx) error { return tx.Mute(1, string(notify.PremiumReminder)) })
		p := &platform{}
		wantCounts(t, play(t, s, p, id, quickRules(), finished), map[string]int64{"accepted": 1, "opted_out": 1})
		onceEach(t, p, 1)
	})
}

func TestWhatWasSentIsFoundByThePhoneItWentToWithItsCodeAndItsCourse(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(2), household: "b"})
		sheetsOnFile(t, s, map[register.Kind]string{
			register.KindCourses: "培训名称,培训机构,地点,开班日期,名额\n月嫂班,云岭技校,洲心,2099-01-01,20\n电工班,云岭技校,洲心,2099-01-02,20\n",
		})
		p := &platform{}
		play(t, s, p, approved(t, s, nil), quickRules(), finished)
		invited := approved(t, s, func(spec *notify.Spec) {
			spec.Kind, spec.Name, spec.Params = notify.TrainingInvitation, "电工班开班", map[string]string{"course": "电工班"}
		})
		play(t, s, p, invited, quickRules(), finished)
		inTurn(t, s, turn.SMS, string(phoneOf(2)), func(tx *turnTx) error {
			list, err := tx.Sent(time.Now().Add(-time.Hour))
			if err != nil || len(list) != 2 {
				t.Fatalf("%+v, %v", list, err)
			}
			first := list[0]
			if first.CampaignID != invited || first.PersonID != 2 || first.CourseID != 2 || first.JobID != 0 || first.Name != "电工班开班" ||
				first.Check != notify.CheckCode(s, invited, 2) || first.Content == "" || list[1].CourseID != 0 {
				t.Errorf("%+v", list)
			}
			return nil
		})
		inTurn(t, s, turn.WeChat, "o-1", func(tx *turnTx) error {
			list, err := tx.Sent(time.Now().Add(-time.Hour), 1)
			if len(list) != 2 || list[0].PersonID != 1 {
				t.Errorf("%+v", list)
			}
			none, noneErr := tx.Sent(time.Now().Add(-time.Hour))
			late, lateErr := tx.Sent(time.Now().Add(time.Hour), 1)
			if len(none) != 0 || len(late) != 0 || noneErr != nil || lateErr != nil {
				t.Errorf("%v %v %v %v", none, noneErr, late, lateErr)
			}
			return err
		})
	})
}

func TestATextThatOneOfTheHouseholdCarriedIsFoundByTheOthersOnWeChat(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		one, other := phoneOf(1), phoneOf(4)
		putOnFile(t, s, villager{id: 1, phone: one, household: "a"}, villager{id: 2, phone: one, household: "a"},
			villager{id: 3, phone: one, household: "b"}, villager{id: 4, phone: other, household: "a"})
		play(t, s, &platform{}, approved(t, s, nil), quickRules(), finished)
		heard := func(id int64) (of []int64) {
			inTurn(t, s, turn.WeChat, "o-1", func(tx *turnTx) error {
				list, err := tx.Sent(time.Now().Add(-time.Hour), id)
				for _, sent := range list {
					of = append(of, sent.PersonID)
				}
				return err
			})
			return of
		}
		carrier := heard(1)
		if len(carrier) != 1 || !slices.Equal(carrier, heard(2)) {
			t.Errorf("one household and one phone hear %v and %v", carrier, heard(2))
		}
		if got := heard(3); !slices.Equal(got, []int64{3}) {
			t.Errorf("another household on that phone hears %v", got)
		}
		if got := heard(4); !slices.Equal(got, []int64{4}) {
			t.Errorf("another phone of the household hears %v", got)
		}
		inTurn(t, s, turn.SMS, string(one), func(tx *turnTx) error { return tx.DoubtPhone() })
		if len(heard(1))+len(heard(2)) != 1 {
			t.Errorf("a number that may have passed on still holds the household together: %v and %v", heard(1), heard(2))
		}
	})
}

func TestElderModeIsKept(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		for i, want := range []bool{false, true} {
			inTurn(t, s, turn.WeChat, "o-1", func(tx *turnTx) error {
				o, err := tx.Open()
				if err != nil || o.Contact.Elder != want {
					t.Fatalf("%d: %+v, %v", i, o.Contact, err)
				}
				o.Contact.Elder, o.Contact.Follows = true, true
				return tx.Close(turn.Closing{Contact: o.Contact, Reply: []byte("r")})
			})
		}
		for who, want := range map[register.OpenID]bool{"o-1": true, "o-nobody": false} {
			if elder, err := s.Elder(context.Background(), who); err != nil || elder != want {
				t.Errorf("%s: %v, %v", who, elder, err)
			}
		}
	})
}

func TestWhatWasSentIsToldAgainWithEveryVariableFilledUntilItChangesOnFile(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, name: "李秀英", phone: phoneOf(1), household: "a"}, villager{id: 2, name: "黄水生", phone: phoneOf(2), household: "b"})
		exec(t, s, `INSERT INTO premiums (person_id, insurance, year, due_fen, self_fen, subsidy_fen, deadline, state, paid_on, hand_fields, updated_at)
			VALUES (1, 'medical', 2027, 43050, -1, -1, '2099-12-31', 'unpaid', '', '', 1), (2, 'medical', 2027, 21000, -1, -1, '2099-12-31', 'unpaid', '', '', 1)`)
		template := notify.Template{Key: "due", Kind: notify.PremiumReminder, SMS: &notify.SMSTemplate{
			Code: "SMS_1", Type: notify.SMSNotification, Content: "${name}您好，要缴${amount}元，${day}前。查验码${check}。",
			Params: map[string]string{"name": "{{.Person.ShortName}}", "amount": "{{.Due.Amount}}", "day": "{{.Params.day}}", "check": "{{.Check}}"},
		}}
		anyHour := ""
		id := approvedWith(t, s, notify.Spec{
			Name: "缴费提醒", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.SMS}, Template: "due",
			Window: &anyHour, Params: map[string]string{"day": "12月31日"},
		}, template)
		play(t, s, &platform{}, id, quickRules(), finished)
		sent := func(person int64) (v register.Sent) {
			inTurn(t, s, turn.SMS, string(phoneOf(int(person))), func(tx *turnTx) error {
				list, err := tx.Sent(time.Now().Add(-time.Hour))
				if err != nil || len(list) != 1 {
					t.Fatalf("%+v, %v", list, err)
				}
				v = list[0]
				return nil
			})
			return v
		}
		for person, want := range map[int64]string{1: "李秀英您好，要缴430.50元，12月31日前。查验码", 2: "黄水生您好，要缴210元，12月31日前。查验码"} {
			v := sent(person)
			if want += notify.CheckCode(s, id, person) + "。"; len(v.Texts) != 1 || v.Texts[0] != want || v.Changed {
				t.Errorf("%q, changed %v; want %q", v.Texts, v.Changed, want)
			}
		}
		exec(t, s, `UPDATE premiums SET due_fen = 50000, updated_at = $1 WHERE person_id = 1`, toMicros(time.Now()))
		exec(t, s, `UPDATE premiums SET state = 'paid', updated_at = $1 WHERE person_id = 2`, toMicros(time.Now()))
		if v := sent(1); !v.Changed {
			t.Errorf("a new amount goes unnoticed: %+v", v.Changed)
		}
		if v := sent(2); !v.Changed || len(v.Texts) != 0 {
			t.Errorf("a premium paid since: %d texts, changed %v", len(v.Texts), v.Changed)
		}
	})
}
