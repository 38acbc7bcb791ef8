package flows

import (
	"strings"
	"testing"

	"github.com/lingjuli/lingjuli/locales"
)

func catalogue(t testing.TB) *locales.Bundle {
	t.Helper()
	b, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func book(t testing.TB) *Book {
	t.Helper()
	b, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheBookHasNothingForLintToFind(t *testing.T) {
	for _, finding := range book(t).Lint(catalogue(t)) {
		t.Error(finding)
	}
}

func TestTheGraphDrawsEveryFlow(t *testing.T) {
	b := book(t)
	graph := b.Graph()
	if !strings.HasPrefix(graph, "flowchart TD\n") {
		t.Error("not a mermaid flowchart")
	}
	for id := range b.flows {
		if !strings.Contains(graph, "subgraph "+id+"[") {
			t.Errorf("%s is not drawn", id)
		}
	}
	if strings.Count(graph, "subgraph") != strings.Count(graph, "\n  end\n") {
		t.Error("a subgraph is left open")
	}
}
