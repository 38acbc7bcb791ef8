package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// visit is one request, with who makes it and in which language they read.
type visit struct {
	*console
	w    http.ResponseWriter
	r    *http.Request
	who  staff.Member // zero on the log-in page
	lang string
}

// action answers one request. What it returns is written by one adapter.
type action func(*visit) error

// stranger serves an action to somebody who need not be logged in.
func (c *console) stranger(do action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{console: c, w: w, r: r, lang: language(r)}
		if err := do(v); err != nil {
			v.fail(err)
		}
	})
}

// may serves an action to members whose role allows the act. Acts on campaigns are asked again with the
// campaign at hand, because some are allowed on one's own alone.
func (c *console) may(act staff.Act, do action) http.Handler {
	return c.known(func(v *visit) error {
		if !v.who.May(act, true) {
			return staff.ErrForbidden
		}
		return do(v)
	})
}

// known serves an action to every member who is logged in; others are led to the log-in page.
func (c *console) known(do action) http.Handler {
	return c.stranger(func(v *visit) error {
		who, ok, err := c.member(v.ctx(), strings.HasSuffix(v.r.URL.Path, "/events"))
		if err != nil {
			return err
		}
		if !ok {
			return v.redirect(loginAddress(v.r))
		}
		v.who = who
		return do(v)
	})
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// redirect answers with 303: the browser fetches the address anew.
func (v *visit) redirect(address string) error {
	http.Redirect(v.w, v.r, address, http.StatusSeeOther)
	return nil
}

// note writes a line of the audit under the visitor's name.
func (v *visit) note(act, object string, detail map[string]string) error {
	return v.Audit.AppendAudit(v.ctx(), staff.Entry{At: v.Now(), Actor: v.who.Name, Act: act, Object: object, Detail: detail})
}

// local keeps a redirect inside the console: an address from a form may not lead elsewhere.
func local(address string) string {
	if !strings.HasPrefix(address, "/console/") || strings.ContainsAny(address, "\\\r\n") || strings.Contains(address, "//") {
		return "/console/"
	}
	return address
}
