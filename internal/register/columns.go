package register

import (
	_ "embed"
	"fmt"
	"slices"
	"sync"

	"gopkg.in/yaml.v3"
)

//go:embed data/columns.yaml
var columnsYAML []byte

// headings is data/columns.yaml, read once. It never changes.
var headings = sync.OnceValue(func() map[Kind][]column {
	kinds, err := readColumns(columnsYAML)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return kinds
})

// column is a canonical column with the names it goes by.
type column struct {
	field field    // what the program calls it
	name  string   // what interfaces and reports call it
	names []string // in order of preference
	last  []string
}

// field is a column as the program knows it.
type field string

// The fields of all kinds, as data/columns.yaml ties them to names.
const (
	fName         field = "name"
	fID           field = "id"
	fPhone        field = "phone"
	fRegion       field = "region"
	fCity         field = "city"
	fCounty       field = "county"
	fTown         field = "town"
	fVillage      field = "village"
	fHousehold    field = "household"
	fRelation     field = "relation"
	fCategory     field = "category"
	fEducation    field = "education"
	fStudent      field = "student"
	fSchool       field = "school"
	fGraduated    field = "graduated"
	fSkills       field = "skills"
	fLabour       field = "labour"
	fWantsWork    field = "wants_work"
	fWantsLearn   field = "wants_training"
	fWantsOwn     field = "wants_business"
	fEmployment   field = "employment"
	fEmployer     field = "employer"
	fPlaced       field = "placed"
	fStatus       field = "status"
	fDied         field = "died"
	fDisability   field = "disability_level"
	fDisabledBy   field = "disability_kind"
	fHealth       field = "health"
	fLanguage     field = "language"
	fRemark       field = "remark"
	fInsurance    field = "insurance"
	fYear         field = "year"
	fState        field = "state"
	fEnrolled     field = "enrolled_on"
	fBenefit      field = "benefit_state"
	fCoverPlace   field = "cover_place"
	fDue          field = "due"
	fSelf         field = "self"
	fSubsidised   field = "subsidised"
	fDeadline     field = "deadline"
	fPaidOn       field = "paid_on"
	fSubsidy      field = "subsidy"
	fApplied      field = "applied"
	fAmount       field = "amount"
	fStateOn      field = "state_on"
	fNote         field = "note"
	fOffice       field = "office"
	fOfficePhone  field = "office_phone"
	fTitle        field = "title"
	fJobKind      field = "job_kind"
	fHeadcount    field = "headcount"
	fPlace        field = "place"
	fWageMin      field = "wage_min"
	fWageMax      field = "wage_max"
	fWage         field = "wage"
	fDemands      field = "demands"
	fSchooling    field = "schooling"
	fSubject      field = "subject"
	fContact      field = "contact"
	fCloses       field = "closes"
	fSourceCity   field = "source_city"
	fCourse       field = "course"
	fTrade        field = "trade"
	fProvider     field = "provider"
	fStarts       field = "starts"
	fEnds         field = "ends"
	fPlaces       field = "places"
	fMode         field = "mode"
	fCourseForJob field = "for_job"
	fItem         field = "item"
	fMonth        field = "month"
	fPayout       field = "payout_state"
	fLeft         field = "left"
	fCreditCode   field = "credit_code"
	fFair         field = "fair"
	fHeldOn       field = "held_on"
	fHost         field = "host"
	fSchoolName   field = "school_name"
	fAdmission    field = "admission"
	fGiver        field = "giver"
	fHelped       field = "helped"
	fPairKind     field = "pair_kind"
	fInstitution  field = "institution"
	fKind         field = "kind"
	fRemote       field = "remote"
	fTierRegion   field = "tier_region"
	fGroup        field = "group"
	fDeductible   field = "deductible"
	fFrom         field = "from"
	fTo           field = "to"
	fPercent      field = "percent"
	fSource       field = "source"
	fPublished    field = "published"
)

func readColumns(raw []byte) (map[Kind][]column, error) {
	var file map[Kind][]struct {
		Name  string
		Field field
		Also  []string
		Last  []string
		Same  Kind
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("register: columns.yaml: %w", err)
	}
	named := map[string]column{} // kind/name
	kinds := map[Kind][]column{}
	for _, kind := range Kinds() {
		for _, entry := range file[kind] {
			c := column{field: entry.Field, name: entry.Name, last: squeezed(entry.Last)}
			if entry.Same != "" {
				c = named[string(entry.Same)+"/"+entry.Name]
			} else {
				c.names = squeezed(entry.Also)
				if i := slices.Index(c.names, "self"); i >= 0 {
					c.names[i] = squeeze(entry.Name)
				}
			}
			if c.field == "" || len(c.names) == 0 {
				return nil, fmt.Errorf("register: columns.yaml: %s of %s has no field or no names", entry.Name, kind)
			}
			named[string(kind)+"/"+entry.Name] = c
			kinds[kind] = append(kinds[kind], c)
		}
	}
	return kinds, nil
}

func squeezed(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = squeeze(s)
	}
	return out
}

func columnsOf(kind Kind) []column { return headings()[kind] }

// columnName gives the canonical name of a field of a kind, as reports write it.
func columnName(kind Kind, f field) string {
	for _, c := range columnsOf(kind) {
		if c.field == f {
			return c.name
		}
	}
	return string(f)
}

// keyColumns are what a header must have to be one of the kind's.
func keyColumns(kind Kind) []string {
	switch kind {
	case KindJobs:
		return []string{columnName(kind, fTitle)}
	case KindCourses:
		return []string{columnName(kind, fCourse)}
	case KindEmployers:
		return []string{columnName(kind, fEmployer)}
	case KindFairs:
		return []string{columnName(kind, fFair)}
	case KindSchools:
		return []string{columnName(kind, fSchoolName)}
	case KindPairs:
		return []string{columnName(kind, fGiver)}
	case KindInstitutions:
		return []string{columnName(kind, fInstitution)}
	case KindTiers:
		return []string{columnName(kind, fItem)}
	case KindPeople, KindCover, KindPremiums, KindSubsidies, KindBenefits, KindPlacements:
	}
	return []string{columnName(kind, fID)}
}

// canonicalColumn finds a column of a kind by its canonical or another name.
func canonicalColumn(kind Kind, name string) (column, bool) {
	forms := headerNames(name)
	for _, form := range forms {
		for _, c := range columnsOf(kind) {
			if squeeze(c.name) == form {
				return c, true
			}
		}
	}
	for _, form := range forms {
		for _, c := range columnsOf(kind) {
			if slices.Contains(c.names, form) {
				return c, true
			}
		}
	}
	return column{}, false
}
