package main

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register/fictional"
)

func idNumber(i int) string { return fictional.IDNumber("441881", "1980-03-04", i) }

// firstLineWriter hands over the first line that is written.
type firstLineWriter struct {
	mu   sync.Mutex
	got  strings.Builder
	line chan string
	sent bool
}

func (w *firstLineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got.Write(p)
	if first, _, ok := strings.Cut(w.got.String(), "\n"); ok && !w.sent {
		w.sent = true
		w.line <- first
	}
	return len(p), nil
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
