package notify

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A campaign whose texts speak of one course or one posting asks a question by SMS: "1" signs up, or says "I want this".
// Where the account has extension numbers of its own, the text goes out with one, and a reply comes back with it: it
// answers that question and no other, however many are open. Without one the latest open question counts.

// QuestionOpen is how long a campaign's question may be answered by SMS.
const QuestionOpen = 7 * 24 * time.Hour

// Asks says whether the campaign's texts by SMS ask something that can be answered there.
func (c Campaign) Asks() bool {
	t := TopicsOf(c.Spec, c.Template)
	return slices.Contains(c.Channels(), SMS) && (t.Job || t.JobNamed != "" || t.Course || t.CourseNamed != "")
}

// AskedOnNumber is how many households of one number a campaign writes to at most: a number of three is nobody's.
const AskedOnNumber = 2

// ReplyCode is the extension number under which the campaign asks the nth household of a number, from 0; "": none.
func (c Campaign) ReplyCode(nth int) string {
	if nth < 0 || nth >= len(c.ReplyCodes) {
		return ""
	}
	return c.ReplyCodes[nth]
}

// replyCodeLimit is the longest extension number in the vendor's examples; it names no limit.
const replyCodeLimit = 5

// mostReplyCodes bounds a range: it is meant for a few hundred.
const mostReplyCodes = 10_000

// ErrReplyCodes: the text is no list of extension numbers.
var ErrReplyCodes = errors.New("notify: extension numbers are digits, at most 5, as 90998,90999 or 90000-90099")

// ParseReplyCodes reads the account's extension numbers: "90998,90999" or "90000-90099", or both. None: "".
func ParseReplyCodes(text string) ([]string, error) {
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err1 := replyNumber(from)
		last, err2 := replyNumber(to)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		if len(from) != len(to) || first > last || last-first >= mostReplyCodes {
			return nil, ErrReplyCodes
		}
		for n := first; n <= last; n++ {
			if code := fmt.Sprintf("%0*d", len(from), n); !slices.Contains(list, code) {
				list = append(list, code)
			}
		}
	}
	return list, nil
}

func replyNumber(text string) (int, error) {
	if text == "" || len(text) > replyCodeLimit || strings.Trim(text, "0123456789") != "" {
		return 0, ErrReplyCodes
	}
	return strconv.Atoi(text)
}
