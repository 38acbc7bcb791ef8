package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xuri/excelize/v2"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

// number makes a fictional ID number of Qingcheng; odd sequences are men.
func number(t testing.TB, birth string, seq int) string {
	t.Helper()
	id, err := register.CompleteIDNumber(fmt.Sprintf("441802%s%03d", strings.ReplaceAll(birth, "-", ""), seq))
	if err != nil {
		t.Fatal(err)
	}
	return string(id)
}

func runImport(t testing.TB, s *store.Store, i register.Importer, text string) register.Report {
	t.Helper()
	i.Now = func() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }
	report, err := i.Run(context.Background(), strings.NewReader(text), int64(len(text)), s)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func diffReport(t *testing.T, got, want register.Report) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(register.Report{}), cmpopts.EquateEmpty()); d != "" {
		t.Fatal(d)
	}
}

func everyone(t testing.TB, s *store.Store) []register.Person {
	t.Helper()
	list, err := s.ListPeople(context.Background(), register.Scope{}, 0, 10000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestPeopleComeOntoFileAndTheSameSheetAgainChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b, c := number(t, "1960-05-04", 1), number(t, "1988-02-29", 12), number(t, "2012-12-31", 35)
		sheet := "清城区脱贫人口花名册,,,,,,,,\n" +
			"序号,姓 名,身份证号码,联系电话,县区,乡镇,行政村,户编号,务工意愿,人员类别,在校生状况,就业状态\n" +
			"1,张三," + a + ",13800001001,清城区,源潭镇,大连村委会,4418020001,是,脱贫户、低保户,,务工\n" +
			"2,李四," + strings.ToLower(b) + ",0763-3300000,清城,源潭,大连,4418020001,否,脱贫户,非在校生,\n" +
			"3,王五," + c + ",无,清城区,源潭镇,大连村,4418020001,,,小学,\n" +
			"合计,3人,,,,,,,,,,\n"
		first := runImport(t, s, register.Importer{Kind: register.KindPeople}, sheet)
		want := register.Report{
			HeaderRow: 2, Rows: 3, Accepted: 3, Skipped: []int{1, 6},
			Warnings: []register.Warning{{Row: 4, Reason: "phone_landline"}, {Row: 5, Reason: "phone_missing"}},
			Columns: map[string]string{
				"姓名": "姓 名", "身份证号": "身份证号码", "手机号": "联系电话", "县": "县区", "镇": "乡镇", "村": "行政村",
				"户编号": "户编号", "务工意愿": "务工意愿", "人员类别": "人员类别", "在校生状况": "在校生状况", "就业状态": "就业状态",
			},
			Unread: []string{"序号"},
		}
		diffReport(t, first, want)
		want.Accepted, want.Unchanged = 0, 3
		diffReport(t, runImport(t, s, register.Importer{Kind: register.KindPeople}, sheet), want)

		list := everyone(t, s)
		if len(list) != 3 {
			t.Fatalf("%d people", len(list))
		}
		p := list[0]
		if p.Name != "张三" || p.IDNumber != register.IDNumber(a) || p.Phone != "13800001001" || p.BirthDate != "1960-05-04" || p.Sex != register.Male ||
			p.WantsWork != register.Yes || !cmp.Equal(p.Categories, []string{"脱贫户", "低保"}) || p.Employment != "已就业" || p.Status != register.Alive {
			t.Fatalf("%+v", p)
		}
		if list[1].RegionCode != p.RegionCode || list[2].RegionCode != p.RegionCode || !strings.HasPrefix(p.RegionCode, "441802") || register.RegionLevel(p.RegionCode) != register.LevelVillage {
			t.Fatalf("one village has codes %s %s %s", p.RegionCode, list[1].RegionCode, list[2].RegionCode)
		}
		path, err := s.RegionPath(context.Background(), p.RegionCode)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range path {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); got != "广东省 清远市 清城区 源潭镇 大连村" {
			t.Fatal(got)
		}
		r, err := s.PersonRecord(context.Background(), register.Scope{Prefix: "4418"}, p.ID)
		if err != nil || r.Household != (register.Household{Size: 3, Employed: 1, Pupils: 1}) {
			t.Fatalf("%+v, %v", r.Household, err)
		}
	})
}

func TestRowsAreRefusedWithTheirReasonAndTheGoodOnesAreTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b, c := number(t, "1960-05-04", 1), number(t, "1970-05-04", 1), number(t, "1980-05-04", 1)
		bad := a[:17] + string('0'+(a[17]-'0'+1)%10)
		if a[17] == 'X' {
			bad = a[:17] + "0"
		}
		runImport(t, s, register.Importer{Kind: register.KindPeople}, "姓名,身份证号,行政区划代码\n赵六,"+c+",441802103201\n")
		report := runImport(t, s, register.Importer{Kind: register.KindPeople, Region: "441802"}, "姓名,身份证号,手机号,行政区划代码,人员状态,毕业日期\n"+
			"张三,"+a+",13800001001,441802103201,,待定\n"+
			"张三,"+a+",13800001001,441802103201,,\n"+
			",,,,,\n"+
			"李四,,13800001002,,,\n"+
			","+b+",13800001002,,,\n"+
			"李四,"+bad+",13800001002,,,\n"+
			"李四,4.41802E+17,13800001002,,,\n"+
			"李四,"+b[:15]+",13800001002,,,\n"+
			"李四,"+b+",13800001002,110101,,\n"+
			"李四,"+b+",13800001002,441803101,,\n"+
			"李四,"+b+",13800001002,,复活,\n"+
			"李四,"+b+",1380000,,,\n"+
			"钱七,"+c+",13800001003,,,\n")
		if report.Accepted != 2 || report.Rows != 12 || !cmp.Equal(report.Skipped, []int{4}) {
			t.Fatalf("%+v", report)
		}
		var got []string
		for _, r := range report.Rejected {
			got = append(got, fmt.Sprint(r.Row, " ", r.Reason))
			if strings.Contains(r.Value, a[6:]) || strings.Contains(r.Value, b[6:15]) || strings.Contains(r.Value, "赵六") || strings.Contains(r.Value, "钱七") {
				t.Errorf("row %d shows %s", r.Row, r.Value)
			}
		}
		want := []string{
			"3 duplicate_in_file", "5 id_missing", "6 name_missing", "7 id_invalid", "8 id_mangled", "9 id_invalid", "10 region_unknown",
			"11 region_outside", "12 value_invalid:人员状态", "14 name_conflict",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff([]register.Warning{{Row: 2, Reason: "date_open"}, {Row: 13, Reason: "phone_invalid"}}, report.Warnings); d != "" {
			t.Fatal(d)
		}
	})
}

func TestCoverPremiumsAndSubsidiesFindTheirPersonAndEmptyCellsChangeNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		a, b := number(t, "1960-05-04", 1), number(t, "1970-05-04", 1)
		runImport(t, s, register.Importer{Kind: register.KindPeople, Region: "441802"}, "姓名,身份证号\n张三,"+a+"\n")

		cover := runImport(t, s, register.Importer{Kind: register.KindCover, Set: map[string]string{"险种": "医保"}},
			"2026年度城乡居民基本医疗保险参保台账\n姓名,公民身份号码,是否参保,参保时间,参保地\n张三,"+a+",√,2025年11月20日,清城区\n李四,"+b+",否,,\n张四,"+a+",是,,\n")
		if cover.Accepted != 1 || len(cover.Rejected) != 2 || cover.Rejected[0].Reason != "person_unknown" || cover.Rejected[1].Reason != "duplicate_in_file" {
			t.Fatalf("%+v", cover)
		}
		again := runImport(t, s, register.Importer{Kind: register.KindCover}, "身份证号,险种,年度,参保状态,参保日期\n"+a+",城乡居民医保,2026,已停保,\n")
		if again.Updated != 1 {
			t.Fatalf("%+v", again)
		}
		premiums := runImport(t, s, register.Importer{Kind: register.KindPremiums},
			"身份证号,险种,年度,应缴金额（元）,个人缴费,财政资助,截止日期,缴费状态\n"+a+",城乡居民医保,2026年,\"1,400.50\",0,400元,2026-12-31,未缴\n"+a+",城乡居民医保,2025,x,,,,未缴\n"+a+",城乡居民医保,2025,,,,,未缴\n")
		if premiums.Accepted != 1 || premiums.Rejected[0].Reason != "value_invalid:应缴金额" || premiums.Rejected[1].Reason != "required_missing:应缴金额" {
			t.Fatalf("%+v", premiums)
		}
		subsidies := runImport(t, s, register.Importer{Kind: register.KindSubsidies},
			"清城区2026年职业技能培训补贴发放公示,,,,\n身份证号,申请日期,状态,金额,说明\n"+a+",2026/3/1,公示中,1500,证书齐全\n填表人：某某,,审核人：某某,,\n")
		if subsidies.Accepted != 1 || !cmp.Equal(subsidies.Skipped, []int{1, 4}) {
			t.Fatalf("%+v", subsidies)
		}
		p := everyone(t, s)[0]
		r, err := s.PersonRecord(ctx, register.Scope{}, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantCover := register.Cover{PersonID: p.ID, Insurance: register.Medical, Year: 2026, State: register.Stopped, EnrolledOn: "2025-11-20", Place: "清城区"}
		wantPremium := register.Premium{PersonID: p.ID, Insurance: register.Medical, Year: 2026, DueFen: 140050, SelfFen: 0, SubsidyFen: 40000, Deadline: "2026-12-31", State: register.Unpaid}
		wantSubsidy := register.Subsidy{PersonID: p.ID, Kind: "职业技能培训补贴", AppliedOn: "2026-03-01", State: register.Publicised, AmountFen: 150000, Note: "证书齐全"}
		if d := cmp.Diff(wantCover, r.Covers[0]) + cmp.Diff(wantPremium, r.Premiums[0]) + cmp.Diff(wantSubsidy, r.Subsidies[0]); d != "" {
			t.Fatal(d)
		}
	})
}

func TestJobsAndCoursesAreTakenAndAPostingThatAsksForMoneyIsHeld(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		sheet := "单位名称,岗位名称,岗位类型,招聘人数,工作地点,行政区划代码,薪资待遇,要求,截止日期\n" +
			"甲制衣厂,缝纫工,企业,3-5人,清城区,441802,3000-4500元/月,不收押金,2026-12-31\n" +
			"乙服务部,保洁,公益性岗位,若干,清城区,441802,面议,需交服装费200元,长期\n" +
			"丙公司,普工,企业,多少,清城区,441802,,,\n"
		report := runImport(t, s, register.Importer{Kind: register.KindJobs}, sheet)
		if d := cmp.Diff([]register.Warning{{Row: 3, Reason: "asks_for_money"}, {Row: 3, Reason: "date_open"}, {Row: 3, Reason: "number_open"}}, report.Warnings); d != "" {
			t.Fatal(d)
		}
		if report.Accepted != 2 || report.Rejected[0].Reason != "value_invalid:人数" {
			t.Fatalf("%+v", report)
		}
		if again := runImport(t, s, register.Importer{Kind: register.KindJobs}, sheet); again.Unchanged != 2 {
			t.Fatalf("%+v", again)
		}
		jobs, err := s.ListJobs(ctx, register.Scope{Prefix: "441802"}, false, 0, 10)
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%+v, %v", jobs, err)
		}
		want := register.Job{
			ID: jobs[0].ID, Employer: "甲制衣厂", Title: "缝纫工", Kind: "企业", Headcount: 3, Place: "清城区", RegionCode: "441802000000",
			WageMinFen: 300000, WageMaxFen: 450000, Demands: "不收押金", ClosesOn: "2026-12-31",
		}
		if d := cmp.Diff(want, jobs[0]); d != "" {
			t.Fatal(d)
		}
		report = runImport(t, s, register.Importer{Kind: register.KindCourses}, "培训名称,培训机构,地点,名额,开班日期,结束日期,补贴标准,方式\n"+
			"养老护理,某职校,源潭镇,50,2026.12.1,2026年12月,1500,线下\n电工,某职校,源潭镇,不限,待定,,,\n")
		if report.Accepted != 2 || len(report.Warnings) != 2 {
			t.Fatalf("%+v", report)
		}
		courses, err := s.ListCourses(ctx, register.Scope{}, "2026-11-01", 0, 10)
		if err != nil || len(courses) != 2 || courses[0].EndsOn != "2026-12-31" || courses[0].Mode != "面授" || courses[1].Places != -1 {
			t.Fatalf("%+v, %v", courses, err)
		}
	})
}

func TestADryRunSaysTheSameAndChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var sheet strings.Builder
		sheet.WriteString("姓名,身份证号,手机号,镇,户编号\n")
		for i := range 1200 {
			phone := fmt.Sprintf("1380000%04d", i)
			if i%400 == 7 {
				phone = "13900009999" // three households, far apart
			}
			fmt.Fprintf(&sheet, "甲乙,%s,%s,镇%d镇,H%d\n", number(t, fmt.Sprintf("19%02d-01-01", 60+i/900), i%900), phone, i%7, i)
		}
		dry := runImport(t, s, register.Importer{Kind: register.KindPeople, Region: "441802", DryRun: true}, sheet.String())
		if n := len(everyone(t, s)); n != 0 {
			t.Fatalf("%d people after a dry run", n)
		}
		wet := runImport(t, s, register.Importer{Kind: register.KindPeople, Region: "441802"}, sheet.String())
		diffReport(t, dry, wet)
		if wet.Accepted != 1200 || len(wet.Warnings) != 3 || wet.Warnings[0] != (register.Warning{Row: 9, Reason: "phone_shared"}) {
			t.Fatalf("%d, %v", wet.Accepted, wet.Warnings)
		}
	})
}

func TestAWorkbookIsReadFromItsFirstVisibleSheetWithAKnownHeader(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := number(t, "1960-05-04", 1), number(t, "1970-05-04", 1)
		f := excelize.NewFile()
		must(t, f.SetSheetName("Sheet1", "说明"))
		must(t, f.SetSheetRow("说明", "A1", &[]any{"填报说明"}))
		for _, name := range []string{"旧表", "名册"} {
			_, err := f.NewSheet(name)
			must(t, err)
			must(t, f.SetSheetRow(name, "A1", &[]any{"名册"}))
			must(t, f.MergeCell(name, "A1", "D1"))
			must(t, f.SetSheetRow(name, "A3", &[]any{"姓名", "身份证号", "18位身份证号", "手机号码", "毕业日期"}))
		}
		must(t, f.SetSheetVisible("旧表", false))
		must(t, f.SetSheetRow("旧表", "A4", &[]any{"不读", a}))
		must(t, f.SetSheetRow("名册", "A4", &[]any{"张三", "441802600504001", a, 13800001001, time.Date(2010, 7, 1, 0, 0, 0, 0, time.UTC)}))
		must(t, f.SetSheetRow("名册", "A5", &[]any{"李四", nil, int64(441802197005040015)}))
		must(t, f.SetSheetRow("名册", "A7", &[]any{"王五", b, nil, "138 0000 1002"}))
		var buf bytes.Buffer
		must(t, f.Write(&buf))
		report := runImport(t, s, register.Importer{Kind: register.KindPeople, Region: "441802103"}, buf.String())
		want := register.Report{
			Sheet: "名册", HeaderRow: 3, Rows: 3, Accepted: 2, Skipped: []int{1, 2, 6},
			Rejected: []register.Rejection{{Row: 5, Reason: "id_mangled", Value: report.Rejected[0].Value}},
			Columns:  map[string]string{"姓名": "姓名", "身份证号": "18位身份证号", "手机号": "手机号码", "毕业日期": "毕业日期"},
		}
		diffReport(t, report, want)
		list := everyone(t, s)
		if list[0].Phone != "13800001001" || list[0].GraduatedOn != "2010-07-01" || list[1].Name != "王五" || list[1].Phone != "13800001002" || list[0].RegionCode != "441802103000" {
			t.Fatalf("%+v", list)
		}
	})
}

func TestAValueCorrectedByHandIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		a := number(t, "1960-05-04", 1)
		sheet := "姓名,身份证号,手机号,文化程度\n张三," + a + ",13800001001,小学\n"
		runImport(t, s, register.Importer{Kind: register.KindPeople, Region: "441802"}, sheet)
		id := everyone(t, s)[0].ID
		if _, err := s.CorrectPerson(ctx, register.Scope{Prefix: "441803"}, id, register.Person{Phone: "13800001002"}, time.Now()); !errors.Is(err, register.ErrNotFound) {
			t.Fatal(err)
		}
		if _, err := s.CorrectPerson(ctx, register.Scope{Prefix: "441802"}, id, register.Person{Phone: "13800001002"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		report := runImport(t, s, register.Importer{Kind: register.KindPeople}, strings.Replace(sheet, "小学", "初中", 1))
		if report.Updated != 1 || !cmp.Equal(report.Warnings, []register.Warning{{Row: 2, Reason: "kept_by_hand"}}) {
			t.Fatalf("%+v", report)
		}
		found, err := s.FindPeople(ctx, register.Scope{}, "", "", "13800001002", 10)
		if err != nil || len(found) != 1 || found[0].Education != "初中" || !cmp.Equal(found[0].HandFields, []string{"phone"}) {
			t.Fatalf("%+v, %v", found, err)
		}
	})
}

func TestANumberThatWantsNothingStaysSoWhoeverGetsItByAnImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		must(t, s.OptOutPhone(ctx, "13800001001"))
		a := number(t, "1960-05-04", 1)
		out := register.Condition{Test: &register.Test{Field: "opted_out", Op: register.Is, Values: []string{"true"}}}
		for phone, want := range map[string]int64{"13800001001": 1} {
			runImport(t, s, register.Importer{Kind: register.KindPeople}, "姓名,身份证号,手机号\n张三,"+a+","+phone+"\n")
			if n, err := s.CountAudience(ctx, register.Scope{}, out, time.Now()); n != want || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
		}
		runImport(t, s, register.Importer{Kind: register.KindPeople}, "姓名,身份证号,手机号\n张三,"+a+",13800001009\n")
		if n, err := s.CountAudience(ctx, register.Scope{}, out, time.Now()); n != 0 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	})
}

func TestPeopleAreFoundByWholeNameNumberAndPhoneWithinTheScopeAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		a, b := number(t, "1960-05-04", 1), number(t, "1970-05-04", 1)
		runImport(t, s, register.Importer{Kind: register.KindPeople}, "姓名,身份证号,手机号,行政区划代码\n张三,"+a+",13800001001,441802103201\n张三,"+b+",13800001002,441803\n")
		here := register.Scope{Prefix: "441802"}
		for name, find := range map[string]func(register.Scope) ([]register.Person, error){
			"name": func(sc register.Scope) ([]register.Person, error) {
				return s.FindPeople(ctx, sc, "张 三", "", "", 10)
			},
			"id": func(sc register.Scope) ([]register.Person, error) {
				return s.FindPeople(ctx, sc, "", register.IDNumber(a), "", 10)
			},
			"phone": func(sc register.Scope) ([]register.Person, error) {
				return s.FindPeople(ctx, sc, "", "", "13800001001", 10)
			},
		} {
			if found, err := find(here); err != nil || len(found) != 1 || found[0].Name != "张三" {
				t.Errorf("%s: %+v, %v", name, found, err)
			}
			if found, err := find(register.Scope{Prefix: "4419"}); err != nil || len(found) != 0 {
				t.Errorf("%s elsewhere: %+v, %v", name, found, err)
			}
		}
		if found, err := s.FindPeople(ctx, register.Scope{}, "张", "", "", 10); err != nil || len(found) != 0 {
			t.Errorf("half a name finds %d, %v", len(found), err)
		}
		if _, err := s.PersonRecord(ctx, here, 2); !errors.Is(err, register.ErrNotFound) {
			t.Errorf("another county's person: %v", err)
		}
		towns, err := s.RegionChildren(ctx, "441802000000")
		if err != nil || len(towns) != 1 || towns[0].Code != "441802103000" {
			t.Errorf("%+v, %v", towns, err)
		}
	})
}

// breaking lets so many batches through and then fails.
type breaking struct {
	*store.Store
	left int
}

func (s *breaking) ImportBatch(ctx context.Context, b register.Batch) ([]register.Result, error) {
	if s.left--; s.left < 0 {
		return nil, errors.New("the power went")
	}
	return s.Store.ImportBatch(ctx, b)
}

// bigSheet has so many people of one town, a fifth of whom change by the version.
func bigSheet(t testing.TB, n, version int) string {
	var sheet strings.Builder
	sheet.WriteString("姓名,身份证号,镇,文化程度\n")
	for i := range n {
		school := "小学"
		if i%5 == 0 && version > 0 {
			school = "初中"
		}
		fmt.Fprintf(&sheet, "甲乙,%s,源潭镇,%s\n", number(t, fmt.Sprintf("19%02d-01-01", 60+i/900), i%900), school)
	}
	return sheet.String()
}

func TestAnInterruptedImportIsCompletedByRunningItAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		sheet := bigSheet(t, 900, 0)
		i := register.Importer{Kind: register.KindPeople, Region: "441802"}
		if _, err := i.Run(context.Background(), strings.NewReader(sheet), int64(len(sheet)), &breaking{Store: s, left: 1}); err == nil {
			t.Fatal("the interruption went unnoticed")
		}
		done := len(everyone(t, s))
		if done == 0 || done >= 900 {
			t.Fatalf("%d people after the interruption", done)
		}
		report := runImport(t, s, i, sheet)
		if report.Unchanged != done || report.Accepted != 900-done || len(everyone(t, s)) != 900 {
			t.Fatalf("%+v", report)
		}
		if report := runImport(t, s, i, bigSheet(t, 900, 1)); report.Updated != 180 || report.Unchanged != 720 {
			t.Fatalf("%+v", report)
		}
	})
}

func TestTwoImportsAtOnceTakeTurns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		sheet := bigSheet(t, 600, 0)
		reports := make(chan register.Report)
		for range 2 {
			go func() {
				i := register.Importer{Kind: register.KindPeople, Region: "441802"}
				report, err := i.Run(context.Background(), strings.NewReader(sheet), int64(len(sheet)), s)
				if err != nil {
					t.Error(err)
				}
				reports <- report
			}()
		}
		a, b := <-reports, <-reports
		if a.Accepted+b.Accepted != 600 || a.Unchanged+b.Unchanged != 600 || len(everyone(t, s)) != 600 {
			t.Fatalf("%d and %d new, %d people", a.Accepted, b.Accepted, len(everyone(t, s)))
		}
	})
}

func TestRowsThatNameNoPlaceAreWhereTheImportIsFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i, tt := range []struct{ region, want string }{{"441802", "441802000000"}, {"441802103", "441802103000"}, {"4418", "441800000000"}, {"", ""}} {
			sheet := "姓名,身份证号\n张三," + number(t, "1960-05-04", i+1) + "\n"
			runImport(t, s, register.Importer{Kind: register.KindPeople, Region: tt.region}, sheet)
			list := everyone(t, s)
			if got := list[len(list)-1].RegionCode; got != tt.want {
				t.Errorf("--region %q: %q", tt.region, got)
			}
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
