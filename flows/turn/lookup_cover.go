package turn

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// institutions lists the places of a kind near home, or those that settle directly for people insured elsewhere.
func (t *oneTurn) institutions(with map[string]string) (f flows.Facts, err error) {
	q := register.InstitutionSearch{
		Near: t.home(), Kinds: t.s.engine.Book().Settings().Places[with["kind"]], Offset: int(number(with["offset"])),
	}
	if with["remote"] == "yes" {
		q.Remote = register.Yes
	} else {
		q.Within = prefixOf(t.region)
	}
	q.Limit = register.PageSize + 1 // one more says whether there is a next page
	list, err := t.tx.Institutions(q)
	more := len(list) > register.PageSize
	list = list[:min(len(list), register.PageSize)]
	for _, x := range list {
		item := map[string]string{"name": x.Name, "place": x.Place, "tel": x.Phone}
		if x.Remote == register.Yes {
			item["remote_key"] = "remote.direct"
		}
		f.Items = append(f.Items, item)
	}
	f.Vars = found{"found": yesNo(len(list) > 0), "total": itoa(len(list)), "next": itoa(q.Offset + len(list)), "more": yesNo(more)}
	return f, err
}

// tiers tells what an insurance pays back where the person lives, and of a sum, in yuan, what would come back.
func (t *oneTurn) tiers(item, amount string) (f flows.Facts, err error) {
	f.Vars = found{"found": "no", "region": "", "year": "", "source": "", "published": "", "deductible": "", "back": "", "self": "", "cost": amount}
	if t.region == "" {
		return f, nil
	}
	group := ""
	if t.personID != 0 {
		p, err := t.tx.Person(t.personID)
		if err != nil {
			return f, err
		}
		group = t.group(p)
	}
	list, err := t.tx.Tiers(register.TierSearch{
		Item: t.s.engine.Book().Settings().Tiers[item], Near: t.home(), Year: t.now.In(t.s.zone).Year(), Group: group,
	})
	if err != nil || len(list) == 0 {
		return f, err
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b register.Tier) int { return cmp.Compare(a.FromFen, b.FromFen) })
	first := list[0]
	f.Vars["found"], f.Vars["region"], f.Vars["year"] = "yes", first.Region, itoa(first.Year)
	f.Vars["source"], f.Vars["published"], f.Vars["deductible"] = first.Source, first.PublishedOn, yuan(first.DeductibleFen)
	for _, x := range list {
		f.Items = append(f.Items, map[string]string{"from": yuanOrNought(x.FromFen), "to": yuan(x.ToFen), "percent": percent(x.Percent)})
	}
	if fen := number(amount) * 100; fen > 0 {
		if back, ok := payBack(list, fen); ok {
			f.Vars["back"], f.Vars["self"] = yuanOrNought(back), yuanOrNought(fen-back)
		}
	}
	return f, nil
}

// group is the first of a person's categories that sheets of tiers speak of.
func (t *oneTurn) group(p register.Person) string {
	if len(p.Categories) == 0 {
		return ""
	}
	return p.Categories[0]
}

// payBack is what the steps pay of a sum: each step its per cent of the part of the sum that lies in it, above the
// deductible. ok is false where a step doesn't say enough.
func payBack(steps []register.Tier, fen int64) (back int64, ok bool) {
	for _, s := range steps {
		from := max(s.FromFen, 0, s.DeductibleFen)
		if s.Percent < 0 {
			return 0, false
		}
		to := fen
		if s.ToFen >= 0 {
			to = min(to, s.ToFen)
		}
		if to > from {
			back += (to - from) * int64(s.Percent) / 10000
		}
	}
	return back, true
}

func yuanOrNought(fen int64) string {
	if fen <= 0 {
		return "0"
	}
	return yuan(fen)
}

// percent writes hundredths of a per cent.
func percent(hundredths int) string {
	if hundredths < 0 {
		return ""
	}
	return strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64)
}
