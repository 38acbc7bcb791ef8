package flows

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// broken is the embedded book with one file changed.
func broken(t *testing.T, file, from, to string) (*Book, error) {
	t.Helper()
	dir := fstest.MapFS{}
	sub, err := fs.Sub(definitions, "definitions")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(sub, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(sub, name)
		if err != nil {
			t.Fatal(err)
		}
		if name == file {
			if !strings.Contains(string(raw), from) {
				t.Fatalf("%s does not hold %q", file, from)
			}
			raw = []byte(strings.Replace(string(raw), from, to, 1))
		}
		dir[name] = &fstest.MapFile{Data: raw}
	}
	return load(dir)
}

func TestLintFindsEachFault(t *testing.T) {
	texts := catalogue(t)
	for _, c := range []struct{ fault, file, from, to, finding string }{
		{"a step nothing leads to", "identity.yaml", "{go: id}", "{go: send}", "step id is never reached"},
		{"a dead end", "wishes.yaml", "    - {id: set, do: set_language, with: {language: $language}}", "    - {id: set, decide: [{go: set}]}", "dead end"},
		{"a circle", "identity.yaml", "{id: enough, say: bind.enough, go: failed}", "{id: enough, say: bind.enough, go: enough}", "circle"},
		{"a missing text", "menu.yaml", "welcome.hello", "welcome.gone", `"welcome.gone" is missing in yue-Hant`},
		{"an unused text", "menu.yaml", "    - say: greeting.welcome\n", "", `"greeting.welcome" is used nowhere`},
		{"a value nothing sets", "menu.yaml", "say: greeting.hello", "say: bind.again", "takes left, which nothing sets"},
		{"a request the host doesn't know", "identity.yaml", "look_up: identity", "look_up: oracle", "knows no oracle"},
		{"an argument too few", "identity.yaml", "with: {code: $code}", "with: {}", "check_code needs code"},
		{"an argument too many", "cover.yaml", "with: {insurance: medical}", "with: {insurance: medical, year: x}", "takes no year"},
		{"an argument nothing sets", "identity.yaml", "with: {code: $code}", "with: {code: $gone}", "takes $gone, which nothing sets"},
		{"a target that is no step", "identity.yaml", "go: failed", "go: gone", "goes to gone, which is no step"},
		{"an option that leads nowhere", "identity.yaml", "go: none_came}", "go: gone}", "leads to gone, which is no step"},
		{"an offer that is no flow", "menu.yaml", "{offer: [main_menu, human]}", "{offer: [gone]}", "offers gone, which is no flow"},
		{"a call that is no flow", "wishes.yaml", "call: opt_out", "call: gone", "calls gone, which is no flow"},
		{"a decision without an else", "identity.yaml", "        - {go: late}\n", "", "the last way out"},
		{"a decision by what nothing sets", "identity.yaml", "{when: {check: right}, go: done}", "{when: {gone: right}, go: done}", "decides by gone"},
		{"an unknown validator", "identity.yaml", "as: name,", "as: nick,", `"nick" is no validator`},
		{"a word that leads two ways", "menu.yaml", "words: [不办了, 不办, 唔辦喇]", "words: [继续]", `"继续" leads two ways`},
		{"an intent without a flow", "work.yaml", "intents: [startup]", "intents: []", "intent startup starts no flow"},
		{"an intent that is none", "work.yaml", "intents: [startup]", "intents: [startup, party]", "party is no intent"},
		{"an unknown guard", "cover.yaml", "needs: bound", "needs: money", `needs "money" is unknown`},
		{"a template that isn't there", "sms.yaml", "template: reply_office", "template: reply_missing", "reply_missing is no reply template"},
		{"a template's variable not filled", "sms.yaml", "params: {phone: $phone}", "params: {}", "needs phone"},
		{"a template's variable too many", "sms.yaml", "params: {phone: $phone}", "params: {phone: $phone, name: x}", "takes no name"},
		{"a template in a flow that never speaks there", "menu.yaml", "- say: welcome.back", "- {say: welcome.back, sms: {template: reply_opted_in}}", "never runs on SMS"},
		{"a template too long", "replies.yaml", "谢谢您。", "谢谢您。" + strings.Repeat("长", 150), "at most 2"},
		{"a template that is one big variable", "replies.yaml", "您好，没有查到本号码登记人的这项记录。请打电话${phone}问。", "${phone}", "one big variable"},
		{"two templates of one code", "replies.yaml", "code: SMS_2002", "code: SMS_2003", "both are SMS_2003"},
		{"two variables that touch", "replies.yaml", "请打电话${phone}，或者", "请打电话${phone}${phone}，或者", "two variables touch"},
		{"a variable nothing fills", "replies.yaml", "请打电话${phone}，或者", "请打电话${phone}，${who}或者", "nothing fills ${who}"},
		{"a line without a number", "settings.yaml", `fraud: "96110"`, `fraud: ""`, "no telephone for fraud"},
		{"bounds out of order", "settings.yaml", "sure: 0.5", "sure: 0.95", "maybe <= sure <= certain"},
		{"a built-in flow gone", "menu.yaml", "id: nothing_more", "id: nothing", "nothing_more is missing"},
		{"a choice of one", "menu.yaml", "          - {label: resume.drop, means: \"no\", words: [不办了, 不办, 唔辦喇], go: \"@drop\"}\n", "", "want 2 to 9 choices"},
		{"a word that holds everywhere taken for an answer", "menu.yaml", "words: [不办了, 不办, 唔辦喇]", "words: [人工]", "which holds everywhere"},
		{"an end without a way on", "wishes.yaml", "    - {id: bye, end: {offer: [main_menu]}}", "    - {id: bye, end: {offer: [opt_in]}}", "neither the menu nor a person"},
		{"a template in Traditional", "replies.yaml", "您好，没有查到本号码登记人", "您好，沒有查到本号码登记人", "holds Traditional characters"},
		{"items that come from no look-up", "training.yaml", "save: course, go: show, from: search}", "save: course, go: show, from: page}", "which looks nothing up"},
		{"a choice shown by what nothing sets", "training.yaml", "when: {more: \"yes\"}, words: [更多", "when: {gone: \"yes\"}, words: [更多", "shows a choice by gone"},
		{"an SMS flow that is none", "work.yaml", "on_sms: sms_jobs", "on_sms: jobs", "jobs does not answer by SMS"},
		{"a meaning that is none", "menu.yaml", `means: "no"`, `means: "perhaps"`, "neither yes nor no"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			b, err := broken(t, c.file, c.from, c.to)
			if err != nil {
				t.Fatal(err)
			}
			found := b.Lint(texts)
			for _, f := range found {
				if strings.Contains(f, c.finding) {
					return
				}
			}
			t.Errorf("want %q, found %q", c.finding, found)
		})
	}
}

func TestABookOfTheWrongFormIsNotLoaded(t *testing.T) {
	for _, c := range []struct{ fault, file, from, to string }{
		{"an unknown field", "menu.yaml", "title: title.menu", "titel: title.menu"},
		{"a step of two kinds", "menu.yaml", "- say: welcome.hello", "- {say: welcome.hello, call: human}"},
		{"a step of no kind", "menu.yaml", "- say: welcome.hello", "- {go: s2}"},
		{"a step twice", "identity.yaml", "id: enough", "id: locked"},
		{"a flow twice", "menu.yaml", "id: scanned", "id: welcome"},
		{"an intent in two flows", "menu.yaml", "intents: [thanks]", "intents: [greeting]"},
		{"a flow without steps", "menu.yaml", "- id: welcome", "- id: empty\n- id: welcome"},
	} {
		if _, err := broken(t, c.file, c.from, c.to); err == nil {
			t.Errorf("%s was loaded", c.fault)
		}
	}
}

func TestTheOfficeOfTheNarrowestRegionAnswers(t *testing.T) {
	b, err := broken(t, "settings.yaml", `- {region: "", phone: "12345"}`,
		"- {region: \"\", phone: \"12345\"}\n  - {region: \"441802\", phone: \"0763-1\"}\n  - {region: \"441802103\", phone: \"0763-2\"}")
	if err != nil {
		t.Fatal(err)
	}
	for region, want := range map[string]string{"": "12345", "440100000000": "12345", "441802000000": "0763-1", "441802103201": "0763-2"} {
		if got := b.Line("office", region); got != want {
			t.Errorf("%s calls %s, want %s", region, got, want)
		}
	}
	if b.Line("medical", "441802103201") != "12393" || b.Line("nothing", "") != "12345" {
		t.Error("lines by topic")
	}
}
