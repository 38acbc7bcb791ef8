package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// Numbers that may be somebody else's by now, through the doors.

// doubts waits until a preview says how many a campaign by these channels leaves out for a number in doubt.
func (w *town) doubts(channels string, n int) {
	w.t.Helper()
	file := w.write(channels, "", "")
	for !strings.Contains(w.command("campaign", "preview", "-f", file, "--json"), fmt.Sprintf(`"doubted":%d`, n)) {
		time.Sleep(50 * time.Millisecond)
	}
}

// saysNotMe answers the latest text to a phone as somebody else.
func (w *town) saysNotMe(phone string) {
	w.t.Helper()
	if err := w.box.ReplySMS(phone, "你们打错了"); err != nil {
		w.t.Fatal(err)
	}
}

func TestStoryANumberInDoubtGetsNothingAndIsListedUntilStaffTrustItOrGiveAnother(t *testing.T) {
	eachTown(t, 5, nil, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}, PhoneCodes: map[string]string{w.phone(0): "INVALID_NUMBER"}})
		w.until(w.campaign("sms", ""), "told", func(s notify.Status) bool { return s.Failed == 1 && s.Delivered == 4 })
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		w.saysNotMe(w.phone(1))
		w.doubts("sms, voice", 2)
		w.env["LANG"] = "zh_CN.UTF-8"
		if text := w.command("campaign", "preview", "-f", w.write("sms, voice", "", "")); !strings.Contains(text, "号码可能是空号，或已经换了人") {
			w.t.Error(text)
		}
		id := w.campaign("sms, voice", "")
		s := w.until(id, "told", func(s notify.Status) bool { return s.State == notify.Finished && s.Delivered == 3 })
		if s.Skipped[notify.PhoneDoubted] != 2 || s.Total != 5 {
			w.t.Errorf("%+v", s)
		}
		for i := range 5 {
			if n := w.got(w.phone(i)); i < 2 && n != 1 || i >= 2 && n != 2 || len(w.box.Calls(w.phone(i))) != 0 {
				w.t.Errorf("person %d got %d texts and %d calls", i, n, len(w.box.Calls(w.phone(i))))
			}
		}
		if text := w.command("campaign", "status", id); !strings.Contains(text, "号码可能是空号，或已经换了人") {
			w.t.Error(text)
		}
		list := w.unreached(id)
		if len(list.People) != 2 || slices.ContainsFunc(list.People, func(p unreachedPerson) bool { return p.Reason != notify.WhyDoubted }) {
			w.t.Fatalf("%+v", list)
		}
		admin := w.clerk("admin")
		if page := admin.get("/console/unreached?campaign=" + id); !strings.Contains(page, "请问清楚，在本人页面点“问过了”，或换新号码") {
			w.t.Error(page)
		}
		const number = "13900007777"
		w.imported("people", "姓名,身份证号,手机号,行政区划代码,户编号,人员状态\n"+w.row(0, number, "441881000000", "正常"))
		admin.post(fmt.Sprintf("/console/people/%d/phone/trust", list.People[1].PersonID))
		if list := w.unreached(id); len(list.People) != 2 {
			w.t.Errorf("what that campaign left out is not forgotten: %+v", list)
		}
		w.until(w.campaign("sms, voice", ""), "told", func(s notify.Status) bool { return s.State == notify.Finished && s.Delivered == 5 })
		if old, now, trusted := w.got(w.phone(0)), w.got(number), w.got(w.phone(1)); old != 1 || now != 1 || trusted != 2 {
			w.t.Errorf("%d to the old number, %d to the new one, %d to the trusted one", old, now, trusted)
		}
	})
}

// The carrier's word that a number is invalid is on its texts: the telephone is tried all the same where the campaign has it next.
// What is sent later passes the number by.
func TestStoryWhereTheTextSaidThatTheNumberIsInvalidTheTelephoneIsTriedOnce(t *testing.T) {
	eachTown(t, 3, nil, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{
			Bases:      []string{w.base},
			PhoneCodes: map[string]string{w.phone(0): "INVALID_NUMBER", w.phone(1): "MOBILE_NOT_ON_SERVICE", w.phone(2): "INVALID_NUMBER"},
			VoiceCodes: map[string]string{w.phone(0): "200000", w.phone(1): "200000", w.phone(2): "200004"},
		})
		id := w.campaign("sms, voice", "")
		w.wants(w.until(id, "told", func(s notify.Status) bool { return s.State == notify.Finished && s.Delivered == 2 }), 3, "delivered 2, failed 1")
		for i := range 3 {
			if rang := len(w.box.Calls(w.phone(i))); rang != 1 {
				w.t.Errorf("%d calls to number %d", rang, i)
			}
		}
		if list := w.unreached(id).People; len(list) != 1 {
			w.t.Errorf("%+v", list)
		}
		next := w.campaign("voice", "")
		w.wants(w.until(next, "told", func(s notify.Status) bool { return s.State == notify.Finished && s.Delivered == 1 }), 3, "delivered 1, doubted 2")
	})
}

func TestStoryWhoseNumberIsInDoubtGetsTheirWeChatAndNoTextInItsStead(t *testing.T) {
	eachTown(t, 0, useWeChat, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		w.box.SetCallback("http://" + w.srv.addr + "/wechat/callback")
		w.registerReplies()
		w.importVillagers()
		people := int64(len(villagersByName()))
		w.binds(0)
		if err := w.box.Choose(w.t.Context(), openIDOf(0), sandbox.Choice{Template: "TPL_PREMIUM", Accept: true}); err != nil {
			w.t.Fatal(err)
		}
		w.saysNotMe(w.phone(0))
		w.doubts("sms", 1)
		s := w.until(w.campaign("wechat, sms", ""), "told", func(s notify.Status) bool { return s.State == notify.Finished && s.Accepted+s.Delivered == people })
		if s.ByChannel[notify.WeChat] != 1 || s.ByChannel[notify.SMS] != people-1 {
			w.t.Errorf("%+v", s)
		}
		refused := sandbox.Fault{Kind: sandbox.FaultRefuseMember, Action: "message/subscribe/bizsend", Phones: []string{openIDOf(0)}, Code: "43101"}
		if err := w.box.SetFaults(refused); err != nil {
			w.t.Fatal(err)
		}
		id := w.campaign("wechat, sms", "")
		s = w.until(id, "finished", done)
		if s.Accepted+s.Delivered != people-1 || w.got(w.phone(0)) != 0 || len(w.unreached(id).People) != 1 {
			w.t.Errorf("%d texts to the number in doubt, %+v", w.got(w.phone(0)), s)
		}
	})
}
