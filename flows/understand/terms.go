package understand

import (
	"fmt"
	"strings"
)

// terms finds the notions of the field in an utterance, by their words as written and as heard.
type terms struct {
	written *words[rune]
	heard   *words[uint32]
	count   uint32
}

// words are runs of keys that stand for notions.
type words[K rune | uint32] struct {
	notions map[string][]uint32
	longest map[K]int // by the first key
}

func newWords[K rune | uint32]() *words[K] {
	return &words[K]{notions: map[string][]uint32{}, longest: map[K]int{}}
}

func (w *words[K]) add(run []K, notion uint32) {
	key := keyOf(run)
	w.notions[key] = append(w.notions[key], notion)
	w.longest[run[0]] = max(w.longest[run[0]], len(run))
}

// find takes the longest word first and goes on behind it: the oil in an oil press is no food.
func (w *words[K]) find(in []K) map[uint32]bool {
	found := map[uint32]bool{}
	for i := 0; i < len(in); {
		n := min(w.longest[in[i]], len(in)-i)
		for n > 1 && w.notions[keyOf(in[i:i+n])] == nil {
			n--
		}
		for _, notion := range w.notions[keyOf(in[i:i+max(n, 1)])] {
			found[notion] = true
		}
		i += max(n, 1)
	}
	return found
}

func keyOf[K rune | uint32](run []K) string {
	b := make([]byte, 0, 4*len(run))
	for _, k := range run {
		b = append(b, byte(k), byte(k>>8), byte(k>>16), byte(k>>24))
	}
	return string(b)
}

func newTerms(w *plainWriter, s *sounds) (*terms, error) {
	file, err := readText("terms.txt")
	if err != nil {
		return nil, err
	}
	t := &terms{written: newWords[rune](), heard: newWords[uint32]()}
	for notion, line := range lines(file) {
		_, list, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("understand: terms.txt: no notion in %q", line)
		}
		for _, word := range strings.Fields(list) {
			chars := w.plain(word)
			if len(chars) == 0 {
				return nil, fmt.Errorf("understand: terms.txt: nothing to read in %q", word)
			}
			t.written.add(chars, uint32(notion))
			if syllables := s.of(chars); len(syllables) > 1 {
				t.heard.add(syllables, uint32(notion))
			}
		}
		t.count++
	}
	return t, nil
}

// in counts the notions of an utterance, and each pair of them, or "none"; those that are only heard are apart, since
// most of what sounds like a word is another one.
func (t *terms) in(chars []rune, syllables []uint32) []uint64 {
	found := t.written.find(chars)
	var out []uint64
	for notion := range t.heard.find(syllables) {
		if !found[notion] {
			out = append(out, gramID(heardLevel, notion))
		}
	}
	for a := range found {
		out = append(out, gramID(termLevel, a), gramID(termLevel, a)) // one weighs as much as two pairs
		for b := range found {
			if a < b {
				out = append(out, gramID(termLevel, a, b))
			}
		}
	}
	if len(found) == 0 {
		out = append(out, gramID(termLevel))
	}
	return out
}

// byEar makes features of notions that are written into those of notions that are only heard.
func (t *terms) byEar(in []feature) []feature {
	heard := make(map[uint64]uint64, t.count)
	for notion := range t.count {
		heard[gramID(termLevel, notion)] = gramID(heardLevel, notion)
	}
	out := make([]feature, 0, len(in))
	for _, f := range in {
		if levelOf(f.id) == termLevel {
			id, ok := heard[f.id]
			if !ok {
				continue // pairs are of what is written
			}
			f.id = id
		}
		out = append(out, f)
	}
	return out
}
