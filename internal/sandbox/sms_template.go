package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Review is the state of a template or signature at the carrier.
type Review int

// The states, as QuerySmsTemplate numbers them.
const (
	InReview Review = 0
	Approved Review = 1
	Rejected Review = 2
)

// word is the state as the newer list actions name it.
func (r Review) word() string {
	switch r {
	case Approved:
		return "AUDIT_STATE_PASS"
	case Rejected:
		return "AUDIT_STATE_NOT_PASS"
	}
	return "AUDIT_STATE_INIT"
}

// SMSTemplate is a text with variables ${name}. The zero Status of one registered here means approved.
type SMSTemplate struct {
	Code    string `json:"code"`
	Name    string `json:"name,omitempty"`
	Type    string `json:"type"` // code, notification or promotion
	Content string `json:"content"`
	Reason  string `json:"reason,omitempty"` // why it was rejected
	// Refused and Pending stand for a review that failed or isn't over.
	Refused bool `json:"refused,omitempty"`
	Pending bool `json:"pending,omitempty"`
}

// SMSSign is a signature.
type SMSSign struct {
	Name   string `json:"name"`
	Status Review `json:"status"`
}

// The template types as the API numbers them.
const (
	typeCode         = 0
	typeNotification = 1
	typePromotion    = 2
)

// smsTemplate is a registered template, cut into its parts: text, variable, text, …
type smsTemplate struct {
	SMSTemplate
	kind    int
	status  Review
	created time.Time
	parts   []string // even: text, odd: name of a variable
	names   []string // each once
}

func newSMSTemplate(t SMSTemplate, now time.Time) *smsTemplate {
	out := &smsTemplate{SMSTemplate: t, kind: typeNotification, status: Approved, created: now, parts: cutTemplate(t.Content)}
	switch t.Type {
	case "code":
		out.kind = typeCode
	case "promotion":
		out.kind = typePromotion
	}
	for i := 1; i < len(out.parts); i += 2 {
		if !slices.Contains(out.names, out.parts[i]) {
			out.names = append(out.names, out.parts[i])
		}
	}
	switch {
	case t.Pending:
		out.status = InReview
	case t.Refused:
		out.status = Rejected
	}
	return out
}

func cutTemplate(content string) []string {
	var parts []string
	for {
		before, rest, ok := strings.Cut(content, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return append(parts, content)
		}
		parts = append(parts, before, name)
		content = after
	}
}

func (t *smsTemplate) fill(params paramSet) string {
	var b strings.Builder
	for i, part := range t.parts {
		if i%2 == 1 {
			part, _ = params.get(part)
		}
		b.WriteString(part)
	}
	return b.String()
}

var (
	errOneVariable = errors.New("the template is one big variable")
	errAdjacent    = errors.New("two variables stand side by side")
)

// check is the review that every template goes through.
func (t *smsTemplate) check() error {
	if t.Code == "" || t.Content == "" {
		return errors.New("a template needs a code and a content")
	}
	if n := utf8.RuneCountInString(t.Content); n > 500 {
		return fmt.Errorf("template %s has %d characters, 500 are allowed", t.Code, n)
	}
	text := 0
	for i := 0; i < len(t.parts); i += 2 {
		plain := strings.TrimFunc(t.parts[i], isFiller)
		text += utf8.RuneCountInString(plain)
		if plain == "" && t.parts[i] == "" && i > 0 && i < len(t.parts)-1 {
			return fmt.Errorf("template %s: %w", t.Code, errAdjacent)
		}
	}
	if len(t.names) > 0 && text < 2 {
		return fmt.Errorf("template %s: %w", t.Code, errOneVariable)
	}
	return nil
}

// isFiller is what doesn't count as a text of its own beside a variable.
func isFiller(r rune) bool {
	return strings.ContainsRune(" \t\r\n.,:;!?-\uff0c\u3002\uff1a\uff1b\uff01\uff1f\u3001", r)
}

// AddTemplate registers a template. The carrier's review refuses one big variable, and two that touch.
func (s *Sandbox) AddTemplate(t SMSTemplate) error {
	made := newSMSTemplate(t, s.cfg.Now())
	if err := made.check(); err != nil {
		return err
	}
	if !s.carrier.putTemplate(made) {
		return nil
	}
	s.note(entry{Kind: entryTemplate, Template: &t, At: made.created})
	return nil
}

// putTemplate keeps a template and says whether that is news.
func (c *carrier) putTemplate(t *smsTemplate) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.templates[t.Code]
	if old != nil && old.SMSTemplate == t.SMSTemplate {
		return false
	}
	c.templates[t.Code] = t
	return true
}

// AddSign registers a signature; without a status it is approved.
func (s *Sandbox) AddSign(sign SMSSign) {
	if sign.Status == InReview {
		sign.Status = Approved
	}
	if !s.carrier.putSign(sign) {
		return
	}
	s.note(entry{Kind: entrySign, Sign: &sign, At: s.cfg.Now()})
}

// putSign keeps a signature and says whether that is news.
func (c *carrier) putSign(sign SMSSign) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := c.signs[sign.Name] != sign
	c.signs[sign.Name] = sign
	return news
}
