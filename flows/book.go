package flows

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed definitions
var definitions embed.FS

// Book is all flows with the words and figures they share. It does not change once loaded.
type Book struct {
	flows    map[string]*Definition
	order    []string
	byIntent map[string]string
	settings Settings
	offered  map[string]bool // flows that people choose: by a number, by a word, by a wish
	replies  map[string]ReplyTemplate
	guides   []Guide
}

// Settings are the words every step understands, the bounds of understanding, and the lines to call.
type Settings struct {
	OptOut         []string            `yaml:"opt_out"`
	OptOutIdle     []string            `yaml:"opt_out_when_nothing_is_asked"`
	Leave          []string            `yaml:"leave"`
	Yes            []string            `yaml:"yes"`
	No             []string            `yaml:"no"`
	InvitedYes     []string            `yaml:"invited_yes"` // what means yes in answer to an invitation
	InvitedNo      []string            `yaml:"invited_no"`
	OptIn          []string            `yaml:"opt_in"`
	Back           []string            `yaml:"back"`
	Menu           []string            `yaml:"menu"`
	Repeat         []string            `yaml:"repeat"`
	Person         []string            `yaml:"person"`
	More           []string            `yaml:"more"`
	Numerals       string              `yaml:"numerals"` // the numerals from one to nine
	NumberBefore   []string            `yaml:"number_before"`
	NumberAfter    []string            `yaml:"number_after"`
	NameLead       []string            `yaml:"name_lead"` // what people put before their name, longest first
	NameTail       []string            `yaml:"name_tail"`
	NoName         []string            `yaml:"no_name"` // what no name holds
	Surnames       string              `yaml:"surnames"`
	Sure           float64             `yaml:"sure"`            // from here a guess counts
	Certain        float64             `yaml:"certain"`         // from here it counts even where a name was asked for
	Maybe          float64             `yaml:"maybe"`           // from here a guess is offered as a choice
	Lines          map[string]string   `yaml:"lines"`           // telephone by topic
	Languages      map[string][]string `yaml:"languages"`       // locale → how people name it
	Cantonese      string              `yaml:"cantonese"`       // characters that only Cantonese uses
	CantoneseWords []string            `yaml:"cantonese_words"` // words of Cantonese in characters that Mandarin has too
	Mandarin       string              `yaml:"mandarin"`        // characters that spoken Cantonese does without
	Words          map[string]string   `yaml:"register_words"`  // the register's states in its own words
	Offices        []Office            `yaml:"offices"`
	Elder          []string            `yaml:"elder"`     // who says so can't read much
	Rude           []string            `yaml:"rude"`      // what people say who have had enough
	Signature      string              `yaml:"signature"` // the brackets of a signature
	Units          map[string]int      `yaml:"units"`     // of sums of money
	Digits         string              `yaml:"digits"`    // numerals from nought to nine
	Two            string              `yaml:"two"`       // another numeral for two
	Hours          Hours               `yaml:"hours"`
	JobKinds       map[string][]string `yaml:"job_kinds"`     // a search's mode → the kinds of posting
	Places         map[string][]string `yaml:"institutions"`  // → the kinds of institution
	Tiers          map[string]string   `yaml:"tiers"`         // → what the sheet calls it
	SearchFiller   []string            `yaml:"search_filler"` // says nothing of the work that somebody looks for
	SearchLead     []string            `yaml:"search_lead"`   // and neither does this in front of it
	Trades         []string            `yaml:"trades"`        // what names a trade
	NearWords      []string            `yaml:"near_words"`
	Help           []string            `yaml:"help"` // who says so wants to do something for somebody else
	Kin            []KinWords          `yaml:"kin"`
	TradeNames     []TradeName         `yaml:"trade_names"`
	EnglishNames   map[string]string   `yaml:"english_names"`  // words in names of the register → in English
	LettersFiller  []string            `yaml:"letters_filler"` // in letters, says nothing of what is looked for
	LettersCourse  []string            `yaml:"letters_course"` // in letters, says that a course is looked for
	Syllables      string              `yaml:"syllables"`      // of Mandarin in letters, with spaces between
	NotSyllables   []string            `yaml:"not_syllables"`  // English words that are made of them
	LettersNear    []string            `yaml:"letters_near"`   // in letters, says near home
	Categories     map[string]string   `yaml:"categories"`     // what a category is called to somebody's face

	letters map[string]lettered // by name
	pinyin  map[string]bool     // syllables
}

// KinWords is how people name one of their family.
type KinWords struct {
	Is    string   `yaml:"is"`
	Words []string `yaml:"words"`
}

// Hours is when the township's people are at work.
type Hours struct {
	Days   []int  `yaml:"days"` // 1 is Monday
	From   string `yaml:"from"`
	To     string `yaml:"to"`
	Answer int    `yaml:"answer"` // hours of work within which they answer
}

// Office is the telephone of one region's office; the longest prefix wins, "" is everywhere.
type Office struct {
	Region string `yaml:"region"`
	Phone  string `yaml:"phone"`
}

// ReplyTemplate is one of the closed set of texts that a conversation may send by SMS, as its file registers it.
type ReplyTemplate struct {
	Key  string `yaml:"key"`
	Kind string `yaml:"kind"`
	SMS  struct {
		Code    string            `yaml:"code"`
		Type    string            `yaml:"type"`
		Content string            `yaml:"content"`
		Params  map[string]string `yaml:"params"`
	} `yaml:"sms"`
}

// Load reads the embedded book. It checks its form; Lint checks its sense.
func Load() (*Book, error) {
	sub, err := fs.Sub(definitions, "definitions")
	if err != nil {
		return nil, fmt.Errorf("flows: definitions: %w", err)
	}
	b, err := load(sub)
	if err != nil {
		return nil, err
	}
	return b, b.readGuides(guidance)
}

// ReplyTemplates is the template file that registers the replies and the identity code, for `template apply`.
func ReplyTemplates() ([]byte, error) { return definitions.ReadFile("definitions/replies.yaml") }

func load(dir fs.FS) (*Book, error) {
	b := &Book{flows: make(map[string]*Definition), byIntent: make(map[string]string), replies: make(map[string]ReplyTemplate)}
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("flows: list definitions: %w", err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("flows: read %s: %w", name, err)
		}
		if err := b.read(name, raw); err != nil {
			return nil, fmt.Errorf("flows: %s: %w", name, err)
		}
	}
	slices.Sort(b.order)
	b.findOffered()
	return b, nil
}

// findOffered collects the flows that somebody may choose. The others begin by themselves, or inside another.
func (b *Book) findOffered() {
	b.offered = map[string]bool{flowMenu: true, flowPlain: true}
	for id, d := range b.flows {
		if d.SMS && len(d.Intents) == 0 {
			continue
		}
		b.offered[id] = b.offered[id] || len(d.Intents)+len(d.Words) > 0
		for _, s := range d.Steps {
			if s.Choose != nil {
				for _, o := range s.Choose.Options {
					b.offered[o.Flow] = true
				}
			}
			if s.End != nil {
				for _, flow := range s.End.Offer {
					b.offered[flow] = true
				}
			}
		}
	}
}

func (b *Book) read(name string, raw []byte) error {
	switch name {
	case "settings.yaml":
		if err := strict(raw, &b.settings); err != nil {
			return err
		}
		b.settings.nameLetters()
		return nil
	case "replies.yaml":
		var file struct {
			Templates []ReplyTemplate `yaml:"templates"`
		}
		if err := strict(raw, &file); err != nil {
			return err
		}
		for _, t := range file.Templates {
			b.replies[t.Key] = t
		}
		return nil
	}
	var several []*Definition
	if err := strict(raw, &several); err != nil {
		return err
	}
	for _, d := range several {
		if err := b.add(d); err != nil {
			return err
		}
	}
	return nil
}

func strict(raw []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	return dec.Decode(into)
}

func (b *Book) add(d *Definition) error {
	if d.ID == "" || len(d.Steps) == 0 {
		return errors.New("a flow needs an id and steps")
	}
	if b.flows[d.ID] != nil {
		return fmt.Errorf("flow %s stands twice", d.ID)
	}
	if err := d.index(); err != nil {
		return err
	}
	for _, s := range d.Steps {
		var err error
		if s.is, err = s.findKind(); err != nil {
			return fmt.Errorf("flow %s: step %s %w", d.ID, s.ID, err)
		}
	}
	for _, intent := range d.Intents {
		if other := b.byIntent[intent]; other != "" {
			return fmt.Errorf("flow %s: intent %s starts %s already", d.ID, intent, other)
		}
		b.byIntent[intent] = d.ID
	}
	b.flows[d.ID] = d
	b.order = append(b.order, d.ID)
	return nil
}

// Offered says whether a flow of this name exists that somebody may choose.
func (b *Book) Offered(flow string) bool { return b.flows[flow] != nil && b.offered[flow] }

// FlowOf is the flow that an intent starts; empty where there is none.
func (b *Book) FlowOf(intent string) string { return b.byIntent[intent] }

// Settings gives the words, bounds and lines.
func (b *Book) Settings() Settings { return b.settings }

// FillReply is the text that a reply template becomes, for those who watch the conversation; the platform fills
// its own copy.
func (b *Book) FillReply(t SMSText) string {
	content := b.replies[t.Template].SMS.Content
	for name, value := range t.Params {
		content = strings.ReplaceAll(content, "${"+name+"}", value)
	}
	return content
}

// Named is the locale that the words ask for by its name; empty: none.
func (s Settings) Named(words string) string {
	said := normalise(words)
	best, length := "", 0
	for locale, names := range s.Languages {
		for _, name := range names {
			if len(name) > length && strings.Contains(said, normalise(name)) {
				best, length = locale, len(name)
			}
		}
	}
	return best
}

// Line is the telephone for a topic: the line's, or the office's of the region where the topic is "office".
func (b *Book) Line(topic, region string) string {
	if topic != "office" {
		if line, ok := b.settings.Lines[topic]; ok {
			return line
		}
		return b.settings.Lines["other"]
	}
	best := Office{Phone: b.settings.Lines["other"]}
	for _, o := range b.settings.Offices {
		if len(o.Region) >= len(best.Region) && len(region) >= len(o.Region) && region[:len(o.Region)] == o.Region {
			best = o
		}
	}
	return best.Phone
}

// Intents is the closed list of what a person may want.
func Intents() []string {
	return []string{
		"check_medical", "check_pension", "check_subsidy", "premium_pay", "jobs", "public_job", "training",
		"technical_school", "startup", "graduate", "serious_illness", "medical_remote", "pension_transfer",
		"disability_premium", "policy_general", "bind_identity", "unsubscribe", "human", "report_problem",
		"language", "greeting", "thanks", "out_of_scope",
	}
}

// Title is the text key of a flow's name.
func (b *Book) Title(flow string) string {
	if d := b.flows[flow]; d != nil {
		return d.Title
	}
	return ""
}
