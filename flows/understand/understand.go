package understand

import (
	"embed"
	"fmt"
	"sort"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

//go:generate go run ./learn

// What an understander knows. The last two are made by the command learn, of the examples and a dictionary.
var (
	//go:embed terms.txt dialects.txt english.txt emoji.txt
	texts embed.FS

	//go:embed sounds.txt
	soundTable string

	//go:embed model.bin
	modelFile []byte
)

// Sure is the score from which on an answer may be given without asking back.
const Sure = 0.5

// OutOfScope is the intent of what the bot is not for.
const OutOfScope = "out_of_scope"

// textLimit is how many characters of an utterance are read whole; of a longer one, so many at either end, where people
// say what they want: the story between would drown it.
const (
	textLimit = 600
	endLength = 100
)

// candidateCount is how many intents a result names.
const candidateCount = 5

// Intents lists every intent, in the order of the public list.
func Intents() []string {
	return []string{
		"check_medical", "check_pension", "check_subsidy", "premium_pay", "jobs", "public_job", "training",
		"technical_school", "startup", "graduate", "serious_illness", "medical_remote", "pension_transfer",
		"disability_premium", "policy_general", "bind_identity", "unsubscribe", "human", "report_problem",
		"language", "greeting", "thanks", OutOfScope,
	}
}

// Result is what an utterance is taken to mean.
type Result struct {
	Text       string      `json:"text"`
	Intent     string      `json:"intent"`
	Score      float64     `json:"score"` // how likely Intent is right, 0 to 1
	Candidates []Candidate `json:"candidates"`
}

// Candidate is one thing an utterance may mean.
type Candidate struct {
	Intent string  `json:"intent"`
	Score  float64 `json:"score"`
}

// Understander knows the examples. It never changes, so any number of goroutines may use it.
type Understander struct {
	intents []string
	reader  *reader
	model   *model
}

// New reads what was learnt beforehand.
func New() (*Understander, error) {
	r, err := newReader(soundTable)
	if err != nil {
		return nil, err
	}
	intents := Intents()
	m, _, err := readModel(modelFile, len(intents))
	if err != nil {
		return nil, err
	}
	return &Understander{intents: intents, reader: r, model: m}, nil
}

// Understand ranks the intents of one utterance, the likeliest first. Nothing readable in it is out of scope.
func (u *Understander) Understand(text string) Result {
	features := u.reader.read(text)
	if len(features) == 0 || !strings.ContainsFunc(norm.NFKC.String(text), meansSomething) {
		return Result{Text: text, Intent: OutOfScope, Score: 1, Candidates: []Candidate{{OutOfScope, 1}}}
	}
	scores := u.model.scores(features)
	all := make([]Candidate, len(scores))
	for i, s := range scores {
		all[i] = Candidate{u.intents[i], round(s)}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Score > all[j].Score })
	return Result{Text: text, Intent: all[0].Intent, Score: all[0].Score, Candidates: all[:candidateCount]}
}

// meansSomething tells letters and signs from digits and punctuation: a bare number answers a question or means nothing.
func meansSomething(r rune) bool { return unicode.IsLetter(r) || unicode.IsSymbol(r) }

// round keeps four digits: more say nothing.
func round(s float64) float64 { return float64(int(s*10000+0.5)) / 10000 }

func readText(name string) (string, error) {
	b, err := texts.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("understand: read %s: %w", name, err)
	}
	return string(b), nil
}
