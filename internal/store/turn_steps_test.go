package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

func signUp(course, person int64) func(turn.Tx) (register.SignUp, error) {
	return func(tx turn.Tx) (register.SignUp, error) { return tx.SignUp(course, person) }
}

func leave(course, person int64) func(turn.Tx) (register.SignUpState, error) {
	return func(tx turn.Tx) (register.SignUpState, error) { return tx.LeaveCourse(course, person) }
}

func TestPlacesAreLimitedAndWhoWaitedLongestMovesUp(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		var got []string
		for person := int64(1); person <= 4; person++ { // the course has two places
			v, err := both(t, h, fmt.Sprint("o-", person), signUp(1, person))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(v.State, v.Ahead))
		}
		if d := cmp.Diff([]string{"signed_up0", "signed_up0", "waiting0", "waiting1"}, got); d != "" {
			t.Fatal(d)
		}
		if again, _ := both(t, h, "o-4", signUp(1, 4)); !again.Already || again.Ahead != 1 {
			t.Fatalf("%+v", again)
		}
		if was, _ := both(t, h, "o-1", leave(1, 1)); was != register.SignUpTaken {
			t.Fatal(was)
		}
		if v, _ := both(t, h, "o-3", signUp(1, 3)); v.State != register.SignUpTaken || !v.Already {
			t.Fatalf("who waited longest did not move up: %+v", v)
		}
		if back, _ := both(t, h, "o-1", signUp(1, 1)); back.State != register.SignUpWaiting || back.Ahead != 1 {
			t.Fatalf("who left and comes back waits behind the others: %+v", back)
		}
		if was, _ := both(t, h, "o-4", leave(1, 4)); was != register.SignUpWaiting {
			t.Fatal(was)
		}
		if v, _ := both(t, h, "o-1", signUp(1, 1)); v.State != register.SignUpWaiting || v.Ahead != 0 {
			t.Fatalf("a place in the waiting list frees none: %+v", v)
		}
		if was, _ := both(t, h, "o-4", leave(1, 4)); was != "" {
			t.Fatal(was)
		}
		for _, gone := range []int64{4, 99} { // has begun, is none
			if _, err := both(t, h, "o-1", signUp(gone, 1)); !errors.Is(err, register.ErrNotFound) {
				t.Errorf("course %d: %v", gone, err)
			}
		}
		for range 2 {
			_, _ = both(t, h, "o-1", func(tx turn.Tx) (bool, error) {
				v, err := tx.WishCourse(1, "月嫂")
				return v.Already, err
			})
		}
		list, _ := both(t, h, "o-1", func(tx turn.Tx) ([]register.SignUp, error) {
			list, err := tx.SignUps(1)
			for i := range list {
				list[i].ID = 0 // the database leaves gaps
			}
			return list, err
		})
		if len(list) != 2 || list[0].Trade != "月嫂" || list[1].Course.Name != "车工订单班" {
			t.Fatalf("%+v", list)
		}
		offer, _ := both(t, h, "o-1", func(tx turn.Tx) (register.CourseOffer, error) { return tx.Course(1) })
		if offer.Taken != 2 || offer.Waiting != 1 || offer.Left() != 0 {
			t.Fatalf("%+v", offer)
		}
	})
}

func TestOfManyAtOnceOnlyAsManyGetAPlaceAsThereAre(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		var all sync.WaitGroup
		var mu sync.Mutex
		states := map[register.SignUpState]int{}
		for person := int64(1); person <= 4; person++ {
			all.Go(func() {
				who := turn.Who{Channel: turn.WeChat, ID: fmt.Sprint("o-", person), Key: fmt.Sprint("race ", person), At: h.at}
				err := s.Turn(context.Background(), who, func(tx turn.Tx) error {
					v, err := tx.SignUp(3, person) // one place
					mu.Lock()
					defer mu.Unlock()
					states[v.State]++
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if states[register.SignUpTaken] != 1 || states[register.SignUpWaiting] != 3 {
			t.Fatal(states)
		}
	})
}

// newsOfPlace is what a person who moved up is told.
func newsOfPlace(m register.MovedUp, at time.Time) turn.Message {
	return turn.Message{Kind: turn.Reply, Template: "reply_moved_up", Phone: m.Phone, PersonID: m.PersonID, At: at, Expires: at.Add(time.Hour), Params: map[string]string{"date": m.Course.StartsOn}}
}

func TestNewsOfAPlaceThatWaitsIsDroppedWhereItsNumberComesIntoDoubtAndAnAnswerToWhoWritesGoes(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(2)...)
		var news [2]int64
		var reply int64
		inTurn(t, s, turn.SMS, string(phoneOf(0)), func(tx *turnTx) (err error) {
			for n := range news {
				m := newsOfPlace(register.MovedUp{PersonID: int64(n + 1), Phone: phoneOf(n)}, time.Now())
				if news[n], err = tx.Queue(m); err != nil {
					return err
				}
			}
			reply, err = tx.Queue(turn.Message{Kind: turn.Reply, Template: "reply_office", Phone: phoneOf(0), PersonID: 1, At: time.Now(), Expires: time.Now().Add(time.Hour)})
			return err
		})
		doubtNumber(t, s, phoneOf(0), 0)
		for id, goes := range map[int64]bool{news[0]: false, news[1]: true, reply: true} {
			if _, err := s.ClaimNotice(t.Context(), id, fmt.Sprint("out", id), time.Minute); (err == nil) != goes {
				t.Errorf("notice %d: %v", id, err)
			}
		}
	})
}

func TestWhoMovesUpBecauseSomebodyLeftIsToldByTheTellerAndAtANumberInDoubtNotAtAll(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		for person := int64(1); person <= 4; person++ { // the course has two places
			if _, err := both(t, h, fmt.Sprint("o-", person), signUp(1, person)); err != nil {
				t.Fatal(err)
			}
		}
		doubtNumber(t, s, "13800001002", 3)
		for person := int64(1); person <= 2; person++ {
			if _, err := both(t, h, fmt.Sprint("o-", person), leave(1, person)); err != nil {
				t.Fatal(err)
			}
		}
		if waiting, err := s.WaitingNotices(t.Context(), 10); err != nil || len(waiting) != 0 {
			t.Errorf("told with the turn of who left, whatever the hour: %v, %v", waiting, err)
		}
		wantTold := func(want int, people ...int64) {
			t.Helper()
			if told, err := s.TellMovedUp(t.Context(), "2026-11-23", 10, newsOfPlace); err != nil || told != want {
				t.Errorf("%d are told: %v", told, err)
			}
			err := s.read(t.Context(), "test", func(tx *tx) error {
				heard, err := tx.idsOf(`SELECT person_id FROM signups WHERE course_id = 1 AND state = 'signed_up' AND told_at > 0 ORDER BY person_id`)
				if err != nil {
					return err
				}
				texts, err := tx.idsOf(`SELECT person_id FROM outbox ORDER BY person_id`)
				if d := cmp.Diff(people, heard) + cmp.Diff(people, texts); d != "" {
					t.Error(d)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		wantTold(1, 4)
		wantTold(0, 4)
		if err := s.TrustPhone(t.Context(), register.Scope{}, 3, by(h.at, staff.DidTrustPhone)); err != nil {
			t.Fatal(err)
		}
		wantTold(1, 3, 4) // it is theirs, and the course is still to come
	})
}

func TestWhoMovesUpBecauseAnImportAddedPlacesIsToldOnceWhateverIsKilled(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		for person := int64(1); person <= 4; person++ {
			if _, err := both(t, h, "o-1", signUp(3, person)); err != nil {
				t.Fatal(err)
			}
		}
		sheet := "培训名称,培训机构,地点,开班日期,名额\n粤菜师傅,云岭技校,洲心街道,2026-12-01,3\n"
		sheetsOnFile(t, s, map[register.Kind]string{register.KindCourses: sheet})
		if told, err := s.TellMovedUp(t.Context(), "2026-12-02", 10, newsOfPlace); err != nil || told != 0 { // the course has begun: the news is worth nothing
			t.Fatalf("%d, %v", told, err)
		}
		// Killed in the middle: nothing is written, and nothing forgotten.
		dying, die := context.WithCancel(t.Context())
		if told, err := s.TellMovedUp(dying, "2026-11-23", 10, func(m register.MovedUp, at time.Time) turn.Message { die(); return newsOfPlace(m, at) }); err == nil || told != 0 {
			t.Fatalf("%d, %v", told, err)
		}
		var all sync.WaitGroup
		var sum atomic.Int64
		for range 4 {
			all.Go(func() {
				told, err := s.TellMovedUp(context.Background(), "2026-11-23", 1, newsOfPlace)
				if err != nil {
					t.Error(err)
				}
				sum.Add(int64(told))
			})
		}
		all.Wait()
		for range 3 {
			told, err := s.TellMovedUp(t.Context(), "2026-11-23", 10, newsOfPlace)
			if err != nil {
				t.Fatal(err)
			}
			sum.Add(int64(told))
		}
		waiting, err := s.WaitingNotices(t.Context(), 10)
		if err != nil || len(waiting) != 2 || sum.Load() != 2 {
			t.Fatalf("%d messages wait, %d were told: %v", len(waiting), sum.Load(), err)
		}
		people := map[int64]string{}
		for _, id := range waiting {
			n, err := s.ClaimNotice(t.Context(), id, fmt.Sprint("out", id), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			people[n.PersonID] = n.TemplateKey + n.Params["date"]
		}
		if d := cmp.Diff(map[int64]string{2: "reply_moved_up2026-12-01", 3: "reply_moved_up2026-12-01"}, people); d != "" {
			t.Error(d)
		}
		list, err := s.ListSignUps(t.Context(), register.Scope{Prefix: "441802"}, 3)
		if err != nil || len(list) != 4 {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := s.MarkAttended(t.Context(), register.Scope{Prefix: "441802"}, list[0].ID, true, h.at); err != nil {
			t.Fatal(err)
		}
		if err := s.MarkAttended(t.Context(), register.Scope{Prefix: "441823"}, list[0].ID, true, h.at); !errors.Is(err, register.ErrNotFound) {
			t.Fatal(err)
		}
		if err := s.MarkAttended(t.Context(), register.Scope{}, list[3].ID, true, h.at); !errors.Is(err, ErrConflict) {
			t.Fatalf("somebody who waits was there: %v", err)
		}
	})
}

func TestAWishForAPostingReachesTheStaffOfTheTownship(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		for _, want := range []bool{false, true} {
			already, err := both(t, h, "o-1", func(tx turn.Tx) (bool, error) { return tx.WantJob(1, 2) })
			if err != nil || already != want {
				t.Fatalf("%v, %v", already, err)
			}
		}
		if _, err := both(t, h, "o-1", func(tx turn.Tx) (bool, error) { return tx.WantJob(6, 2) }); !errors.Is(err, register.ErrNotFound) {
			t.Fatalf("a posting held for staff: %v", err)
		}
		work, _ := both(t, h, "o-1", func(tx turn.Tx) (register.Work, error) {
			w, err := tx.Work(2)
			for i := range w.Interests { // the fake keeps the whole posting
				w.Interests[i].Job = register.Job{Title: w.Interests[i].Job.Title}
			}
			return w, err
		})
		if len(work.Interests) != 1 || work.Interests[0].Job.Title != "车工" {
			t.Fatalf("%+v", work.Interests)
		}
		ctx, here, there := t.Context(), register.Scope{Prefix: "441802103"}, register.Scope{Prefix: "441823"}
		list, err := s.ListInterests(ctx, here, register.InterestWanted, 0, 10)
		if err != nil || len(list) != 1 || list[0].PersonID != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		if list, err := s.ListInterests(ctx, there, register.InterestWanted, 0, 10); err != nil || len(list) != 0 {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := s.SettleInterest(ctx, there, list[0].ID, register.InterestTold, h.at); !errors.Is(err, register.ErrNotFound) {
			t.Fatal(err)
		}
		for _, state := range []register.InterestState{register.InterestTold, register.InterestDeclined} {
			if err := s.SettleInterest(ctx, here, list[0].ID, state, h.at); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.SettleInterest(ctx, here, list[0].ID, register.InterestPlaced, h.at); !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
	})
}

func TestWhatAPersonSaysOfThemselvesIsKeptAgainstTheNextSheet(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		fill := func(told register.Told) bool {
			t.Helper()
			changed, err := both(t, h, "o-1", func(tx turn.Tx) (bool, error) { return tx.FillWishes(2, told) })
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
		told := register.Told{WantsWork: register.Yes, WantsTraining: register.No, Language: "白话"}
		if !fill(told) || fill(told) {
			t.Fatal("said twice, it changes something once")
		}
		p, _ := both(t, h, "o-1", func(tx turn.Tx) (register.Person, error) { return tx.Person(2) })
		if p.WantsWork != register.Yes || p.WantsTraining != register.No || p.WantsBusiness != register.Unknown || p.Language != "粤语" || p.Employment != "" {
			t.Fatalf("%+v", p)
		}
		report, err := register.Importer{Kind: register.KindPeople}.Run(t.Context(), strings.NewReader("姓名,身份证号,务工意愿,创业意愿\n甲1,"+string(p.IDNumber)+",否,是\n"), 200, s)
		if err != nil || len(report.Warnings) == 0 || report.Warnings[0].Reason != register.KeptByHand {
			t.Fatalf("%+v, %v", report, err)
		}
		list, err := s.PeopleByID(t.Context(), register.Scope{}, []int64{2})
		if err != nil || list[0].WantsWork != register.Yes || list[0].WantsBusiness != register.Yes {
			t.Fatalf("%+v, %v", list, err)
		}
	})
}

func TestOneApplicationAtATime(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		apply := func(want bool) {
			t.Helper()
			already, err := both(t, h, "o-1", func(tx turn.Tx) (bool, error) {
				return tx.Apply(register.Application{PersonID: 1, Kind: "public_job", Words: "想做保洁", Region: "441802103201"})
			})
			if err != nil || already != want {
				t.Fatalf("%v, %v", already, err)
			}
		}
		apply(false)
		apply(true)
		ctx := t.Context()
		list, err := s.ListApplications(ctx, register.Scope{Prefix: "4418"}, register.ApplicationReceived, 0, 10)
		if err != nil || len(list) != 1 || list[0].Words != "想做保洁" {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, want := range []error{nil, ErrConflict} {
			if err := s.SettleApplication(ctx, register.Scope{}, list[0].ID, register.ApplicationReturned, h.at); !errors.Is(err, want) {
				t.Fatal(err)
			}
		}
		err = s.Turn(ctx, turn.Who{Channel: turn.WeChat, ID: "o-1", Key: "later", At: h.at}, func(tx turn.Tx) error {
			already, err := tx.Apply(register.Application{PersonID: 1, Kind: "public_job"})
			if already {
				t.Error("after a refusal one may apply again")
			}
			mine, listErr := tx.Applications(1)
			if len(mine) != 2 || mine[0].State != register.ApplicationReceived {
				t.Errorf("%+v", mine)
			}
			return errors.Join(err, listErr)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestACheckUpIsAboutTheLatestPlacement(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		for _, person := range []int64{2, 3} {
			_, err := both(t, h, "o-1", func(tx turn.Tx) (int, error) { return 0, tx.CheckUp(person, register.HasLeft, "工资太低") })
			if err != nil {
				t.Fatal(err)
			}
			work, _ := both(t, h, "o-1", func(tx turn.Tx) (register.Work, error) { return tx.Work(person) })
			if len(work.CheckUps) != 1 || work.CheckUps[0].Words != "工资太低" || (work.CheckUps[0].PlacedOn == "2026-08-01") != (person == 2) {
				t.Fatalf("%+v", work)
			}
		}
	})
}

func TestAHandOverComesWithItsLastTurnsAndIsAnsweredOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		ctx, here, there := t.Context(), register.Scope{Prefix: "441802103"}, register.Scope{Prefix: "441823"}
		for i := range 12 {
			who := turn.Who{Channel: turn.WeChat, ID: "o-1", Key: fmt.Sprint("say ", i), At: h.at.Add(time.Duration(i) * time.Minute)}
			err := s.Turn(ctx, who, func(tx turn.Tx) error {
				if _, err := tx.Open(); err != nil {
					return err
				}
				if i == 11 {
					if _, err := tx.HandOver(register.Handover{Topic: "medical", Words: "想问报销", PersonID: 1, Region: "441802103201", Due: h.at.Add(time.Hour)}); err != nil {
						return err
					}
				}
				return tx.Close(turn.Closing{Expires: h.at.Add(time.Hour), Reply: []byte("r"), Transcript: fmt.Appendf(nil, "turn %d", i)})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		list, err := s.ListInbox(ctx, here, register.InboxQuery{State: register.InboxOpen, Limit: 10})
		if err != nil || len(list) != 1 || list[0].Words != "想问报销" || list[0].PersonID != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		item, err := s.InboxItem(ctx, here, list[0].ID)
		if err != nil || len(item.Turns) != 10 || item.Turns[9] != "turn 11" || item.Turns[0] != "turn 2" {
			t.Fatalf("%+v, %v", item, err)
		}
		figures, err := s.InboxFigures(ctx, here, h.at.Add(2*time.Hour))
		if err != nil || figures.Open != 1 || figures.Overdue != 1 || !figures.Oldest.Equal(item.At) {
			t.Fatalf("%+v, %v", figures, err)
		}
		if _, err := s.InboxItem(ctx, there, item.ID); !errors.Is(err, register.ErrNotFound) {
			t.Fatal(err)
		}
		answer := register.InboxAnswer{By: "chen", At: h.at.Add(3 * time.Hour), Text: "带身份证来镇里", Office: "12345"}
		if _, _, err := s.AnswerInbox(ctx, there, item.ID, answer); !errors.Is(err, register.ErrNotFound) {
			t.Fatal(err)
		}
		if _, _, err := s.AnswerInbox(ctx, here, item.ID, answer); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.AnswerInbox(ctx, here, item.ID, answer); !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
		if err := s.SettleInbox(ctx, here, item.ID, register.InboxEnd{By: "li", At: h.at, Outcome: register.OutcomeCalled}); !errors.Is(err, ErrConflict) {
			t.Fatal(err)
		}
		done, err := s.ListInbox(ctx, here, register.InboxQuery{State: register.InboxAnswered, Limit: 10})
		if err != nil || len(done) != 1 || done[0].Answer != "带身份证来镇里" || done[0].AnsweredBy != "chen" {
			t.Fatalf("%+v, %v", done, err)
		}
	})
}

func TestAProxyIsAskedGivenAndEnds(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		ask := func(ends string) int64 {
			t.Helper()
			id, err := both(t, h, "o-son", func(tx turn.Tx) (int64, error) {
				return tx.AskProxy(register.Proxy{PersonID: 1, Relation: "son", Scope: []string{"cover", "jobs"}, EndsOn: ends})
			})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		id := ask("2027-01-01")
		if again := ask("2027-06-30"); again != id {
			t.Fatalf("asked again it is %d, not %d", again, id)
		}
		settle := func(state register.ProxyState) error {
			_, err := both(t, h, "o-mother", func(tx turn.Tx) (int, error) { return 0, tx.SettleProxy(id, state) })
			return err
		}
		if err := settle(register.ProxyGiven); err != nil {
			t.Fatal(err)
		}
		if err := settle(register.ProxyRefused); !errors.Is(err, register.ErrNotFound) {
			t.Fatalf("what was given is refused: %v", err)
		}
		mine, _ := both(t, h, "o-son", func(tx turn.Tx) ([]register.Proxy, error) { return tx.Proxies() })
		if len(mine) != 1 || mine[0].State != register.ProxyGiven || mine[0].EndsOn != "2027-06-30" || mine[0].Name != "甲*" || len(mine[0].Scope) != 2 {
			t.Fatalf("%+v", mine)
		}
		whose, _ := both(t, h, "o-mother", func(tx turn.Tx) ([]register.Proxy, error) { return tx.ProxiesOf(1) })
		if len(whose) != 1 || whose[0].OpenID != "o-son" {
			t.Fatalf("%+v", whose)
		}
		later := h.at
		h.at = time.Date(2027, 7, 2, 0, 0, 0, 0, time.UTC)
		if mine, _ := both(t, h, "o-son", func(tx turn.Tx) ([]register.Proxy, error) { return tx.Proxies() }); len(mine) != 0 {
			t.Fatalf("its time is over: %+v", mine)
		}
		h.at = later
		err := s.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: "o-son", Key: "away", At: h.at}, func(tx turn.Tx) error { return tx.Forget() })
		if err != nil {
			t.Fatal(err)
		}
		err = s.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: "o-mother", Key: "look", At: h.at}, func(tx turn.Tx) error {
			if list, err := tx.ProxiesOf(1); err != nil || len(list) != 0 {
				t.Errorf("who unfollows looks after nobody: %+v, %v", list, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
