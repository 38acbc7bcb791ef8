package flows

import (
	"slices"
	"strings"
)

// Shape is what may happen to somebody in a flow, told by its definition.
type Shape struct {
	ID     string
	Asks   bool       // it puts a question of its own
	Waits  bool       // a question may be open while it runs: its own, its guard's, or one of a flow it calls
	Soft   bool       // its question gives way to any other input
	SMS    bool       // it may run by SMS
	Says   []string   // text keys
	Offers [][]string // what numbers lead to when it has ended

	Questions []Question
	Words     []string // that begin it
	Templates []string // that it speaks by on SMS
}

// Question is a step that waits for an answer.
type Question struct {
	Step string
	As   string   // the validator of an open question; "": one of several answers, by its number
	Ways []string // words that lead elsewhere, one for each way
}

// OffersPerson says whether a person is one number away when the flow has ended.
func (s Shape) OffersPerson() bool {
	return slices.ContainsFunc(s.Offers, func(offer []string) bool { return slices.Contains(offer, flowHuman) })
}

// Shapes tells what every flow is like, by id.
func (b *Book) Shapes() []Shape {
	shapes := make([]Shape, 0, len(b.order))
	for _, id := range b.order {
		d := b.flows[id]
		s := Shape{ID: id, Soft: d.Soft, SMS: d.SMS, Waits: b.waits(d, nil)}
		for _, word := range d.Words {
			s.Words = append(s.Words, strings.TrimPrefix(word, "~"))
		}
		for _, step := range d.Steps {
			s.Asks = s.Asks || step.open()
			if step.SMS != nil {
				s.Templates = append(s.Templates, step.SMS.Template)
			}
			switch {
			case step.Say != "":
				s.Says = append(s.Says, step.Say)
			case step.Choose != nil:
				s.Says = append(s.Says, step.Choose.Prompt)
				s.Questions = append(s.Questions, Question{Step: step.ID})
			case step.Ask != nil:
				s.Says = append(s.Says, step.Ask.Prompt)
				s.Questions = append(s.Questions, step.Ask.question(step.ID))
			case step.End != nil:
				s.Offers = append(s.Offers, step.End.Offer)
			}
		}
		shapes = append(shapes, s)
	}
	return shapes
}

func (a *Ask) question(step string) Question {
	q := Question{Step: step, As: a.As}
	for _, o := range a.Branches {
		q.Ways = append(q.Ways, strings.TrimPrefix(o.Words[0], "~"))
	}
	return q
}

// waits says whether a question may be open while a flow runs. Callers are those that wait for it already.
func (b *Book) waits(d *Definition, callers []string) bool {
	if d.Needs == needsBound {
		return true
	}
	return slices.ContainsFunc(d.Steps, func(s *Step) bool {
		return s.open() || s.Call != "" && !slices.Contains(callers, s.Call) && b.waits(b.flows[s.Call], append(callers, d.ID))
	})
}

// MainOffers are the flows that the main menu offers, the commonest first.
func (e *Engine) MainOffers() []string { return slices.Clone(e.mainOffers()) }

// MeansPerson says whether the words ask for a person wherever they are said.
func (e *Engine) MeansPerson(said string) bool { return e.words.has(wordPerson, normalise(said)) }

// MeansAway says whether the words lead out of a question: back, to the menu, or away from it.
func (e *Engine) MeansAway(said string) bool {
	said = normalise(said)
	return e.words.has(wordBack, said) || e.words.has(wordMenu, said) || e.words.has(wordLeave, said)
}
