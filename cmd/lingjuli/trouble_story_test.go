package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// What goes wrong in the middle of a campaign, through the doors: a template that is withdrawn, two colleagues who approve
// at once, a platform that answers nonsense; and what visits bring.

func TestStoryATemplateWithdrawnInTheMiddleHaltsAndTheRestGoesOnWhereItStood(t *testing.T) {
	eachTown(t, 24, nil, func(w *town) {
		list, err := notify.ParseTemplates(demoTemplates)
		if err != nil {
			w.t.Fatal(err)
		}
		due := list[0].SMS
		review := func(refused bool) {
			w.t.Helper()
			if err := w.box.AddTemplate(sandbox.SMSTemplate{Code: due.Code, Name: "due", Type: string(due.Type), Content: due.Content, Refused: refused}); err != nil {
				w.t.Fatal(err)
			}
		}
		id, _ := w.halfway(24)
		review(true)
		w.budget("none")
		w.command("campaign", "resume", id, "--as", "li")
		s := w.until(id, "halted", func(s notify.Status) bool { return s.State == notify.Halted })
		sent := s.Accepted
		if sent != 12 || s.Failed != 0 {
			w.t.Fatalf("%+v", s)
		}
		review(false)                       // the cause is gone: it is staff who say that it goes on
		time.Sleep(1500 * time.Millisecond) // a sweep or two, in which nothing may go
		if s, n := w.status(id), w.box.Stats().SMS.Recipients; s.State != notify.Halted || s.Accepted != sent || s.Failed != 0 || s.Total != 24 || int64(n) != sent {
			w.t.Errorf("halted, and yet %d texts: %+v", n, s)
		}
		if text := w.command("campaign", "status", id); !strings.Contains(text, "isv.SMS_TEMPLATE_ILLEGAL") {
			w.t.Errorf("the reason is not said: %s", text)
		}
		w.command("campaign", "resume", id, "--as", "li")
		w.wants(w.until(id, "finished", done), 24, "accepted 24")
	})
}

func TestStoryATemplateChangedInTheMiddleHaltsAndWhoeverWasRefusedGetsTheirText(t *testing.T) {
	const people = 60
	eachTown(t, people, nil, func(w *town) {
		list, err := notify.ParseTemplates(demoTemplates)
		if err != nil {
			w.t.Fatal(err)
		}
		due := list[0].SMS
		changed := func(more string) {
			w.t.Helper()
			if err := w.box.AddTemplate(sandbox.SMSTemplate{Code: due.Code, Name: "due", Type: string(due.Type), Content: due.Content + more}); err != nil {
				w.t.Fatal(err)
			}
		}
		id, _ := w.halfway(people)
		changed("办事点${where}。") // somebody put another variable into it at the platform
		w.budget("none")
		w.command("campaign", "resume", id, "--as", "li")
		s := w.until(id, "halted", func(s notify.Status) bool { return s.State != notify.Running })
		if s.State != notify.Halted || s.Reason != "halt.everybody" || s.Accepted != people/2 || s.Failed != 0 {
			w.t.Fatalf("%+v", s)
		}
		if text := w.command("campaign", "status", id); !strings.Contains(text, "isv.TEMPLATE_MISSING_PARAMETERS") {
			w.t.Errorf("the reason is not said: %s", text)
		}
		changed("")
		w.command("campaign", "resume", id, "--as", "li")
		w.wants(w.until(id, "finished", done), people, fmt.Sprintf("accepted %d", people))
		if stats := w.box.Stats().SMS; stats.Duplicates != 0 {
			w.t.Errorf("the carrier counts %d texts twice", stats.Duplicates)
		}
	})
}

func TestStoryOfTwoApprovalsAtOnceOneCountsAndNobodyGetsTwoTexts(t *testing.T) {
	eachTown(t, 30, nil, func(w *town) {
		password := strings.NewReader("another-password-1\n")
		var out, stderr bytes.Buffer
		env := func(name string) string { return w.env[name] }
		if code := run(w.t.Context(), []string{"staff", "add", "mo", "--role", "approver", "--password-stdin"}, password, &out, &stderr, env); code != exitDone {
			w.t.Fatal(stderr.String())
		}
		lines := strings.Fields(w.command("campaign", "create", "-f", w.write("sms", "", ""), "--as", "chen"))
		id := lines[len(lines)-1]
		w.command("campaign", "submit", id, "--as", "chen")
		var together sync.WaitGroup
		codes := make([]int, 4)
		said := make([]bytes.Buffer, len(codes))
		for i := range codes {
			together.Go(func() {
				codes[i] = run(w.t.Context(), []string{"campaign", "approve", id, "--as", []string{"li", "mo"}[i%2]}, strings.NewReader(""), &bytes.Buffer{}, &said[i], env)
			})
		}
		together.Wait()
		approved := 0
		for i, code := range codes {
			switch code {
			case exitDone:
				approved++
			default:
				if text := said[i].String(); code != exitFailed || strings.Count(text, "\n") != 1 || strings.Contains(text, "notify:") {
					w.t.Errorf("exit %d: %s", code, text)
				}
			}
		}
		if approved != 1 {
			w.t.Errorf("%d approvals count, want 1", approved)
		}
		w.wants(w.until(id, "finished", done), 30, "accepted 30")
		if n := w.count("SELECT count(*) FROM audit WHERE act = 'campaign.approved'"); n != 1 {
			w.t.Errorf("%d approvals are in the audit", n)
		}
	})
}

func TestStoryAPlatformThatAnswersNonsenseCostsNobodyAnything(t *testing.T) {
	quick := with("LINGJULI_UNCONFIRMED_LOOKS=300ms,900ms", "LINGJULI_REQUEST_VALIDITY=2s")
	for name, kind := range map[string]sandbox.FaultKind{"never taken": sandbox.FaultGarbage, "taken all the same": sandbox.FaultGarbageAfterAccept, "an empty page": sandbox.FaultEmpty} {
		t.Run(name, func(t *testing.T) {
			eachTown(t, 20, quick, func(w *town) {
				if err := w.box.SetFaults(sandbox.Fault{Action: "SendBatchSms", Kind: kind, Times: 1}); err != nil {
					w.t.Fatal(err)
				}
				id := w.campaign("sms", "")
				w.wants(w.until(id, "finished", done), 20, "accepted 20")
				if stats := w.box.Stats().SMS; stats.Duplicates != 0 {
					w.t.Errorf("the carrier counts %d texts twice", stats.Duplicates)
				}
			})
		})
	}
	t.Run("in receipts", func(t *testing.T) {
		eachTown(t, 3, nil, func(w *town) {
			id := w.campaign("sms", "")
			w.until(id, "taken", func(s notify.Status) bool { return s.Accepted == 3 })
			out := w.box.Messages(w.phone(0))[0].OutID
			sound, err := json.Marshal(map[string]any{
				"phone_number": w.phone(0), "success": true, "err_code": "DELIVERED", "out_id": out, "sms_size": "1", "report_time": "2026-09-01 00:00:00",
			})
			if err != nil {
				w.t.Fatal(err)
			}
			for body, want := range map[string]int{
				"": http.StatusBadRequest, "<html>502</html>": http.StatusBadRequest, `[{"phone_number":{}}]`: http.StatusBadRequest, "[1,null," + string(sound) + `,{"out_id":"x"}]`: http.StatusOK,
			} {
				if got := w.pushes("/sms-report", body); got != want {
					w.t.Errorf("%q: %d, want %d", body, got, want)
				}
			}
			s := w.until(id, "told", func(s notify.Status) bool { return s.Delivered == 1 })
			if s.Accepted != 2 || s.Failed != 0 {
				w.t.Errorf("%+v", s)
			}
		})
	})
}

func TestStoryATextThatIsLostOnTheWayGoesAgainAtOnceAndOneThatArrivedIsLookedFor(t *testing.T) {
	const people = 20
	for name, c := range map[string]struct {
		kind  sandbox.FaultKind
		looks string
		spent int
	}{
		"lost on the way": {sandbox.FaultCloseBeforeAccept, "60s,6m", 0}, // nobody waits for the looks
		"its answer lost": {sandbox.FaultCloseAfterAccept, "2s,5s", 1},
	} {
		t.Run(name, func(t *testing.T) {
			eachTown(t, people, with("LINGJULI_UNCONFIRMED_LOOKS="+c.looks, "LINGJULI_REQUEST_VALIDITY=30m"), func(w *town) {
				if err := w.box.SetFaults(sandbox.Fault{Action: batch, Kind: c.kind, Times: 1}); err != nil {
					w.t.Fatal(err)
				}
				w.wants(w.until(w.campaign("sms", ""), "finished", done), people, fmt.Sprint("accepted ", people))
				if s := w.box.Stats().SMS; s.Sends != 1 || s.Recipients != people || s.Refused["SignatureNonceUsed"] != c.spent {
					w.t.Errorf("the carrier took %d calls with %d texts and refused %v", s.Sends, s.Recipients, s.Refused)
				}
				if n := w.count("SELECT count(*) FROM calls WHERE state = 'accepted'"); n != 1 || w.count("SELECT count(*) FROM calls") != 1 {
					w.t.Errorf("%d calls were accepted", n)
				}
			})
		})
	}
}

func TestStoryWhatVisitsBringIsOnTheListInTheCountsAndOnFile(t *testing.T) {
	eachTown(t, 8, nil, func(w *town) {
		codes := map[string]string{}
		for i := range 7 {
			codes[w.phone(i)] = "MOBILE_NOT_ON_SERVICE"
		}
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}, PhoneCodes: codes})
		id := w.campaign("sms", "")
		w.until(id, "told", func(s notify.Status) bool { return s.Failed == 7 && s.Delivered == 1 })
		list := w.unreached(id)
		if list.Total != 7 || len(list.People) != 7 {
			w.t.Fatalf("%+v", list)
		}
		w.command("staff", "add", "wang", "--role", "township", "--region", "441881")
		const number = "13900007777"
		for i, visit := range []string{"reached", "not_home", "wrong_number", "moved_away", "died", "refused", "reached"} {
			args := []string{"visit", list.People[i].RowCode, visit, "--as", "wang"}
			if i < 6 {
				args = append(args, "--campaign", id)
			}
			if i == 6 { // for the latest campaign that did not reach them, with a number
				args = append(args, "--phone", number)
			}
			if text := w.command(args...); !strings.Contains(text, list.People[i].RowCode+" recorded: ") {
				w.t.Error(text)
			}
		}
		after := w.unreached(id)
		if after.Visits[notify.VisitReached] != 2 || after.Visits[notify.VisitDied] != 1 || after.Settled != 3 || after.LeftOut[notify.OptedOut] != 1 || after.LeftOut[notify.IsDeceased] != 1 {
			w.t.Errorf("%+v", after.unreachedHead)
		}
		for i, p := range after.People {
			if want := []notify.VisitOutcome{"reached", "not_home", "wrong_number", "moved_away", "died", "refused", "reached"}[i]; p.Visit != want {
				w.t.Errorf("%+v, want %s", p, want)
			}
		}
		if open := w.unreached(id, "--open"); len(open.People) != 2 {
			w.t.Errorf("still open: %+v", open.People)
		}
		if s := w.status(id); s.Visits[notify.VisitReached] != 2 || s.Failed != 7 || s.Total != 8 {
			w.t.Errorf("%+v", s)
		}
		if text := w.command("campaign", "unreached", id); !strings.Contains(text, "visited 2: told") || !strings.Contains(text, "→ moved away") {
			w.t.Error(text)
		}
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		s := w.until(w.campaign("sms", ""), "told", func(s notify.Status) bool { return s.State == notify.Finished && s.Accepted == 0 })
		if s.Skipped[notify.IsDeceased] != 1 || s.Skipped[notify.OptedOut] != 1 || s.Skipped[notify.PhoneDoubted] != 1 || s.Delivered != 5 || w.got(number) != 1 {
			w.t.Errorf("the next campaign: %+v, %d to the new number", s, w.got(number))
		}
		w.refusedVisits(id, list.People[0].RowCode)
	})
}

// refusedVisits are those that can't be recorded, each with one line that says why.
func (w *town) refusedVisits(id, code string) {
	w.t.Helper()
	w.command("staff", "add", "far", "--role", "township", "--region", "440111")
	for _, c := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{code, "reached", "--as", "far"}, exitFailed, "nobody in your region"},
		{[]string{code, "reached", "--as", "chen"}, exitFailed, ""},
		{[]string{"AAAA", "reached", "--as", "wang"}, exitUsage, "no row code"},
		{[]string{code, "gone", "--as", "wang"}, exitUsage, ""},
		{[]string{code, "died", "--phone", "13900001111", "--as", "wang"}, exitUsage, "a new number goes with"},
		{[]string{code, "reached", "--phone", "12", "--as", "wang"}, exitUsage, "no telephone number"},
		{[]string{code, "reached", "--campaign", "99", "--as", "wang"}, exitFailed, "nobody of that campaign"},
	} {
		var stderr bytes.Buffer
		got := run(w.t.Context(), append([]string{"visit"}, c.args...), strings.NewReader(""), &bytes.Buffer{}, &stderr, func(name string) string { return w.env[name] })
		if got != c.exit || !strings.Contains(stderr.String(), c.says) {
			w.t.Errorf("%v: exit %d, %s", c.args, got, fmt.Sprint(stderr.String()))
		}
	}
	if s := w.status(id); s.Visits[notify.VisitReached] != 2 {
		w.t.Errorf("%+v", s.Visits)
	}
}
