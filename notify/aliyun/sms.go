package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

const (
	defaultEndpoint = "https://dysmsapi.aliyuncs.com" // the SDK's own table leads cn-beijing to a host that isn't public
	defaultRegion   = "cn-shenzhen"
	batchLimit      = 100 // recipients of one SendBatchSms
	outIDLimit      = 255 // "fewer than 256 characters"
)

// Config is what an account needs to send.
type Config struct {
	AccessKeyID     string
	AccessKeySecret string
	Region          string           // empty: cn-shenzhen
	Endpoint        string           // https://HOST or, for a simulator, http://HOST:PORT; empty: the vendor's
	SignName        string           // the signature, with or without its brackets
	Now             func() time.Time // nil: time.Now. Judges how long a per-phone limit lasts; the SDK stamps by its own clock
}

// SMS sends by, and asks, one account. It is safe for concurrent use.
type SMS struct {
	gate
	signName string
}

var (
	_ notify.Sender = (*SMS)(nil)
	_ notify.Looker = (*SMS)(nil)
)

// ErrBadCall: the call is not one that the platform's request can hold. A bug of ours; nothing was sent.
var ErrBadCall = errors.New("aliyun: call can't be sent as it is")

// New prepares an account. Nothing is sent.
func New(c Config) (*SMS, error) {
	signName := strings.Trim(strings.TrimSpace(c.SignName), "\u3010\u3011")
	if signName == "" {
		return nil, errors.New("aliyun: a signature name is needed")
	}
	g, err := newGate(c, defaultEndpoint, func(region string, cfg *sdk.Config, key auth.Credential) (*sdk.Client, error) {
		client, err := dysmsapi.NewClientWithOptions(region, cfg, key)
		if err != nil {
			return nil, err
		}
		return &client.Client, nil
	})
	if err != nil {
		return nil, err
	}
	return &SMS{gate: g, signName: signName}, nil
}

// newGate makes a product's gate. fallback is its public endpoint.
func newGate(c Config, fallback string, open func(string, *sdk.Config, auth.Credential) (*sdk.Client, error)) (gate, error) {
	if c.AccessKeyID == "" || c.AccessKeySecret == "" {
		return gate{}, errors.New("aliyun: access key id and secret are needed")
	}
	region, now := c.Region, c.Now
	scheme, domain, err := parseEndpoint(c.Endpoint, fallback)
	if err != nil {
		return gate{}, err
	}
	if region == "" {
		region = defaultRegion
	}
	client, err := open(region, sdk.NewConfig().WithScheme(strings.ToUpper(scheme)),
		credentials.NewStaticAKCredentialsProvider(c.AccessKeyID, c.AccessKeySecret))
	if err != nil {
		return gate{}, errors.New("aliyun: the SDK takes neither these credentials nor this region")
	}
	client.Domain = domain
	if now == nil {
		now = time.Now
	}
	return gate{sdk: client, client: newHTTPClient(), scheme: scheme, domain: domain, now: now}, nil
}

func parseEndpoint(raw, fallback string) (scheme, domain string, err error) {
	if raw == "" {
		raw = fallback
	}
	if !strings.Contains(raw, "://") {
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" ||
		(u.Scheme != "https" && u.Scheme != "http") {
		return "", "", errors.New("aliyun: endpoint must be https://HOST or http://HOST:PORT")
	}
	return u.Scheme, u.Host, nil
}

// Sign makes the one request of a call: SendBatchSms, which keeps phones and names out of the URL, or SendSms
// for codes and replies, which the vendor advises against batching. ErrBadCall says what is wrong with the call.
func (s *SMS) Sign(_ context.Context, call notify.Outgoing) (notify.Request, error) {
	if err := check(call); err != nil {
		return nil, fmt.Errorf("sign call %d: %w", call.ID, err)
	}
	var signed wire
	var err error
	if single(call.Kind) {
		signed, err = s.sign(s.sendOne(call))
	} else {
		signed, err = s.sign(s.sendBatch(call))
	}
	if err != nil {
		return nil, fmt.Errorf("sign call %d: %w", call.ID, err)
	}
	// An identity code is never presented twice: the person asks for a new one sooner than we could be sure.
	return &request{wire: signed, gate: &s.gate, repeatable: call.Kind != notify.Verification, judge: listed, answer: smsReply}, nil
}

func single(k notify.Kind) bool { return k == notify.Verification || k == notify.Reply }

func check(call notify.Outgoing) error {
	limit := batchLimit
	if single(call.Kind) {
		limit = 1
	}
	switch {
	case call.Channel != notify.SMS:
		return fmt.Errorf("%w: channel %q", ErrBadCall, call.Channel)
	case call.Template.SMS == nil || call.Template.SMS.Code == "":
		return fmt.Errorf("%w: template %q has no SMS code", ErrBadCall, call.Template.Key)
	case call.OutID == "" || len(call.OutID) > outIDLimit:
		return fmt.Errorf("%w: OutID of %d bytes", ErrBadCall, len(call.OutID))
	case len(call.Members) == 0 || len(call.Members) > limit:
		return fmt.Errorf("%w: %d members, at most %d", ErrBadCall, len(call.Members), limit)
	}
	seen := make(map[register.Phone]bool, len(call.Members))
	for _, m := range call.Members {
		if !mobile(string(m.Phone)) {
			return fmt.Errorf("%w: the phone of person %d is no mobile", ErrBadCall, m.PersonID)
		}
		if seen[m.Phone] { // receipts are matched by OutID and phone
			return fmt.Errorf("%w: person %d has another member's phone", ErrBadCall, m.PersonID)
		}
		seen[m.Phone] = true
	}
	return nil
}

func mobile(phone string) bool {
	return len(phone) == 11 && phone[0] == '1' && phone[1] >= '3' && digits(phone)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func (s *SMS) sendOne(call notify.Outgoing) requests.AcsRequest {
	r := dysmsapi.CreateSendSmsRequest()
	r.PhoneNumbers = string(call.Members[0].Phone)
	r.SignName = s.signName
	r.TemplateCode = call.Template.SMS.Code
	if params := call.Members[0].Params; len(params) > 0 {
		r.TemplateParam = asJSON(params)
	}
	r.SmsUpExtendCode = call.Members[0].Extend
	r.OutId = call.OutID
	return r
}

func (s *SMS) sendBatch(call notify.Outgoing) requests.AcsRequest {
	phones, names, params := newJSONList(len(call.Members)), newJSONList(len(call.Members)), newJSONList(len(call.Members))
	codes := newJSONList(len(call.Members))
	anyParams, anyCode := false, false
	for _, m := range call.Members {
		phones.text(string(m.Phone))
		names.text(s.signName)
		params.object(m.Params)
		codes.text(m.Extend)
		anyParams, anyCode = anyParams || len(m.Params) > 0, anyCode || m.Extend != ""
	}
	r := dysmsapi.CreateSendBatchSmsRequest()
	r.PhoneNumberJson = phones.String()
	r.SignNameJson = names.String()
	if anyParams {
		r.TemplateParamJson = params.String()
	}
	if anyCode {
		r.SmsUpExtendCodeJson = codes.String()
	}
	r.TemplateCode = call.Template.SMS.Code
	r.OutId = call.OutID
	return r
}

// asJSON writes strings and maps of strings, which can't fail.
func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
