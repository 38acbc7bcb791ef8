package turntest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/locales"
)

// The kinds of conversation that a flow is to be shown in.
const (
	straight = "直路" // to its end without a detour
	wrong    = "答错" // an answer that does not fit
	change   = "改主意"
	away     = "走开" // left with a question open, and taken up again
	person   = "找人"
)

func kinds() []string { return []string{straight, wrong, change, away, person} }

// signShown begins the lines of a file's header that say what it shows: the flow, the language, the kinds.
const signShown = "演示 "

// Cell is one flow in one kind of conversation and one language.
type Cell struct {
	Flow, Kind string
	Locale     locales.Locale
}

// away for so long somebody is asked whether to go on, and a session lives no longer than that.
const (
	pauseLeast = 30 * time.Minute
	pauseMost  = 24 * time.Hour
)

// watcher sees from the sessions before and after each turn what a conversation shows. Nothing else counts: a header
// can claim no more than happened.
type watcher struct {
	engine *flows.Engine
	book   *flows.Book
	shapes map[string]flows.Shape
	cells  map[Cell]bool
	bent   map[string]bool // flows under way in which something other than the straight way happened
}

func newWatcher(engine *flows.Engine) *watcher {
	w := &watcher{engine: engine, book: engine.Book(), shapes: make(map[string]flows.Shape), cells: make(map[Cell]bool), bent: make(map[string]bool)}
	for _, s := range w.book.Shapes() {
		w.shapes[s.ID] = s
	}
	return w
}

// moment is one turn as the watcher sees it.
type moment struct {
	before, after flows.Session
	in            turn.Inbound
	paused        time.Duration
	locale        locales.Locale
}

func (w *watcher) see(m moment) {
	asked := w.asked(m.before)
	for _, flow := range asked {
		if kind := w.detour(flow, m); kind != "" {
			w.bent[flow] = true
			w.cells[Cell{flow, kind, m.locale}] = true
		}
		if m.paused >= pauseLeast && m.paused < pauseMost && m.in.Kind != turn.Unfollow {
			w.cells[Cell{flow, away, m.locale}] = true
		}
	}
	for _, f := range slices.Concat(m.before.Stack, m.before.Parked) {
		if under(m.after.Stack, f.Flow) || under(m.after.Parked, f.Flow) {
			continue
		}
		if !w.bent[f.Flow] && under(m.before.Stack, f.Flow) && !w.leaves(m.in.Text) {
			w.cells[Cell{f.Flow, straight, m.locale}] = true
		}
		delete(w.bent, f.Flow)
	}
	for _, id := range w.spoken(m.after, m.in.Channel) {
		if !w.shapes[id].Waits || !under(m.before.Stack, id) && !under(m.after.Stack, id) && !under(m.after.Parked, id) {
			w.cells[Cell{id, straight, m.locale}] = true
		}
	}
	if len(m.before.Stack) == 0 && asksPerson(m) {
		for _, id := range w.spoken(m.before, m.in.Channel) {
			w.cells[Cell{id, person, m.locale}] = true
		}
	}
}

// asked are the flows whose question is open: the one on top, what waits under it without a question of its own, and
// what a soft question lies upon.
func (w *watcher) asked(s flows.Session) (list []string) {
	for i := len(s.Stack) - 1; i >= 0; i-- {
		shape := w.shapes[s.Stack[i].Flow]
		list = append(list, shape.ID)
		if i > 0 && w.shapes[s.Stack[i-1].Flow].Asks && !shape.Soft {
			break
		}
	}
	return list
}

// detour is what a turn did to a flow whose question was open, "": it went on.
func (w *watcher) detour(flow string, m moment) string {
	sms := m.in.Channel == turn.SMS
	again := under(m.after.Stack, flow)
	switch {
	case sms && w.engine.MeansPerson(m.in.Text), !sms && asksPerson(m):
		return person
	case m.after.Fails > m.before.Fails, under(m.after.Stack, "stuck") && !under(m.before.Stack, "stuck"):
		return wrong
	case sms && (again || says(m.after, "sms.office")):
		return wrong
	case sms && m.in.Text != "" && len([]rune(m.in.Text)) > 1 && !again:
		return change
	case sms:
		return ""
	case m.paused >= pauseLeast:
		return ""
	case w.shapes[flow].Soft && w.elsewhere(m):
		return change
	case w.leaves(m.in.Text), under(m.after.Parked, flow) && !under(m.before.Parked, flow):
		return change
	}
	return ""
}

// elsewhere says whether a flow answered that was neither under way nor the menu.
func (w *watcher) elsewhere(m moment) bool {
	return slices.ContainsFunc(w.spoken(m.after, m.in.Channel), func(id string) bool {
		return id != "main_menu" && id != "human" && !w.shapes[id].Soft && !under(m.before.Stack, id) && !under(m.before.Parked, id)
	})
}

func (w *watcher) leaves(said string) bool { return w.engine.MeansAway(said) }

// asksPerson says whether the turn led to a person who had not been asked for before it.
func asksPerson(m moment) bool {
	return under(m.after.Stack, "human") && !under(m.before.Stack, "human")
}

func under(frames []flows.Frame, flow string) bool {
	return slices.ContainsFunc(frames, func(f flows.Frame) bool { return f.Flow == flow })
}

func says(s flows.Session, key string) bool {
	return slices.ContainsFunc(s.Last, func(said flows.Say) bool { return said.Key == key })
}

// spoken are the flows whose texts were said last: a text that no other flow of the channel has, or all that a flow has
// to say with its offer, of several the one that says most.
func (w *watcher) spoken(session flows.Session, channel turn.Channel) (list []string) {
	most, texts := "", 0
	for _, id := range slices.Sorted(maps.Keys(w.shapes)) {
		s := w.shapes[id]
		if channel == turn.SMS && !s.SMS {
			continue
		}
		said := only(s.Says, func(key string) bool { return says(session, key) })
		if slices.ContainsFunc(said, func(key string) bool { return w.alone(id, key, channel) }) {
			list = append(list, id)
			continue
		}
		offered := channel == turn.SMS || len(session.Stack) == 0 && slices.ContainsFunc(s.Offers, func(offer []string) bool { return slices.Equal(offer, session.Offer) })
		if offered && len(said) == len(s.Says) && len(said) > texts {
			most, texts = id, len(said)
		}
	}
	if most != "" {
		list = append(list, most)
	}
	return list
}

// alone says whether no other flow of the channel has a text.
func (w *watcher) alone(flow, key string, channel turn.Channel) bool {
	for id, other := range w.shapes {
		if id != flow && (channel != turn.SMS || other.SMS) && slices.Contains(other.Says, key) {
			return false
		}
	}
	return true
}

// header is what the conversation showed, as its file's header says it.
func (w *watcher) header() []string {
	lines := make(map[string][]string)
	for _, kind := range kinds() {
		for c := range w.cells {
			if c.Kind == kind {
				key := c.Flow + " " + string(c.Locale)
				lines[key] = append(lines[key], kind)
			}
		}
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		out = append(out, signShown+key+" "+strings.Join(lines[key], " "))
	}
	return out
}

// Shown reads from a file's header what it shows.
func Shown(archive *txtar.Archive) (cells []Cell, err error) {
	for line := range strings.Lines(string(archive.Comment)) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), strings.TrimSpace(signShown))
		if !ok {
			continue
		}
		words := strings.Fields(rest)
		if len(words) < 3 {
			return nil, fmt.Errorf("turntest: %q is no header", line)
		}
		for _, kind := range words[2:] {
			if !slices.Contains(kinds(), kind) {
				return nil, fmt.Errorf("turntest: %q is no kind of conversation", kind)
			}
			cells = append(cells, Cell{words[0], kind, locales.Locale(words[1])})
		}
	}
	return cells, nil
}

// withHeader is a comment that says what the conversation shows.
func withHeader(comment []byte, header []string) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(comment) {
		if !bytes.HasPrefix(line, []byte(signShown)) {
			out.Write(line)
		}
	}
	for _, line := range header {
		fmt.Fprintln(&out, line)
	}
	return out.Bytes()
}

// Wanted are the cells that must be shown: every flow in every kind that its definition lets happen; the five
// commonest, those that the main menu offers first, in every language.
//
// Where no question is open nothing can be answered wrongly, left or thought better of, and a person is asked for from
// what is offered afterwards, if one is. What does not fit a soft question is a new wish, and it is not asked again.
func Wanted(engine *flows.Engine) (cells []Cell) {
	for _, s := range engine.Book().Shapes() {
		of := []string{straight}
		switch {
		case s.Soft:
			of = []string{straight, change, person}
		case s.Waits:
			of = kinds()
		case s.OffersPerson():
			of = []string{straight, person}
		}
		in := []locales.Locale{locales.ZhHans}
		if i := slices.Index(engine.MainOffers(), s.ID); i >= 0 && i < commonest {
			in = locales.All()
		}
		for _, locale := range in {
			for _, kind := range of {
				cells = append(cells, Cell{s.ID, kind, locale})
			}
		}
	}
	return cells
}

// commonest is how many flows are shown in every language.
const commonest = 5

// Engine is an engine over the embedded book with the understander of the golden conversations.
func Engine(t testing.TB) *flows.Engine {
	t.Helper()
	book, err := flows.Load()
	if err != nil {
		t.Fatal(err)
	}
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	return flows.New(book, texts, Plain{})
}
