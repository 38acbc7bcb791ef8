package sandbox

import (
	"maps"
	"strconv"
)

// Stats is what the sandbox has counted since its start or the last reset.
type Stats struct {
	SMS    SMSStats          `json:"sms"`
	WeChat WeChatStats       `json:"wechat"`
	Faults map[FaultKind]int `json:"faults"` // how often each has struck
}

// SMSStats counts the carrier's side.
type SMSStats struct {
	Calls      map[string]int `json:"calls"` // answered with OK, by action
	Sends      int            `json:"sends"` // send calls taken, those whose answer was lost included
	Recipients int            `json:"recipients"`
	Phones     int            `json:"phones"`     // that got at least one text
	Repeated   int            `json:"repeated"`   // phones that got more than one text
	Duplicates int            `json:"duplicates"` // texts equal in phone, template and parameters to an earlier one
	Refused    map[string]int `json:"refused"`    // by code
	Waiting    int            `json:"waiting"`
	Failed     int            `json:"failed"`
	Delivered  int            `json:"delivered"`
	VoiceCalls int            `json:"voice_calls"`
	Replies    int            `json:"replies"`
	Queued     int            `json:"queued"` // receipts and replies that wait to be pulled, or to be deleted
	Pushes     PushStats      `json:"pushes"`
}

// WeChatStats counts the account's side.
type WeChatStats struct {
	Calls     map[string]int `json:"calls"`   // by path
	Refused   map[string]int `json:"refused"` // by errcode
	Followers int            `json:"followers"`
	Messages  int            `json:"messages"` // from the account, passive replies included
	People    int            `json:"people"`   // who got at least one
	Pushes    PushStats      `json:"pushes"`
}

// Stats counts.
func (s *Sandbox) Stats() Stats {
	_, hit := s.faults.state()
	return Stats{SMS: s.carrier.stats(), WeChat: s.account.stats(), Faults: hit}
}

func (c *carrier) stats() SMSStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.outbox
	out := SMSStats{
		Calls: maps.Clone(c.calls), Refused: maps.Clone(c.refused), Sends: len(o.calls), Recipients: len(o.messages),
		Phones: len(o.tails), Duplicates: o.duplicates, Waiting: o.states[stateWaiting], Failed: o.states[stateFailed],
		Delivered: o.states[stateDelivered], VoiceCalls: len(c.dials), Replies: len(c.replies), Queued: c.queues.waiting(),
	}
	for _, end := range o.tails {
		if end.n > 1 {
			out.Repeated++
		}
	}
	c.receipts.mu.Lock()
	defer c.receipts.mu.Unlock()
	out.Pushes = c.receipts.stats
	out.Pushes.Waiting = len(c.receipts.queue)
	return out
}

func (a *account) stats() WeChatStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := WeChatStats{Calls: maps.Clone(a.answered), Refused: maps.Clone(a.refused), People: len(a.counts), Pushes: a.pushes}
	for _, f := range a.followers {
		if f.Follows {
			out.Followers++
		}
	}
	for _, n := range a.counts {
		out.Messages += n
	}
	return out
}

// Counts are the accepted texts by phone; with least, only phones that got at least so many.
func (s *Sandbox) Counts(least int) map[string]int {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	out := map[string]int{}
	for phone, end := range s.carrier.outbox.tails {
		if int(end.n) >= least {
			out[strconv.FormatUint(phone, 10)] = int(end.n)
		}
	}
	return out
}

// WeChatCounts are the messages that the account sent, by openid.
func (s *Sandbox) WeChatCounts() map[string]int {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return maps.Clone(s.account.counts)
}

// Reset forgets messages, chats, tokens and counts; faults end. Templates, signatures and followers of the
// configuration are there again, others are not.
func (s *Sandbox) Reset() error {
	s.carrier.receipts.clear()
	s.carrier.clear()
	s.account.clear()
	s.note(entry{Kind: entryReset, At: s.cfg.Now()})
	return s.faults.set(nil)
}
