package register

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// wordList names one of the lists of data/values.yaml.
type wordList string

// The lists of data/values.yaml.
const (
	wordInsurance     wordList = "insurance"
	wordCoverState    wordList = "cover_state"
	wordBenefitState  wordList = "benefit_state"
	wordPremiumState  wordList = "premium_state"
	wordSubsidyState  wordList = "subsidy_state"
	wordSubsidyKind   wordList = "subsidy_kind"
	wordJobKind       wordList = "job_kind"
	wordCourseMode    wordList = "course_mode"
	wordStatus        wordList = "status"
	wordYesNo         wordList = "yes_no"
	wordLanguage      wordList = "language"
	wordSex           wordList = "sex"
	wordCategory      wordList = "category"
	wordEducation     wordList = "education"
	wordStudent       wordList = "student"
	wordLabour        wordList = "labour"
	wordEmployment    wordList = "employment"
	wordDisability    wordList = "disability_level"
	wordDisabledBy    wordList = "disability_kind"
	wordHealth        wordList = "health"
	wordNone          wordList = "none"
	wordOpenDate      wordList = "open_date"
	wordOpenNumber    wordList = "open_number"
	wordNoWage        wordList = "no_wage"
	wordTotalRow      wordList = "total_row"
	wordNoteRow       wordList = "note_row"
	wordSignatureRow  wordList = "signature_row"
	wordAsksForMoney  wordList = "asks_for_money"
	wordMoneyHarmless wordList = "money_harmless"
	wordPlaceKind     wordList = "place_kind"
	wordAmountUnit    wordList = "amount_unit"
	wordNumeral       wordList = "numeral"
	wordPayoutState   wordList = "payout_state"
	wordPairKind      wordList = "pair_kind"
	wordSchoolName    wordList = "school_name"
	wordInstitution   wordList = "institution_kind"
	wordSlackSeason   wordList = "slack_season"
	wordSubsidyAbout  wordList = "subsidy_about"
	wordEverybody     wordList = "everybody"
	wordOpenAbove     wordList = "open_above"
)

//go:embed data/values.yaml
var valuesYAML []byte

// vocabulary is data/values.yaml, read once. It never changes.
var vocabulary = sync.OnceValue(func() map[wordList]*words {
	lists, err := readVocabulary(valuesYAML)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return lists
})

// Word is one value of a list: what the program keeps and what people read.
type Word struct {
	Code string
	Word string
}

type words struct {
	open    bool
	list    []Word
	byText  map[string]string // folded spelling → code
	flagged map[string]bool   // codes with the flag
	byCode  map[string]string // code → word
	longest []string          // all spellings, longest first
}

func readVocabulary(raw []byte) (map[wordList]*words, error) {
	var file map[wordList]struct {
		Open  bool
		Words []struct {
			Code, Word string
			Also       []string
			Flag       bool
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("register: values.yaml: %w", err)
	}
	lists := make(map[wordList]*words, len(file))
	for name, l := range file {
		w := &words{open: l.Open, byText: map[string]string{}, flagged: map[string]bool{}, byCode: map[string]string{}}
		for _, entry := range l.Words {
			w.list = append(w.list, Word{Code: entry.Code, Word: entry.Word})
			w.byCode[entry.Code] = entry.Word
			w.flagged[entry.Code] = entry.Flag
			for _, spelling := range append(entry.Also, entry.Word) {
				w.byText[squeeze(spelling)] = entry.Code
				w.longest = append(w.longest, squeeze(spelling))
			}
		}
		slices.SortStableFunc(w.longest, func(a, b string) int { return len(b) - len(a) })
		lists[name] = w
	}
	return lists, nil
}

// find gives the code of a written word.
func (w *words) find(text string) (code string, known bool) {
	code, known = w.byText[squeeze(text)]
	return code, known
}

// canonical gives the code of a known word; an open list keeps an unknown one as it was written.
func (w *words) canonical(text string) (code string, ok bool) {
	if code, known := w.find(text); known {
		return code, true
	}
	return fold(text), w.open
}

// within gives the code of the longest spelling that stands inside the text.
func (w *words) within(text string) (code string, found bool) {
	text = squeeze(text)
	for _, spelling := range w.longest {
		if strings.Contains(text, spelling) {
			return w.byText[spelling], true
		}
	}
	return "", false
}

// isWord says whether the text is one of the list's spellings.
func isWord(list wordList, text string) bool {
	_, known := vocabulary()[list].find(text)
	return known
}

// flagged says whether the code bears the list's flag: at school, in work, drawing the benefit.
func flagged(list wordList, code string) bool { return vocabulary()[list].flagged[code] }

// flaggedCodes lists the codes that bear the list's flag.
func flaggedCodes(list wordList) []string {
	var codes []string
	for _, w := range vocabulary()[list].list {
		if flagged(list, w.Code) {
			codes = append(codes, w.Code)
		}
	}
	return codes
}

// wordOf gives the word that people read for a code; an open list's unknown code is its own word.
func wordOf(list wordList, code string) string {
	if word, known := vocabulary()[list].byCode[code]; known {
		return word
	}
	return code
}

// Word is the insurance in the words of the import.
func (i Insurance) Word() string { return wordOf(wordInsurance, string(i)) }

// Word is the state in the words of the import.
func (s CoverState) Word() string { return wordOf(wordCoverState, string(s)) }

// Word is the state in the words of the import.
func (s PremiumState) Word() string { return wordOf(wordPremiumState, string(s)) }

// Word is the state in the words of the import.
func (s SubsidyState) Word() string { return wordOf(wordSubsidyState, string(s)) }

// Word is the status in the words of the import.
func (s LifeStatus) Word() string { return wordOf(wordStatus, string(s)) }

// AtSchool says whether the words of 在校生状况 mean that the person is a pupil or student now.
func (p Person) AtSchool() bool { return flagged(wordStudent, p.Student) }

// InWork says whether the words of 就业状态 mean that the person earns their living now.
func (p Person) InWork() bool { return flagged(wordEmployment, p.Employment) }

// Claiming says whether the benefit is being drawn.
func (c Cover) Claiming() bool { return flagged(wordBenefitState, c.BenefitState) }
