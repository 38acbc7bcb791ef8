package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestProfilesAreGivenAtAnAddressOfTheirOwnAndOnlyWhereTheyAreWished(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	_ = ln.Close()
	ask := func() (int, error) {
		client := &http.Client{Timeout: 5 * time.Second}
		res, err := client.Get("http://" + address + "/debug/pprof/heap")
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode, res.Body.Close()
	}
	for _, wished := range []string{"", address} {
		s := &server{cfg: config{Profiles: wished}, log: slog.New(slog.DiscardHandler)}
		if err := s.startProfiles(t.Context()); err != nil {
			t.Fatal(err)
		}
		if status, err := ask(); (err == nil && status == http.StatusOK) != (wished != "") {
			t.Errorf("wished at %q: %d %v", wished, status, err)
		}
		if err := s.life.stop(); err != nil {
			t.Error(err)
		}
	}
	if _, err := ask(); err == nil {
		t.Error("the address answers after the stop")
	}
}

func TestProfilesAreForThisMachineAlone(t *testing.T) {
	for text, ours := range map[string]bool{
		"127.0.0.1:6060": true, "[::1]:6060": true, ":6060": false, "0.0.0.0:6060": false, "10.0.0.1:6060": false, "localhost:6060": false, "6060": false,
	} {
		p := &parser{}
		p.profile(text)
		if (len(p.faults) == 0) != ours {
			t.Errorf("%s: %v", text, p.faults)
		}
	}
}
