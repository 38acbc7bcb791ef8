package console

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// errNotFound: the address or what it names is not there, or not within the visitor's region: the two must
// look the same.
var errNotFound = errors.New("console: not found")

// errBadForm: a form that our own pages never send.
var errBadForm = errors.New("console: the form is not understood")

// failurePage says what went wrong, by a locale key.
type failurePage struct {
	frame
	Status int
	Key    string
	Ref    string // for the log, on faults of our own
}

// verdict is the one table of errors and HTTP.
func verdict(err error) (status int, key string) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errNotFound), errors.Is(err, notify.ErrNoCampaign), errors.Is(err, register.ErrNotFound):
		return http.StatusNotFound, "failure.not_found"
	case errors.Is(err, staff.ErrForbidden):
		return http.StatusForbidden, "failure.forbidden"
	case errors.Is(err, notify.ErrSameColleague):
		return http.StatusForbidden, "failure.same_person"
	case errors.Is(err, register.ErrConflict):
		return http.StatusConflict, "failure.settled"
	case errors.Is(err, register.ErrReachable):
		return http.StatusConflict, "failure.reachable"
	case errors.Is(err, notify.ErrWrongState):
		return http.StatusConflict, "failure.state"
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "failure.too_large"
	case errors.Is(err, errBadForm):
		return http.StatusBadRequest, "failure.bad_form"
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "failure.busy"
	}
	return http.StatusInternalServerError, "failure.internal"
}

// fail writes an error as a page. Only faults of our own are logged, under a reference that the page shows.
func (v *visit) fail(err error) {
	if errors.Is(err, context.Canceled) && v.ctx().Err() != nil {
		return // nobody reads the answer
	}
	status, key := verdict(err)
	page := failurePage{frame: v.frame("failure.title", ""), Status: status, Key: key}
	if status >= http.StatusInternalServerError {
		raw := make([]byte, 4)
		_, _ = rand.Read(raw)
		page.Ref = hex.EncodeToString(raw)
		v.Logger.Error("console request failed", slog.String("ref", page.Ref), slog.String("path", v.r.URL.Path),
			slog.Int64("staff_id", v.who.ID), slog.Any("error", err))
	}
	if err := v.render(status, "failure", page); err != nil {
		v.Logger.Error("console failure page", slog.Any("error", err))
		http.Error(v.w, http.StatusText(status), status)
	}
}

func (c *console) sessionFailed(w http.ResponseWriter, r *http.Request, err error) {
	v := &visit{console: c, w: w, r: r, lang: language(r)}
	v.fail(err)
}

func (v *visit) showNotFound() error { return errNotFound }
