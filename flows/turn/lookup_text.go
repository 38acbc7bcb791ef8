package turn

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register"
)

// checkable is how far back a text can be checked.
const checkable = 90 * 24 * time.Hour

// The answers to "is this text real?".
const (
	textOurs    = "yes"
	textAltered = "altered" // one of ours, and not as we sent it
	textUnsure  = "unsure"  // of a kind that we sent; what it speaks of has changed on file since, so its figures can't be compared
	textNotOurs = "no"
	textCode    = "code"    // the check code of one of ours by itself, or a piece of that text with the code in it
	textPart    = "part"    // a code of ours among other words: neither the code alone nor a whole text
	textUnknown = "unknown" // we don't know who asks
)

// checkText compares a text, or a check code, with what went to this person. It says yes only to a whole text that is
// ours to the last figure. A code by itself is answered by what it stands for, because whoever changed the text left the
// code in it. Whom we don't know hears neither.
func (t *oneTurn) checkText(words string) (found, error) {
	v := found{"real": textNotOurs, "date": "", "subject": "", "kind": "", "text": ""}
	if t.self == 0 && len(t.onPhone) == 0 {
		v["real"] = textUnknown
		return v, nil
	}
	list, err := t.sentLately(checkable)
	if err != nil {
		return nil, err
	}
	asked := readText(words)
	for _, s := range list { // newest first: of two verdicts alike the newer counts
		verdict := asked.against(s)
		if weight(verdict) > weight(v["real"]) {
			v["real"], v["date"], v["subject"], v["text"] = verdict, civil(s.At, t.s.zone), s.Name, asItWent(s)
			v["kind"] = t.kindOf(s)
		}
	}
	return v, nil
}

// latestText is when a campaign wrote to this number last, and of what kind. Where it can't be told whose the number is, it is not
// told either.
func (t *oneTurn) latestText() (found, error) {
	v := found{"sent": "unknown", "date": "", "kind": ""}
	if len(t.onPhone) == 0 || t.strange {
		return v, nil
	}
	list, err := t.sentLately(checkable)
	if err != nil {
		return nil, err
	}
	v["sent"] = yesNo(len(list) > 0)
	if len(list) > 0 {
		v["date"], v["kind"] = civil(list[0].At, t.s.zone), t.kindOf(list[0])
	}
	return v, nil
}

// kindOf is what a text is called by its campaign's kind.
func (t *oneTurn) kindOf(s register.Sent) string {
	return t.s.texts.Localizer(t.locale()).Text("kind."+s.Kind, nil)
}

// asItWent is the text for somebody who wants to hold theirs beside it, "" where it can't be told any more.
func asItWent(s register.Sent) string {
	if s.Changed || len(s.Texts) == 0 {
		return ""
	}
	return s.Texts[0]
}

// weight orders the answers: one text that is ours to the last figure outweighs another that only looks like it.
func weight(verdict string) int {
	return slices.Index([]string{textNotOurs, textPart, textAltered, textUnsure, textCode, textOurs}, verdict)
}

// askedText is a text that somebody asks about.
type askedText struct {
	bare  string   // as bareText writes it, without a signature
	codes []string // what may be a check code
	whole bool     // as long as a text, not as a code with some words
}

// codeLike finds what may be a check code.
var codeLike = regexp.MustCompile(`[A-Z0-9]{6}`)

// wholeText is how long words are that are rather a text than a code with some words.
const wholeText = 16

func readText(words string) askedText {
	words = width.Fold.String(strings.TrimSpace(words))
	bare := bareText(signature.ReplaceAllString(words, ""))
	return askedText{bare: bare, codes: codeLike.FindAllString(strings.ToUpper(bare), -1), whole: len([]rune(bare)) > wholeText}
}

// against says what the text is to one that we sent.
func (a askedText) against(s register.Sent) string {
	code := strings.ToLower(s.Check)
	byCode := code != "" && slices.Contains(a.codes, s.Check)
	if code != "" && a.bare == code {
		return textCode
	}
	alike := byCode
	for _, text := range s.Texts {
		ours := bareText(text)
		switch {
		case ours == a.bare:
			return textOurs
		case byCode && strings.Contains(ours, a.bare):
			return textCode
		}
		alike = alike || a.whole && likeness(ours, a.bare) >= likeEnough
	}
	fits := s.Content != "" && a.whole && fitsTemplate(s.Content, a.bare)
	switch {
	case fits && s.Changed && !a.leadsElsewhere(s):
		return textUnsure
	case byCode && !a.whole && !strings.ContainsAny(strings.Replace(a.bare, code, "", 1), digits) && !a.leadsElsewhere(s):
		return textPart
	case alike || fits:
		return textAltered
	}
	return textNotOurs
}

// digits make words around a code a change of the text: a sum, a telephone number.
const digits = "0123456789"

// leads are what a fraud needs in a text: a telephone or account number, an address on the net.
var leads = regexp.MustCompile(`[0-9]{5,}|[a-z]{2,}[.:/]|www|http|\.[a-z]`)

// leadsElsewhere says whether the text leads to where what we wrote doesn't.
func (a askedText) leadsElsewhere(s register.Sent) bool {
	ours := bareText(s.Content) + " " + strings.ToLower(s.Check)
	for _, text := range s.Texts {
		ours += " " + bareText(text)
	}
	return slices.ContainsFunc(leads.FindAllString(a.bare, -1), func(lead string) bool { return !strings.Contains(ours, lead) })
}

// bareText is what a text says: without width, case, spaces, punctuation, Traditional characters. What stands between
// two figures or two letters of an address stays: 4.30 is not 430.
func bareText(text string) string {
	runes := []rune(strings.ToLower(hanzi.Simplify(width.Fold.String(text))))
	var b strings.Builder
	for i, r := range runes {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '%':
			b.WriteRune(r)
		case strings.ContainsRune(".:/@", r) && i > 0 && i+1 < len(runes) && plainSign(runes[i-1]) && plainSign(runes[i+1]):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plainSign is a figure or a letter of an address.
func plainSign(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r == '/'
}

// likeEnough is how alike two texts are of which one was made of the other.
const likeEnough = 0.6

// likeness is the share of pairs of neighbouring characters that two texts have in common.
func likeness(a, b string) float64 {
	pairs := func(text string) (list map[[2]rune]int, n int) {
		runes := []rune(text)
		list = map[[2]rune]int{}
		for i := 1; i < len(runes); i++ {
			list[[2]rune{runes[i-1], runes[i]}]++
		}
		return list, max(0, len(runes)-1)
	}
	of, n := pairs(a)
	other, m := pairs(b)
	if n == 0 || m == 0 {
		return 0
	}
	common := 0
	for pair, count := range of {
		common += min(count, other[pair])
	}
	return float64(common) / float64(min(n, m)) // a text with something added is made of it too
}

var slot = regexp.MustCompile(`\$\{[A-Za-z0-9_]+\}`)

// fitsTemplate says whether a bare text is a template filled: its fixed parts in their order from the first to the last,
// with no more than a variable's length between them.
func fitsTemplate(template, bare string) bool {
	parts := slot.Split(template, -1)
	for i := range parts {
		parts[i] = bareText(parts[i])
	}
	at := 0
	for i, part := range parts {
		found := strings.Index(bare[at:], part)
		if found < 0 || i == 0 && found > 0 || len([]rune(bare[at:at+found])) > longestVariable {
			return false
		}
		at += found + len(part)
	}
	return parts[len(parts)-1] == "" && len([]rune(bare[at:])) <= longestVariable || at == len(bare)
}

// longestVariable is the most that a template's variable takes.
const longestVariable = 35

// signature stands in lenticular brackets before or after a text.
var signature = regexp.MustCompile(`^\x{3010}[^\x{3011}]{1,20}\x{3011}|\x{3010}[^\x{3011}]{1,20}\x{3011}$`)
