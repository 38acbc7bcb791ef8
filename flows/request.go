package flows

import "slices"

// RequestKind describes one of the things the host can be asked for: what it takes, and what it answers.
type RequestKind struct {
	Name  string
	Takes []string
	Gives []string // variables of the flow
	Items []string // values of each item, for say-steps with each
}

// Requests is the closed list of what the host looks up and does.
//
//	identity        locked yes|no; bound yes|no; who: the bound person's name, masked
//	send_code       sent asked|locked|wait|enough. "asked" says nothing of whether a code went out
//	check_code      check right|wrong|locked|late; left: tries left
//	cover           known yes|no|several|limited; the rest as the register has it
//	subsidies       known as above; items, newest first; word and date are the newest's
//	premiums        known as above; items; due yes|no; year, insurance_word and word are the most pressing one's
//	office          phone: the office's telephone
//	language_named  language: the locale that the words name, empty where they name none
func Requests() []RequestKind {
	known := []string{"known", "phone", "count"}
	return []RequestKind{
		{Name: "identity", Gives: []string{"locked", "bound", "who"}},
		{Name: "send_code", Takes: []string{"name", "id_number"}, Gives: []string{"sent"}},
		{Name: "check_code", Takes: []string{"code"}, Gives: []string{"check", "left"}},
		{Name: "cover", Takes: []string{"insurance"}, Gives: append([]string{
			"insurance_key", "insurance_word", "year", "state", "word", "benefit", "enrolled", "next_year", "next_word",
			"stale", "this_year", "premium", "due_year", "amount", "deadline", "overdue",
		}, known...)},
		{Name: "subsidies", Gives: append([]string{"word", "date"}, known...), Items: []string{
			"kind", "state_key", "word", "applied", "amount", "note", "office", "phone",
		}},
		{Name: "premiums", Gives: append([]string{"due", "year", "insurance_word", "word"}, known...), Items: []string{
			"year", "insurance_key", "state_key", "word", "amount", "self", "subsidy", "deadline",
		}},
		{Name: "office", Gives: []string{"phone"}},
		{Name: "language_named", Takes: []string{"words"}, Gives: []string{"language"}},
		{Name: "set_language", Takes: []string{"language"}},
		{Name: "opt_out"},
		{Name: "opt_in"},
		{Name: "note", Takes: []string{"topic", "words"}},
	}
}

func requestKind(name string) (RequestKind, bool) {
	kinds := Requests()
	i := slices.IndexFunc(kinds, func(k RequestKind) bool { return k.Name == name })
	if i < 0 {
		return RequestKind{}, false
	}
	return kinds[i], true
}

// Standing values are filled in by the host in every text: the lines to call, and where to agree to reminders
// (empty: nowhere).
func standing() []string {
	return []string{"TelMedical", "TelPaying", "TelWork", "TelFraud", "TelOffice", "SubscribeURL"}
}

// hostTexts are the texts that the engine and the host use without a definition naming them.
func hostTexts() []string {
	return []string{
		"date.civil", "bind.then", "clarify.which", "retry.choice", "choices.how", "more.hint", "insurance.medical", "insurance.pension",
		"subsidy.received", "subsidy.reviewing", "subsidy.publicised", "subsidy.approved", "subsidy.paid_out",
		"subsidy.returned", "premium.paid", "premium.unpaid", "premium.partly_paid",
	}
}
