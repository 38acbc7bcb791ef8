package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

const (
	bizSendPath  = "/cgi-bin/message/subscribe/bizsend"
	templatePath = "/cgi-bin/message/template/send"
	customerPath = "/cgi-bin/message/custom/send"
)

// CodeField and CodeText are the codes of what we refuse before WeChat would: a field, or a text, that breaks
// its rules. WeChat's own are 47003 and 45002.
const (
	CodeField = "local.47003"
	CodeText  = "local.45002"
)

// Sender is notify's sender over WeChat: one member a call, by the way that the member's route names.
type Sender struct {
	client *Client

	// Refusals, where it is set before the first Sign, hears of consents that WeChat says are gone.
	Refusals Refusals

	// CopyPause is how long to wait before an unanswered template message goes again.
	CopyPause time.Duration
}

// Refusals keeps consents in step with what WeChat answers to a subscription notice (43101).
type Refusals interface {
	// ConsentGone: the person refused this template, or the one send they allowed is used up.
	ConsentGone(ctx context.Context, who register.OpenID, templateID string)
}

var _ notify.Sender = (*Sender)(nil)

// NewSender gives a sender on a client.
func NewSender(client *Client) *Sender { return &Sender{client: client, CopyPause: copyPause} }

// Sign makes the request's body. What WeChat would refuse for its form becomes a request that answers so
// itself; an error means that the call is none for WeChat.
func (s *Sender) Sign(_ context.Context, call notify.Outgoing) (notify.Request, error) {
	if call.Channel != notify.WeChat || len(call.Members) != 1 || call.Members[0].OpenID == "" {
		return nil, fmt.Errorf("sign call %d: want one member with an openid on wechat, have %d on %s", call.ID, len(call.Members), call.Channel)
	}
	if call.Template.WeChat == nil {
		return nil, fmt.Errorf("sign call %d: template %s has no wechat part", call.ID, call.Template.Key)
	}
	r := &request{client: s.client, signedAt: s.client.now(), openID: call.Members[0].OpenID}
	var body any
	var err error
	switch member := call.Members[0]; member.Route {
	case notify.BizSend:
		r.path, r.template, r.refusals = bizSendPath, call.Template.WeChat.Subscribe, s.Refusals
		body, err = newNotice(call.Template.WeChat.Subscribe, member)
	case notify.TemplateMessage:
		r.path, r.repeatable, r.pause = templatePath, true, s.CopyPause
		body, err = newTemplateMessage(call.Template.WeChat.Template, call.OutID, member)
	case notify.CustomerMessage:
		r.path = customerPath
		body, err = newCustomerText(member.OpenID, member.Text)
	default:
		return nil, fmt.Errorf("sign call %d: no way called %q", call.ID, member.Route)
	}
	if refused := refuseLocally(err); refused != nil {
		return refusedRequest{r.signedAt, *refused}, nil
	}
	if err == nil {
		r.body, err = encodeJSON(body)
	}
	if err != nil {
		return nil, fmt.Errorf("sign call %d: %w", call.ID, err)
	}
	return r, nil
}

// errText is a customer message that WeChat wouldn't take.
var errText = errors.New("the text is empty or too long")

// refuseLocally is the answer to what breaks WeChat's rules for fields and texts.
func refuseLocally(err error) *notify.Answer {
	var field *FieldError
	switch {
	case errors.As(err, &field), errors.Is(err, errNoFields):
		return &notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: CodeField, Message: err.Error()}
	case errors.Is(err, errText):
		return &notify.Answer{Outcome: notify.Refused, Verdict: notify.MemberFinal, Code: CodeText, Message: err.Error()}
	}
	return nil
}

// refusedRequest is a request that never leaves.
type refusedRequest struct {
	at     time.Time
	answer notify.Answer
}

// SignedAt is when it was looked at.
func (r refusedRequest) SignedAt() time.Time { return r.at }

// Present answers with our own refusal.
func (r refusedRequest) Present(context.Context) notify.Answer { return r.answer }

// Repeatable is true: the same answer comes again.
func (r refusedRequest) Repeatable() bool { return true }

type fieldValue struct {
	Value string `json:"value"`
}

// notice is the body of bizsend. The library's struct always sends an empty mini program, which isn't what
// the page documents.
type notice struct {
	ToUser     string                `json:"touser"`
	TemplateID string                `json:"template_id"`
	Page       string                `json:"page,omitempty"`
	Data       map[string]fieldValue `json:"data"`
}

func newNotice(templateID string, m notify.Member) (notice, error) {
	if templateID == "" {
		return notice{}, errors.New("the template names no subscription notice")
	}
	return notice{ToUser: string(m.OpenID), TemplateID: templateID, Page: m.Page, Data: values(m.Fields)}, checkFields(m.Fields)
}

type templateMessage struct {
	ToUser      string                `json:"touser"`
	TemplateID  string                `json:"template_id"`
	URL         string                `json:"url,omitempty"`
	Data        map[string]fieldValue `json:"data"`
	ClientMsgID string                `json:"client_msg_id"`
}

func newTemplateMessage(templateID, outID string, m notify.Member) (templateMessage, error) {
	if templateID == "" || outID == "" {
		return templateMessage{}, errors.New("a template message needs a template and an out id")
	}
	return templateMessage{
		ToUser: string(m.OpenID), TemplateID: templateID, URL: m.Page,
		Data: values(m.Fields), ClientMsgID: clientMsgID(outID, m.OpenID),
	}, checkFields(m.Fields)
}

// clientMsgID is by what WeChat knows a second copy for ten minutes. It is short, because no length is documented.
func clientMsgID(outID string, openID register.OpenID) string {
	sum := sha256.Sum256([]byte(outID + "\x00" + string(openID)))
	return hex.EncodeToString(sum[:16])
}

func values(fields map[string]string) map[string]fieldValue {
	data := make(map[string]fieldValue, len(fields))
	for name, value := range fields {
		data[name] = fieldValue{value}
	}
	return data
}

func newCustomerText(to register.OpenID, text string) (*message.CustomerMessage, error) {
	if strings.TrimSpace(text) == "" || len(text) > maxTextBytes || !utf8.ValidString(text) {
		return nil, errText
	}
	return message.NewCustomerTextMessage(string(to), text), nil
}

// request is one message to one person.
type request struct {
	client     *Client
	path       string
	body       []byte
	signedAt   time.Time
	repeatable bool
	pause      time.Duration // before a copy
	openID     register.OpenID
	template   string   // of a subscription notice
	refusals   Refusals // of a subscription notice; may be nil
	presented  atomic.Bool
}

// SignedAt is when the body was made. WeChat's bodies carry no time, so they don't grow stale by it.
func (r *request) SignedAt() time.Time { return r.signedAt }

// Repeatable is true for template messages: WeChat knows a copy by its client_msg_id. A second bizsend on a
// one-time consent may be answered 43101 because the first one arrived, and a customer message twice is twice.
func (r *request) Repeatable() bool { return r.repeatable }

// sent is the answer to a send.
type sent struct {
	MsgID json.RawMessage `json:"msgid"` // a number beyond 2^53 in one call, a string in another
}

func (*sent) needsStatus() bool { return true }

// Of a repeatable message so many copies are presented while no answer comes, with so long between two.
const (
	copiesMost = 3
	copyPause  = time.Second
)

// Present sends it. Where no answer comes and WeChat knows a copy by its id, the same bytes go again at once, while the
// lease lasts: what it then calls a copy has arrived. Whatever else a copy is refused for says nothing of the first.
func (r *request) Present(ctx context.Context) notify.Answer {
	answer := r.once(ctx)
	for n := 1; r.repeatable && answer.Outcome == notify.Unknown && n < copiesMost && waited(ctx, r.pause); n++ {
		if again := r.once(ctx); again.Outcome == notify.Accepted {
			return again
		}
	}
	return answer
}

// waited waits, and says whether there is still time.
func waited(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// once presents one copy.
func (r *request) once(ctx context.Context) notify.Answer {
	again := r.presented.Swap(true)
	var got sent
	err := r.client.call(ctx, http.MethodPost, r.path, r.body, &got)
	if err == nil {
		return notify.Answer{Outcome: notify.Accepted, Code: "0", ID: strings.Trim(string(got.MsgID), `"`)}
	}
	if code, _ := Code(err); code == codeNoConsent && r.refusals != nil {
		r.refusals.ConsentGone(ctx, r.openID, r.template)
	}
	answer := answerTo(err, again)
	answer.Message = strings.ReplaceAll(answer.Message, string(r.openID), r.openID.String())
	return answer
}

const codeNoConsent = 43101

// answerTo says what an error means for the message, again for one whose first copy may have been taken.
func answerTo(err error, again bool) notify.Answer {
	answer := notify.Answer{Outcome: notify.Unknown, Message: Redact(err).Error()}
	var refused *APIError
	var lost *TransportError
	switch {
	case errors.As(err, &refused):
		answerRefused(&answer, refused, again)
	case errors.As(err, &lost) && !lost.Written:
		answer.Outcome, answer.Verdict, answer.RetryAfter = notify.NotSent, notify.RetryLater, 2*time.Second
	case errors.As(err, &lost) && lost.Status >= 400 && lost.Status < 500 && lost.Status != http.StatusRequestTimeout:
		// Something before WeChat turned the request away: WeChat answers 200 even to what it refuses.
		answer.Outcome, answer.Verdict, answer.RetryAfter = notify.Refused, notify.RetryLater, 10*time.Second
		answer.Code = fmt.Sprintf("http.%d", lost.Status)
	}
	return answer
}

// answerRefused fills in what WeChat's no means.
func answerRefused(answer *notify.Answer, no *APIError, again bool) {
	ruling := Classify(no.Code)
	answer.Outcome, answer.Verdict, answer.RetryAfter = notify.Refused, ruling.Verdict, ruling.After
	answer.Common = ruling.Common
	answer.Code, answer.Message, answer.RequestID = fmt.Sprint(no.Code), redactText(no.Msg), no.Rid
	switch {
	case no.Path == tokenPath:
		// No token, so the message wasn't looked at. What doesn't pass by itself stops the campaign; of an
		// earlier copy this says nothing.
		if ruling.Verdict != notify.RetryLater {
			answer.Verdict = notify.Halt
		}
		if again || answer.Verdict == notify.RetryLater {
			answer.Outcome = notify.NotSent
		}
	case ruling.Verdict == "":
		answer.Outcome = notify.Accepted
	}
}

// Say sends a customer message outside any campaign: an answer that missed its reply, a worker's answer.
// It is sent once; after an unknown outcome it is not sent again.
func (c *Client) Say(ctx context.Context, to register.OpenID, text string) error {
	body, err := newCustomerText(to, text)
	if err != nil {
		return err
	}
	return c.post(ctx, customerPath, body, &sent{})
}
