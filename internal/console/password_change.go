package console

import (
	"errors"
	"net/http"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// passwordPage is the form to change one's own password.
type passwordPage struct {
	frame
	Error string // locale key
}

func (v *visit) showPassword() error {
	return v.render(http.StatusOK, "password", passwordPage{frame: v.frame("password.title", "")})
}

// changePassword sets a new password; all other sessions of the member end, this one goes on under a new token.
func (v *visit) changePassword() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	wished := v.r.PostForm.Get("wished")
	if wished != v.r.PostForm.Get("again") {
		return v.refusePassword("password.differ")
	}
	version, err := v.Staff.ChangePassword(v.ctx(), v.who, v.r.PostForm.Get("present"), wished)
	if err != nil {
		return v.passwordRefused(err)
	}
	if err := v.enter(v.ctx(), staff.Account{Member: v.who, SessionVersion: version}); err != nil {
		return err
	}
	return v.redirect("/console/?done=password")
}

// passwordRefused says what to mend, or passes on what is no fault of the member's.
func (v *visit) passwordRefused(err error) error {
	switch {
	case errors.Is(err, staff.ErrOldPassword):
		return v.refusePassword("password.wrong")
	case errors.Is(err, staff.ErrLocked):
		return v.refusePassword("login.locked")
	case errors.Is(err, staff.ErrPasswordShort):
		return v.refusePassword("password.short")
	case errors.Is(err, staff.ErrPasswordLong):
		return v.refusePassword("password.long")
	case errors.Is(err, staff.ErrPasswordSimple):
		return v.refusePassword("password.simple")
	}
	return err
}

func (v *visit) refusePassword(key string) error {
	return v.render(http.StatusUnprocessableEntity, "password", passwordPage{frame: v.frame("password.title", ""), Error: key})
}
