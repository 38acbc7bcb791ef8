package store

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/flows/turn/turntest"
	"github.com/lingjuli/lingjuli/internal/store/databasetest"
)

// BenchmarkTurn measures whole turns, committed, of 64 people at once.
func BenchmarkTurn(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkTurn(b, templates().SQLite(b)) })
	if databasetest.Server() != "" {
		b.Run("postgres", func(b *testing.B) { benchmarkTurn(b, templates().Postgres(b)) })
	}
}

func benchmarkTurn(b *testing.B, url string) {
	s := openReady(b, url)
	service := turntest.Service(b, s, time.Now, nil, nil)
	var n atomic.Int64
	took := make([]time.Duration, b.N)
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 64 {
		wg.Go(func() {
			for {
				i := int(n.Add(1)) - 1
				if i >= b.N {
					return
				}
				began := time.Now()
				_, err := service.Turn(b.Context(), turn.Inbound{
					Key: fmt.Sprint("m:", i), Channel: turn.WeChat, Who: fmt.Sprint("o-", i%1000), Kind: turn.Text, Text: "主菜单", At: began,
				})
				if err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
