package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
)

// What a stranger tries by the doors.

// opensWeChat readies a town whose villagers are on file and write to its account.
func (w *town) opensWeChat() {
	w.t.Helper()
	w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
	w.box.SetCallback("http://" + w.srv.addr + "/wechat/callback")
	w.registerReplies()
	w.importVillagers()
}

// says has an account write something, following first where it is new, and gives the reply.
func (w *town) says(openID string, lines ...string) (reply string) {
	w.t.Helper()
	if !w.box.Follower(openID).Follows {
		if _, err := w.box.Follow(w.t.Context(), openID, "", ""); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, words := range lines {
		r, err := w.box.Say(w.t.Context(), openID, words)
		if err != nil {
			w.t.Fatal(err)
		}
		reply = r.Text
	}
	return reply
}

// chatHolds waits until an account has been sent something.
func (w *town) chatHolds(openID, words string) {
	w.t.Helper()
	w.eventually(words, func() bool {
		for _, m := range w.box.Chat(openID) {
			if strings.Contains(m.Text, words) {
				return true
			}
		}
		return false
	})
}

func TestStoryWhoLosesABindingHearsOfItAndTheOfficeTakesItBack(t *testing.T) {
	eachTown(t, 0, useWeChat, func(w *town) {
		w.opensWeChat()
		victim, thief, phone, admin := openIDOf(0), openIDOf(90), w.phone(0), w.clerk("admin")
		person := w.count(`SELECT MIN(id) FROM people`)
		admin.post(fmt.Sprintf("/console/people/%d/doorstep", person))
		scenes := w.box.Scenes()
		if _, err := w.box.Follow(w.t.Context(), victim, scenes[len(scenes)-1].Scene, ""); err != nil {
			w.t.Fatal(err)
		}
		if reply := w.says(victim, "1"); !strings.Contains(reply, "绑好了") {
			w.t.Fatal(reply)
		}
		if text := w.next(phone, 0); !strings.Contains(text, "有个微信刚扫了帮扶干部的码") {
			w.t.Error(text)
		}
		w.says(thief, "我的医保", villagersByName()[0], fictional.IDNumber("441881", "1950-01-02", 0))
		code := regexp.MustCompile(`\d{6}`).FindString(w.next(phone, 1)) // she is talked out of it on the telephone
		if reply := w.says(thief, code); !strings.Contains(reply, "核对好了") {
			w.t.Fatal(reply)
		}
		w.chatHolds(victim, "已改到另一个微信上查")
		w.eventually("a text to the number on file", func() bool { return len(w.texts(phone, "已改到另一个微信上查")) == 1 })
		if reply := w.says(victim, "我的医保"); strings.Contains(reply, "已改到另一个微信") || !strings.Contains(reply, "请问您叫什么") {
			w.t.Errorf("told again, or told too much: %s", reply)
		}
		if page := admin.post(fmt.Sprintf("/console/people/%d/unbind", person)); !strings.Contains(page, "已解除") {
			w.t.Fatal(page)
		}
		w.chatHolds(thief, "镇上已停掉这个微信查您的事")
		w.eventually("a text that it was taken back", func() bool {
			w.sql(`UPDATE outbox SET next_at = 0 WHERE state = 'queued'`) // it may be night
			return len(w.texts(phone, "镇上已停掉您绑的微信")) == 1
		})
		if reply := w.says(thief, "我的医保"); !strings.Contains(reply, "请问您叫什么") {
			w.t.Errorf("the thief reads on: %s", reply)
		}
	})
}

func TestStoryAStrangerLearnsNothingAndRingsNobodysTelephoneMoreThanItsShare(t *testing.T) {
	eachTown(t, 0, useWeChat, func(w *town) {
		w.opensWeChat()
		onFile, nobody := fictional.IDNumber("441881", "1950-01-02", 1), fictional.IDNumber("441881", "1950-01-02", 77)
		var heard [2]string
		for i, number := range []string{onFile, nobody} {
			for n, line := range []string{"帮我妈查医保", villagersByName()[1], number, "1", "1", "000000", "主菜单", "代办", "同意了", "绑定", villagersByName()[1], number, "111111", "主菜单"} {
				heard[i] += fmt.Sprintf("%d %s\n", n, w.says(openIDOf(50+i), line))
			}
			heard[i] = strings.ReplaceAll(heard[i], register.OpenID(openIDOf(50+i)).Sign(), "SIGN")
		}
		if heard[0] != heard[1] {
			w.t.Errorf("on file\n%s\non no file\n%s", heard[0], heard[1])
		}
		for i := range 30 { // a storm from as many accounts
			w.sql(`UPDATE identity_checks SET sent_at = 0`)
			w.says(openIDOf(100+i), "绑定", villagersByName()[1], onFile)
		}
		codes := w.count(`SELECT COUNT(*) FROM outbox WHERE kind = 'verification'`)
		if codes < 2 || codes > 5 { // one was asked for above
			w.t.Errorf("%d codes in an hour", codes)
		}
		stay := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		for address, want := range map[string]int{
			"/wechat/callback?signature=0&timestamp=" + fmt.Sprint(time.Now().Unix()) + "&nonce=1": http.StatusForbidden,
			"/aliyun/wrong/sms-up":     http.StatusNotFound,
			"/console/people/1/unbind": http.StatusSeeOther, // to the log-in
		} {
			body := strings.NewReader("<xml><FromUserName>" + openIDOf(1) + "</FromUserName><MsgType>event</MsgType><Event>unsubscribe</Event></xml>")
			req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+w.srv.addr+address, body)
			if err != nil {
				w.t.Fatal(err)
			}
			res, err := stay.Do(req)
			if err != nil {
				w.t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != want {
				w.t.Errorf("%s: %d, want %d", address, res.StatusCode, want)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM bindings`); n != 0 {
			w.t.Errorf("%d are bound", n)
		}
	})
}
