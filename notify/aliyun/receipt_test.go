package aliyun

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// https://help.aliyun.com/document_detail/101867.html, its telephone number replaced.
const vendorsReport = `[{"phone_number":"13800000001","send_time":"2017-01-01 00:00:00","report_time":"2017-01-01 00:00:09","success":true,
 "err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"1","biz_id":"12345","out_id":"67890"}]`

func TestTheVendorsReportIsRead(t *testing.T) {
	good, bad, err := DecodeReports([]byte(vendorsReport))
	if err != nil || bad != 0 || len(good) != 1 {
		t.Fatal(good, bad, err)
	}
	good[0].Raw = nil
	want := notify.Report{
		Channel: notify.SMS, OutID: "67890", Phone: "13800000001", Delivered: true, ErrCode: "DELIVERED", BizID: "12345",
		At: time.Date(2016, 12, 31, 16, 0, 9, 0, time.UTC), SentAt: time.Date(2016, 12, 31, 16, 0, 0, 0, time.UTC), Segments: 1,
	}
	if !reflect.DeepEqual(good[0], want) {
		t.Errorf("%+v", good[0])
	}
}

func TestReportsAreReadWhateverTheTypes(t *testing.T) {
	for item, want := range map[string]notify.Report{
		`{"phone_number":13800000001,"success":"true","out_id":7,"sms_size":1}`:                           {OutID: "7", Phone: "13800000001", Delivered: true, Segments: 1},
		`{"phone_number":"8613800000001","success":0,"err_code":"X","out_id":"a","new":{"a":[1]}}`:        {OutID: "a", Phone: "13800000001", ErrCode: "X"},
		`{"phone_number":"+8613800000001","err_code":"DELIVERED","out_id":null}`:                          {Phone: "13800000001", Delivered: true, ErrCode: "DELIVERED"},
		`{"phone_number":"13800000001","success":true,"err_code":"REQUEST_SUCCESS","out_id":"a"}`:         {OutID: "a", Phone: "13800000001", ErrCode: "REQUEST_SUCCESS", Unclear: true},
		`{"phone_number":"13800000001","success":false,"err_code":"NEVER_SEEN","report_time":"tomorrow"}`: {Phone: "13800000001", ErrCode: "NEVER_SEEN"},
	} {
		good, bad, err := DecodeReports([]byte("[" + item + "]"))
		if err != nil || bad != 0 || len(good) != 1 {
			t.Errorf("%s: %v %d %v", item, good, bad, err)
			continue
		}
		if string(good[0].Raw) != item {
			t.Errorf("%s: raw is %s", item, good[0].Raw)
		}
		want.Channel, good[0].Raw = notify.SMS, nil
		if !reflect.DeepEqual(good[0], want) {
			t.Errorf("%s: %+v", item, good[0])
		}
	}
}

func TestABadItemDoesNotSpoilTheGoodOnes(t *testing.T) {
	items := []string{
		`1`, `null`, `"x"`, `[]`, `{}`, `{"success":true}`, `{"phone_number":"","success":true}`, `{"phone_number":"12ab","success":true}`,
		`{"phone_number":"13800000001"}`, `{"phone_number":"13800000001","success":"perhaps"}`,
		`{"phone_number":{"a":1},"success":true}`, `{"phone_number":"13800000001","success":true,"out_id":"a\u0000b"}`,
		`{"phone_number":"13800000001","success":true,"out_id":"` + strings.Repeat("x", 300) + `"}`,
	}
	body := "[" + strings.Join(items, ",") + `,{"phone_number":"13800000001","success":true,"out_id":"a"}]`
	good, bad, err := DecodeReports([]byte(body))
	if err != nil || len(good) != 1 || bad != len(items) {
		t.Errorf("%d good, %d of %d bad, %v", len(good), bad, len(items), err)
	}
}

func TestWhatIsNoArrayIsUnreadable(t *testing.T) {
	for _, body := range []string{"", " ", "null", "true", "7", `"x"`, "[", `[{"a":1}`, "{", "[] []", "<xml/>", "\xff\xfe"} {
		if _, _, err := DecodeReports([]byte(body)); err == nil {
			t.Errorf("%q is read", body)
		}
		if _, _, err := DecodeReplies([]byte(body)); err == nil {
			t.Errorf("%q is read as replies", body)
		}
	}
	for _, body := range []string{"[]", " [ ] ", "\xef\xbb\xbf[]"} {
		if good, bad, err := DecodeReports([]byte(body)); err != nil || len(good)+bad != 0 {
			t.Errorf("%q: %v %d %v", body, good, bad, err)
		}
	}
}

func TestRepliesAreReadInTheirOldAndNewShape(t *testing.T) {
	at := time.Date(2017, 8, 31, 16, 0, 0, 0, time.UTC)
	for item, want := range map[string]notify.ReplySMS{
		`{"phone_number":"13800000001","content":" R ","send_time":"2017-09-01 00:00:00","dest_code":"1","sequence_id":"123","sign_name":"x"}`: {Phone: "13800000001", Content: "R", DestCode: "1", SequenceID: "123", At: at},
		`{"phone_number":"13800000001","content":1,"send_time":"20170901000000","dest_code":1,"sequence_id":1234567890}`:                       {Phone: "13800000001", Content: "1", DestCode: "1", SequenceID: "1234567890", At: at},
		`{"phone_number":"13800000001"}`: {Phone: "13800000001"},
	} {
		good, bad, err := DecodeReplies([]byte(item))
		if err != nil || bad != 0 || len(good) != 1 {
			t.Fatalf("%s: %v %d %v", item, good, bad, err)
		}
		good[0].Raw = nil
		if !reflect.DeepEqual(good[0], want) {
			t.Errorf("%s: %+v", item, good[0])
		}
	}
}

func TestACallHeardToTheEndIsDelivered(t *testing.T) {
	good, bad, err := DecodeVoiceReports([]byte(`[
 {"call_id":"c1","out_id":"1z","callee":"13800000001","status_code":"200000","end_time":"2017-06-01 10:00:30","duration":"30"},
 {"call_id":"c2","out_id":"20","callee":7633360000,"status_code":200002,"duration":0},
 {"call_id":"c3","out_id":"21","callee":"13800000003","status_code":"200201"},
 {"call_id":"c4","out_id":"22","callee":"13800000003"}]`))
	if err != nil || bad != 1 || len(good) != 2 {
		t.Fatal(good, bad, err)
	}
	if g := good[0]; !g.Delivered || g.Channel != notify.Voice || g.OutID != "1z" || g.BizID != "c1" || g.At.IsZero() {
		t.Errorf("%+v", g)
	}
	if g := good[1]; g.Delivered || g.ErrCode != "200002" || g.Phone != "7633360000" {
		t.Errorf("%+v", g)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(vendorsReport))
	f.Add([]byte(`[{"phone_number":13800000001,"success":"1"},{"callee":"1","status_code":1},null,[]]`))
	f.Add([]byte(`{"phone_number":"+8613800000001","content":"\u0000"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		reports, bad, err := DecodeReports(body)
		if err != nil && (len(reports) > 0 || bad > 0) {
			t.Errorf("an error beside %d reports", len(reports))
		}
		plainly, badly, plainErr := decode(body, (*smsReport).field, func(in smsReport, item []byte) (notify.Report, bool) { return in.report(item, times{}) })
		slowly, bad2, slowErr := decode(body, nil, func(in smsReport, item []byte) (notify.Report, bool) { return in.report(item, times{}) })
		if !reflect.DeepEqual(plainly, slowly) || badly != bad2 || (plainErr == nil) != (slowErr == nil) {
			t.Errorf("in one pass %+v %d %v, by encoding/json %+v %d %v", plainly, badly, plainErr, slowly, bad2, slowErr)
		}
		voice, _, _ := DecodeVoiceReports(body)
		for _, r := range append(reports, voice...) {
			sound(t, r.Phone, r.Raw, r.OutID, r.ErrCode, r.BizID)
			if r.Delivered && r.Unclear {
				t.Errorf("delivered and unclear: %+v", r)
			}
		}
		replies, _, _ := DecodeReplies(body)
		for _, r := range replies {
			sound(t, r.Phone, r.Raw, r.Content, r.DestCode, r.SequenceID)
		}
	})
}

func sound(t *testing.T, phone register.Phone, raw []byte, values ...string) {
	t.Helper()
	if !digits(string(phone)) || !json.Valid(raw) || !storable(values...) {
		t.Errorf("taken: %q %q %q", string(phone), raw, values)
	}
}

func TestTheSizeOfATextIsItsSegments(t *testing.T) {
	for size, want := range map[string]int{`"1"`: 1, `2`: 2, `"1,2,3"`: 3, `""`: 0, `"0"`: 0, `"-1"`: 0, `"many"`: 0, `"1000"`: 0, `null`: 0} {
		good, _, err := DecodeReports([]byte(`[{"phone_number":"13800000001","success":true,"send_time":"2026-11-22 23:59:59","sms_size":` + size + `}]`))
		if err != nil || len(good) != 1 || good[0].Segments != want || !good[0].SentAt.Equal(time.Date(2026, 11, 22, 15, 59, 59, 0, time.UTC)) {
			t.Errorf("%s: %+v %v", size, good, err)
		}
	}
}
