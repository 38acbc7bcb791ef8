package understand

import (
	"fmt"
	"strings"
)

const (
	firstHan = 0x4e00
	lastHan  = 0x9fff

	longestSyllable = 6
	noSyllable      = 1 << 23 // marks what has no sound and stands for itself
)

// sounds gives each character the syllable that people hear, with those equal that southern speech and typing
// confuse: zh and z, ch and c, sh and s, n and l before the vowel, n and ng after it.
type sounds struct {
	ofHan [lastHan - firstHan + 1]uint16
	typed map[string]uint32 // whole syllables in letters
}

// newSounds reads a table of lines "syllable characters".
func newSounds(table string) (*sounds, error) {
	s := &sounds{typed: map[string]uint32{}}
	ids := map[string]uint32{}
	for _, line := range lines(table) {
		syllable, chars, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("understand: sounds.txt: no characters in %q", line)
		}
		heard := fuzzy(syllable)
		id, ok := ids[heard]
		if !ok {
			id = uint32(len(ids) + 1)
			ids[heard] = id
		}
		s.typed[syllable] = id
		for _, r := range chars {
			if r < firstHan || r > lastHan {
				return nil, fmt.Errorf("understand: sounds.txt: %q is no character", r)
			}
			s.ofHan[r-firstHan] = uint16(id)
		}
	}
	return s, nil
}

// hears tells whether a character has a known sound.
func (s *sounds) hears(r rune) bool { return r >= firstHan && r <= lastHan && s.ofHan[r-firstHan] != 0 }

// of gives the syllables of characters, and of words typed in letters; what has none stands for itself.
func (s *sounds) of(chars []rune) []uint32 {
	out := make([]uint32, 0, len(chars))
	spelt := false // the last of out was
	for i := 0; i < len(chars); i++ {
		r := chars[i]
		switch {
		case isLatin(r):
			j := i
			for j < len(chars) && isLatin(chars[j]) {
				j++
			}
			run := s.spelt(string(chars[i:j]))
			if next := run[0]&noSyllable == 0; next && spelt && chars[i-1] == ' ' {
				out = out[:len(out)-1] // a blank between two syllables is no pause
			}
			out = append(out, run...)
			i = j - 1
			spelt = run[0]&noSyllable == 0
			continue
		case r == ' ' && spelt:
			out = append(out, uint32(r)|noSyllable)
			continue
		case s.hears(r):
			out = append(out, uint32(s.ofHan[r-firstHan]))
		default:
			out = append(out, uint32(r)|noSyllable)
		}
		spelt = false
	}
	return out
}

// longestSpelt bounds what is tried as syllables; nobody types more in one run.
const longestSpelt = 40

// spelt reads a run of letters as syllables where all of it can be read so.
func (s *sounds) spelt(run string) []uint32 {
	if len(run) > 1 && len(run) <= longestSpelt {
		if out := s.syllables(run); out != nil {
			return out
		}
	}
	out := make([]uint32, 0, len(run))
	for _, r := range run {
		out = append(out, uint32(r)|noSyllable)
	}
	return out
}

// syllables splits letters from the end, so that each tail is tried once; longer syllables are preferred.
func (s *sounds) syllables(run string) []uint32 {
	tails := make([][]uint32, len(run)+1)
	tails[len(run)] = []uint32{}
	for i := len(run) - 1; i >= 0; i-- {
		for n := min(longestSyllable, len(run)-i); n > 0; n-- {
			if id, ok := s.typed[run[i:i+n]]; ok && tails[i+n] != nil {
				tails[i] = append([]uint32{id}, tails[i+n]...)
				break
			}
		}
	}
	return tails[0]
}

// fuzzy makes equal what is confused.
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
