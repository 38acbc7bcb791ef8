package store

import (
	"testing"
	"time"
)

// A page that panics must cost that page alone: its connection comes back.
func TestAPanicInATransactionGivesItsConnectionBack(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		for _, run := range []func(func(*tx) error) error{
			func(fn func(*tx) error) error { return s.read(t.Context(), "panics", fn) },
			func(fn func(*tx) error) error { return s.write(t.Context(), "panics", fn) },
			func(fn func(*tx) error) error { return s.writeMass(t.Context(), "panics", fn) },
		} {
			ended := make(chan any, 1)
			go func() {
				defer func() { ended <- recover() }()
				_ = run(func(*tx) error { panic("here") })
			}()
			select {
			case why := <-ended:
				if why != "here" {
					t.Errorf("recovered %v", why)
				}
			case <-time.After(time.Minute):
				t.Fatal("it hangs")
			}
			if err := run(func(*tx) error { return nil }); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestNowhereIsNoPlace(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		if path, err := s.RegionPath(t.Context(), ""); err != nil || len(path) != 0 {
			t.Error(path, err)
		}
	})
}
