package flows

// Who is asked their name again and again, and asks for other things instead, is not held to it: from the third time on
// they are told whom to call and what can be done without a name. A name is taken as before.

// unnamed counts how often it was asked who they are. From the third time on the other ways are put on top.
func (r *run) unnamed(f *Frame, s *Step) bool {
	if f.Flow != flowBind || s.Ask == nil || s.Ask.As != "name" {
		return false
	}
	if r.s.Unnamed >= r.tries() {
		r.push(flowUnnamed)
		return true
	}
	r.s.Unnamed++
	return false
}

// namesAnew forgets how often it was asked once they come to say who they are.
func (r *run) namesAnew(flow string) {
	if flow == flowBind {
		r.s.Unnamed = 0
	}
}

// namelessly takes one of the other ways. Whatever else was said meets the question for the name below them.
func (r *run) namelessly(said string) bool {
	f := r.top()
	if f == nil || f.Flow != flowUnnamed || r.in.Tap != "" {
		return false
	}
	if r.pick(r.waiting(), said) {
		return true
	}
	r.pop()
	return false
}

// turnTo goes from a choice to another flow. The other ways than by name leave behind what the name was asked for.
func (r *run) turnTo(flow string) {
	r.keepList()
	if r.top().Flow == flowUnnamed {
		r.s.Stack, r.s.Parked = nil, nil
	} else {
		r.pop()
	}
	r.begin(flow)
}
