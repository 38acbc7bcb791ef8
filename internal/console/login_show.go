package console

import (
	"net/http"
	"net/url"
	"strings"
)

// loginPage is the form to log in.
type loginPage struct {
	frame
	Name  string
	Next  string
	Error string // locale key
}

// showLogin shows the form, or leads on who is logged in already.
func (v *visit) showLogin() error {
	if _, ok, err := v.member(v.ctx(), false); err != nil || ok {
		if err != nil {
			return err
		}
		return v.redirect("/console/")
	}
	return v.render(http.StatusOK, "login", loginPage{frame: v.frame("login.title", ""), Next: local(v.r.URL.Query().Get("next"))})
}

// loginAddress is where somebody without a session is led; a page they wanted to read is kept in mind.
func loginAddress(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/console/" || strings.HasSuffix(r.URL.Path, "/events") {
		return "/console/login"
	}
	return "/console/login?next=" + url.QueryEscape(local(r.URL.RequestURI()))
}
