package understand

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"maps"
	"math"
	"slices"
	"sync"
)

// The examples are for learning alone: a program that only understands doesn't carry them.
//
//go:embed examples/*.txt
var examples embed.FS

// How it learns. The steps are AdaGrad's.
const (
	epochs    = 12
	tolerance = 0.01 // errors smaller than this are left
	step      = 0.3
	decay     = 3e-3
	balance   = 0.3 // how far rare intents are made up for
	byEar     = 0.4 // weight of a second look at each example without its characters
	slipped   = 0.3 // weight of a third look at it, with slips
	second    = 0.3 // how much of an example's belief its other right answers have
	blanked   = 0.3 // share of an example's features that each look leaves out, so that none carries it alone

	// A fifth of the examples are out of scope, since there is so much of it. Few messages are: the odds are lowered.
	farOdds = 0.8
)

// Learn makes the model's file of the examples, with a table of sounds. The same texts always make the same file on
// one kind of processor.
func Learn(soundTable string) ([]byte, error) {
	r, err := newReader(soundTable)
	if err != nil {
		return nil, err
	}
	intents := Intents()
	samples, err := loadSamples(intents)
	if err != nil {
		return nil, err
	}
	digest, err := digestOf(soundTable)
	if err != nil {
		return nil, err
	}
	return learn(r, samples, len(intents)).write(digest)
}

// digestOf tells whether a model was learnt from these very texts.
func digestOf(soundTable string) ([sha256.Size]byte, error) {
	h := sha256.New()
	h.Write([]byte(soundTable))
	for _, name := range []string{"terms.txt", "dialects.txt", "english.txt", "emoji.txt"} {
		file, err := readText(name)
		if err != nil {
			return [sha256.Size]byte{}, err
		}
		h.Write([]byte(file))
	}
	for _, intent := range Intents() {
		file, err := examples.ReadFile("examples/" + intent + ".txt")
		if err != nil {
			return [sha256.Size]byte{}, err
		}
		h.Write(file)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// lesson is a sample as the learner sees it.
type lesson struct {
	at     []int32
	value  []float32
	intent int
	also   []int
	weight float32
}

// way is one of the ways in which the same examples are looked at.
type way struct{ runs, slips bool }

func ways() []way { return []way{{}, {runs: true}, {slips: true}, {runs: true, slips: true}} }

// learner holds the weights while they move.
type learner struct {
	index   map[uint64]int32
	weights []float32 // feature by feature, one for each intent
	squares []float32
	bias    []float32
	biasSq  []float32
	intents int
	look    uint32 // counts the looks at examples
}

func newLearner(index map[uint64]int32, intents int) *learner {
	return &learner{index: index, intents: intents, bias: make([]float32, intents), biasSq: make([]float32, intents)}
}

// blank tells whether the present look leaves a feature out. It is chance, but always the same.
func (l *learner) blank(feature int32) bool {
	h := uint32(feature)*2654435761 ^ l.look*2654435769
	h = (h ^ h>>15) * 2246822507
	h ^= h >> 13
	return float32(h>>16) < blanked*(1<<16)
}

// learn makes a model of the samples: the mean of what is learnt in each way. They differ where they err, and the mean
// of linear models is one linear model.
func learn(r *reader, samples []sample, intents int) *model {
	index := map[uint64]int32{}
	var learners []*learner
	var lessons [][]lesson
	class := newClass(r, samples, intents)
	for _, w := range ways() {
		l := newLearner(index, intents)
		learners = append(learners, l)
		lessons = append(lessons, class.lessons(l, w))
	}
	var wg sync.WaitGroup
	for i, l := range learners {
		wg.Go(func() { l.fit(lessons[i]) })
	}
	wg.Wait()
	return mean(learners).model()
}

// mean gives the first learner the mean of all.
func mean(all []*learner) *learner {
	share := 1 / float32(len(all))
	add := func(to, of []float32) {
		for i, v := range of {
			to[i] += v
		}
	}
	out := all[0]
	for _, l := range all[1:] {
		add(out.weights, l.weights)
		add(out.bias, l.bias)
	}
	for _, values := range [][]float32{out.weights, out.bias} {
		for i := range values {
			values[i] *= share
		}
	}
	return out
}

// class is what all ways of learning have in common.
type class struct {
	reader  *reader
	samples []sample
	read    [][]feature
	slipped [][]feature // nil where nothing slips
	usual   func(uint64) bool
	weights []float64
}

func newClass(r *reader, samples []sample, intents int) *class {
	c := &class{
		reader: r, samples: samples, read: make([][]feature, len(samples)), slipped: make([][]feature, len(samples)),
		weights: intentWeights(samples, intents),
	}
	slips := newSlips(r.sounds, samples)
	for i, s := range samples {
		if c.read[i] = s.features; c.read[i] == nil {
			c.read[i] = r.read(s.text)
		}
		if text := slips.in(s.text); text != s.text {
			c.slipped[i] = r.read(text)
		}
	}
	c.usual = usual(c.read, samples)
	return c
}

// lessons are the looks at each sample: as it is, by ear, and with slips.
func (c *class) lessons(l *learner, w way) []lesson {
	var out []lesson
	for i, s := range c.samples {
		features := c.seen(c.read[i], w)
		if len(features) == 0 {
			continue
		}
		weight := s.weight * c.weights[s.intent]
		heard := withoutCharacters(features)
		if w.slips {
			heard = c.reader.terms.byEar(heard)
		}
		out = append(out, l.lesson(withoutRare(novelty(features, c.usual), c.usual), s, weight), l.lesson(heard, s, weight*byEar))
		if w.slips && c.slipped[i] != nil {
			features := c.seen(c.slipped[i], w)
			out = append(out, l.lesson(withoutRare(novelty(features, c.usual), c.usual), s, weight*slipped))
		}
	}
	return out
}

// seen leaves of an utterance's features what one way looks at; runs that one line alone has teach nothing.
func (c *class) seen(features []feature, w way) []feature {
	if !w.runs {
		return withoutRuns(features)
	}
	return slices.DeleteFunc(slices.Clone(features), func(f feature) bool {
		return (levelOf(f.id) == charRunLevel || levelOf(f.id) == soundRunLevel) && !c.usual(f.id)
	})
}

// withoutRare leaves the characters that only one line has to the other levels, so that whatever the model knows at
// this level is usual.
func withoutRare(in []feature, usual func(uint64) bool) []feature {
	return slices.DeleteFunc(slices.Clone(in), func(f feature) bool { return levelOf(f.id) == charLevel && !usual(f.id) })
}

// usual tells which character features more than one line has.
func usual(read [][]feature, samples []sample) func(uint64) bool {
	first := map[uint64]int{}
	often := map[uint64]bool{}
	for i, features := range read {
		for _, f := range features {
			if line, ok := first[f.id]; !ok {
				first[f.id] = samples[i].line
			} else if line != samples[i].line {
				often[f.id] = true
			}
		}
	}
	return func(id uint64) bool { return often[id] }
}

func intentWeights(samples []sample, intents int) []float64 {
	totals := make([]float64, intents)
	mean := 0.0
	for _, s := range samples {
		totals[s.intent] += s.weight
		mean += s.weight / float64(intents)
	}
	for i, t := range totals {
		totals[i] = math.Pow(mean/t, balance)
	}
	return totals
}

func (l *learner) lesson(features []feature, s sample, weight float64) lesson {
	out := lesson{intent: s.intent, also: s.also, weight: float32(weight)}
	for _, f := range features {
		at, ok := l.index[f.id]
		if !ok {
			at = int32(len(l.index))
			l.index[f.id] = at
		}
		out.at = append(out.at, at)
		out.value = append(out.value, float32(f.value))
	}
	return out
}

func (l *learner) fit(lessons []lesson) {
	l.weights = make([]float32, len(l.index)*l.intents)
	l.squares = make([]float32, len(l.weights))
	errs := make([]float32, l.intents)
	active := make([]int, 0, l.intents)
	var kept []int
	stride := strideFor(len(lessons))
	for range epochs {
		for i, at := 0, 0; i < len(lessons); i, at = i+1, (at+stride)%len(lessons) {
			kept = l.keep(&lessons[at], kept[:0])
			active = l.errors(&lessons[at], kept, errs, active[:0])
			l.move(&lessons[at], kept, errs, active)
		}
	}
}

// keep lists which features of a lesson the next look sees.
func (l *learner) keep(in *lesson, kept []int) []int {
	l.look++
	for j, f := range in.at {
		if !l.blank(f) {
			kept = append(kept, j)
		}
	}
	return kept
}

// errors gives how wrong the present weights are about a lesson, and lists the intents worth a step.
func (l *learner) errors(in *lesson, kept []int, errs []float32, active []int) []int {
	copy(errs, l.bias)
	for _, j := range kept {
		v := in.value[j] / (1 - blanked)
		row := l.row(l.weights, in.at[j])[:len(errs)]
		for c := range errs {
			errs[c] += float32(row[c] * v)
		}
	}
	softmax(errs)
	errs[in.intent]--
	for _, c := range in.also {
		share := float32(second) / float32(len(in.also))
		errs[in.intent] += share
		errs[c] -= share
	}
	for c, g := range errs {
		if g > tolerance || g < -tolerance {
			active = append(active, c)
		}
	}
	return active
}

func (l *learner) move(in *lesson, kept []int, errs []float32, active []int) {
	if len(active) == 0 {
		return
	}
	for _, c := range active {
		g := errs[c] * in.weight
		errs[c] = g
		l.biasSq[c] += float32(g * g)
		l.bias[c] -= float32(step * g / (1e-3 + sqrt32(l.biasSq[c])))
	}
	for _, j := range kept {
		v := in.value[j] / (1 - blanked)
		w, q := l.row(l.weights, in.at[j]), l.row(l.squares, in.at[j])
		for _, c := range active {
			g := float32(errs[c]*v) + float32(decay*w[c])
			q[c] += float32(g * g)
			w[c] -= float32(step * g / (1e-3 + sqrt32(q[c])))
		}
	}
}

func (l *learner) row(of []float32, feature int32) []float32 {
	return of[int(feature)*l.intents : int(feature+1)*l.intents]
}

// model packs the weights.
func (l *learner) model() *model {
	ids := slices.SortedFunc(maps.Keys(l.index), func(a, b uint64) int {
		return cmp.Or(cmp.Compare(keyFor(a), keyFor(b)), cmp.Compare(a, b))
	})
	m := &model{bias: slices.Clone(l.bias)}
	m.bias[slices.Index(Intents(), OutOfScope)] += float32(math.Log(farOdds))
	for _, id := range ids {
		row := l.row(l.weights, l.index[id])
		most := float32(0)
		for _, w := range row {
			most = max(most, w, -w)
		}
		key := keyFor(id)
		if most == 0 || len(m.keys) > 0 && m.keys[len(m.keys)-1] == key {
			continue
		}
		m.keys = append(m.keys, key)
		m.scales = append(m.scales, most/math.MaxInt8)
		for _, w := range row {
			m.rows = append(m.rows, int8(math.Round(float64(w/most)*math.MaxInt8)))
		}
	}
	return m
}

// strideFor visits all lessons and mixes the intents.
func strideFor(n int) int {
	for _, p := range []int{7919, 7927, 7933} {
		if n%p != 0 {
			return p
		}
	}
	return 1
}

func softmax(s []float32) {
	top := slices.Max(s)
	var sum float32
	for i, v := range s {
		s[i] = float32(math.Exp(float64(v - top)))
		sum += s[i]
	}
	for i := range s {
		s[i] /= sum
	}
}

func sqrt32(f float32) float32 { return float32(math.Sqrt(float64(f))) }
