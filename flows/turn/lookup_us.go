package turn

import (
	"time"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

func (t *oneTurn) performUs(q flows.Request) (f flows.Facts, mine bool, err error) {
	book := t.s.engine.Book()
	switch q.Name {
	case "office":
		f.Vars = found{"phone": book.Line("office", t.region)}
	case "line":
		f.Vars = found{"phone": book.Line(q.With["topic"], t.region)}
	case "language_named":
		f.Vars = found{"language": book.Settings().Named(q.With["words"]), "elder": yesNo(book.Settings().AsksForElder(q.With["words"]))}
	case "set_language":
		if _, ok := locales.Parse(q.With["language"]); ok {
			t.contact.Language, t.contact.LanguageChosen = q.With["language"], true
		}
	case "set_elder":
		t.contact.Elder = q.With["on"] == "yes"
	case "guide":
		f, err = t.guide(q.With["topic"])
	case "policies":
		f, err = t.policies()
	case "opt_out":
		err = t.tx.OptOut(t.self)
	case "opt_in":
		err = t.tx.OptIn(t.self)
	case "mute", "unmute", "muted":
		f, err = t.mute(q.Name, q.With["kind"])
	case "latest_text":
		f.Vars, err = t.latestText()
	case "check_text":
		f.Vars, err = t.checkText(q.With["words"])
	case "hand_over":
		f.Vars, err = t.handOver(q.With["topic"], q.With["words"])
	default:
		return f, false, nil
	}
	return f, true, err
}

// record is the person as rules read them; ok is false where we don't know who writes.
func (t *oneTurn) record() (r register.Record, ok bool, err error) {
	if t.personID == 0 {
		return r, false, nil
	}
	r, err = t.tx.Record(t.personID)
	return r, err == nil, err
}

// guide says what a measure offers, and whether it is for this person.
func (t *oneTurn) guide(topic string) (f flows.Facts, err error) {
	f.Vars = found{"verdict": "", "why": "", "plan": "yes", "clause": "", "checked": ""}
	g, ok := t.s.engine.Book().Guide(topic)
	if !ok {
		return f, nil
	}
	for _, p := range g.Points {
		f.Items = append(f.Items, map[string]string{"point": p[t.locale()]})
	}
	f.Vars["clause"], f.Vars["checked"] = g.Clause, g.CheckedOn
	if !g.Old() {
		f.Vars["plan"] = ""
	}
	if len(g.Verdicts) == 0 {
		return f, nil
	}
	r, known, err := t.record()
	if err != nil || !known {
		return f, err
	}
	if v, fits := g.For(r, t.now.In(t.s.zone)); fits {
		f.Vars["verdict"], f.Vars["why"] = v.Verdict, v.Why[t.locale()]
	}
	return f, nil
}

// policiesShown bounds what is named at once; what is for them for certain comes first.
const policiesShown = 5

// policies lists what may be for this person, and why.
func (t *oneTurn) policies() (f flows.Facts, err error) {
	r, known, err := t.record()
	if err != nil || !known {
		return flows.Facts{Vars: found{"found": "no"}}, err
	}
	var sure, maybe []map[string]string
	for _, g := range t.s.engine.Book().Guides() {
		v, fits := g.For(r, t.now.In(t.s.zone))
		item := map[string]string{"title_key": t.s.engine.Book().Title(g.Flow), "why": v.Why[t.locale()]}
		switch {
		case fits && v.Verdict == "yes":
			sure = append(sure, item)
		case fits && v.Verdict == "maybe":
			maybe = append(maybe, item)
		}
	}
	all := append(sure, maybe...)
	f.Items = all[:min(len(all), policiesShown)]
	f.Vars = found{"found": yesNo(len(all) > 0)}
	return f, nil
}

func (t *oneTurn) mute(what, kind string) (f flows.Facts, err error) {
	f.Vars = found{"found": "no"}
	if t.in.Channel == WeChat && t.self == 0 {
		return f, nil // nothing goes to an account that is nobody's, and what it says is not of somebody else
	}
	switch what {
	case "mute":
		return f, t.tx.Mute(t.self, kind)
	case "unmute":
		return f, t.tx.Unmute(t.self, kind)
	}
	kinds, err := t.tx.Muted(t.self)
	for _, k := range kinds[:min(len(kinds), mutedShown)] {
		f.Items = append(f.Items, map[string]string{"id": k, "kind_key": "kind." + k})
	}
	f.Vars["found"] = yesNo(len(kinds) > 0)
	return f, err
}

const mutedShown = 4

// sentLately lists what campaigns sent to this phone, or to the person of this openid.
func (t *oneTurn) sentLately(within time.Duration) ([]register.Sent, error) {
	people := t.onPhone
	if t.in.Channel == WeChat && t.self != 0 {
		people = []int64{t.self}
	}
	return t.tx.Sent(t.now.Add(-within), people...)
}

// handOver puts the conversation into the township's inbox and says when somebody looks at it.
func (t *oneTurn) handOver(topic, words string) (found, error) {
	if words == "" {
		words = topic
	}
	local := t.now.In(t.s.zone)
	open, due := t.s.engine.Book().Settings().Hours.Due(local, t.s.calendar)
	now := yesNo(open)
	if t.s.calendar.Off(local) {
		now = "holiday"
	}
	_, err := t.tx.HandOver(register.Handover{Topic: topic, Words: words, PersonID: t.personID, Region: t.region, Due: due})
	return found{"open": now, "date": civil(due, t.s.zone)}, err
}

// tellStaff puts what was done in a conversation before staff: about is its id, words what it is about.
func (t *oneTurn) tellStaff(topic, words string, about int64) error {
	_, due := t.s.engine.Book().Settings().Hours.Due(t.now.In(t.s.zone), t.s.calendar)
	_, err := t.tx.HandOver(register.Handover{Topic: topic, Words: words, PersonID: t.personID, Region: t.region, Due: due, AboutID: about})
	return err
}
