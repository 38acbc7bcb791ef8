package bot

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
)

type constant struct{}

func (constant) Turn(context.Context, turn.Inbound) (turn.Answer, error) {
	return turn.Answer{Text: "您家2026年度城乡居民医保：已参保。"}, nil
}

// BenchmarkCallback measures the callback with encryption and a turn that costs nothing, beside a bare handler
// that returns a constant, over real connections. It prints requests/s and the 50th and 99th percentile.
func BenchmarkCallback(b *testing.B) {
	f := safe(b, func(o *CallbackOptions) {
		o.Turner, o.Now, o.Log = constant{}, time.Now, slog.New(slog.DiscardHandler)
	})
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "success")
	})
	for _, clients := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("bare/c=%d", clients), func(b *testing.B) { load(b, f, bare, clients) })
		b.Run(fmt.Sprintf("aes/c=%d", clients), func(b *testing.B) { load(b, f, f.callback, clients) })
	}
}

// load sends b.N posts by a number of clients.
func load(b *testing.B, f *fixture, handler http.Handler, clients int) {
	server := httptest.NewServer(handler)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	posts := make([]post, min(b.N, 2000))
	for i := range posts {
		posts[i] = f.newPost(textMessage(fmt.Sprint(1000+i), "我的医保"))
	}
	took := make([]time.Duration, b.N)
	b.ResetTimer()
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for i := c; i < b.N; i += clients {
				p := posts[i%len(posts)]
				start := time.Now()
				res, err := client.Post(server.URL+"?"+p.query.Encode(), "text/xml", strings.NewReader(p.body))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				took[i] = time.Since(start)
				if res.StatusCode != 200 {
					b.Errorf("status %d", res.StatusCode)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}

// BenchmarkHandler measures one post without the network.
func BenchmarkHandler(b *testing.B) {
	f := safe(b, func(o *CallbackOptions) { o.Turner, o.Log = constant{}, slog.New(slog.DiscardHandler) })
	p := f.newPost(textMessage("1", "我的医保"))
	target := "/wechat/callback?" + p.query.Encode()
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		f.callback.ServeHTTP(w, httptest.NewRequest("POST", target, strings.NewReader(p.body)))
	}
}
