package turn

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"

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

// checkable is how far back a text can be checked.
const checkable = 90 * 24 * time.Hour

// codeLike finds what may be a check code.
var codeLike = regexp.MustCompile(`[A-Z0-9]{6}`)

// checkText compares a text, or a check code, with what went to this person. It says yes only to what we know we sent:
// the code of one of our texts, and in a whole text nothing that we did not write. Whom we don't know hears neither.
func (t *oneTurn) checkText(words string) (found, error) {
	v := found{"real": "no", "date": "", "subject": ""}
	if t.self == 0 && len(t.onPhone) == 0 {
		v["real"] = "unknown"
		return v, nil
	}
	list, err := t.sentLately(checkable)
	if err != nil {
		return nil, err
	}
	bare := squeeze(words)
	codes := codeLike.FindAllString(strings.ToUpper(bare), -1)
	for _, s := range list {
		whole := len([]rune(bare)) > wholeText
		byCode := s.Check != "" && slices.Contains(codes, s.Check)
		if byCode && !whole || s.Content != "" && sameText(s.Content, words) {
			v["real"], v["date"], v["subject"] = "yes", civil(s.At, t.s.zone), s.Name
			return v, nil
		}
	}
	return v, nil
}

// wholeText is how long words are that are no longer a code with a word around it.
const wholeText = 16

// squeeze drops spaces and folds width.
func squeeze(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, width.Fold.String(text))
}

var slot = regexp.MustCompile(`\$\{[A-Za-z0-9_]+\}`)

// sameText says whether a text is a template filled: its fixed parts in their order from the first to the last, with
// no more than a variable's length between them. Signatures before and after don't count.
func sameText(template, text string) bool {
	text = squeeze(signature.ReplaceAllString(strings.TrimSpace(text), ""))
	parts := slot.Split(template, -1)
	at := 0
	for i, part := range parts {
		part = squeeze(part)
		found := strings.Index(text[at:], part)
		if found < 0 || i == 0 && found > 0 || len([]rune(text[at:at+found])) > longestVariable {
			return false
		}
		at += found + len(part)
	}
	return parts[len(parts)-1] == "" && len([]rune(text[at:])) <= longestVariable || at == len(text)
}

// longestVariable is the most that a template's variable takes.
const longestVariable = 35

// signature stands in lenticular brackets before or after a text.
var signature = regexp.MustCompile(`^\x{3010}[^\x{3011}]{1,20}\x{3011}|\x{3010}[^\x{3011}]{1,20}\x{3011}$`)

// handOver puts the conversation into the township's inbox and says when somebody looks at it.
func (t *oneTurn) handOver(topic, words string) (found, error) {
	if words == "" {
		words = topic
	}
	open, due := t.s.engine.Book().Settings().Hours.Due(t.now.In(t.s.zone))
	_, err := t.tx.HandOver(register.Handover{Topic: topic, Words: words, PersonID: t.personID, Region: t.region, Due: due})
	return found{"open": yesNo(open), "date": civil(due, t.s.zone)}, err
}
