package store

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// asked is a person who wrote by WeChat and handed over; their window is open.
func asked(t *testing.T, s *Store, words string) (item int64) {
	t.Helper()
	inTurn(t, s, turn.WeChat, "o-1", func(tx *turnTx) error {
		tx.who.Window = turn.MessageWindow
		o, err := tx.Open()
		if err != nil {
			return err
		}
		if err := tx.Bind(1); err != nil {
			return err
		}
		if item, err = tx.HandOver(register.Handover{Topic: "general", Words: words, PersonID: 1, Region: "441802103201"}); err != nil {
			return err
		}
		o.Contact.Follows = true
		return tx.Close(turn.Closing{Contact: o.Contact, Reply: []byte("r"), Expires: time.Now().Add(time.Hour)})
	})
	return item
}

var anywhere = register.Scope{}

func answerOf(text string) register.InboxAnswer {
	return register.InboxAnswer{By: "chen", At: time.Now(), Text: text, Office: "12345"}
}

// answered answers an item, and gives what is to be rung for.
func answered(t *testing.T, s *Store, item int64, text string) (letter, hint int64) {
	t.Helper()
	letter, hint, err := s.AnswerInbox(t.Context(), anywhere, item, answerOf(text))
	if err != nil {
		t.Fatal(err)
	}
	return letter, hint
}

func sentOfItem(t *testing.T, s *Store, item int64) register.InboxSent {
	t.Helper()
	found, err := s.InboxItem(t.Context(), anywhere, item)
	if err != nil {
		t.Fatal(err)
	}
	return found.Sent
}

func shutWindow(t *testing.T, s *Store) {
	t.Helper()
	exec(t, s, `UPDATE contacts SET customer_until = 1, click_until = 1`)
}

// writes lets the person write, and gives the answers that went with the reply.
func writes(t *testing.T, s *Store) (given []string) {
	t.Helper()
	inTurn(t, s, turn.WeChat, "o-1", func(tx *turnTx) error {
		o, err := tx.Open()
		if err != nil {
			return err
		}
		given = nil
		c := turn.Closing{Contact: o.Contact, Reply: []byte("r"), Expires: time.Now().Add(time.Hour)}
		for _, l := range o.Letters {
			given, c.Given = append(given, l.Text), append(c.Given, l.ID)
		}
		return tx.Close(c)
	})
	return given
}

func TestAnAnswerGoesAtOnceWhileTheWindowIsOpenAndOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		item := asked(t, s, "想问报销")
		found, err := s.InboxItem(t.Context(), anywhere, item)
		if err != nil || !found.Way.Open() || found.Way.Left != 5 || found.Way.Phone != phoneOf(0) {
			t.Fatalf("%+v, %v", found.Way, err)
		}
		letter, hint := answered(t, s, item, "带身份证来镇里")
		if letter == 0 || hint != 0 || sentOfItem(t, s, item).Letter != string(notify.LetterQueued) {
			t.Fatalf("letter %d, hint %d, %+v", letter, hint, sentOfItem(t, s, item))
		}
		if err := s.LetterWaits(t.Context(), letter); err != nil {
			t.Error(err)
		}
		l, err := s.ClaimLetter(t.Context(), letter, time.Minute)
		if err != nil || l.OpenID != "o-1" || l.Text != "带身份证来镇里" || l.Tries != 1 {
			t.Fatalf("%+v, %v", l, err)
		}
		if n := count(t, s, `SELECT customer_left FROM contacts`); n != 4 {
			t.Errorf("%d messages are left", n)
		}
		if _, err := s.ClaimLetter(t.Context(), letter, time.Minute); !errors.Is(err, notify.ErrNoLetter) {
			t.Errorf("claimed twice: %v", err)
		}
		if err := s.LetterWaits(t.Context(), letter); !errors.Is(err, notify.ErrNoLetter) {
			t.Errorf("one that is on its way waits: %v", err)
		}
		if given := writes(t, s); len(given) != 0 {
			t.Errorf("what is on its way is said again: %v", given)
		}
		if err := s.SettleLetter(t.Context(), letter, notify.LetterEnd{State: notify.LetterAccepted, Code: "0"}); err != nil {
			t.Fatal(err)
		}
		if given := writes(t, s); len(given) != 0 {
			t.Errorf("what was said is said again: %v", given)
		}
	})
}

func TestAnAnswerIsKeptWhereTheWindowIsShutAndGivenOnceWhenTheyWrite(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		first, second := asked(t, s, "一"), asked(t, s, "二")
		letter, _ := answered(t, s, first, "答一")
		shutWindow(t, s)
		if ring, hint := answered(t, s, second, "答二"); ring != 0 || hint == 0 {
			t.Fatalf("letter %d, hint %d", ring, hint)
		}
		// The first was to go at once; its window shut before a worker came to it.
		if _, err := s.ClaimLetter(t.Context(), letter, time.Minute); !errors.Is(err, notify.ErrNoLetter) {
			t.Fatal(err)
		}
		for _, item := range []int64{first, second} {
			if got := sentOfItem(t, s, item); got.Letter != string(notify.LetterKept) || got.Hint != string(notify.NoticeQueued) {
				t.Errorf("item %d: %+v", item, got)
			}
		}
		n, err := s.ClaimNotice(t.Context(), 1, "out", time.Minute)
		if err != nil || n.TemplateKey != turn.AnswerWaits || n.Params["phone"] != "12345" || n.Phone != phoneOf(0) {
			t.Errorf("%+v, %v", n, err)
		}
		if given := writes(t, s); len(given) != 2 || given[0] != "答一" || given[1] != "答二" {
			t.Fatalf("%v", given)
		}
		if given := writes(t, s); len(given) != 0 {
			t.Errorf("given twice: %v", given)
		}
		if got := sentOfItem(t, s, first).Letter; got != string(notify.LetterGiven) {
			t.Error(got)
		}
	})
}

func TestNoNumberInDoubtIsToldThatAnAnswerWaits(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		before, open, shut := asked(t, s, "一"), asked(t, s, "二"), asked(t, s, "三")
		var bySMS int64
		inTurn(t, s, turn.SMS, string(phoneOf(0)), func(tx *turnTx) error {
			o, err := tx.Open()
			if err != nil {
				return err
			}
			if bySMS, err = tx.HandOver(register.Handover{Topic: "general", Words: "四", PersonID: 1, Region: "441802103201"}); err != nil {
				return err
			}
			return tx.Close(turn.Closing{Contact: o.Contact, Reply: []byte("r"), Expires: time.Now().Add(time.Hour)})
		})
		letter, _ := answered(t, s, open, "答二") // goes at once, but its window shuts before
		shutWindow(t, s)
		_, early := answered(t, s, before, "答一") // waits for the morning
		if early == 0 {
			t.Fatal("nobody is told")
		}
		inTurn(t, s, turn.SMS, string(phoneOf(0)), func(tx *turnTx) error { return tx.DoubtPhone() })
		if _, err := s.ClaimLetter(t.Context(), letter, time.Minute); !errors.Is(err, notify.ErrNoLetter) {
			t.Fatal(err)
		}
		for _, item := range []int64{shut, bySMS} {
			if found, err := s.InboxItem(t.Context(), anywhere, item); err != nil || found.Way.Phone != "" {
				t.Errorf("item %d would be announced: %+v, %v", item, found.Way, err)
			}
			if _, hint := answered(t, s, item, "答"); hint != 0 {
				t.Errorf("item %d is announced", item)
			}
		}
		if _, err := s.ClaimNotice(t.Context(), early, "out", time.Minute); !errors.Is(err, notify.ErrNoNotice) {
			t.Errorf("what waited goes to a number that is in doubt by now: %v", err)
		}
		want := map[int64]register.InboxSent{
			before: {Letter: string(notify.LetterKept), Hint: string(notify.NoticeExpired)},
			open:   {Letter: string(notify.LetterKept)}, shut: {Letter: string(notify.LetterKept)}, bySMS: {Letter: string(notify.LetterKept)},
		}
		for item, w := range want {
			if got := sentOfItem(t, s, item); got.Letter != w.Letter || got.Hint != w.Hint {
				t.Errorf("item %d: %+v, want %+v", item, got, w)
			}
		}
		if n := count(t, s, `SELECT COUNT(*) FROM wishes WHERE hint_id <> 0`); n != 1 {
			t.Errorf("%d are recorded as announced", n)
		}
		if given := writes(t, s); len(given) != 4 {
			t.Errorf("what waits is %v", given)
		}
	})
}

func TestALetterOfADeadWorkerIsUnconfirmedAndNeverSaidAgain(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		item := asked(t, s, "一")
		letter, _ := answered(t, s, item, "答一")
		if _, err := s.ClaimLetter(t.Context(), letter, -time.Second); err != nil {
			t.Fatal(err)
		}
		if ids, err := s.WaitingLetters(t.Context(), 10); err != nil || len(ids) != 0 {
			t.Fatalf("%v wait, %v", ids, err)
		}
		if got := sentOfItem(t, s, item).Letter; got != string(notify.LetterUnconfirmed) {
			t.Error(got)
		}
		if given := writes(t, s); len(given) != 0 {
			t.Errorf("said a second time: %v", given)
		}
		for _, to := range notify.LetterStates() {
			if err := s.SettleLetter(t.Context(), letter, notify.LetterEnd{State: to}); !errors.Is(err, notify.ErrNoLetter) {
				t.Errorf("to %s: %v", to, err)
			}
		}
	})
}

func TestEveryMoveOfALetterIsTheLifesOrRefused(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		letter, _ := answered(t, s, asked(t, s, "一"), "答一")
		for _, from := range notify.LetterStates() {
			for _, to := range notify.LetterStates() {
				exec(t, s, `UPDATE letters SET state = $1`, string(from))
				allowed := false
				for _, f := range to.From() {
					allowed = allowed || f == from && to != notify.LetterSending && to != notify.LetterGiven
				}
				err := s.SettleLetter(t.Context(), letter, notify.LetterEnd{State: to})
				if allowed && err != nil || !allowed && !errors.Is(err, notify.ErrNoLetter) {
					t.Errorf("%s to %s: %v", from, to, err)
				}
			}
		}
	})
}

func TestAWorkerSaysWhatWaitsAndKeepsWhatWeChatRefuses(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		answers := map[string]notify.Answer{
			string(notify.LetterAccepted):    {Outcome: notify.Accepted, Code: "0"},
			string(notify.LetterKept):        {Outcome: notify.Refused, Verdict: notify.ChannelClosed, Code: "45015"},
			string(notify.LetterUnconfirmed): {Outcome: notify.Unknown},
			string(notify.LetterFailed):      {Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: "43004"},
		}
		said := make(chan string, 1)
		for want, answer := range answers {
			p := &platform{answer: func(call notify.Outgoing, _ int) (notify.Answer, bool) {
				if m := call.Members[0]; m.OpenID != "o-1" || m.Route != notify.CustomerMessage {
					t.Errorf("%+v", m)
				}
				said <- call.Members[0].Text
				return answer, false
			}}
			item := asked(t, s, want)
			answered(t, s, item, "答"+want)
			w := startWorker(t, s, p, quickRules(), miniredis.RunT(t).Addr()) // nobody rang: the sweeper does
			if text := <-said; text != "答"+want {
				t.Errorf("said %q", text)
			}
			w.Shutdown()
			if got := sentOfItem(t, s, item); got.Letter != want {
				t.Errorf("%+v, want %s", got, want)
			}
		}
		if given := writes(t, s); len(given) != 1 || given[0] != "答kept" {
			t.Errorf("%v", given)
		}
	})
}

func TestAnAnswerToWhoNeverWroteByWeChatIsToldOfBySMS(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		var item int64
		inTurn(t, s, turn.SMS, string(phoneOf(0)), func(tx *turnTx) (err error) {
			if _, err = tx.Open(); err != nil {
				return err
			}
			item, err = tx.HandOver(register.Handover{Topic: "general", Words: "电话里问的", PersonID: 1, Region: "441802103201"})
			return err
		})
		if ring, hint := answered(t, s, item, "答"); ring != 0 || hint == 0 {
			t.Fatalf("letter %d, hint %d", ring, hint)
		}
		if got := sentOfItem(t, s, item); got.Letter != "" || got.Hint != string(notify.NoticeQueued) {
			t.Errorf("%+v", got)
		}
	})
}

func TestAProxysAnswerIsNoMatterForThePersonsOwnTelephone(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(1)...)
		item := asked(t, s, "帮妈妈问")
		exec(t, s, `UPDATE bindings SET relation = 'child' WHERE openid_idx = $1 AND until = 0`, s.keys.Index("openid", "o-1"))
		shutWindow(t, s)
		if _, hint := answered(t, s, item, "答"); hint != 0 {
			t.Error("the person's telephone is told of a matter that somebody else asked about")
		}
		if got := sentOfItem(t, s, item).Letter; got != string(notify.LetterKept) {
			t.Error(got)
		}
	})
}

func TestWhatIsPassedOnLeavesTheTownshipsDeskAndTheCountyAnswers(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		putOnFile(t, s, crowd(1)...)
		item := asked(t, s, "镇里办不了")
		town, county, other := register.Scope{Prefix: "441802103"}, register.Scope{Prefix: "441802"}, register.Scope{Prefix: "441881"}
		pass := register.InboxEnd{By: "wang", At: time.Now(), Note: "要县里查"}
		if err := s.SettleInbox(ctx, other, item, pass); !errors.Is(err, register.ErrNotFound) {
			t.Fatal(err)
		}
		if err := s.SettleInbox(ctx, town, item, pass); err != nil {
			t.Fatal(err)
		}
		list := func(scope register.Scope, state register.InboxState) int {
			t.Helper()
			got, err := s.ListInbox(ctx, scope, register.InboxQuery{State: state, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return len(got)
		}
		if list(town, register.InboxOpen) != 0 || list(town, register.InboxPassed) != 1 || list(county, register.InboxOpen) != 1 || list(county, register.InboxPassed) != 0 {
			t.Error("it is not on the county's desk, or not seen as passed on")
		}
		got, err := s.InboxItem(ctx, town, item)
		if err != nil || got.PassedTo != "441802000000" || got.PassedBy != "wang" || got.Note != "要县里查" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, _, err := s.AnswerInbox(ctx, town, item, answerOf("x")); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("the township still answers it: %v", err)
		}
		if err := s.SettleInbox(ctx, county, item, pass); !errors.Is(err, ErrConflict) {
			t.Errorf("passed on twice: %v", err)
		}
		if _, _, err := s.AnswerInbox(ctx, county, item, answerOf("查到了")); err != nil {
			t.Error(err)
		}
	})
}
