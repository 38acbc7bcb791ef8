package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// What staff do, and what changes, in the middle of a campaign, through the doors.

// refused runs a command that must fail, with one line that says why.
func (w *town) refused(says string, args ...string) {
	w.t.Helper()
	var stderr bytes.Buffer
	code := run(w.t.Context(), args, strings.NewReader(""), &bytes.Buffer{}, &stderr, func(name string) string { return w.env[name] })
	if code != exitFailed || !strings.Contains(stderr.String(), says) || strings.Count(stderr.String(), "\n") != 1 {
		w.t.Errorf("%v: exit %d, %s, want %q", args, code, stderr.String(), says)
	}
}

// row is a villager's line of a sheet as the town's own has it, changed.
func (w *town) row(i int, phone, region, state string) string {
	return fmt.Sprintf("甲%s,%s,%s,%s,户%d,%s\n", han(i), fictional.IDNumber("441881", "1950-01-02", i), phone, region, i, state)
}

// halfway is a campaign that was paused when half had their text and the others not. Money for half is what makes it wait there,
// for as long as a slow machine likes; it goes on when there is more.
func (w *town) halfway(people int) (id string, left []int) {
	w.t.Helper()
	before := make([]int, people)
	for i := range people {
		before[i] = w.got(w.phone(i))
	}
	w.budget(fmt.Sprintf("%.3f", 0.045*float64(people/2))) // what a text costs
	id = w.campaign("sms", "")
	w.until(id, "half sent", func(s notify.Status) bool {
		return s.Waiting[notify.ForBudget] == int64(people-people/2) && s.Sending == 0
	})
	w.command("campaign", "pause", id, "--as", "li")
	for i := range people {
		if w.got(w.phone(i)) == before[i] {
			left = append(left, i)
		}
	}
	if s := w.status(id); s.State != notify.Paused || len(left) != people-people/2 || s.Accepted+s.Delivered != int64(people/2) {
		w.t.Fatalf("%d got nothing: %+v", len(left), s)
	}
	return id, left
}

// budget says what the province may spend this month.
func (w *town) budget(yuan string) {
	w.t.Helper()
	w.command("budget", "set", "--region", "44", "--month", time.Now().In(w.config().Zone).Format("2006-01"), "--yuan", yuan)
}

func TestStoryWhoChangesInTheMiddleIsJudgedAsTheyAreWhenTheirTurnComes(t *testing.T) {
	const people = 60
	eachTown(t, people, nil, func(w *town) {
		id, left := w.halfway(people)
		const number = "13900007777"
		gone, dead, changed, none := left[0], left[1], left[2], left[3]
		w.imported("people", "姓名,身份证号,手机号,行政区划代码,户编号,人员状态\n"+
			w.row(gone, w.phone(gone), "441802000000", "正常")+w.row(dead, w.phone(dead), "441881000000", "死亡")+
			w.row(changed, number, "441881000000", "正常")+w.row(none, "07633331234", "441881000000", "正常")+
			w.row(people, "13900008888", "441881000000", "正常")) // who comes after the plan is nobody's of this campaign
		w.budget("none")
		w.command("campaign", "resume", id, "--as", "li")
		w.wants(w.until(id, "finished", done), people, fmt.Sprintf("accepted %d, no_channel 1, no_longer_matches 1, deceased 1", people-3))
		for phone, want := range map[string]int{w.phone(gone): 0, w.phone(dead): 0, w.phone(changed): 0, number: 1, "13900008888": 0} {
			if got := w.got(phone); got != want {
				w.t.Errorf("%s got %d texts, want %d", phone, got, want)
			}
		}
		w.until(w.campaign("sms", ""), "sent as all are now", func(s notify.Status) bool { return done(s) && s.Total == people && s.Accepted == people-2 })
	})
}

func TestStoryACampaignCancelledInTheMiddleSendsNothingMoreAndSaysWhoGotIt(t *testing.T) {
	const people = 60
	eachTown(t, people, nil, func(w *town) {
		id, left := w.halfway(people)
		w.refused("paused", "campaign", "pause", id, "--as", "admin") // the other operator is told what a colleague did
		w.command("campaign", "resume", id, "--as", "admin")
		w.command("campaign", "cancel", id, "--as", "li")
		w.budget("none") // there is money for all the others, before they are taken out
		s := w.until(id, "drained", func(s notify.Status) bool { return s.Planned+s.Queued+s.Sending == 0 })
		sent := s.Accepted
		if sent != int64(people-len(left)) || s.State != notify.Cancelled || s.Failed != 0 || s.Skipped[notify.WasCancelled] != people-sent {
			w.t.Errorf("%+v", s)
		}
		time.Sleep(1500 * time.Millisecond) // a sweep or two, in which nothing may go
		w.wants(w.status(id), people, fmt.Sprintf("accepted %d, cancelled %d", sent, people-sent))
		for _, act := range []string{"resume", "pause", "cancel", "approve"} {
			w.refused("cancelled", "campaign", act, id, "--as", "admin")
		}
		w.until(w.campaign("sms", ""), "sent anew to all", func(s notify.Status) bool { return done(s) && s.Accepted == people })
	})
}

func TestStoryParametersThatDoNotFitAreSaidBeforeAnythingGoes(t *testing.T) {
	eachTown(t, 3, nil, func(w *town) {
		create := func(params string) []string {
			path := filepath.Join(w.t.TempDir(), "campaign.yaml")
			text := "name: 缴费提醒\nkind: premium_reminder\naudience: {all: []}\nchannels: [sms]\ntemplate: medical_premium_due\nwindow: \"\"\n" + params
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				w.t.Fatal(err)
			}
			return []string{"campaign", "create", "-f", path, "--as", "chen"}
		}
		w.refused("params lacks deadline", create("")...)
		w.refused("params lacks deadline", create("params: {dedline: 12月31日}\n")...)
		w.refused("params lacks deadline", create("params: {deadline: \" \"}\n")...)
		w.refused("the value of deadline can't stand in a text", create("params: {deadline: "+strings.Repeat("十二月三十一日", 6)+"}\n")...)
		w.refused("the value of deadline can't stand in a text", create("params: {deadline: \"www.example.com\"}\n")...)
		if n := w.count("SELECT count(*) FROM campaigns"); n != 0 {
			w.t.Errorf("%d campaigns were written", n)
		}
		id := strings.TrimSpace(w.command(create("params: {deadline: 12月31日}\n")...))
		w.registered(strings.Replace(dueTemplate, "PARAM", "{{.Params.office}}", 1)) // the template comes to ask for more before the submit
		w.refused("params lacks office", "campaign", "submit", id, "--as", "chen")
		w.registered(strings.Replace(dueTemplate, "PARAM", "清远", 1))
		w.command("campaign", "submit", id, "--as", "chen")
		w.registered(strings.Replace(dueTemplate, "PARAM", "{{.Params.office}}", 1)) // and after it: what was submitted goes
		w.command("campaign", "approve", id, "--as", "li")
		w.wants(w.until(id, "finished", done), 3, "accepted 3")
	})
}

const dueTemplate = `templates:
  - key: medical_premium_due
    kind: premium_reminder
    sms: {code: SMS_910003, type: notification, content: "${name}您好，请在${deadline}前缴清，问${office}。", params: {name: "{{.Person.ShortName}}", deadline: "{{.Params.deadline}}", office: "PARAM"}}
`

// registered has templates reviewed by the platform and on file.
func (w *town) registered(file string) {
	w.t.Helper()
	list, err := notify.ParseTemplates([]byte(file))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := (&platforms{box: w.box}).review(list); err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.t.TempDir(), "templates.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.command("template", "apply", "-f", path)
}

func TestStoryPhonesThatAllFailHaltTheCampaignAndWhoeverIsLeftIsListed(t *testing.T) {
	const people = 60
	eachTown(t, people, nil, func(w *town) {
		codes := map[string]string{}
		for i := range people {
			codes[w.phone(i)] = "MOBILE_NOT_ON_SERVICE"
		}
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}, PhoneCodes: codes})
		w.budget(fmt.Sprintf("%.3f", 0.045*40)) // forty go, whatever the machine: enough to tell, and some are left
		id := w.campaign("sms", "")
		s := w.until(id, "halted", func(s notify.Status) bool { return s.State == notify.Halted })
		if s.Reason != "halt.numbers" || s.Delivered != 0 || s.Total != people || s.Planned+s.Queued == 0 {
			w.t.Errorf("%+v", s)
		}
		if text := w.command("campaign", "status", id); !strings.Contains(text, "stopped") && !strings.Contains(text, "halted") {
			w.t.Errorf("not said: %s", text)
		}
		w.budget("none")
		w.command("campaign", "resume", id, "--as", "li") // the limit is doubled, beyond all numbers
		w.wants(w.until(id, "finished", func(s notify.Status) bool { return done(s) && s.Accepted == 0 }), people, fmt.Sprintf("failed %d", people))
		list := w.unreached(id)
		if list.Total != people || list.People[0].Reason != notify.WhyDeadNumber {
			w.t.Errorf("%d are listed, %+v", list.Total, list.People[0])
		}
	})
}
