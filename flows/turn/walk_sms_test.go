package turn_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// Two segments, less a signature with its brackets at its longest.
const mostOfSMS = 2*67 - 14

// What an SMS must lead to, where it is not the end: somebody to call, or something to answer.
var leadsOn = regexp.MustCompile(`1\d{4}|96110|0\d{2,3}-\d{7,8}|回复|发来|转来`)

// By SMS everybody of the golden conversations says whatever begins a flow, and answers every question by every number.
func TestEveryFlowCanBeWalkedBySMS(t *testing.T) {
	engine, spoken, answers := turntest.Engine(t), make(map[string]bool), 0
	worlds := slices.Concat(turntest.Worlds(t, "../testdata/conversations", turn.SMS), turntest.Worlds(t, "../testdata/texts", turn.SMS))
	for i, w := range worlds {
		names := make([]string, 0, len(w.People))
		for _, p := range w.People {
			names = append(names, p.Name)
		}
		said := make(map[string]bool)
		walker := turntest.Walker{World: w, Hear: func(h turntest.Heard) {
			answers++
			text := h.Answer.Text
			for _, m := range h.SMS {
				spoken[m.Template] = true
			}
			if said[text] {
				return
			}
			said[text] = true
			switch n := utf8.RuneCountInString(text); {
			case n == 0 || n > mostOfSMS:
				t.Errorf("world %d, %v: %d characters: %s", i, h.Path, n, text)
			case unfilled.MatchString(text), hanzi.Simplify(text) != text:
				t.Errorf("world %d, %v: %s", i, h.Path, text)
			case slices.ContainsFunc(names, func(name string) bool { return strings.Contains(text, name) }):
				t.Errorf("world %d, %v names somebody: %s", i, h.Path, text)
			case !leadsOn.MatchString(text) && !strings.Contains(text, "已恢复通知") && !strings.Contains(text, "我们从不要钱"):
				t.Errorf("world %d, %v is a dead end: %s", i, h.Path, text)
			}
		}}
		walker.WalkSMS(t, engine)
	}
	for _, s := range engine.Book().Shapes() {
		for _, template := range s.Templates {
			if !spoken[template] {
				t.Errorf("the walk of %s never came to %s", s.ID, template)
			}
		}
	}
	t.Logf("%d answers in %d worlds", answers, len(worlds))
}
