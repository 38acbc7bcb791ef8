package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/lingjuli/lingjuli/bot"
	"github.com/lingjuli/lingjuli/flows/turn"
)

// echo answers with what it was told: decrypt, parse, encrypt, and nothing else.
type echo struct{}

func (echo) Turn(_ context.Context, in turn.Inbound) (turn.Answer, error) {
	return turn.Answer{Text: "收到：" + in.Text}, nil
}

// BenchmarkConversations has LINGJULI_BENCH_TALKERS people hold a conversation of LINGJULI_BENCH_LINES messages at once,
// through WeChat's stand-in and the real callback. It fails where somebody hears of another or where a message has not
// exactly one answer. Beside it stands the same number of messages to a callback without a database, which echoes.
func BenchmarkConversations(b *testing.B) {
	people, lines := setting(b, "LINGJULI_BENCH_TALKERS", 60), setting(b, "LINGJULI_BENCH_LINES", 20)
	var said strings.Builder
	for _, at := range places(b) {
		b.Run(at.name, func(b *testing.B) {
			rarelyCollect(os.Getenv) // as serving does
			emptyRedis(b, at.redis)
			c := newCrowd(b, at.database(b), at.redis, people)
			rest(b.Context(), b, c.config())
			from, began := usageHere(b, c.config()), time.Now()
			c.talk(lines)
			took, spent := time.Since(began), usageHere(b, c.config()).since(from)
			c.settled(lines)
			times, late := c.times()
			bare := c.echoed(lines)
			p50, p99, worst := percentile(times, 50)/1e6, percentile(times, 99)/1e6, times[len(times)-1]/1e6
			bare50, bare99 := percentile(bare, 50)/1e6, percentile(bare, 99)/1e6
			reportOnly(b, spent.allocs, spent.bytes, float64(len(times)))
			b.ReportMetric(p50, "p50-ms")
			b.ReportMetric(p99, "p99-ms")
			b.ReportMetric(worst, "max-ms")
			b.ReportMetric(p50/bare50, "p50-of-echo")
			b.ReportMetric(p99/bare99, "p99-of-echo")
			b.ReportMetric(micros(spent.process, len(times)), "cpu-us/req")
			b.ReportMetric(micros(spent.database, len(times)), "database-cpu-us/req")
			fmt.Fprintf(&said, "%s\t%d\t%d\t%d\t%d\t%.1f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t%.1f\t\n", at.name, people, lines, len(times), late, took.Seconds(), p50, p99, worst,
				bare50, bare99, p50/bare50, p99/bare99)
		})
	}
	if said.Len() == 0 {
		return
	}
	fmt.Fprintln(os.Stdout)
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "conversations\tpeople\tmessages\tanswers\tby customer message\tseconds\tp50 ms\tp99 ms\tmax ms\techo p50 ms\techo p99 ms\tp50 of echo's\tp99 of echo's\t")
	fmt.Fprint(t, said.String())
	_ = t.Flush()
	fmt.Fprintln(os.Stdout)
}

// echoed sends as many messages by as many people at once to a callback that echoes, and gives how long answers took.
func (c *crowd) echoed(lines int) (times []float64) {
	c.t.Helper()
	callback, err := bot.NewCallback(bot.Account{AppID: c.config().WeChat.AppID, Token: crowdToken, AESKeys: []string{crowdAESKey}}, bot.CallbackOptions{Turner: echo{}})
	if err != nil {
		c.t.Fatal(err)
	}
	server := httptest.NewServer(callback)
	defer server.Close()
	c.box.SetCallback(server.URL)
	all := make(chan []float64)
	for _, p := range c.people {
		go func() {
			var took []float64
			for i := range lines {
				began := time.Now()
				if _, err := p.c.box.Say(c.t.Context(), p.openID, fmt.Sprint("我的医保", i)); err != nil {
					c.t.Errorf("echo: %v", err)
					break
				}
				took = append(took, float64(time.Since(began)))
			}
			all <- took
		}()
	}
	for range c.people {
		times = append(times, <-all...)
	}
	slices.Sort(times)
	return times
}
