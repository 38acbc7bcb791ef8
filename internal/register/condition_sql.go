package register

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SQL gives the condition as the text behind WHERE over "people p", the same for both databases, and its arguments.
// Placeholders are numbered in order of appearance from first ($first, $first+1, …), each used once. today is an
// instant in the zone whose civil day and year are meant. The text holds no NULL: it is true or false for every row.
func (c Condition) SQL(today time.Time, first int) (where string, args []any) {
	w := &sqlWriter{today: today, next: first}
	w.condition(c)
	return w.String(), w.args
}

type sqlWriter struct {
	strings.Builder
	args  []any
	next  int
	today time.Time
}

func (w *sqlWriter) put(parts ...string) {
	for _, p := range parts {
		w.WriteString(p)
	}
}

// arg adds an argument and returns its placeholder.
func (w *sqlWriter) arg(v any) string {
	w.args = append(w.args, v)
	w.next++
	return "$" + strconv.Itoa(w.next-1)
}

func (w *sqlWriter) condition(c Condition) {
	switch {
	case c.Test != nil:
		w.test(*c.Test)
	case c.Not != nil:
		w.put("NOT (")
		w.condition(*c.Not)
		w.put(")")
	case c.Any != nil:
		w.list(c.Any, " OR ", "FALSE")
	case c.All != nil:
		w.list(c.All, " AND ", "TRUE")
	default:
		w.put("FALSE") // the zero Condition: nobody, never everybody by accident
	}
}

func (w *sqlWriter) list(list []Condition, between, empty string) {
	if len(list) == 0 {
		w.put(empty)
		return
	}
	w.put("(")
	for i, c := range list {
		if i > 0 {
			w.put(between)
		}
		w.condition(c)
	}
	w.put(")")
}

func (w *sqlWriter) test(t Test) {
	field, found := FindField(t.Field)
	if !found || len(t.Values) == 0 {
		w.put("FALSE")
		return
	}
	if t.Op == Known {
		known := w.known(t.Field)
		if t.Values[0] == "false" {
			known = "NOT (" + known + ")"
		}
		w.put(known)
		return
	}
	switch field.kindOf(t.Values[0]) {
	case Area:
		w.within(t.Values[0])
	case Text, Enum:
		w.text(t)
	case Number:
		w.number(t)
	case Date:
		w.date(t)
	case YesNo:
		w.put(yesNoSQL(t.Field, t.Values[0] == "true", w.today.Year()))
	case Due:
		w.put("FALSE")
	}
}

// within is a range of codes: an index serves it, LIKE would not.
func (w *sqlWriter) within(prefix string) {
	w.put("(p.region >= ", w.arg(prefix), " AND p.region < ", w.arg(NextPrefix(prefix)), ")")
}

// NextPrefix is the first text behind all texts that begin with a prefix of digits.
func NextPrefix(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < '9' {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ":" // behind every digit
}

// textColumn names the column of a text field and how several values stand in it.
func textColumn(field string) (column string, isList bool) {
	switch field {
	case "category":
		return "p.categories", true
	case "skills":
		return "p.skills", true
	case "labour", "education", "student", "employment", "health", "language", "status", "sex":
		return "p." + field, false
	case "disability.kind":
		return "p.disability_kind", false
	case "subsidy.kind":
		return "s.kind", false
	case "subsidy.state":
		return "s.state", false
	}
	return "''", false
}

func (w *sqlWriter) text(t Test) {
	column, isList := textColumn(t.Field)
	ofSubsidy := strings.HasPrefix(t.Field, "subsidy.")
	if t.Op == NotIn {
		w.put("(", w.known(t.Field), " AND NOT ")
	}
	if ofSubsidy {
		w.put("EXISTS (SELECT 1 FROM subsidies s WHERE s.person_id = p.id AND ")
	}
	w.put("(")
	for i, v := range t.Values {
		if i > 0 {
			w.put(" OR ")
		}
		if isList {
			// LIKE would fold case on one of the two databases.
			w.put("replace(", column, ", ", w.arg("|"+v+"|"), ", '') <> ", column)
		} else {
			w.put(column, " = ", w.arg(v))
		}
	}
	w.put(")")
	if ofSubsidy {
		w.put(")")
	}
	if t.Op == NotIn {
		w.put(")")
	}
}

func (w *sqlWriter) number(t Test) {
	low, high := t.bounds()
	switch t.Field {
	case "age":
		w.put("(p.birth_date <= ", w.arg(yearsBefore(w.today, low)), " AND p.birth_date > ", w.arg(yearsBefore(w.today, high+1)), ")")
	case "reached.days":
		from, to := dayStart(w.today, -high), dayStart(w.today, 1-low)
		w.put(fmt.Sprintf("(%s BETWEEN %d AND %d)", LastReachedSQL, max(1, from.UnixMicro()), to.UnixMicro()-1))
	default:
		w.put("(", w.known(t.Field), fmt.Sprintf(" AND %s BETWEEN %d AND %d)", numberSQL(t.Field), low, high))
	}
}

// LastReachedSQL is when a message last reached the person p, 0 for never: what is kept of earlier times, and what their
// deliveries say, by a receipt or, on WeChat, by acceptance, and visits. It is read rather than kept up: an audience asks for it now
// and then, and a row for each person of each campaign would be written.
const LastReachedSQL = `(SELECT max(r.at) FROM (SELECT p.last_reached_at AS at UNION ALL
	SELECT CASE WHEN d.state = '' THEN k.presented_at ELSE d.updated_at END FROM deliveries d LEFT JOIN calls k ON k.id = d.call_id AND d.state = ''
	WHERE d.person_id = p.id AND CASE WHEN d.state = '' THEN substr(k.marks, d.slot, 1) IN ('d', 'h', 'a') OR k.state = 'accepted' AND k.channel = 'wechat'
		ELSE d.state = 'delivered' OR d.state = 'accepted' AND d.channel = 'wechat' END
	UNION ALL SELECT v.at FROM visits v WHERE v.person_id = p.id AND v.outcome = 'reached') AS r)`

// numberSQL counts the living members of a household; a person without one is alone.
func numberSQL(field string) string {
	const members = "(SELECT COUNT(*) FROM people h WHERE h.household = p.household AND h.household <> '' AND h.status = 'alive'"
	switch field {
	case "disability.level":
		return "p.disability_level"
	case "household.size":
		return "CASE WHEN p.household = '' THEN 1 ELSE " + members + ") END"
	case "household.employed":
		return "CASE WHEN p.household <> '' THEN " + members + " AND h.employed) WHEN p.employed THEN 1 ELSE 0 END"
	case "household.pupils":
		return "CASE WHEN p.household <> '' THEN " + members + " AND h.pupil) WHEN p.pupil THEN 1 ELSE 0 END"
	}
	return "-1"
}

func (w *sqlWriter) date(t Test) {
	low, high := t.dateBounds(w.today)
	if t.Field == "medical.due" || t.Field == "pension.due" {
		w.put(premiumSQL(t.Field, w.today.Year(), premiumDue), " AND m.deadline <> '' AND m.deadline >= ", w.arg(low), " AND m.deadline <= ", w.arg(high), ")")
		return
	}
	column := dateColumn(t.Field)
	w.put("(", column, " <> '' AND ", column, " >= ", w.arg(low), " AND ", column, " <= ", w.arg(high), ")")
}

func dateColumn(field string) string {
	switch field {
	case "birthday":
		return "p.birth_date"
	case "graduated_on":
		return "p.graduated_on"
	case "placed_on":
		return placedSQL
	}
	return "''"
}

// placedSQL is when a person began to work where they work now: as their own row says, or the latest placement that
// has not ended, whichever is later.
const placedSQL = `(SELECT CASE WHEN COALESCE(MAX(x.placed_on), '') > p.placed_on THEN MAX(x.placed_on) ELSE p.placed_on END
	FROM placements x WHERE x.person_id = p.id AND x.left_on = '')`

// What a premium of this year must be like.
const (
	premiumPaid = "m.state = 'paid'"
	premiumDue  = "m.state <> 'paid' AND m.due_fen > 0 AND m.due_fen > m.subsidy_fen"
)

// coverSQL and premiumSQL leave the bracket of EXISTS open.
func coverSQL(field string, year int, with string) string {
	return fmt.Sprintf("EXISTS (SELECT 1 FROM covers c WHERE c.person_id = p.id AND c.insurance = '%s' AND c.year = %d AND %s",
		insuranceOf(field), year, with)
}

func premiumSQL(field string, year int, with string) string {
	return fmt.Sprintf("EXISTS (SELECT 1 FROM premiums m WHERE m.person_id = p.id AND m.insurance = '%s' AND m.year = %d AND %s",
		insuranceOf(field), year, with)
}

func insuranceOf(field string) Insurance {
	insurance, _, _ := strings.Cut(field, ".")
	return Insurance(insurance)
}

// not negates a text where the answer asked for is no.
func not(yes bool, text string) string {
	if yes {
		return text
	}
	return "NOT (" + text + ")"
}

func yesNoSQL(field string, yes bool, year int) string {
	switch field {
	case "phone.mobile", "wechat.bound", "wechat.subscribed":
		return not(yes, "p."+strings.Replace(field, ".", "_", 1))
	case "opted_out":
		return not(yes, "p.opted_out")
	case "wants.work", "wants.training", "wants.business":
		return fmt.Sprintf("p.%s = %d", strings.Replace(field, ".", "_", 1), triOf(yes))
	case "medical.enrolled", "pension.enrolled":
		return coverSQL(field, year, not(yes, "c.state = 'enrolled'")) + ")"
	case "pension.claiming":
		return coverSQL(field, year, "c.benefit_state <> '' AND "+not(yes, "c.claiming")) + ")"
	case "medical.paid", "pension.paid":
		return premiumSQL(field, year, not(yes, premiumPaid)) + ")"
	case "medical.due", "pension.due":
		return premiumSQL(field, year, not(yes, premiumDue)) + ")"
	case "medical.subsidised":
		return premiumSQL(field, year, "m.subsidy_fen >= 0 AND "+not(yes, "m.subsidy_fen > 0")) + ")"
	case "trained.ever":
		return not(yes, "EXISTS (SELECT 1 FROM services v WHERE v.person_id = p.id AND v.service = 'training')")
	}
	if name, isService := serviceName(field); isService {
		return not(yes, fmt.Sprintf("EXISTS (SELECT 1 FROM services v WHERE v.person_id = p.id AND v.service = '%s' AND v.year = %d)", name, year))
	}
	return "FALSE"
}

func triOf(yes bool) Tri {
	if yes {
		return Yes
	}
	return No
}

// serviceName cuts NAME out of service.NAME.this_year; FindField has seen that it is one of Services.
func serviceName(field string) (string, bool) {
	name, found := strings.CutPrefix(field, "service.")
	if !found {
		return "", false
	}
	return strings.CutSuffix(name, ".this_year")
}

// known is true where anything is known of the field.
func (w *sqlWriter) known(field string) string {
	year := w.today.Year()
	switch field {
	case "region":
		return "p.region <> ''"
	case "graduated_on", "placed_on":
		return dateColumn(field) + " <> ''"
	case "category", "skills", "labour", "education", "student", "employment", "health", "language", "disability.kind":
		column, _ := textColumn(field)
		return column + " <> ''"
	case "wants.work", "wants.training", "wants.business":
		return "p." + strings.Replace(field, ".", "_", 1) + " <> 0"
	case "disability.level":
		return "p.disability_level > 0"
	case "medical.enrolled", "pension.enrolled":
		return coverSQL(field, year, "TRUE)")
	case "pension.claiming":
		return coverSQL(field, year, "c.benefit_state <> '')")
	case "medical.paid", "pension.paid", "medical.due", "pension.due":
		return premiumSQL(field, year, "TRUE)")
	case "medical.subsidised":
		return premiumSQL(field, year, "m.subsidy_fen >= 0)")
	case "subsidy.kind", "subsidy.state":
		return "EXISTS (SELECT 1 FROM subsidies s WHERE s.person_id = p.id)"
	case "reached.days":
		return LastReachedSQL + " > 0"
	}
	return "TRUE"
}
