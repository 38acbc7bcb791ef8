package store

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

func putTopicsOnFile(t *testing.T, s *Store) {
	t.Helper()
	for _, row := range []string{
		`premiums (person_id, insurance, year, due_fen, self_fen, subsidy_fen, deadline, state, paid_on, hand_fields, updated_at) VALUES
			(1, 'medical', 2026, 40000, 40000, -1, '2026-02-28', 'unpaid', '', '', 0), (1, 'medical', 2027, 42000, 22000, 20000, '2099-12-31', 'unpaid', '', '', 0),
			(1, 'pension', 2027, 18000, -1, -1, '2099-06-30', 'unpaid', '', '', 0), (2, 'medical', 2027, 42000, -1, -1, '2099-12-31', 'paid', '', '', 0)`,
		`subsidies (id, person_id, kind, applied_on, state, amount_fen, state_on, office, office_phone, hand_fields, updated_at) VALUES
			(1, 1, '一次性求职补贴', '2026-03-01', 'paid_out', 200000, '2026-09-01', '人社所', '0763-1234567', '', 0),
			(2, 1, '技能晋升培训补贴', '2026-05-01', 'reviewing', -1, '2026-06-01', '', '', '', 0)`,
		`jobs (id, employer, title, kind, headcount, place, region, wage_min_fen, wage_max_fen, demands, contact, contact_phone, closes_on, source_city, held, hand_fields, created_at, updated_at) VALUES
			(1, '县城厂', '缝纫工', '企业', 5, '县城', '441802001000', 350000, 500000, '', '', '', '', '', FALSE, '', 9, 0),
			(2, '镇车间', '包裝工', '扶贫车间', -1, '镇上', '441802103000', 300000, -1, '', '', '', '2099-01-01', '', FALSE, '', 5, 0),
			(3, '镇车间', '已停招', '扶贫车间', 1, '镇上', '441802103000', 1, 1, '', '', '', '2020-01-01', '', FALSE, '', 8, 0),
			(4, '骗子', '要交钱', '企业', 1, '镇上', '441802103000', 1, 1, '', '', '', '', '', TRUE, '', 8, 0),
			(5, '别县厂', '别县工', '企业', 1, '别县', '441882001000', 1, 1, '', '', '', '', '', FALSE, '', 10, 0)`,
		`courses (id, name, trade, provider, place, region, starts_on, ends_on, places, allowance_fen, mode, phone, job_title, hand_fields, created_at, updated_at) VALUES
			(1, '育婴员', '', '校', '县城', '441802001000', '2099-03-01', '', 30, 80000, '', '', '', '', 0, 0),
			(2, '育婴员', '', '校', '别县', '441882001000', '2099-02-01', '', 30, 80000, '', '', '', '', 0, 0),
			(3, '育婴员', '', '校', '镇上', '441802103000', '2020-02-01', '', 30, 80000, '', '', '', '', 0, 0)`,
	} {
		exec(t, s, "INSERT INTO "+row)
	}
}

// say makes a template of one text, and runs a campaign with it: what each of two people got, "" nothing.
func say(t *testing.T, s *Store, text string, change func(*notify.Spec)) (one, two string, st notify.Status) {
	t.Helper()
	anyHour := ""
	spec := notify.Spec{
		Name: "通知", Kind: notify.PremiumReminder, Audience: register.Everybody(), Channels: []notify.Channel{notify.SMS},
		Template: "about", Window: &anyHour, Params: map[string]string{},
	}
	if change != nil {
		change(&spec)
	}
	template := notify.Template{Key: "about", Kind: notify.PremiumReminder, SMS: &notify.SMSTemplate{
		Code: "SMS_1", Type: notify.SMSNotification, Content: "您好：${x}。", Params: map[string]string{"x": text},
	}}
	if err := template.Check(); err != nil {
		t.Fatal(err)
	}
	got := map[int64]string{}
	p := &platform{answer: func(call notify.Outgoing, _ int) (notify.Answer, bool) {
		for _, m := range call.Members {
			got[m.PersonID] = m.Params["x"]
		}
		return notify.Answer{Outcome: notify.Accepted}, true
	}}
	st = play(t, s, p, approvedWith(t, s, spec, template), notify.Rules{Zone: time.UTC}, finished)
	return got[1], got[2], st
}

func TestTextsSpeakOfWhatIsOnFileForThePerson(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(2), household: "b"})
		exec(t, s, `UPDATE people SET region = '441882001001' WHERE id = 2`)
		putTopicsOnFile(t, s)
		param := func(name, value string) func(*notify.Spec) {
			return func(spec *notify.Spec) { spec.Params[name] = value }
		}
		for name, c := range map[string]struct {
			text     string
			change   func(*notify.Spec)
			one, two string
		}{
			"the nearest deadline of any insurance": {"{{.Due.Insurance}}{{.Due.Amount}}元{{.Due.Deadline}}", nil, "城乡居民养老180元2099年6月30日", ""},
			"of the insurance that is named":        {"{{.Due.Year}}{{.Due.ToPay}}元{{.Due.State}}", param("insurance", "医保"), "2027220元未缴", ""},
			"of the insurance asked about": {"{{.Due.Insurance}}", func(spec *notify.Spec) {
				spec.Audience = register.Condition{Any: []register.Condition{
					{Test: &register.Test{Field: "medical.paid", Op: register.Known, Values: []string{"true"}}}, {All: []register.Condition{}},
				}}
			}, "城乡居民医保", ""},
			"the subsidy that changed last":   {"{{.Subsidy.Kind}}{{.Subsidy.State}}{{.Subsidy.Amount}}", nil, "一次性求职补贴已发放2000", ""},
			"the subsidy that is named":       {"{{.Subsidy.State}}{{.Subsidy.StateOn}}", param("subsidy", "技能晋升培训补贴"), "审核中2026年6月1日", ""},
			"the open posting in the town":    {"{{.Job.Employer}}{{.Job.Title}}{{.Job.WageMin}}", nil, "镇车间包装工3000", "别县厂别县工0.01"},
			"the posting that is named":       {"{{.Job.Employer}}", param("job", "缝纫工"), "县城厂", "县城厂"},
			"the posting of the id":           {"{{.Job.Employer}}", param("job", "5"), "别县厂", "别县厂"},
			"no posting that asks for money":  {"{{.Job.Employer}}", param("job", "要交钱"), "", ""},
			"the course of the name, nearest": {"{{.Course.Place}}{{.Course.StartsOn}}", param("course", "育婴员"), "县城2099年3月1日", "别县2099年2月1日"},
		} {
			t.Run(name, func(t *testing.T) {
				one, two, st := say(t, s, c.text, c.change)
				if diff := cmp.Diff([]string{c.one, c.two}, []string{one, two}); diff != "" {
					t.Error(diff)
				}
				lacking := int64(strings.Count(c.one+"|"+c.two+"|", "|"))
				for _, text := range []string{one, two} {
					if text != "" {
						lacking--
					}
				}
				if st.Skipped[notify.NoLongerMatches] != lacking || st.Failed != 0 {
					t.Errorf("who has nothing of it is not skipped: %+v", st)
				}
			})
		}
	})
}

func TestThePreviewShowsWhatIsOnFileForThePerson(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"}, villager{id: 2, phone: phoneOf(2), household: "b"})
		putTopicsOnFile(t, s)
		count, err := s.PreviewAudience(t.Context(), notify.PreviewQuery{
			Spec: notify.Spec{Audience: register.Everybody()}, Channels: []notify.Channel{notify.SMS}, Now: time.Now(), Samples: 10,
			Topics: notify.Topics{Due: true, Insurance: register.Medical},
		})
		if err != nil {
			t.Fatal(err)
		}
		list := count.Samples[notify.SMS]
		if len(list) != 2 || list[0].About.Premium == nil || list[0].About.Premium.Year != 2027 || list[1].About.Premium != nil {
			t.Errorf("%+v", list)
		}
	})
}

// Who is bound to the account can be written to only by a way that leads to them now: the preview counts as the claim would go.
func TestThePreviewCountsByWeChatWhoCanBeWrittenToNow(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		putOnFile(t, s, crowd(6)...)
		for person, consented := range map[int64]bool{1: true, 2: false, 3: false, 4: false, 5: true} {
			bind(t, s, person, consented)
		}
		window := func(person int64, until time.Time, left int) {
			exec(t, s, `UPDATE contacts SET customer_until = $2, customer_left = $3 WHERE who_idx = (SELECT openid_idx FROM bindings WHERE person_id = $1)`, person, toMicros(until), left)
		}
		window(3, time.Now().Add(time.Hour), notify.KeptForAnswers+1)
		window(4, time.Now().Add(time.Hour), notify.KeptForAnswers)
		window(2, time.Now().Add(-time.Hour), 5)
		exec(t, s, `UPDATE contacts SET follows = FALSE WHERE who_idx = (SELECT openid_idx FROM bindings WHERE person_id = 5)`)
		wechat := func(w notify.WeChatTemplate, kind notify.Kind) int64 {
			t.Helper()
			template := templateOf(notify.WeChat, notify.SMS)
			template.Kind, template.WeChat = kind, &w
			spec := notify.Spec{Kind: kind, Audience: register.Everybody(), Channels: []notify.Channel{notify.WeChat, notify.SMS}}
			count, err := s.PreviewAudience(t.Context(), notify.PreviewQuery{
				Spec: spec, Channels: spec.Channels, WeChat: notify.WeChatRoutesOf(spec, template), Now: time.Now(), Samples: 10,
			})
			if err != nil || count.Reachable[notify.SMS] != 6-count.Reachable[notify.WeChat] || len(count.Samples[notify.WeChat]) != int(count.Reachable[notify.WeChat]) {
				t.Errorf("%+v %v", count, err)
			}
			return count.Reachable[notify.WeChat]
		}
		if n := wechat(notify.WeChatTemplate{Subscribe: "TPL_A"}, notify.PremiumReminder); n != 2 {
			t.Errorf("%d by notice or customer message", n)
		}
		if n := wechat(notify.WeChatTemplate{Subscribe: "TPL_OTHER"}, notify.PremiumReminder); n != 1 {
			t.Errorf("%d by customer message", n)
		}
		if n := wechat(notify.WeChatTemplate{Template: "TPL_T"}, notify.PremiumReminder); n != 1 {
			t.Errorf("%d by a template message of a kind that has none", n)
		}
		if n := wechat(notify.WeChatTemplate{Template: "TPL_T"}, notify.ServiceNotice); n != 4 {
			t.Errorf("%d by template message", n)
		}
	})
}
