package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

// twice imports a sheet and imports it again, which must change nothing.
func twice(t testing.TB, s *store.Store, i register.Importer, sheet string) register.Report {
	t.Helper()
	first := runImport(t, s, i, sheet)
	again := runImport(t, s, i, sheet)
	if again.Accepted != 0 || again.Updated != 0 || again.Unchanged != first.Accepted+first.Updated+first.Unchanged ||
		!cmp.Equal(again.Rejected, first.Rejected) || !cmp.Equal(again.Warnings, first.Warnings) {
		t.Fatalf("%s again: %+v, first %+v", i.Kind, again, first)
	}
	return first
}

func reasons(r register.Report) string {
	var list []string
	for _, x := range r.Rejected {
		list = append(list, fmt.Sprintf("%d %s %s", x.Row, x.Reason, x.Value))
	}
	for _, x := range r.Warnings {
		list = append(list, fmt.Sprintf("%d %s", x.Row, x.Reason))
	}
	return strings.Join(list, "\n")
}

func wantReasons(t testing.TB, r register.Report, want ...string) {
	t.Helper()
	if d := cmp.Diff(strings.Join(want, "\n"), reasons(r)); d != "" {
		t.Fatal(d)
	}
}

func TestEmployersAreToldApartByNameAndPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := twice(t, s, register.Importer{Kind: register.KindEmployers}, "序号,企业名称,统一社会信用代码,地址,联系人,联系方式\n"+
			"1,清城云岭手袋厂,91441802ma5000001x,源潭镇工业园,陈小姐,0763-2000001\n"+
			"2,清城云岭手袋厂,,洲心街道,,\n"+
			"3,清城云岭手袋厂,,洲心街道,,13800001001\n"+
			"4,小坑农家乐,9.14418E+17,小坑,,\n"+
			"5,,,小坑,,\n合计,5,,,,\n")
		wantReasons(t, r, "4 duplicate_in_file 清城云岭手袋厂", "5 value_invalid:统一社会信用代码 9.14418E+17", "6 required_missing:单位名称 ")
		list, err := s.ListEmployers(context.Background())
		must(t, err)
		want := []register.Employer{
			{ID: 1, Name: "清城云岭手袋厂", CreditCode: "91441802MA5000001X", Place: "源潭镇工业园", Contact: "陈小姐", Phone: "0763-2000001"},
			{ID: 2, Name: "清城云岭手袋厂", Place: "洲心街道"},
		}
		if d := cmp.Diff(want, list); d != "" {
			t.Fatal(d)
		}
		changed := runImport(t, s, register.Importer{Kind: register.KindEmployers}, "单位名称,地点,联系人\n清城云岭手袋厂,洲心街道,李先生\n清城云岭手袋厂,源潭镇工业园,\n")
		if changed.Updated != 1 || changed.Unchanged != 1 {
			t.Fatalf("%+v", changed)
		}
	})
}

func TestFairsTakeTheFirstOfSeveralDaysAndOpenOnes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := twice(t, s, register.Importer{Kind: register.KindFairs, Region: "441802"}, "招聘会名称,举办时间,举办地点,行政区划代码,主办单位,咨询电话\n"+
			"春风行动,2026年12月5日至6日,区文化广场,441802,区人社局,0763-3300001\n"+
			"村企对接,2026-12-12 9:00-11:30,源潭镇政府,441802103,,\n"+
			"直播带岗,待定,线上,,,\n"+
			"阳山专场,2026-12-20,阳山广场,441823,,\n"+
			"无日期,,广场,,,\n"+
			"错日期,2026-13-40,广场,,,\n")
		wantReasons(t, r, "5 region_outside 441823000000", "6 required_missing:日期 ", "7 value_invalid:日期 2026-13-40", "4 date_open")
		list, err := s.ListFairs(context.Background())
		must(t, err)
		var got []string
		for _, f := range list {
			got = append(got, f.Name+" "+f.HeldOn+" "+f.RegionCode)
		}
		want := []string{"春风行动 2026-12-05 441802000000", "村企对接 2026-12-12 441802103000", "直播带岗  441802000000"}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestPairsAreFoundByTheCountyHoweverItIsWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		twice(t, s, register.Importer{Kind: register.KindSchools}, "学校名称,校址,招生专业,招生电话,报名时间\n"+
			"广州云岭技师学院,广州市白云区,汽车维修、烹饪,020-86000001,每年5月至8月\n清远北江技工学校,清城区,电工,0763-3600001,\n")
		r := twice(t, s, register.Importer{Kind: register.KindPairs}, "对口帮扶情况表\n帮扶方,被帮扶县,类型\n"+
			"广州市,清远市清城区,对口城市\n广州云岭技师学院,清城区,\n佛山市,441823,城市\n广州市,清远市清新区,对口城市\n广州市,清城,对口城市\n深圳市,桃花县,对口城市\n,清城区,\n")
		wantReasons(t, r, "7 duplicate_in_file 广州市 清城", "8 region_unknown 桃花县", "9 required_missing:帮扶方 ")
		pairs, err := s.ListPairs(context.Background())
		must(t, err)
		var got []string
		for _, p := range register.PairsOf("441802103201", pairs) {
			got = append(got, p.Giver+" "+string(p.Is()))
		}
		if d := cmp.Diff([]string{"广州市 city", "广州云岭技师学院 school"}, got); d != "" {
			t.Fatal(d)
		}
		schools, err := s.ListSchools(context.Background())
		must(t, err)
		if list := register.SchoolsFor(schools, register.PairsOf("441802000000", pairs)); !list[0].Paired || list[0].Name != "广州云岭技师学院" || list[1].Paired {
			t.Fatalf("%+v", list)
		}
	})
}

func TestInstitutionsNeedACategoryAndAPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := twice(t, s, register.Importer{Kind: register.KindInstitutions}, "定点医疗机构名称,机构类别,地址,行政区划代码,电话,异地直接结算\n"+
			"清城区人民医院,综合医院,北门街1号,441802,0763-3311111,已开通\n"+
			"源潭镇卫生院,乡镇卫生院,源潭圩,441802103,,否\n"+
			"云岭大药房,定点零售药店,源潭圩2号,441802103,,\n"+
			"某处,美容院,源潭圩3号,441802103,,\n"+
			"区医保中心,医保经办机构,北门街2号,,,\n")
		wantReasons(t, r, "5 value_invalid:类别 美容院", "6 required_missing:行政区划代码 ")
		list, err := s.ListInstitutions(context.Background())
		must(t, err)
		if len(list) != 3 || list[0].Kind != "医院" || list[0].Remote != register.Yes || list[1].Remote != register.No || list[2].Kind != "药店" || list[2].Remote != register.Unknown {
			t.Fatalf("%+v", list)
		}
	})
}

func TestAScaleHasManyRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := twice(t, s, register.Importer{Kind: register.KindTiers, Set: map[string]string{"年度": "2026"}}, "项目,地区,年度,人群,起付标准,分段下限,分段上限,支付比例,来源,发布日期\n"+
			"大病保险,清远市,,全部,1.5万,0,5万,60%,清府办〔2025〕1号,2025-12-01\n"+
			"大病保险,清远市,,,1.5万,5万,10万,0.7,清府办〔2025〕1号,2025-12-01\n"+
			"大病保险,清远市,,,1.5万,10万,不封顶,80,清府办〔2025〕1号,2025-12-01\n"+
			"大病保险,清远市,,低保户,3000,0,,85.5%,清府办〔2025〕1号,2025-12-01\n"+
			"大病保险,广东省,,,,0,,50%,粤府〔2024〕1号,\n"+
			"大病保险,清远市,,,1.5万,0,5万,60%,清府办〔2025〕1号,\n"+
			"大病保险,火星,,,,0,,50%,无名,\n大病保险,清远市,,特困,,0,,150%,文,\n大病保险,清远市,,特困,,10万,5万,60%,文,\n大病保险,清远市,,孤儿,,,,60%,,\n")
		wantReasons(t, r, "7 duplicate_in_file 大病保险 清远市", "8 region_unknown 火星", "9 value_invalid:支付比例 150%", "10 value_invalid:分段上限 5万", "11 required_missing:来源 ")
		list, err := s.ListTiers(context.Background())
		must(t, err)
		if len(list) != 5 || list[0].Group != "" || list[0].FromFen != 0 || list[0].ToFen != 5_000_000 || list[1].Percent != 7000 || list[2].ToFen != -1 ||
			list[2].Percent != 8000 || list[3].Group != "低保" || list[3].Percent != 8550 || list[0].DeductibleFen != 1_500_000 || list[4].RegionCode != "440000000000" {
			t.Fatalf("%+v", list)
		}
		higher := runImport(t, s, register.Importer{Kind: register.KindTiers}, "项目,地区,年度,分段下限,支付比例,来源\n大病保险,清远,2026,50000,72%,清府办〔2026〕2号\n")
		if higher.Updated != 1 {
			t.Fatalf("%+v", higher)
		}
	})
}

func TestBenefitsAreOnesPersonMonthAndItem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := number(t, "1950-05-04", 1), number(t, "1951-05-04", 2)
		runImport(t, s, register.Importer{Kind: register.KindPeople}, "姓名,身份证号,行政区划代码\n张三,"+a+",441802\n李四,"+b+",441823\n")
		sheet := "清城区2026年11月城乡居民养老保险待遇发放表,,,,,\n身份证号码,姓名,待遇项目,发放金额,发放状态,发放日期\n" +
			a + ",张三,基础养老金,190,已发放,2026-11-15\n" + a + ",张三,个人账户养老金,32.5,发放成功,\n" + a + ",张三,基础养老金,190,已发放,\n" +
			b + ",李四,基础养老金,190,未发放,\n" + number(t, "1952-05-04", 3) + ",王五,基础养老金,190,已发放,\n" + a + ",李四,丧葬补助金,1,已发放,\n"
		r := twice(t, s, register.Importer{Kind: register.KindBenefits, Region: "441802"}, sheet)
		wantReasons(t, r, "5 duplicate_in_file "+masked(a), "6 region_outside "+masked(b), "7 person_unknown "+masked(number(t, "1952-05-04", 3)), "8 name_conflict "+register.MaskName("李四"))
		r = twice(t, s, register.Importer{Kind: register.KindBenefits}, "身份证号,险种,月份,待遇项目,金额,发放状态\n"+
			a+",养老,2026年10月,基础养老金,190,失败\n"+a+",养老,202609,基础养老金,190,停发\n"+a+",养老,去年,基础养老金,190,停发\n"+a+",养老,,基础养老金,190,停发\n"+a+",养老,2026-8,基础养老金,190,飞了\n")
		wantReasons(t, r, "4 value_invalid:月份 去年", "5 required_missing:月份 ", "6 value_invalid:发放状态 飞了")
	})
}

func masked(id string) string { return register.IDNumber(id).Masked() }

func TestAPlacementThatLastsCountsForWhenSomebodyWasPlaced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b, c := number(t, "1990-05-04", 1), number(t, "1991-05-04", 2), number(t, "1992-05-04", 3)
		people := "姓名,身份证号,行政区划代码,就业状态,务工单位,就业日期\n" +
			"张三," + a + ",441802,未就业,,\n李四," + b + ",441802,已就业,老厂,2024-01-01\n王五," + c + ",441802,未就业,,\n"
		twice(t, s, register.Importer{Kind: register.KindPeople}, people)
		r := twice(t, s, register.Importer{Kind: register.KindPlacements}, "身份证号,就业单位,上岗日期,工种,务工地点,离职日期\n"+
			a+",云岭手袋厂,2026-08-01,车工,源潭镇,\n"+a+",旧厂,2025-01-01,,,2025-12-31\n"+b+",老厂,2025-01-01,,,2026-10-01\n"+c+",云岭手袋厂,待定,,,\n"+c+",云岭手袋厂,,,,\n"+c+",,2026-09-01,,,\n")
		wantReasons(t, r, "6 required_missing:就业日期 ", "7 required_missing:务工单位 ", "5 date_open")
		if again := runImport(t, s, register.Importer{Kind: register.KindPeople}, people); again.Unchanged != 3 {
			t.Fatalf("placements changed the rows of people: %+v", again)
		}
		var got []string
		for _, p := range everyone(t, s) {
			for _, day := range []string{"2024-01-01", "2025-01-01", "2026-08-01"} {
				condition, err := register.ParseCondition([]byte("{all: [{placed_on: {is: " + day + "}}, {birthday: {is: " + p.BirthDate + "}}]}"))
				must(t, err)
				n, err := s.CountAudience(context.Background(), register.Scope{}, condition, time.Now())
				must(t, err)
				if n == 1 {
					got = append(got, p.Name+" "+day)
				}
			}
		}
		if d := cmp.Diff([]string{"张三 2026-08-01", "李四 2024-01-01"}, got); d != "" {
			t.Fatal(d)
		}
	})
}

// TestAnySheetImportedTwiceChangesNothing draws sheets of every new kind out of good, odd and bad cells.
func TestAnySheetImportedTwiceChangesNothing(t *testing.T) {
	columns := map[register.Kind]string{
		register.KindBenefits: "身份证号 险种 月份 待遇项目 金额 发放状态 发放日期", register.KindPlacements: "身份证号 务工单位 就业日期 岗位 地点 离职日期",
		register.KindEmployers: "单位名称 统一社会信用代码 地点 联系人 联系电话", register.KindFairs: "名称 日期 地点 行政区划代码 主办 联系电话",
		register.KindSchools: "学校名称 地点 专业 联系电话 招生时间", register.KindPairs: "帮扶方 被帮扶县 类型",
		register.KindInstitutions: "名称 类别 地点 行政区划代码 联系电话 异地直接结算", register.KindTiers: "项目 地区 年度 人群 起付标准 分段下限 分段上限 支付比例 来源 发布日期",
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := number(t, "1950-05-04", 1), number(t, "1951-05-04", 2)
		runImport(t, s, register.Importer{Kind: register.KindPeople}, "姓名,身份证号,行政区划代码\n张三,"+a+",441802\n李四,"+b+",441823\n")
		cells := map[string][]string{
			"身份证号": {a, b, a, "1", ""}, "险种": {"养老", "城乡居民医保", "x"}, "月份": {"2026-11", "202610", ""}, "金额": {"190", "1.5万", "", "x"}, "发放状态": {"已发放", "失败", ""},
			"就业日期": {"2026-01-01", "2026年2月", "待定", ""}, "日期": {"2026-01-01", "待定", "2026年2月3日-5日"}, "离职日期": {"", "2026-11-01"}, "统一社会信用代码": {"", "91441802MA50000011", "1"},
			"行政区划代码": {"441802", "441802103201", "", "990000"}, "被帮扶县": {"清城", "清远市清城区", "阳山县", "无县"}, "地区": {"清远市", "441802", "广东", "无"}, "类型": {"对口城市", "技工院校", "", "x"},
			"类别": {"医院", "药店", "x"}, "异地直接结算": {"是", "不支持", "", "x"}, "年度": {"2026", "2025", ""}, "起付标准": {"", "3000"}, "分段下限": {"0", "5万", ""}, "分段上限": {"不封顶", "10万", ""},
			"支付比例": {"60%", "0.7", "", "300"}, "发布日期": {"", "2025-12-01"}, "发放日期": {"", "2026-11-15"},
		}
		other := []string{"甲", "乙", "丙", "", " 甲 ", "无"}
		rapid.Check(t, func(r *rapid.T) {
			kind := rapid.SampledFrom(register.Kinds()).Filter(func(k register.Kind) bool { return columns[k] != "" }).Draw(r, "kind")
			names := strings.Fields(columns[kind])
			rows := []string{strings.Join(names, ",")}
			for range rapid.IntRange(1, 12).Draw(r, "rows") {
				var row []string
				for _, name := range names {
					of := cells[name]
					if of == nil {
						of = other
					}
					row = append(row, rapid.SampledFrom(of).Draw(r, name))
				}
				rows = append(rows, strings.Join(row, ","))
			}
			twice(t, s, register.Importer{Kind: kind}, strings.Join(rows, "\n")+"\n")
		})
	})
}
