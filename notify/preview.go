package notify

import (
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// PreviewQuery asks whom a campaign would reach now.
type PreviewQuery struct {
	Spec     Spec
	Channels []Channel // those that the template serves too
	Scope    register.Scope
	Now      time.Time
	Samples  int // how many members to give for each channel
}

// PreviewCount is whom a campaign would reach. A person counts once: by the first channel that has them.
// Of several members of a household on one number, each counts; Texts counts what would really be sent.
type PreviewCount struct {
	Matched     int64
	Reachable   map[Channel]int64
	Texts       map[Channel]int64
	Unreachable map[SkipReason]int64
	Samples     map[Channel][]Facts
}
