package turn

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register"
)

// checkable is how far back a text can be checked.
const checkable = 90 * 24 * time.Hour

// codeLike finds what may be a check code.
var codeLike = regexp.MustCompile(`^[A-Z0-9]{6}$`)

// checkText holds a text, or a check code, against what went to this person. It says yes to a code alone, and to a text
// that is what we sent, its variables too: a number changed or a link added makes it another text. Whom we don't know
// hears neither.
func (t *oneTurn) checkText(words string) (found, error) {
	v := found{"real": "no", "date": "", "subject": ""}
	if t.self == 0 && len(t.onPhone) == 0 {
		v["real"] = "unknown"
		return v, nil
	}
	list, err := t.sentLately(checkable)
	if err != nil {
		return nil, err
	}
	people := t.onPhone
	if t.in.Channel == WeChat {
		people = []int64{t.self}
	}
	answers, err := t.tx.Answered(t.now.Add(-checkable), people...)
	if err != nil {
		return nil, err
	}
	asked := t.s.engine.Book().Settings().Asked
	code := strings.ToUpper(hanzi.Bare(asked.Without(words)))
	marks := t.marksOf(asked.Texts(words))
	for _, s := range append(list, answers...) {
		byCode := s.Check != "" && codeLike.MatchString(code) && s.Check == code
		if byCode || s.Mark != "" && slices.Contains(marks, s.Mark) {
			v["real"], v["date"] = "yes", civil(s.At, t.s.zone)
			t.whatAbout(v, s)
			return v, nil
		}
	}
	return v, nil
}

// marksOf are the marks of what somebody may mean by the text to be checked.
func (t *oneTurn) marksOf(texts []string) []string {
	marks := make([]string, 0, len(texts))
	for _, text := range texts {
		if hanzi.Bare(text) != "" {
			marks = append(marks, t.tx.TextMark(text))
		}
	}
	return marks
}

// whatAbout says what a message was about.
func (t *oneTurn) whatAbout(v found, s register.Sent) {
	if s.CampaignID != 0 {
		v["subject"] = s.Name
		return
	}
	key := "check.answer"
	if s.Kind == string(Verification) {
		key = "check.code"
	}
	v["subject"] = t.s.texts.Localizer(t.locale()).Text(key, nil)
}
