package aliyun

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

const (
	detailsPage  = 50 // the vendor's largest
	detailsPages = 40
)

// Look asks for one phone's messages of the days on which a request signed then may have been taken, and
// picks the one of the call. notify.ErrNoMessage where none of them is.
func (s *SMS) Look(ctx context.Context, outID string, phone register.Phone, signedAt time.Time) (notify.Found, error) {
	for _, day := range sendDays(signedAt) {
		found, err := s.lookOn(ctx, day, outID, phone)
		if !errors.Is(err, notify.ErrNoMessage) {
			return found, err
		}
	}
	return notify.Found{}, notify.ErrNoMessage
}

// sendDays names the vendor's days (UTC+8) that a request may count to: it may be taken until half an hour
// after its Timestamp, and clocks differ.
func sendDays(signedAt time.Time) []string {
	const layout = "20060102"
	first := signedAt.Add(-10 * time.Minute).In(vendorZone()).Format(layout)
	last := signedAt.Add(45 * time.Minute).In(vendorZone()).Format(layout)
	if first == last {
		return []string{first}
	}
	return []string{first, last}
}

func (s *SMS) lookOn(ctx context.Context, day, outID string, phone register.Phone) (notify.Found, error) {
	for page := 1; page <= detailsPages; page++ {
		question := dysmsapi.CreateQuerySendDetailsRequest()
		question.PhoneNumber = string(phone)
		question.SendDate = day
		question.PageSize = requests.NewInteger(detailsPage)
		question.CurrentPage = requests.NewInteger(page)
		answer := dysmsapi.CreateQuerySendDetailsResponse()
		if err := s.ask(ctx, question, answer); err != nil {
			return notify.Found{}, err
		}
		if answer.Code != "OK" {
			return notify.Found{}, s.refusal("QuerySendDetails", http.StatusOK, answer.Code, answer.RequestId)
		}
		details := answer.SmsSendDetailDTOs.SmsSendDetailDTO
		for _, d := range details {
			if d.OutId == outID && (d.PhoneNum == "" || strings.HasSuffix(d.PhoneNum, string(phone))) {
				return found(d), nil
			}
		}
		total, err := strconv.Atoi(answer.TotalCount)
		if len(details) == 0 || err == nil && page*detailsPage >= total || err != nil && len(details) < detailsPage {
			return notify.Found{}, notify.ErrNoMessage
		}
	}
	return notify.Found{}, fmt.Errorf("aliyun QuerySendDetails: more than %d messages to one number in a day", detailsPages*detailsPage)
}

func found(d dysmsapi.SmsSendDetailDTO) notify.Found {
	f := notify.Found{State: notify.FoundWaiting, SentAt: timeOf(loose(d.SendDate)), At: timeOf(loose(d.ReceiveDate))}
	if d.Content != "" { // as it was received, the signature included
		f.Segments = notify.Segments("", d.Content)
	}
	switch d.SendStatus {
	case 3:
		f.State = notify.FoundDelivered
	case 2:
		f.State, f.ErrCode = notify.FoundFailed, d.ErrCode
	}
	return f
}

// ReviewState is where the vendor's review of a template stands.
type ReviewState string

// The states of a review. ReviewUnknown: the platform knows no such template of this account.
const (
	ReviewPending  ReviewState = "in_review"
	ReviewApproved ReviewState = "approved"
	ReviewRefused  ReviewState = "refused"
	ReviewUnknown  ReviewState = "unknown"
)

// Review is what the platform says of a template.
type Review struct {
	State   ReviewState
	Content string // as it was filed, with ${variables}
	Type    notify.SMSType
	Reason  string // why it was refused, in the vendor's words
}

// TemplateState asks for one template. An error means that it could not be asked about. QuerySmsTemplate is
// being withdrawn; where it is gone GetSmsTemplate answers.
func (s *SMS) TemplateState(ctx context.Context, code string) (Review, error) {
	question := dysmsapi.CreateQuerySmsTemplateRequest()
	question.TemplateCode = code
	answer := dysmsapi.CreateQuerySmsTemplateResponse()
	err := s.ask(ctx, question, answer)
	var gone *APIError
	if errors.As(err, &gone) && strings.HasPrefix(gone.Code, "InvalidAction") {
		return s.templateByGet(ctx, code)
	}
	if err != nil {
		return unknownTemplate(err)
	}
	if answer.Code != "OK" {
		return unknownTemplate(s.refusal("QuerySmsTemplate", http.StatusOK, answer.Code, answer.RequestId))
	}
	return review(strconv.Itoa(answer.TemplateStatus), strconv.Itoa(answer.TemplateType), answer.TemplateContent, answer.Reason), nil
}

func (s *SMS) templateByGet(ctx context.Context, code string) (Review, error) {
	question := dysmsapi.CreateGetSmsTemplateRequest()
	question.TemplateCode = code
	answer := dysmsapi.CreateGetSmsTemplateResponse()
	if err := s.ask(ctx, question, answer); err != nil {
		return unknownTemplate(err)
	}
	if answer.Code != "OK" {
		return unknownTemplate(s.refusal("GetSmsTemplate", http.StatusOK, answer.Code, answer.RequestId))
	}
	return review(answer.TemplateStatus, answer.TemplateType, answer.TemplateContent, answer.AuditInfo.RejectInfo), nil
}

// unknownTemplate tells "no such template" from "could not be asked".
func unknownTemplate(err error) (Review, error) {
	var refused *APIError
	if errors.As(err, &refused) && (strings.HasPrefix(refused.Code, "isv.SMS_TEMPLATE") || strings.HasPrefix(refused.Code, "isv.TEMPLATE")) {
		return Review{State: ReviewUnknown}, nil
	}
	return Review{}, err
}

func review(status, kind, content, reason string) Review {
	r := Review{State: ReviewUnknown, Content: content, Reason: reason}
	switch status {
	case "0":
		r.State = ReviewPending
	case "1":
		r.State = ReviewApproved
	case "2":
		r.State = ReviewRefused
	}
	switch kind {
	case "0":
		r.Type = notify.SMSCode
	case "1":
		r.Type = notify.SMSNotification
	case "2":
		r.Type = notify.SMSPromotion
	}
	return r
}

// Ping shows that the platform is there, knows our key and lets us ask, by asking for a template that need
// not exist. It returns the platform's time, zero where it didn't say; *APIError says what is broken.
func (s *SMS) Ping(ctx context.Context) (time.Time, error) {
	question := dysmsapi.CreateQuerySmsTemplateRequest()
	question.TemplateCode = "SMS_0"
	answer := dysmsapi.CreateQuerySmsTemplateResponse()
	if err := s.ask(ctx, question, answer); err != nil {
		var gone *APIError
		if errors.As(err, &gone) && strings.HasPrefix(gone.Code, "InvalidAction") {
			return time.Time{}, nil // the gate opened, the question is out of use
		}
		_, err = unknownTemplate(err)
		return time.Time{}, err
	}
	at, _ := http.ParseTime(http.Header(answer.GetHttpHeaders()).Get("Date"))
	if !plainCode(answer.Code) {
		return at, &APIError{Action: "QuerySmsTemplate", Reason: "an answer without a code: is this the platform?"}
	}
	switch _, why := listed(answer.Code); why {
	case whyAccount, whyMoney, whyCredentials, whyClock:
		return at, s.refusal("QuerySmsTemplate", http.StatusOK, answer.Code, answer.RequestId)
	}
	return at, nil
}

// vendorZone is the zone of the vendor's days and times, whatever zone the machine is in.
func vendorZone() *time.Location { return time.FixedZone("UTC+8", int(vendorAhead.Seconds())) }

// vendorAhead is how far that zone's clocks are ahead of UTC.
const vendorAhead = 8 * time.Hour
