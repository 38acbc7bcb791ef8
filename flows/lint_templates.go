package flows

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// Limits of an SMS by the platform's rules: https://help.aliyun.com document 44335 (length) and the template rules
// of document 463270. A signature and its brackets are counted at their longest.
const (
	longestSign     = 14
	longestVariable = 35
	segmentAlone    = 70
	segmentOfMany   = 67
	mostSegments    = 2
)

var variable = regexp.MustCompile(`\$\{([a-z_]+)\}`)

func (l *linter) templates() {
	holder := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(l.b.replies)) {
		t := l.b.replies[key]
		if other, taken := holder[t.SMS.Code]; taken {
			l.complain("templates %s and %s: both are %s", other, key, t.SMS.Code)
		}
		holder[t.SMS.Code] = key
		var named []string
		for _, m := range variable.FindAllStringSubmatch(t.SMS.Content, -1) {
			named = append(named, m[1])
			if t.SMS.Params[m[1]] == "" {
				l.complain("template %s: nothing fills ${%s}", key, m[1])
			}
		}
		for name := range t.SMS.Params {
			if !slices.Contains(named, name) {
				l.complain("template %s: %s does not stand in its text", key, name)
			}
		}
		bare := variable.ReplaceAllString(t.SMS.Content, "")
		if utf8.RuneCountInString(strings.TrimSpace(bare)) < 4 {
			l.complain("template %s: is one big variable", key)
		}
		if strings.Contains(t.SMS.Content, "}${") {
			l.complain("template %s: two variables touch", key)
		}
		if hanzi.Simplify(t.SMS.Content) != t.SMS.Content {
			l.complain("template %s: holds Traditional characters", key)
		}
		if n := l.segments(t, bare); n > mostSegments {
			l.complain("template %s: may take %d segments, at most %d", key, n, mostSegments)
		}
	}
}

// segments counts the longest text that the template may become. Values that come from a closed list or are
// figures are short; any other may take all it is allowed.
func (l *linter) segments(t ReplyTemplate, bare string) int {
	length := utf8.RuneCountInString(bare) + longestSign
	short := map[string]int{"code": 6, "year": 4, "count": 4, "enrolled": 4, "phone": 15, "date": 10, "state": 6, "insurance": 10}
	for _, m := range variable.FindAllStringSubmatch(t.SMS.Content, -1) {
		n, ok := short[m[1]]
		if !ok {
			n = longestVariable
		}
		length += n
	}
	if length <= segmentAlone {
		return 1
	}
	return (length + segmentOfMany - 1) / segmentOfMany
}
