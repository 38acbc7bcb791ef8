package sandbox

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The vector is that of https://help.aliyun.com/document_detail/28839.html
func TestTheDocumentedRPCSignatureHolds(t *testing.T) {
	values, err := url.ParseQuery("Timestamp=2016-02-23T12%3A46%3A24Z&Format=XML&AccessKeyId=testid&Action=DescribeRegions&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&Version=2014-05-26&SignatureVersion=1.0")
	if err != nil {
		t.Fatal(err)
	}
	if got := rpcSignature("GET", values, "testsecret"); got != "OLeaidS1JvxuMvnyHOwuJ+uX5qY=" {
		t.Fatal(got)
	}
}

// The vector is that of https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
func TestTheDocumentedACS3SignatureHolds(t *testing.T) {
	r := httptest.NewRequest("POST", "http://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", nil)
	for name, value := range map[string]string{
		"x-acs-action": "RunInstances", "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"x-acs-date": "2023-10-26T10:22:32Z", "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d", "x-acs-version": "2014-05-26",
	} {
		r.Header.Set(name, value)
	}
	auth, ok := parseACS3("ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")
	if !ok || !auth.covers(r) {
		t.Fatal("the header is not understood")
	}
	mac := hmac.New(sha256.New, []byte("YourAccessKeySecret"))
	_, _ = mac.Write([]byte(acs3StringToSign(r, auth.signed)))
	if got := hex.EncodeToString(mac.Sum(nil)); got != auth.signature {
		t.Fatal(got)
	}
}

// signed makes a call's parameters by the page's own words, and apart from the code under test.
func signed(method, id, secret string, at time.Time, nonce string, params map[string]string) url.Values {
	v := url.Values{
		"Version": {"2017-05-25"}, "Format": {"JSON"}, "AccessKeyId": {id}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureVersion": {"1.0"}, "SignatureNonce": {nonce}, "Timestamp": {at.UTC().Format("2006-01-02T15:04:05Z")},
	}
	for name, value := range params {
		v.Set(name, value)
	}
	encode := func(s string) string {
		return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
	}
	joined := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(v.Encode())
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	_, _ = mac.Write([]byte(method + "&%2F&" + encode(joined)))
	v.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return v
}

type answerRPC struct {
	status                                             int
	Code, Message, RequestId, HostId, Recommend, BizId string
}

func postRPC(t *testing.T, h http.Handler, v url.Values) answerRPC {
	t.Helper()
	r := httptest.NewRequest("POST", "http://dysmsapi.aliyuncs.com/", strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := answerRPC{status: w.Code}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return out
}

func one(phone string) map[string]string {
	return map[string]string{"Action": "SendSms", "PhoneNumbers": phone, "SignName": "青禾县人社", "TemplateCode": "SMS_1001", "TemplateParam": `{"name":"张三","deadline":"12月31日"}`}
}

func TestTheGatewayRefusesInTheShapeAndWithTheStatusOfTheRealOne(t *testing.T) {
	now := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	s := open(t, Config{Aliyun: countySMS(), Now: func() time.Time { return now }})
	h := s.AliyunHandler()
	good := func(nonce string) url.Values {
		return signed("POST", "LTAI5sandbox", "very secret", now, nonce, one("13800000001"))
	}
	first := good("n1")
	if got := postRPC(t, h, first); got.status != 200 || got.Code != "OK" || got.BizId == "" {
		t.Fatalf("%+v", got)
	}
	changed := good("n2")
	changed.Set("PhoneNumbers", "13800000009")
	without := one("13800000001")
	delete(without, "TemplateCode")
	unknown := one("13800000001")
	unknown["Action"] = "SendPigeon"
	for name, c := range map[string]struct {
		values url.Values
		status int
		code   string
	}{
		"replayed":        {first, 400, "SignatureNonceUsed"},
		"changed":         {changed, 400, "SignatureDoesNotMatch"},
		"another secret":  {signed("POST", "LTAI5sandbox", "no", now, "n3", one("13800000001")), 400, "SignatureDoesNotMatch"},
		"unknown key":     {signed("POST", "nobody", "x", now, "n4", one("13800000001")), 404, "InvalidAccessKeyId.NotFound"},
		"too old":         {signed("POST", "LTAI5sandbox", "very secret", now.Add(-16*time.Minute), "n5", one("13800000001")), 400, "InvalidTimeStamp.Expired"},
		"of the future":   {signed("POST", "LTAI5sandbox", "very secret", now.Add(16*time.Minute), "n6", one("13800000001")), 400, "InvalidTimeStamp.Expired"},
		"lacks a field":   {signed("POST", "LTAI5sandbox", "very secret", now, "n7", without), 400, "MissingTemplateCode"},
		"unknown action":  {signed("POST", "LTAI5sandbox", "very secret", now, "n8", unknown), 404, "InvalidAction.NotFound"},
		"no signature":    {url.Values{"Action": {"SendSms"}, "Version": {"2017-05-25"}, "AccessKeyId": {"x"}}, 400, "MissingSignature"},
		"another version": {signed("POST", "LTAI5sandbox", "very secret", now, "n9", map[string]string{"Action": "SendSms", "Version": "2015-01-01"}), 400, "InvalidVersion"},
	} {
		got := postRPC(t, h, c.values)
		if got.status != c.status || got.Code != c.code || got.Message == "" || got.HostId != "dysmsapi.aliyuncs.com" || got.Recommend == "" || len(got.RequestId) != 36 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if n := s.Stats().SMS.Recipients; n != 1 {
		t.Fatal("accepted", n)
	}
	if n := s.Stats().SMS.Refused["SignatureDoesNotMatch"]; n != 2 {
		t.Fatal("counted", n)
	}
}

func TestASignatureCoversQueryAndFormTogether(t *testing.T) {
	now := time.Now()
	s := open(t, Config{Aliyun: countySMS()})
	all := signed("POST", "LTAI5sandbox", "very secret", now, "n1", one("13800000001"))
	form := url.Values{"TemplateParam": all["TemplateParam"]}
	all.Del("TemplateParam")
	r := httptest.NewRequest("POST", "http://dysmsapi.aliyuncs.com/?"+all.Encode(), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.AliyunHandler().ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `"Code":"OK"`) {
		t.Fatal(w.Body)
	}
	get := signed("GET", "LTAI5sandbox", "very secret", now, "n2", one("13800000002"))
	w = httptest.NewRecorder()
	s.AliyunHandler().ServeHTTP(w, httptest.NewRequest("GET", "http://dysmsapi.aliyuncs.com/?"+get.Encode(), nil))
	if !strings.Contains(w.Body.String(), `"Code":"OK"`) {
		t.Fatal(w.Body)
	}
}
