package understand

// Judged is one utterance with what it was said to mean and what it was taken for.
type Judged struct {
	Want  string
	Got   string
	Score float64
}

// CrossValidate tells how well the examples explain one another: each is judged by a model that has seen neither it
// nor any other utterance of its line.
func CrossValidate(folds int) ([]Judged, error) {
	r, err := newReader()
	if err != nil {
		return nil, err
	}
	intents := Intents()
	samples, err := loadSamples(intents)
	if err != nil {
		return nil, err
	}
	fillers, err := loadFillers()
	if err != nil {
		return nil, err
	}
	var out []Judged
	for fold := range folds {
		var seen, unseen []sample
		last := -1
		for _, s := range samples {
			switch {
			case s.line%folds != fold:
				seen = append(seen, s)
			case s.line != last: // one of a line is enough
				unseen = append(unseen, s)
				last = s.line
			}
		}
		u := &Understander{intents: intents, reader: r, model: learn(r, seen, fillers, len(intents))}
		for _, s := range unseen {
			got := u.Understand(s.text)
			out = append(out, Judged{Want: intents[s.intent], Got: got.Intent, Score: got.Score})
		}
	}
	return out, nil
}
