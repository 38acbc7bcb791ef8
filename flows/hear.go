package flows

import "slices"

// hear takes what a person said: first the words that hold everywhere, then an answer to the open question,
// then a new wish. It sets where the conversation stands; proceed runs it from there.
func (r *run) hear() {
	said := normalise(r.in.Text)
	if r.in.Choice == 0 {
		r.in.Choice = r.e.book.settings.numberIn(said)
	}
	r.hide()
	if r.renew(said) {
		return
	}
	if !r.e.words.has(wordMore, said) {
		r.s.Rest = nil // its pages go with the answer they belong to
	}
	if r.namelessly(said) {
		return
	}
	q := r.waiting()
	switch {
	case r.e.words.optOut(said, q != nil || r.in.Asked.open()):
		r.understood("unsubscribe", 1)
		r.beside(flowOptOut)
	case r.e.words.has(wordOptIn, said):
		r.beside(flowOptIn)
	case r.in.Env.Channel == SMS:
		r.hearSMS(said)
	case r.in.Tap != "" && r.tapped():
	case r.apart(said, q):
	case q != nil && r.pick(q, said):
	case q != nil && r.e.words.has(wordLeave, said):
		r.leave(flowMenu)
	case r.global(said):
	case q != nil && q.Ask != nil && (r.byTitle(said) || q.Ask.As != "words" && r.byWords(said)):
	case q != nil && q.Ask != nil && r.answer(q.Ask):
	case q != nil && q.Choose != nil && r.answersBefore():
	case q != nil && q.Choose != nil && r.inOwnWords(q.Choose):
	case q == nil && r.number():
	case r.byTitle(said):
	case r.byWords(said):
	case r.answersParked():
	default:
		r.wish()
	}
}

// hide marks what came in as secret where a secret is being asked for, at any depth.
func (r *run) hide() {
	for _, f := range r.s.Stack {
		if s := r.e.book.flows[f.Flow].step(f.Step); s.Ask != nil && s.Ask.Secret {
			r.effects = append(r.effects, Secret{})
			return
		}
	}
}

// pick answers the open question by one of its options: a number, or one of its words.
func (r *run) pick(q *Step, said string) bool {
	if q.Ask != nil {
		i := r.e.optionWith(q.Ask.Branches, said)
		return i >= 0 && r.follow(q.Ask.Branches[i])
	}
	if r.choose(q.Choose, r.in.Choice) {
		return true
	}
	if q.Choose.Items != nil {
		n := r.e.itemNamed(r.top().Items, said)
		if n == 0 {
			n = r.e.kinNamed(r.top().Items, said)
		}
		if n > 0 {
			return r.choose(q.Choose, n)
		}
	}
	options := q.Choose.shown(r.top().Vars)
	i := r.e.optionWith(options, said)
	return i >= 0 && r.follow(options[i])
}

// follow goes where an option leads.
func (r *run) follow(o Option) bool {
	r.s.Fails = 0
	f := r.top()
	for name, value := range o.Set {
		f.set(name, value)
	}
	if o.Flow != "" {
		r.turnTo(o.Flow)
		return true
	}
	switch o.Go {
	case goAgain:
		r.pop()
	case goMenu:
		r.leave(flowMenu)
	case goResume:
		r.resume()
	case goDrop:
		r.leave(flowMenu)
	default:
		f.Step = o.Go
	}
	return true
}

// resume takes the suspended flow up again at its open question. A guard that has been satisfied since is passed.
func (r *run) resume() {
	r.s.Stack, r.s.Parked = r.s.Parked, nil
	for r.in.Env.Bound && len(r.s.Stack) > 1 && r.top().Flow == flowBind {
		r.pop()
	}
}

// leave drops everything and goes to a flow.
func (r *run) leave(flow string) {
	r.s.Stack, r.s.Parked, r.s.Fails = nil, nil, 0
	r.push(flow)
}

// global understands the words that hold in every step.
func (r *run) global(said string) bool {
	w := r.e.words
	switch {
	case w.has(wordBack, said):
		r.back()
	case w.has(wordMenu, said):
		r.leave(flowMenu)
	case w.has(wordRepeat, said):
		r.repeat()
	case w.has(wordPerson, said):
		r.understood("human", 1)
		r.begin(flowHuman)
	case w.has(wordMore, said):
		r.more()
	default:
		return false
	}
	return true
}

// back goes to the question before this one; from the first question it leaves the flow.
func (r *run) back() {
	r.s.Fails = 0
	r.dropSoft()
	f := r.top()
	if f == nil || len(f.Asked) < 2 {
		r.leave(flowMenu)
		return
	}
	before := f.Asked[len(f.Asked)-2]
	f.Asked = f.Asked[:len(f.Asked)-2]
	if s := r.e.book.flows[f.Flow].step(before); s.Ask != nil {
		delete(f.Vars, s.Ask.Save)
	}
	f.Step, f.Items = before, nil
}

// repeat says again what was said last, with its choices.
func (r *run) repeat() {
	if len(r.s.Last) == 0 {
		r.leave(flowMenu)
		return
	}
	for _, s := range r.s.Last {
		r.effects = append(r.effects, s)
	}
	r.rest = true
	if q := r.waiting(); q == nil {
		r.showOffer()
	} else if q.Choose != nil {
		r.offerChoices(r.top(), q)
	}
}

func (r *run) more() {
	if len(r.s.Rest) == 0 {
		r.beside(flowNoMore)
		return
	}
	r.effects = append(r.effects, Page{Text: r.s.Rest[0]})
	r.s.Rest = r.s.Rest[1:]
	r.rest = true
}

// answer tries the words on an open question. A wish said plainly is not taken for a name.
func (r *run) answer(a *Ask) bool {
	if r.stopsAll(a) {
		return false
	}
	values, ok := r.e.validate(a.As, answer{text: r.in.Text, guess: r.understand, again: r.s.Fails > 0})
	if !ok {
		return false
	}
	f := r.top()
	d := r.e.book.flows[f.Flow]
	for name, value := range values {
		f.set(name, value)
	}
	r.s.Fails = 0
	r.namesAnew(f.Flow)
	if value, ok := values[""]; ok {
		delete(f.Vars, "")
		f.set(a.Save, value)
		r.next(d, f, d.step(f.Step))
	}
	return true
}

// answersBefore takes a code for the answer to the question before this one: the SMS came after all.
func (r *run) answersBefore() bool {
	f := r.top()
	for i := len(f.Asked) - 2; i >= 0; i-- {
		s := r.e.book.flows[f.Flow].step(f.Asked[i])
		if s.Ask == nil || s.Ask.As != "code" {
			continue
		}
		if _, fits := r.e.validate(s.Ask.As, answer{text: r.in.Text}); !fits {
			return false
		}
		f.Step = s.ID
		r.hide()
		return r.answer(s.Ask)
	}
	return false
}

// goesOn says whether they want to go on with what is suspended, long after it was asked.
func (r *run) goesOn() bool {
	goOn := slices.Clone(r.e.book.flows[flowResume].Steps[0].Choose.Options[:1])
	goOn[0].Means = "" // a yes alone may be to anything
	return r.waiting() == nil && r.e.optionWith(goOn, normalise(r.in.Text)) == 0
}

// answersParked takes an ID number or a code for the answer to the suspended question that waits for it.
func (r *run) answersParked() bool {
	if len(r.s.Parked) == 0 {
		return false
	}
	if r.goesOn() {
		r.resume()
		return true
	}
	f := r.s.Parked[len(r.s.Parked)-1]
	s := r.e.book.flows[f.Flow].step(f.Step)
	if s.Ask == nil || s.Ask.As != "id_number" && s.Ask.As != "code" {
		return false
	}
	if _, fits := r.e.validate(s.Ask.As, answer{text: r.in.Text}); !fits {
		return false
	}
	r.resume()
	r.hide()
	return r.answer(s.Ask)
}

// number follows one of the numbers offered last; a number from a menu long gone counts as the main menu's.
func (r *run) number() bool {
	offers := r.s.Offer
	if len(offers) == 0 {
		offers = r.e.mainOffers()
	}
	if n := r.in.Choice; n >= 1 && n <= len(offers) {
		r.begin(offers[n-1])
		return true
	}
	return false
}

func (e *Engine) mainOffers() []string {
	for _, s := range e.book.flows[flowMenu].Steps {
		if s.End != nil {
			return s.End.Offer
		}
	}
	return nil
}

// wish takes the words for something new, or says that they were not understood.
func (r *run) wish() {
	g := r.understand()
	flow := r.e.book.byIntent[g.Intent]
	sure := flow != "" && g.Score >= r.e.book.settings.Sure && (r.waiting() == nil || !r.e.book.flows[flow].Vague)
	r.understood(g.Intent, g.Score)
	switch {
	case r.waiting() == nil && r.bareID():
		r.begin(flowBind) // an answer that came after its question was forgotten
	case r.waiting() == nil && r.namesWork(g):
		r.begin(flowJobs)
	case sure && r.away() && (r.e.book.flows[flow].Aside || r.running(flow)):
		r.askToResume()
	case sure:
		r.begin(flow)
	case r.helpsKin():
		r.begin(flowProxy)
		r.top().set("relation", r.e.book.settings.kinIn(normalise(r.in.Text)))
	case r.waiting() == nil && holdsCheckCode(r.in.Text):
		r.begin(flowCheck)
	case r.waiting() == nil && r.e.book.settings.Search(r.in.Text).Says(2):
		r.begin(flowJobs)
	case r.waiting() == nil:
		r.unclear(g)
	case r.topIsSoft():
		r.pop()
		if r.top() == nil {
			r.s.Parked = nil
		}
		r.hear()
	case r.away():
		r.askToResume()
	default:
		r.miss()
	}
}

// miss is an answer that does not fit the open question. The second in a row leads to numbers and a person.
func (r *run) miss() {
	r.s.Fails++
	if r.s.Fails >= r.tries() {
		r.s.Fails = 0
		r.push(flowStuck)
		return
	}
	f := r.top()
	retry := "retry.choice"
	if q := r.waiting(); q.Ask != nil {
		retry = q.Ask.Retry
	}
	r.say(retry, f.Vars, nil)
}

// unclear offers what may have been meant, then the menu, then a person.
func (r *run) unclear(g Guess) {
	r.s.Fails++
	if r.s.Fails > 1 {
		r.push(flowUnclear2)
		return
	}
	var flows []string
	for _, c := range g.Candidates {
		flow := r.e.book.byIntent[c.Intent]
		if flow == "" || c.Score < r.e.book.settings.Maybe || slices.Contains(flows, flow) || r.e.book.flows[flow].Aside {
			continue
		}
		if flows = append(flows, flow); len(flows) == choicesShown {
			break
		}
	}
	if len(flows) == 0 {
		r.push(flowUnclear)
		return
	}
	r.say("clarify.which", nil, nil)
	r.s.Offer = append(flows, flowMenu)
	r.showOffer()
	r.rest = true
}

// begin starts a flow; one that waits for an answer is suspended and comes back later.
func (r *run) begin(flow string) {
	d := r.e.book.flows[flow]
	if d == nil {
		r.push(flowMenu)
		return
	}
	if r.in.Env.Channel == SMS {
		r.beginSMS(d)
		return
	}
	if d.Aside {
		r.beside(flow)
		return
	}
	r.dropSoft()
	r.s.Fails = 0
	r.namesAnew(flow)
	if r.running(flow) {
		return // they are in it already: the question is put again
	}
	if len(r.s.Parked) > 0 && r.s.Parked[0].Flow == flow {
		r.s.Parked = nil // begun anew, it needs no going on with
	}
	guarded := d.Needs == needsBound && !r.in.Env.Bound
	var check []Frame // an identity check under way serves the new wish as well as the old one
	if f := r.top(); guarded && f != nil && f.Flow == flowBind && !r.speaksOfKin() {
		check = []Frame{*f}
		r.pop()
		r.say("bind.then", map[string]string{"title_key": d.Title}, nil)
	}
	if len(r.s.Stack) > 0 {
		r.s.Parked, r.s.Stack, r.s.Reminded = r.s.Stack, nil, 0
	}
	r.push(flow)
	r.hearBeginning(d)
	switch {
	case check != nil:
		r.s.Stack = append(r.s.Stack, check...)
	case d.Needs != needsBound:
		r.ofKin()
	case r.forKin():
	case guarded:
		r.push(flowBind)
	case r.unsettled():
		r.push(flowOf)
	}
}

// beside runs a flow on top of what is open; afterwards the open question is put again.
func (r *run) beside(flow string) {
	r.dropSoft()
	r.push(flow)
}

func (r *run) dropSoft() {
	for r.topIsSoft() {
		r.pop()
	}
}

func (r *run) topIsSoft() bool {
	f := r.top()
	return f != nil && r.e.book.flows[f.Flow].Soft
}

func (r *run) running(flow string) bool {
	return slices.ContainsFunc(r.s.Stack, func(f Frame) bool { return f.Flow == flow })
}

// askToResume suspends what is open; with nothing running, settle asks whether to go on.
func (r *run) askToResume() bool {
	r.s.Parked, r.s.Stack, r.s.Reminded = r.s.Stack, nil, 0
	return true
}

// understand guesses once in a step.
func (r *run) understand() Guess {
	if r.guess == nil {
		g := r.e.understand.Understand(r.in.Text)
		r.guess = &g
	}
	return *r.guess
}

func (r *run) understood(intent string, score float64) {
	r.effects = append(r.effects, Understood{Intent: intent, Score: score})
}
