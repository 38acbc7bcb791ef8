package sandbox

import (
	"sync"
	"sync/atomic"
)

// watchers wake the pages that show a phone or a chat.
type watchers struct {
	n  atomic.Int64
	mu sync.Mutex
	by map[string]map[chan struct{}]bool
}

func newWatchers() *watchers { return &watchers{by: map[string]map[chan struct{}]bool{}} }

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
