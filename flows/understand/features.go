package understand

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// feature is one thing seen in an utterance and how much of it there is.
type feature struct {
	id    uint64
	value float64
}

// The levels on which an utterance is seen, and how much each may weigh.
const (
	charLevel    = 'c' // characters written the plain way
	rawLevel     = 'r' // characters as they came
	soundLevel   = 's'
	wordLevel    = 'w' // words in Latin letters
	termLevel    = 't'
	heardLevel   = 'h'
	noveltyLevel = 'n'

	// Runs of three.
	charRunLevel  = 'C'
	soundRunLevel = 'S'

	charWeight     = 1.0
	rawWeight      = 0.7
	soundWeight    = 0.9
	wordWeight     = 1.0
	termWeight     = 1.0
	noveltyWeight  = 1.0
	charRunWeight  = 0.7
	soundRunWeight = 0.6
)

// reader turns an utterance into features.
type reader struct {
	writer  *plainWriter
	english *english
	sounds  *sounds
	terms   *terms
}

func newReader(soundTable string) (*reader, error) {
	w, err := newPlainWriter()
	if err != nil {
		return nil, err
	}
	s, err := newSounds(soundTable)
	if err != nil {
		return nil, err
	}
	e, err := newEnglish(s)
	if err != nil {
		return nil, err
	}
	t, err := newTerms(w, s)
	if err != nil {
		return nil, err
	}
	return &reader{writer: w, english: e, sounds: s, terms: t}, nil
}

// read gives the features of an utterance; none where nothing in it can be read.
func (r *reader) read(text string) []feature {
	text = ends(text)
	letters := r.writer.letters(text)
	chars := r.writer.settled(r.english.in(letters))
	if len(chars) == 0 {
		return nil
	}
	syllables := r.sounds.of(chars)
	out := scale(nil, grams(charLevel, runeKeys(chars)), charWeight)
	out = scale(out, grams(rawLevel, runeKeys(tidy([]rune(strings.ToLower(text))))), rawWeight)
	out = scale(out, grams(soundLevel, syllables), soundWeight)
	out = scale(out, latin(tidy(letters)), wordWeight)
	out = scale(out, r.terms.in(chars, syllables), termWeight)
	out = scale(out, runs(charRunLevel, runeKeys(chars)), charRunWeight)
	return scale(out, runs(soundRunLevel, syllables), soundRunWeight)
}

// ends keeps both ends of a long text: what people want they say first or last.
func ends(text string) string {
	if len(text) <= textLimit {
		return text
	}
	runes := []rune(text)
	if len(runes) <= textLimit {
		return text
	}
	return string(runes[:endLength]) + string(runes[len(runes)-endLength:])
}

// withoutCharacters leaves what would still be there if every character had been replaced by one that sounds alike.
func withoutCharacters(in []feature) []feature {
	return slices.DeleteFunc(slices.Clone(in), func(f feature) bool {
		return strings.IndexByte("crC", levelOf(f.id)) >= 0
	})
}

// withoutRuns leaves out the runs of three.
func withoutRuns(in []feature) []feature {
	return slices.DeleteFunc(slices.Clone(in), func(f feature) bool {
		return levelOf(f.id) == charRunLevel || levelOf(f.id) == soundRunLevel
	})
}

func runeKeys(chars []rune) []uint32 {
	out := make([]uint32, len(chars))
	for i, r := range chars {
		out[i] = uint32(r)
	}
	return out
}

// grams gives the keys one by one and by twos, with the utterance's two ends as keys of their own.
func grams(level byte, keys []uint32) []uint64 {
	const end = math.MaxUint32
	out := make([]uint64, 0, 2*len(keys)+1)
	before := uint32(end)
	for _, k := range keys {
		out = append(out, gramID(level, k), gramID(level, before, k))
		before = k
	}
	return append(out, gramID(level, before, end))
}

// stemmed is how many letters of a Latin word stand for all its forms.
const stemmed = 5

// latin gives the words in Latin letters: each one, the beginning of a longer one, and each two in a row. Letters say
// what English means as little as strokes say what Chinese means.
func latin(chars []rune) []uint64 {
	var out []uint64
	var before []rune
	for i := 0; i < len(chars); i++ {
		from := i
		for i < len(chars) && isLatin(chars[i]) {
			i++
		}
		if i == from {
			continue
		}
		word := chars[from:i]
		if len(word) > len("as") && word[len(word)-1] == 's' {
			word = word[:len(word)-1]
		}
		out = append(out, gramID(wordLevel, runeKeys(word)...))
		if len(word) > stemmed {
			out = append(out, gramID(wordLevel, runeKeys(append(slices.Clone(word[:stemmed]), '*'))...))
		}
		if before != nil {
			out = append(out, gramID(wordLevel, runeKeys(slices.Concat(before, []rune{' '}, word))...))
		}
		before = word
	}
	return out
}

// runs gives the keys by threes, with the two ends as keys.
func runs(level byte, keys []uint32) []uint64 {
	const end = math.MaxUint32
	out := make([]uint64, 0, len(keys))
	first, second := uint32(end), keys[0]
	for _, k := range append(slices.Clip(keys[1:]), end) {
		out = append(out, gramID(level, first, second, k))
		first, second = second, k
	}
	return out
}

// gramID hashes a run (FNV-1a) and keeps the level readable in the lowest byte.
func gramID(level byte, run ...uint32) uint64 {
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

func levelOf(id uint64) byte { return byte(id) }

// scale adds what was counted as features whose squares sum up to the weight's, so that long and short utterances
// compare. They are in the order of their ids, so that learning is the same every time.
func scale(out []feature, ids []uint64, weight float64) []feature {
	if len(ids) == 0 {
		return out
	}
	slices.Sort(ids)
	norm := weight / math.Sqrt(float64(len(ids)))
	for i := 0; i < len(ids); {
		j := i
		for j < len(ids) && ids[j] == ids[i] {
			j++
		}
		out = append(out, feature{ids[i], norm * math.Sqrt(float64(j-i))})
		i = j
	}
	return out
}

func isLatin(r rune) bool { return r >= 'a' && r <= 'z' }

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }
