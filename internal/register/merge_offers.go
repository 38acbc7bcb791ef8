package register

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (b *Benefit) Merge(given Benefit, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "amount_fen", &b.AmountFen, given.AmountFen, -1)
	take(m, "state", &b.State, given.State, "")
	take(m, "paid_on", &b.PaidOn, given.PaidOn, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (p *Placement) Merge(given Placement, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "title", &p.Title, given.Title, "")
	take(m, "place", &p.Place, given.Place, "")
	take(m, "left_on", &p.LeftOn, given.LeftOn, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (e *Employer) Merge(given Employer, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "credit_code", &e.CreditCode, given.CreditCode, "")
	take(m, "contact", &e.Contact, given.Contact, "")
	take(m, "phone", &e.Phone, given.Phone, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (f *Fair) Merge(given Fair, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "held_on", &f.HeldOn, given.HeldOn, "")
	take(m, "region", &f.RegionCode, given.RegionCode, "")
	take(m, "host", &f.Host, given.Host, "")
	take(m, "phone", &f.Phone, given.Phone, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (s *School) Merge(given School, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "subjects", &s.Subjects, given.Subjects, "")
	take(m, "phone", &s.Phone, given.Phone, "")
	take(m, "admission", &s.Admission, given.Admission, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (p *Pair) Merge(given Pair, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "kind", &p.Kind, given.Kind, "")
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (i *Institution) Merge(given Institution, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "kind", &i.Kind, given.Kind, "")
	take(m, "region", &i.RegionCode, given.RegionCode, "")
	take(m, "phone", &i.Phone, given.Phone, "")
	take(m, "remote", &i.Remote, given.Remote, Unknown)
	return m.changed, m.kept
}

// Merge takes what a sheet gives over what is on file. byHand names the columns corrected by hand.
func (t *Tier) Merge(given Tier, byHand []string) (changed, kept bool) {
	m := &merging{byHand: byHand}
	take(m, "deductible_fen", &t.DeductibleFen, given.DeductibleFen, -1)
	take(m, "to_fen", &t.ToFen, given.ToFen, -1)
	take(m, "percent", &t.Percent, given.Percent, -1)
	take(m, "source", &t.Source, given.Source, "")
	take(m, "published_on", &t.PublishedOn, given.PublishedOn, "")
	return m.changed, m.kept
}
