package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// missing puts people whom campaign 1 did not reach into the county.
func (d *desk) missing() {
	at := time.Date(2026, 3, 1, 2, 10, 0, 0, time.UTC)
	for i, reason := range []string{"200003", notify.WantsPhone, "isv.MOBILE_NUMBER_ILLEGAL", "SOME_CODE"} {
		u := notify.Unreached{Person: d.county.records[i].Person, CampaignID: 1, Campaign: "=缴费提醒", Channel: notify.Voice, Reason: reason, At: at, Code: []string{"1-11", "2-22", "3-33", "4-44"}[i]}
		d.county.missed = append(d.county.missed, u)
	}
}

func TestTheUnreachedAreListedMaskedWithTheReasonInWords(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "441802")
	d.add("town", staff.Township, "441802103")
	d.add("author", staff.Author, "441802")
	d.missing()
	page := d.login("op").get("/console/unreached").body
	for _, want := range []string{"打了三次没人接", "没有登记电话", "平台不认这个号码", "林＊", "138****1234", "1-11", "打印走访表", "导出 CSV"} {
		if !strings.Contains(page, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	for _, secret := range []string{"林桂英", "13800001234", "SOME_CODE", "4-44"} {
		if strings.Contains(page, secret) {
			t.Errorf("the list shows %s", secret)
		}
	}
	if page := d.login("town").get("/console/unreached").body; strings.Contains(page, "3-33") || !strings.Contains(page, "2-22") {
		t.Error("the township sees another's, or not its own")
	}
	author := d.login("author")
	if page := author.get("/console/unreached"); page.status != http.StatusOK || strings.Contains(page.body, "导出 CSV") {
		t.Error("an author may read, and not export")
	}
	for _, path := range []string{"/console/unreached/csv", "/console/unreached/sheet"} {
		if got := author.get(path).status; got != http.StatusForbidden {
			t.Errorf("%s for an author: %d", path, got)
		}
	}
}

func TestAListOverAllCampaignsIsOfACountyAtMost(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "")
	d.missing()
	b := d.login("op")
	if page := b.get("/console/unreached").body; !strings.Contains(page, "请先选一个县或镇") || strings.Contains(page, "1-11") {
		t.Error("the whole province is listed")
	}
	if got := b.get("/console/unreached/csv").status; got != http.StatusNotFound {
		t.Errorf("the whole province is exported: %d", got)
	}
	if page := b.get("/console/unreached?region=440111").body; !strings.Contains(page, "平台没送成（SOME_CODE）") {
		t.Error("a code without words does not stand beside words")
	}
}

func TestTheSheetAndTheExportHoldMaskedValuesAndAreAudited(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	d.missing()
	b := d.login("town")
	sheet := b.get("/console/unreached/sheet")
	export := b.get("/console/unreached/csv")
	if export.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(export.body, "\ufeff行号,姓名,") {
		t.Errorf("%v %q", export.header, export.body)
	}
	if lines := strings.Split(strings.TrimSpace(export.body), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "1-11,林＊,138****1234,441802103201,") || !strings.Contains(lines[1], ",'=缴费提醒,电话语音,打了三次没人接,") {
		t.Errorf("%q", lines)
	}
	for name, body := range map[string]string{"sheet": sheet.body, "export": export.body} {
		for _, secret := range []string{"林桂英", "13800001234", "195803124421", "3-33"} {
			if strings.Contains(body, secret) {
				t.Errorf("the %s shows %s", name, secret)
			}
		}
	}
	if !strings.Contains(sheet.body, "□ 当面说了") || !strings.Contains(sheet.body, "1-11") {
		t.Error("the sheet lacks its boxes or codes")
	}
	if d.audited("town", staff.DidExport, "") != 1 || d.audited("town", staff.DidPrintMissed, "") != 1 || d.audited("town", staff.DidListMissed, "") != 0 {
		t.Error("the audit does not say what was exported and printed")
	}
}

func TestAVisitIsReportedByItsRow(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	d.missing()
	b := d.login("town")
	if page := b.post("/console/unreached/visit", "code", "1-11", "result", "told"); !strings.Contains(page.body, "已记下走访结果") {
		t.Errorf("%d %s", page.status, page.path)
	}
	if page := b.post("/console/unreached/visit", "code", "3-33", "result", "told"); !strings.Contains(page.body, "没有这个行号") {
		t.Error("another township's row is taken")
	}
	if page := b.post("/console/unreached/visit", "code", "1-11", "result", "x"); page.status != http.StatusBadRequest {
		t.Errorf("a result that there is not: %d", page.status)
	}
	if !slices.Equal(d.county.visits, []string{"1 0 told town"}) || d.audited("town", staff.DidNoteVisit, "person:1") != 1 {
		t.Errorf("%v", d.county.visits)
	}
}
