package bot

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// What became of an authentic post.
const (
	resultReplied    = "replied"
	resultSilent     = "silent"  // nothing to say
	resultLate       = "late"    // the answer follows, or followed, as a customer message
	resultIgnored    = "ignored" // nothing that anybody here needs to know
	resultProof      = "proof"
	resultUnreadable = "unreadable"
	resultPanic      = "panic"
	resultFailed     = "failed"  // WeChat is asked to bring it again
	resultClosing    = "closing" // likewise, because we are shutting down
)

// callbackMeter counts posts. A nil registerer gives counters that nobody reads.
type callbackMeter struct {
	posts    *prometheus.CounterVec
	events   *prometheus.CounterVec
	late     *prometheus.CounterVec
	failures prometheus.Counter
	seconds  prometheus.Histogram
}

func newCallbackMeter(registry prometheus.Registerer) *callbackMeter {
	counters := promauto.With(registry)
	return &callbackMeter{
		posts: counters.NewCounterVec(prometheus.CounterOpts{
			Name: "lingjuli_wechat_posts_total", Help: "Posts of WeChat's by what became of them.",
		}, []string{"result"}),
		events: counters.NewCounterVec(prometheus.CounterOpts{
			Name: "lingjuli_wechat_events_total", Help: "Authentic messages and events by kind.",
		}, []string{"kind"}),
		late: counters.NewCounterVec(prometheus.CounterOpts{
			Name: "lingjuli_wechat_late_answers_total", Help: "Answers that missed the reply by what became of them.",
		}, []string{"result"}),
		failures: counters.NewCounter(prometheus.CounterOpts{
			Name: "lingjuli_wechat_turn_failures_total", Help: "Turns that failed and were answered by an apology.",
		}),
		seconds: counters.NewHistogram(prometheus.HistogramOpts{
			Name: "lingjuli_wechat_turn_seconds", Help: "From a post's arrival to its answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 4.5, 10},
		}),
	}
}
