package aliyun

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

const (
	pushLimit   = 4 << 20
	storeWithin = 10 * time.Second
	taken       = `{"code":0,"msg":"ok"}` // only that code is a number is looked at
)

// Sink keeps what was pushed, durably and at once; it is applied later. The vendor waits 700 ms, then pushes
// again after 1, 5 and 10 minutes, then never: the same item may come any number of times.
type Sink interface {
	StoreReports(ctx context.Context, reports []notify.Report) error
	StoreReplies(ctx context.Context, replies []notify.ReplySMS) error
}

// ReceiptHandler answers POST /aliyun/{secret}/sms-report, /sms-up and /voice-report. The vendor signs
// nothing, so the secret in the path is all that tells it from others: each of the given ones is valid, any
// other is 404. 400 for a body of which nothing can be read, 200 where some of it can, 500 where it could not
// be kept, so that it comes again.
func ReceiptHandler(secrets []string, sink Sink) http.Handler {
	known := make([][sha256.Size]byte, 0, len(secrets))
	for _, s := range secrets {
		if s != "" {
			known = append(known, sha256.Sum256([]byte(s)))
		}
	}
	mux := http.NewServeMux()
	route := func(path string, keep func(context.Context, []byte) (bad bool, err error)) {
		mux.HandleFunc("/aliyun/{secret}/"+path, func(w http.ResponseWriter, r *http.Request) {
			if !oneOf(known, r.PathValue("secret")) {
				http.NotFound(w, r)
				return
			}
			receive(w, r, keep)
		})
	}
	route("sms-report", keeping(DecodeReports, sink.StoreReports))
	route("voice-report", keeping(DecodeVoiceReports, sink.StoreReports))
	route("sms-up", keeping(DecodeReplies, sink.StoreReplies))
	return mux
}

// oneOf compares with every secret, in a time that tells neither which nor how much of it was right.
func oneOf(known [][sha256.Size]byte, secret string) bool {
	given := sha256.Sum256([]byte(secret))
	match := 0
	for _, k := range known {
		match |= subtle.ConstantTimeCompare(k[:], given[:])
	}
	return match == 1
}

func receive(w http.ResponseWriter, r *http.Request, keep func(context.Context, []byte) (bool, error)) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, pushLimit), r.ContentLength)
	if err != nil {
		http.Error(w, "body too long or broken off", http.StatusBadRequest)
		return
	}
	// The vendor hanging up is no reason to lose what it brought.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeWithin)
	defer cancel()
	bad, err := keep(ctx, body)
	switch {
	case bad:
		http.Error(w, "unreadable", http.StatusBadRequest)
	case err != nil:
		http.Error(w, "not kept, push it again", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(taken)))
		_, _ = io.WriteString(w, taken)
	}
}

// readAll reads all there is, which is said to be so many bytes: -1 where nobody says. One buffer serves for what mostly comes.
func readAll(r io.Reader, said int64) ([]byte, error) {
	if l, ok := r.(interface{ Len() int }); ok {
		said = int64(l.Len())
	}
	const most = 64 << 10 // who says more is believed when it is there
	var all bytes.Buffer
	all.Grow(int(min(max(said, 0), most)) + bytes.MinRead)
	_, err := all.ReadFrom(r)
	return all.Bytes(), err
}

// keeping joins a decoder and a store. bad: nothing in the body could be read, though there was something.
func keeping[T any](decode func([]byte) ([]T, int, error), store func(context.Context, []T) error) func(context.Context, []byte) (bool, error) {
	return func(ctx context.Context, body []byte) (bad bool, err error) {
		good, broken, err := decode(body)
		if err != nil || len(good) == 0 && broken > 0 {
			return true, err
		}
		if len(good) == 0 {
			return false, nil
		}
		return false, store(ctx, good)
	}
}
