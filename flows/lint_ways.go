package flows

import "slices"

// ways checks that from wherever somebody stands the menu and a person are one word away, and that no flow leaves them
// without a way on.
func (l *linter) ways(d *Definition) {
	for _, s := range d.Steps {
		switch {
		case s.Choose != nil:
			l.everywhere(d, s, s.Choose.Options)
		case s.Ask != nil:
			l.everywhere(d, s, s.Ask.Branches)
		case s.End != nil && len(s.End.Offer) > 0:
			if !slices.ContainsFunc(s.End.Offer, func(flow string) bool { return flow == flowMenu || flow == flowHuman }) && !l.leadsOn(s.End.Offer) {
				l.complain("flow %s: step %s offers neither the menu nor a person", d.ID, s.ID)
			}
		}
	}
}

// leadsOn says whether all that is offered leads further by itself.
func (l *linter) leadsOn(offer []string) bool {
	return slices.ContainsFunc(offer, func(flow string) bool {
		f := l.b.flows[flow]
		return f != nil && slices.ContainsFunc(f.Steps, func(s *Step) bool {
			return s.End != nil && (slices.Contains(s.End.Offer, flowMenu) || slices.Contains(s.End.Offer, flowHuman))
		})
	})
}

// everywhere checks that the words which hold in every step do what they do everywhere: an answer to a question is
// tried first, so none of its words may be one of them, unless it leads to the same place.
func (l *linter) everywhere(d *Definition, s *Step, options []Option) {
	e := &Engine{book: l.b, words: newGlobalWords(l.b.settings)}
	set := l.b.settings
	for target, words := range map[string][]string{flowMenu: set.Menu, flowHuman: set.Person, flowOptOut: set.OptOut} {
		for _, w := range words {
			i := e.optionWith(options, normalise(w))
			if i < 0 {
				continue
			}
			o := options[i]
			if o.Flow != target && (target != flowMenu || o.Go != goMenu && o.Flow != "sms_menu") {
				l.complain("flow %s: step %s takes %q for an answer, which holds everywhere", d.ID, s.ID, w)
			}
		}
	}
}
