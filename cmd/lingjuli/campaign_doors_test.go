package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// What the campaign commands print and refuse, to the letter of the doors.

// object runs a command that prints JSON, and reads it by the names it stands under.
func (w *town) object(args ...string) map[string]any {
	w.t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(w.command(args...)), &o); err != nil {
		w.t.Fatal(err)
	}
	return o
}

// named checks that an object has these names and no others.
func (w *town) named(what string, object any, names ...string) {
	w.t.Helper()
	o, ok := object.(map[string]any)
	slices.Sort(names)
	if got := slices.Sorted(maps.Keys(o)); !ok || !slices.Equal(got, names) {
		w.t.Errorf("%s: %v, want %v", what, object, names)
	}
}

// statusNames are those of `status --json`; later come those that docs/operating.md adds where there is something to say.
func statusNames(later ...string) []string {
	return append([]string{
		"id", "state", "reason", "total", "planned", "queued", "sending", "accepted", "delivered", "failed", "unconfirmed", "skipped", "by_channel", "started_at", "finished_at", "cost_yuan",
	}, later...)
}

// printed is `status --json` of a campaign that stands as wanted, checked as far as it must hold of each.
func (w *town) printed(id, state string, total float64, names []string) map[string]any {
	w.t.Helper()
	s := w.object("campaign", "status", id, "--json")
	w.named(state, s, names...)
	if fmt.Sprint(s["id"]) != id || s["state"] != state || s["reason"] != "" || s["total"] != total {
		w.t.Errorf("%s: %v", state, s)
	}
	sum := 0.0
	for _, name := range []string{"planned", "queued", "sending", "accepted", "delivered", "failed", "unconfirmed"} {
		sum += w.number(s, name)
	}
	for _, object := range []string{"skipped", "by_channel"} {
		o, ok := s[object].(map[string]any)
		if !ok {
			w.t.Errorf("%s: %s is %v", state, object, s[object])
		}
		for name := range o {
			if n := w.number(o, name); object == "skipped" {
				sum += n
			}
		}
	}
	if sum != total {
		w.t.Errorf("%s: the states add up to %v of %v: %v", state, sum, total, s)
	}
	return s
}

func (w *town) number(o map[string]any, name string) float64 {
	w.t.Helper()
	n, ok := o[name].(float64)
	if !ok {
		w.t.Errorf("%s is %v, no number", name, o[name])
	}
	return n
}

// at reads a time; the zero one stands for null.
func (w *town) at(o map[string]any, name string) (at time.Time) {
	w.t.Helper()
	if o[name] == nil {
		return at
	}
	text, _ := o[name].(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		w.t.Errorf("%s: %v", name, err)
	}
	return at
}

func TestStatusAndPreviewAsJSONHaveTheNamesOfTheDoors(t *testing.T) {
	eachTown(t, 4, nil, func(w *town) {
		if err := w.box.SetFaults(sandbox.Fault{Kind: sandbox.FaultRefuseMember, Phones: []string{w.phone(1)}}); err != nil {
			w.t.Fatal(err)
		}
		preview := w.object("campaign", "preview", "-f", w.write("sms", "", ""), "--json")
		w.named("preview", preview, "matched", "reachable", "unreachable", "segments", "cost_yuan", "samples", "warnings")
		w.named("reachable", preview["reachable"], "wechat", "sms", "voice")
		w.named("nobody is unreachable", preview["unreachable"])
		samples, _ := preview["samples"].([]any)
		for _, sample := range samples {
			w.named("sample", sample, "channel", "text")
		}
		if w.number(preview, "matched") != 4 || w.number(preview, "segments") != 1 || w.number(preview, "cost_yuan") != 0.18 || len(samples) == 0 {
			w.t.Errorf("%v", preview)
		}
		if warnings, ok := preview["warnings"].([]any); !ok || len(warnings) != 1 { // any hour is wider than the hours in which texts are welcome
			w.t.Errorf("warnings are %v", preview["warnings"])
		} else {
			w.named("warning", warnings[0], "key", "data")
		}
		w.named("unreachable", w.object("campaign", "preview", "-f", w.write("wechat", "", ""), "--json")["unreachable"], "no_channel")

		before := time.Now().Truncate(time.Second)
		id := w.draft("sms", "")
		if s := w.printed(id, "draft", 0, statusNames()); s["started_at"] != nil || s["finished_at"] != nil {
			w.t.Errorf("a draft: %v", s)
		}
		w.budget("0.09") // two texts
		w.command("campaign", "submit", id, "--as", "chen")
		w.command("campaign", "approve", id, "--as", "li")
		w.until(id, "held for money", func(s notify.Status) bool { // what was kept for whoever is refused has gone to another
			return s.Accepted == 2 && s.Failed == 1 && s.Waiting[notify.ForBudget] > 0 && s.Queued+s.Sending == 0
		})
		s := w.printed(id, "running", 4, statusNames("next_at", "waiting", "failed_reasons", "rate", "cost_by_channel"))
		started := w.at(s, "started_at")
		if started.Before(before) || started.After(time.Now()) || s["finished_at"] != nil || !w.at(s, "next_at").After(time.Now()) {
			w.t.Errorf("%v", s)
		}
		w.budget("none")
		w.until(id, "finished", done)
		s = w.printed(id, "finished", 4, statusNames("failed_reasons", "cost_by_channel"))
		if ended := w.at(s, "finished_at"); !w.at(s, "started_at").Equal(started) || ended.Before(started) || ended.After(time.Now()) {
			w.t.Errorf("%v", s)
		}
		w.named("skipped", s["skipped"])
		w.named("by_channel", s["by_channel"], "sms")
		if w.number(s, "accepted") != 3 || w.number(s, "failed") != 1 {
			w.t.Errorf("%v", s)
		}
		w.named("failed_reasons", s["failed_reasons"], "isv.MOBILE_NUMBER_ILLEGAL")
		w.named("cost_by_channel", s["cost_by_channel"], "sms")
		if w.number(s, "cost_yuan") != 0.135 { // the one who was refused costs nothing
			w.t.Errorf("%v", s)
		}
		w.command("staff", "add", "wang", "--role", "township", "--region", "441881")
		w.command("visit", w.unreached(id).People[0].RowCode, "reached", "--as", "wang")
		w.printed(id, "finished", 4, statusNames("failed_reasons", "cost_by_channel", "visits"))
	})
}

func TestNobodyApprovesByCommandWhatTheyWroteOrWhereItIsForbidden(t *testing.T) {
	eachTown(t, 2, nil, func(w *town) {
		stands := func(id string, want notify.CampaignState) {
			w.t.Helper()
			if s := w.status(id); s.State != want || s.Total != 0 {
				w.t.Errorf("%+v, want %s", s, want)
			}
		}
		id := strings.TrimSpace(w.command("campaign", "create", "-f", w.write("sms", "", "schedule: 2999-01-01T00:00:00+08:00\n"), "--as", "admin"))
		w.refused("(draft)", "campaign", "approve", id, "--as", "li")
		w.command("campaign", "submit", id, "--as", "admin")
		w.refused("may not approve it", "campaign", "approve", id, "--as", "admin")
		w.refused("role", "campaign", "approve", id, "--as", "chen")
		stands(id, notify.Submitted)
		w.env["LINGJULI_CLI_APPROVE"] = "off"
		w.refused("LINGJULI_CLI_APPROVE", "campaign", "approve", id, "--as", "li")
		stands(id, notify.Submitted)
		if n := w.count("SELECT count(*) FROM audit WHERE act = 'campaign.approved'"); n != 0 {
			w.t.Errorf("%d approvals are in the audit", n)
		}
		w.command("campaign", "return", id, "--as", "li", "--note", "请写清楚") // the other acts are not approvals
		stands(id, notify.Draft)
		w.command("campaign", "submit", id, "--as", "chen") // whoever submits it, the admin wrote it
		delete(w.env, "LINGJULI_CLI_APPROVE")
		w.refused("may not approve it", "campaign", "approve", id, "--as", "admin")
		stands(id, notify.Submitted)
		w.command("campaign", "approve", id, "--as", "li")
		stands(id, notify.Approved)
	})
}

// watching is `status --watch` beside the server.
type watching struct {
	out    *heard
	stderr bytes.Buffer
	code   chan int
}

func (w *town) watches(ctx context.Context, id string, then func()) *watching {
	v := &watching{out: &heard{some: make(chan struct{})}, code: make(chan int, 1)}
	go func() {
		out := &telling{to: v.out, then: then}
		v.code <- run(ctx, []string{"campaign", "status", id, "--watch"}, strings.NewReader(""), out, &v.stderr, func(name string) string { return w.env[name] })
	}()
	return v
}

// telling writes, and does something after each line.
type telling struct {
	to   *heard
	then func()
}

func (s *telling) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	if s.then != nil {
		s.then()
	}
	return n, err
}

// ends waits for the watch to end, done and without complaint, and gives its lines.
func (v *watching) ends(t testing.TB) []string {
	t.Helper()
	select {
	case code := <-v.code:
		if code != exitDone || v.stderr.Len() > 0 {
			t.Errorf("exit %d: %s", code, v.stderr.String())
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the watch goes on")
	}
	return strings.Split(strings.TrimSuffix(v.out.String(), "\n"), "\n")
}

func (v *watching) begins(t testing.TB) {
	t.Helper()
	select {
	case <-v.out.some:
	case <-time.After(2 * time.Minute):
		t.Fatal("the watch says nothing")
	}
}

func TestAWatchEndsWithItsCampaignOrWithWhoeverWatches(t *testing.T) {
	eachTown(t, 4, nil, func(w *town) {
		w.budget("0.09") // two texts
		id := w.campaign("sms", "")
		w.until(id, "held for money", func(s notify.Status) bool { return s.Waiting[notify.ForBudget] == 2 && s.Accepted == 2 })
		watch := w.watches(w.t.Context(), id, nil)
		watch.begins(w.t)
		w.budget("none")
		lines := watch.ends(w.t)
		if first, last := lines[0], lines[len(lines)-2]; first != "running  total 4  waiting 2  accepted 2  delivered 0  failed 0  unconfirmed 0  skipped 0" ||
			last != "finished  total 4  waiting 0  accepted 4  delivered 0  failed 0  unconfirmed 0  skipped 0" || lines[len(lines)-1] != "  cost so far 0.18 yuan, what is not answered yet included" {
			w.t.Errorf("%q", lines)
		}
		if slices.ContainsFunc(lines[:5], func(line string) bool { return strings.Contains(line, " at present") }) {
			w.t.Errorf("a pace, while everybody waits: %q", lines)
		}
		if text := strings.Join(lines, "\n"); !strings.Contains(text, "  2 wait: this month's money is spent\n") {
			w.t.Error(text)
		}

		if err := w.box.SetFaults(sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultCode, Code: "isv.AMOUNT_NOT_ENOUGH", Message: "账户余额不足"}); err != nil {
			w.t.Fatal(err)
		}
		lines = w.watches(w.t.Context(), w.campaign("sms", ""), nil).ends(w.t)
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "Stopped: ") || !strings.Contains(last, "isv.AMOUNT_NOT_ENOUGH") || !strings.Contains(lines[len(lines)-2], "total 4") {
			w.t.Errorf("%q", lines)
		}

		w.window = localClock(w, time.Hour) + "-" + localClock(w, -time.Hour) // shut
		held := w.campaign("sms", "")
		for name, when := range map[string]func(stop func()) func(){
			"while it waits": func(func()) func() { return nil },
			"while it looks": func(stop func()) func() { return stop }, // after the first line, before the next question to the database
		} {
			ctx, stop := context.WithCancel(w.t.Context()) // as Ctrl-C does, see main
			watch := w.watches(ctx, held, when(stop))
			watch.begins(w.t)
			stop()
			if lines := watch.ends(w.t); strings.Contains(strings.Join(lines, "\n"), "finished") {
				w.t.Errorf("%s: %q", name, lines)
			}
		}
	})
}
