package sandbox

import (
	_ "embed"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Refused characters are data: the ones the vendor names, and Traditional ones (derived from OpenCC's tables, Apache-2.0,
// less those that GB 2312 has).
var (
	//go:embed data/traditional.txt
	traditionalText string
	//go:embed data/unsupported.txt
	unsupportedText string
	//go:embed data/codes.tsv
	codeText string
)

// codeTexts are the messages that come with the carrier's codes.
type codeTexts map[string]string

func loadCodeTexts() codeTexts { return readTable(codeText) }

// readTable reads lines of "key<tab>text".
func readTable(text string) map[string]string {
	table := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			table[key] = value
		}
	}
	return table
}

func (t codeTexts) message(code string) string {
	if text, ok := t[code]; ok {
		return text
	}
	return code
}

// textRules says which characters a text may not hold.
type textRules struct {
	refused map[rune]bool
	link    *regexp.Regexp
	code    *regexp.Regexp
}

func newTextRules() textRules {
	r := textRules{
		refused: map[rune]bool{},
		link:    regexp.MustCompile(`(?i)(https?://|www\.|[a-z0-9-]+\.(com|cn|net|org|top|gov|cc|vip|xyz|info)(\b|/))`),
		code:    regexp.MustCompile(`^[0-9A-Za-z]{4,6}$`),
	}
	for _, c := range traditionalText + unsupportedText {
		if c != '\n' {
			r.refused[c] = true
		}
	}
	return r
}

// supported says whether the text holds neither Traditional characters nor emoji nor the symbols the vendor refuses.
func (r textRules) supported(s string) bool {
	for _, c := range s {
		if c >= 0x10000 && (c < 0x20000 || c > 0x3ffff) { // beyond the BMP only Han, which rare names need
			return false
		}
		if c >= utf8.RuneSelf && r.refused[c] || c == '\ufe0f' || c == '\u200d' {
			return false
		}
	}
	return true
}

// check judges one recipient's variables against the template.
// Variables that the template doesn't have are refused too: the vendor leaves that open, and it is always a mistake.
func (r textRules) check(t *smsTemplate, params paramSet) string {
	for _, name := range t.names {
		value, ok := params.get(name)
		if !ok || value == "" {
			return "isv.TEMPLATE_MISSING_PARAMETERS"
		}
		if code := r.checkValue(t.kind, value); code != "" {
			return code
		}
	}
	if len(params) != len(t.names) {
		return "isv.TEMPLATE_PARAMS_ILLEGAL"
	}
	return ""
}

func (r textRules) checkValue(kind int, value string) string {
	switch n := utf8.RuneCountInString(value); {
	case kind == typeCode && !r.code.MatchString(value):
		return "isv.PARAM_LENGTH_LIMIT"
	case n > 35:
		return "isv.PARAM_LENGTH_LIMIT"
	case !r.supported(value):
		return "isv.UNSUPPORTED_CONTENT"
	case strings.IndexByte(value, '.') >= 0 && r.link.MatchString(value), strings.Contains(value, "://"):
		return "isv.PARAM_NOT_SUPPORT_URL"
	}
	return ""
}

// mobile reads a mainland number in the forms the API takes: 13…, +86…, 0086…, 86….
func mobile(s string) (uint64, bool) {
	for _, prefix := range []string{"+86", "0086", "86"} {
		if len(s) == 11+len(prefix) && strings.HasPrefix(s, prefix) {
			s = s[len(prefix):]
			break
		}
	}
	if len(s) != 11 || s[0] != '1' || s[1] < '3' || s[1] > '9' {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// segments is how many messages a text is billed as, signature included: 70 characters alone, 67 in parts.
func segments(text string) int {
	n := utf8.RuneCountInString(text)
	if n <= 70 {
		return 1
	}
	return (n + 66) / 67
}
