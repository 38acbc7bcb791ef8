package console

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/locales"
	"github.com/lingjuli/lingjuli/notify"
)

// keysInUse gathers the keys that templates and code name outright.
func keysInUse(t *testing.T) map[string]string {
	t.Helper()
	keys := map[string]string{}
	gather := func(name, text string, patterns ...string) {
		for _, pattern := range patterns {
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
				keys[m[1]] = name
			}
		}
	}
	err := fs.WalkDir(embedded, "templates", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := embedded.ReadFile(name)
		gather(name, string(text), `\.T "([a-z_0-9.]+)"`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		gather(name, string(text), `v\.frame\("([a-z_.]+)"`, `problem\{Key: "([a-z_.]+)"`, `v\.showMatter\([^"]*"([a-z_.]+)"`, `add\("([a-z_.]+)"`, `f\.T\("([a-z_.]+)"`,
			`refusePassword\("([a-z_.]+)"`, `page\.Error = "([a-z_.]+)"`, `"(failure\.[a-z_]+)"`, `"(campaign\.(?:new|edit))"`)
	}
	return keys
}

// keysOfSets are those put together from closed sets.
func keysOfSets() (keys []string) {
	add := func(set string, values ...string) {
		for _, v := range values {
			keys = append(keys, set+"."+strings.ReplaceAll(v, ".", "_"))
		}
	}
	for _, r := range staff.Roles() {
		add("role", string(r))
	}
	add("as", "mother", "father", "spouse", "child", "grandparent", "relative")
	add("proxy_state", string(register.ProxyAsked), string(register.ProxyGiven))
	add("doubt", "invalid", "said")
	add("done", "phone", "proxy", "unbound")
	for _, k := range notify.CampaignKinds() {
		add("kind", string(k))
	}
	for _, s := range notify.CampaignStates() {
		add("state", string(s))
	}
	for _, s := range notify.DeliveryStates() {
		add("delivery", string(s))
	}
	for _, r := range notify.SkipReasons() {
		add("skip", string(r))
	}
	// Why a row failed: the ends of calls by telephone, and what has no platform's code.
	add("skip", "200001", "200002", "200003", "200004", "200005", "200007", "200010", "200011", "unknown", "text", "no_sender")
	for _, c := range notify.Channels() {
		add("channel", string(c))
	}
	for _, f := range register.Fields() {
		add("field", f.Name)
		for _, op := range viewField(f.Name).Ops {
			add("op", string(op))
		}
	}
	for _, g := range fieldGroups() {
		add("field_group", g.Name)
	}
	for _, a := range campaignActs() {
		add("act_button", a.Path)
		add("done", a.Done)
	}
	add("confirm", "approve", "cancel")
	add("reveal", revealReasons()...)
	add("sex", string(register.Male), string(register.Female))
	add("life", string(register.Alive), string(register.Deceased), string(register.MovedOut))
	add("insurance", string(register.Medical), string(register.Pension))
	add("cover_state", string(register.Enrolled), string(register.NotEnrolled), string(register.Stopped))
	add("premium_state", string(register.Paid), string(register.Unpaid), string(register.PartlyPaid))
	add("subsidy_state", string(register.Received), string(register.Reviewing), string(register.Publicised), string(register.Approved),
		string(register.PaidOut), string(register.Returned))
	add("home", "to_approve", "stopped", "running", "my_drafts", "waiting")
	add("form", "channel_0", "channel_1", "channel_2", "placeholder_text", "placeholder_number", "placeholder_date")
	add("audience", "match_all", "match_any")
	add("done", "left", "password", "saved")
	add("act", staff.DidLogIn, staff.DidFailLogIn, staff.DidLock, staff.DidLogOut, staff.DidConfirm, staff.DidChangePassword, staff.DidAddStaff,
		staff.DidList, staff.DidSearch, staff.DidLook, staff.DidReveal, staff.DidOpenDoorstep, staff.DidBind, staff.DidWitness, staff.DidTrustPhone, staff.DidUnbind, staff.DidEndProxy, staff.DidWrite, staff.DidSubmit, staff.DidApprove, staff.DidReturn,
		staff.DidExplain, staff.DidPause, staff.DidResume, staff.DidCancel, staff.DidReadAudit, staff.DidListUnreached, staff.DidPrint, staff.DidExport)
	for _, why := range notify.UnreachedWhys() {
		add("unreached_why", string(why))
	}
	add("unreached_column", "row_code", "place", "name", "phone", "why", "channel", "code", "at", "campaign")
	add("detail_by", "row_code")
	add("halt", "content", "failures", "numbers", "refused", "outage", "request")
	for _, s := range inboxStates() {
		add("inbox_state", string(s))
	}
	for _, topic := range inboxTopics() {
		add("inbox_topic", topic)
	}
	for _, o := range register.InboxOutcomes() {
		add("inbox_outcome", string(o))
	}
	for _, s := range notify.LetterStates() {
		add("letter", string(s))
		add("letter_says", string(s))
	}
	for _, s := range notify.NoticeStates() {
		add("notice", string(s))
	}
	add("skip", "unlisted")
	add("done", "inbox_answered", "inbox_closed", "inbox_passed")
	add("act", staff.DidListInbox, staff.DidLookInbox, staff.DidRevealInbox, staff.DidAnswerInbox, staff.DidCloseInbox, staff.DidPassInbox)
	add("object", "inbox")
	add("detail", "about", "outcome")
	add("object", "person", "campaign", "staff")
	add("detail", "by", "found", "count", "masked", "reason", "region", "name", "role", "try", "via", "note", "since")
	add("detail_reason", append(revealReasons(), "unstated")...)
	add("warn", "budget", "budget_part", "budget_more", "holiday", "holidays_unknown", "template_unasked", "template_waiting", "template_unknown", "template_refused", "hours", "channel_unserved", "texts_unfit")
	return keys
}

func TestEveryTextThatPagesNameStandsInBothLanguages(t *testing.T) {
	texts, err := locales.LoadConsole()
	if err != nil {
		t.Fatal(err)
	}
	keys := keysInUse(t)
	for _, key := range keysOfSets() {
		keys[key] = "a closed set"
	}
	if len(keys) < 250 {
		t.Fatalf("only %d keys were found: the patterns no longer fit the code", len(keys))
	}
	for key, where := range keys {
		for _, lang := range []string{locales.ConsoleChinese, locales.ConsoleEnglish} {
			if _, ok := texts.Text(lang, key, nil); !ok {
				t.Errorf("%s has no %s (%s)", lang, key, where)
			}
		}
	}
}
