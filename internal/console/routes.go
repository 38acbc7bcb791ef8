package console

import (
	"net/http"
	"net/url"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// bodyLimit bounds every form; the largest is a campaign with its audience.
const bodyLimit = 256 << 10

// routes is the site's map.
func (c *console) routes(mux *http.ServeMux) {
	mux.Handle("GET /console/login", c.stranger((*visit).showLogin))
	mux.Handle("POST /console/login", c.stranger((*visit).enterLogin))
	mux.Handle("POST /console/logout", c.known((*visit).leave))
	mux.Handle("POST /console/language", c.stranger((*visit).chooseLanguage))
	mux.Handle("GET /console/password", c.known((*visit).showPassword))
	mux.Handle("POST /console/password", c.known((*visit).changePassword))

	mux.Handle("GET /console/{$}", c.known((*visit).showHome))
	mux.Handle("GET /console/people", c.may(staff.ReadPeople, (*visit).listPeople))
	mux.Handle("POST /console/people/find", c.may(staff.ReadPeople, (*visit).findPeople))
	mux.Handle("GET /console/people/{id}", c.may(staff.ReadPeople, (*visit).showPerson))
	mux.Handle("POST /console/people/{id}/reveal", c.may(staff.RevealPerson, (*visit).revealPerson))
	mux.Handle("POST /console/people/{id}/hide", c.may(staff.RevealPerson, (*visit).hidePerson))

	mux.Handle("POST /console/people/{id}/doorstep", c.may(staff.BindPerson, (*visit).openDoorstep))
	mux.Handle("POST /console/people/{id}/doorstep/proxy", c.may(staff.BindPerson, (*visit).openProxyDoor))
	mux.Handle("POST /console/people/{id}/unbind", c.may(staff.BindPerson, (*visit).unbind))
	mux.Handle("POST /console/people/{id}/phone/trust", c.may(staff.BindPerson, (*visit).trustPhone))
	mux.Handle("POST /console/people/{id}/proxies/{proxy}/end", c.may(staff.BindPerson, (*visit).endProxy))

	mux.Handle("GET /console/campaigns", c.may(staff.ReadCampaigns, (*visit).listCampaigns))
	mux.Handle("POST /console/campaigns", c.may(staff.WriteCampaign, (*visit).createCampaign))
	mux.Handle("GET /console/campaigns/new", c.may(staff.WriteCampaign, (*visit).newCampaign))
	mux.Handle("GET /console/campaigns/{id}", c.may(staff.ReadCampaigns, (*visit).showCampaign))
	mux.Handle("GET /console/campaigns/{id}/events", c.may(staff.ReadCampaigns, (*visit).watchCampaign))
	mux.Handle("GET /console/campaigns/{id}/edit", c.may(staff.WriteCampaign, (*visit).editCampaign))
	mux.Handle("POST /console/campaigns/{id}/edit", c.may(staff.WriteCampaign, (*visit).changeCampaign))
	for _, act := range campaignActs() {
		mux.Handle("POST /console/campaigns/{id}/"+act.Path, c.may(act.Act, c.actOn(act)))
	}

	c.deskRoutes(mux)

	mux.Handle("GET /console/unreached", c.may(staff.ReadPeople, (*visit).listUnreached))
	mux.Handle("GET /console/unreached/sheet", c.may(staff.ReadPeople, (*visit).printUnreached))
	mux.Handle("GET /console/unreached/csv", c.may(staff.ReadPeople, (*visit).exportUnreached))
	mux.Handle("POST /console/unreached/visit", c.may(staff.RecordVisit, (*visit).recordVisit))
	mux.Handle("POST /console/unreached/code", c.may(staff.ReadPeople, (*visit).findRowCode))

	mux.Handle("GET /console/audit", c.may(staff.ReadAudit, (*visit).listAudit))
	mux.Handle("/console/", c.known((*visit).showNotFound))
}

// deskRoutes are the pages of the people behind the bot: the inbox.
func (c *console) deskRoutes(mux *http.ServeMux) {
	mux.Handle("GET /console/inbox", c.may(staff.ReadInbox, (*visit).listInbox))
	mux.Handle("GET /console/inbox/{id}", c.may(staff.ReadInbox, (*visit).showInbox))
	mux.Handle("POST /console/inbox/{id}/reveal", c.may(staff.RevealPerson, (*visit).revealInbox))
	mux.Handle("POST /console/inbox/{id}/hide", c.may(staff.RevealPerson, (*visit).hideInbox))
	mux.Handle("POST /console/inbox/{id}/answer", c.may(staff.AnswerInbox, (*visit).answerInbox))
	mux.Handle("POST /console/inbox/{id}/close", c.may(staff.AnswerInbox, (*visit).closeInbox))
	mux.Handle("POST /console/inbox/{id}/pass", c.may(staff.AnswerInbox, (*visit).passInbox))
}

// handler puts the guards around the routes, outermost last.
func (c *console) handler(public *url.URL) (http.Handler, error) {
	pages := http.NewServeMux()
	c.routes(pages)
	c.sessions.ErrorFunc = c.sessionFailed

	origins := http.NewCrossOriginProtection()
	if public.Host != "" {
		if err := origins.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
			return nil, err
		}
	}
	origins.SetDenyHandler(c.stranger(func(*visit) error { return staff.ErrForbidden }))

	site := http.NewServeMux()
	site.Handle("GET /{$}", http.RedirectHandler("/console/", http.StatusSeeOther))
	site.Handle("GET /console/static/{file}", c.files)
	site.Handle("/console/", origins.Handler(limited(c.sessions.LoadAndSave(pages))))
	return guarded(site), nil
}

// limited bounds the body of every request.
func limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		next.ServeHTTP(w, r)
	})
}

// guarded sets what browsers are to refuse: everything that our pages don't do themselves.
func guarded(next http.Handler) http.Handler {
	const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
