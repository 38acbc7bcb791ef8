package aliyun

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

func TestALookFindsTheCallsMessageAmongOthers(t *testing.T) {
	sim := newSimulator(t, func(_ string, form url.Values) (int, string) {
		page, _ := strconv.Atoi(form.Get("CurrentPage"))
		var details []map[string]any
		for i := (page - 1) * 50; i < min(page*50, 120); i++ {
			details = append(details, map[string]any{"OutId": "o" + strconv.Itoa(i), "PhoneNum": form.Get("PhoneNumber"), "SendStatus": i%3 + 1, "ErrCode": "MOBILE_IN_BLACK"})
		}
		b, _ := json.Marshal(map[string]any{"Code": "OK", "TotalCount": 120, "SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": details}})
		return 200, string(b)
	})
	s := account(t, sim.URL)
	noon := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	for outID, want := range map[string]notify.Found{
		"o0": {State: notify.FoundWaiting}, "o1": {State: notify.FoundFailed, ErrCode: "MOBILE_IN_BLACK"}, "o119": {State: notify.FoundDelivered},
	} {
		if got, err := s.Look(t.Context(), outID, "13800000000", noon); err != nil || got != want {
			t.Errorf("%s: %+v, %v", outID, got, err)
		}
	}
	before := len(sim.requests())
	if _, err := s.Look(t.Context(), "another", "13800000000", noon); !errors.Is(err, notify.ErrNoMessage) {
		t.Error(err)
	}
	pages := sim.requests()[before:]
	if len(pages) != 3 || pages[0].Get("SendDate") != "20261123" || pages[2].Get("CurrentPage") != "3" || pages[0].Get("PageSize") != "50" {
		t.Errorf("%d pages, the first %v", len(pages), pages[0])
	}
}

func TestNearMidnightBothDaysAreAsked(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.ParseInLocation(time.DateTime, s, vendorZone())
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	for when, want := range map[string][]string{
		"2026-11-23 12:00:00": {"20261123"},
		"2026-11-23 23:40:00": {"20261123", "20261124"},
		"2026-11-24 00:05:00": {"20261123", "20261124"},
		"2026-12-31 23:59:59": {"20261231", "20270101"},
	} {
		if got := sendDays(at(when)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", when, got)
		}
	}
}

func TestALookThatFailsIsNoAnswer(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		code   string
	}{
		{200, "", ""},
		{200, `{"Code":"isp.SYSTEM_ERROR"}`, "isp.SYSTEM_ERROR"},
		{400, `{"Code":"Throttling.User","RequestId":"R"}`, "Throttling.User"},
		{502, `{"Code":502}`, ""},
	} {
		_, err := account(t, newSimulator(t, saying(c.status, c.body)).URL).Look(t.Context(), "o", "13800000000", time.Now())
		var api *APIError
		if !errors.As(err, &api) || api.Code != c.code || errors.Is(err, notify.ErrNoMessage) {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
	}
	_, err := account(t, "http://127.0.0.1:1").Look(t.Context(), "o", "13800000000", time.Now())
	if err == nil || strings.Contains(err.Error(), "138") || strings.Contains(err.Error(), "http") {
		t.Errorf("%v", err)
	}
}

func TestATemplatesReviewIsTold(t *testing.T) {
	for body, want := range map[string]Review{
		`{"Code":"OK","TemplateStatus":1,"TemplateType":1,"TemplateContent":"${name}您好"}`: {State: ReviewApproved, Type: notify.SMSNotification, Content: "${name}您好"},
		`{"Code":"OK","TemplateStatus":"2","TemplateType":"2","Reason":"党政"}`:             {State: ReviewRefused, Type: notify.SMSPromotion, Reason: "党政"},
		`{"Code":"OK","TemplateStatus":0,"TemplateType":0}`:                               {State: ReviewPending, Type: notify.SMSCode},
		`{"Code":"isv.SMS_TEMPLATE_ILLEGAL","Message":"该账号下找不到对应模板"}`:                     {State: ReviewUnknown},
		`{"Code":"isv.TEMPLATE_NOT_FOUND"}`:                                               {State: ReviewUnknown},
	} {
		got, err := account(t, newSimulator(t, saying(200, body)).URL).TemplateState(t.Context(), "SMS_1")
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	if _, err := account(t, newSimulator(t, saying(200, `{"Code":"isp.RAM_PERMISSION_DENY"}`)).URL).TemplateState(t.Context(), "SMS_1"); err == nil {
		t.Error("a template that could not be asked about has a state")
	}
}

func TestTheNewerQuestionIsAskedWhereTheOlderIsGone(t *testing.T) {
	sim := newSimulator(t, func(action string, _ url.Values) (int, string) {
		if action == "QuerySmsTemplate" {
			return 404, `{"Code":"InvalidAction.NotFound","Message":"x"}`
		}
		return 200, `{"Code":"OK","TemplateStatus":"2","TemplateType":"1","AuditInfo":{"RejectInfo":"why"}}`
	})
	got, err := account(t, sim.URL).TemplateState(t.Context(), "SMS_1")
	if err != nil || got.State != ReviewRefused || got.Reason != "why" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := account(t, sim.URL).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAPingTellsABadKeyFromAGoodOne(t *testing.T) {
	for body, good := range map[string]bool{
		`{"Code":"OK"}`: true, `{"Code":"isv.SMS_TEMPLATE_ILLEGAL"}`: true, `{"Code":"isv.INVALID_PARAMETERS"}`: true,
		`{"Code":"isv.ACCOUNT_ABNORMAL"}`: false, `{"Code":"isp.RAM_PERMISSION_DENY"}`: false, `{"Code":"isv.OUT_OF_SERVICE"}`: false,
		``: false, `hello`: false,
	} {
		at, err := account(t, newSimulator(t, saying(200, body)).URL).Ping(t.Context())
		if (err == nil) != good || good && time.Since(at).Abs() > time.Minute {
			t.Errorf("%q: %v, %v", body, at, err)
		}
	}
	sim := newSimulator(t, saying(200, accepted))
	wrong, err := New(Config{AccessKeyID: "testid", AccessKeySecret: "another", Endpoint: sim.URL, SignName: "x"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = wrong.Ping(t.Context())
	var api *APIError
	if !errors.As(err, &api) || api.Code != "SignatureDoesNotMatch" || strings.Contains(err.Error(), "POST&") {
		t.Errorf("%v", err)
	}
}
