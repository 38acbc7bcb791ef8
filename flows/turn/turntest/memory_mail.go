package turntest

import (
	"fmt"
	"slices"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// Mailed puts on file what campaigns sent.
func (m *Memory) Mailed(list ...register.Sent) { m.mailed = append(m.mailed, list...) }

// Keep keeps a worker's answer until an openid writes.
func (m *Memory) Keep(openid string, letter turn.Letter) {
	m.letters[openid] = append(m.letters[openid], letter)
}

// Kept lists the answers that wait for an openid.
func (m *Memory) Kept(openid string) []turn.Letter { return m.letters[openid] }

// mailbox is what campaigns sent, and which kinds of them nobody wants: "person 1 job_posting", "phone 138… job_posting".
type mailbox struct {
	mailed  []register.Sent
	muted   []string
	letters map[string][]turn.Letter // by openid
}

// Sent implements turn.Mail.
func (t *memoryTx) Sent(since time.Time, people ...int64) ([]register.Sent, error) {
	if t.who.Channel == turn.SMS {
		people, _ = t.OnPhone()
	}
	list := only(t.m.mailed, func(s register.Sent) bool {
		return (slices.Contains(people, s.PersonID) || slices.ContainsFunc(people, func(id int64) bool { return t.mates(id, s.PersonID) })) && !s.At.Before(since)
	})
	slices.SortStableFunc(list, func(a, b register.Sent) int { return b.At.Compare(a.At) })
	return list, nil
}

// mates says whether two have one household and one phone: a text to one is the other's to read.
func (t *memoryTx) mates(a, b int64) bool {
	p, q := t.m.people[a-1].Person, t.m.people[b-1].Person
	return p.HouseholdNo != "" && p.HouseholdNo == q.HouseholdNo && p.Phone == q.Phone && t.m.trusted(p) != ""
}

// Asked implements turn.Mail.
func (t *memoryTx) Asked(replyCode string) (bool, error) {
	return slices.ContainsFunc(t.m.mailed, func(s register.Sent) bool { return s.ReplyCode != "" && s.ReplyCode == replyCode }), nil
}

// Mute implements turn.Mail.
func (t *memoryTx) Mute(personID int64, kind string) error {
	if key := t.muteKey(personID, kind); !slices.Contains(t.m.muted, key) {
		t.m.muted = append(t.m.muted, key)
	}
	return nil
}

// Unmute implements turn.Mail.
func (t *memoryTx) Unmute(personID int64, kind string) error {
	key := t.muteKey(personID, kind)
	t.m.muted = slices.DeleteFunc(t.m.muted, func(have string) bool { return have == key })
	return nil
}

// Muted implements turn.Mail.
func (t *memoryTx) Muted(personID int64) (kinds []string, err error) {
	for _, have := range t.m.muted {
		var who, id, kind string
		if _, err := fmt.Sscan(have, &who, &id, &kind); err == nil && have == t.muteKey(personID, kind) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds, nil
}

func (t *memoryTx) muteKey(personID int64, kind string) string {
	if t.who.Channel == turn.SMS {
		return "phone " + t.who.ID + " " + kind
	}
	return fmt.Sprint("person ", personID, " ", kind)
}
