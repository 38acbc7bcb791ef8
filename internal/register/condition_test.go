package register

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestAnAudienceIsReadFromACampaignFileAndWrittenBackTheSame(t *testing.T) {
	text := `
all:
  - region: {within: "441802"}
  - age: {gte: 18, lte: 60}
  - medical.paid: {is: false}
  - any:
      - category: {in: [低保户, 五保]}
      - disability.level: {between: [1, 2]}
      - graduated_on: {gte: today-2y}
  - not: {opted_out: {is: true}}
  - wants.work: {known: true}
  - medical.due: {lte: today+30d}
  - medical.due: {is: true}
  - subsidy.state: {is: 已发放}
  - sex: {is: 女}
`
	c, err := ParseCondition([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"all":[{"region":{"within":"441802"}},{"all":[{"age":{"gte":18}},{"age":{"lte":60}}]},{"medical.paid":{"is":false}},` +
		`{"any":[{"category":{"in":["低保","特困"]}},{"disability.level":{"between":[1,2]}},{"graduated_on":{"gte":"today-2y"}}]},` +
		`{"not":{"opted_out":{"is":true}}},{"wants.work":{"known":true}},{"medical.due":{"lte":"today+30d"}},{"medical.due":{"is":true}},` +
		`{"subsidy.state":{"is":"paid_out"}},{"sex":{"is":"female"}}]}`
	if d := cmp.Diff(want, string(asJSON)); d != "" {
		t.Fatal(d)
	}
	asYAML, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, written := range [][]byte{asJSON, asYAML} {
		again, err := ParseCondition(written)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c, again); d != "" {
			t.Fatal(d)
		}
	}
}

func TestAWrongConditionSaysWhereAndWhatWouldBeRight(t *testing.T) {
	tests := []struct {
		text, path string
		problem    Problem
	}{
		{`{}`, "audience", ProblemEmpty},
		{``, "audience", ProblemEmpty},
		{`null`, "audience", ProblemEmpty},
		{`# nothing`, "audience", ProblemEmpty},
		{`hello`, "audience", ProblemShape},
		{`{all: {age: {is: 3}}}`, "audience.all", ProblemShape},
		{`{all: [{agee: {is: 3}}]}`, "audience.all[0].agee", ProblemField},
		{`{all: [{age: {within: 3}}]}`, "audience.all[0].age", ProblemOperator},
		{`{any: [{region: {is: "441802"}}]}`, "audience.any[0].region", ProblemOperator},
		{`{not: {age: {gte: old}}}`, "audience.not.age", ProblemValue},
		{`{age: 18}`, "audience.age", ProblemShape},
		{`{age: {between: [18]}}`, "audience.age", ProblemValue},
		{`{region: {within: "110101"}}`, "audience.region", ProblemValue},
		{`{birthday: {is: 31.12.1990}}`, "audience.birthday", ProblemValue},
		{`{opted_out: {is: perhaps}}`, "audience.opted_out", ProblemValue},
		{`{status: {is: 复活}}`, "audience.status", ProblemValue},
		{`{category: {in: []}}`, "audience.category", ProblemValue},
		{`{sex: {is: null}}`, "audience.sex", ProblemValue},
		{`{medical.due: {gte: true}}`, "audience.medical.due", ProblemValue},
		{`{service.gossip.this_year: {is: true}}`, "audience.service.gossip.this_year", ProblemField},
		{strings.Repeat(`{not: `, 20) + `{age: {is: 1}}` + strings.Repeat(`}`, 20), "audience" + strings.Repeat(".not", 9), ProblemDeep},
	}
	for _, tt := range tests {
		_, err := ParseCondition([]byte(tt.text))
		var ce *ConditionError
		if !errors.As(err, &ce) || ce.Path != tt.path || ce.Problem != tt.problem {
			t.Errorf("%s: %v", tt.text, err)
		}
	}
	if _, err := ParseCondition([]byte(`{agee: {is: 3}}`)); !strings.Contains(err.Error(), "want age") {
		t.Error(err)
	}
}

func TestTheYearAndTheDayOfAConditionAreThoseOfTheZone(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	newYear := time.Date(2025, 12, 31, 17, 0, 0, 0, time.UTC).In(zone) // 2026 in Shanghai
	r := Record{Person: Person{BirthDate: "1966-01-01", Status: Alive}, Premiums: []Premium{{Insurance: Medical, Year: 2026, DueFen: 400, State: Unpaid, Deadline: "2026-01-31"}}}
	for text, want := range map[string]bool{
		`{medical.paid: {is: false}}`:       true,
		`{medical.paid: {is: true}}`:        false,
		`{pension.paid: {is: false}}`:       false, // nothing is known of it
		`{pension.paid: {known: false}}`:    true,
		`{age: {is: 60}}`:                   true,
		`{medical.due: {lte: today+30d}}`:   true,
		`{medical.due: {lte: today+29d}}`:   false,
		`{birthday: {is: today-60y}}`:       true,
		`{reached.days: {lte: 365}}`:        false,
		`{not: {reached.days: {lte: 365}}}`: true,
		`all: []`:                           true,
		`any: []`:                           false,
	} {
		c, err := ParseCondition([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Match(r, newYear); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestEveryFieldOfTheInterfaceIsInTheCatalogue(t *testing.T) {
	names := `region age birthday sex category education student graduated_on skills labour wants.work wants.training wants.business employment
		placed_on disability.level disability.kind health language status phone.mobile wechat.bound wechat.subscribed opted_out household.size
		household.employed household.pupils medical.enrolled medical.paid medical.due medical.subsidised pension.enrolled pension.paid pension.due
		pension.claiming subsidy.kind subsidy.state reached.days service.policy.this_year service.guidance.this_year service.referral.this_year
		service.information.this_year service.startup.this_year service.projects.this_year service.training.this_year trained.ever`
	want := strings.Fields(names)
	var got []string
	for _, f := range Fields() {
		got = append(got, f.Name)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func FuzzCondition(f *testing.F) {
	f.Add([]byte(`{all: [{age: {gte: 18}}, {not: {region: {within: "44"}}}]}`))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCondition(text)
		if err != nil {
			return
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseCondition(written)
		if err != nil || !cmp.Equal(c, again) {
			t.Fatalf("%s: %v", written, err)
		}
		c.SQL(time.Unix(0, 0), 1)
		c.Match(Record{}, time.Unix(0, 0))
	})
}
