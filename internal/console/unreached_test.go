package console_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// Unreached gives the county's list by the store's rules: by region and id, within the scope.
func (c *county) Unreached(_ context.Context, scope register.Scope, campaignID int64, which notify.WhichUnreached, from notify.UnreachedFrom, limit int) (page notify.UnreachedPage, err error) {
	for _, u := range c.unreached {
		after := u.Region > from.Region || u.Region == from.Region && u.PersonID > from.PersonID
		switch {
		case !after || !which.Has(u) || !scope.Contains(u.Region) || campaignID != 0 && u.CampaignID != campaignID:
		case len(page.List) == limit:
			page.Next = notify.UnreachedFrom{Region: page.List[limit-1].Region, PersonID: page.List[limit-1].PersonID}
			return page, nil
		default:
			page.List = append(page.List, u)
		}
	}
	return page, nil
}

func (c *county) UnreachedSince(ctx context.Context, scope register.Scope, since time.Time, which notify.WhichUnreached, from notify.UnreachedFrom, limit int) (notify.UnreachedPage, error) {
	c.since = since
	return c.Unreached(ctx, scope, 0, which, from, limit)
}

// UnreachedPlaces counts by townships below a county and villages below a township, as the store does.
func (c *county) UnreachedPlaces(_ context.Context, scope register.Scope, _ time.Time) ([]notify.PlaceCount, error) {
	digits := 9
	if len(scope.Prefix) >= digits {
		digits = 12
	}
	counts := map[string]*notify.PlaceCount{}
	for _, u := range c.unreached {
		if !scope.Contains(u.Region) {
			continue
		}
		at := counts[u.Region[:digits]]
		if at == nil {
			at = &notify.PlaceCount{Region: u.Region[:digits]}
			counts[at.Region] = at
		}
		if u.Visit.Settles() {
			at.Visited++
		} else {
			at.Open++
		}
	}
	var list []notify.PlaceCount
	for _, at := range counts {
		list = append(list, *at)
	}
	slices.SortFunc(list, func(a, b notify.PlaceCount) int { return strings.Compare(a.Region, b.Region) })
	return list, nil
}

// RecordVisit notes a visit by the store's rules: of the scope's people alone, and with the audit.
func (c *county) RecordVisit(ctx context.Context, scope register.Scope, v notify.Visit, by staff.Entry) (notify.Visit, error) {
	if err := v.Check(); err != nil {
		return v, err
	}
	for i := range c.unreached {
		if u := &c.unreached[i]; u.PersonID == v.PersonID && scope.Contains(u.Region) {
			u.Visit, u.VisitedAt = v.Outcome, v.At
			c.visits = append(c.visits, v)
			return v, c.note(ctx, by)
		}
	}
	return v, register.ErrNotFound
}

func (c *county) UnreachedFigures(ctx context.Context, scope register.Scope, campaignID int64) (f notify.UnreachedFigures, err error) {
	page, err := c.Unreached(ctx, scope, campaignID, notify.AllUnreached, notify.UnreachedFrom{}, 1000)
	f.Places, _ = c.UnreachedPlaces(ctx, scope, time.Time{})
	f.Visits = map[notify.VisitOutcome]int64{}
	f.By, f.LeftOut, f.Open = map[notify.UnreachedWhy]int64{}, map[notify.SkipReason]int64{notify.OptedOut: 21}, 5
	for _, u := range page.List {
		f.By[u.Why]++
		if u.Visit != "" {
			f.Visits[u.Visit]++
		}
		if u.Visit.Settles() {
			f.Settled++
		}
	}
	return f, err
}

// missed puts everybody of the county on the list of a finished campaign of the whole province.
func (d *desk) missed() {
	for _, r := range d.county.records {
		d.county.unreached = append(d.county.unreached, notify.Unreached{
			PersonID: r.Person.ID, Region: r.Person.RegionCode, CampaignID: 1, Campaign: "=缴费提醒", Why: notify.WhyNotAnswered, Channel: notify.Voice, Code: "200003", At: d.now,
		})
	}
	slices.SortFunc(d.county.unreached, func(a, b notify.Unreached) int {
		return strings.Compare(fmt.Sprintf("%s%09d", a.Region, a.PersonID), fmt.Sprintf("%s%09d", b.Region, b.PersonID))
	})
	d.office.list = []notify.Campaign{
		{ID: 1, State: notify.Finished, Spec: notify.Spec{Name: "缴费提醒", Kind: notify.PremiumReminder}, StartedAt: d.now},
		{ID: 2, State: notify.Draft, Spec: notify.Spec{Name: "还没定的", Kind: notify.PremiumReminder}},
		{ID: 3, State: notify.Finished, Spec: notify.Spec{Name: "外县的", Kind: notify.PremiumReminder}, StartedAt: d.now, Scope: register.Scope{Prefix: "440111"}},
	}
}

func TestATownshipWorkerSeesWhomNothingReachedOfTheirOwnPeopleAlone(t *testing.T) {
	d := newDesk(t)
	d.missed()
	d.add("town", staff.Township, "441802103")
	b := d.login("town")
	for _, path := range []string{"/console/unreached?campaign=1", "/console/unreached", "/console/unreached?campaign=1&region=4401", "/console/unreached/sheet?campaign=1", "/console/unreached/csv?campaign=1"} {
		page := b.get(path)
		if page.status != http.StatusOK || !strings.Contains(page.body, "电话没人接") || !strings.Contains(page.body, notify.RowCode(1)) {
			t.Errorf("%s: %d\n%s", path, page.status, page.body)
		}
		for _, secret := range []string{"林桂英", "13800001234", "441802195803124421", "<script>alert", "陈＊", "李＊"} {
			if strings.Contains(page.body, secret) {
				t.Errorf("%s shows %s", path, secret)
			}
		}
	}
	for path, want := range map[string]int{"?campaign=2": 404, "?campaign=3": 404, "?campaign=99": 404, "?campaign=x": 404, "?since=gestern&after=nowhere": 200} {
		for _, form := range []string{"", "/sheet", "/csv"} {
			if got := b.get("/console/unreached" + form + path).status; got != want {
				t.Errorf("%s%s: %d, want %d", form, path, got, want)
			}
		}
	}
	for _, act := range []string{staff.DidListUnreached, staff.DidPrint, staff.DidExport} {
		if d.audited("town", act, "campaign:1") == 0 {
			t.Errorf("no line of %s in the audit", act)
		}
	}
	if page := b.get("/console/unreached?since=2026-01-15"); !d.county.since.Equal(time.Date(2026, 1, 14, 16, 0, 0, 0, time.UTC)) || !strings.Contains(page.body, "2026-01-15 以来") {
		t.Errorf("since %v", d.county.since)
	}
}

func TestTheListIsCountedAndItsPagesLeaveNobodyOut(t *testing.T) {
	d := newDesk(t)
	d.missed()
	d.add("op", staff.Operator, "441802")
	b := d.login("op")
	d.office.list[0].Scope.Prefix = "441802"
	if page := b.get("/console/campaigns/1"); !strings.Contains(page.body, `href="/console/unreached?campaign=1"`) {
		t.Error("the campaign's page does not lead to its list")
	}
	seen, path := map[string]int{}, "/console/unreached?campaign=1"
	first := b.get(path).body
	for _, part := range []string{"<strong>73</strong>", "本人退订", ">21<", "另有 5 人"} {
		if !strings.Contains(first, part) {
			t.Errorf("the counts lack %s", part)
		}
	}
	for path != "" {
		page := b.get(path)
		for _, m := range regexp.MustCompile(`class="strong" href="/console/people/([0-9]+)"`).FindAllStringSubmatch(page.body, -1) {
			seen[m[1]]++
		}
		path = ""
		if m := regexp.MustCompile(`href="(/console/unreached\?after=[^"]+)">下一页`).FindStringSubmatch(page.body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 73 {
		t.Errorf("%d people seen, want 73", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("person %s was seen %d times", id, n)
		}
	}
	if page := b.get("/console/unreached?campaign=1&region=441802105"); strings.Contains(page.body, notify.RowCode(1)) || !strings.Contains(page.body, notify.RowCode(3)) {
		t.Error("a township below is not a part of the list")
	}
}

func TestTheExportIsATableThatASpreadsheetReadsAndNeverRuns(t *testing.T) {
	d := newDesk(t)
	d.missed()
	d.add("op", staff.Operator, "441802")
	page := d.login("op").get("/console/unreached/csv?campaign=1")
	if got := page.header.Get("Content-Disposition"); got != `attachment; filename="unreached-1.csv"` {
		t.Error(got)
	}
	text, ok := strings.CutPrefix(page.body, "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if !ok || err != nil || len(rows) != 74 || rows[0][0] != "编号" {
		t.Fatalf("%d rows, %v, %v", len(rows), ok, err)
	}
	for _, row := range rows[1:] {
		if row[8] != "'=缴费提醒" || row[4] != "电话没人接" || row[5] != "电话语音" {
			t.Fatalf("%q", row)
		}
	}
}

func TestARowCodeLeadsToThePersonWhereTheyAreTheVisitorsToSee(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	b := d.login("town")
	for code, want := range map[string]string{
		notify.RowCode(1): "/console/people/1", strings.ToLower(notify.RowCode(11)): "/console/people/11",
		notify.RowCode(3): "/console/unreached?nobody=1", notify.RowCode(4): "/console/unreached?nobody=1", "no code": "/console/unreached?nobody=1",
	} {
		if got := b.post("/console/unreached/code", "code", code).path; got != want {
			t.Errorf("%s led to %s, want %s", code, got, want)
		}
	}
	if d.audited("town", staff.DidSearch, "") != 5 {
		t.Error("not each search is in the audit")
	}
}

func TestAWorkerRecordsVisitsByRowCodeAndTheListShowsWhatIsStillOpen(t *testing.T) {
	d := newDesk(t)
	d.missed()
	d.add("town", staff.Township, "441802103")
	d.add("reader", staff.Auditor, "441802")
	b := d.login("town")
	const list = "/console/unreached?campaign=1"
	record := func(code, outcome, phone string) answer {
		t.Helper()
		return b.post("/console/unreached/visit", "code", code, "outcome", outcome, "phone", phone, "campaign", "1", "back", list)
	}
	code := notify.RowCode(1)
	told := record(" "+strings.ToLower(code)+" ", "reached", "１３９ 0000 8888")
	if !strings.Contains(told.path, "done="+code) {
		t.Fatal(told.path)
	}
	shown := b.get(told.path)
	for _, part := range []string{code + " 林＊ 高田村 记下了：", "，新号码也登记了。", "告诉到了", `href="/console/people/1"`, "其中走访解决了 1 人"} {
		if !strings.Contains(shown.body, part) {
			t.Errorf("the list does not say %s", part)
		}
	}
	if chosen := b.get(list + "&code=" + code); !strings.Contains(chosen.body, `<span class="hint">林＊ 高田村</span>`) {
		t.Error("whoever chose a line is not told whose it is")
	}
	if strings.Contains(shown.body, `class="strong" href="/console/people/1"`) {
		t.Error("who was told is still on the list")
	}
	if all := b.get(list + "&which=all"); !strings.Contains(all.body, `class="strong" href="/console/people/1"`) {
		t.Error("who was told is not among all")
	}
	if got := d.county.visits; len(got) != 1 || got[0].Phone != "13900008888" || got[0].CampaignID != 1 || got[0].By != "town" {
		t.Errorf("%+v", got)
	}
	if d.audited("town", staff.DidVisit, "person:1") != 1 {
		t.Error("the visit is not in the audit")
	}
	for name, c := range map[string]struct{ code, outcome, phone, problem string }{
		"a slip of the pen":      {"AAAA", "reached", "", "code"},
		"another township's":     {notify.RowCode(3), "reached", "", "code"},
		"no outcome":             {notify.RowCode(11), "", "", "outcome"},
		"the number of the dead": {notify.RowCode(11), "died", "13900008888", "outcome"},
		"no number":              {notify.RowCode(11), "reached", "12", "phone"},
	} {
		got := record(c.code, c.outcome, c.phone)
		if !strings.Contains(got.path, "problem="+c.problem) || !strings.Contains(b.get(got.path).body, `role="alert"`) {
			t.Errorf("%s: %s", name, got.path)
		}
	}
	if len(d.county.visits) != 1 {
		t.Errorf("%d visits", len(d.county.visits))
	}
	if got := b.post("/console/unreached/visit", "code", code, "outcome", "reached", "campaign", "3", "back", list).status; got != http.StatusNotFound {
		t.Errorf("a campaign elsewhere: %d", got)
	}
	reader := d.login("reader")
	if got := reader.post("/console/unreached/visit", "code", code, "outcome", "reached", "back", list).status; got != http.StatusForbidden {
		t.Errorf("an auditor: %d", got)
	}
	if strings.Contains(reader.get("/console/unreached").body, `id="visit"`) {
		t.Error("an auditor is shown the form")
	}
}

func TestTheListIsCountedByPlace(t *testing.T) {
	d := newDesk(t)
	d.missed()
	d.add("op", staff.Operator, "441802")
	d.add("city", staff.Operator, "4418")
	b := d.login("op")
	for _, path := range []string{"/console/unreached?campaign=1", "/console/unreached"} {
		body := b.get(path).body
		places := regexp.MustCompile(`<th scope="row"><a href="[^"]*region=(441802[0-9]{3})">[^<]+</a></th><td class="end num">([0-9]+)</td><td class="end num">([0-9]+)</td>`).FindAllStringSubmatch(body, -1)
		sum := 0
		for _, p := range places {
			n := 0
			_, _ = fmt.Sscan(p[2], &n)
			sum += n
		}
		if len(places) < 2 || sum != 73 {
			t.Errorf("%s: %d places, %d people open", path, len(places), sum)
		}
	}
	if body := d.login("city").get("/console/unreached").body; strings.Contains(body, `class="places"`) {
		t.Error("a list over a whole city is counted at every look")
	}
}
