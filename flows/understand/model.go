package understand

import (
	"math"
	"runtime"
	"sync"
)

// model is a multinomial logistic regression over the features of the examples.
type model struct {
	index   map[uint64]int32
	usual   map[uint64]bool // characters and pairs that more than one line has
	weights []float32       // feature by feature, one for each intent
	bias    []float32
	intents int
}

// How it learns. The steps are AdaGrad's.
const (
	epochs    = 5
	tolerance = 0.003 // errors smaller than this are left
	step      = 0.3
	decay     = 2e-6
	sharpness = 1.0 // of the scores; see the evaluation's table of scores against truth
)

// lesson is a sample as the learner sees it.
type lesson struct {
	at     []int32
	value  []float32
	intent int
	weight float32
}

// learn makes a model of the samples. The same samples always make the same model.
func learn(r *reader, samples []sample, around fillers, intents int) *model {
	m := &model{index: map[uint64]int32{}, intents: intents, bias: make([]float32, intents)}
	totals := make([]float64, intents)
	for _, s := range samples {
		totals[s.intent] += s.weight
	}
	mean := 0.0
	for _, t := range totals {
		mean += t / float64(intents)
	}
	var lessons []lesson
	add := func(features []feature, s sample, share float64) {
		if len(features) > 0 {
			balance := math.Sqrt(mean / totals[s.intent])
			lessons = append(lessons, m.lesson(features, s.intent, share*s.weight*balance))
		}
	}
	all := viewsOf(r, samples, around)
	m.usual = usual(all, samples)
	for i, v := range all {
		add(m.withNovelty(v.plain), samples[i], 1)
		add(withoutCharacters(v.plain), samples[i], 0.4)
		add(m.withNovelty(v.filled), samples[i], 0.5)
	}
	m.weights = make([]float32, len(m.index)*intents)
	m.fit(lessons)
	return m
}

// views are the ways in which one sample is learnt.
type views struct{ plain, filled []feature }

// viewsOf reads all samples, on every processor there is.
func viewsOf(r *reader, samples []sample, around fillers) []views {
	out := make([]views, len(samples))
	workers := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for i := worker; i < len(samples); i += workers {
				out[i] = views{r.read(samples[i].text), r.read(around.around(samples[i].text))}
			}
		})
	}
	all.Wait()
	return out
}

// usual lists the character features that more than one line has.
func usual(all []views, samples []sample) map[uint64]bool {
	out := map[uint64]bool{}
	first := map[uint64]int{}
	for i, v := range all {
		for _, f := range v.plain {
			if byte(f.id) != charLevel {
				continue
			}
			if line, ok := first[f.id]; !ok {
				first[f.id] = samples[i].line
			} else if line != samples[i].line {
				out[f.id] = true
			}
		}
	}
	return out
}

// withNovelty adds how much of an utterance is unlike any other: who speaks of something else uses other words.
func (m *model) withNovelty(features []feature) []feature {
	var strange, all float64
	for _, f := range features {
		if byte(f.id) == charLevel {
			all += f.value * f.value
			if !m.usual[f.id] {
				strange += f.value * f.value
			}
		}
	}
	if all == 0 {
		return features
	}
	share := strange / all
	return append(features, feature{gramID(noveltyLevel, nil), share * noveltyWeight})
}

func (m *model) lesson(features []feature, intent int, weight float64) lesson {
	l := lesson{intent: intent, weight: float32(weight)}
	for _, f := range features {
		at, ok := m.index[f.id]
		if !ok {
			at = int32(len(m.index))
			m.index[f.id] = at
		}
		l.at = append(l.at, at)
		l.value = append(l.value, float32(f.value))
	}
	return l
}

func (m *model) fit(lessons []lesson) {
	k := m.intents
	squares := make([]float32, len(m.weights))
	biasSquares := make([]float32, k)
	scores := make([]float32, k)
	active := make([]int, 0, k)
	for range epochs {
		// A fixed stride visits all lessons and mixes the intents.
		for i, at := 0, 0; i < len(lessons); i, at = i+1, (at+stride(len(lessons)))%len(lessons) {
			l := lessons[at]
			m.sum(l.at, l.value, scores)
			softmax(scores)
			active = wrong(active[:0], scores, l.intent)
			for _, c := range active {
				g := scores[c] * l.weight
				scores[c] = g
				biasSquares[c] += g * g
				m.bias[c] -= step * g / (1e-3 + sqrt32(biasSquares[c]))
			}
			for j, f := range l.at {
				w := m.weights[int(f)*k : int(f)*k+k]
				q := squares[int(f)*k : int(f)*k+k]
				for _, c := range active {
					g := scores[c]*l.value[j] + decay*w[c]
					q[c] += g * g
					w[c] -= step * g / (1e-3 + sqrt32(q[c]))
				}
			}
		}
	}
}

// wrong turns scores into errors and lists the intents whose error is worth a step.
func wrong(active []int, scores []float32, intent int) []int {
	scores[intent]--
	for c, g := range scores {
		if g > tolerance || g < -tolerance {
			active = append(active, c)
		}
	}
	return active
}

func stride(n int) int {
	for _, p := range []int{7919, 7927, 7933} {
		if n%p != 0 {
			return p
		}
	}
	return 1
}

func (m *model) sum(at []int32, value, scores []float32) {
	copy(scores, m.bias)
	for j, f := range at {
		w := m.weights[int(f)*m.intents : int(f)*m.intents+m.intents]
		v := value[j]
		for c := range w {
			scores[c] += w[c] * v
		}
	}
}

// scores gives each intent's share of belief; they sum up to 1.
func (m *model) scores(features []feature) []float64 {
	l := lesson{}
	for _, f := range m.withNovelty(features) {
		if at, ok := m.index[f.id]; ok {
			l.at = append(l.at, at)
			l.value = append(l.value, float32(f.value))
		}
	}
	raw := make([]float32, m.intents)
	m.sum(l.at, l.value, raw)
	for i := range raw {
		raw[i] *= sharpness
	}
	softmax(raw)
	out := make([]float64, len(raw))
	for i, s := range raw {
		out[i] = float64(s)
	}
	return out
}

func softmax(s []float32) {
	top := s[0]
	for _, v := range s {
		top = max(top, v)
	}
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
