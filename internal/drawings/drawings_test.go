package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lingjuli/lingjuli/notify"
)

func TestEveryStateAndMoveIsDrawn(t *testing.T) {
	dir := t.TempDir()
	var stderr bytes.Buffer
	if code := run(dir, &stderr); code != 0 {
		t.Fatal(stderr.String())
	}
	text, err := os.ReadFile(filepath.Join(dir, "lives.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range notify.DeliveryMoves() {
		for _, from := range m.From {
			if !strings.Contains(string(text), "    "+string(from)+" --> "+string(m.To)+": ") {
				t.Errorf("%s --> %s is not drawn", from, m.To)
			}
		}
	}
	for _, s := range notify.CampaignStates() {
		if !strings.Contains(string(text), "--> "+string(s)) {
			t.Errorf("nothing leads to %s", s)
		}
	}
	if flows, err := os.ReadFile(filepath.Join(dir, "flows.md")); err != nil || !bytes.Contains(flows, []byte("flowchart")) {
		t.Errorf("conversations are not drawn: %v", err)
	}
}

func TestAFolderThatIsNotThereIsSaid(t *testing.T) {
	var stderr bytes.Buffer
	if code := run(filepath.Join(t.TempDir(), "absent"), &stderr); code != 1 || !strings.Contains(stderr.String(), "absent") {
		t.Errorf("code %d, said %q", code, stderr.String())
	}
}
