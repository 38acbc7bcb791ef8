package aliyun

import (
	"fmt"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

func TestCodesMeanTheSameWhereverTheyAppear(t *testing.T) {
	for code, want := range map[string]notify.Verdict{
		"isv.MOBILE_NUMBER_ILLEGAL": notify.MemberFinal, "isv.BLACK_KEY_CONTROL_LIMIT": notify.MemberFinal,
		"isv.PARAM_LENGTH_LIMIT": notify.MemberFinal, "isv.UNSUPPORTED_CONTENT": notify.MemberFinal,
		"isv.TEMPLATE_MISSING_PARAMETERS": notify.MemberFinal, "isv.INVALID_JSON_PARAM": notify.MemberFinal, "isv.SMS_CONTENT_ILLEGAL": notify.MemberFinal,
		"isv.CUSTOMER_REFUSED":        notify.OptedOutThere,
		"isv.BUSINESS_LIMIT_CONTROL":  notify.MemberLater,
		"isv.AMOUNT_NOT_ENOUGH":       notify.Halt,
		"isv.SMS_SIGNATURE_ILLEGAL":   notify.Halt,
		"isv.SMS_TEMPLATE_ILLEGAL":    notify.Halt,
		"isv.DAY_LIMIT_CONTROL":       notify.Halt,
		"isv.DENY_IP_RANGE":           notify.Halt,
		"isp.RAM_PERMISSION_DENY":     notify.Halt,
		"isv.INVALID_PARAMETERS":      notify.Halt,
		"SignatureDoesNotMatch":       notify.Halt,
		"InvalidAccessKeyId.NotFound": notify.Halt,
		"InvalidAccessKeyId.Inactive": notify.Halt,
		"InvalidTimeStamp.Expired":    notify.Halt,
		"isp.SYSTEM_ERROR":            notify.RetryLater,
		"isp.GATEWAY_ERROR":           notify.RetryLater,
		"Throttling":                  notify.RetryLater,
		"Throttling.User":             notify.RetryLater,
		"SignatureNonceUsed":          notify.BytesSpent,
	} {
		for _, status := range []int{200, 400, 500} {
			sim := newSimulator(t, saying(status, fmt.Sprintf(`{"Code":%q,"Message":"13800000000 张三 http://x","RequestId":"R-1"}`, code)))
			a := present(t, account(t, sim.URL), call(2))
			if a.Outcome != notify.Refused || a.Verdict != want || a.Code != code || a.RequestID != "R-1" {
				t.Errorf("%s under %d: %+v", code, status, a)
			}
			if ofPhone := map[string]bool{"isv.MOBILE_NUMBER_ILLEGAL": true, "isv.BLACK_KEY_CONTROL_LIMIT": true, "isv.CUSTOMER_REFUSED": true}[code]; a.OfPhone != ofPhone {
				t.Errorf("%s is of the phone: %v", code, a.OfPhone)
			}
			if common := want == notify.MemberFinal && code != "isv.MOBILE_NUMBER_ILLEGAL"; a.Common != common {
				t.Errorf("%s may meet everybody: %v", code, a.Common)
			}
			discreet(t, a)
		}
	}
}

func TestUnlistedCodesAreJudgedByTheirFamily(t *testing.T) {
	for code, want := range map[string]notify.Verdict{
		"isv.SIGN_OF_TOMORROW": notify.Halt, "isv.SMS_TEST_NUMBER_LIMIT": notify.Halt, "isv.TEMPLATE_X": notify.Halt,
		"isv.PRODUCT_X": notify.Halt, "isv.ACCOUNT_X": notify.Halt, "isv.NEVER_SEEN": notify.Halt, "Forbidden.RAM": notify.Halt,
		"MissingPhoneNumbers": notify.Halt, "isp.NEVER_SEEN": notify.RetryLater,
	} {
		if a := judge(200, code, "", time.Now()); a.Outcome != notify.Refused || a.Verdict != want || a.Message == "" {
			t.Errorf("%s: %+v", code, a)
		}
		if a := judge(503, code, "", time.Now()); a.Outcome != notify.Unknown {
			t.Errorf("%s under 503: %+v", code, a)
		}
	}
}

func TestAPhoneLimitSaysWhenItEnds(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 20, 0, 0, time.UTC)
	for message, want := range map[string]time.Duration{
		"触发分钟级流控Permits:1": 2 * time.Minute,
		"触发小时级流控Permits:5": 40 * time.Minute,
		"触发天级流控Permits:10": 24 * time.Hour,
		"":                 40 * time.Minute,
	} {
		if a := judge(200, "isv.BUSINESS_LIMIT_CONTROL", message, now); a.RetryAfter != want {
			t.Errorf("%q: %s", message, a.RetryAfter)
		}
	}
}
