package sandbox

import (
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// benchForms are signed SendBatchSms bodies of 100 recipients with two short variables each.
func benchForms(n int) []string {
	signs := "[" + strings.TrimSuffix(strings.Repeat(`"青禾县人社",`, 100), ",") + "]"
	forms := make([]string, n)
	for i := range forms {
		var params []string
		for k := range 100 {
			params = append(params, fmt.Sprintf(`{"name":"张三%02d","deadline":"12月31日"}`, k))
		}
		phones := phonesFrom(i*100%90_000_000, 100)
		forms[i] = signed("POST", "LTAI5sandbox", "very secret", time.Now(), strconv.Itoa(i), map[string]string{
			"Action": "SendBatchSms", "TemplateCode": "SMS_1001", "PhoneNumberJson": `["` + strings.Join(phones, `","`) + `"]`,
			"SignNameJson": signs, "TemplateParamJson": "[" + strings.Join(params, ",") + "]", "OutId": "o" + strconv.Itoa(i),
		}).Encode()
	}
	return forms
}

// BenchmarkSendBatchSms is one call of 100 recipients: signature, rules, limits, counters.
func BenchmarkSendBatchSms(b *testing.B) {
	for _, counters := range []bool{false, true} {
		b.Run("counters="+strconv.FormatBool(counters), func(b *testing.B) {
			forms := benchForms(b.N)
			s, err := New(Config{Aliyun: countySMS(), CountersOnly: counters})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			h := s.AliyunHandler()
			b.ReportAllocs()
			b.ResetTimer()
			for _, form := range forms {
				r := httptest.NewRequest("POST", "http://dysmsapi.aliyuncs.com/", strings.NewReader(form))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != 200 || !strings.Contains(w.Body.String(), `"Code":"OK"`) {
					b.Fatal(w.Body)
				}
			}
			b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "recipients/s")
		})
	}
}
