package register

import "strings"

// entry reads the row as one of its kind. Where r.reason is set afterwards the row is refused.
func (r *row) entry() Entry {
	e := Entry{Row: r.line.number}
	switch r.kind {
	case KindPeople:
		r.person(&e)
	case KindCover:
		r.owner(&e)
		e.Cover = &Cover{
			Insurance: Insurance(r.requiredWord(fInsurance, wordInsurance)), Year: r.year(fYear),
			State: CoverState(r.requiredWord(fState, wordCoverState)), EnrolledOn: r.date(fEnrolled, false),
			BenefitState: r.word(fBenefit, wordBenefitState), Place: r.text(fCoverPlace),
		}
	case KindPremiums:
		r.owner(&e)
		e.Premium = &Premium{
			Insurance: Insurance(r.requiredWord(fInsurance, wordInsurance)), Year: r.year(fYear),
			DueFen: r.requiredFen(fDue), SelfFen: r.fen(fSelf), SubsidyFen: r.fen(fSubsidised), Deadline: r.date(fDeadline, true),
			State: PremiumState(r.requiredWord(fState, wordPremiumState)), PaidOn: r.date(fPaidOn, false),
		}
	case KindSubsidies:
		r.owner(&e)
		e.Subsidy = &Subsidy{
			Kind: r.required(fSubsidy), AppliedOn: r.requiredDate(fApplied), State: SubsidyState(r.requiredWord(fState, wordSubsidyState)),
			AmountFen: r.fen(fAmount), StateOn: r.date(fStateOn, false), Note: r.text(fNote), Office: r.text(fOffice), OfficePhone: r.text(fOfficePhone),
		}
	case KindJobs:
		r.job(&e)
	case KindCourses:
		r.course(&e)
	case KindBenefits, KindPlacements:
		r.owned(&e)
	case KindEmployers, KindFairs, KindSchools, KindPairs, KindInstitutions, KindTiers:
		r.guide(&e)
	}
	return e
}

// owner reads whose row it is. The name is not asked for, but where it stands there it must be theirs.
func (r *row) owner(e *Entry) {
	e.IDNumber, e.Name = r.idNumber(), NormaliseName(r.text(fName))
}

func (r *row) person(e *Entry) {
	e.IDNumber = r.idNumber()
	name := r.text(fName)
	e.Name = NormaliseName(name)
	if e.Name == "" {
		r.refuse(NameMissing, "")
	}
	if len([]rune(e.Name)) > 50 {
		r.refuse(ValueInvalid+":"+Reason(columnName(r.kind, fName)), MaskName(e.Name[:10]))
	}
	e.Place = r.place()
	e.Person = &Person{
		Name: e.Name, IDNumber: e.IDNumber, Phone: r.phone(), HouseholdNo: squeeze(r.text(fHousehold)), HeadRelation: r.text(fRelation),
		Categories: r.list(fCategory, wordCategory), Education: r.word(fEducation, wordEducation), Student: r.word(fStudent, wordStudent),
		School: r.text(fSchool), GraduatedOn: r.date(fGraduated, false), Skills: r.list(fSkills, ""), Labour: r.word(fLabour, wordLabour),
		WantsWork: r.yesNo(fWantsWork), WantsTraining: r.yesNo(fWantsLearn), WantsBusiness: r.yesNo(fWantsOwn),
		Employment: r.word(fEmployment, wordEmployment), Employer: r.text(fEmployer), PlacedOn: r.date(fPlaced, false),
		Status: r.lifeStatus(), DisabilityLevel: max(atoi(r.word(fDisability, wordDisability)), 0),
		DisabilityKind: r.word(fDisabledBy, wordDisabledBy), Health: r.word(fHealth, wordHealth),
		Language: r.word(fLanguage, wordLanguage), Remark: r.text(fRemark),
	}
}

// lifeStatus reads 人员状态, or a column that says of the dead yes.
func (r *row) lifeStatus() LifeStatus {
	status := LifeStatus(r.word(fStatus, wordStatus))
	raw := r.raw(fDied).text
	if status != "" || fold(raw) == "" {
		return status
	}
	if code, known := vocabulary()[wordStatus].find(raw); known {
		return LifeStatus(code)
	}
	if code, _ := vocabulary()[wordYesNo].find(raw); code == "yes" {
		return Deceased
	}
	return ""
}

func (r *row) job(e *Entry) {
	j := &Job{
		Employer: r.required(fEmployer), Title: r.required(fTitle), Kind: r.word(fJobKind, wordJobKind), Headcount: r.count(fHeadcount),
		Place: r.required(fPlace), WageMinFen: r.fen(fWageMin), WageMaxFen: r.fen(fWageMax), Contact: r.text(fContact),
		ContactPhone: r.text(fOfficePhone), ClosesOn: r.date(fCloses, true), SourceCity: r.text(fSourceCity),
	}
	if wage := r.text(fWage); wage != "" && j.WageMinFen < 0 && j.WageMaxFen < 0 {
		if low, high, err := parseFenRange(wage); err == nil {
			j.WageMinFen, j.WageMaxFen = low, high
		}
	}
	j.Demands = strings.Join(filled(r.text(fDemands), r.text(fSchooling), r.text(fSubject)), "; ")
	e.Place = r.place()
	if j.Held = asksForMoney(j.Title, j.Demands, r.text(fWage), j.Contact); j.Held {
		r.warn(AsksForMoney)
	}
	e.Job = j
}

// asksForMoney: a posting that wants money of those who apply is held for staff. "No deposit" is no such wish.
func asksForMoney(texts ...string) bool {
	text := squeeze(strings.Join(texts, "\n"))
	for _, harmless := range vocabulary()[wordMoneyHarmless].longest {
		text = strings.ReplaceAll(text, harmless, "")
	}
	_, asks := vocabulary()[wordAsksForMoney].within(text)
	return asks
}

func (r *row) course(e *Entry) {
	e.Course = &Course{
		Name: r.required(fCourse), Trade: r.text(fTrade), Provider: r.required(fProvider), Place: r.required(fPlace),
		StartsOn: r.firstDay(fStarts), EndsOn: r.date(fEnds, true), Places: r.count(fPlaces), AllowanceFen: r.fen(fAmount),
		Mode: r.word(fMode, wordCourseMode), Phone: r.text(fOfficePhone), JobTitle: r.text(fCourseForJob),
	}
	e.Place = r.place()
}
