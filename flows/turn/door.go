package turn

import (
	"errors"
	"slices"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
)

// DoorScene begins the scenes of the one-time codes of the doorstep.
const DoorScene = "door_"

// atDoor says whether what was scanned is a code of the doorstep.
func (t *oneTurn) atDoor() bool { return strings.HasPrefix(t.in.Scene, DoorScene) }

// arrivalFlow is the flow that somebody comes in by.
func (t *oneTurn) arrivalFlow() string {
	switch {
	case t.atDoor():
		return "doorstep"
	case t.in.Kind == Follow:
		return "welcome"
	}
	return "scanned"
}

// scanDoor takes the code that was just scanned, and names whom it is for as far as they need to say yes or no.
func (t *oneTurn) scanDoor() (found, error) {
	v := found{"door": string(register.DoorNone), "id": "", "new": yesNo(t.in.Kind == Follow), "who": "", "place": "", "before": "", "proxy": "no", "ends": ""}
	if !t.atDoor() {
		return v, nil
	}
	d, err := t.tx.ScanDoor(t.in.Scene)
	if err != nil || d.State != register.DoorOpen {
		v["door"] = string(d.State)
		return v, err
	}
	p, err := t.tx.Person(d.PersonID)
	if err != nil {
		return nil, err
	}
	v["door"], v["id"], v["who"], v["place"] = "open", id(d.ID), register.MaskName(p.Name), register.PlaceName(county(p.RegionCode))
	if d.Terms.Proxy() {
		v["proxy"], v["ends"], v["what_key"] = "yes", d.Terms.EndsOn, "proxy.what_look"
		if slices.Contains(d.Terms.Scope, register.ScopeAct) {
			v["what_key"] = "proxy.what_act"
		}
		return v, nil
	}
	if t.self != 0 && t.self != d.PersonID {
		v["before"], err = t.nameOf(t.self)
	}
	return v, err
}

func (t *oneTurn) passDoor(doorID int64) (found, error) {
	d, passed, err := t.tx.PassDoor(doorID)
	if err != nil || !passed {
		return found{"passed": "no"}, err
	}
	if d.Terms.Proxy() {
		return found{"passed": "proxy", "whose": id(d.PersonID)}, errors.Join(t.readMine(), t.takeUp(id(d.PersonID)))
	}
	return found{"passed": "yes"}, t.nowBound(d.PersonID, true)
}

// unbind ends whose account this is; whose matters it looks after stays.
func (t *oneTurn) unbind() error {
	t.self, t.personID, t.ownName = 0, 0, ""
	return t.tx.Unbind()
}

// notMe takes a number's word that it is no longer theirs who are on file with it: it hears nothing of them any more.
func (t *oneTurn) notMe() error {
	t.personID, t.onPhone = 0, nil
	return t.tx.DoubtPhone()
}
