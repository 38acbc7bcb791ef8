package console_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
)

func TestPeopleAreMaskedEverywhereUntilSomebodyAsks(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "441802")
	b := d.login("op")
	for _, path := range []string{"/console/people", "/console/people/1", "/console/people?found=1,2"} {
		page := b.get(path)
		if page.status != http.StatusOK {
			t.Fatalf("%s: %d", path, page.status)
		}
		for _, secret := range []string{"林桂英", "441802195803124421", "195803124421", "13800001234", "0001234", "阿芳", "1958-03"} {
			if strings.Contains(page.body, secret) {
				t.Errorf("%s shows %s", path, secret)
			}
		}
		if !strings.Contains(page.body, "林＊") || !strings.Contains(page.body, "138****1234") {
			t.Errorf("%s lacks the masked forms", path)
		}
	}
}

func TestRevealingIsWrittenToTheAuditAndLastsAFewMinutesInThatSessionAlone(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "441802")
	one, other := d.login("op"), d.login("op")
	page := one.post("/console/people/1/reveal", "reason", "visit")
	for _, shown := range []string{"林桂英", "441802 1958 0312 4421", "13800001234", "阿芳", "1958-03-12"} {
		if !strings.Contains(page.body, shown) {
			t.Errorf("not revealed: %s", shown)
		}
	}
	list, err := d.store.ListAudit(t.Context(), "op", "person:1", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(r staff.Record) bool { return r.Act == staff.DidReveal })
	if i < 0 || list[i].Detail["reason"] != "visit" {
		t.Fatalf("audit %+v", list)
	}
	if strings.Contains(other.get("/console/people/1").body, "林桂英") {
		t.Error("another session sees it too")
	}
	if strings.Contains(one.get("/console/people/11").body, "13800002001") {
		t.Error("another person is revealed too")
	}
	d.now = d.now.Add(6 * time.Minute)
	if strings.Contains(one.get("/console/people/1").body, "林桂英") {
		t.Error("still revealed after six minutes")
	}
	one.post("/console/people/1/reveal")
	if page := one.post("/console/people/1/hide"); strings.Contains(page.body, "林桂英") {
		t.Error("still revealed after hiding")
	}
}

func TestEveryLookListAndSearchIsWrittenToTheAudit(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	b := d.login("town")
	b.get("/console/people/1")
	b.get("/console/people")
	b.post("/console/people/find", "sought", "林桂英")
	for act, object := range map[string]string{staff.DidLook: "person:1", staff.DidList: "", staff.DidSearch: ""} {
		if d.audited("town", act, object) == 0 {
			t.Errorf("no line of %s", act)
		}
	}
	if n, err := d.store.VerifyAudit(t.Context()); n < 5 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
}

func TestWhoIsOutsideTheRegionIsNotThere(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	b := d.login("town")
	for id, want := range map[int]int{1: 200, 3: 404, 4: 404, 999: 404} {
		if got := b.get(fmt.Sprintf("/console/people/%d", id)).status; got != want {
			t.Errorf("person %d: %d, want %d", id, got, want)
		}
		if got := b.post(fmt.Sprintf("/console/people/%d/reveal", id)).status; got != want {
			t.Errorf("revealing %d: %d, want %d", id, got, want)
		}
	}
	if d.audited("town", staff.DidReveal, "person:4") > 0 {
		t.Error("a reveal that did not happen is in the audit")
	}
	for _, sought := range []string{"李小明", "440111198808088819", "13900004321", "陈大文"} {
		if page := b.post("/console/people/find", "sought", sought); page.path != "/console/people?found=0" {
			t.Errorf("%s was found: %s", sought, page.path)
		}
	}
	if page := b.get("/console/people?found=1,3,4"); strings.Contains(page.body, "/console/people/4\"") || !strings.Contains(page.body, "/console/people/1\"") {
		t.Error("ids in an address lead beyond the region")
	}
	for _, region := range []string{"", "44", "440111", "441802105"} {
		if page := b.get("/console/people?region=" + region); strings.Contains(page.body, "/console/people/4\"") || strings.Contains(page.body, "/console/people/3\"") {
			t.Errorf("region %q leads beyond the member's own", region)
		}
	}
}

func TestASearchIsExactAndItsAddressHoldsNothingPersonal(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "")
	b := d.login("op")
	for _, sought := range []string{"林桂英", "441802195803124421", "441802 1958 0312 4421", "138 0000 1234", " 13800001234 "} {
		if page := b.post("/console/people/find", "sought", sought); page.path != "/console/people/1" {
			t.Errorf("%q led to %s", sought, page.path)
		}
	}
	for _, sought := range []string{"林桂", "桂英", "1380000", "4418021958", ""} {
		if page := b.post("/console/people/find", "sought", sought); page.path != "/console/people?found=0" {
			t.Errorf("%q led to %s", sought, page.path)
		}
	}
	list, err := d.store.ListAudit(t.Context(), "op", "", 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if strings.Contains(fmt.Sprint(r.Actor, r.Act, r.Object, r.Detail), "林") || strings.Contains(fmt.Sprint(r.Actor, r.Act, r.Object, r.Detail), "1958") {
			t.Errorf("the audit holds what was sought: %+v", r)
		}
	}
}

func TestPagesFollowEachOtherAndNobodyIsLeftOutOrShownTwice(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "441802")
	b := d.login("op")
	seen, path := map[string]int{}, "/console/people"
	next := regexp.MustCompile(`href="(/console/people\?after=[^"]+)"`)
	for path != "" {
		page := b.get(path)
		for _, m := range regexp.MustCompile(`class="strong" href="/console/people/([0-9]+)"`).FindAllStringSubmatch(page.body, -1) {
			seen[m[1]]++
		}
		path = ""
		if m := next.FindStringSubmatch(page.body); m != nil {
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
}

func TestWhatPeopleAreCalledCanNotActOnThePage(t *testing.T) {
	d := newDesk(t)
	d.add("op", staff.Operator, "441802")
	b := d.login("op")
	page := b.post("/console/people/2/reveal")
	if strings.Contains(page.body, "<script>alert") || strings.Contains(page.body, "<img src=x") {
		t.Error("a name is not escaped")
	}
	if !strings.Contains(page.body, "&lt;script&gt;alert") {
		t.Error("the name is not shown")
	}
}
