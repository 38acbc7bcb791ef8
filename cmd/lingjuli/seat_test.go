package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestAsManyProcessesOfAMachineSendAtOnceAsItHasSeats(t *testing.T) {
	folder := t.TempDir()
	const database = "postgres://127.0.0.1/county"
	first, second, third := newSeats(folder, database, 2), newSeats(folder, database, 2), newSeats(folder, database, 2)
	if !first.Take() || !second.Take() || third.Take() {
		t.Fatal("of two seats not just two were taken")
	}
	if !first.Take() {
		t.Error("who has a seat is told that there is none")
	}
	if !newSeats(folder, database+"2", 1).Take() {
		t.Error("another database has the same seats")
	}
	second.Leave()
	if second.Take() {
		t.Error("who has left sits down again")
	}
	if !third.Take() {
		t.Error("a seat that was left is not free")
	}
	first.Leave()
	third.Leave()
	if left, err := filepath.Glob(filepath.Join(folder, "*.seat")); err != nil || len(left) != 1 {
		t.Errorf("files are left: %v %v", left, err)
	}
}

func TestASeatWhoseFileIsTakenAwayIsNobodysTwice(t *testing.T) {
	folder := t.TempDir()
	leaving, waiting := newSeats(folder, "x", 1), newSeats(folder, "x", 1)
	if !leaving.Take() {
		t.Fatal("the seat was not free")
	}
	f, err := os.Open(leaving.names[0]) // by somebody who is about to lock it
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	leaving.Leave()
	if stands(f, leaving.names[0]) {
		t.Error("a file that was taken away counts as a seat")
	}
	if !waiting.Take() || !stands(waiting.taken, waiting.names[0]) {
		t.Error("the seat is lost")
	}
}

func TestWhereSeatsCannotBeKeptEveryProcessSends(t *testing.T) {
	if !newSeats(filepath.Join(t.TempDir(), "away"), "x", 1).Take() {
		t.Error("a machine without a place for locks sends nothing")
	}
}

func TestByItselfAMachineHasASeatForEachShareOfItsCores(t *testing.T) {
	if want, got := max(1, runtime.NumCPU()/runtime.GOMAXPROCS(0)), len(newSeats(t.TempDir(), "x", 0).names); got != want {
		t.Errorf("%d seats, want %d", got, want)
	}
}

func TestWhoStandsByRunsOnHalfItsCores(t *testing.T) {
	all := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(all)
	standBy := halfTheCores()
	for _, step := range []struct {
		standsBy bool
		want     int
	}{{true, 2}, {true, 2}, {false, 4}} {
		standBy(step.standsBy)
		if got := runtime.GOMAXPROCS(0); got != step.want {
			t.Errorf("stands by: %v, on %d cores, want %d", step.standsBy, got, step.want)
		}
	}
}

func TestASeatsNameTellsNothingOfThePassword(t *testing.T) {
	of := func(password string) string {
		return config{DatabaseURL: "postgres://county:" + password + "@127.0.0.1/county"}.seats().names[0]
	}
	if of("one") != of("two") {
		t.Error("the password is in the name")
	}
}
