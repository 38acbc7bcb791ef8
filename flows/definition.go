package flows

import (
	"fmt"
	"slices"
	"strings"
)

// Definition is one conversation, as its YAML file tells it.
type Definition struct {
	ID      string   `yaml:"id"`
	Title   string   `yaml:"title"`   // text key: the flow's name in menus and when coming back to it
	Intents []string `yaml:"intents"` // what starts it
	Words   []string `yaml:"words"`   // what starts it too, said in so few words; one with ~ in front counts anywhere in them
	Needs   string   `yaml:"needs"`   // guard: "bound", or nothing
	SMS     bool     `yaml:"sms"`     // may run on SMS; all others answer there by naming the office
	OnSMS   string   `yaml:"on_sms"`  // the flow that answers in its stead on SMS
	Aside   bool     `yaml:"aside"`   // said in passing: the open question stays
	Vague   bool     `yaml:"vague"`   // what is taken for it is no wish while a question is open
	Soft    bool     `yaml:"soft"`    // a question that gives way to any other input
	Version int      `yaml:"version"` // raised where sessions begun on the old text can not go on
	Steps   []*Step  `yaml:"steps"`

	at map[string]int
}

// Step is one step; exactly one of its kinds is set.
type Step struct {
	ID       string            `yaml:"id"`
	Say      string            `yaml:"say"`  // text key
	Each     bool              `yaml:"each"` // say it once for each item of the last look-up
	SMS      *SMSText          `yaml:"sms"`  // how a say-step or a question speaks by SMS
	Ask      *Ask              `yaml:"ask"`
	Choose   *Choose           `yaml:"choose"`
	LookUp   string            `yaml:"look_up"`
	Do       string            `yaml:"do"`
	With     map[string]string `yaml:"with"` // arguments of look_up, do and call; "$name" takes a variable
	Set      map[string]string `yaml:"set"`  // variables
	Decide   []Branch          `yaml:"decide"`
	Call     string            `yaml:"call"`      // another flow; comes back here
	HandOver string            `yaml:"hand_over"` // to a person, about this topic
	End      *End              `yaml:"end"`
	Forget   []string          `yaml:"forget"` // variables dropped when the step is reached
	Go       string            `yaml:"go"`     // next step; none: the one below

	is stepKind
}

// SMSText names a reviewed template of kind reply and fills its variables.
type SMSText struct {
	Template string            `yaml:"template" json:"template"`
	Params   map[string]string `yaml:"params" json:"params,omitempty"`
}

// Ask is an open question.
type Ask struct {
	Prompt   string   `yaml:"prompt"`
	Retry    string   `yaml:"retry"` // said where the answer does not fit
	As       string   `yaml:"as"`    // the validator
	Save     string   `yaml:"save"`
	Secret   bool     `yaml:"secret"` // the answer is not to stand in the transcript
	Branches []Option `yaml:"or"`     // words that lead elsewhere
}

// Choose is a question with numbered answers.
type Choose struct {
	Prompt  string   `yaml:"prompt"`
	Items   *Items   `yaml:"items"`
	Options []Option `yaml:"options"`
	Other   *Other   `yaml:"other"` // where they tell it in their own words instead
	Said    bool     `yaml:"said"`  // the words that began the flow may be the answer already
}

// Other takes a whole sentence for the answer.
type Other struct {
	Save  string `yaml:"save"`
	Go    string `yaml:"go"`
	Short bool   `yaml:"short"` // a word will do, if it is a place, a trade or a wage
}

// Items puts one numbered answer for each item of a look-up before the options. Going back to the question looks
// them up anew.
type Items struct {
	Label string `yaml:"label"` // text key; takes the item's values
	Save  string `yaml:"save"`  // the variable that the chosen item's id goes into
	Go    string `yaml:"go"`
	From  string `yaml:"from"` // the look-up
}

// Option is one answer to a choice.
type Option struct {
	Label string            `yaml:"label"`
	Words []string          `yaml:"words"` // one with ~ in front counts anywhere in the answer
	When  map[string]string `yaml:"when"`  // shown only where this holds; nothing: always
	Means string            `yaml:"means"` // "yes" or "no": the words for it count too
	Set   map[string]string `yaml:"set"`
	Go    string            `yaml:"go"`   // a step, or one of the special targets
	Flow  string            `yaml:"flow"` // another flow instead
}

// needsBound guards a flow that speaks of a person: who writes must be known.
const needsBound = "bound"

// The special targets of options.
const (
	goAgain  = "@again"  // back to the question below
	goMenu   = "@menu"   // leave everything
	goResume = "@resume" // back to the suspended flow
	goDrop   = "@drop"   // forget the suspended flow
)

// Branch is one way out of a decision. Values: a word, several as "a|b", "*" for anything not empty.
type Branch struct {
	When map[string]string `yaml:"when"`
	Go   string            `yaml:"go"`
}

// End ends a flow. Offer lists flows that numbers lead to afterwards.
type End struct {
	Failed bool     `yaml:"failed"` // the flows that called this one end too
	Offer  []string `yaml:"offer"`
}

// findKind says which of its kinds a step is.
func (s *Step) findKind() (stepKind, error) {
	var kinds []stepKind
	for k, set := range map[stepKind]bool{
		kindSay: s.Say != "", kindAsk: s.Ask != nil, kindChoose: s.Choose != nil, kindRequest: s.LookUp != "" || s.Do != "",
		kindDecide: len(s.Decide) > 0, kindCall: s.Call != "", kindHandOver: s.HandOver != "", kindSet: len(s.Set) > 0, kindEnd: s.End != nil,
	} {
		if set {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) != 1 {
		return 0, fmt.Errorf("is of %d kinds, must be of one", len(kinds))
	}
	return kinds[0], nil
}

type stepKind int

const (
	kindSay stepKind = iota + 1
	kindAsk
	kindChoose
	kindRequest
	kindDecide
	kindCall
	kindHandOver
	kindSet
	kindEnd
)

// request is the name of what the host is asked for: a look-up or a deed.
func (s *Step) request() string {
	if s.LookUp != "" {
		return s.LookUp
	}
	return s.Do
}

// open says whether the step waits for the person.
func (s *Step) open() bool { return s.Ask != nil || s.Choose != nil }

// hears says whether the flow wants the words it was started with.
func (d *Definition) hears() bool {
	return slices.ContainsFunc(d.Steps, func(s *Step) bool {
		return s.With["words"] == "$heard" || s.Set["words"] == "$heard" || s.Choose != nil && s.Choose.Said
	})
}

// step finds a step by its id; nil where there is none.
func (d *Definition) step(id string) *Step {
	i, ok := d.at[id]
	if !ok {
		return nil
	}
	return d.Steps[i]
}

// after is the step that follows: the one named, else the one below. Empty: there is none.
func (d *Definition) after(s *Step) string {
	if s.Go != "" {
		return s.Go
	}
	if i := d.at[s.ID] + 1; i < len(d.Steps) {
		return d.Steps[i].ID
	}
	return ""
}

// index names the steps that have no id and maps ids to places.
func (d *Definition) index() error {
	d.at = make(map[string]int, len(d.Steps))
	for i, s := range d.Steps {
		if s.ID == "" {
			s.ID = fmt.Sprintf("s%d", i+1)
		}
		if _, twice := d.at[s.ID]; twice {
			return fmt.Errorf("flow %s: step %s stands twice", d.ID, s.ID)
		}
		d.at[s.ID] = i
	}
	return nil
}

// shown are the options that count with these variables.
func (c *Choose) shown(vars map[string]string) []Option {
	if !slices.ContainsFunc(c.Options, func(o Option) bool { return len(o.When) > 0 }) {
		return c.Options
	}
	var out []Option
	for _, o := range c.Options {
		if holdAll(o.When, vars) {
			out = append(out, o)
		}
	}
	return out
}

// holds says whether all conditions of a branch hold.
func (b Branch) holds(vars map[string]string) bool { return holdAll(b.When, vars) }

func holdAll(when, vars map[string]string) bool {
	for name, want := range when {
		have := vars[name]
		if want == "*" {
			if have == "" {
				return false
			}
			continue
		}
		if !oneOf(have, want) {
			return false
		}
	}
	return true
}

func oneOf(have, alternatives string) bool {
	for word := range strings.SplitSeq(alternatives, "|") {
		if have == word {
			return true
		}
	}
	return false
}
