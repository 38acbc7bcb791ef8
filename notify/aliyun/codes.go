package aliyun

import (
	"net/http"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// retrySoon is how long a refusal of the system's own making is waited out; the caller backs off from there.
const retrySoon = time.Second

// Plain words for the classes of codes.
const (
	whyCredentials = "the platform does not know this access key, or its secret is wrong"
	whyClock       = "the platform finds the time in the request too old or too new: check the clock"
	whyAccount     = "the account may not send: not opened, frozen, no permission, or an address outside the mainland"
	whyMoney       = "the account is out of money or out of service"
	whySignature   = "the signature is not approved for this message"
	whyTemplate    = "the template is not approved, or not for this kind of message"
	whyTotal       = "the account's own daily or monthly limit is reached"
	whyRequest     = "the platform finds the request itself wrong"
	whyPhoneLimit  = "this number has had its share of messages for now"
	whyNumber      = "the platform refuses this number"
	whyOptedOut    = "this number has opted out at the platform"
	whyData        = "a value for this person does not fit the template"
	whyBusy        = "the platform is busy"
	whyThrottled   = "too many requests at once"
	whySpent       = "the platform has seen these bytes before"
	whyUnlisted    = "a code that is not on our list: look it up before going on"
	whyUnclear     = "the platform's answer does not say whether it took the message"
)

// judge turns the platform's code into what may be done next, wherever the code stood: in the body of a 200
// or in a gateway's 4xx or 5xx. The list and its sources: help.aliyun.com 101346, 101347, 48054 and 434846.
func judge(status int, code, message string, now time.Time) notify.Answer {
	return judgment(listed).of(status, code, message, now)
}

// judgment is a product's table of codes; what stands in none is judged by its family.
type judgment func(code string) (notify.Verdict, string)

// of is judge by this table.
func (j judgment) of(status int, code, message string, now time.Time) notify.Answer {
	if !plainCode(code) {
		return notify.Answer{Outcome: notify.Unknown, Message: whyUnclear}
	}
	if code == "OK" {
		if status >= http.StatusMultipleChoices {
			return notify.Answer{Outcome: notify.Unknown, Message: whyUnclear}
		}
		return notify.Answer{Outcome: notify.Accepted, Code: code}
	}
	verdict, why := j(code)
	if verdict == "" {
		verdict, why = unlisted(status, code)
	}
	answer := notify.Answer{
		Outcome: notify.Refused, Verdict: verdict, Code: code, Message: why,
		OfPhone: why == whyNumber || why == whyOptedOut, Common: common(verdict, code, why),
	}
	switch verdict {
	case "":
		answer.Outcome = notify.Unknown
	case notify.RetryLater, notify.MemberLater:
		answer.RetryAfter = pauseFor(why, message, now)
	}
	return answer
}

// common says of a refusal that one person gets whether it may meet everybody: the template was changed since, or its words
// are refused. isv.BLACK_KEY_CONTROL_LIMIT is of a number, and was of words before.
func common(verdict notify.Verdict, code, why string) bool {
	return verdict == notify.MemberFinal && (why == whyData || code == "isv.BLACK_KEY_CONTROL_LIMIT")
}

// redialSoon is how long a call that could not be made waits: the platform makes one a minute to a number.
const redialSoon = 2 * time.Minute

// pauseFor is how long to wait after a refusal that passes.
func pauseFor(why, message string, now time.Time) time.Duration {
	switch why {
	case whyPhoneLimit:
		return phoneLimit(message, now)
	case whyCallHours:
		return nextCallHour(now)
	case whyNotDialled:
		return redialSoon
	}
	return retrySoon
}

// listed is the table. A code that is on it means the same under any HTTP status.
func listed(code string) (notify.Verdict, string) {
	switch code {
	case "isv.BUSINESS_LIMIT_CONTROL":
		return notify.MemberLater, whyPhoneLimit

	case "isv.MOBILE_NUMBER_ILLEGAL", "isv.BLACK_KEY_CONTROL_LIMIT":
		return notify.MemberFinal, whyNumber
	case "isv.CUSTOMER_REFUSED":
		return notify.OptedOutThere, whyOptedOut
	case "isv.TEMPLATE_MISSING_PARAMETERS", "isv.INVALID_JSON_PARAM", "isv.PARAM_LENGTH_LIMIT", "isv.PARAM_NOT_SUPPORT_URL",
		"isv.TEMPLATE_PARAMS_ILLEGAL", "isv.UNSUPPORTED_CONTENT", "isv.SMS_CONTENT_ILLEGAL":
		return notify.MemberFinal, whyData

	case "isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_SIGN_ILLEGAL", "isv.SIGN_STATE_ILLEGAL", "isv.SIGN_NAME_ILLEGAL",
		"isv.SMS_SIGNATURE_SCENE_ILLEGAL", "isv.EXTEND_CODE_ERROR", "isv.ONE_CODE_MULTIPLE_SIGN":
		return notify.Halt, whySignature
	case "isv.SMS_TEMPLATE_ILLEGAL", "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE", "isv.DOMESTIC_NUMBER_NOT_SUPPORTED":
		return notify.Halt, whyTemplate
	case "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE":
		return notify.Halt, whyMoney
	case "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL":
		return notify.Halt, whyTotal
	case "isv.ACCOUNT_NOT_EXISTS", "isv.ACCOUNT_ABNORMAL", "isv.PRODUCT_UN_SUBSCRIPT", "isv.PRODUCT_UNSUBSCRIBE",
		"isv.SECURITY_FROZEN_ACCOUNT", "isv.DENY_IP_RANGE", "isp.RAM_PERMISSION_DENY":
		return notify.Halt, whyAccount
	case "isv.INVALID_PARAMETERS", "isv.MOBILE_COUNT_OVER_LIMIT", "InvalidVersion", "InvalidAction.NotFound":
		return notify.Halt, whyRequest
	case "SignatureDoesNotMatch", "IncompleteSignature", "MissingAccessKeyId":
		return notify.Halt, whyCredentials
	case "InvalidTimeStamp.Expired", "InvalidTimeStamp.Format":
		return notify.Halt, whyClock

	case "isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR":
		return notify.RetryLater, whyBusy
	case "SignatureNonceUsed":
		return notify.BytesSpent, whySpent
	}
	switch { // families, named in full by the vendor
	case code == "Throttling" || strings.HasPrefix(code, "Throttling."):
		return notify.RetryLater, whyThrottled
	case strings.HasPrefix(code, "InvalidAccessKeyId.") || strings.HasPrefix(code, "InvalidSecurityToken."):
		return notify.Halt, whyCredentials
	}
	return "", ""
}

// unlisted guesses by the code's family, on the side that sends nothing twice: under a 5xx, which may come
// from behind the gate, anything may have happened (no verdict).
func unlisted(status int, code string) (notify.Verdict, string) {
	family := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(code, p) {
				return true
			}
		}
		return false
	}
	switch {
	case status >= http.StatusInternalServerError, code == "InternalError", code == "ServiceUnavailable":
		return "", whyUnclear
	case family("isp."):
		return notify.RetryLater, whyBusy
	case family("isv.SIGN", "isv.SMS_SIGN"):
		return notify.Halt, whySignature
	case family("isv.SMS_", "isv.TEMPLATE"):
		return notify.Halt, whyTemplate
	case family("isv.PRODUCT", "isv.ACCOUNT", "Forbidden"):
		return notify.Halt, whyAccount
	case family("Missing", "Invalid"):
		return notify.Halt, whyRequest
	}
	return notify.Halt, whyUnlisted
}

// plainCode tells a code from a proxy's number or page.
func plainCode(code string) bool {
	if code == "" || len(code) > 80 || code[0] >= '0' && code[0] <= '9' {
		return false
	}
	for _, r := range code {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '.' && r != '_' && r != '-' {
			return false
		}
	}
	return true
}

// phoneLimit reads which limit was met. Minutes and hours are natural ones, a day is 24 h
// (help.aliyun.com 44335): "\u89e6\u53d1 minute|hour|day \u7ea7\u6d41\u63a7Permits:N".
func phoneLimit(message string, now time.Time) time.Duration {
	message = strings.ToLower(message)
	switch {
	case strings.Contains(message, "\u5206\u949f") || strings.Contains(message, "minute"):
		return 2 * time.Minute
	case strings.Contains(message, "\u5929") || strings.Contains(message, "day"):
		return 24 * time.Hour
	}
	return now.Truncate(time.Hour).Add(time.Hour).Sub(now)
}
