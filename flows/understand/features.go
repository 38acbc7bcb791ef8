package understand

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// feature is one thing seen in an utterance and how much of it there is.
type feature struct {
	id    uint64
	value float64
}

// The levels on which an utterance is seen, and how much each may weigh.
const (
	charLevel    = 'c'
	soundLevel   = 's'
	termLevel    = 't'
	noveltyLevel = 'n'

	charWeight    = 1.0
	soundWeight   = 0.9
	termWeight    = 1.0
	noveltyWeight = 1.0
)

// reader turns an utterance into features.
type reader struct {
	writer *plainWriter
	sounds *sounds
	terms  *terms
}

func newReader() (*reader, error) {
	w, err := newPlainWriter()
	if err != nil {
		return nil, err
	}
	s := newSounds()
	t, err := newTerms(s)
	if err != nil {
		return nil, err
	}
	return &reader{writer: w, sounds: s, terms: t}, nil
}

// read gives the features of an utterance; none where nothing in it can be read.
func (r *reader) read(text string) []feature {
	chars := r.writer.plain(text)
	if len(chars) == 0 {
		return nil
	}
	syllables := r.sounds.of(chars)
	out := grams(nil, charLevel, runeKeys(chars), 1, 2, charWeight)
	out = grams(out, soundLevel, syllables, 2, 2, soundWeight)
	return scale(out, r.terms.in(chars, syllables), termWeight)
}

// withoutCharacters leaves what would still be there if every character had been replaced by one that sounds alike.
func withoutCharacters(in []feature) []feature {
	var out []feature
	for _, f := range in {
		if byte(f.id) != charLevel {
			out = append(out, f)
		}
	}
	return out
}

func runeKeys(chars []rune) []uint32 {
	out := make([]uint32, len(chars))
	for i, r := range chars {
		out[i] = uint32(r)
	}
	return out
}

// grams adds the runs of from to to keys, with the utterance's two ends as keys of their own.
func grams(out []feature, level byte, keys []uint32, from, to int, weight float64) []feature {
	const end = math.MaxUint32
	framed := make([]uint32, 0, len(keys)+2)
	framed = append(framed, end)
	framed = append(framed, keys...)
	framed = append(framed, end)
	counts := make(map[uint64]float64, 3*len(framed))
	for n := from; n <= to; n++ {
		for i := 0; i+n <= len(framed); i++ {
			if n == 1 && framed[i] == end {
				continue
			}
			counts[gramID(level, framed[i:i+n])]++
		}
	}
	return scale(out, counts, weight)
}

// gramID hashes a run (FNV-1a) and keeps the level readable in the lowest byte.
func gramID(level byte, run []uint32) uint64 {
	h := uint64(14695981039346656037)
	for _, k := range run {
		for range 4 {
			h = (h ^ uint64(k&0xff)) * 1099511628211
			k >>= 8
		}
	}
	h = (h ^ uint64(len(run))) * 1099511628211
	return h&^0xff | uint64(level)
}

// scale adds counts as features whose squares sum up to the weight's, so that long and short utterances compare.
func scale(out []feature, counts map[uint64]float64, weight float64) []feature {
	if len(counts) == 0 {
		return out
	}
	ids := make([]uint64, 0, len(counts))
	sum := 0.0
	for id, n := range counts {
		counts[id] = math.Sqrt(n)
		sum += n
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] }) // so that learning is the same every time
	norm := weight / math.Sqrt(sum)
	for _, id := range ids {
		out = append(out, feature{id, counts[id] * norm})
	}
	return out
}

// terms finds the notions of the field.
type terms struct {
	byChar  map[string][]int
	bySound map[string][]int
	longest int
	sounds  *sounds
}

func newTerms(s *sounds) (*terms, error) {
	file, err := readText("terms.txt")
	if err != nil {
		return nil, err
	}
	t := &terms{byChar: map[string][]int{}, bySound: map[string][]int{}, sounds: s}
	for notion, line := range lines(file) {
		_, words, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("understand: terms.txt: no notion in %q", line)
		}
		for _, word := range strings.Fields(words) {
			chars := tidy([]rune(word))
			t.byChar[string(chars)] = append(t.byChar[string(chars)], notion)
			t.longest = max(t.longest, len(chars))
			if len(chars) > 1 {
				key := soundKey(s.of(chars))
				t.bySound[key] = append(t.bySound[key], notion)
			}
		}
	}
	return t, nil
}

// in counts the notions of an utterance, each pair of them, and "none".
func (t *terms) in(chars []rune, syllables []uint32) map[uint64]float64 {
	found := map[int]bool{}
	for i := range chars {
		for n := 1; n <= t.longest && i+n <= len(chars); n++ {
			for _, notion := range t.byChar[string(chars[i:i+n])] {
				found[notion] = true
			}
			if n > 1 {
				for _, notion := range t.bySound[soundKey(syllables[i:i+n])] {
					found[notion] = true
				}
			}
		}
	}
	out := map[uint64]float64{}
	if len(found) == 0 {
		out[gramID(termLevel, nil)] = 1
	}
	for a := range found {
		out[gramID(termLevel, []uint32{uint32(a)})] = 1
		for b := range found {
			if a < b {
				out[gramID(termLevel, []uint32{uint32(a), uint32(b)})] = 0.5
			}
		}
	}
	return out
}

func soundKey(syllables []uint32) string {
	b := make([]byte, 0, 3*len(syllables))
	for _, s := range syllables {
		b = append(b, byte(s), byte(s>>8), byte(s>>16))
	}
	return string(b)
}
