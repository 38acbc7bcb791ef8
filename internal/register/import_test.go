package register

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// file takes everything as new and remembers it.
type file struct{ entries []Entry }

func (f *file) ImportBatch(_ context.Context, b Batch) ([]Result, error) {
	f.entries = append(f.entries, b.Entries...)
	results := make([]Result, len(b.Entries))
	for i := range results {
		results[i].Outcome = Added
	}
	return results, nil
}

func (f *file) PhoneHouseholds(context.Context, []Phone) (map[Phone][]string, error) { return nil, nil }

func importText(t testing.TB, i Importer, text string) (*file, Report, error) {
	t.Helper()
	i.Now = func() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }
	var f file
	report, err := i.Run(context.Background(), strings.NewReader(text), int64(len(text)), &f)
	return &f, report, err
}

func TestTextIsReadInTheEncodingsThatSpreadsheetProgramsWrite(t *testing.T) {
	id := string(fictionalID(t, "44180219900101001"))
	sheet := "姓名,身份证号,备注\r\n张三," + id + ",\"两行\r\n备注\"\r\n\r\n李四,,x\r\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(sheet)
	if err != nil {
		t.Fatal(err)
	}
	wide := "\xff\xfe"
	for _, u := range utf16.Encode([]rune(strings.ReplaceAll(sheet, ",", "\t"))) {
		wide += string([]byte{byte(u), byte(u >> 8)})
	}
	for name, text := range map[string]string{"UTF-8": sheet, "with a mark": "\ufeff" + sheet, "GBK": gbk, "UTF-16": wide, "tabs": strings.ReplaceAll(sheet, ",", "\t")} {
		f, report, err := importText(t, Importer{Kind: KindPeople}, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(f.entries) != 1 || f.entries[0].Name != "张三" || !cmp.Equal(report.Skipped, []int{3}) || report.Rejected[0].Row != 4 {
			t.Errorf("%s: %+v %+v", name, f.entries, report)
		}
	}
}

func TestALateLetterDecidesTheEncodingOfALongFile(t *testing.T) {
	for _, pad := range []int{65530, 65535, 65536, 65537} {
		text := "id,x\n" + strings.Repeat("a", pad) + "汉字"
		valid, err := validUTF8(strings.NewReader(text))
		if !valid || err != nil {
			t.Errorf("%d: %v, %v", pad, valid, err)
		}
		if valid, _ := validUTF8(strings.NewReader(text + "\xb2\xe2")); valid {
			t.Errorf("%d: GBK passes", pad)
		}
	}
}

func TestAFileThatCannotBeReadSaysWhyAndChangesNothing(t *testing.T) {
	var whole bytes.Buffer
	x := excelize.NewFile()
	for i := range 3000 {
		cell := fmt.Sprintf("A%d", i+1)
		row := []any{"张三", string(fictionalID(t, fmt.Sprintf("4418021990010%d%03d", 1+i/1000, i%1000)))}
		if i == 0 {
			row = []any{"姓名", "身份证号"}
		}
		if err := x.SetSheetRow("Sheet1", cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Write(&whole); err != nil {
		t.Fatal(err)
	}
	broken := cutSheet(t, whole.Bytes())
	for name, text := range map[string]string{
		"empty":              "",
		"blank":              " \r\n \r\n",
		"no header":          "a,b,c\n1,2,3\n",
		"half a zip":         whole.String()[:whole.Len()/2],
		"a sheet broken off": broken,
		"an old .xls":        "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600),
		"a web page":         "<html><table><tr><td>姓名</td></tr></table></html>",
		"a picture":          "\x89PNG\r\n\x1a\n\x00\x00\x00",
		"a zip of something": zipOf(t, "readme.txt", "hello"),
	} {
		f, _, err := importText(t, Importer{Kind: KindPeople}, text)
		if !errors.Is(err, ErrUnreadable) || len(f.entries) != 0 {
			t.Errorf("%s: %d entries, %v", name, len(f.entries), err)
		}
	}
	if f, _, err := importText(t, Importer{Kind: KindPeople}, whole.String()); err != nil || len(f.entries) != 2999 {
		t.Fatalf("%d, %v", len(f.entries), err)
	}
}

// cutSheet breaks the sheet's XML off in the middle, inside a zip that is whole.
func cutSheet(t *testing.T, book []byte) string {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	out := zip.NewWriter(&buf)
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(f.Name, "xl/worksheets/") {
			text = text[:len(text)*2/3]
		}
		w, err := out.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func zipOf(t *testing.T, name, text string) string {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestAZipThatUnpacksToFarMoreThanItWeighsIsRefused(t *testing.T) {
	bomb := zipOf(t, "xl/workbook.xml", "<workbook>"+strings.Repeat(" ", 17<<20)+"</workbook>")
	if _, _, err := importText(t, Importer{Kind: KindPeople}, bomb); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "unpacks") {
		t.Fatal(err)
	}
}

func TestDatesAreReadInTheShapesPeopleWrite(t *testing.T) {
	for raw, want := range map[string]string{
		"2024-1-5": "2024-01-05", "2024/1/5": "2024-01-05", "2024.01.05": "2024-01-05", "20240105": "2024-01-05", "2024年1月5日": "2024-01-05",
		"２０２４－０１－０５": "2024-01-05", "2024-01-05 00:00:00": "2024-01-05", "2024-01-05T08:00:00Z": "2024-01-05", "45296": "2024-01-05", "45296.5": "2024-01-05",
		"2024年1月": "2024-01-01", "202401": "2024-01-01", "2024-02-30": "", "2024-13-01": "", "5/1/24": "", "昨天": "", "12": "", "99999": "",
		"Jan 5 2024": "", "2024": "", "123456789": "",
	} {
		got, err := parseDate(raw, false)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v", raw, got, err)
		}
	}
	if got, err := parseDate("2024年2月", true); got != "2024-02-29" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	for _, raw := range []string{"待定", "另行通知", "长期", " 待 定 "} {
		if _, err := parseDate(raw, false); !errors.Is(err, errOpen) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestAmountsAndNumbersAreReadInTheShapesPeopleWrite(t *testing.T) {
	for raw, want := range map[string]int64{
		"380": 38000, "380元": 38000, "￥1,200.50": 120050, "1200.00元": 120000, "3k": 300000, "1.2万元": 1200000, "0": 0, "380.00000000000006": 38000,
		"3000元/月": 300000, "３８０": 38000,
	} {
		if got, err := parseFen(raw); got != want || err != nil {
			t.Errorf("%s: %d, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"-5", "x", "", "1e9", "NaN", "Inf", "0x10", "5-6", "１２三"} {
		if got, err := parseFen(raw); err == nil {
			t.Errorf("%s: %d", raw, got)
		}
	}
	for raw, want := range map[string][2]int64{"3000-5000元": {300000, 500000}, "3-5k": {300000, 500000}, "4000": {400000, -1}, "3000元~4500元/月": {300000, 450000}, "3000至5000": {300000, 500000}} {
		if low, high, err := parseFenRange(raw); low != want[0] || high != want[1] || err != nil {
			t.Errorf("%s: %d %d %v", raw, low, high, err)
		}
	}
	for raw, want := range map[string]int{"5": 5, "5人": 5, "3-5": 3, "3～5名": 3, "10名以上": 10, "若干": -1, "不限": -1, "若干名": -1, "三名": 3, "5.0": 5} {
		if got, err := parseCount(raw); got != want || err != nil && !errors.Is(err, errOpen) {
			t.Errorf("%s: %d, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"", "多少", "0", "-3", "99999999"} {
		if got, err := parseCount(raw); err == nil {
			t.Errorf("%s: %d", raw, got)
		}
	}
}

func TestHeadersThatGovernmentsReallyUseAreKnown(t *testing.T) {
	tests := []struct {
		kind   Kind
		header string
		want   map[string]string
	}{
		{
			KindPeople, "县(市、区、旗) 乡(镇) 行政村 自然村 户编号 人编号 姓名 身份证 与户主关系 民族 文化程度 在校生状况 健康状况 劳动技能 务工时间（月） 脱贫属性 贫困户属性",
			map[string]string{
				"县": "县(市、区、旗)", "镇": "乡(镇)", "村": "行政村", "户编号": "户编号", "姓名": "姓名", "身份证号": "身份证", "与户主关系": "与户主关系",
				"文化程度": "文化程度", "在校生状况": "在校生状况", "健康状况": "健康状况", "劳动能力": "劳动技能", "人员类别": "贫困户属性",
			},
		},
		{KindPeople, "公民身份号码 个人姓名 个人编号 性别 困难人员类别 单位名称", map[string]string{"身份证号": "公民身份号码", "姓名": "个人姓名", "人员类别": "困难人员类别", "务工单位": "单位名称"}},
		{KindPeople, "所属区/所属区划 家庭地址 姓名 身份证号 与户主关系 户主身份证号 残疾类别 残疾等级 劳动能力", map[string]string{
			"县": "所属区/所属区划", "姓名": "姓名",
			"身份证号": "身份证号", "与户主关系": "与户主关系", "残疾类别": "残疾类别", "残疾等级": "残疾等级", "劳动能力": "劳动能力",
		}},
		{KindPeople, "户主姓名 户主身份证号码 区（县级市） 村别", map[string]string{"姓名": "户主姓名", "身份证号": "户主身份证号码", "县": "区(县级市)", "村": "村别"}},
		{KindPeople, "xm sfzhm 联系电话 学历 就业状态 手机号码", map[string]string{"姓名": "xm", "身份证号": "sfzhm", "手机号": "手机号码", "文化程度": "学历", "就业状态": "就业状态"}},
		{KindCover, "个人编号(aac001) 身份证(aac002) 姓名(aac003) 参保日期(aac049) 参保状态(aac031)", map[string]string{
			"身份证号": "身份证(aac002)", "姓名": "姓名(aac003)",
			"参保日期": "参保日期(aac049)", "参保状态": "参保状态(aac031)",
		}},
		{KindPremiums, "姓名 身份证号码 所属年份 险种 应缴金额（元） 个人实缴金额 资助代缴金额 是否缴费", map[string]string{
			"姓名": "姓名", "身份证号": "身份证号码", "年度": "所属年份",
			"险种": "险种", "应缴金额": "应缴金额(元)", "个人缴费": "个人实缴金额", "财政资助": "资助代缴金额", "缴费状态": "是否缴费",
		}},
		{KindJobs, "序号 招聘单位 岗位代码 招聘岗位 招聘人数 学历要求 专业要求 其他条件", map[string]string{
			"单位名称": "招聘单位", "岗位名称": "招聘岗位", "人数": "招聘人数",
			"学历要求": "学历要求", "专业要求": "专业要求", "要求": "其他条件",
		}},
		{KindPlacements, "xm sfzhm 岗位性质 岗位类型 公益性岗位名称 性别 联系电话 合同开始时间 合同结束时间 单位名称 所属区划", map[string]string{
			"姓名": "xm", "身份证号": "sfzhm", "岗位": "公益性岗位名称", "就业日期": "合同开始时间", "务工单位": "单位名称",
		}},
		{KindPlacements, "公民身份号码 个人姓名 个人编号 性别 出生日期 单位名称 公益性岗位名称 家庭住址", map[string]string{
			"姓名": "个人姓名", "身份证号": "公民身份号码", "岗位": "公益性岗位名称", "务工单位": "单位名称",
		}},
		{KindSubsidies, "序号 姓名 培训工种 身份证号码 学校名称 职业培训补贴标准(元)", map[string]string{"姓名": "姓名", "身份证号": "身份证号码", "金额": "职业培训补贴标准(元)"}},
	}
	for _, tt := range tests {
		l := line{number: 1}
		for _, h := range strings.Fields(tt.header) {
			l.cells = append(l.cells, cell{text: h})
		}
		h, ok := findHeader(tt.kind, l)
		if d := cmp.Diff(tt.want, h.names); d != "" || !ok {
			t.Errorf("%s: %v\n%s", tt.header, ok, d)
		}
	}
}

func TestRowsThatAreNoDataAreSkippedAndTheRestIsNot(t *testing.T) {
	id := string(fictionalID(t, "44180219900101001"))
	sheet := "××县名单,,\n填报单位：某镇,,2026年1月\n,,\n序号,姓名,身份证号\n1,张三," + id + "\n××县名单,,\n序号,姓名,身份证号\n2,,\n,合 计,3人\n注：以上人员均已核实,,\n填表人：甲,审核人：乙,日期：2026年\n3,李四,\n合计：1,,\n"
	f, report, err := importText(t, Importer{Kind: KindPeople}, sheet)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.entries) != 1 || !cmp.Equal(report.Skipped, []int{1, 2, 3, 6, 7, 8, 9, 10, 11, 13}) || len(report.Rejected) != 1 || report.Rejected[0].Row != 12 || report.Rows != 2 {
		t.Fatalf("%+v", report)
	}
}

func TestTheReportNamesTheHeadersNobodyReadAndTheRowThatARowRepeats(t *testing.T) {
	id := string(fictionalID(t, "44180219900101001"))
	sheet := "序号,姓名,身份证,联系号,致贫原因1,致贫原因1,\n1,张三," + id + ",13800001001,缺技术,,x\n\n2,张三," + strings.ToLower(id) + ",,,,\n"
	_, report, err := importText(t, Importer{Kind: KindPeople}, sheet)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"序号", "联系号", "致贫原因1"}; !cmp.Equal(report.Unread, want) {
		t.Errorf("unread %q, want %q", report.Unread, want)
	}
	if len(report.Rejected) != 1 || report.Rejected[0].Of != 2 || report.Rejected[0].Row != 4 {
		t.Errorf("%+v", report.Rejected)
	}
}

func TestWhatIsSetForTheFileFillsEmptyCellsAndNeverOverwrites(t *testing.T) {
	a, b := string(fictionalID(t, "44180219900101001")), string(fictionalID(t, "44180219900101002"))
	sheet := "2025年度参保名单,,\n身份证号,年度,参保状态\n" + a + ",2024,是\n" + b + ",,是\n"
	f, _, err := importText(t, Importer{Kind: KindCover, Set: map[string]string{"险种": "医保", "参保年度": "2026"}}, sheet)
	if err != nil {
		t.Fatal(err)
	}
	if f.entries[0].Cover.Year != 2024 || f.entries[1].Cover.Year != 2026 || f.entries[0].Cover.Insurance != Medical {
		t.Fatalf("%+v %+v", f.entries[0].Cover, f.entries[1].Cover)
	}
	f, _, err = importText(t, Importer{Kind: KindCover, Set: map[string]string{"险种": "医保"}}, sheet)
	if err != nil || f.entries[1].Cover.Year != 2025 {
		t.Fatalf("%+v, %v", f.entries[1].Cover, err)
	}
	if _, _, err := importText(t, Importer{Kind: KindCover, Set: map[string]string{"身高": "1"}}, sheet); !errors.Is(err, ErrUnknownColumn) {
		t.Fatal(err)
	}
	if _, _, err := importText(t, Importer{Kind: "horses"}, sheet); !errors.Is(err, ErrUnknownKind) {
		t.Fatal(err)
	}
}

func TestAnIDNumberInAWrongColumnDoesNotReachTheReport(t *testing.T) {
	id := string(fictionalID(t, "44180219900101001"))
	_, report, err := importText(t, Importer{Kind: KindCover, Set: map[string]string{"险种": "医保"}}, "身份证号,年度,参保状态\n"+id+","+id+",是\n")
	if err != nil || report.Rejected[0].Reason != "value_invalid:年度" || strings.Contains(report.Rejected[0].Value, id[2:16]) {
		t.Fatalf("%+v, %v", report, err)
	}
}

func FuzzSheet(f *testing.F) {
	f.Add([]byte("姓名,身份证号,手机号\n张三,441802199001010017,\"138\n"), 0)
	f.Add([]byte("2024年\n单位名称,岗位名称,人数,工作地点\n甲,乙,3-5,丙\n"), 4)
	f.Add([]byte("PK\x03\x04"), 0)
	f.Fuzz(func(t *testing.T, text []byte, kind int) {
		kinds := Kinds()
		i := Importer{Kind: kinds[(kind%len(kinds)+len(kinds))%len(kinds)], Region: "441802"}
		_, report, err := importText(t, i, string(text))
		if err != nil {
			if !errors.Is(err, ErrUnreadable) {
				t.Fatal(err)
			}
			return
		}
		if report.Rows != report.Accepted+report.Updated+report.Unchanged+len(report.Rejected) {
			t.Fatalf("%+v", report)
		}
	})
}

func FuzzXLSXRows(f *testing.F) {
	f.Add([]byte(`<worksheet><sheetData><row r="3"><c r="A3" t="s"><v>0</v></c><c r="C3"><v>1.2E3</v></c></row></sheetData></worksheet>`))
	f.Add([]byte(`<row><c t="inlineStr"><is><r><t>a</t></r><rPh><t>b</t></rPh></is></c></row>`))
	f.Fuzz(func(t *testing.T, sheet []byte) {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		for name, text := range map[string]string{
			"xl/workbook.xml":            `<workbook xmlns:r="r"><sheets><sheet name="x" r:id="r1"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>`,
			"xl/worksheets/sheet1.xml":   string(sheet),
			"xl/sharedStrings.xml":       `<sst><si><t>shared</t></si></sst>`,
		} {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		x, err := openXLSX(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		err = x.rows(0, func(l line) (bool, error) {
			if l.number != last+1 || len(l.cells) > maxRowCells {
				t.Fatalf("row %d after %d with %d cells", l.number, last, len(l.cells))
			}
			last = l.number
			return last < 5000, nil
		})
		if err != nil && !errors.Is(err, ErrUnreadable) {
			t.Fatal(err)
		}
	})
}
