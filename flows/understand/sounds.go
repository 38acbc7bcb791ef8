package understand

import (
	"strings"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

const (
	firstHan = 0x4e00
	lastHan  = 0x9fff
)

// sounds gives each character the syllable that people hear, with those equal that southern speech and typing
// confuse: zh and z, ch and c, sh and s, n and l before the vowel, n and ng after it.
type sounds struct {
	ofHan [lastHan - firstHan + 1]uint32
}

func newSounds() *sounds {
	s := &sounds{}
	ids := map[string]uint32{}
	for i := range s.ofHan {
		readings, _, _ := strings.Cut(pinyin.PinyinDict[firstHan+i], ",")
		syllable := fuzzy(toneless(readings))
		if syllable == "" {
			continue
		}
		id, ok := ids[syllable]
		if !ok {
			id = uint32(len(ids) + 1)
			ids[syllable] = id
		}
		s.ofHan[i] = id
	}
	return s
}

// of gives the syllables of characters; what has none stands for itself.
func (s *sounds) of(chars []rune) []uint32 {
	out := make([]uint32, len(chars))
	for i, r := range chars {
		if r >= firstHan && r <= lastHan && s.ofHan[r-firstHan] != 0 {
			out[i] = s.ofHan[r-firstHan]
		} else {
			out[i] = uint32(r) | 1<<23
		}
	}
	return out
}

func toneless(syllable string) string {
	var b strings.Builder
	for len(syllable) > 0 {
		r, n := utf8.DecodeRuneInString(syllable)
		syllable = syllable[n:]
		b.WriteByte(plainVowel(r))
	}
	return b.String()
}

func plainVowel(r rune) byte {
	for plain, marked := range map[byte]string{
		'a': "\u0101\u00e1\u01ce\u00e0", 'e': "\u0113\u00e9\u011b\u00e8\u00ea\u1ebf\u1ec1", 'i': "\u012b\u00ed\u01d0\u00ec",
		'o': "\u014d\u00f3\u01d2\u00f2", 'u': "\u016b\u00fa\u01d4\u00f9\u01d6\u01d8\u01da\u01dc\u00fc",
		'n': "\u0144\u0148\u01f9", 'm': "\u1e3f",
	} {
		if strings.ContainsRune(marked, r) {
			return plain
		}
	}
	if r < utf8.RuneSelf {
		return byte(r)
	}
	return '?'
}

func fuzzy(s string) string {
	for _, pair := range [][2]string{{"zh", "z"}, {"ch", "c"}, {"sh", "s"}, {"n", "l"}} {
		if rest, ok := strings.CutPrefix(s, pair[0]); ok && rest != "" {
			s = pair[1] + rest
			break
		}
	}
	for _, end := range []string{"ang", "eng", "ing"} {
		if strings.HasSuffix(s, end) {
			return s[:len(s)-1]
		}
	}
	return s
}
