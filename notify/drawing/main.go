// Command drawing writes the lives of notify as a page: go run ./drawing FILE.
package main

import (
	"fmt"
	"os"

	"github.com/lingjuli/lingjuli/notify"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: drawing FILE")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], []byte(notify.Drawing()), 0o644); err != nil { //nolint:gosec // a public page
		fmt.Fprintln(os.Stderr, "drawing:", err)
		os.Exit(1)
	}
}
