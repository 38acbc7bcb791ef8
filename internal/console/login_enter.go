package console

import (
	"errors"
	"net/http"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// enterLogin checks name and password and starts a session.
func (v *visit) enterLogin() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	page := loginPage{frame: v.frame("login.title", ""), Name: v.r.PostForm.Get("name"), Next: local(v.r.PostForm.Get("next"))}
	account, err := v.Staff.LogIn(v.ctx(), page.Name, v.r.PostForm.Get("password"))
	switch {
	case errors.Is(err, staff.ErrLocked):
		page.Error = "login.locked"
		return v.render(http.StatusTooManyRequests, "login", page)
	case errors.Is(err, staff.ErrBadLogin):
		page.Error = "login.wrong"
		return v.render(http.StatusUnauthorized, "login", page)
	case err != nil:
		return err
	}
	if err := v.enter(v.ctx(), account); err != nil {
		return err
	}
	return v.redirect(page.Next)
}
