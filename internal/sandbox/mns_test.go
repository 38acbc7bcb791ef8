package sandbox

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dybaseapi"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dybaseapi/mns"
)

const reportQueue = "Alicom-Queue-1000000000000001-SmsReport"

// queueDesk is the vendor's own clients at the stand-in.
type queueDesk struct {
	t    *testing.T
	s    *Sandbox
	host string
	port string
}

func newQueueDesk(t *testing.T, receipts Receipts) *queueDesk {
	t.Helper()
	whole := countySMS()
	receipts.Queued = true
	whole.Receipts = receipts
	s := open(t, Config{Aliyun: whole})
	web := httptest.NewServer(s.AliyunHandler())
	t.Cleanup(web.Close)
	host, port, err := net.SplitHostPort(strings.TrimPrefix(web.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return &queueDesk{t, s, host, port}
}

func (d *queueDesk) token(kind, queue string) *dybaseapi.QueryTokenForMnsQueueResponse {
	d.t.Helper()
	c, err := dybaseapi.NewClientWithAccessKey("cn-hangzhou", "LTAI5sandbox", "very secret")
	if err != nil {
		d.t.Fatal(err)
	}
	c.Domain = net.JoinHostPort(d.host, d.port)
	r := dybaseapi.CreateQueryTokenForMnsQueueRequest()
	r.MessageType, r.QueueName = kind, queue
	answer, err := c.QueryTokenForMnsQueue(r)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer
}

func (d *queueDesk) client(queue string) *mns.Queue {
	d.t.Helper()
	kind, _ := kindOfQueue(queue)
	dto := d.token(kind, queue).MessageTokenDTO
	c, err := mns.NewClientWithStsToken("cn-hangzhou", dto.AccessKeyId, dto.AccessKeySecret, dto.SecurityToken)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *queueDesk) receive(c *mns.Queue, queue string, n, wait int) ([]mns.Message, error) {
	r := mns.CreateBatchReceiveMessageRequest()
	r.QueueName, r.NumOfMessages, r.WaitSeconds = queue, requests.NewInteger(n), requests.NewInteger(wait)
	r.SetDomain(d.host)
	r.Scheme, r.Port = "http", d.port
	answer, err := c.BatchReceiveMessage(r)
	return answer.Message, err
}

func (d *queueDesk) remove(c *mns.Queue, queue string, handles ...string) error {
	r := mns.CreateBatchDeleteMessageRequest()
	r.QueueName = queue
	r.SetReceiptHandles(handles)
	r.SetDomain(d.host)
	r.Scheme, r.Port = "http", d.port
	_, err := c.BatchDeleteMessage(r)
	return err
}

// saidNo gives status and text of a refusal.
func saidNo(err error) string {
	var refused *sdkerrors.ServerError
	if !errors.As(err, &refused) {
		return fmt.Sprint(err)
	}
	code := refused.Message()
	if _, rest, ok := strings.Cut(code, "<Code>"); ok {
		code, _, _ = strings.Cut(rest, "</Code>")
	}
	return fmt.Sprint(refused.HttpStatus(), " ", code)
}

func TestTheVendorsQueueClientPullsReceiptsUntilItDeletesThem(t *testing.T) {
	d := newQueueDesk(t, Receipts{QueueHiddenSeconds: 0.3})
	c := d.client(reportQueue)
	if _, err := d.receive(c, reportQueue, 10, 0); saidNo(err) != "404 MessageNotExist" {
		t.Fatal(saidNo(err))
	}
	b := &sender{t: t, s: d.s, clock: &clock{at: time.Now()}}
	b.batch("SMS_1001", dueParams, "13800000001", "13800000002", "13800000003")
	var got []mns.Message
	await(t, "all receipts", func() bool {
		list, err := d.receive(c, reportQueue, 2, 1)
		if err != nil && saidNo(err) != "404 MessageNotExist" {
			t.Fatal(saidNo(err))
		}
		if len(list) > 2 {
			t.Errorf("%d messages, 2 were asked for", len(list))
		}
		got = append(got, list...)
		return len(got) >= 3
	})
	body, err := base64.StdEncoding.DecodeString(got[0].MessageBody)
	if err != nil || !strings.HasPrefix(string(body), `{"phone_number":"13800000001"`) || got[0].DequeueCount != 1 || got[0].EnqueueTime == 0 {
		t.Errorf("%s %+v %v", body, got[0], err)
	}
	if sum := md5.Sum(body); strings.ToUpper(hex.EncodeToString(sum[:])) != got[0].MessageBodyMD5 {
		t.Error("MessageBodyMD5 is not that of the body")
	}
	// Undeleted, it comes again; its old handle is good no more.
	old := got[0].ReceiptHandle
	newest := map[string]mns.Message{} // they were given out at different moments, and come back so
	await(t, "them again", func() bool {
		list, _ := d.receive(c, reportQueue, 16, 0)
		for _, m := range list {
			newest[m.MessageId] = m
		}
		return len(newest) == 3
	})
	again := slices.Collect(maps.Values(newest))
	if err := d.remove(c, reportQueue, old); saidNo(err) != "404 ReceiptHandleError" {
		t.Error(saidNo(err))
	}
	if err := d.remove(c, reportQueue, again[0].ReceiptHandle, again[1].ReceiptHandle, again[2].ReceiptHandle); err != nil {
		t.Error(saidNo(err))
	}
	if n := d.s.carrier.queues.waiting(); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

func TestAQueueOpensToItsOwnTokenOnly(t *testing.T) {
	d := newQueueDesk(t, Receipts{QueueTokenSeconds: 1.5})
	for _, c := range []struct{ kind, queue string }{{"SmsUp", reportQueue}, {"SmsReport", "Alicom-Queue-x-SmsReport"}, {"Other", "Alicom-Queue-1-Other"}} {
		if got := d.token(c.kind, c.queue); got.Code == "OK" {
			t.Errorf("a token for %s of kind %s", c.queue, c.kind)
		}
	}
	other := strings.Replace(reportQueue, "SmsReport", "SmsUp", 1)
	c := d.client(other)
	if _, err := d.receive(c, reportQueue, 1, 0); saidNo(err) != "403 AccessDenied" {
		t.Error(saidNo(err))
	}
	dto := d.token("SmsReport", reportQueue).MessageTokenDTO
	for want, change := range map[string][3]string{
		"403 SignatureDoesNotMatch": {dto.AccessKeyId, "wrong", dto.SecurityToken}, "403 InvalidSecurityToken": {dto.AccessKeyId, dto.AccessKeySecret, "wrong"},
		"403 AccessIDAuthError": {"wrong", dto.AccessKeySecret, dto.SecurityToken},
	} {
		bad, err := mns.NewClientWithStsToken("cn-hangzhou", change[0], change[1], change[2])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.receive(bad, reportQueue, 1, 0); saidNo(err) != want {
			t.Errorf("%s, want %s", saidNo(err), want)
		}
	}
	await(t, "the token's end", func() bool {
		_, err := d.receive(c, other, 1, 0)
		return saidNo(err) == "403 InvalidSecurityToken.Expired"
	})
}

func TestRepliesAndCallsAreQueuedToo(t *testing.T) {
	d := newQueueDesk(t, Receipts{})
	if err := d.s.ReplySMS("13800000001", "退订"); err != nil {
		t.Fatal(err)
	}
	(&sender{t: t, s: d.s, clock: &clock{at: time.Now()}}).dial("13800000002", "o1")
	for kind, want := range map[string]string{"SmsUp": `"content":"退订"`, "VoiceReport": `"out_id":"o1"`} {
		queue := "Alicom-Queue-7-" + kind
		list, err := d.receive(d.client(queue), queue, 16, 5)
		if err != nil || len(list) != 1 {
			t.Fatal(kind, len(list), saidNo(err))
		}
		if body, _ := base64.StdEncoding.DecodeString(list[0].MessageBody); !strings.Contains(string(body), want) {
			t.Errorf("%s: %s", kind, body)
		}
	}
}
