package main

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

// report is the tables at the end.
type report struct{ places []measuredPlace }

func (r *report) add(m measuredPlace) { r.places = append(r.places, m) }

func perSecond(people int, took time.Duration) float64 { return float64(people) / took.Seconds() }

// ofFloor is how our speed to the last acceptance compares with the floor's.
func (one measured) ofFloor() float64 { return one.floor.Seconds() / one.accepted.Seconds() }

// byCarrier is the time to the last acceptance in seconds of the carrier's CPU: its work for a campaign is always the same, so a
// host that is slower for a while, as that of a virtual machine may be, is not in it.
func (one measured) byCarrier() float64 { return one.accepted.Seconds() / one.whole.standIn.Seconds() }

func (m measuredPlace) reportMetrics(b *testing.B) {
	one := m.runs[0]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(perSecond(m.people, one.accepted), "recipients/s")
	b.ReportMetric(perSecond(m.people, one.receipts), "receipts/s")
	b.ReportMetric(one.ofFloor(), "of-floor")
	b.ReportMetric(micros(one.whole.product, m.people), "product-us/recipient")
	b.ReportMetric(micros(one.whole.database, m.people), "database-us/recipient")
	b.ReportMetric(one.memory, "peak-MiB")
}

func (r *report) write(w io.Writer) {
	if len(r.places) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "campaign\tpeople\tserving\tfirst call s\taccepted s\trecipients/s\tof floor\treceipts s\treceipts/s\tpeak MiB\tpushes refused\tcodes\tp50 ms\tp99 ms\tworst ms\t")
	for _, m := range r.places {
		for _, one := range m.runs {
			fmt.Fprintf(t, "%s\t%d\t%v\t%.2f\t%.2f\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t%d\t%d%s\t%d\t%d\t%d\t\n",
				m.name, m.people, one.serving, one.firstCall.Seconds(), one.accepted.Seconds(), perSecond(m.people, one.accepted), one.ofFloor(),
				one.receipts.Seconds(), perSecond(m.people, one.receipts), one.memory, one.failed,
				one.codes.asked, mark(one.codes.ranOut), one.codes.p50.Milliseconds(), one.codes.p99.Milliseconds(), one.codes.worst.Milliseconds())
		}
		for _, floor := range m.floors {
			fmt.Fprintf(t, "%s rows alone\t%d\t\t\t%.2f\t%.0f\t%.2f\t\t\t\t\t\t\t\t\t\n", m.name, m.people, floor.rows.Seconds(), perSecond(m.people, floor.rows), floor.took.Seconds()/floor.rows.Seconds())
			fmt.Fprintf(t, "%s floor\t%d\t\t\t%.2f\t%.0f\t1\t\t\t\t\t\t\t\t\t\n", m.name, m.people, floor.took.Seconds(), perSecond(m.people, floor.took))
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w)
	r.writeCPU(w)
	r.writeServing(w)
	r.writeGrowth(w)
	fmt.Fprintln(w, "Times are from approval: to the carrier's first answer, to the last acceptance and to the last receipt on file. The floor: as many rows as wide as")
	fmt.Fprintln(w, "ours, copied and updated twice a thousand at a time, and the same calls to a sink; no receipts; a campaign is held against the mean of those before and after it. Rows alone: their copying (COPY, multi-row INSERT). A * after the codes: nobody was left to ask for one.")
}

func mark(yes bool) string {
	if yes {
		return "*"
	}
	return ""
}

// writeCPU prints what a recipient cost each part; embedded parts are in the product's figure.
func (r *report) writeCPU(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "CPU µs a recipient\tpeople\tserving\tproduct\tto accepted\tdatabase\tto accepted\tredis\tcarrier\tmeasuring\trow bytes\t")
	for _, m := range r.places {
		per := func(d time.Duration) float64 { return micros(d, m.people) }
		for _, one := range m.runs {
			fmt.Fprintf(t, "%s\t%d\t%v\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\t\n", m.name, m.people, one.serving, per(one.whole.product), per(one.sending.product),
				per(one.whole.database), per(one.sending.database), per(one.whole.redis), per(one.whole.standIn), per(one.whole.process))
		}
		for _, floor := range m.floors {
			fmt.Fprintf(t, "%s floor\t%d\t\t%.1f\t\t%.1f\t\t\t%.1f\t\t%d\t\n", m.name, m.people, per(floor.spent.process), per(floor.spent.database), per(floor.spent.standIn), floor.width)
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w)
}

// writeGrowth compares a larger campaign with the smaller one in the same kind of database.
func (r *report) writeGrowth(w io.Writer) {
	for _, large := range r.places {
		for _, small := range r.places {
			if small.name != large.name || small.people >= large.people {
				continue
			}
			a, b := large.runs[0], small.runs[0]
			fmt.Fprintf(w, "At %d people the product's CPU a recipient is %.2f of that at %d, its memory %.2f.\n", large.people,
				micros(a.whole.product, large.people)/micros(b.whole.product, small.people), small.people, a.memory/b.memory)
		}
	}
}

// compares says whether several sets of serving processes were measured.
func (m measuredPlace) compares() bool {
	return slices.ContainsFunc(m.runs, func(one measured) bool { return one.serving != m.runs[0].serving })
}

// writeServing prints the medians of each set of serving processes, where there were several.
func (r *report) writeServing(w io.Writer) {
	if !slices.ContainsFunc(r.places, measuredPlace.compares) {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "medians\tserving\truns\trecipients/s\tof the first\tof floor\ts to accepted by the carrier's CPU s\tCPU µs, all parts\t")
	for _, m := range r.places {
		if !m.compares() {
			continue
		}
		runs := map[processes][]measured{}
		var order []processes
		for _, one := range m.runs {
			if runs[one.serving] == nil {
				order = append(order, one.serving)
			}
			runs[one.serving] = append(runs[one.serving], one)
		}
		speed := func(p processes) float64 {
			return median(runs[p], func(one measured) float64 { return perSecond(m.people, one.accepted) })
		}
		for _, p := range order {
			fmt.Fprintf(t, "%s\t%v\t%d\t%.0f\t%.2f\t%.2f\t%.2f\t%.1f\t\n", m.name, p, len(runs[p]), speed(p), speed(p)/speed(order[0]),
				median(runs[p], measured.ofFloor), median(runs[p], measured.byCarrier), median(runs[p], func(one measured) float64 {
					return micros(one.whole.product+one.whole.database+one.whole.redis+one.whole.standIn, m.people)
				}))
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w)
}

func median(runs []measured, of func(measured) float64) float64 {
	list := make([]float64, len(runs))
	for i, one := range runs {
		list[i] = of(one)
	}
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}
