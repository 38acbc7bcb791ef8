package flows

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/locales"
)

// What is taken for words about the conversation itself is short; a story may hold any word.
const (
	rudeRunes  = 20
	elderRunes = 10
)

// apart takes what is about the conversation rather than in it: a text that somebody got and forwards, that they
// cannot read this, that they have had enough. The open question stays.
func (r *run) apart(said string, q *Step) bool {
	s := r.e.book.settings
	free := q != nil && q.Ask != nil && (q.Ask.As == "words" || q.Ask.As == "text")
	n := utf8.RuneCountInString(said)
	switch {
	case free:
		return false
	case s.Forwarded(r.in.Text):
		r.understood("report_problem", 1)
		r.begin(flowCheck)
		return true
	case n <= elderRunes && holds(said, s.Elder) && !r.in.Env.Elder:
		r.understood("language", 1)
		r.beside(flowElder)
		return true
	case n <= rudeRunes && holds(said, s.Rude):
		r.beside(flowUpset)
		return true
	}
	return false
}

func holds(said string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(said, w) || strings.Contains(said, hanzi.Simplify(w)) })
}

// Forwarded says whether this is a text with the signature that every SMS begins or ends with: somebody else's words.
func (s Settings) Forwarded(text string) bool {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) < 8 || s.Signature == "" {
		return false
	}
	open, closing, _ := strings.Cut(s.Signature, " ")
	return strings.HasPrefix(text, open) && strings.Contains(text, closing) || strings.HasSuffix(text, closing) && strings.Contains(text, open)
}

// nameChoices collects what stands in menus and beside numbers, in every locale: it can be typed as well.
func (e *Engine) nameChoices(catalogue *locales.Bundle) {
	e.titles, e.labels = make(map[string]string), make(map[string][]string)
	words := func(key string) (all []string) {
		for _, l := range locales.All() {
			all = append(all, normalise(catalogue.Localizer(l).Text(key, nil)))
		}
		return all
	}
	for _, id := range []string{flowElder, flowPlain} {
		for _, w := range words(e.book.Title(id)) {
			e.titles[w] = id
		}
	}
	for _, id := range e.book.order {
		for _, s := range e.book.flows[id].Steps {
			if s.Choose != nil {
				for _, o := range s.Choose.Options {
					e.labels[o.Label] = words(o.Label)
					if o.Flow != "" && !e.book.flows[id].SMS {
						e.nameFlow(o.Flow, words)
					}
				}
			}
			if s.End == nil {
				continue
			}
			for _, flow := range s.End.Offer {
				e.nameFlow(flow, words)
			}
		}
	}
}

// nameFlow lets a flow be started by its title, in any locale.
func (e *Engine) nameFlow(flow string, words func(key string) []string) {
	for _, w := range words(e.book.flows[flow].Title) {
		e.titles[w] = flow
	}
}

// byTitle starts the flow whose name was said: what stands in a menu can be typed.
func (r *run) byTitle(said string) bool {
	flow := r.e.titles[said]
	if flow == "" {
		return false
	}
	r.in.Text = "" // a name says nothing about the matter
	r.begin(flow)
	return true
}

// checkCode is how the codes look by which a text can be checked: what is read aloud without mistakes.
var checkCode = regexp.MustCompile(`^[ACDEFHJKLMNPQRTUVWXYacdefhjklmnpqrtuvwxy34679]{6}$`)

// isCheckCode says whether somebody wrote a check code and nothing else.
func isCheckCode(text string) bool {
	return checkCode.MatchString(strings.Join(strings.Fields(normalise(text)), ""))
}

// codeAmong finds what looks like a check code among other words.
var codeAmong = regexp.MustCompile(`(?:^|[^A-Za-z0-9])([ACDEFHJKLMNPQRTUVWXYacdefhjklmnpqrtuvwxy34679]{6})(?:$|[^A-Za-z0-9])`)

// holdsCheckCode says whether few words hold a check code: somebody asks about it in words of their own.
func holdsCheckCode(text string) bool {
	if isCheckCode(text) {
		return true
	}
	m := codeAmong.FindStringSubmatch(text)
	return m != nil && utf8.RuneCountInString(text) <= wordsRunes && strings.ContainsAny(m[1], "34679") && strings.ContainsFunc(m[1], unicode.IsLetter)
}

// renew begins a flow anew whose definition has changed under the session, unless they say something plainer.
func (r *run) renew(said string) bool {
	flow := r.s.Renewed
	r.s.Renewed = ""
	w := r.e.words
	if flow == "" || r.in.Env.Channel == SMS || r.in.Tap != "" || w.optOut(said, true) || len(w[said]) > 0 {
		return false
	}
	if g := r.understand(); r.e.book.byIntent[g.Intent] != "" && g.Score >= r.e.book.settings.Sure {
		return false
	}
	r.say("renewed.again", map[string]string{"title_key": r.e.book.flows[flow].Title}, nil)
	r.in.Text = ""
	r.begin(flow)
	return true
}

func (r *run) away() bool {
	patience := halfway
	if r.in.Env.Elder {
		patience = halfwayElder
	}
	return r.in.Env.Away >= patience && !r.topIsSoft() && r.top() != nil
}

func (r *run) tries() int {
	if r.in.Env.Elder {
		return triesElder
	}
	return triesInARow
}

// hearBeginning hands a flow the words it was started with; a number is none.
func (r *run) hearBeginning(d *Definition) {
	if d.hears() && r.in.Text != "" && r.in.Choice == 0 && r.in.Tap == "" {
		r.top().set("heard", clip(r.in.Text))
	}
}
