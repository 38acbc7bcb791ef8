package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/register"
)

// twoHosts plays the same on a database and on the fake; what they give must be equal.
type twoHosts struct {
	store *Store
	fake  *turntest.Memory
	at    time.Time
	n     int
}

// both runs one turn on each and gives what the two found.
func both[T any](t testing.TB, h *twoHosts, who string, look func(turn.Tx) (T, error)) (T, error) {
	t.Helper()
	h.n++
	h.at = h.at.Add(time.Second)
	w := turn.Who{Channel: turn.WeChat, ID: who, Key: fmt.Sprint("k", h.n), At: h.at}
	run := func(s turn.Store) (got T, err error) {
		turnErr := s.Turn(context.Background(), w, func(tx turn.Tx) error {
			if _, err := tx.Open(); err != nil {
				return err
			}
			got, err = look(tx)
			return err
		})
		if !errors.Is(turnErr, err) {
			t.Fatal(turnErr)
		}
		return got, err
	}
	kept, keptErr := run(h.store)
	fake, fakeErr := run(h.fake)
	if errors.Is(keptErr, register.ErrNotFound) != errors.Is(fakeErr, register.ErrNotFound) || keptErr != nil && !errors.Is(keptErr, register.ErrNotFound) {
		t.Fatalf("the database says %v, the fake %v", keptErr, fakeErr)
	}
	if d := cmp.Diff(kept, fake, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(register.Person{}, "UpdatedAt")); d != "" {
		t.Fatalf("the database and the fake differ (-database +fake):\n%s", d)
	}
	return kept, keptErr
}

var offersAt = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func offerSheets(t testing.TB, cast []turntest.Person) map[register.Kind]string {
	t.Helper()
	return map[register.Kind]string{
		register.KindJobs: "单位名称,岗位名称,岗位类型,人数,工作地点,行政区划代码,月薪下限,月薪上限,要求,联系人,联系电话,截止日期,来源城市\n" +
			"云岭手袋厂,车工,扶贫车间,10,源潭镇工业园,441802103,2500,3500,不限学历,,,2026-12-31,\n" +
			"云岭手袋厂,质检员,企业,2,源潭镇工业园,441802103,3000,,初中,陈小姐,0763-2000001,,\n" +
			"广州白云快递,分拣员,企业,50,广州市白云区,,4500,6000,农闲短工 日结,李先生,020-86000001,2026-12-31,广州\n" +
			"街道办,保洁员,公益性岗位,3,洲心街道,441802,,,60岁以下,,,,\n" +
			"过期厂,普工,企业,3,源潭镇,441802103,3000,4000,,,,2026-11-01,\n" +
			"骗子公司,文员,企业,3,源潭镇,441802103,9000,9000,先交押金500,,,,\n" +
			"阳山农场,采摘工,企业,若干,阳山县,441823,2000,2600,100%包住_a,,,,\n",
		register.KindEmployers: "单位名称,地点,联系人,联系电话\n云岭手袋厂,洲心,,\n云岭手袋厂,源潭镇工业园,王小姐,0763-2000009\n",
		register.KindCourses: "培训名称,工种,培训机构,地点,行政区划代码,开班日期,名额,方式,对应岗位\n" +
			"车工订单班,缝纫,云岭技校,源潭镇,441802103,2026-12-05,2,面授,车工\n电商直播,电商,云岭技校,线上,,待定,若干,远程,\n" +
			"粤菜师傅,中式烹调,云岭技校,洲心街道,441802,2026-12-01,1,面授,\n已开班,电工,云岭技校,源潭,441802103,2026-11-01,30,面授,\n",
		register.KindFairs:        "名称,日期,地点,行政区划代码\n春风,2026-12-05,广场,441802\n阳山专场,2026-11-25,广场,441823\n过去,2026-11-01,广场,441802\n待定会,待定,广场,441802103\n",
		register.KindSchools:      "学校名称,地点,专业\n清远北江技工学校,清城区,电工\n广州云岭技师学院,广州市白云区,汽修\n",
		register.KindPairs:        "帮扶方,被帮扶县,类型\n广州市,清城区,\n广州云岭技师学院,清城区,技工院校\n佛山市,阳山县,对口城市\n",
		register.KindInstitutions: "名称,类别,地点,行政区划代码,异地直接结算\n区人民医院,医院,北门街,441802,是\n源潭卫生院,卫生院,源潭,441802103,否\n阳山医院,医院,阳山,441823,是\n云岭药店,药店,源潭,441802103,\n",
		register.KindTiers: "项目,地区,年度,人群,分段下限,分段上限,支付比例,来源\n大病保险,清远市,2026,,0,5万,60%,文1\n大病保险,清远市,2026,,5万,,70%,文1\n大病保险,清远市,2025,,0,,50%,文0\n" +
			"大病保险,广东省,2026,,0,,55%,文2\n大病保险,清远市,2026,低保,0,,80%,文1\n住院,广东省,2026,,0,,75%,文3\n",
		register.KindBenefits:   "身份证号,险种,月份,待遇项目,金额,发放状态\n" + cast[0].ID + ",养老,2026-10,基础养老金,190,已发放\n" + cast[0].ID + ",养老,2026-11,基础养老金,190,待发放\n",
		register.KindPlacements: "身份证号,务工单位,就业日期,岗位\n" + cast[1].ID + ",云岭手袋厂,2026-08-01,车工\n" + cast[1].ID + ",旧厂,2024-08-01,车工\n",
	}
}

func newTwoHosts(t *testing.T, s *Store) *twoHosts {
	t.Helper()
	var cast []turntest.Person
	for i, birth := range []string{"1955-01-01", "1985-01-01", "1990-01-01", "1995-01-01"} {
		id, err := register.CompleteIDNumber("441802" + strings.ReplaceAll(birth, "-", "") + fmt.Sprintf("%03d", 11+i))
		if err != nil {
			t.Fatal(err)
		}
		cast = append(cast, turntest.Person{Name: fmt.Sprint("甲", i), ID: string(id), Phone: fmt.Sprintf("1380000100%d", i), Region: "441802103201"})
	}
	castOnFile(t, s, cast)
	h := &twoHosts{store: s, fake: turntest.NewMemory(cast), at: offersAt}
	sheets := offerSheets(t, cast)
	sheetsOnFile(t, s, sheets)
	if err := h.fake.FileSheets(sheets); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSearchesInTheDatabaseFindWhatTheRegisterSays(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		near := []string{"", "441802103201", "441802103000", "441802000000", "441823000000"}
		within := []string{"", "44", "4418", "441802", "441802103"}
		words := [][]string{nil, {"车工"}, {"保洁", "分拣"}, {"100%"}, {"_a"}, {"无此岗"}, {"源潭"}}
		tri := []register.Tri{register.Unknown, register.Yes, register.No}
		rapid.Check(t, func(r *rapid.T) {
			jobs := register.JobSearch{
				Near: rapid.SampledFrom(near).Draw(r, "near"), Within: rapid.SampledFrom(within).Draw(r, "within"), Today: "2026-11-23",
				Kinds:   rapid.SampledFrom([][]string{nil, nil, {"企业"}, {"扶贫车间", "公益性岗位"}}).Draw(r, "kinds"),
				MinWage: rapid.SampledFrom([]int64{0, 0, 300000, 600000}).Draw(r, "wage"), Keywords: rapid.SampledFrom(words).Draw(r, "words"),
				Places:   rapid.SampledFrom([][]register.Wherever{nil, nil, {{Name: "清城", Prefix: "441802"}}, {{Name: "源潭"}, {Name: "广州", Prefix: "4401"}}}).Draw(r, "places said"),
				NotKinds: rapid.SampledFrom([][]string{nil, {"公益性岗位"}}).Draw(r, "not"), Slack: rapid.Bool().Draw(r, "slack"),
				PairedTo: rapid.SampledFrom([]string{"", "", "441802103201", "441823000000", "441881000000"}).Draw(r, "paired"),
				Offset:   rapid.IntRange(0, 4).Draw(r, "offset"), Limit: rapid.IntRange(0, 4).Draw(r, "limit"),
			}
			_, _ = both(t, h, "o-1", func(tx turn.Tx) (register.JobPage, error) { return tx.Jobs(jobs) })
			courses := register.CourseSearch{
				Near: jobs.Near, Within: jobs.Within, Remote: rapid.SampledFrom(tri).Draw(r, "remote"), ForJob: rapid.Bool().Draw(r, "for job"),
				Keywords: jobs.Keywords, Places: jobs.Places, Today: "2026-11-23", Offset: jobs.Offset, Limit: jobs.Limit,
			}
			_, _ = both(t, h, "o-1", func(tx turn.Tx) (register.CoursePage, error) { return tx.Courses(courses) })
			fairs := register.FairSearch{Near: jobs.Near, Within: jobs.Within, Today: "2026-11-23", Limit: jobs.Limit}
			_, _ = both(t, h, "o-1", func(tx turn.Tx) ([]register.Fair, error) { return tx.Fairs(fairs) })
			places := register.InstitutionSearch{
				Near: jobs.Near, Within: jobs.Within, Kinds: rapid.SampledFrom([][]string{nil, {"医院"}, {"药店", "卫生院"}}).Draw(r, "places"), Remote: courses.Remote,
				Name: rapid.SampledFrom([]string{"", "源潭", "%"}).Draw(r, "name"), Offset: jobs.Offset, Limit: jobs.Limit,
			}
			_, _ = both(t, h, "o-1", func(tx turn.Tx) ([]register.Institution, error) { return tx.Institutions(places) })
			tiers := register.TierSearch{
				Item: rapid.SampledFrom([]string{"", "大病", "住院"}).Draw(r, "item"), Near: jobs.Near,
				Year: rapid.IntRange(2024, 2027).Draw(r, "year"), Group: rapid.SampledFrom([]string{"", "低保", "特困"}).Draw(r, "group"),
			}
			_, _ = both(t, h, "o-1", func(tx turn.Tx) ([]register.Tier, error) { return tx.Tiers(tiers) })
		})
	})
}

func TestWhatIsOnFileOfOffersAndPeopleIsFound(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		h := newTwoHosts(t, s)
		job, err := both(t, h, "o-1", func(tx turn.Tx) (register.JobOffer, error) { return tx.Job(1) })
		if err != nil || job.ContactPhone != "0763-2000009" || job.Contact != "王小姐" || len(job.Courses) != 1 || job.Courses[0].Name != "车工订单班" {
			t.Fatalf("%+v, %v", job, err)
		}
		for _, gone := range []int64{5, 6, 99} { // closed, held, none
			if _, err := both(t, h, "o-1", func(tx turn.Tx) (register.JobOffer, error) { return tx.Job(gone) }); !errors.Is(err, register.ErrNotFound) {
				t.Errorf("posting %d: %v", gone, err)
			}
		}
		course, err := both(t, h, "o-1", func(tx turn.Tx) (register.CourseOffer, error) { return tx.Course(1) })
		if err != nil || course.Job == nil || course.Job.Title != "车工" || course.Left() != 2 {
			t.Fatalf("%+v, %v", course, err)
		}
		schools, _ := both(t, h, "o-1", func(tx turn.Tx) ([]register.School, error) { return tx.Schools("441802103201") })
		if len(schools) != 2 || !schools[0].Paired || schools[0].Name != "广州云岭技师学院" {
			t.Fatalf("%+v", schools)
		}
		work, _ := both(t, h, "o-1", func(tx turn.Tx) (register.Work, error) { return tx.Work(2) })
		if len(work.Placements) != 2 || work.Placements[0].PlacedOn != "2026-08-01" {
			t.Fatalf("%+v", work)
		}
		work, _ = both(t, h, "o-1", func(tx turn.Tx) (register.Work, error) { return tx.Work(1) })
		if len(work.Benefits) != 2 || work.Benefits[0].Month != "2026-11" {
			t.Fatalf("%+v", work)
		}
		for id := range int64(6) {
			_, _ = both(t, h, "o-1", func(tx turn.Tx) (register.Person, error) { return tx.Person(id) })
		}
	})
}
