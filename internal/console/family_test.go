package console_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// kin keeps who speaks for whom in memory, by the store's rules: who is outside the scope is not there.
type kin struct {
	county  *county
	audit   func(context.Context, staff.Entry) error
	scenes  []string
	terms   []register.DoorTerms
	proxies []register.Proxy
	doubt   string
	away    bool // WeChat does not answer
}

const madeFor = "door_aaaaaaaaaaaaaaaaaaaaaaaaaa"

func (k *kin) OpenDoorstep(ctx context.Context, scope register.Scope, id int64, life time.Duration, by staff.Entry) (string, error) {
	if _, err := k.county.PersonRecord(ctx, scope, id); err != nil {
		return "", err
	}
	k.scenes = append(k.scenes, fmt.Sprint(id, " ", life))
	return madeFor, k.audit(ctx, by)
}

func (k *kin) OpenProxyDoor(ctx context.Context, scope register.Scope, id int64, life time.Duration, terms register.DoorTerms, by staff.Entry) (string, error) {
	r, err := k.county.PersonRecord(ctx, scope, id)
	if err != nil {
		return "", err
	}
	if r.Person.Phone.IsMobile() && k.doubt == "" {
		return "", register.ErrReachable
	}
	k.terms = append(k.terms, terms)
	return k.OpenDoorstep(ctx, scope, id, life, by)
}

func (k *kin) CreateCode(_ context.Context, scene string, life time.Duration) (string, error) {
	if k.away {
		return "", errors.New("wechat is away")
	}
	return "http://weixin.qq.com/q/" + scene + life.String(), nil
}

func (k *kin) PersonProxies(ctx context.Context, scope register.Scope, id int64, _ time.Time) ([]register.Proxy, error) {
	if _, err := k.county.PersonRecord(ctx, scope, id); err != nil || id != 1 {
		return nil, nil //nolint:nilerr // outside the scope there are none
	}
	return k.proxies, nil
}

func (k *kin) EndProxy(ctx context.Context, scope register.Scope, id, proxy int64, by staff.Entry) error {
	list, err := k.PersonProxies(ctx, scope, id, by.At)
	if err != nil || len(list) == 0 || list[0].ID != proxy {
		return errors.Join(err, register.ErrNotFound)
	}
	k.proxies = nil
	return k.audit(ctx, by)
}

func (k *kin) EndBinding(ctx context.Context, scope register.Scope, id int64, by staff.Entry) error {
	r, err := k.county.PersonRecord(ctx, scope, id)
	if err != nil || !r.Contact.WeChatBound {
		return errors.Join(err, register.ErrNotFound)
	}
	for i := range k.county.records {
		if k.county.records[i].Person.ID == id {
			k.county.records[i].Contact.WeChatBound = false
		}
	}
	return k.audit(ctx, by)
}

func (k *kin) PhoneDoubt(context.Context, register.Scope, int64) (string, error) { return k.doubt, nil }

func (k *kin) TrustPhone(ctx context.Context, scope register.Scope, id int64, by staff.Entry) error {
	if _, err := k.county.PersonRecord(ctx, scope, id); err != nil || k.doubt == "" {
		return errors.Join(err, register.ErrNotFound)
	}
	k.doubt = ""
	return k.audit(ctx, by)
}

func TestADoorstepCodeIsShownOnceToThoseWhoMayMakeIt(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	b := d.login("town")
	page := b.post("/console/people/1/doorstep")
	if page.status != 200 || !strings.Contains(page.body, `<svg class="code"`) || page.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", page.status, page.body)
	}
	if strings.Contains(page.body, madeFor) || strings.Contains(page.body, "weixin.qq.com") || strings.Contains(page.body, "林桂英") {
		t.Error("the page holds what the code holds, or a name")
	}
	if n := d.audited("town", staff.DidOpenDoorstep, "person:1"); n != 1 {
		t.Errorf("%d lines of audit", n)
	}
	if got := b.get("/console/people/1/doorstep"); got.status != 404 && got.status != 405 {
		t.Errorf("a code can be fetched: %d", got.status)
	}
	if got := b.post("/console/people/3/doorstep"); got.status != 404 || len(d.kin.scenes) != 1 {
		t.Errorf("somebody of another township: %d, %v", got.status, d.kin.scenes)
	}
	if got := b.post("/console/people/x/doorstep"); got.status != 404 {
		t.Errorf("nobody: %d", got.status)
	}
	for role, want := range map[staff.Role]int{staff.Author: 403, staff.Approver: 403, staff.Auditor: 403, staff.Operator: 200, staff.Admin: 200} {
		d.add("m-"+string(role), role, "")
		o := d.login("m-" + string(role))
		if got := o.post("/console/people/1/doorstep").status; got != want {
			t.Errorf("%s: %d, want %d", role, got, want)
		}
		if shown := strings.Contains(o.get("/console/people/1").body, "/doorstep"); shown != (want == 200) {
			t.Errorf("%s: the button is shown: %v", role, shown)
		}
	}
	d.kin.away = true
	if page := b.post("/console/people/1/doorstep"); page.status != 200 || strings.Contains(page.body, "<svg class=\"code\"") || !strings.Contains(page.body, "微信现在没有给出码") {
		t.Errorf("WeChat is away: %d", page.status)
	}
}

func TestWhoHasNeitherPhoneNorWeChatAgreesBeforeTheWorker(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	d.add("author", staff.Author, "")
	b, agreed := d.login("town"), []string{"relation", "father", "scope", "act", "months", "3", "consent", "spoken"}
	const door = "/console/people/2/doorstep/proxy"
	if strings.Contains(b.get("/console/people/2").body, door) {
		t.Error("somebody with a phone is not asked there")
	}
	if got := b.post(door, agreed...); got.status != 409 || !strings.Contains(got.body, "自己的手机或微信") {
		t.Errorf("somebody with a phone: %d", got.status)
	}
	d.kin.doubt = "invalid"
	if !strings.Contains(b.get("/console/people/2").body, door) {
		t.Error("there is no way for somebody whose number passed on")
	}
	if got := d.login("author").post(door, agreed...); got.status != 403 {
		t.Errorf("an author: %d", got.status)
	}
	for _, wrong := range [][]string{
		{"relation", "father", "months", "3"},
		{"relation", "boss", "months", "3", "consent", "spoken"},
		{"relation", "mother", "months", "3", "consent", "spoken"},
		{"relation", "father", "months", "60", "consent", "spoken"},
		{"relation", "father", "months", "3", "consent", "guessed"},
	} {
		if got := b.post(door, wrong...); got.status != 400 {
			t.Errorf("%v: %d", wrong, got.status)
		}
	}
	page := b.post(door, agreed...)
	if page.status != 200 || !strings.Contains(page.body, `<svg class="code"`) || strings.Contains(page.body, madeFor) {
		t.Fatalf("%d %s", page.status, page.body)
	}
	if len(d.kin.terms) != 1 || d.kin.terms[0].Relation != "father" || len(d.kin.terms[0].Scope) != 2 || d.kin.terms[0].Consent != register.ConsentSpoken || d.kin.terms[0].EndsOn == "" {
		t.Errorf("%+v", d.kin.terms)
	}
	if got := b.post("/console/people/3/doorstep/proxy", agreed...); got.status != 404 {
		t.Errorf("somebody of another township: %d", got.status)
	}
	if n := d.audited("town", staff.DidOpenDoorstep, "person:2"); n != 1 {
		t.Errorf("%d lines of audit", n)
	}
}

func TestADrawnCodeIsTheCodeItself(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	body := d.login("town").post("/console/people/1/doorstep").body
	want, err := qr.Encode("http://weixin.qq.com/q/"+madeFor+"10m0s", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	black := map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(body, -1) {
		n := make([]int, 4)
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		if n[2] != n[3] {
			t.Fatalf("a run that does not close: %v", m)
		}
		for x := range n[2] {
			black[[2]int{n[0] + x, n[1]}] = true
		}
	}
	for y := range want.Size {
		for x := range want.Size {
			if black[[2]int{x + 4, y + 4}] != want.Black(x, y) {
				t.Fatalf("module %d,%d is wrong", x, y)
			}
		}
	}
	if !strings.Contains(body, fmt.Sprintf(`viewBox="0 0 %d %d"`, want.Size+8, want.Size+8)) {
		t.Error("there is no quiet zone")
	}
}

func TestTheOfficeEndsAProxyAndTrustsANumberAgain(t *testing.T) {
	d := newDesk(t)
	d.kin.proxies = []register.Proxy{{ID: 9, PersonID: 1, Name: "林**", Who: "陈**", Relation: "mother", Scope: []string{register.ScopeLook}, EndsOn: "2027-03-01", State: register.ProxyGiven}}
	d.kin.doubt = "said"
	d.add("town", staff.Township, "441802103")
	d.add("reader", staff.Auditor, "")
	reader, b := d.login("reader"), d.login("town")
	if page := reader.get("/console/people/1").body; !strings.Contains(page, "陈**") || strings.Contains(page, "/proxies/9/end") || strings.Contains(page, "/phone/trust") {
		t.Error("who may only read sees buttons, or doesn't see the proxy")
	}
	if got := reader.post("/console/people/1/proxies/9/end").status; got != 403 {
		t.Errorf("who may only read ends it: %d", got)
	}
	page := b.get("/console/people/1").body
	for _, want := range []string{"谁在帮着查", "陈**", "子女", "只查看", "2027-03-01", "可能已经换了人", "打错了"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if got := b.post("/console/people/1/proxies/8/end").status; got != 404 {
		t.Errorf("another one's: %d", got)
	}
	if page := b.post("/console/people/1/proxies/9/end"); page.path != "/console/people/1?done=proxy" || strings.Contains(page.body, "陈**") {
		t.Errorf("%s", page.path)
	}
	if page := b.post("/console/people/1/phone/trust"); page.path != "/console/people/1?done=phone" || strings.Contains(page.body, "可能已经换了人") {
		t.Errorf("%s", page.path)
	}
	if got := b.post("/console/people/1/phone/trust").status; got != 404 {
		t.Errorf("nothing is doubted: %d", got)
	}
	if d.audited("town", staff.DidEndProxy, "person:1") != 1 || d.audited("town", staff.DidTrustPhone, "person:1") != 1 {
		t.Error("not in the audit")
	}
}

func TestABindingThatIsNotTheirsIsTakenAwayByTheTownship(t *testing.T) {
	d := newDesk(t)
	d.add("town", staff.Township, "441802103")
	d.add("reader", staff.Auditor, "")
	reader, b := d.login("reader"), d.login("town")
	const way = "/console/people/1/unbind"
	if strings.Contains(reader.get("/console/people/1").body, way) || reader.post(way).status != 403 {
		t.Error("who may only read takes it away")
	}
	if !strings.Contains(b.get("/console/people/1").body, way) || strings.Contains(b.get("/console/people/2").body, "/unbind") {
		t.Error("the button is not where somebody is bound, and there alone")
	}
	if got := b.post("/console/people/3/unbind").status; got != 404 {
		t.Errorf("somebody of another township: %d", got)
	}
	if page := b.post(way); page.path != "/console/people/1?done=unbound" || !strings.Contains(page.body, "已解除") || strings.Contains(page.body, way) {
		t.Errorf("%s %s", page.path, page.body)
	}
	if got := b.post(way).status; got != 404 {
		t.Errorf("nothing is left to take: %d", got)
	}
	if n := d.audited("town", staff.DidUnbind, "person:1"); n != 1 {
		t.Errorf("%d lines of audit", n)
	}
}
