package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/notify"
)

func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, file := range []string{"cli.", "faults."} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "locales", file+lang+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(raw, &texts); err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

func TestTheCommandsTextsAreTheSameInBothLanguagesAndAllUsed(t *testing.T) {
	zh, en := catalogue(t, "zh-Hans"), catalogue(t, "en")
	holes := regexp.MustCompile(`\{\{\.\w+\}\}`)
	for key, text := range zh {
		a, b := holes.FindAllString(text, -1), holes.FindAllString(en[key], -1)
		slices.Sort(a)
		slices.Sort(b)
		if en[key] == "" || !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s: %q and %q have not the same placeholders", key, text, en[key])
		}
	}
	for key := range en {
		if zh[key] == "" {
			t.Errorf("%s is in English alone", key)
		}
	}
	code := source(t)
	for key := range zh {
		made := strings.HasPrefix(key, "help_") || strings.HasPrefix(key, "flag_") || strings.HasPrefix(key, "var_") ||
			strings.HasPrefix(key, "menu_") || slices.ContainsFunc(families(), func(f string) bool { return strings.HasPrefix(key, f+".") }) // made of a command's, flag's or flow's name, or of a code
		if !made && !strings.Contains(code, `"`+key+`"`) {
			t.Errorf("%s is used nowhere", key)
		}
	}
}

// families are the kinds of codes that have words.
func families() []string {
	return []string{"warn", "state", "halt", "unreadable", "refusal", "doubt", "review", "role", "kind", "fault", "condition", "wait", "skip", "proof", "failed", "unreached", "visit", "code"}
}

func TestEveryCampaignStateAndHaltHasWords(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		w := textsFor(lang, "")
		for _, s := range notify.CampaignStates() {
			if w.t("state."+string(s)) == "state."+string(s) {
				t.Errorf("%s: state %s has no word", lang, s)
			}
		}
		for kind, codes := range map[string][]string{
			"review": {"approved", "in_review", "refused", "unknown"}, "kind": fictional.Kinds(),
			"role": {"author", "approver", "operator", "township", "auditor", "admin"},
		} {
			for _, code := range codes {
				if w.t(kind+"."+code) == kind+"."+code {
					t.Errorf("%s: %s %s has no word", lang, kind, code)
				}
			}
		}
		for _, why := range []string{"content", "failures", "numbers", "refused", "outage", "request"} {
			if w.t("halt."+why) == "halt."+why {
				t.Errorf("%s: halt %s has no words", lang, why)
			}
		}
	}
}

// The report keeps codes; people read words.
func TestAnImportSaysInWordsWhatIsWrong(t *testing.T) {
	env := goodEnv(t)
	env["LANG"] = "zh_CN.UTF-8"
	migrated(t, env)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"old.xls": "\xd0\xcf\x11\xe0" + strings.Repeat("\x00", 600), "page.xlsx": "<html></html>", "empty.csv": "", "half.xlsx": "PK\x03\x04abc",
		"other.csv": "a,b\n1,2\n", "people.csv": "姓名,身份证号\n甲天,123\n,\n甲地,\n甲玄,1.23E+17\n,441881198003040012\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	raw := regexp.MustCompile(`unreadable\.|refusal\.|id_|name_|_missing|no such|cannot|it is`)
	for file, want := range map[string]string{
		"old.xls": "旧的 .xls", "page.xlsx": "网页", "empty.csv": "空的", "half.xlsx": "已损坏", "other.csv": "身份证号", "none.csv": "没有这个文件", ".": "文件夹",
	} {
		_, stderr, code := call(t, env, "import", "people", filepath.Join(dir, file))
		if code != exitFailed || !strings.Contains(stderr, want) || raw.MatchString(strings.ReplaceAll(stderr, dir, "")) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, said %q", file, code, stderr)
		}
	}
	out, stderr, code := call(t, env, "import", "people", filepath.Join(dir, "people.csv"), "--report", filepath.Join(dir, "report.json"))
	if code != exitDone || !strings.Contains(out, "身份证号不对") || raw.MatchString(out) {
		t.Errorf("exit %d, said %s%s", code, out, stderr)
	}
	report, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil || !strings.Contains(string(report), `"reason": "id_invalid"`) {
		t.Errorf("%s %v", report, err)
	}
	if _, stderr, code := call(t, env, "import", "people", filepath.Join(dir, "people.csv"), "--set", "身高=1"); code != exitUsage || !strings.Contains(stderr, "people 没有这一列") {
		t.Errorf("exit %d, said %q", code, stderr)
	}
}

func TestAFaultyCampaignFileIsExplainedInWords(t *testing.T) {
	env := goodEnv(t)
	env["LANG"] = "zh_CN.UTF-8"
	migrated(t, env)
	good := "name: 甲\nkind: policy_guidance\naudience: {all: [{age: {gte: 18}}]}\nchannels: [sms]\ntemplate: none\n"
	path := filepath.Join(t.TempDir(), "c.yaml")
	for change, want := range map[[2]string]string{
		{"kind: policy", "kin: policy"}: "第 2 行：不认识的项 kin", {"name: 甲\n", ""}: "缺 name", {"policy_guidance", "letters"}: "kind 不能是“letters”",
		{"[sms]", "[sms, sms]"}: "写了两次", {"gte: 18", "gte: old"}: "值“old”不对", {"age:", "years:"}: "没有字段“years”", {"gte:", "over:"}: "不能用“over”",
		{"kind:", "  kind:"}: "行附近的写法不对", {"[sms]", "sms"}: "值的类型不对 sms", {"name: 甲", "window: 8-20\nname: 甲"}: "window 不能是“8-20”",
		{"name: 甲", "schedule: soon\nname: 甲"}: "schedule 不能是“soon”", {good, ""}: "空的", {"", ""}: "没有登记过这个模板",
	} {
		if err := os.WriteFile(path, []byte(strings.Replace(good, change[0], change[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, stderr, code := call(t, env, "campaign", "preview", "-f", path)
		if code != exitFailed || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "fault.") || strings.Contains(stderr, "notify") {
			t.Errorf("%v: exit %d, said %q", change, code, stderr)
		}
	}
}

func TestEveryRefusalHasWords(t *testing.T) {
	for _, code := range []register.Reason{
		register.IDMissing, register.IDInvalid, register.IDMangled, register.NameMissing, register.DuplicateInFile, register.NameConflict,
		register.PersonUnknown, register.RegionUnknown, register.RegionOutside, register.RequiredMissing, register.ValueInvalid,
	} {
		if w := textsFor("zh", ""); strings.HasPrefix(w.refusal(code), "refusal.") {
			t.Errorf("%s has no words", code)
		}
	}
	for _, why := range []register.Unreadable{
		register.NoSuchFile, register.MayNotRead, register.IsFolder, register.IsEmpty, register.NotASheet, register.OldWorkbook, register.WebPage,
		register.TooLarge, register.BrokenOff, register.UnpacksLarge, register.NoVisiblePage, register.NoHeader,
	} {
		if w := textsFor("zh", ""); w.word("unreadable", string(why)) == string(why) {
			t.Errorf("%s has no words", why)
		}
	}
}

func source(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.String()
}
