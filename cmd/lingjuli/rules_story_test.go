package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// The rules by which a campaign treats people, one story each, told through the doors: commands, WeChat's and Aliyun's
// posts, and what the stand-in platforms took. That an undelivered text becomes a call is told in doors_test.go.

// oneTown is a town on SQLite, for stories in which the database does not matter.
func oneTown(t *testing.T, people int, env ...string) *town {
	t.Helper()
	t.Parallel()
	return settledTown(t, settled().SQLite(t), people, with(env...))
}

// with sets variables before the server starts: NAME=VALUE.
func with(env ...string) func(*town) {
	return func(w *town) {
		for _, pair := range env {
			name, value, _ := strings.Cut(pair, "=")
			w.env[name] = value
		}
	}
}

// write puts a campaign's file down.
func (w *town) write(channels, window, more string) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "campaign.yaml")
	text := "name: 缴费提醒\nkind: premium_reminder\naudience: {all: [{region: {within: \"441881\"}}]}\nchannels: [" + channels + "]\n" +
		"template: medical_premium_due\nparams: {deadline: 12月31日}\nwindow: \"" + window + "\"\n" + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// within is a campaign that may send from so long before or after now until so long before or after now.
func (w *town) within(channels string, from, to time.Duration) string {
	w.t.Helper()
	path := w.write(channels, localClock(w, from)+"-"+localClock(w, to), "")
	lines := strings.Fields(w.command("campaign", "create", "-f", path, "--as", "chen"))
	id := lines[len(lines)-1]
	w.command("campaign", "submit", id, "--as", "chen")
	w.command("campaign", "approve", id, "--as", "li")
	return id
}

func localClock(w *town, after time.Duration) string {
	return time.Now().Add(after).In(w.config().Zone).Format("15:04")
}

// got counts the campaign texts that a phone got.
func (w *town) got(phone string) (n int) {
	for _, m := range w.box.Messages(phone) {
		if strings.Contains(m.Text, "请在12月31日前缴清") {
			n++
		}
	}
	return n
}

// wants holds a campaign's figures against what is wanted, and that nobody got two texts.
func (w *town) wants(s notify.Status, people int, want string) {
	w.t.Helper()
	var parts []string
	for _, p := range []struct {
		name string
		n    int64
	}{{"planned", s.Planned}, {"accepted", s.Accepted}, {"delivered", s.Delivered}, {"failed", s.Failed}, {"unconfirmed", s.Unconfirmed}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprint(p.name, " ", p.n))
		}
	}
	for _, why := range notify.SkipReasons() {
		if n := s.Skipped[why]; n > 0 {
			parts = append(parts, fmt.Sprint(why, " ", n))
		}
	}
	if got := strings.Join(parts, ", "); got != want || s.Total != int64(people) {
		w.t.Errorf("%s of %d, want %s of %d", got, s.Total, want, people)
	}
	for i := range people {
		if n := w.got(w.phone(i)); n > 1 {
			w.t.Errorf("%s got %d texts", w.phone(i), n)
		}
	}
}

func done(s notify.Status) bool { return s.State == notify.Finished }

// about says whether a time is so far from now, or was when a story began on a slow machine.
func about(at *time.Time, away time.Duration) bool {
	return at != nil && time.Until(*at) > away-15*time.Minute && time.Until(*at) < away+15*time.Minute
}

func TestStoryAWindowHoldsUntilItOpensAndMayGoOnPastMidnight(t *testing.T) {
	eachTown(t, 3, nil, func(w *town) {
		shut := w.within("sms", time.Hour, -time.Hour) // all day but these two hours, past midnight
		w.until(shut, "held", func(s notify.Status) bool { return s.Planned == 3 })
		time.Sleep(1500 * time.Millisecond) // a sweep or two, in which nothing may go
		s := w.status(shut)
		if s.Planned != 3 || !about(s.NextAt, time.Hour) {
			w.t.Errorf("%+v", s)
		}
		w.wants(s, 3, "planned 3")
		if text := w.command("campaign", "status", shut); !strings.Contains(text, "the next go at") {
			w.t.Errorf("the time is not said: %s", text)
		}
		open := w.within("sms", -time.Hour, -2*time.Hour) // open, and past midnight too
		w.wants(w.until(open, "finished", done), 3, "accepted 3")
	})
}

func TestStoryNoTelephoneRingsAtNapTime(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	clock := func(after time.Duration) string { return time.Now().Add(after).In(zone).Format("15:04") }
	asleep := func(w *town) {
		w.env["LINGJULI_VOICE_NAP"], w.change = clock(-30*time.Minute)+"-"+clock(30*time.Minute), workdays
	}
	eachTown(t, 2, asleep, func(w *town) {
		id := w.within("voice", -2*time.Hour, 2*time.Hour)
		w.eventually("held until nap time ends", func() bool {
			s := w.server(id)
			return s.Planned == 2 && about(s.NextAt, 30*time.Minute)
		})
		time.Sleep(1500 * time.Millisecond)
		// The command knows what day it is: on a holiday it names a later time.
		if s := w.status(id); s.Planned != 2 || s.NextAt == nil || time.Until(*s.NextAt) < 15*time.Minute || len(w.box.Calls("")) != 0 {
			w.t.Errorf("%+v", s)
		}
	})
}

// workdays makes of a town's holidays days like others: on a holiday no telephone rings anyway.
func workdays(cfg *config) { cfg.Holidays = nil }

func TestStoryWhoHadEnoughWaitsAndIsSkippedOnlyAfterTheWait(t *testing.T) {
	t.Run("waits", func(t *testing.T) {
		eachTown(t, 4, with("LINGJULI_CAP=1/24h"), func(w *town) {
			w.wants(w.until(w.campaign("sms", ""), "finished", done), 4, "accepted 4")
			second := w.campaign("sms", "")
			s := w.until(second, "held by the cap", func(s notify.Status) bool { return s.Waiting[notify.ForCap] == 4 })
			w.wants(s, 4, "planned 4")
			if !about(s.NextAt, 24*time.Hour) {
				w.t.Errorf("next at %v", s.NextAt)
			}
		})
	})
	t.Run("is skipped", func(t *testing.T) {
		eachTown(t, 4, with("LINGJULI_CAP=1/24h", "LINGJULI_CAP_WAIT=2s"), func(w *town) {
			w.wants(w.until(w.campaign("sms", ""), "finished", done), 4, "accepted 4")
			w.wants(w.until(w.campaign("sms", ""), "finished", done), 4, "frequency_cap 4")
		})
	})
}

func TestStoryWhoOptsOutWhileTheCampaignRunsGetsNothingMore(t *testing.T) {
	eachTown(t, 10, nil, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		w.until(w.campaign("sms", ""), "finished", done) // a text to answer
		id, left := w.halfway(10)
		phone := w.phone(left[0])
		before := w.got(phone)
		if err := w.box.ReplySMS(phone, "退订"); err != nil {
			w.t.Fatal(err)
		}
		for file := w.write("sms", "", ""); !strings.Contains(w.command("campaign", "preview", "-f", file, "--json"), `"opted_out":1`); {
			time.Sleep(50 * time.Millisecond)
		}
		w.budget("none")
		w.command("campaign", "resume", id, "--as", "li")
		s := w.until(id, "finished", done)
		if s.Accepted+s.Delivered != 9 || s.Skipped[notify.OptedOut] != 1 {
			w.t.Errorf("%+v", s)
		}
		if n := w.got(phone); n != before {
			w.t.Errorf("%d texts after the opt-out", n-before)
		}
		if s := w.until(w.campaign("sms", ""), "finished", done); s.Skipped[notify.OptedOut] != 1 {
			w.t.Errorf("the next campaign: %+v", s)
		}
	})
}

func TestStoryAHouseholdOfFiveWithOnePhoneGetsOneText(t *testing.T) {
	eachTown(t, 1, nil, func(w *town) {
		const phone = "13900009999"
		var sheet strings.Builder
		sheet.WriteString("姓名,身份证号,手机号,行政区划代码,户编号\n")
		for i := range 5 {
			fmt.Fprintf(&sheet, "乙%s,%s,%s,441881000000,一家人\n", han(i), fictional.IDNumber("441881", "1980-03-04", 100+i), phone)
		}
		path := filepath.Join(w.t.TempDir(), "household.csv")
		if err := os.WriteFile(path, []byte(sheet.String()), 0o600); err != nil {
			w.t.Fatal(err)
		}
		w.command("import", "people", path)
		w.wants(w.until(w.campaign("sms", ""), "finished", done), 6, "accepted 2, household 4")
		if n := w.got(phone); n != 1 {
			w.t.Errorf("the household got %d texts", n)
		}
	})
}

func TestStoryWhatTheBudgetDoesNotReachWaitsForMoney(t *testing.T) {
	eachTown(t, 5, nil, func(w *town) {
		month := time.Now().In(w.config().Zone).Format("2006-01")
		w.command("budget", "set", "--region", "441881", "--month", month, "--yuan", "0.14") // three texts at 0.045
		w.command("budget", "set", "--region", "44", "--month", month, "--yuan", "0.01")
		if text := w.command("campaign", "preview", "-f", w.write("sms", "", ""), "--as", "chen"); !strings.Contains(text, "costs about 0.23 yuan and 44 has 0.01 left") {
			w.t.Errorf("the preview doesn't warn: %s", text)
		}
		w.command("budget", "set", "--region", "44", "--month", month, "--yuan", "none")
		id := w.campaign("sms", "")
		s := w.until(id, "held for money", func(s notify.Status) bool { return s.Waiting[notify.ForBudget] == 2 && s.Accepted == 3 })
		w.wants(s, 5, "planned 2, accepted 3")
		if s.NextAt == nil || s.NextAt.In(w.config().Zone).Day() != 1 {
			w.t.Errorf("next at %v, want the first of next month", s.NextAt)
		}
		if text := w.command("campaign", "status", id); !strings.Contains(text, "2 wait: this month's money is spent") {
			w.t.Errorf("not said: %s", text)
		}
		w.command("budget", "set", "--region", "441881", "--month", month, "--yuan", "10")
		w.wants(w.until(id, "finished", done), 5, "accepted 5")
		if text := w.command("budget", "list", "--month", month); !strings.Contains(text, "spent 0.23 yuan") {
			w.t.Errorf("five texts cost 0.225: %s", text)
		}
	})
}

func TestStoryAnAccountWithoutMoneyHaltsTheCampaignAndItGoesOnWhereItStood(t *testing.T) {
	eachTown(t, 30, nil, func(w *town) {
		if err := w.box.SetFaults(sandbox.Fault{Action: "SendBatchSms", Kind: sandbox.FaultCode, Code: "isv.AMOUNT_NOT_ENOUGH", Message: "账户余额不足"}); err != nil {
			w.t.Fatal(err)
		}
		id := w.campaign("sms", "")
		s := w.until(id, "halted", func(s notify.Status) bool { return s.State == notify.Halted })
		if s.Accepted != 0 || s.Failed != 0 || s.Total != 30 {
			w.t.Errorf("%+v", s)
		}
		if text := w.command("campaign", "status", id); !strings.Contains(text, "isv.AMOUNT_NOT_ENOUGH") {
			w.t.Errorf("the reason is not said: %s", text)
		}
		if err := w.box.SetFaults(); err != nil {
			w.t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond) // a sweep or two: there is money again, and it is staff who say that it goes on
		if n := w.box.Stats().SMS.Recipients; n != 0 || w.status(id).State != notify.Halted {
			w.t.Errorf("%d texts of a campaign that is halted", n)
		}
		w.command("campaign", "resume", id, "--as", "li")
		w.wants(w.until(id, "finished", done), 30, "accepted 30")
	})
}

func TestStoryATemplateThatThePlatformRefusedStopsAtSubmitAndOneWithdrawnHalts(t *testing.T) {
	eachTown(t, 3, nil, func(w *town) {
		list, err := notify.ParseTemplates(demoTemplates)
		if err != nil {
			w.t.Fatal(err)
		}
		due := list[0].SMS
		reviewed := func(refused bool) {
			w.t.Helper()
			if err := w.box.AddTemplate(sandbox.SMSTemplate{Code: due.Code, Name: "due", Type: string(due.Type), Content: due.Content, Refused: refused}); err != nil {
				w.t.Fatal(err)
			}
		}
		reviewed(true)
		path := w.write("sms", "", "")
		lines := strings.Fields(w.command("campaign", "create", "-f", path, "--as", "chen"))
		id := lines[len(lines)-1]
		var out, stderr strings.Builder
		if code := run(w.t.Context(), []string{"campaign", "submit", id, "--as", "chen"}, strings.NewReader(""), &out, &stderr, func(name string) string { return w.env[name] }); code != exitFailed || !strings.Contains(stderr.String(), due.Code) {
			w.t.Errorf("exit %d: %s", code, stderr.String())
		}
		reviewed(false)
		w.command("campaign", "submit", id, "--as", "chen")
		reviewed(true) // withdrawn after the submit
		w.command("campaign", "approve", id, "--as", "li")
		s := w.until(id, "halted", func(s notify.Status) bool { return s.State == notify.Halted })
		if s.Accepted+s.Failed != 0 {
			w.t.Errorf("%+v", s)
		}
		reviewed(false)
		w.command("campaign", "resume", id, "--as", "li")
		w.wants(w.until(id, "finished", done), 3, "accepted 3")
	})
}

func TestStoryOneBadPhoneAmongAHundredCostsNobodyElseAnything(t *testing.T) {
	eachTown(t, 100, nil, func(w *town) {
		if err := w.box.SetFaults(sandbox.Fault{Kind: sandbox.FaultRefuseMember, Phones: []string{w.phone(57)}}); err != nil {
			w.t.Fatal(err)
		}
		w.wants(w.until(w.campaign("sms", ""), "finished", done), 100, "accepted 99, failed 1")
		if w.got(w.phone(57)) != 0 {
			w.t.Error("the bad phone got a text")
		}
	})
}

func TestStoryNinetyNineBadPhonesDoNotKeepTheOneFromItsText(t *testing.T) {
	eachTownAlone(t, 100, with("LINGJULI_SMS_QPS=200"), func(w *town) { // each bad one stands alone in the end: some two hundred calls
		var bad []string
		for i := range 100 {
			if i != 42 {
				bad = append(bad, w.phone(i))
			}
		}
		if err := w.box.SetFaults(sandbox.Fault{Kind: sandbox.FaultRefuseMember, Phones: bad}); err != nil {
			w.t.Fatal(err)
		}
		w.wants(w.until(w.campaign("sms", ""), "finished", done), 100, "accepted 1, failed 99")
		if w.got(w.phone(42)) != 1 {
			w.t.Error("the good phone got nothing")
		}
	})
}

func TestStoryWhoWeChatRefusesGetsAText(t *testing.T) {
	eachTown(t, 0, useWeChat, func(w *town) {
		w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}})
		w.box.SetCallback("http://" + w.srv.addr + "/wechat/callback")
		w.registerReplies()
		w.importVillagers()
		for i := range villagersByName() {
			w.binds(i)
		}
		for _, i := range []int{0, 1, 4} { // the others have an open window for customer messages
			if err := w.box.Choose(w.t.Context(), openIDOf(i), sandbox.Choice{Template: "TPL_PREMIUM", Accept: true}); err != nil {
				w.t.Fatal(err)
			}
		}
		refuse := func(i int, path, code string) sandbox.Fault {
			return sandbox.Fault{Kind: sandbox.FaultRefuseMember, Action: path, Phones: []string{openIDOf(i)}, Code: code}
		}
		const notice, customer = "message/subscribe/bizsend", "message/custom/send"
		if err := w.box.SetFaults(refuse(0, notice, "43004"), refuse(1, notice, "43101"), refuse(2, customer, "45015"), refuse(3, customer, "45047")); err != nil {
			w.t.Fatal(err)
		}
		s := w.until(w.campaign("wechat, sms", ""), "finished", done)
		if s.ByChannel[notify.WeChat] != 1 || s.ByChannel[notify.SMS] != 4 || s.Accepted+s.Delivered != 5 {
			w.t.Errorf("%+v", s)
		}
		refusals := w.box.Stats().WeChat.Refused
		for _, code := range []string{"43004", "43101", "45015", "45047"} {
			if refusals[code] != 1 {
				w.t.Errorf("%s was answered %d times", code, refusals[code])
			}
		}
		for i := range 5 {
			want := 1
			if i == 4 {
				want = 0
			}
			if n := w.got(w.phone(i)); n != want {
				w.t.Errorf("person %d got %d texts, want %d", i, n, want)
			}
		}
	})
}

// villagersByName are people whose names a conversation takes for names.
func villagersByName() []string {
	return []string{"黄水生", "何春花", "罗土金", "邓冬梅", "谢火旺"}
}

func (w *town) importVillagers() {
	w.t.Helper()
	var sheet strings.Builder
	sheet.WriteString("姓名,身份证号,手机号,行政区划代码,户编号\n")
	for i, name := range villagersByName() {
		fmt.Fprintf(&sheet, "%s,%s,%s,441881000000,村户%d\n", name, fictional.IDNumber("441881", "1950-01-02", i), w.phone(i), i)
	}
	path := filepath.Join(w.t.TempDir(), "villagers.csv")
	if err := os.WriteFile(path, []byte(sheet.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.command("import", "people", path)
}

func openIDOf(i int) string { return fmt.Sprintf("oFictionalVillager%010d", i) }

// useWeChat gives the town an official account at the stand-in.
func useWeChat(w *town) {
	platform := httptest.NewServer(w.box.WeChatHandler())
	w.t.Cleanup(platform.Close)
	with("LINGJULI_WECHAT_APP_ID=wx5a0d0b0c00000001", "LINGJULI_WECHAT_APP_SECRET=5a0d0b0c5a0d0b0c5a0d0b0c5a0d0b0c",
		"LINGJULI_WECHAT_TOKEN=sandbox", "LINGJULI_WECHAT_API_BASE="+platform.URL)(w)
}

// registerReplies registers what conversations say by SMS, the identity code among it.
func (w *town) registerReplies() {
	w.t.Helper()
	file, err := flows.ReplyTemplates()
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := notify.ParseTemplates(file)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := (&platforms{box: w.box}).review(list); err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.t.TempDir(), "replies.yaml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.command("template", "apply", "-f", path)
}

// binds lets a villager follow and prove who they are in a conversation.
func (w *town) binds(i int) {
	w.t.Helper()
	ctx, id := w.t.Context(), openIDOf(i)
	if _, err := w.box.Follow(ctx, id, "", ""); err != nil {
		w.t.Fatal(err)
	}
	for _, words := range []string{"我的医保", villagersByName()[i], fictional.IDNumber("441881", "1950-01-02", i)} {
		if _, err := w.box.Say(ctx, id, words); err != nil {
			w.t.Fatal(err)
		}
	}
	code := regexp.MustCompile(`\d{6}`)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if list := w.box.Messages(w.phone(i)); len(list) > 0 && code.MatchString(list[0].Text) {
			reply, err := w.box.Say(ctx, id, code.FindString(list[0].Text))
			if err != nil || !strings.Contains(reply.Text, "核对好了") {
				w.t.Fatalf("person %d is not bound: %+v, %v", i, reply, err)
			}
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("no code came to %s; the conversation: %+v", register.Phone(w.phone(i)), w.box.Chat(id))
		}
	}
}
