package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

// How fast a campaign goes, and what goes before it, as the platforms see it.

// gate stands before a platform and notes which of its calls came when.
type gate struct {
	mu   sync.Mutex
	came []arrival
}

type arrival struct {
	what string
	at   time.Time
}

// What comes to the gates.
const (
	batch  = "SendBatchSms"
	single = "SendSms" // to one person: codes among them
	notice = "/cgi-bin/message/subscribe/bizsend"
)

// watch puts a gate before a platform of the town, by the variable that names its address.
func (w *town) watch(variable string, platform http.Handler) *gate {
	g := &gate{}
	door := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		what := r.URL.Query().Get("Action")
		if what == "" {
			what = r.URL.Path
		}
		g.mu.Lock()
		g.came = append(g.came, arrival{what, time.Now()})
		g.mu.Unlock()
		platform.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(func() {
		door.CloseClientConnections()
		_ = w.box.Close() // calls that hang are let go
		door.Close()
	})
	w.env[variable] = door.URL
	return g
}

// calls are those of some kinds that have come, in their order.
func (g *gate) calls(kinds ...string) (list []arrival) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.came {
		if slices.Contains(kinds, a.what) {
			list = append(list, a)
		}
	}
	return list
}

// held fails where more calls had come at any time than the rate lets through since then, before which nothing had gone. A
// busy machine brings a call late, never early.
func held(t testing.TB, calls []arrival, since time.Time, perSecond, burst float64) {
	t.Helper()
	for i, a := range calls {
		if most := burst + perSecond*a.at.Sub(since).Seconds(); float64(i+1) > most {
			t.Errorf("%d calls after %v, want at most %.1f", i+1, a.at.Sub(since), most)
			return
		}
	}
}

// asks has people of the next county follow the account and say who they are. What is left to say is their ID number, upon
// which a code goes to each.
func (w *town) asks(people int) (gives func()) {
	w.t.Helper()
	w.box.SetCallback("http://" + w.srv.addr + "/wechat/callback")
	w.registerReplies()
	id := func(i int) string { return fictional.IDNumber("441882", "1960-01-02", i) }
	var sheet strings.Builder
	sheet.WriteString("姓名,身份证号,手机号,行政区划代码\n")
	for i := range people {
		fmt.Fprintf(&sheet, "%s,%s,1391000%04d,441882000000\n", benchName, id(i), i)
	}
	w.imported("people", sheet.String())
	for i := range people {
		w.says(openIDOf(i), "我的医保", benchName)
	}
	return func() {
		var all sync.WaitGroup
		for i := range people {
			all.Go(func() {
				if _, err := w.box.Say(w.t.Context(), openIDOf(i), id(i)); err != nil {
					w.t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

func TestStoryACampaignAndTheCodesBesideItKeepTheAccountsRateTogether(t *testing.T) {
	const people, asking, qps = 3000, 12, 5
	var gates sync.Map // of each town
	eachTown(t, people, func(w *town) {
		useWeChat(w)
		w.env["LINGJULI_SMS_QPS"] = fmt.Sprint(qps)
		gates.Store(w, w.watch("LINGJULI_ALIYUN_SMS_ENDPOINT", w.box.AliyunHandler()))
	}, func(w *town) {
		g := gateOf(&gates, w)
		give := w.asks(asking)
		began := time.Now()
		id := w.campaign("sms", "")
		w.eventually("the campaign's first call", func() bool { return len(g.calls(batch)) > 0 })
		give()
		w.wants(w.until(id, "finished", done), people, fmt.Sprint("accepted ", people))
		w.eventually("a code for everybody who asked", func() bool { return len(g.calls(single)) == asking })
		if n := len(g.calls(batch)); n != people/100 {
			w.t.Errorf("%d calls of the campaign, want %d", n, people/100)
		}
		held(w.t, g.calls(batch, single), began, qps, 1)
	})
}

func gateOf(gates *sync.Map, w *town) *gate {
	w.t.Helper()
	found, _ := gates.Load(w)
	g, ok := found.(*gate)
	if !ok {
		w.t.Fatal("the town has no gate")
	}
	return g
}

func TestStoryNoticesByWeChatKeepTheShareThatCampaignsHave(t *testing.T) {
	const qps = 1
	var gates sync.Map
	eachTown(t, 0, func(w *town) {
		useWeChat(w)
		w.env["LINGJULI_WECHAT_QPS"] = fmt.Sprint(qps)
		gates.Store(w, w.watch("LINGJULI_WECHAT_API_BASE", w.box.WeChatHandler()))
	}, func(w *town) {
		g := gateOf(&gates, w)
		w.opensWeChat()
		for i := range villagersByName() {
			w.binds(i)
			if err := w.box.Choose(w.t.Context(), openIDOf(i), sandbox.Choice{Template: "TPL_PREMIUM", Accept: true}); err != nil {
				w.t.Fatal(err)
			}
		}
		began := time.Now()
		w.until(w.campaign("wechat", ""), "told", func(notify.Status) bool { return len(g.calls(notice)) == len(villagersByName()) })
		held(w.t, g.calls(notice), began, 0.9*qps, 1)
	})
}

// TestStoryACodeGoesBeforeACampaignWhoseCarrierHangs: each call of the campaign is answered late, so all that send for
// campaigns are held, and more calls wait in the queue. What people ask for passes them.
func TestStoryACodeGoesBeforeACampaignWhoseCarrierHangs(t *testing.T) {
	const (
		people, rate = 1200, 100
		size         = rate / 4 // of a call
		sending      = 24       // calls at once
		asking       = 3
	)
	var gates sync.Map
	eachTown(t, people, func(w *town) {
		useWeChat(w)
		w.env["LINGJULI_SMS_QPS"] = fmt.Sprint(people / size / 2) // so that all calls are in the queue at once
		gates.Store(w, w.watch("LINGJULI_ALIYUN_SMS_ENDPOINT", w.box.AliyunHandler()))
	}, func(w *town) {
		g := gateOf(&gates, w)
		give := w.asks(asking)
		if err := w.box.SetFaults(sandbox.Fault{Action: batch, Kind: sandbox.FaultHangAfterAccept, Seconds: 8}); err != nil {
			w.t.Fatal(err)
		}
		began := time.Now()
		id := w.campaign("sms", fmt.Sprintf("rate: %d\n", rate))
		w.eventually("as many calls as go at once", func() bool { return len(g.calls(batch)) >= sending })
		before := len(g.calls(batch))
		give()
		w.eventually("a code for everybody who asked", func() bool { return len(g.calls(single)) == asking })
		last := g.calls(single)[asking-1].at
		passed := slices.IndexFunc(append(g.calls(batch), arrival{at: last}), func(a arrival) bool { return !a.at.Before(last) }) - before
		if left := people/size - before; passed > left/2 {
			w.t.Errorf("%d of %d waiting calls of the campaign went before the last code", passed, left)
		}
		if err := w.box.SetFaults(); err != nil { // what is left need not hang as well
			w.t.Fatal(err)
		}
		w.wants(w.until(id, "finished", done), people, fmt.Sprint("accepted ", people))
		held(w.t, g.calls(batch), began, rate/size, 1)
	})
}

// TestStoryACodeGoesBeforeRepliesThatWait: many people write at once and the account's rate lets their answers out one by
// one. Who asks for a code meanwhile doesn't wait behind them.
func TestStoryACodeGoesBeforeRepliesThatWait(t *testing.T) {
	const writing = 100
	eachTown(t, 0, useWeChat, func(w *town) {
		give := w.asks(1)
		phone := func(i int) string { return fmt.Sprintf("1392000%04d", i) }
		answered := func(by time.Time) (n int) {
			for i := range writing {
				n += len(slices.DeleteFunc(w.box.Messages(phone(i)), func(m sandbox.SMSMessage) bool { return m.SentAt.After(by) }))
			}
			return n
		}
		for i := range writing {
			w.pushesReply(phone(i), "你好", "", fmt.Sprint(i+1))
		}
		w.eventually("an answer for everybody is written", func() bool { return w.count("SELECT count(*) FROM outbox WHERE kind = 'reply'") == writing })
		before := answered(time.Now())
		give()
		code := func() []sandbox.SMSMessage { return w.box.Messages("13910000000") }
		w.eventually("the code", func() bool { return len(code()) == 1 })
		if passed, left := answered(code()[0].SentAt)-before, writing-before; passed > max(left/2, 10) { // few wait where a busy machine writes them slowly
			w.t.Errorf("%d of %d answers that waited went before the code", passed, left)
		}
		w.eventually("an answer for everybody", func() bool { return answered(time.Now()) == writing })
	})
}

// TestStoryACodeDoesNotWaitForWeChatThatHangs: as many answers by WeChat hang as go at once, and a code by SMS goes meanwhile.
func TestStoryACodeDoesNotWaitForWeChatThatHangs(t *testing.T) {
	const said = "/cgi-bin/message/custom/send"
	var gates sync.Map
	eachTown(t, 0, func(w *town) {
		useWeChat(w)
		gates.Store(w, w.watch("LINGJULI_WECHAT_API_BASE", w.box.WeChatHandler()))
	}, func(w *town) {
		g := gateOf(&gates, w)
		w.opensWeChat()
		const hang = 4
		for i := 1; i <= hang; i++ { // the first is who asks for a code
			w.binds(i)
			w.says(openIDOf(i), "人工", "屋顶漏水想问补贴")
		}
		give := w.asks(1)
		if err := w.box.SetFaults(sandbox.Fault{Action: strings.TrimPrefix(said, "/cgi-bin/"), Kind: sandbox.FaultHang, Seconds: 60}); err != nil {
			w.t.Fatal(err)
		}
		staff := w.clerk("admin")
		for range hang {
			link := matterLink.FindStringSubmatch(staff.get("/console/inbox"))
			if link == nil {
				w.t.Fatal("nothing is in the inbox")
			}
			staff.post(link[1]+"/answer", "answer", "请带身份证到镇里")
		}
		w.eventually("answers that hang", func() bool { return len(g.calls(said)) == hang })
		give()
		w.eventually("the code", func() bool { return len(w.box.Messages("13910000000")) == 1 })
		if n := w.count("SELECT count(*) FROM letters WHERE state NOT IN ('queued', 'sending')"); n != 0 {
			w.t.Errorf("%d answers by WeChat were given up before the code went", n)
		}
	})
}
