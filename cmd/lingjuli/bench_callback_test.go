package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

const (
	benchFollowers = 2000            // people who write, each from an openid of their own
	benchFor       = 4 * time.Second // each measurement
)

// benchSays is what they write, in turn: what is asked for most, a menu, something to be told apart.
func benchSays() []string {
	return []string{"我的医保", "菜单", "我今年的医保交了没有", "想去学门手艺", "养老金什么时候发", "谢谢"}
}

// BenchmarkServedCallback measures posts of bound people to the callback of a running server: encrypted, signed, each
// with a MsgId of its own, each turn committed before the answer. Beside it stands a bare handler that returns a
// constant to the same posts.
func BenchmarkServedCallback(b *testing.B) {
	var table callbackTable
	var where whereTime
	bare := map[int]loadResult{}
	generator := startStandIn(b, standInGenerator)
	for _, clients := range []int{16, 64} {
		b.Run(fmt.Sprintf("bare/c=%d", clients), func(b *testing.B) {
			bare[clients] = load(b, generator, bareServer(b), clients, nil)
			bare[clients].report(b)
			table.add("bare handler", clients, bare[clients], 0)
		})
	}
	for _, at := range places(b) {
		b.Run(at.name, func(b *testing.B) {
			r := startBench(b, at)
			r.load(benchFollowers)
			r.follow()
			r.server.store.WatchTurns(where.take)
			for _, clients := range []int{16, 64} {
				b.Run(fmt.Sprintf("c=%d", clients), func(b *testing.B) {
					rest(b.Context(), b, r.cfg)
					where.begin()
					got := load(b, generator, "http://"+r.server.addr+"/wechat/callback", clients, r)
					got.report(b)
					of := 0.0
					if bare[clients].rate > 0 { // left out where only a part is run
						of = got.rate / bare[clients].rate
						b.ReportMetric(of, "of-bare")
					}
					table.add("callback on "+at.name, clients, got, of)
					where.end(at.name, clients)
				})
			}
		})
	}
	table.write(os.Stdout)
	where.write(os.Stdout)
}

// bareServer answers everything with a constant.
func bareServer(b *testing.B) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "success")
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// follow binds every person on file to an openid.
func (r *bench) follow() {
	r.b.Helper()
	list, err := r.server.store.ListPeople(r.b.Context(), register.Scope{}, 0, benchFollowers)
	if err != nil || len(list) != benchFollowers {
		r.b.Fatalf("%d people: %v", len(list), err)
	}
	for i, p := range list {
		who := turn.Who{Channel: turn.WeChat, ID: benchOpenID(i), Key: fmt.Sprint("follow:", i), At: time.Now(), Window: turn.MessageWindow}
		err := r.server.store.Turn(r.b.Context(), who, func(tx turn.Tx) error {
			if _, err := tx.Open(); err != nil {
				return err
			}
			return tx.Bind(p.ID)
		})
		if err != nil {
			r.b.Fatal(err)
		}
	}
}

func benchOpenID(i int) string { return fmt.Sprintf("oBenchFollower%014d", i) }

// loadResult is what one load found.
type loadResult struct {
	rate     float64
	p50, p99 time.Duration
	served   int
	spent    usage

	generator time.Duration // its CPU
	others    float64       // part of the machine's cores that went to what is not measured
}

func (l loadResult) report(b *testing.B) {
	reportOnly(b, l.spent.allocs, l.spent.bytes, float64(l.served))
	b.ReportMetric(l.rate, "req/s")
	b.ReportMetric(float64(l.p50.Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(l.p99.Microseconds())/1e3, "p99-ms")
	b.ReportMetric(micros(l.spent.process, l.served), "cpu-us/req")
	b.ReportMetric(micros(l.spent.database, l.served), "database-cpu-us/req")
}

// callbackTable is what the callback's measurement prints.
type callbackTable struct{ rows strings.Builder }

func (t *callbackTable) add(what string, clients int, l loadResult, ofBare float64) {
	of := ""
	if ofBare > 0 {
		of = fmt.Sprintf("%.3f", ofBare)
	}
	fmt.Fprintf(&t.rows, "%s\t%d\t%.0f\t%s\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f\t%.0f%%\t\n", what, clients, l.rate, of, float64(l.p50.Microseconds())/1e3, float64(l.p99.Microseconds())/1e3,
		micros(l.spent.process, l.served), micros(l.spent.database, l.served), micros(l.generator, l.served), 100*l.others)
}

func (t *callbackTable) write(out io.Writer) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "posts\tat once\trequests/s\tof bare\tp50 ms\tp99 ms\tCPU µs: server\tdatabase\tgenerator\tothers\t")
	fmt.Fprint(w, t.rows.String())
	_ = w.Flush()
	fmt.Fprintln(out, "Each is posted to by the same generator, a process of its own on the same cores. Others: what else on this machine took of its cores meanwhile; well above 5% the figures are no good.")
	fmt.Fprintln(out)
}

// load has the generator, a process of its own, post by a number of clients at once for a while. r is nil for the bare handler.
func load(b *testing.B, from *standIn, address string, clients int, r *bench) loadResult {
	b.Helper()
	if r == nil {
		r = &bench{b: b, cfg: config{DatabaseURL: "sqlite:none", RedisURL: "embedded"}}
	}
	var got generated
	before, machine, generator := usageHere(b, r.cfg), machineCPU(), from.cpu()
	began := time.Now()
	from.ask(http.MethodPost, "/load", generation{Address: address, Clients: clients}, &got)
	elapsed := time.Since(began)
	machine, generator = machineCPU()-machine, from.cpu()-generator
	spent := usageHere(b, r.cfg).since(before)
	if got.Failed != "" {
		b.Error(got.Failed)
	}
	return loadResult{
		rate: got.Rate, p50: got.P50, p99: got.P99, served: got.Served, spent: spent, generator: generator,
		others: max(0, (machine-spent.process-spent.database-generator).Seconds()/elapsed.Seconds()/float64(runtime.NumCPU())),
	}
}

// percentile sorts a copy.
func percentile(list []float64, of int) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return list[min(len(list)-1, len(list)*of/100)]
}
