package console

import (
	"fmt"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// leave ends the session.
func (v *visit) leave() error {
	if err := v.sessions.Destroy(v.ctx()); err != nil {
		return fmt.Errorf("console: end the session: %w", err)
	}
	if err := v.note(staff.DidLogOut, staff.Object(v.who.ID), nil); err != nil {
		return err
	}
	return v.redirect("/console/login?done=left")
}
