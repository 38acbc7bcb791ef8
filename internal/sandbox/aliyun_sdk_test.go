package sandbox

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dyvmsapi"
)

func countySMS() AliyunConfig {
	return AliyunConfig{
		AccessKeys: map[string]string{"LTAI5sandbox": "very secret"},
		Signs:      []string{"青禾县人社"},
		Templates: []SMSTemplate{
			{Code: "SMS_1001", Type: "notification", Content: "${name}您好，今年医保还没缴费，请在${deadline}前缴清。"},
			{Code: "SMS_2001", Type: "code", Content: "您的验证码是${code}，5分钟内有效。"},
			{Code: "SMS_3001", Type: "promotion", Content: "${name}会员您好，培训班开课了，拒收请回复R"},
		},
		Voices: []VoiceTemplate{{Code: "TTS_1001", Content: "${name}您好，医保还没缴费。"}},
	}
}

// sdkClient is the vendor's own client for Go, at the sandbox's address.
func sdkClient(t *testing.T, s *Sandbox, secret string) *dysmsapi.Client {
	t.Helper()
	server := httptest.NewServer(s.AliyunHandler())
	t.Cleanup(server.Close)
	c, err := dysmsapi.NewClientWithOptions("cn-shenzhen", sdk.NewConfig().WithScheme("HTTP"), credentials.NewStaticAKCredentialsProvider("LTAI5sandbox", secret))
	if err != nil {
		t.Fatal(err)
	}
	c.Domain = strings.TrimPrefix(server.URL, "http://")
	return c
}

func batch(template, outID string, phones, names []string) *dysmsapi.SendBatchSmsRequest {
	r := dysmsapi.CreateSendBatchSmsRequest()
	var numbers, signs, params []string
	for i, phone := range phones {
		numbers, signs = append(numbers, fmt.Sprintf("%q", phone)), append(signs, `"青禾县人社"`)
		params = append(params, fmt.Sprintf(`{"name":%q,"deadline":"12月31日"}`, names[i]))
	}
	r.PhoneNumberJson, r.SignNameJson = "["+strings.Join(numbers, ",")+"]", "["+strings.Join(signs, ",")+"]"
	r.TemplateParamJson, r.TemplateCode, r.OutId = "["+strings.Join(params, ",")+"]", template, outID
	return r
}

func TestTheVendorsClientSendsABatchAndFindsItAgain(t *testing.T) {
	s := open(t, Config{Aliyun: countySMS()})
	c := sdkClient(t, s, "very secret")
	resp, err := c.SendBatchSms(batch("SMS_1001", "out~1 *+", []string{"13800000001", "+8613800000002"}, []string{"张三", "李四"}))
	if err != nil || resp.Code != "OK" || resp.BizId == "" || resp.RequestId == "" {
		t.Fatalf("answer %+v, %v", resp, err)
	}
	got := s.Messages("13800000002")
	if len(got) != 1 || got[0].Text != "【青禾县人社】李四您好，今年医保还没缴费，请在12月31日前缴清。" || got[0].OutID != "out~1 *+" {
		t.Fatalf("messages %+v", got)
	}
	q := dysmsapi.CreateQuerySendDetailsRequest()
	q.PhoneNumber, q.SendDate = "13800000002", s.cfg.Now().In(beijing()).Format("20060102")
	q.PageSize, q.CurrentPage = requests.NewInteger(10), requests.NewInteger(1)
	details, err := c.QuerySendDetails(q)
	if err != nil || details.Code != "OK" || details.TotalCount != "1" || details.SmsSendDetailDTOs.SmsSendDetailDTO[0].OutId != "out~1 *+" {
		t.Fatalf("details %+v, %v", details, err)
	}
}

func TestAWrongSecretIsToldSoByTheVendorsClient(t *testing.T) {
	s := open(t, Config{Aliyun: countySMS()})
	c := sdkClient(t, s, "other")
	_, err := c.SendBatchSms(batch("SMS_1001", "x", []string{"13800000001"}, []string{"张三"}))
	var refused *sdkerrors.ServerError
	if !errors.As(err, &refused) || refused.ErrorCode() != "SignatureDoesNotMatch" || refused.HttpStatus() != 400 ||
		!strings.HasPrefix(refused.Recommend(), "InvalidAccessKeySecret") {
		t.Fatalf("%v", err)
	}
}

func TestTheVendorsClientReadsTemplatesSignaturesAndStatistics(t *testing.T) {
	s := open(t, Config{Aliyun: countySMS()})
	c := sdkClient(t, s, "very secret")
	if _, err := c.SendBatchSms(batch("SMS_1001", "x", []string{"13800000001"}, []string{"张三"})); err != nil {
		t.Fatal(err)
	}
	get := dysmsapi.CreateGetSmsTemplateRequest()
	get.TemplateCode = "SMS_2001"
	template, err := c.GetSmsTemplate(get)
	if err != nil || template.TemplateStatus != "1" || template.TemplateType != "0" || template.TemplateContent == "" {
		t.Fatalf("template %+v, %v", template, err)
	}
	list := dysmsapi.CreateQuerySmsTemplateListRequest()
	templates, err := c.QuerySmsTemplateList(list)
	if err != nil || templates.TotalCount != 3 || templates.SmsTemplateList[0].AuditStatus != "AUDIT_STATE_PASS" {
		t.Fatalf("templates %+v, %v", templates, err)
	}
	signs, err := c.QuerySmsSignList(dysmsapi.CreateQuerySmsSignListRequest())
	if err != nil || len(signs.SmsSignList) != 1 || signs.SmsSignList[0].SignName != "青禾县人社" {
		t.Fatalf("signs %+v, %v", signs, err)
	}
	sum := dysmsapi.CreateQuerySendStatisticsRequest()
	sum.IsGlobe, sum.PageIndex, sum.PageSize = requests.NewInteger(1), requests.NewInteger(1), requests.NewInteger(10)
	sum.StartDate = s.cfg.Now().In(beijing()).Format("20060102")
	sum.EndDate = sum.StartDate
	statistics, err := c.QuerySendStatistics(sum)
	if err != nil || statistics.Data.TotalSize != 1 || statistics.Data.TargetList[0].TotalCount != 1 {
		t.Fatalf("statistics %+v, %v", statistics, err)
	}
}

func TestTheVendorsClientCallsByTelephone(t *testing.T) {
	s := open(t, Config{Aliyun: countySMS()})
	server := httptest.NewServer(s.AliyunHandler())
	t.Cleanup(server.Close)
	c, err := dyvmsapi.NewClientWithOptions("cn-shenzhen", sdk.NewConfig().WithScheme("HTTP"), credentials.NewStaticAKCredentialsProvider("LTAI5sandbox", "very secret"))
	if err != nil {
		t.Fatal(err)
	}
	c.Domain = strings.TrimPrefix(server.URL, "http://")
	r := dyvmsapi.CreateSingleCallByTtsRequest()
	r.CalledNumber, r.TtsCode, r.TtsParam, r.OutId = "13800000001", "TTS_1001", `{"name":"张三"}`, "abc"
	resp, err := c.SingleCallByTts(r)
	if err != nil || resp.Code != "OK" || resp.CallId == "" {
		t.Fatalf("%+v, %v", resp, err)
	}
	again, err := c.SingleCallByTts(r)
	if err != nil || again.Code != "isv.BUSINESS_LIMIT_CONTROL" || again.Message != "触发分钟级流控Permits:1" {
		t.Fatalf("%+v, %v", again, err)
	}
	if calls := s.Calls("13800000001"); len(calls) != 1 || calls[0].Text != "张三您好，医保还没缴费。" {
		t.Fatalf("%+v", calls)
	}
}
