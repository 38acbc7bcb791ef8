package store

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

func someReports() []notify.Report {
	return []notify.Report{
		{Channel: notify.SMS, OutID: "A.B", Phone: "13800000001", Delivered: true, ErrCode: "DELIVERED", BizID: "1^0", At: time.UnixMicro(1).UTC(), Segments: 2, Raw: []byte(`{"a":1}`)},
		{Channel: notify.Voice, Phone: "13800000002", CallEnd: notify.HungUp, ErrCode: "200001", SentAt: time.UnixMicro(-5).UTC(), Raw: []byte(`{}`)},
		{Channel: notify.SMS, Unclear: true, ErrCode: "用户", Raw: []byte{}},
		{Channel: notify.SMS, OutID: strings.Repeat("a", 33), Raw: []byte(strings.Repeat("b", 64) + "1" + strings.Repeat("c", 65))},
		{Channel: notify.SMS, OutID: strings.Repeat("a", 70), Raw: []byte(strings.Repeat("b", 65) + "23" + strings.Repeat("c", 65))},
	}
}

func TestReceiptsAreReadAsTheyWereKeptNowAndBefore(t *testing.T) {
	list := someReports()
	inJSON, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	one, err := json.Marshal(list[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, kept := range map[string]struct {
		body []byte
		want []notify.Report
	}{"packed": {packReports(list), list}, "in JSON": {inJSON, list}, "a single one": {one, list[:1]}, "none": {packReports(nil), nil}} {
		var got []notify.Report
		if err := openReports(kept.body, true, &got); err != nil || !reflect.DeepEqual(got, kept.want) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		var plain []notify.Report
		if err := openReports(kept.body, false, &plain); err != nil || len(plain) != len(kept.want) {
			t.Errorf("%s, without what they came as: %+v %v", name, plain, err)
		}
		for i, r := range plain {
			want := kept.want[i]
			r.Raw, want.Raw = nil, nil
			if !reflect.DeepEqual(r, want) {
				t.Errorf("%s, without what they came as: %+v, want %+v", name, r, want)
			}
		}
	}
}

func FuzzKeptReceiptsThatAreBrokenNeverPanic(f *testing.F) {
	whole := packReports(someReports())
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add([]byte{reportsPacked, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		var list []notify.Report
		if openReports(body, true, &list) != nil || len(body) == 0 || body[0] != reportsPacked {
			return
		}
		var again []notify.Report
		if err := openReports(packReports(list), true, &again); err != nil || !reflect.DeepEqual(list, again) {
			t.Errorf("%+v, then %+v: %v", list, again, err)
		}
	})
}
