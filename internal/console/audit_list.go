package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
)

const auditPageSize = 50

// auditPage lists who did and looked at what, newest first.
type auditPage struct {
	frame
	Actor   string
	Records []staff.Record
	Older   string // address of the next page, empty at the end
}

func (v *visit) listAudit() error {
	q := v.r.URL.Query()
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64) // anything else is the newest page
	page := auditPage{frame: v.frame("audit.title", "audit"), Actor: q.Get("actor")}
	list, err := v.Audit.ListAudit(v.ctx(), page.Actor, "", max(before, 0), auditPageSize+1)
	if err != nil {
		return err
	}
	if len(list) > auditPageSize {
		list = list[:auditPageSize]
		page.Older = query("/console/audit", "actor", page.Actor, "before", strconv.FormatInt(list[len(list)-1].ID, 10))
	}
	page.Records = list
	if err := v.note(staff.DidReadAudit, "", nil); err != nil {
		return err
	}
	return v.render(http.StatusOK, "audit", page)
}

// auditObject is what an act was done to, by its number, never by its name.
type auditObject struct{ Name, Address string }

// Object reads the object of a line: person:12 leads to the person's page.
func (p auditPage) Object(object string) auditObject {
	kind, id, ok := strings.Cut(object, ":")
	if !ok {
		return auditObject{Name: object}
	}
	out := auditObject{Name: p.Word("object", kind) + " " + id}
	switch kind {
	case "person":
		out.Address = "/console/people/" + id
	case "campaign":
		out.Address = "/console/campaigns/" + id
	}
	return out
}

// Detail is the value of a detail in words, where it is one of a closed set.
func (p auditPage) Detail(key, value string) string {
	switch key {
	case "role":
		return p.Word("role", value)
	case "masked", "by", "reason":
		return p.Word("detail_"+key, value)
	}
	return value
}

// Seconds is a moment in the console's time zone, to the second: the order of acts matters here.
func (f frame) Seconds(at time.Time) string { return at.In(f.v.Location).Format("2006-01-02 15:04:05") }
