package main

import (
	"context"
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
)

// TestAnAnswerThatComesLateIsCountedInTheWindow holds the database up until the time for the reply is over.
func TestAnAnswerThatComesLateIsCountedInTheWindow(t *testing.T) {
	story := func(t *testing.T, databaseURL, driver, source, hold string) {
		c := newCrowd(t, databaseURL, "embedded", 1)
		p := c.people[0]
		if _, err := c.box.Follow(t.Context(), p.openID, "", ""); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		left := func() (n int) {
			t.Helper()
			if err := db.QueryRowContext(t.Context(), `SELECT customer_left FROM contacts WHERE customer_until > 0`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if r, err := c.box.Say(t.Context(), p.openID, "你好"); err != nil || r == nil {
			t.Fatal(r, err)
		}
		if n := left(); n != 5 {
			t.Fatalf("a reply was counted: %d are left", n)
		}
		conn, err := db.Conn(t.Context())
		if err == nil {
			_, err = conn.ExecContext(t.Context(), hold)
		}
		if err != nil {
			t.Fatal(err)
		}
		seen := len(c.box.Chat(p.openID))
		if r, err := c.box.Say(t.Context(), p.openID, "我的医保"); err != nil || r != nil && r.Text != "" {
			t.Fatalf("there was a reply: %+v %v", r, err)
		}
		if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(answerIn); !late(c.box.Chat(p.openID)[seen:]); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the late answer never came")
			}
		}
		if n := left(); n != 4 {
			t.Errorf("%d are left of 5", n)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel() // to the other: both wait until WeChat has given up
		url := storetest.SQLiteURL(t)
		story(t, url, "sqlite", "file:"+strings.TrimPrefix(url, "sqlite:")+"?_pragma=busy_timeout(5000)", "BEGIN IMMEDIATE")
	})
	if os.Getenv("LINGJULI_TEST_POSTGRES") != "" {
		t.Run("postgres", func(t *testing.T) {
			t.Parallel()
			url := storetest.PostgresURL(t)
			story(t, url, "pgx", url, "BEGIN; LOCK TABLE sessions IN EXCLUSIVE MODE")
		})
	}
}

// late says whether the account has answered what was said.
func late(chat []sandbox.ChatMessage) bool {
	for _, m := range chat {
		if m.From == sandbox.FromAccount && strings.Contains(m.Text, "姓名") {
			return true
		}
	}
	return false
}
