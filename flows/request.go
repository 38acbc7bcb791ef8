package flows

import "slices"

// RequestKind describes one of the things the host can be asked for: what it takes, and what it answers.
type RequestKind struct {
	Name  string
	Takes []string
	Gives []string // variables of the flow
	Items []string // values of each item, for say-steps with each

	Personal bool // is about the person whose matter it is
	Tells    bool // and its answer should say whose it is

	Things []string // those of its values that name a thing as the register does: who reads English is told what it is
}

// Requests is the closed list of what the host looks up and does.
//
//	identity        locked yes|no; bound yes|no: we know whose matter it is; self yes|no: who writes is known; who: their own name, masked
//	send_code       sent asked|locked|wait|enough. "asked" says nothing of whether a code went out
//	check_code      check right|wrong|locked|late; left: tries left
//	proxy_gate      locked yes|no; full yes|no: they look after as many as they may
//	ask_proxy       sent asked|locked|wait|enough, which says nothing of whether anything went out; self: it is their own number; have: they look after them already
//	check_proxy     check as above; who; whose: their id
//	proxy_agreed    agreed yes|no|refused|ended|none: what became of what was asked of the one named, "": of the last; who;
//	                whose; late yes|no: the code no longer holds
//	proxies         found yes|no; only: the one that waits for an answer; items: who looks after whom
//	proxy           side over|mine|none: over one's own matters, or one's own; state asked|given; who, name, what, ends
//	settle_proxy    settled yes|no; arguments: state given|refused|ended
//	door            door open|used|late|none; new yes|no: follows since now; who, place; before: who they were
//	pass_door       passed yes|no
//	whose           several yes|no; items: whose matters there are
//	set_whose       whose: the id of the one chosen
//	cover           known yes|no|several|limited; the rest as the register has it
//	subsidies       known as above; items, newest first; word and date are the newest's; about: of one kind alone
//	premiums        known as above; items; due yes|no; year, insurance_word and word are the most pressing one's;
//	                helped: what the government has paid of it
//	benefits        known as above; month, amount, state_key and date of the newest
//	me              what the register says of the person: age, old yes|near|no, disability 0 to 4, home: the county
//	office          phone: the office's telephone
//	language_named  language: the locale that the words name, empty where they name none; elder yes|no
//	guide           items: the points of a topic; verdict yes|maybe|no|"" and why; plan: yes where nobody has checked since the plan ended, checked: when somebody has
//	policies        found yes|no; items: what is for this person, and why
//	help_list       found yes|no; items: what the person has asked for, and where it stands
//	jobs, courses, institutions   found yes|no; items; next: offset of the next page; more yes|no
//	job, course     found yes|no; the rest as the posting has it; mine: how the person stands to it
//	want_job        wanted yes|again|gone
//	sign_up         signed yes|again|waiting|gone
//	leave_course    left yes|no
//	fill_wishes     changed yes|no; arguments yes|no or empty
//	public_posts    posts: how many there are in the county; applied yes|no
//	apply           applied yes|again
//	tiers           found yes|no; items; back: what would be paid of the amount, empty where that can't be told
//	phone_people    several yes|no; items: who has this phone
//	answer_sms      asked none|signed|again|waiting|gone|declined|wanted|not_wanted|over|shared: what a bare number or yes by SMS answered
//	latest_text     sent yes|no|unknown: what a campaign sent to this number last; date, kind
//	check_text      real yes|no|code|part|altered|unsure|unknown; date, subject and kind of what we sent, and the text as it went
//	hand_over       open yes|no|holiday: whether somebody is at work; date: by when they answer
func Requests() []RequestKind {
	return slices.Concat(aboutPerson(), aboutFamily(), aboutWork(), aboutCover(), aboutUs())
}

func known(more ...string) []string { return append(more, "known", "phone", "count") }

// aboutPerson is who somebody is, and what they tell of themselves.
func aboutPerson() []RequestKind {
	return []RequestKind{
		{Name: "identity", Gives: []string{"locked", "bound", "self", "who"}, Personal: true},
		{Name: "send_code", Takes: []string{"name", "id_number"}, Gives: []string{"sent"}},
		{Name: "check_code", Takes: []string{"code"}, Gives: []string{"check", "left"}},
		{Name: "me", Gives: []string{"age", "old", "disability", "home"}},
		{Name: "fill_wishes", Takes: []string{"work", "training", "business", "skills"}, Gives: []string{"changed"}},
		{Name: "placement", Personal: true, Tells: true, Gives: []string{"placed", "employer", "date"}},
		{Name: "check_up", Takes: []string{"answer", "words"}},
		{Name: "help_list", Things: []string{"what"}, Personal: true, Tells: true, Gives: []string{"found"}, Items: []string{"what", "state_key", "date"}},
		{Name: "phone_people", Gives: []string{"several", "count", "who"}, Items: []string{"id", "who"}},
	}
}

// aboutFamily is who may ask and act for whom, and the codes of the doorstep.
func aboutFamily() []RequestKind {
	return []RequestKind{
		{Name: "proxy_gate", Gives: []string{"locked", "full"}},
		{Name: "ask_proxy", Takes: []string{"name", "id_number", "relation", "scope", "months"}, Gives: []string{"sent", "sign"}},
		{Name: "check_proxy", Takes: []string{"code"}, Gives: []string{"check", "left", "who", "whose"}},
		{Name: "proxy_agreed", Takes: []string{"name", "id_number"}, Gives: []string{"agreed", "who", "whose", "late"}},
		{Name: "proxies", Gives: []string{"found", "only"}, Items: []string{"id", "who", "sign", "of", "side_key"}},
		{Name: "proxy", Takes: []string{"id"}, Gives: []string{"side", "state", "who", "sign", "name", "what_key", "ends"}},
		{Name: "settle_proxy", Takes: []string{"id", "state"}, Gives: []string{"settled"}},
		{Name: "door", Gives: []string{"door", "id", "new", "who", "place", "before", "proxy", "ends", "what_key"}},
		{Name: "pass_door", Takes: []string{"id"}, Gives: []string{"passed", "whose"}},
		{Name: "refuse_door", Takes: []string{"id"}},
		{Name: "unbind"},
		{Name: "not_me"},
		{Name: "whose", Gives: []string{"several"}, Items: []string{"id", "who", "relation_key"}},
		{Name: "set_whose", Takes: []string{"id"}, Gives: []string{"whose"}},
	}
}

// aboutWork is work and training.
func aboutWork() []RequestKind {
	page := []string{"found", "total", "next", "more", "sought", "eased"}
	return []RequestKind{
		{Name: "jobs", Things: []string{"title"}, Takes: []string{"mode", "words", "offset"}, Gives: page, Items: []string{"id", "title", "employer", "place", "wage"}},
		{Name: "job", Things: []string{"title", "course"}, Takes: []string{"id"}, Gives: []string{
			"found", "title", "employer", "place", "wage", "demands", "number", "contact", "tel", "closes", "course",
		}},
		{Name: "want_job", Personal: true, Tells: true, Takes: []string{"id"}, Gives: []string{"wanted"}},
		{Name: "fairs", Things: []string{"name"}, Gives: []string{"found"}, Items: []string{"name", "date", "place", "host", "tel"}},
		{Name: "pairs", Gives: []string{"found", "city"}},
		{Name: "public_posts", Gives: []string{"posts", "applied"}},
		{Name: "apply", Personal: true, Tells: true, Takes: []string{"kind", "id"}, Gives: []string{"applied"}},
		{Name: "courses", Things: []string{"name"}, Takes: []string{"mode", "words", "offset"}, Gives: page, Items: []string{"id", "name", "place", "starts", "remote_key"}},
		{Name: "course", Things: []string{"name", "job"}, Takes: []string{"id"}, Gives: []string{
			"found", "name", "provider", "place", "starts", "ends", "room", "free", "waiting", "allowance", "tel", "job", "mine",
		}},
		{Name: "sign_up", Personal: true, Tells: true, Things: []string{"name"}, Takes: []string{"id"}, Gives: []string{"signed", "turn", "name", "starts", "place", "tel"}},
		{Name: "my_courses", Things: []string{"name"}, Personal: true, Tells: true, Gives: []string{"found"}, Items: []string{"id", "name", "starts", "state_key"}},
		{Name: "leave_course", Things: []string{"name"}, Takes: []string{"id"}, Gives: []string{"left", "name"}},
		{Name: "wish_course", Takes: []string{"trade"}, Gives: []string{"wished"}},
		{Name: "schools", Things: []string{"name", "subjects"}, Gives: []string{"found"}, Items: []string{"name", "place", "subjects", "tel", "admission", "paired_key"}},
		{Name: "answer_sms", Takes: []string{"answer"}, Gives: []string{"asked", "name", "date", "tel", "turn", "phone"}},
	}
}

// aboutCover is insurance and money.
func aboutCover() []RequestKind {
	return []RequestKind{
		{Name: "cover", Things: []string{"benefit"}, Personal: true, Tells: true, Takes: []string{"insurance"}, Gives: known(
			"insurance_key", "insurance_word", "year", "state", "word", "benefit", "enrolled", "next_year", "next_word",
			"stale", "this_year", "premium", "due_year", "amount", "deadline", "overdue",
		)},
		{Name: "subsidies", Things: []string{"kind"}, Personal: true, Tells: true, Takes: []string{"about"}, Gives: known("word", "date"), Items: []string{
			"kind", "state_key", "word", "applied", "amount", "note", "office", "phone",
		}},
		{Name: "premiums", Personal: true, Tells: true, Gives: known("due", "paid", "year", "insurance_word", "word", "helped"), Items: []string{
			"year", "insurance_key", "state_key", "word", "amount", "self", "subsidy", "deadline",
		}},
		{Name: "benefits", Personal: true, Tells: true, Gives: known("month", "amount", "state_key", "date")},
		{Name: "institutions", Things: []string{"name"}, Takes: []string{"kind", "remote", "offset"}, Gives: []string{"found", "total", "next", "more"}, Items: []string{"name", "place", "tel", "remote_key"}},
		{Name: "tiers", Takes: []string{"item", "amount"}, Gives: []string{
			"found", "region", "year", "source", "published", "deductible", "back", "self", "cost",
		}, Items: []string{"from", "to", "percent"}},
	}
}

// aboutUs is what we say, and to whom.
func aboutUs() []RequestKind {
	return []RequestKind{
		{Name: "office", Gives: []string{"phone"}},
		{Name: "line", Takes: []string{"topic"}, Gives: []string{"phone"}},
		{Name: "language_named", Takes: []string{"words"}, Gives: []string{"language", "elder"}},
		{Name: "set_language", Takes: []string{"language"}},
		{Name: "set_elder", Takes: []string{"on"}},
		{Name: "guide", Takes: []string{"topic"}, Gives: []string{"verdict", "why", "plan", "clause", "checked"}, Items: []string{"point"}},
		{Name: "policies", Gives: []string{"found"}, Items: []string{"title_key", "why"}},
		{Name: "opt_out"},
		{Name: "opt_in"},
		{Name: "mute", Takes: []string{"kind"}},
		{Name: "unmute", Takes: []string{"kind"}},
		{Name: "muted", Gives: []string{"found"}, Items: []string{"id", "kind_key"}},
		{Name: "latest_text", Gives: []string{"sent", "date", "kind"}},
		{Name: "check_text", Takes: []string{"words"}, Gives: []string{"real", "date", "subject", "kind", "text"}},
		{Name: "hand_over", Takes: []string{"topic", "words"}, Gives: []string{"open", "date"}},
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

// Things are the values of a request's answer that name a thing as the register does.
func Things(request string) []string {
	k, _ := requestKind(request)
	return k.Things
}

// Standing values are filled in by the host in every text: the lines to call, and where to agree to reminders
// (empty: nowhere).
func standing() []string {
	return []string{"TelMedical", "TelPaying", "TelWork", "TelFraud", "TelOffice", "SubscribeURL"}
}

// hostTexts are the texts that the engine and the host use without a definition naming them.
func hostTexts() []string {
	return []string{
		"date.civil", "date.month", "bind.then", "clarify.which", "retry.choice", "choices.how", "more.hint", "insurance.medical", "insurance.pension",
		"subsidy.received", "subsidy.reviewing", "subsidy.publicised", "subsidy.approved", "subsidy.paid_out",
		"subsidy.returned", "premium.paid", "premium.unpaid", "premium.partly_paid",
		"benefit.paid", "benefit.pending", "benefit.failed", "benefit.suspended", "state.signed_up", "state.waiting", "state.wish",
		"state.attended", "state.absent", "state.wanted", "state.told", "state.placed", "state.declined", "state.received",
		"state.reviewing", "state.approved", "state.returned", "choices.how_elder", "tap.old", "renewed.again",
		"failed.sorry", "letter.from_staff",
		"whose.line", "kin.self", "as.mother", "as.father", "as.spouse", "as.child", "as.grandparent", "as.relative",
		"proxy.side_over", "proxy.side_asks", "proxy.side_mine", "proxy.what_look", "proxy.what_act",
		"bind.lost_moved", "bind.lost_taken", "proxy.news_asked", "proxy.news_now", "proxy.news_given", "proxy.news_refused", "proxy.news_ended", "proxy.news_over",
		"training.by_phone", "school.paired", "remote.direct",
	}
}
