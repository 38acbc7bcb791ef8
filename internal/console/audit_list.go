package console

import (
	"net/http"
	"strconv"

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
