package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// web is one HTTP server on a listener that was bound before anything started.
type web struct {
	server *http.Server
	done   chan error
}

// listen binds an address, so that a taken port is known before any work begins.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, &saying{key: "cannot_listen", data: []any{"Address", addr}, err: err}
	}
	return ln, nil
}

// startWeb serves until stop. There is no write timeout for a whole answer, since live pages stream;
// handlers bound themselves.
func startWeb(ln net.Listener, handler http.Handler, log *slog.Logger) *web {
	w := &web{
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       30 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    32 << 10,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		done: make(chan error, 1),
	}
	go func() { w.done <- w.server.Serve(ln) }()
	return w
}

// stop lets running requests end, then cuts what is left (live pages stream for ever).
func (w *web) stop(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err := w.server.Shutdown(grace)
	if err != nil {
		err = w.server.Close()
	}
	if served := <-w.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// checks are what /readyz asks.
type checks struct {
	database func(ctx context.Context) error
	room     func(ctx context.Context) error // to write
	redis    func(ctx context.Context) error
}

// addHealth mounts the platform's three addresses.
func addHealth(mux *http.ServeMux, c checks, registry *prometheus.Registry) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		switch {
		case c.database(ctx) != nil:
			plain(w, http.StatusServiceUnavailable, "database away or of another version")
		case c.room(ctx) != nil:
			plain(w, http.StatusServiceUnavailable, "the database can't write: its disk is full")
		case c.redis(ctx) != nil:
			plain(w, http.StatusOK, "degraded: redis away")
		default:
			plain(w, http.StatusOK, "ok")
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}

// recovered keeps one request's panic from taking the connection's answer with it, and counts it.
func recovered(next http.Handler, log *slog.Logger, panics prometheus.Counter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			panics.Inc()
			log.Error("a request panicked", "path", r.Pattern, "panic", fmt.Sprint(p))
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}
