package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// asking is an approved campaign that invites everybody to a course.
func asking(t *testing.T, s *Store) int64 {
	t.Helper()
	return approved(t, s, func(spec *notify.Spec) {
		spec.Kind, spec.Params = notify.TrainingInvitation, map[string]string{"course": "电工班"}
	})
}

func codesOf(t *testing.T, s *Store, id int64, pool ...string) []string {
	t.Helper()
	if err := s.TakeReplyCodes(t.Context(), id, pool, time.Now()); err != nil {
		t.Fatal(err)
	}
	c, err := s.FindCampaign(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c.ReplyCodes
}

func TestTwoCampaignsWhoseQuestionsAreOpenNeverShareAnExtensionNumber(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		pool := []string{"91", "92", "93", "94", "95"}
		first, second, third := asking(t, s), asking(t, s), asking(t, s)
		var together sync.WaitGroup
		for range 4 { // workers decide at once, and more than once
			together.Go(func() { _ = s.TakeReplyCodes(t.Context(), first, pool, time.Now()) })
		}
		together.Wait()
		for i, want := range [][]string{{"91", "92"}, {"93", "94"}, {}} {
			if got := codesOf(t, s, []int64{first, second, third}[i], pool...); got == nil || !slices.Equal(got, want) {
				t.Errorf("campaign %d goes out with %q, want %q", i, got, want)
			}
		}
		// Once nobody can answer the first any more its numbers are free; what was decided stays decided.
		exec(t, s, fmt.Sprintf(`UPDATE campaigns SET state = 'finished', updated_at = %d WHERE id = %d`, toMicros(time.Now().Add(-notify.QuestionOpen-time.Hour)), first))
		if got := codesOf(t, s, third, pool...); len(got) != 0 {
			t.Errorf("%q came late", got)
		}
		if got := codesOf(t, s, asking(t, s), pool...); !slices.Equal(got, []string{"95", "91"}) { // one that was never used, and one that has been quiet
			t.Errorf("a number that was never used, and one of what is over: %q", got)
		}
		if got := codesOf(t, s, asking(t, s), "96", "91", "97"); !slices.Equal(got, []string{"96", "97"}) {
			t.Errorf("of a longer list: %q", got)
		}
	})
}

func TestACampaignThatHasBegunGoesOnWithoutExtensionNumbers(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"})
		id := asking(t, s)
		sheetsOnFile(t, s, map[register.Kind]string{register.KindCourses: "培训名称,培训机构,地点,开班日期,名额\n电工班,云岭技校,洲心,2099-01-02,20\n"})
		play(t, s, &platform{}, id, quickRules(), finished)
		if got := codesOf(t, s, id, "91"); got == nil || len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}

func TestWhatWasSentIsNamedByTheExtensionNumberOfItsHouseholdOnTheNumber(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s,
			villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(2), household: "b"}, villager{id: 3, phone: phoneOf(2), household: "c"})
		sheetsOnFile(t, s, map[register.Kind]string{register.KindCourses: "培训名称,培训机构,地点,开班日期,名额\n电工班,云岭技校,洲心,2099-01-02,20\n"})
		rules := quickRules()
		rules.ReplyPool = []string{"90998", "90999"}
		p := &platform{}
		play(t, s, p, asking(t, s), rules, finished)
		for phone, want := range map[int]map[int64]string{1: {1: "90998"}, 2: {2: "90998", 3: "90999"}} {
			inTurn(t, s, turn.SMS, string(phoneOf(phone)), func(tx *turnTx) error {
				list, err := tx.Sent(time.Now().Add(-time.Hour))
				got := map[int64]string{}
				for _, v := range list {
					got[v.PersonID] = v.ReplyCode
				}
				if len(list) != len(want) || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("phone %d: %v, want %v", phone, got, want)
				}
				for code, asked := range map[string]bool{"90998": true, "90999": true, "9099": false, "90997": false, "": false, "%": false} {
					if got, err := tx.Asked(code); err != nil || got != asked {
						t.Errorf("%q was asked by: %v, %v", code, got, err)
					}
				}
				return err
			})
		}
	})
}

func TestAReplyThatIsPushedAgainHasOneKey(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
		r := notify.ReplySMS{Phone: phoneOf(1), Content: "1", SequenceID: "77", At: at}
		other, bare := r, r
		other.Phone, bare.SequenceID = phoneOf(2), ""
		for range 2 {
			if err := s.StoreReplies(t.Context(), []notify.ReplySMS{r, other, bare}, at); err != nil {
				t.Fatal(err)
			}
		}
		list := repliesWaiting(t, s)
		if len(list) != 6 {
			t.Fatalf("%d", len(list))
		}
		keys := map[string]int{}
		for _, l := range list {
			keys[l.Key]++
		}
		if len(keys) != 4 || keys[list[0].Key] != 2 || keys[list[1].Key] != 2 || keys[list[2].Key] != 1 {
			t.Errorf("%v", keys)
		}
	})
}
