package turn

import "github.com/lingjuli/lingjuli/internal/register"

// Steps is what a person does about an offer. Done a second time each says so and changes nothing.
type Steps interface {
	// SignUp takes a place in a course, or one in its waiting list. register.ErrNotFound: gone, or begun.
	SignUp(courseID, personID int64) (register.SignUp, error)
	// WishCourse notes a wish for a training that there is not yet.
	WishCourse(personID int64, trade string) (register.SignUp, error)
	// LeaveCourse gives a place back; who waited longest moves up, and is told by day. was is "" where they were not in it.
	LeaveCourse(courseID, personID int64) (was register.SignUpState, err error)
	// SignUps lists what a person is signed up for, waits for, wished for and attended, the newest first.
	SignUps(personID int64) ([]register.SignUp, error)
	// WantJob notes "I want this one" for staff. register.ErrNotFound: the posting is gone.
	WantJob(jobID, personID int64) (already bool, err error)
}

// Matters is what a person tells or asks for.
type Matters interface {
	// FillWishes takes what a person says of themselves into the register; imports keep it from then on.
	FillWishes(personID int64, told register.Told) (changed bool, err error)
	// Apply files an application. While one of the same kind for the same post is open, there is no second.
	Apply(register.Application) (already bool, err error)
	Applications(personID int64) ([]register.Application, error)
	// CheckUp keeps the answer to "still in work?" on the latest placement.
	CheckUp(personID int64, answer register.CheckUpAnswer, words string) error
	// HandOver puts the conversation into the township's inbox, with its last turns.
	HandOver(register.Handover) (id int64, err error)
}

// Proxies is who looks after whose matters.
type Proxies interface {
	// AskProxy notes that this openid asks to look after a person's matters; 0: they refused it lately.
	AskProxy(register.Proxy) (id int64, err error)
	// Proxies lists what this openid asked for and what it was given and has not ended.
	Proxies() ([]register.Proxy, error)
	// ProxiesOf lists who looks after the matters of a person, or of a child whose guardian they are, and who asks them
	// to agree.
	ProxiesOf(personID int64) ([]register.Proxy, error)
	// SettleProxy moves a proxy on: asked may be given or refused, what is given may end. register.ErrNotFound: it
	// stands otherwise.
	SettleProxy(id int64, state register.ProxyState) error
}

// News is what the other side of a proxy, or whoever lost a person, has to hear.
type News interface {
	// ProxyNews lists what this openid has not heard yet: of what it asked for, and of who asks for, or was given, the
	// matters of its person. From then on it has heard it.
	ProxyNews(personID int64) ([]register.ProxyNews, error)
	// LastProxy is what this openid asked for last, whatever became of it, over a person; 0: over anybody. found is false
	// where it never asked.
	LastProxy(personID int64) (p register.Proxy, found bool, err error)
	// AccountOf is the openid that a person is bound to, and its language; "": none.
	AccountOf(personID int64) (id register.OpenID, language string, err error)
	// LostTo is the openid that lost the person to the one that writes, in this turn, and its language; "": none.
	LostTo(personID int64) (id register.OpenID, language string, err error)
	// Loss is how this openid lost its own person, where it has not heard of it yet. From then on it has.
	Loss() (register.Loss, error)
}

// Doors are the one-time codes of the doorstep, and the end of what they began.
type Doors interface {
	// ScanDoor takes a code for this openid; from then on it is theirs alone.
	ScanDoor(scene string) (register.Door, error)
	// PassDoor binds the person of a code that this openid scanned. passed is false where it is no longer open.
	PassDoor(id int64) (d register.Door, passed bool, err error)
	// RefuseDoor spends a code: whoever scanned it is somebody else.
	RefuseDoor(id int64) error
	// Unbind ends this openid's own person.
	Unbind() error
}
