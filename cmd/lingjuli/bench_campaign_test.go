package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

const (
	benchPeople = 20000
	benchRounds = 3
)

// BenchmarkCampaign measures a campaign to LINGJULI_BENCH_N people by SMS, from approval until the last acceptance is
// committed: planning, consent, unsealing, rendering, signing and the requests themselves. Beside it stand the same
// rows written by COPY or multi-row INSERT into the same tables, and these with the two committed states that a row
// must have at the least.
func BenchmarkCampaign(b *testing.B) {
	people := setting(b, "LINGJULI_BENCH_N", benchPeople)
	var lines []string
	for _, at := range places(b) {
		b.Run(at.name, func(b *testing.B) { lines = append(lines, benchmarkCampaign(b, at, people)) })
	}
	for _, line := range lines {
		fmt.Fprintln(os.Stdout, line)
	}
}

func benchmarkCampaign(b *testing.B, at place, people int) string {
	r := startBench(b, at)
	r.load(people)
	author, approver := staff.Member{ID: 1, Name: "chen", Role: staff.Author}, staff.Member{ID: 2, Name: "li", Role: staff.Approver}
	r.applyTemplate(author)
	var rates, inserts, floors []float64
	var spent usage
	var last int64
	for range benchRounds {
		last = r.submitted(author)
		answered, from := r.answered.Load(), r.usage()
		began := time.Now()
		r.approve(approver, last)
		r.awaitAccepted(last, people, answered)
		rates = append(rates, float64(people)/time.Since(began).Seconds())
		spent = r.usage().since(from)
		r.awaitFinished(last)
	}
	r.holdCarrier(people)
	r.stop()
	bare := r.openDatabase()
	defer bare.Close()
	rows := readCampaign(b, bare, last)
	for round := range benchRounds {
		inserts = append(inserts, float64(people)/rows.insert(b, bare, round+1).Seconds())
		floors = append(floors, float64(people)/(rows.insert(b, bare, round+1+benchRounds)+rows.settle(b, bare)).Seconds())
	}
	rate, insert, floor := median(rates), median(inserts), median(floors)
	reportOnly(b, spent.allocs, spent.bytes, float64(people))
	b.ReportMetric(rate, "recipients/s")
	b.ReportMetric(insert, "bare-rows/s")
	b.ReportMetric(rate/insert, "of-bare")
	b.ReportMetric(floor, "floor-rows/s")
	b.ReportMetric(rate/floor, "of-floor")
	b.ReportMetric(micros(spent.process, people), "cpu-us/recipient")
	b.ReportMetric(micros(spent.database, people), "database-cpu-us/recipient")
	b.ReportMetric(micros(spent.redis, people), "redis-cpu-us/recipient")
	return fmt.Sprintf("campaign of %d on %s: %.0f recipients/s; bare insert of its rows %.0f/s (ours is %.3f of it); insert and two committed states %.0f/s (%.2f of it); "+
		"CPU a recipient: process %.1f µs, database %.1f µs, redis %.1f µs",
		people, at.name, rate, insert, rate/insert, floor, rate/floor,
		micros(spent.process, people), micros(spent.database, people), micros(spent.redis, people))
}

func (r *bench) applyTemplate(by staff.Member) {
	t := notify.Template{Key: "bench", Kind: notify.PremiumReminder, SMS: &notify.SMSTemplate{
		Code: "SMS_BENCH", Type: notify.SMSNotification, Content: benchTemplate,
		Params: map[string]string{"name": "{{.Person.ShortName}}", "deadline": "{{.Params.deadline}}"},
	}}
	now := time.Now()
	if err := r.server.store.ApplyTemplates(r.b.Context(), []notify.Template{t}, now, staff.Entry{At: now, Actor: by.Name, Act: "templates.applied"}); err != nil {
		r.b.Fatal(err)
	}
}

// submitted writes a campaign to everybody and submits it.
func (r *bench) submitted(by staff.Member) int64 {
	r.b.Helper()
	spec, err := notify.ParseSpec([]byte(`name: bench
kind: premium_reminder
audience:
  all:
    - region: {within: "441881"}
    - age: {gte: 18}
channels: [sms]
template: bench
params: {deadline: "12月31日"}
schedule: now
window: ""
`))
	if err != nil {
		r.b.Fatal(err)
	}
	all := newCampaigns(r.cfg, r.server.store, r.server.sms)
	id, err := all.Create(r.b.Context(), by, spec)
	if err == nil {
		_, err = all.Submit(r.b.Context(), by, id)
	}
	if err != nil {
		r.b.Fatal(err)
	}
	return id
}

func (r *bench) approve(by staff.Member, id int64) {
	r.b.Helper()
	if err := newCampaigns(r.cfg, r.server.store, r.server.sms).Approve(r.b.Context(), by, id); err != nil {
		r.b.Fatal(err)
	}
}

// awaitAccepted waits until every row is accepted. Looking is work for the database that is measured: nothing is asked
// before the carrier has answered as many requests as there must be at least, and then the calls, which are few.
func (r *bench) awaitAccepted(id int64, people int, answered int64) {
	r.b.Helper()
	ctx, cancel := context.WithTimeout(r.b.Context(), 2*time.Minute)
	defer cancel()
	db := r.openDatabase()
	defer db.Close()
	r.await(ctx, 5*time.Millisecond, id, func() bool {
		if (r.answered.Load()-answered)*int64(notify.SMS.MaxMembers()) < int64(people) {
			return false
		}
		var accepted, open int
		err := db.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE state = 'accepted'), count(*) FILTER (WHERE state <> 'accepted')
			FROM calls WHERE campaign_id = $1`, id).Scan(&accepted, &open)
		if err != nil {
			r.b.Error(err)
			return true
		}
		return accepted*notify.SMS.MaxMembers() >= people && open == 0 && r.status(id).Accepted == int64(people)
	})
}

func (r *bench) awaitFinished(id int64) {
	r.b.Helper()
	ctx, cancel := context.WithTimeout(r.b.Context(), time.Minute)
	defer cancel()
	r.await(ctx, 50*time.Millisecond, id, func() bool { return r.status(id).State == notify.Finished })
}

func (r *bench) await(ctx context.Context, every time.Duration, id int64, done func() bool) {
	r.b.Helper()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			r.b.Fatalf("not in time: %+v\n%s", r.status(id), r.log)
		case <-tick.C:
		}
	}
}

func (r *bench) status(id int64) notify.Status {
	st, err := r.server.store.CampaignStatus(context.WithoutCancel(r.b.Context()), id)
	if err != nil {
		r.b.Fatal(err)
	}
	return st
}

// holdCarrier holds the carrier's count against ours: a fast campaign that sends twice is no campaign.
func (r *bench) holdCarrier(people int) {
	r.b.Helper()
	got := r.carrier.Stats().SMS
	if got.Recipients != benchRounds*people || got.Phones != people {
		r.b.Fatalf("the carrier took %d texts to %d phones, want %d to %d", got.Recipients, got.Phones, benchRounds*people, people)
	}
}
