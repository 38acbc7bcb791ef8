// Package fictional makes up a county: people in households, what covers them, what they owe and have applied for,
// jobs and courses, as the spreadsheets that the importer reads. The same seed gives the same county.
//
// Nobody in it exists. Numbers begin with 154, which no carrier has been given; ID numbers carry valid checksums
// because the importer refuses others, with sequence codes handed out in order.
package fictional

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed data/words.yaml
var wordsFile []byte

// words are the Chinese words of the sheets.
type words struct {
	County          string              `yaml:"county"`
	CountyCode      string              `yaml:"countyCode"`
	Towns           []string            `yaml:"towns"`
	Villages        []string            `yaml:"villages"`
	Surnames        []string            `yaml:"surnames"`
	Given           []string            `yaml:"given"`
	Headers         map[string][]string `yaml:"headers"`
	Relations       map[string]string   `yaml:"relations"`
	Categories      []string            `yaml:"categories"`
	Education       map[string]string   `yaml:"education"`
	Student         map[string]string   `yaml:"student"`
	Skills          []string            `yaml:"skills"`
	Labour          map[string]string   `yaml:"labour"`
	Yes             string              `yaml:"yes"`
	No              string              `yaml:"no"`
	Employment      map[string]string   `yaml:"employment"`
	Status          map[string]string   `yaml:"status"`
	Disability      []string            `yaml:"disability"`
	DisabilityKinds []string            `yaml:"disabilityKinds"`
	Health          map[string]string   `yaml:"health"`
	Languages       []string            `yaml:"languages"`
	Insurance       map[string]string   `yaml:"insurance"`
	Cover           map[string]string   `yaml:"cover"`
	Benefit         map[string]string   `yaml:"benefit"`
	Premium         map[string]string   `yaml:"premium"`
	Subsidies       []string            `yaml:"subsidies"`
	SubsidyStates   []string            `yaml:"subsidyStates"`
	ReturnedNote    string              `yaml:"returnedNote"`
	Office          string              `yaml:"office"`
	Jobs            []map[string]string `yaml:"jobs"`
	Contact         string              `yaml:"contact"`
	Courses         []map[string]string `yaml:"courses"`
	Provider        string              `yaml:"provider"`
	Hall            string              `yaml:"hall"`
	Employers       []map[string]string `yaml:"employers"`
	Fairs           []map[string]string `yaml:"fairs"`
	Schools         []map[string]string `yaml:"schools"`
	Pairs           []map[string]string `yaml:"pairs"`
	Institutions    []map[string]string `yaml:"institutions"`
	Tiers           []map[string]string `yaml:"tiers"`
	TierSource      string              `yaml:"tierSource"`
	BenefitItems    []string            `yaml:"benefitItems"`
	Payout          map[string]string   `yaml:"payout"`
}

// County is what to make up.
type County struct {
	Seed   uint64
	People int
	Today  time.Time // years and ages are counted from it
}

// Kinds are the sheets in the order in which they must be imported.
func Kinds() []string {
	return []string{
		"people", "cover", "premiums", "subsidies", "benefits", "placements", "employers", "jobs", "courses", "fairs", "schools", "pairs", "institutions", "tiers",
	}
}

// CountyCode is the code of the county that lends its place, six digits.
func CountyCode() string { return load().CountyCode }

func load() words {
	var w words
	if err := yaml.Unmarshal(wordsFile, &w); err != nil {
		panic(fmt.Sprintf("fictional: the embedded words: %v", err)) // a broken build, found by any test
	}
	return w
}

// WriteCSV writes one sheet in UTF-8.
func (c County) WriteCSV(w io.Writer, kind string) error {
	words := load()
	header, ok := words.Headers[kind]
	if !ok {
		return fmt.Errorf("fictional: no sheet %q", kind)
	}
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	emit := func(row ...string) { _ = out.Write(row) } // the writer keeps its first error for Error below
	if rows, ok := c.offers(words)[kind]; ok {
		rows(emit)
	} else {
		for p := range c.people(words) {
			p.rows(kind, emit)
		}
	}
	out.Flush()
	return out.Error()
}

// IDNumber makes an ID number with a valid checksum: the area's six digits, a birth date 2006-01-02, and a
// sequence number whose last three digits are used; odd ones are men.
func IDNumber(area, birth string, seq int) string {
	day, err := time.Parse(time.DateOnly, birth)
	if err != nil {
		panic(fmt.Sprintf("fictional: birth date %q", birth))
	}
	// A day has a thousand numbers; further sequence numbers go on to the following days.
	day = day.AddDate(0, 0, seq/1000)
	head := area + day.Format("20060102") + fmt.Sprintf("%03d", seq%1000)
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(head[i]-'0')
	}
	return head + string("10X98765432"[sum%11])
}

// Phone is the i-th made-up mobile number.
func Phone(i int) string { return "154" + fmt.Sprintf("%08d", i) }

func (c County) rand(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(c.Seed, stream)) }

// day is a civil date so many days from today.
func (c County) day(days int) string { return c.Today.AddDate(0, 0, days).Format(time.DateOnly) }
