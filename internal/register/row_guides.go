package register

import (
	"errors"
	"strings"
)

// owned reads a row about a person on file that is neither cover, premium nor subsidy.
func (r *row) owned(e *Entry) {
	r.owner(e)
	if r.kind == KindBenefits {
		e.Benefit = &Benefit{
			Insurance: Insurance(r.requiredWord(fInsurance, wordInsurance)), Item: r.text(fItem), Month: r.month(fMonth),
			AmountFen: r.fen(fAmount), State: BenefitState(r.requiredWord(fPayout, wordPayoutState)), PaidOn: r.date(fPaidOn, false),
		}
		return
	}
	e.Placement = &Placement{
		Employer: r.required(fEmployer), PlacedOn: r.requiredDate(fPlaced), Title: r.text(fTitle), Place: r.text(fPlace), LeftOn: r.date(fLeft, true),
	}
}

// guide reads a row about what is where.
func (r *row) guide(e *Entry) {
	switch r.kind {
	case KindEmployers:
		e.Employer = &Employer{
			Name: r.required(fEmployer), CreditCode: r.creditCode(), Place: r.text(fPlace), Contact: r.text(fContact), Phone: r.text(fOfficePhone),
		}
	case KindFairs:
		e.Fair = &Fair{Name: r.required(fFair), HeldOn: r.requiredFirstDay(fHeldOn), Place: r.required(fPlace), Host: r.text(fHost), Phone: r.text(fOfficePhone)}
		e.Place = r.place()
	case KindSchools:
		e.School = &School{
			Name: r.required(fSchoolName), Place: r.required(fPlace), Subjects: r.text(fSubject), Phone: r.text(fOfficePhone), Admission: r.text(fAdmission),
		}
	case KindPairs:
		e.Pair = &Pair{Giver: r.required(fGiver), County: r.required(fHelped), Kind: PairKind(r.word(fPairKind, wordPairKind))}
		e.Place = r.named(e.Pair.County)
	case KindInstitutions:
		e.Institution = &Institution{
			Name: r.required(fInstitution), Kind: r.requiredWord(fKind, wordInstitution), Place: r.required(fPlace), Phone: r.text(fOfficePhone),
			Remote: r.yesNo(fRemote),
		}
		if e.Place = r.place(); e.Place.Code == "" {
			r.missing(fRegion)
		}
	case KindTiers:
		r.tier(e)
	case KindPeople, KindCover, KindPremiums, KindSubsidies, KindBenefits, KindPlacements, KindJobs, KindCourses:
	}
}

func (r *row) tier(e *Entry) {
	e.Tier = &Tier{
		Item: r.required(fItem), Region: r.required(fTierRegion), Year: r.year(fYear), Group: r.group(), DeductibleFen: r.fen(fDeductible),
		FromFen: max(r.fen(fFrom), 0), ToFen: r.openFen(fTo), Percent: r.percent(fPercent), Source: r.required(fSource), PublishedOn: r.date(fPublished, false),
	}
	if e.Place = r.named(e.Tier.Region); e.Tier.ToFen >= 0 && e.Tier.ToFen <= e.Tier.FromFen {
		r.invalid(fTo, r.raw(fTo).text)
	}
}

func (r *row) missing(f field) {
	r.refuse(RequiredMissing+":"+Reason(columnName(r.kind, f)), "")
}

// named finds the province, city or county that one cell names or gives the code of.
func (r *row) named(text string) Place {
	code, err := FindPlace(text)
	if err != nil && text != "" {
		r.refuse(RegionUnknown, maskValue(text))
		return Place{}
	}
	if code != "" && !reaches(code, r.within) {
		r.refuse(RegionOutside, code)
	}
	return Place{Code: code}
}

// group gives the people a tier is for, "" for everybody.
func (r *row) group() string {
	text := r.text(fGroup)
	if isWord(wordEverybody, text) {
		return ""
	}
	if code, known := vocabulary()[wordCategory].find(text); known {
		return code
	}
	return text
}

// openFen gives an amount, -1 where it is not given or has no upper end.
func (r *row) openFen(f field) int64 {
	if isWord(wordOpenAbove, r.raw(f).text) {
		return -1
	}
	return r.fen(f)
}

// month gives the month that a row must name.
func (r *row) month(f field) string {
	raw := r.raw(f).text
	if fold(raw) == "" || isWord(wordNone, raw) {
		r.missing(f)
		return ""
	}
	month, err := parseMonth(raw)
	if err != nil {
		r.invalid(f, raw)
	}
	return month
}

func (r *row) percent(f field) int {
	raw := r.raw(f).text
	if fold(raw) == "" || isWord(wordNone, raw) {
		return -1
	}
	n, err := parsePercent(raw)
	if err != nil {
		r.invalid(f, raw)
	}
	return n
}

// firstDay gives the day on which something begins that may last several: the first one named.
func (r *row) firstDay(f field) string {
	raw := r.raw(f).text
	if fold(raw) == "" {
		return ""
	}
	if date, err := parseDate(raw, false); !errors.Is(err, errValue) {
		if errors.Is(err, errOpen) {
			r.warn(DateOpen)
		}
		return date
	}
	date, err := parseFirstDay(raw)
	if err != nil && !isWord(wordNone, raw) {
		r.invalid(f, raw)
	}
	return date
}

func (r *row) requiredFirstDay(f field) string {
	date := r.firstDay(f)
	if date == "" && !isWord(wordOpenDate, r.raw(f).text) {
		r.missing(f)
	}
	return date
}

// creditCode gives the 18 characters of a credit code, or the 15 digits of an older registration.
func (r *row) creditCode() string {
	code := strings.ToUpper(squeeze(r.text(fCreditCode)))
	if code == "" {
		return ""
	}
	if c := r.raw(fCreditCode); c.numeric || len(code) != 15 && len(code) != 18 || !plain(code) {
		r.invalid(fCreditCode, c.text)
	}
	return code
}
