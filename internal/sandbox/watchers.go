package sandbox

import (
	"sync"
	"sync/atomic"
	"time"
)

// watchers wake the pages that show a phone or a chat.
type watchers struct {
	n  atomic.Int64
	mu sync.Mutex
	by map[string]map[chan struct{}]bool

	left map[string]time.Time // when the last one of a key left: pages come back within moments
}

func newWatchers() *watchers {
	return &watchers{by: map[string]map[chan struct{}]bool{}, left: map[string]time.Time{}}
}

// comesBack is how soon a page that still stands there watches again.
const comesBack = 3 * time.Second

// watching says whether somebody looks at what a key stands for.
func (w *watchers) watching(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.by[key]) > 0 || time.Since(w.left[key]) < comesBack
}

// watch gives a channel that gets a value when one of the keys changed, and a function that ends it.
func (w *watchers) watch(keys ...string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		if w.by[key] == nil {
			w.by[key] = map[chan struct{}]bool{}
		}
		w.by[key][ch] = true
	}
	w.n.Add(1)
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, key := range keys {
			delete(w.by[key], ch)
			if len(w.by[key]) == 0 {
				delete(w.by, key)
				w.left[key] = time.Now()
			}
		}
		w.n.Add(-1)
	}
}

func (w *watchers) wake(key string) {
	if w.n.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.by[key] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

func (w *watchers) wakePhones(to []recipient) {
	if w.n.Load() == 0 {
		return
	}
	for i := range to {
		w.wake(phoneText(to[i].number))
	}
}
