package understand

import (
	"runtime"
	"slices"
	"sync"
)

// Judged is one utterance with what it was said to mean and what it was taken for.
type Judged struct {
	Want    string
	Also    []string // other answers that count as right
	Variant string
	Got     Result
}

// alike is the share of common pairs of characters from which on two lines say the same in other words.
const alike = 0.6

// CrossValidate tells how well the examples explain one another: each is judged by a model that has seen neither it,
// nor another utterance of its line, nor a line much like it.
func CrossValidate(folds int) ([]Judged, error) {
	r, err := newReader(soundTable)
	if err != nil {
		return nil, err
	}
	samples, err := loadSamples(Intents())
	if err != nil {
		return nil, err
	}
	for i := range samples {
		samples[i].features = r.read(samples[i].text)
	}
	family := families(r, samples)
	judged := make([][]Judged, folds)
	var all sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for fold := range folds {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			judged[fold] = judge(r, samples, func(s sample) bool {
				return int(uint32(family[s.line])*2654435761>>8)%folds == fold
			})
		})
	}
	all.Wait()
	return slices.Concat(judged...), nil
}

// judge learns from the samples that are not set apart, and tells what becomes of those that are.
func judge(r *reader, samples []sample, apart func(sample) bool) []Judged {
	intents := Intents()
	var seen, unseen []sample
	last := -1
	for _, s := range samples {
		switch {
		case !apart(s):
			seen = append(seen, s)
		case s.line != last: // one of a line is enough
			unseen = append(unseen, s)
			last = s.line
		}
	}
	u := &Understander{intents: intents, reader: r, model: learn(r, seen, len(intents))}
	out := make([]Judged, 0, len(unseen))
	for _, s := range unseen {
		j := Judged{Want: intents[s.intent], Variant: s.variant, Got: u.Understand(s.text)}
		for _, i := range s.also {
			j.Also = append(j.Also, intents[i])
		}
		out = append(out, j)
	}
	return out
}

// families gives each line the number of a line that stands for all that are much alike.
func families(r *reader, samples []sample) map[int]int {
	head := map[int]int{}
	size := map[int]int{}
	having := map[uint64][]int{} // the lines with a pair of characters
	for _, s := range samples {
		if _, ok := head[s.line]; ok {
			continue
		}
		head[s.line] = s.line
		pairs := pairsOf(r.writer.plain(s.text))
		size[s.line] = len(pairs)
		common := map[int]int{}
		for pair := range pairs {
			for _, other := range having[pair] {
				common[other]++
			}
			having[pair] = append(having[pair], s.line)
		}
		for other, n := range common {
			if float64(n) >= alike*float64(len(pairs)+size[other]-n) {
				head[root(head, other)] = root(head, s.line)
			}
		}
	}
	for line := range head {
		head[line] = root(head, line)
	}
	return head
}

func root(head map[int]int, line int) int {
	for head[line] != line {
		line = head[line]
	}
	return line
}

func pairsOf(chars []rune) map[uint64]bool {
	out := map[uint64]bool{}
	before := uint32(0)
	for _, k := range runeKeys(chars) {
		out[gramID(charLevel, before, k)] = true
		before = k
	}
	out[gramID(charLevel, before, 0)] = true
	return out
}

// Shared counts the examples that say, once written the plain way, what one of texts says; short ones, of at most
// four characters, apart: there are only so many ways to write two characters.
func Shared(texts []string) (long, short int, err error) {
	r, err := newReader(soundTable)
	if err != nil {
		return 0, 0, err
	}
	samples, err := loadSamples(Intents())
	if err != nil {
		return 0, 0, err
	}
	theirs := map[string]bool{}
	for _, text := range texts {
		theirs[string(r.writer.plain(text))] = true
	}
	for _, s := range samples {
		plain := r.writer.plain(s.text)
		switch {
		case !theirs[string(plain)]:
		case len(plain) > 4:
			long++
		default:
			short++
		}
	}
	return long, short, nil
}
