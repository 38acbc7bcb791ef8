package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

func shanghai(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// crowd puts people on file who differ in everything that conditions ask about, and leaves much of it unknown.
func crowd(t testing.TB, s *store.Store, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var people, covers, premiums, subsidies, placements []register.Entry
	for i := range n {
		id := register.IDNumber(number(t, fmt.Sprintf("%d-%02d-%02d", 1930+r.IntN(95), 1+r.IntN(2), 1+r.IntN(28)), i))
		p := &register.Person{
			Phone: register.Phone(pick("", "13800001001", "13800001002", "07633300000", "1390000"+fmt.Sprint(1000+i))), HouseholdNo: pick("", "1", "2", "3"),
			Categories: slices.Compact([]string{pick("脱贫户", "低保"), pick("低保", "监测对象")}), Education: pick("", "小学", "初中"), Student: pick("", "非在校生", "小学"),
			GraduatedOn: pick("", "2020-06-30", "2026-03-01"), Skills: []string{pick("电工", "a", "A")}, Labour: pick("", "普通劳动力", "无劳动力"),
			WantsWork: register.Tri(r.IntN(3) - 1), WantsTraining: register.Tri(r.IntN(3) - 1), WantsBusiness: register.Tri(r.IntN(3) - 1),
			Employment: pick("", "已就业", "未就业"), PlacedOn: pick("", "2025-12-01"), Status: register.LifeStatus(pick("alive", "alive", "deceased", "moved_out")),
			DisabilityLevel: r.IntN(5), DisabilityKind: pick("", "视力残疾"), Health: pick("", "健康"), Language: pick("", "粤语", "客家话"),
		}
		if r.IntN(4) == 0 {
			p.Categories = nil
		}
		place := register.Place{Code: pick("", "441802000000", "441802103000", "441802103201", "441900101000")}
		people = append(people, register.Entry{IDNumber: id, Name: "甲", Place: place, Person: p})
		insurance := register.Insurance(pick("medical", "pension"))
		covers = append(covers, register.Entry{IDNumber: id, Cover: &register.Cover{
			Insurance: insurance, Year: 2025 + r.IntN(2),
			State: register.CoverState(pick("enrolled", "not_enrolled", "stopped")), BenefitState: pick("", "正在领取", "可领取"),
		}})
		due := int64(r.IntN(3) * 100)
		premiums = append(premiums, register.Entry{IDNumber: id, Premium: &register.Premium{
			Insurance: insurance, Year: 2025 + r.IntN(2), DueFen: due,
			SelfFen: -1, SubsidyFen: int64(r.IntN(4)*100 - 100), Deadline: pick("", "2026-03-20", "2026-12-31"), State: register.PremiumState(pick("paid", "unpaid", "partly_paid")),
		}})
		subsidies = append(subsidies, register.Entry{IDNumber: id, Subsidy: &register.Subsidy{
			Kind: pick("求职创业补贴", "国家助学金"), AppliedOn: "2026-01-01",
			State: register.SubsidyState(pick("received", "paid_out")), AmountFen: -1,
		}})
		placements = append(placements, register.Entry{IDNumber: id, Placement: &register.Placement{
			Employer: "甲厂", PlacedOn: pick("", "2024-05-01", "2026-01-10"), LeftOn: pick("", "", "2026-02-01"),
		}})
	}
	for kind, entries := range map[register.Kind][]register.Entry{register.KindCover: covers[:n*2/3], register.KindPremiums: premiums[n/3:], register.KindSubsidies: subsidies[:n/2], register.KindPlacements: placements[n/4:]} {
		for _, b := range []register.Batch{{Kind: register.KindPeople, Entries: people, At: at}, {Kind: kind, Entries: entries, At: at}} {
			if _, err := s.ImportBatch(context.Background(), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Scatter(context.Background(), at, n); err != nil {
		t.Fatal(err)
	}
}

// aCondition draws a condition over the whole catalogue.
func aCondition(depth int) *rapid.Generator[register.Condition] {
	return rapid.Custom(func(t *rapid.T) register.Condition {
		shape := 0
		if depth > 0 {
			shape = rapid.IntRange(0, 5).Draw(t, "shape")
		}
		switch shape {
		case 1:
			return register.Condition{All: rapid.SliceOfN(aCondition(depth-1), 0, 3).Draw(t, "all")}
		case 2:
			return register.Condition{Any: rapid.SliceOfN(aCondition(depth-1), 0, 3).Draw(t, "any")}
		case 3:
			inner := aCondition(depth-1).Draw(t, "not")
			return register.Condition{Not: &inner}
		}
		field := rapid.SampledFrom(register.Fields()).Draw(t, "field")
		test := register.Test{Field: field.Name, Op: rapid.SampledFrom(field.Operators()).Draw(t, "op")}
		n := 1
		if test.Op == register.Between || test.Op == register.In || test.Op == register.NotIn {
			n = 2
		}
		for range n {
			test.Values = append(test.Values, aValue(t, field, test.Op))
		}
		return register.Condition{Test: &test}
	})
}

func aValue(t *rapid.T, field register.Field, op register.Operator) string {
	yesNo := rapid.SampledFrom([]string{"true", "false"})
	dates := rapid.SampledFrom([]string{"today", "today-60y", "today+20d", "2020-06-30", "1999-12-31", "today-3m", "2026-12-31"})
	if op == register.Known {
		return yesNo.Draw(t, "known")
	}
	switch field.Type {
	case register.Number:
		return strconv.Itoa(rapid.SampledFrom([]int{0, 1, 2, 3, 4, 16, 18, 59, 60, 96, 300, 999999}).Draw(t, "number"))
	case register.Date:
		return dates.Draw(t, "date")
	case register.YesNo:
		return yesNo.Draw(t, "yes")
	case register.Area:
		return rapid.SampledFrom([]string{"44", "4418", "441802", "441802103", "441802103201", "441900"}).Draw(t, "region")
	case register.Due:
		if op == register.Is && rapid.Bool().Draw(t, "due") {
			return yesNo.Draw(t, "yes")
		}
		return dates.Draw(t, "deadline")
	case register.Text, register.Enum:
	}
	values := []string{"电工", "a", "求职创业补贴"}
	for _, w := range field.Words() {
		values = append(values, w.Code)
	}
	return rapid.SampledFrom(values).Draw(t, "text")
}

func TestBothReadingsOfEveryConditionAgree(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		crowd(t, s, 240)
		var ids []int64
		for _, p := range everyone(t, s) {
			ids = append(ids, p.ID)
		}
		records, err := s.ListRecords(ctx, register.Scope{}, ids)
		if err != nil || len(records) != 240 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		zone := shanghai(t)
		rapid.Check(t, func(rt *rapid.T) {
			c := aCondition(2).Draw(rt, "condition")
			today := rapid.SampledFrom([]time.Time{time.Date(2026, 3, 1, 0, 30, 0, 0, zone), time.Date(2026, 2, 28, 23, 59, 0, 0, zone), time.Date(2025, 12, 31, 12, 0, 0, 0, zone)}).Draw(rt, "today")
			got, err := s.PageAudience(ctx, register.Scope{}, c, today, 0, 1000)
			if err != nil {
				rt.Fatal(err)
			}
			var want []int64
			for _, r := range records {
				if c.Match(r, today) {
					want = append(want, r.Person.ID)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				rt.Fatal(d)
			}
			if n, err := s.CountAudience(ctx, register.Scope{}, c, today); err != nil || n != int64(len(want)) {
				rt.Fatalf("%d, want %d, %v", n, len(want), err)
			}
		})
	})
}

func TestAnAudienceStaysWithinItsScope(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		crowd(t, s, 60)
		scope := register.Scope{Prefix: "441802103"}
		ids, err := s.PageAudience(context.Background(), scope, register.Everybody(), time.Now(), 0, 100)
		if err != nil || len(ids) == 0 {
			t.Fatal(len(ids), err)
		}
		inside, err := s.PeopleByID(context.Background(), scope, ids)
		if err != nil || len(inside) != len(ids) {
			t.Fatalf("%d of %d are inside, %v", len(inside), len(ids), err)
		}
	})
}
