package register

import "slices"

// merging takes what a sheet gives over what is on file, value by value.
type merging struct {
	byHand     []string
	correcting bool // what is taken is a correction by hand
	changed    bool
	kept       bool // a value corrected by hand stood against the sheet's
}

// may says whether a value that differs may be taken.
func (m *merging) may(column string) bool {
	corrected := slices.Contains(m.byHand, column)
	if m.correcting && !corrected {
		m.byHand = append(m.byHand, column)
	}
	if corrected && !m.correcting {
		m.kept = true
		return false
	}
	m.changed = true
	return true
}

// take replaces a value that is given and differs, unless it was corrected by hand.
func take[T comparable](m *merging, column string, onFile *T, given, absent T) {
	if given == absent || given == *onFile {
		return
	}
	if m.may(column) {
		*onFile = given
	}
}

func takeList(m *merging, column string, onFile *[]string, given []string) {
	if len(given) == 0 || slices.Equal(given, *onFile) {
		return
	}
	if m.may(column) {
		*onFile = given
	}
}

// Correct takes what a member of staff gives over what is on file; imports keep it from then on.
func (p *Person) Correct(given Person) (changed bool) {
	m := &merging{byHand: p.HandFields, correcting: true}
	p.merge(m, given)
	p.HandFields = m.byHand
	return m.changed
}

// Say takes what the person says of themselves over what is on file. It counts as corrected by hand where it differs
// from what is there, or confirms it: the next sheet doesn't undo what somebody said of their own wishes.
func (p *Person) Say(told Told) (changed bool) {
	given := told.Person()
	before := len(p.HandFields)
	changed = p.Correct(given)
	for column, said := range map[string]bool{
		"wants_work": given.WantsWork != Unknown, "wants_training": given.WantsTraining != Unknown, "wants_business": given.WantsBusiness != Unknown,
	} {
		if said && !slices.Contains(p.HandFields, column) {
			p.HandFields = append(p.HandFields, column)
		}
	}
	slices.Sort(p.HandFields[before:])
	return changed || len(p.HandFields) > before
}

// Merge takes what a sheet gives over what is on file: absent values change nothing, values corrected by hand stay.
// Identity (ID number, name, birth date, sex) is not touched.
func (p *Person) Merge(given Person) (changed, kept bool) {
	m := &merging{byHand: p.HandFields}
	p.merge(m, given)
	return m.changed, m.kept
}

func (p *Person) merge(m *merging, given Person) {
	take(m, "phone", &p.Phone, given.Phone, "")
	take(m, "region", &p.RegionCode, given.RegionCode, "")
	take(m, "household_no", &p.HouseholdNo, given.HouseholdNo, "")
	take(m, "head_relation", &p.HeadRelation, given.HeadRelation, "")
	takeList(m, "categories", &p.Categories, given.Categories)
	take(m, "education", &p.Education, given.Education, "")
	take(m, "student", &p.Student, given.Student, "")
	take(m, "school", &p.School, given.School, "")
	take(m, "graduated_on", &p.GraduatedOn, given.GraduatedOn, "")
	takeList(m, "skills", &p.Skills, given.Skills)
	take(m, "labour", &p.Labour, given.Labour, "")
	take(m, "wants_work", &p.WantsWork, given.WantsWork, Unknown)
	take(m, "wants_training", &p.WantsTraining, given.WantsTraining, Unknown)
	take(m, "wants_business", &p.WantsBusiness, given.WantsBusiness, Unknown)
	take(m, "employment", &p.Employment, given.Employment, "")
	take(m, "employer", &p.Employer, given.Employer, "")
	take(m, "placed_on", &p.PlacedOn, given.PlacedOn, "")
	take(m, "status", &p.Status, given.Status, "")
	take(m, "disability_level", &p.DisabilityLevel, given.DisabilityLevel, 0)
	take(m, "disability_kind", &p.DisabilityKind, given.DisabilityKind, "")
	take(m, "health", &p.Health, given.Health, "")
	take(m, "language", &p.Language, given.Language, "")
	take(m, "remark", &p.Remark, given.Remark, "")
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (c *Cover) Merge(given Cover, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "state", &c.State, given.State, "")
	take(m, "enrolled_on", &c.EnrolledOn, given.EnrolledOn, "")
	take(m, "benefit_state", &c.BenefitState, given.BenefitState, "")
	take(m, "place", &c.Place, given.Place, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (p *Premium) Merge(given Premium, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "due_fen", &p.DueFen, given.DueFen, -1)
	take(m, "self_fen", &p.SelfFen, given.SelfFen, -1)
	take(m, "subsidy_fen", &p.SubsidyFen, given.SubsidyFen, -1)
	take(m, "deadline", &p.Deadline, given.Deadline, "")
	take(m, "state", &p.State, given.State, "")
	take(m, "paid_on", &p.PaidOn, given.PaidOn, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (s *Subsidy) Merge(given Subsidy, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "state", &s.State, given.State, "")
	take(m, "amount_fen", &s.AmountFen, given.AmountFen, -1)
	take(m, "state_on", &s.StateOn, given.StateOn, "")
	take(m, "note", &s.Note, given.Note, "")
	take(m, "office", &s.Office, given.Office, "")
	take(m, "office_phone", &s.OfficePhone, given.OfficePhone, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. A posting that staff released stays released until its text
// changes.
func (j *Job) Merge(given Job, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	demands := j.Demands
	take(m, "kind", &j.Kind, given.Kind, "")
	take(m, "headcount", &j.Headcount, given.Headcount, 0)
	take(m, "region", &j.RegionCode, given.RegionCode, "")
	take(m, "wage_min_fen", &j.WageMinFen, given.WageMinFen, -1)
	take(m, "wage_max_fen", &j.WageMaxFen, given.WageMaxFen, -1)
	take(m, "demands", &j.Demands, given.Demands, "")
	take(m, "contact", &j.Contact, given.Contact, "")
	take(m, "contact_phone", &j.ContactPhone, given.ContactPhone, "")
	take(m, "closes_on", &j.ClosesOn, given.ClosesOn, "")
	take(m, "source_city", &j.SourceCity, given.SourceCity, "")
	if j.Demands != demands {
		take(m, "held", &j.Held, given.Held, j.Held)
	}
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (c *Course) Merge(given Course, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "trade", &c.Trade, given.Trade, "")
	take(m, "place", &c.Place, given.Place, "")
	take(m, "region", &c.RegionCode, given.RegionCode, "")
	take(m, "ends_on", &c.EndsOn, given.EndsOn, "")
	take(m, "places", &c.Places, given.Places, 0)
	take(m, "allowance_fen", &c.AllowanceFen, given.AllowanceFen, -1)
	take(m, "mode", &c.Mode, given.Mode, "")
	take(m, "phone", &c.Phone, given.Phone, "")
	take(m, "job_title", &c.JobTitle, given.JobTitle, "")
	return m.changed, m.kept
}
