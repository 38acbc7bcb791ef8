package fictional

import (
	"cmp"
	"fmt"
	"strconv"
)

// offers are the sheets that are not about one person each.
func (c County) offers(w words) map[string]func(emit func(...string)) {
	return map[string]func(func(...string)){
		"jobs":         func(emit func(...string)) { c.jobs(w, emit) },
		"courses":      func(emit func(...string)) { c.courses(w, emit) },
		"employers":    func(emit func(...string)) { c.employers(w, emit) },
		"fairs":        func(emit func(...string)) { c.fairs(w, emit) },
		"schools":      func(emit func(...string)) { c.schools(w, emit) },
		"pairs":        func(emit func(...string)) { c.pairs(w, emit) },
		"institutions": func(emit func(...string)) { c.institutions(w, emit) },
		"tiers":        func(emit func(...string)) { c.tiers(w, emit) },
	}
}

func (c County) jobs(w words, emit func(...string)) {
	r := c.rand(2)
	for i, j := range w.Jobs {
		low := 1800 + 100*r.IntN(20)
		region, town := w.CountyCode, w.Towns[i%len(w.Towns)]
		place := town
		if j["city"] != "" {
			region, town, place = "", "", j["place"]
		}
		emit(j["employer"], j["title"], j["kind"], strconv.Itoa(1+r.IntN(30)), place, region,
			strconv.Itoa(low), strconv.Itoa(low+1500), j["demands"], w.Contact, fmt.Sprintf("0763-200%04d", i), c.day(60+i), j["city"], town)
	}
}

func (c County) courses(w words, emit func(...string)) {
	r := c.rand(3)
	for i, k := range w.Courses {
		places := cmp.Or(k["places"], strconv.Itoa(20+5*r.IntN(5)))
		emit(k["name"], k["trade"], w.Provider, w.Towns[i%len(w.Towns)]+w.Hall, w.CountyCode, c.day(14+7*i), c.day(24+7*i),
			places, strconv.Itoa(800+100*r.IntN(10)), k["mode"], fmt.Sprintf("0763-300%04d", i), k["job"])
	}
}

func (c County) employers(w words, emit func(...string)) {
	for i, e := range w.Employers {
		emit(e["name"], fmt.Sprintf("91441800MA%08d", i), w.Towns[i%len(w.Towns)], e["contact"], fmt.Sprintf("0763-210%04d", i))
	}
}

func (c County) fairs(w words, emit func(...string)) {
	for i, f := range w.Fairs {
		emit(f["name"], c.day(6+9*i), f["place"], w.CountyCode, f["host"], fmt.Sprintf("0763-220%04d", i))
	}
}

func (c County) schools(w words, emit func(...string)) {
	for i, s := range w.Schools {
		emit(s["name"], s["place"], s["subjects"], fmt.Sprintf("0763-230%04d", i), s["admission"])
	}
}

func (c County) pairs(w words, emit func(...string)) {
	for _, p := range w.Pairs {
		emit(p["giver"], w.County, p["kind"])
	}
}

// institutions gives each town one of those that towns have.
func (c County) institutions(w words, emit func(...string)) {
	n := 0
	one := func(name, place, town string, i map[string]string) {
		emit(name, i["kind"], place, w.CountyCode, fmt.Sprintf("0763-240%04d", n), i["remote"], town)
		n++
	}
	for _, i := range w.Institutions {
		if i["town"] == "" {
			one(i["name"], w.County, "", i)
			continue
		}
		for _, town := range w.Towns {
			one(town+i["name"], town, town, i)
		}
	}
}

func (c County) tiers(w words, emit func(...string)) {
	for _, t := range w.Tiers {
		emit(t["item"], t["region"], strconv.Itoa(c.Today.Year()), t["group"], t["deductible"], t["from"], t["to"], t["percent"], w.TierSource, c.day(-60))
	}
}
