package flows

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lingjuli/lingjuli/internal/register"
)

// words is an understander for tests: an utterance means the intent it names.
type words struct{}

func (words) Understand(text string) Guess {
	for _, intent := range Intents() {
		if strings.Contains(text, intent) {
			return Guess{Intent: intent, Score: 0.9}
		}
	}
	return Guess{Intent: "out_of_scope", Score: 0.1}
}

func engine(t testing.TB) *Engine {
	t.Helper()
	return New(book(t), catalogue(t), words{})
}

// answers feeds a request the facts that keep a conversation going.
func facts(q Request) Facts {
	switch q.Name {
	case "identity":
		return Facts{Vars: map[string]string{"locked": "no", "bound": "no"}}
	case "send_code":
		return Facts{Vars: map[string]string{"sent": "asked"}}
	case "check_code":
		return Facts{Vars: map[string]string{"check": "wrong", "left": "4"}}
	case "cover":
		return Facts{Vars: map[string]string{"known": "yes", "state": "enrolled", "year": "2026", "word": "已参保", "insurance_key": "insurance.medical"}}
	case "subsidies", "premiums":
		return Facts{Vars: map[string]string{"known": "yes", "due": "no"}, Items: []map[string]string{{"year": "2026"}}}
	}
	return Facts{}
}

// turn steps until the person is to answer, marshalling the session between any two steps.
func turn(t testing.TB, e *Engine, stored []byte, in Input) ([]byte, []Effect) {
	t.Helper()
	var all []Effect
	for range 20 {
		s, err := e.Book().Read(stored)
		if err != nil {
			t.Fatal(err)
		}
		next, effects, err := e.Step(s, in)
		if err != nil {
			t.Fatal(err)
		}
		if stored, err = next.Bytes(); err != nil {
			t.Fatal(err)
		}
		all = append(all, effects...)
		if len(effects) == 0 {
			return stored, all
		}
		q, asks := effects[len(effects)-1].(Request)
		if !asks {
			return stored, all
		}
		in = Input{Kind: Fed, Facts: facts(q), Env: in.Env}
	}
	t.Fatal("the engine asks without end")
	return nil, nil
}

func said(effects []Effect) bool {
	for _, e := range effects {
		switch e.(type) {
		case Say, Page:
			return true
		}
	}
	return false
}

func TestNobodyIsEverMetWithSilenceOrStuck(t *testing.T) {
	e := engine(t)
	rapid.Check(t, func(r *rapid.T) {
		var stored []byte
		for range rapid.IntRange(1, 12).Draw(r, "turns") {
			env := Env{Channel: WeChat, Bound: rapid.Bool().Draw(r, "bound"), Away: rapid.SampledFrom([]time.Duration{0, 0, 0, time.Hour}).Draw(r, "away")}
			text := rapid.OneOf(
				rapid.SampledFrom([]string{"0", "1", "2", "3", "9", "返回", "主菜单", "重复", "人工", "退订", "恢复", "更多", "取消", "N", "陈大文", "441802195501010015", "123456", "是", "不", "收不到", ""}),
				rapid.SampledFrom(Intents()), rapid.String(),
			).Draw(r, "text")
			var effects []Effect
			stored, effects = turn(t, e, stored, Input{Kind: Said, Text: text, Env: env})
			if !said(effects) {
				r.Fatalf("%q is met with silence", text)
			}
		}
		// Whatever happened, the main menu is one word away.
		stored, _ = turn(t, e, stored, Input{Kind: Said, Text: "主菜单", Env: Env{Channel: WeChat}})
		s, err := e.Book().Read(stored)
		if err != nil || !s.Idle() || len(s.Offer) == 0 {
			r.Fatalf("the main menu was not reached: %+v, %v", s, err)
		}
	})
}

func TestBySMSEverythingIsAnsweredByATemplateAndOnlyATemplateAsks(t *testing.T) {
	e := engine(t)
	for _, bound := range []bool{false, true} {
		for _, text := range append(Intents(), "0", "1", "人工", "重复", "更多", "陈大文", "退订", "恢复", "???") {
			stored, effects := turn(t, e, nil, Input{Kind: Said, Text: text, Env: Env{Channel: SMS, Bound: bound}})
			spoken := 0
			for _, eff := range effects {
				switch eff := eff.(type) {
				case Offer:
					t.Errorf("%q: choices by SMS", text)
				case Say:
					if eff.SMS != nil {
						spoken++
					}
				}
			}
			s, err := e.Book().Read(stored)
			if err != nil {
				t.Fatal(err)
			}
			if !s.Idle() {
				top := s.Stack[len(s.Stack)-1]
				if e.book.flows[top.Flow].step(top.Step).SMS == nil {
					t.Errorf("%q leaves a question open that no template asked", text)
				}
			}
			if spoken == 0 {
				t.Errorf("%q gets no template", text)
			}
		}
	}
}

func TestTheSessionHandedInIsNotChanged(t *testing.T) {
	e := engine(t)
	stored, _ := turn(t, e, nil, Input{Kind: Said, Text: "bind_identity", Env: Env{Channel: WeChat}})
	for _, text := range []string{"陈大文", "返回", "退订", "主菜单", "check_medical", "???"} {
		s, err := e.Book().Read(stored)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := json.Marshal(s)
		if _, _, err := e.Step(s, Input{Kind: Said, Text: text, Env: Env{Channel: WeChat}}); err != nil {
			t.Fatal(err)
		}
		if after, _ := json.Marshal(s); string(before) != string(after) {
			t.Errorf("%q changed the session:\n%s\n%s", text, before, after)
		}
	}
}

func TestTheSameStepTwiceIsTheSame(t *testing.T) {
	e := engine(t)
	for _, text := range append(Intents(), "0", "阿巴", "退订") {
		a, effects := turn(t, e, nil, Input{Kind: Said, Text: text, Env: Env{Channel: WeChat, Bound: true}})
		b, again := turn(t, e, nil, Input{Kind: Said, Text: text, Env: Env{Channel: WeChat, Bound: true}})
		if string(a) != string(b) || !reflect.DeepEqual(effects, again) {
			t.Errorf("%q: %s", text, cmp.Diff(effects, again))
		}
	}
}

func TestASessionOfAnotherVersionOrBookIsBegunAnew(t *testing.T) {
	b := book(t)
	for _, stored := range []string{
		``, `{"v":0}`, `{"v":99,"stack":[{"flow":"bind_identity","step":"name"}]}`,
		`{"v":1,"stack":[{"flow":"gone","step":"name"}]}`, `{"v":1,"parked":[{"flow":"bind_identity","step":"gone"}]}`,
		`{"v":1,"stack":[{"flow":"bind_identity","step":"name","asked":["gone"]}]}`,
	} {
		s, err := b.Read([]byte(stored))
		if err != nil || !s.Idle() || s.Version != sessionVersion {
			t.Errorf("%s: %+v, %v", stored, s, err)
		}
	}
	if _, err := b.Read([]byte(`{"v":`)); err == nil {
		t.Error("damaged JSON was taken")
	}
}

func TestWhoStoodInAFlowThatHasChangedIsToldAndBeginsItAnew(t *testing.T) {
	e := engine(t)
	for _, stored := range []string{
		`{"v":1,"stack":[{"flow":"jobs","step":"gone"}]}`, `{"v":1,"stack":[{"flow":"jobs","step":"how","version":7}]}`,
		`{"v":1,"stack":[{"flow":"jobs","step":"how","asked":["gone"]}]}`,
	} {
		after, effects := turn(t, e, []byte(stored), Input{Kind: Said, Text: "阿巴", Env: Env{Channel: WeChat}})
		first, ok := effects[0].(Say)
		s, err := e.Book().Read(after)
		if !ok || first.Key != "renewed.again" || err != nil || len(s.Stack) != 1 || s.Stack[0].Flow != "jobs" {
			t.Errorf("%s: %+v, %+v, %v", stored, effects, s, err)
		}
		for text, flow := range map[string]string{"主菜单": "", "check_medical": "bind_identity", "人工": "human"} {
			after, _ := turn(t, e, []byte(stored), Input{Kind: Said, Text: text, Env: Env{Channel: WeChat}})
			s, err := e.Book().Read(after)
			if err != nil || flow == "" && !s.Idle() || flow != "" && s.Stack[len(s.Stack)-1].Flow != flow {
				t.Errorf("%s, %q: %+v, %v", stored, text, s, err)
			}
		}
	}
}

func TestSumsAreReadHoweverTheyAreWritten(t *testing.T) {
	s := book(t).Settings()
	for text, want := range map[string]string{
		"30000": "30000", "3万": "30000", "三万二": "32000", "3.2万": "32000", "3.5w": "35000", "5k": "5000", "十五": "15", "二十万": "200000",
		"一百二十万": "1200000", "两千五": "2500", "三千零二": "3002", "大概30000元吧": "30000", "１２，０００": "12000", "2万到3万": "20000", "万": "10000",
		"": "", "很多": "", "零": "", "0": "", "千万别": "10000000", "999999999999": "",
	} {
		values, ok := s.validAmount(text)
		if ok != (want != "") || values[""] != want {
			t.Errorf("%q is read as %q, want %q", text, values[""], want)
		}
	}
}

func TestWhatSomebodyLooksForIsTakenFromTheirWords(t *testing.T) {
	s := book(t).Settings()
	for text, want := range map[string]Search{
		"我想找深圳 电子厂的工作 4000以上": {Words: []string{"电子厂"}, Trades: []string{"电子厂"}, Places: []register.Wherever{{Name: "深圳", Prefix: "4403"}}, Yuan: 4000},
		"深圳有电工的工吗":            {Words: []string{"电工"}, Trades: []string{"电工"}, Places: []register.Wherever{{Name: "深圳", Prefix: "4403"}}},
		"我家里困难想找点事":           {Words: []string{"家里困难", "点事"}},
		"我想喺屋企附近搵工":           {Near: true},
		"有没有离家近的缝纫":           {Words: []string{"缝纫", "车衣"}, Trades: []string{"缝纫"}, Near: true},
		"東莞 車衣 3,500":         {Words: []string{"车衣", "缝纫"}, Trades: []string{"车衣"}, Places: []register.Wherever{{Name: "东莞", Prefix: "441900"}}, Yuan: 3500, Spelt: map[string]string{"东莞": "東莞", "车衣": "車衣"}},
		"深圳電子廠": {
			Words: []string{"电子厂"}, Trades: []string{"电子厂"}, Places: []register.Wherever{{Name: "深圳", Prefix: "4403"}}, Spelt: map[string]string{"电子厂": "電子廠"},
		},
		"I want a job in an Electronics factory in Guangzhou, 4000 yuan a month": {
			Words: []string{"电子厂"}, Trades: []string{"electronics factory"}, Places: []register.Wherever{{Name: "广州", Prefix: "4401"}}, Yuan: 4000, Spelt: map[string]string{"广州": "Guangzhou"},
		},
		"Foshan cleaners": {
			Words: []string{"保洁", "清洁"}, Trades: []string{"cleaners"}, Places: []register.Wherever{{Name: "佛山", Prefix: "4406"}}, Spelt: map[string]string{"佛山": "Foshan"},
		},
		"any sewing work near my home?":   {Words: []string{"缝纫", "车衣"}, Trades: []string{"sewing"}, Near: true},
		"wo xiang zai dongguan zhao gong": {Places: []register.Wherever{{Name: "东莞", Prefix: "441900"}}, Spelt: map[string]string{"东莞": "Dongguan"}},
		"guangzhoudianzichang": {
			Words: []string{"电子厂"}, Trades: []string{"dianzichang"}, Places: []register.Wherever{{Name: "广州", Prefix: "4401"}}, Spelt: map[string]string{"广州": "Guangzhou"},
		},
		"guang zhou bao an yuan": {Words: []string{"保安", "看更"}, Trades: []string{"bao an yuan"}, Places: []register.Wherever{{Name: "广州", Prefix: "4401"}}, Spelt: map[string]string{"广州": "Guang zhou"}},
		"Foxconn":                {Words: []string{"foxconn"}},
		"找工作":                    {},
		"想找份五千块以上的工作":            {Yuan: 5000},
	} {
		if got := s.Search(text); !cmp.Equal(got, want) {
			t.Errorf("%q: %s", text, cmp.Diff(want, got))
		}
	}
}

func TestFactsThatNobodyAskedForAreRefused(t *testing.T) {
	e := engine(t)
	if _, _, err := e.Step(Session{Version: 1}, Input{Kind: Fed}); !errors.Is(err, ErrNotAsked) {
		t.Error(err)
	}
	open := Session{Version: 1, Stack: []Frame{{Flow: "bind_identity", Step: "name"}}}
	if _, _, err := e.Step(open, Input{Kind: Fed}); !errors.Is(err, ErrNotAsked) {
		t.Error(err)
	}
	if _, _, err := e.Step(Session{Version: 1}, Input{}); err == nil {
		t.Error("an input of no kind was taken")
	}
}

func TestNumbersAreReadHoweverTheyAreWritten(t *testing.T) {
	s := book(t).Settings()
	for text, want := range map[string]int{
		"1": 1, "１": 1, "一": 1, "①": 1, "1.": 1, "1、": 1, "(2)": 2, "选3": 3, "选择 3": 3, "第四个": 4, "5号": 5, "回复6": 6, "12": 12, "九": 9,
		"0": 0, "": 0, "十": 0, "100": 0, "医保": 0, "2026": 0, "第": 0,
	} {
		if got := s.numberIn(normalise(text)); got != want {
			t.Errorf("%q is read as %d, want %d", text, got, want)
		}
	}
}

func TestOptOutWordsAreThoseOfTheLawAndNoOthers(t *testing.T) {
	w := newGlobalWords(book(t).Settings())
	for _, text := range []string{"R", "r", "T", "t", "TD", "td", "Ｔｄ", "0000", "００００", "退订", " 退订 ", "退订。", "拒收", "不要再发", "不要再发！"} {
		if !w.optOut(normalise(text), true) {
			t.Errorf("%q does not stop", text)
		}
	}
	for _, text := range []string{"取消", "N", "n", "Ｎ"} {
		if w.optOut(normalise(text), true) || !w.optOut(normalise(text), false) {
			t.Errorf("%q counts only where no question is open", text)
		}
	}
	for _, text := range []string{"", "0", "退", "TT", "RT", "我要退订医保", "退订短信", "取消订单", "000", "00000", "no"} {
		if w.optOut(normalise(text), false) {
			t.Errorf("%q stops", text)
		}
	}
	for _, text := range []string{"恢复", "订阅"} {
		if !w.has(wordOptIn, normalise(text)) {
			t.Errorf("%q does not undo", text)
		}
	}
}

func TestAnswersAreTakenHoweverTheyAreWritten(t *testing.T) {
	e := engine(t)
	none := func() Guess { return Guess{} }
	for _, c := range []struct{ as, text, want string }{
		{"name", "陈大文", "陈大文"},
		{"name", " 陈 大 文 ", "陈大文"},
		{"name", "我叫陈大文。", "陈大文"},
		{"name", "姓名：陈大文", "陈大文"},
		{"name", "阿不都•热合曼", "阿不都·热合曼"},
		{"name", "陈大文 441802195501010015", "陈大文"},
		{"name", "欧阳娜娜", "欧阳娜娜"},
		{"name", "Chen", ""},
		{"name", "陈", ""},
		{"name", "12345", ""},
		{"name", "", ""},
		{"name", "check_medical", ""},
		{"id_number", "441802195501010015", "441802195501010015"},
		{"id_number", "４４１８０２１９５５０１０１００１５", "441802195501010015"},
		{"id_number", "441802 1955 0101 0015", "441802195501010015"},
		{"id_number", "号码是441802195501010015，谢谢", "441802195501010015"},
		{"id_number", "441802195501010016", ""},
		{"id_number", "441802550101001", ""},
		{"id_number", "四四一八", ""},
		{"code", "123456", "123456"},
		{"code", "１２３４５６", "123456"},
		{"code", "验证码123456", "123456"},
		{"code", "1 2 3 4 5 6", "123456"},
		{"code", "123-456", "123456"},
		{"code", "12345", ""},
		{"code", "1234567", ""},
		{"code", "441802195501010015", ""},
		{"words", " 屋顶漏水 ", "屋顶漏水"},
		{"words", "  ", ""},
		{"nonsense", "1", ""},
	} {
		values, ok := e.validate(c.as, answer{text: c.text, guess: none})
		if ok != (c.want != "") || values[""] != c.want {
			t.Errorf("%s %q: %q, %v", c.as, c.text, values, ok)
		}
	}
	if values, _ := e.validate("name", answer{text: "陈大文，身份证号441802195501010015", guess: none}); values["id_number"] != "441802195501010015" || values[""] != "陈大文" {
		t.Errorf("name and ID number in one message: %v", values)
	}
	long := strings.Repeat("长", 600)
	if values, _ := e.validate("words", answer{text: long, guess: none}); len([]rune(values[""])) != maxWords {
		t.Error("a long answer is not cut")
	}
}

func BenchmarkStepWithTheSessionReadAndWritten(b *testing.B) {
	e := engine(b)
	stored, _ := turn(b, e, nil, Input{Kind: Said, Text: "bind_identity", Env: Env{Channel: WeChat}})
	in := Input{Kind: Said, Text: "陈大文", Env: Env{Channel: WeChat}}
	b.ReportAllocs()
	for b.Loop() {
		s, err := e.Book().Read(stored)
		if err != nil {
			b.Fatal(err)
		}
		if s, _, err = e.Step(s, in); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAStepIsCheap(t *testing.T) {
	e := engine(t)
	stored, _ := turn(t, e, nil, Input{Kind: Said, Text: "bind_identity", Env: Env{Channel: WeChat}})
	allocs := testing.AllocsPerRun(100, func() {
		s, _ := e.Book().Read(stored)
		s, _, _ = e.Step(s, Input{Kind: Said, Text: "陈大文", Env: Env{Channel: WeChat}})
		_, _ = s.Bytes()
	})
	if allocs > 200 {
		t.Errorf("a step with its session read and written takes %.0f allocations, at most 200", allocs)
	}
}
