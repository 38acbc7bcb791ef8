package register

// key tells rows of one kind apart, "" for one that has none.
func (e Entry) key() string {
	switch {
	case e.Person != nil:
		return string(e.IDNumber)
	case e.Cover != nil:
		return join(string(e.IDNumber), string(e.Cover.Insurance), itoa(e.Cover.Year))
	case e.Premium != nil:
		return join(string(e.IDNumber), string(e.Premium.Insurance), itoa(e.Premium.Year))
	case e.Subsidy != nil:
		return join(string(e.IDNumber), e.Subsidy.Kind, e.Subsidy.AppliedOn)
	case e.Benefit != nil:
		return join(string(e.IDNumber), string(e.Benefit.Insurance), e.Benefit.Month, e.Benefit.Item)
	case e.Placement != nil:
		return join(string(e.IDNumber), e.Placement.Employer, e.Placement.PlacedOn)
	}
	return e.nameAndPlace()
}

// nameAndPlace tells offers and guides apart. A tier's name is more than its item: a scale has many rows.
func (e Entry) nameAndPlace() string {
	switch {
	case e.Job != nil:
		return join(e.Job.Employer, e.Job.Title, e.Job.Place)
	case e.Course != nil:
		return join(e.Course.Name, e.Course.Provider, e.Course.StartsOn)
	case e.Employer != nil:
		return join(e.Employer.Name, e.Employer.Place)
	case e.Fair != nil:
		return join(e.Fair.Name, e.Fair.Place)
	case e.School != nil:
		return join(e.School.Name, e.School.Place)
	case e.Pair != nil:
		return join(e.Pair.Giver, e.Place.Code)
	case e.Institution != nil:
		return join(e.Institution.Name, e.Institution.Place)
	case e.Tier != nil:
		return join(e.Tier.Item, e.Place.Code, itoa(e.Tier.Year), e.Tier.Group, itoa(int(e.Tier.FromFen)))
	}
	return ""
}

// shown is what a report may say of whom or what the row is about.
func (e Entry) shown() string {
	switch {
	case e.IDNumber != "":
		return e.IDNumber.Masked()
	case e.Job != nil:
		return maskValue(e.Job.Employer + " " + e.Job.Title)
	case e.Course != nil:
		return maskValue(e.Course.Name)
	case e.Employer != nil:
		return maskValue(e.Employer.Name)
	case e.Fair != nil:
		return maskValue(e.Fair.Name)
	case e.School != nil:
		return maskValue(e.School.Name)
	case e.Pair != nil:
		return maskValue(e.Pair.Giver + " " + e.Pair.County)
	case e.Institution != nil:
		return maskValue(e.Institution.Name)
	case e.Tier != nil:
		return maskValue(e.Tier.Item + " " + e.Tier.Region)
	}
	return ""
}
