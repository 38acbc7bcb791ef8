package flows

import (
	"slices"
	"strings"
	"unicode"
)

// One account may stand for several people: its own person and those who agreed that it looks after their matters.
// Whose matter it is, is asked once and kept with the session; the host says on every turn who there is to choose from.

// wordsRunes is how long words are that start a flow by a word; a story may hold any word.
const wordsRunes = 20

// startWord is one of the words that start a flow.
type startWord struct {
	word     string // normalised
	anywhere bool
	flow     string
	sms      bool
}

// startWords are those of all flows.
func (b *Book) startWords() (all []startWord) {
	for _, id := range b.order {
		for _, w := range b.flows[id].Words {
			part, anywhere := strings.CutPrefix(w, "~")
			all = append(all, startWord{normalise(part), anywhere, id, b.flows[id].SMS})
		}
	}
	return all
}

func (w startWord) in(said string) bool {
	if w.anywhere {
		return strings.Contains(said, w.word)
	}
	return said == w.word
}

// spoken is how long it takes to say: a word in letters is about two characters.
func spoken(said string) (n int) {
	within := false
	for _, r := range said {
		letter := r <= unicode.MaxLatin1 && unicode.IsLetter(r) || within && r == '\''
		switch {
		case letter && !within:
			n += 2
		case !letter && !unicode.IsSpace(r):
			n++
		}
		within = letter
	}
	return n
}

// byWords starts the flow that lists what was said among its words.
func (r *run) byWords(said string) bool {
	if spoken(said) > wordsRunes {
		return false
	}
	sms := r.in.Env.Channel == SMS
	q := r.waiting()
	told := q != nil && q.Ask != nil // what they tell may hold the words that began it
	i := slices.IndexFunc(r.e.starts, func(w startWord) bool { return w.sms == sms && w.in(said) && (!told || !r.running(w.flow)) })
	if i < 0 {
		return false
	}
	r.begin(r.e.starts[i].flow)
	return true
}

// unsettled says whether it must still be asked whose matter it is.
func (r *run) unsettled() bool {
	return r.in.Env.Channel == WeChat && r.in.Env.Several && r.s.Whose == ""
}

// whoseFirst holds a request back until it is settled whose matter it is, and says so before the answer.
func (r *run) whoseFirst(s *Step) bool {
	k, _ := requestKind(s.request())
	if !k.Personal || r.in.Env.Channel != WeChat || r.running(flowBind) {
		return false
	}
	if r.unsettled() && !r.running(flowOf) {
		r.push(flowOf)
		return true
	}
	if who, several := r.whose(); who.ID != "" && k.Tells && !r.named {
		r.named = true
		r.say("whose.line", map[string]string{"who": who.Name, "relation_key": "kin." + who.Relation, "several": several}, nil)
	}
	return false
}

// whose is whose matter it is where that should be said, and "yes" where it could be another's.
func (r *run) whose() (who Kin, several string) {
	kin := r.in.Env.Kin
	if r.in.Env.Several {
		several = "yes"
	} else if len(kin) == 1 {
		return kin[0], ""
	}
	if i := slices.IndexFunc(kin, func(k Kin) bool { return k.ID == r.s.Whose }); i >= 0 {
		who = kin[i]
	}
	return who, several
}

// forKin takes up whose matter it is where the words name somebody of the family. Somebody whose matters they don't
// look after yet is asked for first.
func (r *run) forKin() bool {
	relation := r.e.book.settings.kinIn(normalise(r.in.Text))
	if relation == "" || r.in.Kind != Said || r.in.Env.Channel != WeChat {
		return false
	}
	var known []Kin
	for _, k := range r.in.Env.Kin {
		if k.Relation == relation {
			known = append(known, k)
		}
	}
	switch {
	case len(known) == 1:
		r.s.Whose = known[0].ID
		return true
	case len(known) > 1:
		r.s.Whose = "" // which of them is to be asked
		return false
	case relation == kinSelf:
		return false
	}
	r.push(flowProxy)
	r.top().set("relation", relation)
	return true
}

// ofKin takes up whose matter it is where the words name the one of the family whose matters they look after.
func (r *run) ofKin() {
	if !r.speaksOfKin() {
		return
	}
	relation := r.e.book.settings.kinIn(normalise(r.in.Text))
	same := func(k Kin) bool { return k.Relation == relation }
	if i := slices.IndexFunc(r.in.Env.Kin, same); i >= 0 && !slices.ContainsFunc(r.in.Env.Kin[i+1:], same) {
		r.s.Whose = r.in.Env.Kin[i].ID
	}
}

// speaksOfKin says whether the words name somebody of the family.
func (r *run) speaksOfKin() bool {
	relation := r.e.book.settings.kinIn(normalise(r.in.Text))
	return r.in.Kind == Said && r.in.Env.Channel == WeChat && relation != "" && relation != kinSelf
}

// helpsKin says whether somebody wants to do something for one of the family, whatever it is.
func (r *run) helpsKin() bool {
	return r.waiting() == nil && r.speaksOfKin() && holds(normalise(r.in.Text), r.e.book.settings.Help)
}

// kinSelf is the relation of a person to themselves.
const kinSelf = "self"

// kinIn is who of the family is spoken of, "" nobody. What stands first in the settings wins.
func (s Settings) kinIn(said string) string {
	for _, k := range s.Kin {
		if holds(said, k.Words) {
			return k.Is
		}
	}
	return ""
}

// kinNamed is the number of the one item that is of the family member spoken of, 0: none, or several.
func (e *Engine) kinNamed(items []map[string]string, said string) (n int) {
	relation := e.book.settings.kinIn(said)
	for i, item := range items {
		if relation == "" || item["relation_key"] != "kin."+relation {
			continue
		}
		if n > 0 {
			return 0
		}
		n = i + 1
	}
	return n
}
