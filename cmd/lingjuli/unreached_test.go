package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/locales"
	"github.com/lingjuli/lingjuli/notify"
)

func TestTheCommandSaysWhyInTheConsolesWords(t *testing.T) {
	console, err := locales.LoadConsole()
	if err != nil {
		t.Fatal(err)
	}
	for lang, cli := range map[string]texts{locales.ConsoleChinese: textsFor("zh_CN.UTF-8", ""), locales.ConsoleEnglish: textsFor("en_US.UTF-8", "")} {
		for _, why := range notify.UnreachedWhys() {
			want, ok := console.Text(lang, "unreached_why."+string(why), nil)
			if got := cli.word("unreached", string(why)); !ok || got != want {
				t.Errorf("%s %s: %q and %q", lang, why, got, want)
			}
		}
		for _, o := range notify.VisitOutcomes() {
			want, ok := console.Text(lang, "visit."+string(o), nil)
			if got := cli.word("visit", string(o)); !ok || got != want {
				t.Errorf("%s %s: %q and %q", lang, o, got, want)
			}
		}
		for _, why := range notify.SkipReasons() {
			want, ok := console.Text(lang, "skip."+string(why), nil)
			if got := cli.word("skip", string(why)); !ok || got != want {
				t.Errorf("%s %s: %q and %q", lang, why, got, want)
			}
		}
	}
}

// unreachedList is what `campaign unreached --json` prints.
type unreachedList struct {
	unreachedHead
	People []unreachedPerson `json:"people"`
}

func (w *town) unreached(id string, more ...string) (list unreachedList) {
	w.t.Helper()
	text := w.command(append([]string{"campaign", "unreached", id, "--json"}, more...)...)
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		w.t.Fatalf("%v: %s", err, text)
	}
	return list
}

func TestStoryWhoseTelephoneNobodyAnswersIsOnTheTownshipsListWithTheReason(t *testing.T) {
	eachTown(t, 5, nil, func(w *town) {
		dead := "MOBILE_NOT_ON_SERVICE"
		w.box.SetReceipts(sandbox.Receipts{
			Bases:      []string{w.base},
			PhoneCodes: map[string]string{w.phone(0): dead, w.phone(1): dead, w.phone(2): dead, w.phone(3): dead},
			VoiceCodes: map[string]string{w.phone(0): "200000", w.phone(1): "200003", w.phone(2): "200004", w.phone(3): "200001:2"},
		})
		// The campaign ends before a second call two hours later could be made.
		id := w.campaign("sms, voice", "expires: "+time.Now().Add(time.Hour).Format(time.RFC3339)+"\n")
		w.wants(w.until(id, "finished", done), 5, "delivered 2, failed 3")
		list := w.unreached(id)
		if list.Total != 3 || len(list.People) != 3 || list.Open != 0 {
			w.t.Fatalf("%+v", list)
		}
		want := []unreachedPerson{
			{Reason: notify.WhyNotAnswered, Channel: notify.Voice, Code: "200003"},
			{Reason: notify.WhyDeadNumber, Channel: notify.Voice, Code: "200004"},
			{Reason: notify.WhyHungUp, Channel: notify.Voice, Code: "200001"},
		}
		for i, p := range list.People {
			if p.Reason != want[i].Reason || p.Channel != want[i].Channel || p.Code != want[i].Code || p.RowCode != notify.RowCode(p.PersonID) || !strings.HasPrefix(p.Name, "甲*") {
				w.t.Errorf("%+v, want %+v", p, want[i])
			}
		}
		w.toldInWords(id)
	})
}

// toldInWords reads the same list as text, as a table, and for places where there is nobody.
func (w *town) toldInWords(id string) {
	w.t.Helper()
	w.env["LANG"] = "zh_CN.UTF-8"
	if text := w.command("campaign", "unreached", id); !strings.Contains(text, "没联系上 3 人") || !strings.Contains(text, "电话没人接") {
		w.t.Error(text)
	}
	file := filepath.Join(w.t.TempDir(), "list.csv")
	w.command("campaign", "unreached", id, "--region", "441881", "--csv", file)
	raw, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 4 || strings.Contains(string(raw), "1390000") || strings.Contains(string(raw), "甲"+han(1)) {
		w.t.Errorf("%q, %v", rows, err)
	}
	if list := w.unreached(id, "--region", "441802"); list.Total != 0 || len(list.People) != 0 {
		w.t.Errorf("another county: %+v", list)
	}
}
