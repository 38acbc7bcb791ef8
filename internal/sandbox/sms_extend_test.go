package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"
)

// extending is a text to each phone through the vendor's own client, with extension numbers.
func extending(t *testing.T, s *Sandbox, outID string, codes []string, signs ...string) (code, bizID string) {
	t.Helper()
	phones := phonesFrom(1, len(codes))
	r := batch("SMS_1001", outID, phones, strings.Split("张三,李四,王五", ",")[:len(codes)])
	if len(signs) > 0 {
		r.SignNameJson = fmt.Sprintf("[%q,%q]", signs[0], signs[1])
	}
	r.SmsUpExtendCodeJson = `["` + strings.Join(codes, `","`) + `"]`
	a, err := sdkClient(t, s, "very secret").SendBatchSms(r)
	if err != nil {
		t.Fatal(err)
	}
	return a.Code, a.BizId
}

// replied is the dest_code of the last reply from the first phone.
func replied(t *testing.T, s *Sandbox, bizID string) string {
	t.Helper()
	phone := phonesFrom(1, 1)[0]
	if err := s.AnswerSMS(phone, bizID, "1"); err != nil {
		t.Fatal(err)
	}
	list := s.Replies(phone)
	return list[len(list)-1].DestCode
}

func TestAReplyComesBackWithTheNumberThatItsTextWentOutWith(t *testing.T) {
	cfg := countySMS()
	cfg.ExtendCodes = []string{"90998", "90999", "7"}
	s := open(t, Config{Aliyun: cfg})
	_, first := extending(t, s, "a", []string{"90998", "7", ""})
	_, second := extending(t, s, "b", []string{"90999"})
	_, bare := extending(t, s, "c", []string{""})
	own := replied(t, s, bare)
	if len(own) != 4 || own != ownCode("青禾县人社") {
		t.Errorf("the signature's own number is %q", own)
	}
	for bizID, want := range map[string]string{first: "90998", second: "90999", "": own} {
		if got := replied(t, s, bizID); got != want {
			t.Errorf("%q came back with %q, want %q", bizID, got, want)
		}
	}
	if err := s.AnswerSMS(phonesFrom(2, 1)[0], second, "1"); err == nil {
		t.Error("a text that the phone did not get was answered")
	}
	one := sdkClient(t, s, "very secret")
	single := dysmsapi.CreateSendSmsRequest()
	single.PhoneNumbers, single.SignName, single.TemplateCode, single.TemplateParam = "13800000001", "青禾县人社", "SMS_2001", `{"code":"123456"}`
	single.SmsUpExtendCode = "7"
	if a, err := one.SendSms(single); err != nil || a.Code != "OK" || replied(t, s, "") != "7" {
		t.Errorf("%v %v, a single text does not carry its number", a.Code, err)
	}
}

func TestAnOrdinaryAccountsNumbersHaveNoEffect(t *testing.T) {
	s := open(t, Config{Aliyun: countySMS()})
	code, bizID := extending(t, s, "a", []string{"90998"})
	if got := replied(t, s, bizID); code != "OK" || got != ownCode("青禾县人社") || s.Messages("13800000001")[0].ExtendCode != "" {
		t.Errorf("%s: a reply came back with %q", code, got)
	}
}

func TestExtensionNumbersThatTheVendorRefuses(t *testing.T) {
	cfg := countySMS()
	cfg.ExtendCodes, cfg.Signs = []string{"90998", "90999"}, append(cfg.Signs, "白河县人社")
	s := open(t, Config{Aliyun: cfg})
	for name, c := range map[string]struct {
		codes []string
		signs []string
		want  string
	}{
		"no digits":                 {[]string{"9a"}, nil, "isv.EXTEND_CODE_ERROR"},
		"too long":                  {[]string{"909980"}, nil, "isv.EXTEND_CODE_ERROR"},
		"two signatures, one call":  {[]string{"90998", "90998"}, []string{"青禾县人社", "白河县人社"}, "isv.EXTEND_CODE_ERROR"},
		"two signatures, two codes": {[]string{"90998", "90999"}, []string{"青禾县人社", "白河县人社"}, "OK"},
	} {
		if got, _ := extending(t, s, name, c.codes, c.signs...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got, _ := extending(t, s, "later", []string{"90999"}); got != "isv.EXTEND_CODE_ERROR" {
		t.Errorf("a number of another signature, in a later call: %s", got)
	}
	r := batch("SMS_1001", "uneven", phonesFrom(1, 2), []string{"张三", "李四"})
	r.SmsUpExtendCodeJson = `["90998"]`
	if a, err := sdkClient(t, s, "very secret").SendBatchSms(r); err != nil || a.Code != "isv.INVALID_PARAMETERS" {
		t.Errorf("one number for two people: %v %v", a.Code, err)
	}
}

func TestRepliesFindTheirNumberAfterARestart(t *testing.T) {
	cfg := countySMS()
	cfg.ExtendCodes = []string{"90998"}
	dir := t.TempDir()
	s := open(t, Config{Aliyun: cfg, Dir: dir})
	_, bizID := extending(t, s, "a", []string{"90998"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, Config{Aliyun: cfg, Dir: dir})
	if got := replied(t, again, bizID); got != "90998" {
		t.Errorf("came back with %q", got)
	}
}
