package console

import (
	"fmt"
	"strconv"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// trustPhone notes that somebody of the office asked, and the number on file is still the person's.
func (v *visit) trustPhone() error { return v.settleFamily(staff.DidTrustPhone, "phone") }

// endProxy ends that somebody looks after a person's matters.
func (v *visit) endProxy() error { return v.settleFamily(staff.DidEndProxy, "proxy") }

// unbind ends that an account is a person's.
func (v *visit) unbind() error { return v.settleFamily(staff.DidUnbind, "unbound") }

func (v *visit) settleFamily(act, done string) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	if v.Family == nil || v.Bindings == nil && act == staff.DidUnbind {
		return errNotFound
	}
	by := staff.Entry{At: v.Now(), Actor: v.who.Name, Act: act, Object: personObject(id)}
	switch act {
	case staff.DidTrustPhone:
		err = v.Family.TrustPhone(v.ctx(), v.who.Scope(), id, by)
	case staff.DidUnbind:
		err = v.Bindings.EndBinding(v.ctx(), v.who.Scope(), id, by)
	default:
		var proxy int64
		if proxy, err = strconv.ParseInt(v.r.PathValue("proxy"), 10, 64); err != nil {
			return errNotFound
		}
		by.Detail = map[string]string{"proxy": strconv.FormatInt(proxy, 10)}
		err = v.Family.EndProxy(v.ctx(), v.who.Scope(), id, proxy, by)
	}
	if err != nil {
		return err
	}
	return v.redirect(fmt.Sprintf("/console/people/%d?done=%s", id, done))
}
