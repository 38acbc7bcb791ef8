package console

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
)

const inboxPageSize = 50

// inboxPage lists what waits, the oldest first. Names are masked, and nobody's words stand in a list.
type inboxPage struct {
	frame
	State   register.InboxState
	Narrow  string // the topic it is narrowed to, "": any
	Figures register.InboxFigures
	Rows    []inboxRow
	Next    string // address of the next page, empty at the end
	First   string // address of the first page, empty on it
}

// inboxRow is one matter in the list.
type inboxRow struct {
	Item    register.InboxItem
	Name    string // masked, empty: nobody we know
	Place   string
	Waiting waiting
}

// inboxStates and inboxTopics are what the list may be narrowed to.
func inboxStates() []register.InboxState {
	return []register.InboxState{register.InboxOpen, register.InboxPassed, register.InboxAnswered, register.InboxClosed}
}

func inboxTopics() []string {
	return []string{register.TopicProblem, register.TopicJob, register.TopicApplication, register.TopicHelp}
}

func (v *visit) listInbox() error {
	q := v.r.URL.Query()
	page := inboxPage{frame: v.frame("inbox.title", "inbox"), State: register.InboxState(q.Get("state")), Narrow: q.Get("topic")}
	if !slices.Contains(inboxStates(), page.State) {
		page.State = register.InboxOpen
	}
	if !slices.Contains(inboxTopics(), page.Narrow) {
		page.Narrow = ""
	}
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64) // anything else is the first page
	list, err := v.Inbox.ListInbox(v.ctx(), v.who.Scope(), register.InboxQuery{State: page.State, Topic: page.Narrow, After: max(after, 0), Limit: inboxPageSize + 1})
	if err != nil {
		return err
	}
	if after > 0 {
		page.First = page.address(0)
	}
	if len(list) > inboxPageSize {
		list = list[:inboxPageSize]
		page.Next = page.address(list[len(list)-1].ID)
	}
	if page.Figures, err = v.Inbox.InboxFigures(v.ctx(), v.who.Scope(), v.Now()); err != nil {
		return err
	}
	if page.Rows, err = v.inboxRows(list); err != nil {
		return err
	}
	if err := v.note(staff.DidListInbox, "", map[string]string{"count": strconv.Itoa(len(list))}); err != nil {
		return err
	}
	return v.render(http.StatusOK, "inbox", page)
}

func (p inboxPage) address(after int64) string {
	from := ""
	if after > 0 {
		from = strconv.FormatInt(after, 10)
	}
	return query("/console/inbox", "state", string(p.State), "topic", p.Narrow, "after", from)
}

// States and Topics are the ways to narrow the list.
func (p inboxPage) States() []register.InboxState { return inboxStates() }

// Topics are the topics to choose from.
func (p inboxPage) Topics() []string { return inboxTopics() }

// With is the address of the list for a state and a topic.
func (p inboxPage) With(state register.InboxState, topic string) string {
	return query("/console/inbox", "state", string(state), "topic", topic)
}

// inboxRows adds who they are, masked, and how long they have waited.
func (v *visit) inboxRows(list []register.InboxItem) ([]inboxRow, error) {
	ids := make([]int64, 0, len(list))
	for _, item := range list {
		ids = append(ids, item.PersonID)
	}
	people, err := v.People.PeopleByID(v.ctx(), v.who.Scope(), ids)
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	for _, p := range people {
		names[p.ID] = maskName(p.Name)
	}
	rows := make([]inboxRow, 0, len(list))
	for _, item := range list {
		place, err := v.place(item.RegionCode)
		if err != nil {
			return nil, err
		}
		rows = append(rows, inboxRow{item, names[item.PersonID], place, waitingOf(item, v.Now())})
	}
	return rows, nil
}
