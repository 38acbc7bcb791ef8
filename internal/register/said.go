package register

import (
	_ "embed"
	"sync"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed data/said.yaml
var saidYAML []byte

type said struct{ Date string }

// saying is data/said.yaml, read once. It never changes.
var saying = sync.OnceValue(func() said {
	var s said
	if err := yaml.Unmarshal(saidYAML, &s); err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return s
})

// SayDate writes a civil date as texts do. Anything else stays as it is.
func SayDate(date string) string {
	d, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return d.Format(saying().Date)
}

// InsuranceOf reads an insurance as sheets and campaign files write it, or by its code.
func InsuranceOf(text string) (Insurance, bool) {
	list := vocabulary()[wordInsurance]
	if _, known := list.byCode[text]; known {
		return Insurance(text), true
	}
	code, known := list.find(text)
	return Insurance(code), known
}

// ToPayFen is what the person pays themselves.
func (p Premium) ToPayFen() int64 {
	switch {
	case p.SelfFen >= 0:
		return p.SelfFen
	case p.SubsidyFen > 0:
		return max(0, p.DueFen-p.SubsidyFen)
	}
	return p.DueFen
}
