package aliyun

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dybaseapi"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dybaseapi/mns"

	"github.com/lingjuli/lingjuli/notify"
)

const (
	tokenEndpoint = "https://dybaseapi.aliyuncs.com"
	queueEndpoint = "https://1943695596114318.mns.cn-hangzhou.aliyuncs.com" // the vendor's own account, the same for everybody
	queueRegion   = "cn-hangzhou"

	pullMessages = 16 // the vendor's most
	pullWait     = 5  // seconds that the platform waits for the first message
	pullTimeout  = 20 * time.Second
	renewBefore  = 2 * time.Minute // of a token's end
	idlePause    = time.Second     // after an answer without messages that came at once
	faultPause   = time.Second     // after a fault, twice as long each time
	faultMost    = 30 * time.Second
)

// ErrQueueName: the name says no kind of receipt that is known here.
var ErrQueueName = errors.New("aliyun: a queue's name ends in -SmsReport, -SmsUp or -VoiceReport")

// QueueKind is the vendor's name of what a queue holds, by the queue's name.
func QueueKind(name string) (string, error) {
	for _, kind := range []string{"SmsReport", "SmsUp", "VoiceReport"} {
		if head, ok := strings.CutSuffix(name, "-"+kind); ok && head != "" {
			return kind, nil
		}
	}
	return "", fmt.Errorf("%w: %q", ErrQueueName, name)
}

// Queues pulls receipts and replies out of the vendor's queues: the second way, for those who can't be called from
// outside. It is authenticated and loses nothing: a message is deleted only when it was kept, and comes again until then.
type Queues struct {
	gate
	names []string
	sink  Sink
	log   *slog.Logger
	carry *http.Transport

	queueScheme, queueHost, queuePort string
}

// NewQueues prepares the queues of an account; c.Endpoint is where tokens are asked for, endpoint where the queues are
// (empty: the vendor's). Nothing is sent.
func NewQueues(c Config, endpoint string, names []string, sink Sink, log *slog.Logger) (*Queues, error) {
	g, err := newGate(c, tokenEndpoint, func(region string, cfg *sdk.Config, key auth.Credential) (*sdk.Client, error) {
		client, err := dybaseapi.NewClientWithOptions(region, cfg, key)
		if err != nil {
			return nil, err
		}
		return &client.Client, nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := QueueKind(name); err != nil {
			return nil, err
		}
	}
	q := &Queues{gate: g, names: names, sink: sink, log: log, carry: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: 5 * time.Second, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: pullTimeout,
	}}
	var domain string
	if q.queueScheme, domain, err = parseEndpoint(endpoint, queueEndpoint); err != nil {
		return nil, err
	}
	q.queueHost = domain
	if host, port, err := net.SplitHostPort(domain); err == nil {
		q.queueHost, q.queuePort = host, port
	}
	return q, nil
}

// Run pulls from all queues until ctx ends. What was received by then and not kept comes again.
func (q *Queues) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, name := range q.names {
		all.Go(func() { q.follow(ctx, name) })
	}
	all.Wait()
	q.carry.CloseIdleConnections()
}

// Ping asks for a token of each queue: that shows endpoint, key, right and name.
func (q *Queues) Ping(ctx context.Context) error {
	for _, name := range q.names {
		if _, err := q.token(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// queueToken is a key for one queue.
type queueToken struct {
	client *mns.Queue
	until  time.Time // renewed then
}

func (t *queueToken) good(now time.Time) bool { return t != nil && now.Before(t.until) }

// token asks for a key of a queue and makes the SDK's client with it.
func (q *Queues) token(ctx context.Context, name string) (t *queueToken, err error) {
	defer func() {
		if recover() != nil {
			t, err = nil, errors.New("aliyun: the SDK panicked on a token")
		}
	}()
	question := dybaseapi.CreateQueryTokenForMnsQueueRequest()
	question.MessageType, _ = QueueKind(name)
	question.QueueName = name
	answer := dybaseapi.CreateQueryTokenForMnsQueueResponse()
	if err := q.ask(ctx, question, answer); err != nil {
		return nil, err
	}
	given := answer.MessageTokenDTO
	if answer.Code != "OK" || given.AccessKeyId == "" || given.AccessKeySecret == "" {
		return nil, q.refusal(question.GetActionName(), http.StatusOK, answer.Code, answer.RequestId)
	}
	client := &mns.Queue{}
	if err := client.InitWithStsToken(queueRegion, given.AccessKeyId, given.AccessKeySecret, given.SecurityToken); err != nil {
		return nil, errors.New("aliyun: the SDK does not take the token")
	}
	key := &credentials.StsTokenCredential{AccessKeyId: given.AccessKeyId, AccessKeySecret: given.AccessKeySecret, AccessKeyStsToken: given.SecurityToken}
	if err := client.InitWithOptions(sdk.NewConfig().WithHttpTransport(q.carry).WithTimeout(pullTimeout), key); err != nil {
		return nil, errors.New("aliyun: the SDK does not take the token")
	}
	return &queueToken{client, renewAt(q.now(), timeOf(loose(given.ExpireTime)))}, nil
}

// renewAt is when a token is asked for anew: two minutes before its end, or half-way where it lasts no longer than four.
func renewAt(now, end time.Time) time.Time {
	if end.IsZero() {
		return now.Add(renewBefore)
	}
	return end.Add(-min(renewBefore, max(0, end.Sub(now)/2)))
}

// follow pulls from one queue until ctx ends.
func (q *Queues) follow(ctx context.Context, name string) {
	var token *queueToken
	pause := faultPause
	for ctx.Err() == nil {
		began := time.Now()
		var n int
		var err error
		if !token.good(q.now()) {
			token, err = q.token(ctx, name)
		}
		if err == nil {
			n, err = q.pull(ctx, token.client, name)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			if pause == faultPause {
				q.log.Warn("a queue of receipts can't be pulled", "queue", name, "error", err)
			}
			token = nil
			rest(ctx, pause)
			pause = min(2*pause, faultMost)
			continue
		case n == 0 && time.Since(began) < idlePause:
			rest(ctx, idlePause)
		}
		if pause > faultPause {
			q.log.Info("a queue of receipts can be pulled again", "queue", name)
		}
		pause = faultPause
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// pull takes some messages, keeps what they hold, and only then deletes them.
func (q *Queues) pull(ctx context.Context, client *mns.Queue, name string) (int, error) {
	messages, err := q.receive(ctx, client, name)
	if err != nil || len(messages) == 0 {
		return 0, err
	}
	bodies := make([][]byte, 0, len(messages))
	handles := make([]string, 0, len(messages))
	for _, m := range messages {
		body, err := base64.StdEncoding.DecodeString(strings.TrimSpace(m.MessageBody))
		if err != nil {
			body = []byte(m.MessageBody)
		}
		bodies, handles = append(bodies, body), append(handles, m.ReceiptHandle)
	}
	kind, _ := QueueKind(name)
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	bad, err := q.keep(keeping, kind, bodies)
	if err != nil {
		return 0, fmt.Errorf("keep %d messages: %w", len(bodies), err) // they come again
	}
	if bad > 0 {
		q.log.Warn("messages of a queue are unreadable and were dropped", "queue", name, "messages", bad)
	}
	if err := q.remove(ctx, client, name, handles); err != nil {
		// They come again, and change nothing then.
		q.log.Warn("messages that were kept could not be deleted", "queue", name, "messages", len(handles), "error", err)
	}
	return len(messages), nil
}

// keep stores the messages of one kind, all in one go.
func (q *Queues) keep(ctx context.Context, kind string, bodies [][]byte) (bad int, err error) {
	switch kind {
	case "SmsUp":
		return keepAll(ctx, bodies, DecodeReplies, q.sink.StoreReplies)
	case "VoiceReport":
		return keepAll(ctx, bodies, DecodeVoiceReports, q.sink.StoreReports)
	}
	return keepAll(ctx, bodies, DecodeReports, q.sink.StoreReports)
}

func keepAll[T notify.Report | notify.ReplySMS](ctx context.Context, bodies [][]byte, decode func([]byte) ([]T, int, error), store func(context.Context, []T) error) (bad int, err error) {
	var all []T
	for _, body := range bodies {
		good, broken, err := decode(body)
		if err != nil {
			broken++
		}
		bad += broken
		all = append(all, good...)
	}
	if len(all) == 0 {
		return bad, nil
	}
	return bad, store(ctx, all)
}

// receive waits some seconds for messages; none is no error.
func (q *Queues) receive(ctx context.Context, client *mns.Queue, name string) ([]mns.Message, error) {
	question := mns.CreateBatchReceiveMessageRequest()
	question.QueueName = name
	question.NumOfMessages, question.WaitSeconds = requests.NewInteger(pullMessages), requests.NewInteger(pullWait)
	q.aim(question.RoaRequest)
	answer := mns.CreateBatchReceiveMessageResponse()
	err := q.exchange(ctx, func() (err error) {
		answer, err = client.BatchReceiveMessage(question)
		return err
	})
	var refused *sdkerrors.ServerError
	// The answer is XML, so that the SDK finds no code: an empty queue is a 404 that says so.
	if errors.As(err, &refused) && refused.HttpStatus() == http.StatusNotFound && xmlCode(refused.Message()) == "MessageNotExist" {
		return nil, nil
	}
	if err != nil {
		return nil, queueFault(err)
	}
	return answer.Message, nil
}

func (q *Queues) remove(ctx context.Context, client *mns.Queue, name string, handles []string) error {
	question := mns.CreateBatchDeleteMessageRequest()
	question.QueueName = name
	question.SetReceiptHandles(handles)
	q.aim(question.RoaRequest)
	if err := q.exchange(ctx, func() error { _, err := client.BatchDeleteMessage(question); return err }); err != nil {
		return queueFault(err)
	}
	return nil
}

func (q *Queues) aim(r *requests.RoaRequest) {
	r.SetDomain(q.queueHost)
	r.Scheme, r.Port = q.queueScheme, q.queuePort
}

// exchange lets go of an exchange when ctx ends: the SDK's client knows no context, and ends by its timeout.
func (q *Queues) exchange(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil {
				done <- errors.New("aliyun: the SDK panicked")
			}
		}()
		done <- do()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// queueFault says what went wrong without the SDK's words, which may hold addresses and keys.
func queueFault(err error) error {
	var refused *sdkerrors.ServerError
	if !errors.As(err, &refused) {
		return errors.New("aliyun queue: " + plainFault(err))
	}
	return &APIError{Action: "queue", Code: xmlCode(refused.Message()), Reason: fmt.Sprintf("refused with status %d", refused.HttpStatus())}
}

// xmlCode finds the code in the queue service's answer.
func xmlCode(text string) string {
	_, rest, _ := strings.Cut(text, "<Code>")
	code, _, ok := strings.Cut(rest, "</Code>")
	if !ok || !plainCode(code) {
		return ""
	}
	return code
}
