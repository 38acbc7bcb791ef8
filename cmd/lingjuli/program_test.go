package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program is the program as it is built, once for all tests of this process, in a folder of its own.
var program = sync.OnceValues(func() (path string, err error) {
	dir, err := os.MkdirTemp("", "lingjuli-program-")
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "lingjuli")
	programFolder = dir
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// programFolder is to be taken away when the tests are over; "": none of them needed the program.
var programFolder string

func TestMain(m *testing.M) {
	m.Run()
	if programFolder != "" {
		_ = os.RemoveAll(programFolder)
	}
}

func built(t testing.TB) (path string) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
