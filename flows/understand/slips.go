package understand

import (
	"math"
	"slices"

	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// slips replaces characters by others that sound alike, as speech recognition and hurried fingers do.
type slips struct {
	sounds *sounds
	alike  map[uint16][]rune // characters in use by their syllable, usual ones more than once
}

const (
	slipShare = 0.2 // of the characters

	// A character is listed as often as the square root of its uses says, up to this.
	slipListed = 20
)

func newSlips(s *sounds, samples []sample) *slips {
	uses := map[rune]int{}
	for _, sample := range samples {
		for _, r := range hanzi.Simplify(sample.text) {
			if s.hears(r) {
				uses[r]++
			}
		}
	}
	chars := make([]rune, 0, len(uses))
	for r := range uses {
		chars = append(chars, r)
	}
	slices.Sort(chars)
	out := &slips{sounds: s, alike: map[uint16][]rune{}}
	for _, r := range chars {
		sound := s.ofHan[r-firstHan]
		for range min(slipListed, int(math.Sqrt(float64(uses[r])))) {
			out.alike[sound] = append(out.alike[sound], r)
		}
	}
	return out
}

// in writes a text with slips; the same text always with the same ones.
func (s *slips) in(text string) string {
	const perMille = 1000
	chance := textHash(text) | 1
	next := func() uint32 {
		chance ^= chance << 13
		chance ^= chance >> 17
		chance ^= chance << 5
		return chance
	}
	out := []rune(text)
	for i, r := range out {
		if !s.sounds.hears(r) || float64(next()%perMille) >= slipShare*perMille {
			continue
		}
		if others := s.alike[s.sounds.ofHan[r-firstHan]]; len(others) > 0 {
			out[i] = others[next()%uint32(len(others))]
		}
	}
	return string(out)
}
