package turn

import "regexp"

// longDigits are runs that may be a code, a phone or an ID number, however they are spaced.
var longDigits = regexp.MustCompile(`[0-9\x{FF10}-\x{FF19}](?:[\s-]*[0-9\x{FF10}-\x{FF19}]){4,}(?:[\s-]*[xX\x{FF38}\x{FF58}])?`)

// mask hides numbers of five and more digits, so that a transcript holds no code, phone or ID number.
func mask(text string) string {
	if r := []rune(text); len(r) > transcriptRunes {
		text = string(r[:transcriptRunes])
	}
	return longDigits.ReplaceAllString(text, "*****")
}

// transcriptRunes bounds what is kept of one message.
const transcriptRunes = 1000
