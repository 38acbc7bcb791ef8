package console_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/console"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
	"github.com/lingjuli/lingjuli/notify"
)

const password = "correct horse battery"

// desk is the console over a real store of staff and audit, and a fictional county.
type desk struct {
	t      *testing.T
	store  *store.Store
	staff  *staff.Service
	county *county
	office *office
	kin    *kin
	server *httptest.Server
	now    time.Time
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, store: storetest.SQLite(t), county: fictionalCounty(), now: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)}
	hasher, err := staff.NewHasher()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	clock := func() time.Time { return d.now.Add(time.Since(began)) }
	d.staff = &staff.Service{Accounts: d.store, Logins: d.store, Hasher: hasher, Now: clock}
	d.office = &office{now: d.now, status: map[int64]notify.Status{}, audit: func(e staff.Entry) error {
		return d.store.AppendAudit(context.Background(), e)
	}, template: notify.Template{Key: "medical_premium_due", Kind: notify.PremiumReminder, SMS: &notify.SMSTemplate{
		Code: "SMS_1001",
		Type: notify.SMSNotification, Content: "${name}您好，今年的城乡居民医保还没缴费，请在${deadline}前缴清。有疑问请打12393。",
		Params: map[string]string{"name": "{{.Person.ShortName}}", "deadline": "{{.Params.deadline}}"},
	}}}
	d.county.note = d.store.AppendAudit
	d.kin = &kin{county: d.county, audit: d.store.AppendAudit}
	handler, err := console.New(console.Config{
		Family: d.kin, Codes: d.kin, Witnesses: d.kin, Bindings: d.kin,
		Staff: d.staff, Audit: d.store, People: d.county, Regions: d.county, Counts: d.county,
		Campaigns: d.office, Forecast: d.office, Books: d.store, Inbox: deskInbox{d.store}, Unreached: d.county, Sessions: d.store.StaffSessions(clock), SignName: "零距离", Location: time.FixedZone("CST", 8*3600), Now: clock,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.server = httptest.NewServer(handler)
	t.Cleanup(d.server.Close)
	return d
}

// deskInbox is the store's inbox without a bell.
type deskInbox struct{ *store.Store }

func (i deskInbox) AnswerInbox(ctx context.Context, scope register.Scope, id int64, a register.InboxAnswer) error {
	a.Office = "12345"
	_, _, err := i.Store.AnswerInbox(ctx, scope, id, a)
	return err
}

// add makes a member of staff.
func (d *desk) add(name string, role staff.Role, region string) staff.Member {
	d.t.Helper()
	m, _, err := d.staff.Add(d.t.Context(), "os:test", staff.Member{Name: name, Role: role, Region: region}, password)
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

// browser is one member's browser.
type browser struct {
	*desk
	http *http.Client
}

func (d *desk) browser() *browser {
	d.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return &browser{d, &http.Client{Jar: jar}}
}

// login opens a browser and logs a member in.
func (d *desk) login(name string) *browser {
	d.t.Helper()
	b := d.browser()
	if p := b.post("/console/login", "name", name, "password", password); p.path != "/console/" {
		d.t.Fatalf("login of %s led to %s: %s", name, p.path, p.body)
	}
	return b
}

// answer is what came back after redirects.
type answer struct {
	status int
	path   string // with the query
	body   string
	header http.Header
}

func (b *browser) do(req *http.Request) answer {
	b.t.Helper()
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Request.URL.RequestURI(), string(body), res.Header}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(path string, pairs ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(req)
}

// audited counts the audit's lines of an act by an actor on an object; empty strings match all.
func (d *desk) audited(actor, act, object string) int {
	d.t.Helper()
	list, err := d.store.ListAudit(d.t.Context(), actor, object, 0, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	n := 0
	for _, r := range list {
		if r.Act == act || act == "" {
			n++
		}
	}
	return n
}
