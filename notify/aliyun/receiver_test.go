package aliyun

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lingjuli/lingjuli/notify"
)

type kept struct {
	reports []notify.Report
	replies []notify.ReplySMS
	err     error
	ctxErr  error
}

func (k *kept) StoreReports(ctx context.Context, r []notify.Report) error {
	k.ctxErr = ctx.Err()
	k.reports = append(k.reports, r...)
	return k.err
}

func (k *kept) StoreReplies(_ context.Context, r []notify.ReplySMS) error {
	k.replies = append(k.replies, r...)
	return k.err
}

func push(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestAPushIsKeptAndAnswered(t *testing.T) {
	sink := &kept{}
	h := ReceiptHandler([]string{"new-secret", "old-secret"}, sink)
	for path, body := range map[string]string{
		"/aliyun/new-secret/sms-report":   vendorsReport,
		"/aliyun/old-secret/sms-report":   "[1," + vendorsReport[1:],
		"/aliyun/new-secret/voice-report": `[{"callee":"13800000001","status_code":"200000","out_id":"v"}]`,
		"/aliyun/new-secret/sms-up":       `[{"phone_number":"13800000001","content":"R"}]`,
	} {
		w := push(h, "POST", path, body)
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"code":0,`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if len(sink.reports) != 3 || len(sink.replies) != 1 {
		t.Errorf("%d reports, %d replies", len(sink.reports), len(sink.replies))
	}
	if w := push(h, "POST", "/aliyun/new-secret/sms-report", "[]"); w.Code != 200 || len(sink.reports) != 3 {
		t.Errorf("nothing: %d", w.Code)
	}
}

func TestAWrongSecretIsNotFoundWhateverElseIsRight(t *testing.T) {
	sink := &kept{}
	h := ReceiptHandler([]string{"secret", ""}, sink)
	for _, path := range []string{
		"/aliyun/wrong/sms-report", "/aliyun/secre/sms-report", "/aliyun/secret2/sms-up", "/aliyun/%20/voice-report",
		"/aliyun/secret/other", "/aliyun/secret", "/aliyun/", "/sms-report", "/aliyun/secret/sms-report/x",
	} {
		for _, method := range []string{"POST", "GET"} {
			if w := push(h, method, path, vendorsReport); w.Code != 404 {
				t.Errorf("%s %s: %d", method, path, w.Code)
			}
		}
	}
	if w := push(ReceiptHandler(nil, sink), "POST", "/aliyun//sms-report", vendorsReport); w.Code == 200 {
		t.Error("no secret at all is a secret")
	}
	if w := push(h, "GET", "/aliyun/secret/sms-report", ""); w.Code != 405 {
		t.Errorf("GET: %d", w.Code)
	}
	if len(sink.reports) > 0 {
		t.Error("something was kept")
	}
}

func TestWhatCannotBeReadOrKeptIsSaidSo(t *testing.T) {
	sink := &kept{}
	h := ReceiptHandler([]string{"secret"}, sink)
	for name, body := range map[string]string{
		"no JSON": "hello", "cut off": vendorsReport[:50], "nothing good": `[1,2,{}]`,
		"too long": "[" + strings.Repeat(" ", pushLimit) + "]",
	} {
		if w := push(h, "POST", "/aliyun/secret/sms-report", body); w.Code != 400 || len(sink.reports) > 0 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	sink.err = errors.New("disk full")
	if w := push(h, "POST", "/aliyun/secret/sms-report", vendorsReport); w.Code != 500 {
		t.Errorf("not kept: %d", w.Code)
	}
}

func TestAVendorThatHangsUpLosesNothing(t *testing.T) {
	sink := &kept{}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	r := httptest.NewRequest("POST", "/aliyun/secret/sms-report", strings.NewReader(vendorsReport)).WithContext(gone)
	ReceiptHandler([]string{"secret"}, sink).ServeHTTP(httptest.NewRecorder(), r)
	if len(sink.reports) != 1 || sink.ctxErr != nil {
		t.Errorf("%d kept, %v", len(sink.reports), sink.ctxErr)
	}
}
