package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
)

// A person answers "1" to one of several invitations: which one it is shows by the extension number that the reply comes
// back with, where the account has such numbers. Everything by the doors: commands, and what the carrier pushes or queues.

// The courses begin on different days, by which the confirmations tell which of them somebody was signed up for.
const (
	electrician = "2099/01/02"
	housework   = "2099/03/04"
)

const invitations = `templates:
  - key: come_and_learn
    kind: training_invitation
    sms: {code: SMS_910001, type: notification, content: "您好，${course}免费开班，想来请回复1，不来回复2。", params: {course: "{{.Course.Name}}"}}
  - key: come_and_work
    kind: job_posting
    sms: {code: SMS_910002, type: notification, content: "您好，${job}在招人，想去请回复1，不去回复2。", params: {job: "{{.Job.Title}}"}}
`

// prepared puts courses, a posting and the invitations' texts on file.
func (w *town) invites() {
	w.t.Helper()
	w.registerReplies()
	w.imported("courses", "培训名称,培训机构,地点,行政区划代码,开班日期,名额\n电工班,示范技校,英德,441881000000,2099-01-02,20\n家政班,示范技校,英德,441881000000,2099-03-04,20\n")
	w.imported("jobs", "单位名称,岗位名称,人数,工作地点,行政区划代码,截止日期\n示范厂,缝纫工,5,英德,441881000000,2099-12-31\n")
	w.registered(invitations)
}

// invited sends everybody an invitation to a course or a posting, and gives the campaign's id.
func (w *town) invited(to string) string {
	w.t.Helper()
	kind, template, param := "training_invitation", "come_and_learn", "course"
	if to == "缝纫工" {
		kind, template, param = "job_posting", "come_and_work", "job"
	}
	path := filepath.Join(w.t.TempDir(), "invitation.yaml")
	text := fmt.Sprintf("name: %s\nkind: %s\naudience: {all: [{region: {within: \"441881\"}}]}\nchannels: [sms]\ntemplate: %s\nparams: {%s: %s}\nwindow: \"\"\n", to, kind, template, param, to)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	lines := strings.Fields(w.command("campaign", "create", "-f", path, "--as", "chen"))
	id := lines[len(lines)-1]
	w.command("campaign", "submit", id, "--as", "chen")
	w.command("campaign", "approve", id, "--as", "li")
	w.until(id, "finished", done)
	return id
}

// texts are those that hold some words, oldest first.
func (w *town) texts(phone, words string) (list []sandbox.SMSMessage) {
	for _, m := range w.box.Messages(phone) {
		if strings.Contains(m.Text, words) {
			list = append(list, m)
		}
	}
	return list
}

// answers sends back some words to the text about something, and gives what comes in reply.
func (w *town) answers(phone, about, words string) string {
	w.t.Helper()
	to := ""
	if about != "" {
		list := w.texts(phone, about+"免费开班")
		if about == "缝纫工" {
			list = w.texts(phone, about+"在招人")
		}
		if len(list) == 0 {
			w.t.Fatalf("%s got no text about %s", phone, about)
		}
		to = list[len(list)-1].BizID
	}
	before := len(w.box.Messages(phone))
	if err := w.box.AnswerSMS(phone, to, words); err != nil {
		w.t.Fatal(err)
	}
	return w.next(phone, before)
}

// next is the text that comes after so many.
func (w *town) next(phone string, before int) string {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if list := w.box.Messages(phone); len(list) > before {
			return list[before].Text
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s is not answered: %+v", phone, w.box.Replies(phone))
		}
	}
}

func (w *town) hears(phone, about, words, want string) {
	w.t.Helper()
	if got := w.answers(phone, about, words); !strings.Contains(got, want) {
		w.t.Errorf("%q to %q is answered by %s, want %s", words, about, got, want)
	}
}

// pushesReplies lets the carrier push to the town.
func pushesReplies(w *town) { w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}}) }

func TestStoryAOneAnswersTheInvitationThatItWasSentTo(t *testing.T) {
	eachTown(t, 4, with("LINGJULI_SMS_EXTEND_CODES=90000-90009"), func(w *town) {
		w.box.SetExtendCodes("90000", "90001", "90002", "90003", "90004", "90005", "90006", "90007", "90008", "90009")
		pushesReplies(w)
		w.invites()
		w.invited("电工班")
		w.invited("家政班")
		w.invited("缝纫工")
		w.hears(w.phone(0), "电工班", "1", electrician) // the oldest of three
		w.hears(w.phone(0), "缝纫工", "1", "您想去这个岗位")
		w.hears(w.phone(0), "家政班", "好的", housework)
		w.hears(w.phone(1), "家政班", "1", housework)
		w.hears(w.phone(1), "电工班", "N", "不给您报名") // a question is open there: it is an answer, no opt-out
		w.hears(w.phone(1), "缝纫工", "2", "这个岗位您不去")
		w.hears(w.phone(2), "电工班", "我的医保", "没有查到") // a question of their own, wherever they write it
		w.hears(w.phone(2), "家政班", "退订", "停发")
		w.hears(w.phone(2), "电工班", "1", electrician) // an answer is heard after it
		var found bytes.Buffer
		_ = run(w.t.Context(), []string{"doctor"}, strings.NewReader(""), &found, io.Discard, func(name string) string { return w.env[name] })
		if !strings.Contains(found.String(), "10 extension numbers; 9 of the last 9 replies came back with one") {
			w.t.Error(found.String())
		}
	})
}

func TestStoryWithoutExtensionNumbersAOneAnswersTheLatestQuestion(t *testing.T) {
	// The account has none of its own, whatever was configured: the carrier takes none, and every reply comes back alike.
	for name, env := range map[string]string{"none": "LINGJULI_SMS_PRICE=0.045", "configured in vain": "LINGJULI_SMS_EXTEND_CODES=90000-90009"} {
		t.Run(name, func(t *testing.T) {
			eachTown(t, 2, with(env), func(w *town) {
				w.box.SetExtendCodes()
				pushesReplies(w)
				w.invites()
				w.invited("家政班")
				w.hears(w.phone(1), "", "医保", "没有查到")
				w.hears(w.phone(1), "", "0", "1医保") // the conversation asks by numbers, and then an invitation comes
				w.invited("电工班")
				w.hears(w.phone(0), "家政班", "1", electrician)
				w.hears(w.phone(1), "家政班", "1", electrician)
				w.hears(w.phone(1), "", "0", "1医保") // asked after the invitation: the number answers this
				w.hears(w.phone(1), "", "1", "没有查到")
			})
		})
	}
}

func TestStoryANumberThatNamesNothingOpenAnswersNothingElse(t *testing.T) {
	eachTown(t, 2, with("LINGJULI_SMS_EXTEND_CODES=91,92,93,94"), func(w *town) {
		w.box.SetExtendCodes("91", "92", "93", "94")
		pushesReplies(w)
		w.invites()
		w.invited("电工班")
		week := int64(8 * 24 * time.Hour / time.Microsecond) // and a day: the invitation is over, its numbers may be given again
		for _, change := range []string{
			"campaigns SET updated_at = updated_at - %d", "calls SET updated_at = updated_at - %[1]d, begun_at = begun_at - %[1]d, presented_at = presented_at - %[1]d",
			"deliveries SET updated_at = updated_at - %d",
		} {
			w.sql(fmt.Sprintf("UPDATE "+change, week))
		}
		w.invited("家政班")
		old, now := w.texts(w.phone(0), "电工班")[0].ExtendCode, w.texts(w.phone(0), "家政班")[0].ExtendCode
		if old == "" || now == "" || old == now {
			w.t.Errorf("the numbers are %q and %q: one rests as long as others are free", old, now)
		}
		w.hears(w.phone(0), "电工班", "1", "这件事短信里办不了") // it is over, and a one there is no answer to what is open
		w.hears(w.phone(0), "家政班", "1", housework)

		w.hears(w.phone(1), "电工班", "退订", "停发") // the next does not go to them
		w.invited("缝纫工")
		if again := w.texts(w.phone(0), "缝纫工")[0].ExtendCode; again != old {
			w.t.Errorf("%q went out, %q was free", again, old)
		}
		w.hears(w.phone(0), "缝纫工", "1", "您想去这个岗位")
		w.hears(w.phone(1), "电工班", "1", "这件事短信里办不了") // the number is another campaign's by now, that asked them nothing

		before := len(w.box.Messages(w.phone(0)))
		for range 2 { // a number that was never ours says nothing; the carrier did not hear us, and pushes it again
			w.pushesReply(w.phone(0), "2", "5555", "900001")
		}
		if got := w.next(w.phone(0), before); !strings.Contains(got, "这个岗位您不去") {
			w.t.Errorf("answered by %s", got)
		}
		w.hears(w.phone(0), "家政班", "1", housework)
		if got := w.texts(w.phone(0), "这个岗位您不去"); len(got) != 1 {
			w.t.Errorf("a reply that was pushed twice was answered %d times", len(got))
		}
	})
}

// pushesReply is the carrier pushing a reply by its documented form (help.aliyun.com 60127).
func (w *town) pushesReply(phone, content, dest, sequence string) {
	w.t.Helper()
	body, err := json.Marshal([]map[string]any{{
		"phone_number": phone, "send_time": "2026-09-01 00:00:00", "content": content, "sign_name": "零距离", "dest_code": dest, "sequence_id": json.Number(sequence),
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	if status := w.pushes("/sms-up", string(body)); status != http.StatusOK {
		w.t.Fatalf("status %d", status)
	}
}

// pushes posts what the carrier would, and gives the status of the answer.
func (w *town) pushes(path, body string) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.base+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	client := &http.Client{Timeout: 10 * time.Second}
	r, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

func TestStoryOnePhoneOfTwoHouseholdsAnswersForTheOneWhoseTextItWas(t *testing.T) {
	const phone = "13900007777"
	both := func(w *town) {
		w.invites()
		sheet := "姓名,身份证号,手机号,行政区划代码,户编号\n"
		for i, name := range []string{"乙金", "乙木"} {
			sheet += fmt.Sprintf("%s,%s,%s,441881000000,户%d\n", name, fictional.IDNumber("441881", "1980-03-04", 200+i), phone, 900+i)
		}
		w.imported("people", sheet)
	}
	t.Run("with extension numbers", func(t *testing.T) {
		eachTown(t, 0, with("LINGJULI_SMS_EXTEND_CODES=90-99"), func(w *town) {
			w.box.SetExtendCodes("90", "91", "92", "93", "94", "95", "96", "97", "98", "99")
			pushesReplies(w)
			both(w)
			w.invited("电工班")
			list := w.texts(phone, "电工班免费开班")
			if len(list) != 2 || list[0].ExtendCode == list[1].ExtendCode {
				w.t.Fatalf("%+v", list)
			}
			for i, m := range list { // who answers both is signed up twice: once for each of the two people
				before := len(w.box.Messages(phone))
				if err := w.box.AnswerSMS(phone, m.BizID, "1"); err != nil {
					w.t.Fatal(err)
				}
				if got := w.next(phone, before); !strings.Contains(got, electrician) {
					w.t.Errorf("%d: %s", i, got)
				}
			}
			if n := w.count("SELECT count(DISTINCT person_id) FROM signups"); n != 2 {
				w.t.Errorf("%d people are signed up, want 2", n)
			}
		})
	})
	t.Run("without", func(t *testing.T) {
		eachTown(t, 0, nil, func(w *town) {
			pushesReplies(w)
			both(w)
			w.invited("电工班")
			w.hears(phone, "电工班", "1", "12333") // nothing tells them apart: by telephone
			if n := w.count("SELECT count(*) FROM signups"); n != 0 {
				w.t.Errorf("%d people are signed up", n)
			}
		})
	})
}

func TestStoryRepliesFromTheQueueNameTheirInvitationToo(t *testing.T) {
	queue := "Alicom-Queue-1000000000000001-"
	eachTown(t, 2, func(w *town) {
		delete(w.env, "LINGJULI_CALLBACK_SECRET") // nothing is pushed
		with("LINGJULI_SMS_EXTEND_CODES=90000-90009", "LINGJULI_ALIYUN_RECEIPTS=mns", "LINGJULI_ALIYUN_QUEUES="+queue+"SmsReport,"+queue+"SmsUp",
			"LINGJULI_ALIYUN_TOKEN_ENDPOINT="+w.aliyun, "LINGJULI_ALIYUN_QUEUE_ENDPOINT="+w.aliyun)(w)
		w.box.SetReceipts(sandbox.Receipts{Queued: true, QueueHiddenSeconds: 0.5, DuplicatePercent: 30})
		w.box.SetExtendCodes("90000", "90001", "90002", "90003")
	}, func(w *town) {
		w.invites()
		w.invited("电工班")
		w.invited("家政班")
		w.hears(w.phone(0), "电工班", "1", electrician)
		w.hears(w.phone(1), "家政班", "1", housework)
	})
}
