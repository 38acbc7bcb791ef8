package console

import (
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// doorstepLife is how long a code waits to be scanned.
const doorstepLife = 10 * time.Minute

// doorstepPage shows a one-time code, once.
type doorstepPage struct {
	frame
	ID    int64
	Name  string // masked
	Place string
	Until time.Time
	Proxy bool          // for one of the family, not for the person
	Code  template.HTML // an SVG of ours, empty where WeChat gave none
}

// openDoorstep makes a code and answers with it: it is kept nowhere, so no address could lead to it. Loading the page
// anew makes another, which ends this one.
func (v *visit) openDoorstep() error {
	record, err := v.record()
	if err != nil {
		return err
	}
	p := record.Person
	if v.Family == nil || v.Codes == nil || p.Status == register.Deceased {
		return errNotFound
	}
	now := v.Now()
	scene, err := v.Family.OpenDoorstep(v.ctx(), v.who.Scope(), p.ID, doorstepLife,
		staff.Entry{At: now, Actor: v.who.Name, Act: staff.DidOpenDoorstep, Object: personObject(p.ID)})
	if err != nil {
		return err
	}
	return v.showDoorstep(p, scene, doorstepPage{frame: v.frame("doorstep.title", "people"), Until: now.Add(doorstepLife)})
}

// showDoorstep answers with a page and the code of its scene; the page says all the same where WeChat made none.
func (v *visit) showDoorstep(p register.Person, scene string, page doorstepPage) (err error) {
	page.ID, page.Name = p.ID, maskName(p.Name)
	if page.Place, err = v.place(p.RegionCode); err != nil {
		return err
	}
	if content, err := v.Codes.CreateCode(v.ctx(), scene, doorstepLife); err != nil {
		v.Logger.Warn("WeChat made no code for the doorstep", slog.Int64("staff_id", v.who.ID), slog.Any("error", err))
	} else if page.Code, err = drawCode(content); err != nil {
		return err
	}
	return v.render(http.StatusOK, "doorstep", page)
}

// quiet is the white that readers want around a code, in its modules.
const quiet = 4

// drawCode draws a QR code as an SVG of one path, with room for scratches.
func drawCode(content string) (template.HTML, error) {
	code, err := qr.Encode(content, qr.M)
	if err != nil {
		return "", fmt.Errorf("draw a code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	side := code.Size + 2*quiet
	return template.HTML(fmt.Sprintf( //nolint:gosec // nothing but figures of ours
		`<svg class="code" viewBox="0 0 %d %d" role="img" shape-rendering="crispEdges"><rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="%s"/></svg>`,
		side, side, side, side, path.String())), nil
}
