package store_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

// timed notes how long each batch holds the write lock.
type timed struct {
	*store.Store
	longest time.Duration
}

func (s *timed) ImportBatch(ctx context.Context, b register.Batch) ([]register.Result, error) {
	start := time.Now()
	results, err := s.Store.ImportBatch(ctx, b)
	s.longest = max(s.longest, time.Since(start))
	return results, err
}

func TestAFictionalCountyIsTakenWholeAndAgainWithoutChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		county := fictional.County{Seed: 1, People: 700, Today: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
		for round := range 2 {
			for _, kind := range fictional.Kinds() {
				var sheet bytes.Buffer
				must(t, county.WriteCSV(&sheet, kind))
				report := runImport(t, s, register.Importer{Kind: register.Kind(kind)}, sheet.String())
				if len(report.Rejected) > 0 || report.Rows == 0 || round == 1 && report.Unchanged != report.Rows {
					t.Fatalf("%s, round %d: %d rows, %d unchanged, %+v", kind, round, report.Rows, report.Unchanged, report.Rejected)
				}
			}
		}
		f, err := s.PeopleFigures(context.Background(), register.Scope{Prefix: fictional.CountyCode()})
		if err != nil || f.People < 600 || f.Mobile == 0 || f.Unreachable == 0 {
			t.Fatalf("%+v, %v", f, err)
		}
	})
}

func BenchmarkImportPeople(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := &timed{Store: storetest.SQLite(b)}
		var sheet bytes.Buffer
		must(b, fictional.County{Seed: 1, People: 20000, Today: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}.WriteCSV(&sheet, "people"))
		b.StartTimer()
		start := time.Now()
		report, err := register.Importer{Kind: register.KindPeople}.Run(context.Background(), bytes.NewReader(sheet.Bytes()), int64(sheet.Len()), s)
		must(b, err)
		b.ReportMetric(float64(report.Accepted)/time.Since(start).Seconds(), "people/s")
		b.ReportMetric(float64(s.longest.Milliseconds()), "ms-longest-batch")
	}
}
