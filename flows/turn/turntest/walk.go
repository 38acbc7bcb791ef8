package turntest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

// World is somebody who goes through every flow, and what they answer to open questions.
type World struct {
	Setting `yaml:",inline"`

	Starts  []string            // first words besides the flows' own names
	Simple  bool                // goes the ways in simple words as well
	Before  []string            // what was said before the walk; "*" is the last code that went out
	Answers map[string][]string // validator, or "choice" → answers; several messages with ▶ between them are one
	Text    string              `yaml:"-"` // all of the file, and the names of where its people live
}

// ReadWorld reads the file of a world.
func ReadWorld(t testing.TB, file string) (w World) {
	t.Helper()
	raw, err := os.ReadFile(file) //nolint:gosec // a test's own file
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &w); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	w.Text = string(raw)
	for _, p := range w.People {
		if len(p.Region) >= 6 {
			w.Text += register.PlaceName(p.Region[:6])
		}
	}
	return w
}

// Walker goes through every flow in one language, from its first words along every answer to its ends.
type Walker struct {
	World  World
	Locale locales.Locale
	Elder  bool
	Hear   func(Heard)

	engine  *flows.Engine
	service *turn.Service
	stage   *onStage
	start   *walk
	shapes  map[string]flows.Shape
	seen    map[string]bool
}

// Heard is one answer of a walk.
type Heard struct {
	Flow   string   // that was begun
	Path   []string // what was said to get there
	Answer turn.Answer
	Texts  []string // the keys of what was said
	Open   bool     // it waits for words of theirs

	SMS []turn.Message // that went out since its beginning
}

// lastCode stands for the code that went out last; and then comes another message.
const (
	lastCode = "*"
	andThen  = " ▶ "
)

// Walk goes through all flows that may run on WeChat.
func (w *Walker) Walk(t testing.TB, engine *flows.Engine) {
	t.Helper()
	w.engine, w.shapes, w.seen = engine, make(map[string]flows.Shape), make(map[string]bool)
	w.begin(t)
	for _, s := range engine.Book().Shapes() {
		w.shapes[s.ID] = s
	}
	for _, id := range engine.Book().Flows() {
		if engine.Book().Offered(id) {
			w.flow(t, id, "[菜单 menu:"+id+"]")
		}
	}
	for _, d := range w.World.Doors {
		w.flow(t, "doorstep", "[扫码 "+d.Scene+"]")
	}
	for _, line := range w.World.Starts {
		w.flow(t, "", line)
	}
}

// WalkSMS says by SMS all that begins a flow, and every number to every question that it leads to.
func (w *Walker) WalkSMS(t testing.TB, engine *flows.Engine) {
	t.Helper()
	w.engine, w.shapes, w.seen = engine, make(map[string]flows.Shape), make(map[string]bool)
	w.begin(t)
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range engine.Book().Shapes() {
		w.shapes[s.ID] = s
	}
	for _, s := range engine.Book().Shapes() {
		w.flow(t, s.ID, texts.Localizer(locales.ZhHans).Text(engine.Book().Title(s.ID), nil))
		if s.SMS {
			for _, word := range s.Words[:min(len(s.Words), wordsTried)] {
				w.flow(t, s.ID, word)
			}
		}
	}
	for _, word := range slices.Concat([]string{"😊", "谢谢"}, w.World.heardOf(), engine.Book().Settings().OptOut, engine.Book().Settings().OptIn, numbers()) {
		w.flow(t, "", word)
	}
}

// heardOf is what somebody may say of the texts that went out, rightly and wrongly, and after somebody else did.
func (w World) heardOf() []string {
	lines := []string{"【某某】转账到安全账户"}
	for _, m := range w.Mail {
		whole := "【零距离】" + m.Text
		lines = append(lines, whole, strings.NewReplacer("2", "9", "4", "5").Replace(whole), m.Check, m.Check+"快转钱")
	}
	before, mine := "", "[我是 "+w.Who+"]"+andThen+"1"
	for _, p := range w.People {
		if p.Phone != w.Who && p.Phone != "" {
			theirs := "[我是 " + p.Phone + "]" + andThen + "1" + andThen
			lines, before = append(lines, theirs+mine), before+theirs
		}
	}
	return append(lines, before+mine)
}

// wordsTried is how many of the words that begin a flow are said by everybody.
const wordsTried = 3

// numbers are what a list by SMS may be answered by.
func numbers() (all []string) {
	for n := range 9 {
		all = append(all, fmt.Sprint(n+1))
	}
	return all
}

// flow follows every answer to every question that one beginning leads to. A question is answered each way once.
func (w *Walker) flow(t testing.TB, id, first string) {
	t.Helper()
	type turnOff struct { // a way not gone yet
		from *walk
		path []string
	}
	left := []turnOff{{w.start, []string{first}}}
	for len(left) > 0 {
		next := left[len(left)-1]
		left = left[:len(left)-1]
		p := next.from.clone()
		p.say(t, next.path[len(next.path)-1])
		w.Hear(p.heard(id, next.path))
		for _, line := range p.ways() {
			if here := p.at() + "|" + line; !w.seen[here] {
				w.seen[here] = true
				left = append(left, turnOff{p, append(slices.Clone(next.path), line)})
			}
		}
	}
}

// walk is a conversation at one point of its way.
type walk struct {
	w       *Walker
	store   *Memory
	now     time.Time
	who     string
	turns   int
	codes   int
	answer  turn.Answer
	session flows.Session
}

func (p *walk) clone() *walk {
	other := *p
	other.store = p.store.clone()
	return &other
}

// onStage is the store of the walk that speaks just now.
type onStage struct{ *walk }

func (s *onStage) Turn(ctx context.Context, who turn.Who, fn func(turn.Tx) error) error {
	return s.store.Turn(ctx, who, fn)
}

func (w *Walker) begin(t testing.TB) {
	t.Helper()
	w.stage = &onStage{}
	w.service = maker(t, w.engine)(w.stage, func() time.Time { return w.stage.now }, func() string {
		w.stage.codes++
		return fmt.Sprintf("%06d", 100000+w.stage.codes)
	}, nil, nil)
	p := &walk{w: w, store: NewMemory(w.World.People), now: w.World.Now, who: w.World.Who}
	if err := p.store.FileSheets(w.World.Sheets); err != nil {
		t.Fatal(err)
	}
	for _, m := range w.World.Mail {
		p.store.Mailed(m.Sent())
	}
	for _, d := range w.World.Doors {
		p.store.Door(d.Scene, d.Person, d.Terms(), p.now.Add(d.Life))
	}
	for _, line := range w.World.Before {
		p.say(t, line)
	}
	p.who = w.World.Who
	p.store.Speaks(p.who, w.Locale, w.Elder)
	w.start = p
}

func (p *walk) say(t testing.TB, line string) {
	t.Helper()
	if one, rest, several := strings.Cut(line, andThen); several {
		p.say(t, one)
		p.say(t, rest)
		return
	}
	if after, waits := strings.CutPrefix(line, "[过 "); waits {
		d, err := time.ParseDuration(strings.TrimSuffix(after, "]"))
		if err != nil {
			t.Fatal(err)
		}
		p.now = p.now.Add(d)
		return
	}
	if who, speaker := strings.CutPrefix(line, "[我是 "); speaker {
		p.who = strings.TrimSuffix(who, "]")
		return
	}
	if line == lastCode && len(p.store.sent) > 0 {
		line = p.store.sent[len(p.store.sent)-1].Params["code"]
	}
	p.turns++
	p.now = p.now.Add(5 * time.Second)
	in := read(line)
	in.Key, in.Channel, in.Who, in.At = fmt.Sprint("w", p.turns), p.w.World.Channel, p.who, p.now
	p.w.stage.walk = p
	answer, err := p.w.service.Turn(context.Background(), in)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	body, _ := p.store.Stands(p.w.World.Channel, p.who)
	if p.session, err = p.w.engine.Book().Read(body); err != nil {
		t.Fatal(err)
	}
	p.answer = answer
}

// question is what is open, nil: nothing is.
func (p *walk) question() *flows.Question {
	if len(p.session.Stack) == 0 {
		return nil
	}
	top := p.session.Stack[len(p.session.Stack)-1]
	for _, q := range p.w.shapes[top.Flow].Questions {
		if q.Step == top.Step {
			return &q
		}
	}
	return nil
}

// ways is what can be said to what is open.
func (p *walk) ways() (lines []string) {
	q := p.question()
	if q == nil {
		return nil
	}
	if p.w.World.Channel == turn.SMS {
		return numbers()
	}
	if q.As == "" {
		for _, c := range p.answer.Choices {
			lines = append(lines, fmt.Sprint(c.Number))
		}
		return append(lines, p.w.World.Answers["choice"]...)
	}
	given := p.w.World.Answers[q.As]
	if len(given) == 0 && q.As == "code" {
		given = []string{lastCode}
	}
	return slices.Concat(q.Ways, given)
}

// at names where the conversation stands.
func (p *walk) at() string {
	var at strings.Builder
	for _, f := range p.session.Stack {
		fmt.Fprintf(&at, "%s.%s.%d ", f.Flow, f.Step, len(f.Items))
	}
	return at.String()
}

func (p *walk) heard(flow string, path []string) Heard {
	h := Heard{Flow: flow, Path: path, Answer: p.answer, SMS: p.store.sent}
	for _, s := range p.session.Last {
		h.Texts = append(h.Texts, s.Key)
	}
	if q := p.question(); q != nil {
		h.Open = q.As != ""
	}
	return h
}
