package aliyun

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dyvmsapi"

	"github.com/lingjuli/lingjuli/notify"
)

const (
	voiceEndpoint   = "https://dyvmsapi.aliyuncs.com"
	voiceOutIDLimit = 15 // "1 to 15 bytes" (help.aliyun.com 114035)

	// How a text is read to people who hear badly: three times, slowly, loud. Speed is from -500 to 500.
	playTimes = 3
	speed     = -150
	volume    = 100
)

// Voice calls by telephone through one account: a text that is read out, or a recorded file. Safe for concurrent use.
type Voice struct {
	gate
	showNumber string
}

var _ notify.Sender = (*Voice)(nil)

// NewVoice prepares an account. Nothing is sent. showNumber is the number that people see calling; empty: one of the
// vendor's shared ones, which phones often show as a nuisance. The signature name is not looked at.
func NewVoice(c Config, showNumber string) (*Voice, error) {
	g, err := newGate(c, voiceEndpoint, func(region string, cfg *sdk.Config, key auth.Credential) (*sdk.Client, error) {
		client, err := dyvmsapi.NewClientWithOptions(region, cfg, key)
		if err != nil {
			return nil, err
		}
		return &client.Client, nil
	})
	if err != nil {
		return nil, err
	}
	return &Voice{gate: g, showNumber: showNumber}, nil
}

// Sign makes the request of a call: SingleCallByVoice where the member has a recording, else SingleCallByTts. It is
// never presented twice: the first copy may be ringing. ErrBadCall says what is wrong with the call.
func (v *Voice) Sign(_ context.Context, call notify.Outgoing) (notify.Request, error) {
	if err := checkVoice(call); err != nil {
		return nil, fmt.Errorf("sign call %d: %w", call.ID, err)
	}
	r := &request{gate: &v.gate, judge: listedVoice, answer: voiceReply}
	question := v.readOut(call)
	if file := call.Members[0].Record; file != "" {
		question = v.playFile(call, file)
	}
	var err error
	if r.wire, err = v.sign(question); err != nil {
		return nil, fmt.Errorf("sign call %d: %w", call.ID, err)
	}
	return r, nil
}

func checkVoice(call notify.Outgoing) error {
	switch {
	case call.Channel != notify.Voice:
		return fmt.Errorf("%w: channel %q", ErrBadCall, call.Channel)
	case call.Template.Voice == nil || call.Template.Voice.Code == "":
		return fmt.Errorf("%w: template %q has no voice code", ErrBadCall, call.Template.Key)
	case call.OutID == "" || len(call.OutID) > voiceOutIDLimit:
		return fmt.Errorf("%w: OutID of %d bytes", ErrBadCall, len(call.OutID))
	case len(call.Members) != 1:
		return fmt.Errorf("%w: %d members, a call has one", ErrBadCall, len(call.Members))
	case !digits(string(call.Members[0].Phone)):
		return fmt.Errorf("%w: the phone of person %d is none", ErrBadCall, call.Members[0].PersonID)
	}
	return nil
}

func (v *Voice) readOut(call notify.Outgoing) requests.AcsRequest {
	r := dyvmsapi.CreateSingleCallByTtsRequest()
	r.CalledNumber = string(call.Members[0].Phone)
	r.CalledShowNumber = v.showNumber
	r.TtsCode = call.Template.Voice.Code
	if params := call.Members[0].Params; len(params) > 0 {
		r.TtsParam = asJSON(params)
	}
	r.PlayTimes, r.Speed, r.Volume = requests.NewInteger(playTimes), requests.NewInteger(speed), requests.NewInteger(volume)
	r.OutId = call.OutID
	return r
}

func (v *Voice) playFile(call notify.Outgoing, file string) requests.AcsRequest {
	r := dyvmsapi.CreateSingleCallByVoiceRequest()
	r.CalledNumber = string(call.Members[0].Phone)
	r.CalledShowNumber = v.showNumber
	r.VoiceCode = file
	r.PlayTimes, r.Volume = requests.NewInteger(playTimes), requests.NewInteger(volume)
	r.OutId = call.OutID
	return r
}

// voiceReply reads what both actions answer in the same shape.
func voiceReply() (responses.AcsResponse, func() reply) {
	r := dyvmsapi.CreateSingleCallByTtsResponse()
	return r, func() reply { return reply{r.Code, r.Message, r.RequestId, r.CallId} }
}

const (
	whyVoice      = "the text or the recording is not approved, or a value in it is refused"
	whyShowNumber = "the calling number is not ours, or does not fit the template"
	whyCallHours  = "the platform makes no calls at this hour"
	whyNotDialled = "the platform could not make the call"
)

// listedVoice is the table of the voice product (help.aliyun.com 178344); what it doesn't list means what it means for
// texts.
func listedVoice(code string) (notify.Verdict, string) {
	switch code {
	case "isv.TTS_TEMPLATE_ILLEGAL", "isv.TEMPLATE_ILLEGAL", "isv.TEMPLATE_PARAMS_ILLEGAL", "isv.BLACK_KEY_CONTROL_LIMIT":
		return notify.Halt, whyVoice
	case "isv.DISPLAY_NUMBER_ILLEGAL", "isv.BILLID_NOT_EXIST":
		return notify.Halt, whyShowNumber
	case "isv.COMPLAINT_REJECT":
		return notify.MemberFinal, whyNumber
	case "isv.VOICE_CALL_PERIOD_ERROR", "isv.VOICE_ROBOT_NOT_PERIOD":
		return notify.MemberLater, whyCallHours
	case "isv.VOICE_CALL_FAIL":
		return notify.RetryLater, whyNotDialled
	}
	return listed(code)
}

// The hours in which the platform may be expected to call, in the vendor's zone.
const (
	callsFrom  = 9
	callsUntil = 20
)

// nextCallHour is how long to wait after a refusal for the hour: until the morning, or an hour where it is day and the
// platform's hours are others than we know.
func nextCallHour(now time.Time) time.Duration {
	local := now.In(vendorZone())
	if h := local.Hour(); h >= callsFrom && h < callsUntil {
		return time.Hour
	}
	day := local.Day()
	if local.Hour() >= callsUntil {
		day++
	}
	return time.Date(local.Year(), local.Month(), day, callsFrom, 0, 0, 0, vendorZone()).Sub(now)
}

// Ping shows that the platform is there, knows our key and lets us ask, by asking for a call that need not exist.
// *APIError says what is broken.
func (v *Voice) Ping(ctx context.Context) error {
	question := dyvmsapi.CreateQueryCallDetailByCallIdRequest()
	question.CallId = "0"
	question.ProdId = requests.NewInteger(voiceProduct)
	question.QueryDate = requests.NewInteger64(v.now().UnixMilli())
	answer := dyvmsapi.CreateQueryCallDetailByCallIdResponse()
	if err := v.ask(ctx, question, answer); err != nil {
		var refused *APIError
		if errors.As(err, &refused) && (strings.HasPrefix(refused.Code, "isv.") || strings.HasPrefix(refused.Code, "InvalidAction")) {
			return v.blocked(refused)
		}
		return err
	}
	if !plainCode(answer.Code) {
		return &APIError{Action: question.GetActionName(), Reason: "an answer without a code: is this the platform?"}
	}
	return v.blocked(v.refusal(question.GetActionName(), http.StatusOK, answer.Code, answer.RequestId))
}

// voiceProduct is "text-to-speech notices" among the products whose calls can be asked about.
const voiceProduct = 11000000300006

// blocked is the refusal where it is about the account rather than the question.
func (v *Voice) blocked(refused *APIError) error {
	switch _, why := listed(refused.Code); why {
	case whyAccount, whyMoney, whyCredentials, whyClock:
		return refused
	}
	return nil
}
