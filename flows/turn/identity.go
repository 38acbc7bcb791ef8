package turn

import (
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// The bounds of an identity check.
const (
	codeLife        = 10 * time.Minute
	wrongAllowed    = 5
	lockedFor       = time.Hour
	wrongForgotten  = 24 * time.Hour // a wrong try long ago no longer counts
	betweenCodes    = time.Minute    // to one ID number, one phone
	codesAnHour     = 5              // to one ID number, one phone
	codesADay       = 10             // to one ID number, one phone; the platform takes no more to a number
	askingsAnHour   = 10             // by one openid, who may help a whole family
	codeTemplateKey = "verify_code"
)

// Check counts what one subject did in identity checks.
type Check struct {
	Wrong       int
	WrongAt     time.Time
	LockedUntil time.Time
	SentAt      time.Time
	HourFrom    time.Time
	HourSent    int
}

func (c Check) locked(now time.Time) bool { return now.Before(c.LockedUntil) }

// wrong counts a wrong code; the fifth locks.
func (c Check) wrong(now time.Time) Check {
	if now.Sub(c.WrongAt) >= wrongForgotten || !c.LockedUntil.IsZero() && !c.locked(now) {
		c.Wrong, c.LockedUntil = 0, time.Time{}
	}
	c.Wrong++
	c.WrongAt = now
	if c.Wrong >= wrongAllowed {
		c.Wrong, c.LockedUntil = 0, now.Add(lockedFor)
	}
	return c
}

// left is how many wrong codes are still allowed.
func (c Check) left(now time.Time) int {
	if c.locked(now) {
		return 0
	}
	return wrongAllowed - c.Wrong
}

func (c Check) right() Check {
	c.Wrong, c.WrongAt, c.LockedUntil = 0, time.Time{}, time.Time{}
	return c
}

// maySend says whether another code may be asked for.
func (c Check) maySend(now time.Time, between time.Duration, hourly int) (soon, thisHour bool) {
	return now.Sub(c.SentAt) >= between, now.Sub(c.HourFrom) >= time.Hour || c.HourSent < hourly
}

func (c Check) sent(now time.Time) Check {
	if now.Sub(c.HourFrom) >= time.Hour {
		c.HourFrom, c.HourSent = now, 0
	}
	c.HourSent++
	c.SentAt = now
	return c
}

// today counts the codes of a day: the hour of such a counter is a day long.
func (c Check) today(now time.Time) Check {
	if now.Sub(c.HourFrom) >= 24*time.Hour {
		c.HourFrom, c.HourSent = now, 0
	}
	return c
}

// oneMoreToday counts one more code of the day.
func (c Check) oneMoreToday(now time.Time) Check {
	c = c.today(now)
	c.HourSent++
	return c
}

// ofDay is the counter of a subject's day, beside that of its hour.
func (s Subject) ofDay() Subject { return Subject{Kind: s.Kind + "_day", Value: s.Value} }

// gate says whether this openid may be checked at all, whether we know whose matter it is, and who writes.
func (t *oneTurn) gate() (map[string]string, error) {
	checks, err := t.tx.Checks(t.subject())
	if err != nil {
		return nil, err
	}
	vars := map[string]string{
		"locked": yesNo(checks[0].locked(t.now)), "bound": yesNo(t.personID != 0), "self": yesNo(t.self != 0), "who": "",
	}
	if t.self != 0 {
		vars["who"], err = t.nameOf(t.self)
	}
	return vars, err
}

func (t *oneTurn) subject() Subject { return Subject{Kind: ByOpenID, Value: t.in.Who} }

// sendCode has a code sent, if there is anybody to send it to. What the person hears depends on nothing but their own
// tries and those on this ID number, so that it tells nothing of who is on file.
func (t *oneTurn) sendCode(id register.IDNumber, purpose Purpose, issue func() error) (string, error) {
	subject := Subject{Kind: ByID, Value: string(id)}
	checks, err := t.tx.Checks(t.subject(), subject, subject.ofDay())
	if err != nil {
		return "", err
	}
	mine, theirs, day := checks[0], checks[1], checks[2]
	if mine.locked(t.now) || theirs.locked(t.now) {
		return "locked", nil
	}
	soon, hour := theirs.maySend(t.now, betweenCodes, codesAnHour)
	_, myHour := mine.maySend(t.now, 0, askingsAnHour)
	if !soon {
		open, err := t.tx.OpenCode(id, purpose)
		if err != nil {
			return "", err
		}
		if open {
			return "asked", nil // the code is on its way to them already
		}
		return "wait", nil
	}
	if day.today(t.now).HourSent >= codesADay {
		return "enough_today", nil
	}
	if !hour || !myHour {
		return "enough", nil
	}
	if err := t.tx.SaveCheck(subject.ofDay(), day.oneMoreToday(t.now)); err != nil {
		return "", err
	}
	if err := t.tx.SaveCheck(t.subject(), mine.sent(t.now)); err != nil {
		return "", err
	}
	if err := t.tx.SaveCheck(subject, theirs.sent(t.now)); err != nil {
		return "", err
	}
	return "asked", issue()
}

// askCode sends an identity code.
func (t *oneTurn) askCode(id register.IDNumber, name string) (found, error) {
	sent, err := t.sendCode(id, ToBind, func() error { return t.issue(id, name) })
	return found{"sent": sent}, err
}

// issue makes the code. Where nobody fits, an open code that no digits match stands in its place, so that wrong
// codes are counted and answered just as for everybody else.
func (t *oneTurn) issue(id register.IDNumber, name string) error {
	code := Code{ID: id, At: t.now, Expires: t.now.Add(codeLife)}
	p, found, err := t.tx.Find(id, name)
	if err != nil {
		return err
	}
	send := false
	if found && p.Phone != "" {
		code.PersonID = p.PersonID
		if send, err = t.phoneMayGet(p.Phone); err != nil {
			return err
		}
	}
	if send {
		code.Digits = t.s.digits()
	}
	if err := t.tx.SaveCode(code); err != nil || !send {
		return err
	}
	return t.queue(Message{
		Kind: Verification, Template: codeTemplateKey, Phone: p.Phone, PersonID: p.PersonID,
		Params: map[string]string{"code": code.Digits}, At: t.now, Expires: code.Expires,
	})
}

// phoneMayGet holds the platform's limit for codes to one phone, which several people may share.
func (t *oneTurn) phoneMayGet(phone register.Phone) (bool, error) {
	subject := Subject{Kind: ByPhone, Value: string(phone)}
	checks, err := t.tx.Checks(subject, subject.ofDay())
	if err != nil {
		return false, err
	}
	soon, hour := checks[0].maySend(t.now, betweenCodes, codesAnHour)
	if !soon || !hour || checks[1].today(t.now).HourSent >= codesADay {
		return false, nil
	}
	if err := t.tx.SaveCheck(subject.ofDay(), checks[1].oneMoreToday(t.now)); err != nil {
		return false, err
	}
	return true, t.tx.SaveCheck(subject, checks[0].sent(t.now))
}

// checkCode compares the code; what the right one is for is done.
func (t *oneTurn) checkCode(digits string, purpose Purpose, right func(Tried) (map[string]string, error)) (map[string]string, error) {
	tried, err := t.tx.TryCode(digits)
	if err != nil {
		return nil, err
	}
	if !tried.Open || tried.Purpose != purpose {
		return map[string]string{"check": "late"}, nil
	}
	checks, err := t.tx.Checks(t.subject(), tried.ID)
	if err != nil {
		return nil, err
	}
	mine, theirs := checks[0], checks[1]
	switch {
	case mine.locked(t.now) || theirs.locked(t.now):
		return map[string]string{"check": "locked"}, nil
	case !t.now.Before(tried.Expires):
		return map[string]string{"check": "late"}, nil
	case tried.Right:
		if err := t.saveChecks(tried.ID, mine.right(), theirs.right()); err != nil {
			return nil, err
		}
		return right(tried)
	}
	mine, theirs = mine.wrong(t.now), theirs.wrong(t.now)
	if err := t.saveChecks(tried.ID, mine, theirs); err != nil {
		return nil, err
	}
	left := min(mine.left(t.now), theirs.left(t.now))
	if left == 0 {
		return map[string]string{"check": "locked"}, nil
	}
	return map[string]string{"check": "wrong", "left": itoa(left)}, nil
}

func (t *oneTurn) saveChecks(id Subject, mine, theirs Check) error {
	if err := t.tx.SaveCheck(t.subject(), mine); err != nil {
		return err
	}
	return t.tx.SaveCheck(id, theirs)
}

// bindBy is what the right code of an identity check does.
func (t *oneTurn) bindBy(tried Tried) (map[string]string, error) {
	if err := t.tx.Bind(tried.PersonID); err != nil {
		return nil, err
	}
	return map[string]string{"check": "right"}, t.nowBound(tried.PersonID, false)
}

// nowBound goes on as the person who was just bound, by a code to their number or at the door.
func (t *oneTurn) nowBound(personID int64, atDoor bool) error {
	anew := t.self != personID
	p, err := t.tx.Person(personID)
	if err != nil {
		return err
	}
	t.self, t.personID, t.region, t.ownName = personID, personID, p.RegionCode, register.MaskName(p.Name)
	if p.Age(t.now.In(t.s.zone)) >= elderAge {
		t.contact.Elder = true // undone by a word
	}
	return t.tellBound(personID, atDoor && anew)
}
