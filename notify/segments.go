package notify

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// What the SMS platform allows (help.aliyun.com 44335): lengths in characters, the signature with its two
// brackets and the filled content counted alike.
const (
	singleSegment   = 70
	longSegment     = 67
	smsContentLimit = 500
	// SMSVariableLimit is the longest value of a variable in a notification or promotion.
	SMSVariableLimit = 35
)

// Segments counts the messages that a text is billed as. The signature is given without its brackets.
func Segments(signature, content string) int {
	return billed(signature, utf8.RuneCountInString(content))
}

// billed counts the messages that a text of n characters is billed as.
func billed(signature string, n int) int {
	if signature != "" {
		n += utf8.RuneCountInString(signature) + 2
	}
	if n <= singleSegment {
		return 1
	}
	return (n + longSegment - 1) / longSegment
}

// UnfitError says why a text can't go by SMS. It never holds the text: that may be a name.
type UnfitError struct{ Reason string }

func (e *UnfitError) Error() string { return "unfit for SMS: " + e.Reason }

// CheckSMSVariable tells whether a value may stand in a template's variable.
func CheckSMSVariable(value string) error {
	if n := utf8.RuneCountInString(value); n > SMSVariableLimit {
		return &UnfitError{fmt.Sprintf("variable has %d characters, %d are allowed", n, SMSVariableLimit)}
	}
	if strings.ContainsAny(value, ".:") && looksLikeURL.MatchString(value) { // the expression is costly, and few have either
		return &UnfitError{"variable holds an address of the web"}
	}
	return checkCharacters(value)
}

// CheckSMSText tells whether a filled text, without its signature, may go.
func CheckSMSText(text string) error {
	if n := utf8.RuneCountInString(text); n > smsContentLimit {
		return &UnfitError{fmt.Sprintf("text has %d characters, %d are allowed", n, smsContentLimit)}
	}
	return checkCharacters(text)
}

// looksLikeURL follows isv.PARAM_NOT_SUPPORT_URL.
var looksLikeURL = regexp.MustCompile(`(?i)://|\bwww\.|[a-z0-9-]\.(com|cn|net|org|gov|top|vip|xyz|cc)\b`)

// refusedCharacters are those the vendor lists under isv.UNSUPPORTED_CONTENT: brackets that stand for the
// signature, corner quotes, superscript two, bullet, reference mark, trade mark.
const refusedCharacters = "\u3010\u3011\u3016\u3017\u300e\u300f\u300c\u300d\u00b2\u33a1\u2022\u203b\u2122"

func checkCharacters(text string) error {
	if !utf8.ValidString(text) {
		return &UnfitError{"not UTF-8"}
	}
	for _, r := range text {
		if why := refused(r); why != "" {
			return &UnfitError{fmt.Sprintf("%s U+%04X", why, r)}
		}
	}
	return nil
}

func refused(r rune) string {
	switch {
	case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
		return "control character"
	case hanzi.Traditional(r):
		return "Traditional character"
	case strings.ContainsRune(refusedCharacters, r):
		return "refused character"
	case r > 0xffff && !unicode.Is(unicode.Han, r), // emoji and the like
		0x2190 <= r && r <= 0x21ff, // arrows
		0x2460 <= r && r <= 0x24ff, // circled numbers
		0x25a0 <= r && r <= 0x27bf: // shapes, stars, hearts
		return "symbol"
	}
	return ""
}
