package turntest

import (
	"slices"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Handovers lists what was handed over, for tests.
func (m *Memory) Handovers() []register.Handover { return m.handovers }

// Applications lists what was applied for, for tests.
func (m *Memory) Applications() []register.Application { return m.applications }

// SignUps lists all sign-ups, for tests.
func (m *Memory) SignUps() []register.SignUp { return m.signUps }

// Interests lists which postings people want, for tests.
func (m *Memory) Interests() []register.JobInterest { return m.interests }

// CheckUps lists the answers to check-ups, for tests.
func (m *Memory) CheckUps() []register.CheckUp { return m.checkUps }

// PersonOnFile is a person as the register has them now, for tests.
func (m *Memory) PersonOnFile(id int64) register.Person { return m.people[id-1].Person }

func (t *memoryTx) signUp(courseID, personID int64) *register.SignUp {
	for i, s := range t.m.signUps {
		if s.CourseID == courseID && s.PersonID == personID && courseID != 0 {
			return &t.m.signUps[i]
		}
	}
	return nil
}

func (t *memoryTx) SignUp(courseID, personID int64) (register.SignUp, error) {
	offer, err := t.Course(courseID)
	if err != nil || offer.StartsOn != "" && offer.StartsOn < t.today() {
		return register.SignUp{}, register.ErrNotFound
	}
	have := t.signUp(courseID, personID)
	if have != nil && have.State != register.SignUpCancelled && have.State != register.SignUpAbsent {
		return t.told(*have, true), nil
	}
	state := register.SignUpTaken
	if offer.Places >= 0 && (offer.Taken >= offer.Places || offer.Waiting > 0) {
		state = register.SignUpWaiting
	}
	if have == nil {
		t.m.signUps = append(t.m.signUps, register.SignUp{ID: int64(len(t.m.signUps) + 1), CourseID: courseID, PersonID: personID, Course: offer.Course})
		have = &t.m.signUps[len(t.m.signUps)-1]
	}
	have.State, have.At = state, t.who.At
	return t.told(*have, false), nil
}

func (t *memoryTx) told(s register.SignUp, already bool) register.SignUp {
	s.Already = already
	for _, other := range t.m.signUps {
		if s.State == register.SignUpWaiting && other.CourseID == s.CourseID && other.State == register.SignUpWaiting &&
			(other.At.Before(s.At) || other.At.Equal(s.At) && other.ID < s.ID) {
			s.Ahead++
		}
	}
	return s
}

func (t *memoryTx) WishCourse(personID int64, trade string) (register.SignUp, error) {
	s := register.SignUp{ID: int64(len(t.m.signUps) + 1), PersonID: personID, State: register.SignUpWish, Trade: trade, At: t.who.At}
	for _, have := range t.m.signUps {
		if have.PersonID == personID && have.CourseID == 0 && have.Trade == trade {
			have.Already = true
			return have, nil
		}
	}
	t.m.signUps = append(t.m.signUps, s)
	return s, nil
}

func (t *memoryTx) LeaveCourse(courseID, personID int64) (was register.SignUpState, err error) {
	offer, err := t.Course(courseID)
	if err != nil {
		return "", err
	}
	have := t.signUp(courseID, personID)
	if have == nil || !have.State.Open() {
		return "", nil
	}
	was, have.State = have.State, register.SignUpCancelled
	if offer.Waiting == 0 || was == register.SignUpWaiting {
		return was, nil
	}
	var next *register.SignUp
	for i, s := range t.m.signUps {
		if s.CourseID == courseID && s.State == register.SignUpWaiting && (next == nil || s.At.Before(next.At)) {
			next = &t.m.signUps[i]
		}
	}
	next.State = register.SignUpTaken
	return was, nil
}

func (t *memoryTx) SignUps(personID int64) ([]register.SignUp, error) {
	list := only(t.m.signUps, func(s register.SignUp) bool { return s.PersonID == personID && s.State != register.SignUpCancelled })
	slices.SortStableFunc(list, func(a, b register.SignUp) int { return b.At.Compare(a.At) })
	return list, nil
}

func (t *memoryTx) WantJob(jobID, personID int64) (already bool, err error) {
	offer, err := t.Job(jobID)
	if err != nil {
		return false, err
	}
	for i, have := range t.m.interests {
		if have.JobID == jobID && have.PersonID == personID {
			t.m.interests[i].State = register.InterestWanted
			return have.State != register.InterestDeclined, nil
		}
	}
	t.m.interests = append(t.m.interests, register.JobInterest{
		ID: int64(len(t.m.interests) + 1), JobID: jobID, PersonID: personID, State: register.InterestWanted, At: t.who.At, Job: offer.Job,
	})
	return false, nil
}

func (t *memoryTx) FillWishes(personID int64, told register.Told) (bool, error) {
	if _, err := t.Person(personID); err != nil {
		return false, err
	}
	return t.m.people[personID-1].Person.Say(told), nil
}

func (t *memoryTx) Apply(a register.Application) (already bool, err error) {
	for _, have := range t.m.applications {
		if have.PersonID == a.PersonID && have.Kind == a.Kind && have.JobID == a.JobID && have.State.Open() {
			return true, nil
		}
	}
	a.ID, a.State, a.At = int64(len(t.m.applications)+1), register.ApplicationReceived, t.who.At
	t.m.applications = append(t.m.applications, a)
	return false, nil
}

func (t *memoryTx) Applications(personID int64) ([]register.Application, error) {
	list := only(t.m.applications, func(a register.Application) bool { return a.PersonID == personID })
	slices.Reverse(list)
	return list, nil
}

func (t *memoryTx) CheckUp(personID int64, answer register.CheckUpAnswer, words string) error {
	c := register.CheckUp{ID: int64(len(t.m.checkUps) + 1), PersonID: personID, Answer: answer, Words: words, At: t.who.At}
	if w, _ := t.Work(personID); len(w.Placements) > 0 {
		c.Employer, c.PlacedOn = w.Placements[0].Employer, w.Placements[0].PlacedOn
	} else if p, err := t.Person(personID); err == nil {
		c.Employer, c.PlacedOn = p.Employer, p.PlacedOn
	}
	t.m.checkUps = append(t.m.checkUps, c)
	return nil
}

func (t *memoryTx) HandOver(h register.Handover) (int64, error) {
	t.m.handovers = append(t.m.handovers, h)
	return int64(len(t.m.handovers)), nil
}
