package console

import (
	"net/http"

	"github.com/lingjuli/lingjuli/locales"
)

const languageCookie = "lingjuli_lang"

// language is the one the reader chose here, else Chinese: what a browser says of itself doesn't count,
// because the machines in the offices are set up by others.
func language(r *http.Request) string {
	if cookie, err := r.Cookie(languageCookie); err == nil && cookie.Value == locales.ConsoleEnglish {
		return locales.ConsoleEnglish
	}
	return locales.ConsoleChinese
}

// chooseLanguage keeps the choice for a year and goes back to where it was made.
func (v *visit) chooseLanguage() error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	lang := v.r.PostForm.Get("lang")
	if lang != locales.ConsoleEnglish && lang != locales.ConsoleChinese {
		return errBadForm
	}
	http.SetCookie(v.w, &http.Cookie{
		Name: languageCookie, Value: lang, Path: "/console/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: v.sessions.Cookie.Secure, SameSite: http.SameSiteLaxMode,
	})
	return v.redirect(local(v.r.PostForm.Get("back")))
}
