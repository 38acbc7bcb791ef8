package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// keeping writes receipts that come while others are being written together, in one statement and one commit: each push
// must be on the disk before it is answered, and of those that come at once each would wait for a disk of its own.
type keeping struct {
	mu      sync.Mutex
	waiting []*pushKept
	busy    bool
}

// pushKept is what one push brought.
type pushKept struct {
	kind   string
	bodies [][]byte
	at     time.Time
	done   chan error
}

const (
	keptTogether = 16   // rows of one statement, where one push alone does not have more
	keptAtOnce   = 1000 // and then: a statement has so many parameters at most
	keepWithin   = 10 * time.Second
)

// storeReceipts keeps a push, sealed. Where the caller goes before it is kept, it may be kept all the same: the same
// receipt twice is ordinary.
func (s *Store) storeReceipts(ctx context.Context, kind string, bodies [][]byte, at time.Time) error {
	for some := range slices.Chunk(bodies, keptAtOnce) {
		k := &pushKept{kind: kind, bodies: some, at: at, done: make(chan error, 1)}
		if s.keeping.add(k) {
			go s.keepWaiting(context.WithoutCancel(ctx))
		}
		if err := k.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (k *pushKept) wait(ctx context.Context) error {
	select {
	case err := <-k.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("store: keep receipts: %w", ctx.Err())
	}
}

// add has a push wait. first: nobody is writing, so the caller sees to it.
func (w *keeping) add(k *pushKept) (first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first, w.busy = !w.busy, true
	w.waiting = append(w.waiting, k)
	return first
}

// next takes the pushes that are written together, none where nothing waits.
func (w *keeping) next() []*pushKept {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, rows := 0, 0
	for n < len(w.waiting) && (n == 0 || rows+len(w.waiting[n].bodies) <= keptTogether) {
		rows += len(w.waiting[n].bodies)
		n++
	}
	some := w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	if n == 0 {
		w.waiting, w.busy = nil, false
	}
	return some
}

// keepWaiting writes for as long as pushes wait.
func (s *Store) keepWaiting(ctx context.Context) {
	for some := s.keeping.next(); len(some) > 0; some = s.keeping.next() {
		err := s.keepTogether(ctx, some)
		for _, k := range some {
			k.done <- err
		}
	}
}

func (s *Store) keepTogether(ctx context.Context, some []*pushKept) error {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	rows := 0
	for _, k := range some {
		rows += len(k.bodies)
	}
	id, err := s.receipts.take(ctx, s, rows)
	if err != nil {
		return err
	}
	var insert strings.Builder
	insert.WriteString(`INSERT INTO receipts (id, kind, body, received_at) VALUES `)
	args := make([]any, 0, 4*rows)
	for _, k := range some {
		for _, body := range k.bodies {
			if len(args) > 0 {
				insert.WriteString(", ")
			}
			n := len(args)
			fmt.Fprintf(&insert, "($%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4)
			args = append(args, id, k.kind, s.keys.Seal(body, "receipts", "body", id), toMicros(k.at))
			id++
		}
	}
	return s.execAlone(ctx, fmt.Sprintf("store: keep %d receipts", rows), insert.String(), args...)
}
