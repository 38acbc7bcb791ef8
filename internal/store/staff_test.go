package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

func at(minute int) time.Time { return time.Date(2026, 3, 1, 9, minute, 0, 0, time.UTC) }

func entry(act string) staff.Entry {
	return staff.Entry{At: at(0), Actor: "os:test", Act: act, Object: "staff:1", Detail: map[string]string{"b": "2", "a": "1"}}
}

func TestAMemberOfStaffIsFoundByNameWhateverItsCaseAndNamesAreUnique(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		made, err := s.CreateStaff(ctx, staff.Member{Name: "Lin.Yi", Role: staff.Author, Region: "4418"}, "hash", entry(staff.DidAddStaff))
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.StaffByName(ctx, " lin.yi ")
		if err != nil || found.Member != made || found.PasswordHash != "hash" || found.SessionVersion != 1 {
			t.Fatalf("found %+v, %v; made %+v", found, err, made)
		}
		if _, err := s.CreateStaff(ctx, staff.Member{Name: "LIN.YI", Role: staff.Admin}, "x", entry(staff.DidAddStaff)); !errors.Is(err, staff.ErrNameTaken) {
			t.Fatalf("a second of the same name: %v", err)
		}
		if _, err := s.StaffByName(ctx, "nobody"); !errors.Is(err, staff.ErrNotFound) {
			t.Fatalf("unknown name: %v", err)
		}
		if n, err := s.VerifyAudit(ctx); n != 1 || err != nil {
			t.Fatalf("the refused one left a line: %d, %v", n, err)
		}
	})
}

func TestANewPasswordADisablingAndARevocationEachEndTheSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		m, err := s.CreateStaff(ctx, staff.Member{Name: "lin", Role: staff.Author}, "hash", entry(staff.DidAddStaff))
		if err != nil {
			t.Fatal(err)
		}
		if version, err := s.SetStaffPassword(ctx, m.ID, "new", entry(staff.DidChangePassword)); version != 2 || err != nil {
			t.Fatalf("version %d, %v", version, err)
		}
		if err := s.RevokeStaffSessions(ctx, m.ID, entry("staff.revoked")); err != nil {
			t.Fatal(err)
		}
		if err := s.DisableStaff(ctx, m.ID, true, entry("staff.disabled")); err != nil {
			t.Fatal(err)
		}
		found, err := s.StaffByID(ctx, m.ID)
		if err != nil || found.SessionVersion != 4 || !found.Disabled || found.PasswordHash != "new" {
			t.Fatalf("found %+v, %v", found, err)
		}
		if err := s.RevokeStaffSessions(ctx, 99, entry("staff.revoked")); !errors.Is(err, staff.ErrNotFound) {
			t.Fatalf("unknown member: %v", err)
		}
	})
}

func TestFiveFailuresLockANameForFifteenMinutesAndTryingOnDoesNotLengthenIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		for i := 1; i <= staff.MaxFailures; i++ {
			if n, err := s.BeginLogin(ctx, "lin", at(i)); n != i || err != nil {
				t.Fatalf("try %d: %d, %v", i, n, err)
			}
		}
		for _, minute := range []int{6, 10, 19} {
			if _, err := s.BeginLogin(ctx, "lin", at(minute)); !errors.Is(err, staff.ErrLocked) {
				t.Fatalf("minute %d: %v", minute, err)
			}
		}
		if n, err := s.BeginLogin(ctx, "mei", at(6)); n != 1 || err != nil {
			t.Fatalf("another name: %d, %v", n, err)
		}
		if n, err := s.BeginLogin(ctx, "lin", at(20)); n != 1 || err != nil {
			t.Fatalf("after the lock: %d, %v", n, err)
		}
	})
}

func TestASuccessForgetsTheFailuresAndSoDoesTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		begin := func(minute, want int) {
			t.Helper()
			if n, err := s.BeginLogin(ctx, "lin", at(minute)); n != want || err != nil {
				t.Fatalf("minute %d: try %d, %v; want %d", minute, n, err, want)
			}
		}
		begin(1, 1)
		begin(2, 2)
		if err := s.EndLogin(ctx, "lin", true, entry(staff.DidLogIn)); err != nil {
			t.Fatal(err)
		}
		begin(3, 1)
		begin(40, 1)
	})
}

func TestTriesAtTheSameMomentAreAllCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		let := 0
		for range 12 {
			wg.Go(func() {
				if _, err := s.BeginLogin(context.Background(), "lin", at(1)); err == nil {
					mu.Lock()
					let++
					mu.Unlock()
				} else if !errors.Is(err, staff.ErrLocked) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if let != staff.MaxFailures {
			t.Fatalf("%d tries were let through, want %d", let, staff.MaxFailures)
		}
	})
}

func TestASessionIsKeptByItsTokensHashUntilItExpires(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := context.Background(), at(0)
		sessions := s.StaffSessions(func() time.Time { return now })
		for _, text := range []string{"one", "two"} {
			if err := sessions.CommitCtx(ctx, "token", []byte(text), at(10)); err != nil {
				t.Fatal(err)
			}
		}
		if b, ok, err := sessions.FindCtx(ctx, "token"); string(b) != "two" || !ok || err != nil {
			t.Fatalf("%q, %v, %v", b, ok, err)
		}
		if _, ok, err := sessions.FindCtx(ctx, "other"); ok || err != nil {
			t.Fatalf("another token: %v, %v", ok, err)
		}
		now = at(10)
		if _, ok, err := sessions.FindCtx(ctx, "token"); ok || err != nil {
			t.Fatalf("expired: %v, %v", ok, err)
		}
		now = at(0)
		if err := sessions.DeleteCtx(ctx, "token"); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := sessions.FindCtx(ctx, "token"); ok || err != nil {
			t.Fatalf("deleted: %v, %v", ok, err)
		}
	})
}
