package sandbox

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SMSReply is a text that a person sent back.
type SMSReply struct {
	PhoneNumber string `json:"phone_number"`
	Content     string `json:"content"`
	SendTime    string `json:"send_time"`
	DestCode    string `json:"dest_code"`
	SequenceID  string `json:"sequence_id"`
	SignName    string `json:"sign_name,omitempty"`

	at time.Time
}

// ReplySMS is a person answering the newest text on their phone; it is pushed as SmsUp.
func (s *Sandbox) ReplySMS(phone, content string) error { return s.AnswerSMS(phone, "", content) }

// AnswerSMS is a person answering one text on their phone, by its BizId: the reply goes to the number that it came from.
func (s *Sandbox) AnswerSMS(phone, bizID, content string) error {
	number, ok := mobile(phone)
	if !ok {
		return fmt.Errorf("reply by SMS: %q is no mobile number", phone)
	}
	sign, dest, found := s.carrier.answered(number, bizID)
	if !found && bizID != "" {
		return fmt.Errorf("reply by SMS: %s got no text %q", phone, bizID)
	}
	now := s.cfg.Now()
	r := SMSReply{
		PhoneNumber: phoneText(number), Content: content, SendTime: now.In(beijing()).Format(wireTime), DestCode: dest,
		SequenceID: strconv.FormatInt(s.ids.messageID(now), 10), SignName: sign, at: now,
	}
	s.carrier.putReply(r)
	s.note(entry{Kind: entryReply, At: now, Reply: &r})
	s.watchers.wake(r.PhoneNumber)
	s.begin(func(ctx context.Context) { s.carrier.receipts.pushJSON(ctx, "sms-up", []SMSReply{r}) })
	return nil
}

// answered is the signature and the extension number of a text to a phone, the newest where none is named.
func (c *carrier) answered(phone uint64, bizID string) (sign, dest string, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outbox.walk(phone, func(i int32, _ *message, call *smsCall) bool {
		if found = bizID == "" || call.bizID == bizID; found {
			k := int(i - call.first)
			sign, dest = call.sign(k), call.extend(k)
		}
		return !found
	})
	if dest == "" {
		dest = ownCode(sign)
	}
	return sign, dest, found
}

// putReply keeps a reply; one that opts out closes promotions of that signature to that phone, as the platform does.
func (c *carrier) putReply(r SMSReply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replies = append(c.replies, r)
	word := strings.ToUpper(strings.TrimSpace(r.Content))
	if slices.Contains([]string{"R", "T", "TD", "N", "\u9000\u8ba2"}, word) {
		c.refusers[r.SignName+"\x00"+r.PhoneNumber] = true
	}
}

// Replies are the texts that a phone sent back, oldest first.
func (s *Sandbox) Replies(phone string) []SMSReply {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	var out []SMSReply
	for _, r := range s.carrier.replies {
		if r.PhoneNumber == phone {
			out = append(out, r)
		}
	}
	return out
}
