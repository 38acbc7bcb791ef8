package main

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// localAddress says whether an address is one of this machine's own, by its number: a name may come to mean another.
func localAddress(text string) bool {
	host, _, err := net.SplitHostPort(text)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// profile reads where profiles are given; nothing: nowhere. They show what is in memory, so only this machine may ask.
func (p *parser) profile(text string) string {
	if text == "" {
		return ""
	}
	if !localAddress(text) {
		p.bad("pprof", "must_profile", "")
	}
	return text
}

// startProfiles gives profiles of the process at an address of their own, which no proxy leads to.
func (s *server) startProfiles(ctx context.Context) error {
	if s.cfg.Profiles == "" {
		return nil
	}
	ln, err := listen(ctx, s.cfg.Profiles)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = web.Serve(ln) }() // until it is closed
	s.life.add("profiles", func(context.Context) error { return web.Close() })
	s.log.Info("profiles are given to this machine", "address", ln.Addr().String())
	return nil
}
