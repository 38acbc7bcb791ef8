package console

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

// Inbox is what people asked the people behind the bot. The scope is part of every question, and of every act.
type Inbox interface {
	ListInbox(ctx context.Context, scope register.Scope, q register.InboxQuery) ([]register.InboxItem, error)
	InboxFigures(ctx context.Context, scope register.Scope, now time.Time) (register.InboxFigures, error)
	// InboxItem: register.ErrNotFound.
	InboxItem(ctx context.Context, scope register.Scope, id int64) (register.InboxItem, error)
	// AnswerInbox writes an answer down and sends it on its way. register.ErrConflict: somebody else was faster.
	AnswerInbox(ctx context.Context, scope register.Scope, id int64, a register.InboxAnswer) error
	// SettleInbox closes a matter, or passes it on to the county.
	SettleInbox(ctx context.Context, scope register.Scope, id int64, end register.InboxEnd) error
}

func inboxObject(id int64) string { return "inbox:" + strconv.FormatInt(id, 10) }

func inboxAddress(id int64) string { return "/console/inbox/" + strconv.FormatInt(id, 10) }

// matter finds the matter in the address within the visitor's region.
func (v *visit) matter() (register.InboxItem, error) {
	id, err := v.pathID()
	if err != nil {
		return register.InboxItem{}, err
	}
	return v.Inbox.InboxItem(v.ctx(), v.who.Scope(), id)
}

// waiting is how long a matter has waited, in words and a colour.
type waiting struct {
	Tone string
	Key  string        // what the tag says: inbox.overdue, inbox.due_in, inbox.no_due; "": it is settled
	Span time.Duration // by how much it is overdue, or what is left
	Age  time.Duration
}

// soon is how near the promised time is when a matter turns yellow.
const soon = time.Hour

// waitingOf says how an open matter ages. The colour repeats what the words say.
func waitingOf(item register.InboxItem, now time.Time) waiting {
	w := waiting{Age: now.Sub(item.At), Tone: "grey"}
	switch {
	case item.State != register.InboxOpen:
		w.Age = item.AnsweredAt.Sub(item.At)
	case item.Due.IsZero():
		w.Key = "no_due"
	case now.After(item.Due):
		w.Key, w.Tone, w.Span = "overdue", "bad", now.Sub(item.Due)
	case item.Due.Sub(now) < soon:
		w.Key, w.Tone, w.Span = "due_in", "warn", item.Due.Sub(now)
	default:
		w.Key, w.Tone, w.Span = "due_in", "good", item.Due.Sub(now)
	}
	return w
}

// Age is a stretch of time as long waits are told: days and hours, hours alone, or minutes.
func (f frame) Age(d time.Duration) (string, error) {
	switch hours := int(d.Hours()); {
	case hours >= 48:
		return f.T("span.days", "d", hours/24, "h", hours%24)
	case hours >= 1:
		return f.T("span.whole_hours", "h", hours)
	}
	return f.T("span.whole_minutes", "m", int(d.Minutes()))
}

// Topic is what a matter is about; a topic without a word of its own is a question like any.
func (f frame) Topic(topic string) (string, error) {
	if text, ok := f.v.texts.Text(f.v.lang, "inbox_topic."+topic, nil); ok {
		return text, nil
	}
	return f.T("inbox_topic.help")
}

// saidTurn is one turn before a hand-over, as the transcript keeps it.
type saidTurn struct {
	Kind string `json:"kind"`
	In   string `json:"in"`
	Out  string `json:"out"`
}

func readTurns(list []string) []saidTurn {
	var turns []saidTurn
	for _, raw := range list {
		var t saidTurn
		if json.Unmarshal([]byte(raw), &t) == nil {
			turns = append(turns, t)
		}
	}
	return turns
}

// inboxTally is how full the visitor's inbox is; nil: it is none of theirs.
func (v *visit) inboxTally() (*register.InboxFigures, error) {
	if !v.who.May(staff.ReadInbox, false) {
		return nil, nil
	}
	figures, err := v.Inbox.InboxFigures(v.ctx(), v.who.Scope(), v.Now())
	return &figures, err
}

// aged is what the part "ageing" is drawn from.
type aged struct {
	frame
	W waiting
}

// Aged draws how long a matter has waited.
func (f frame) Aged(w waiting) aged { return aged{f, w} }
