package notify

import (
	"fmt"
	"strings"
)

//go:generate go run ./drawing ../docs/states.md

// Drawing is the three lives as mermaid diagrams, drawn from the tables that the program itself goes by.
func Drawing() string {
	var b strings.Builder
	b.WriteString("# Lives\n\nDrawn by `go generate ./notify` from the transition tables; do not edit.\n")
	b.WriteString("\n## Campaign\n\n```mermaid\nstateDiagram-v2\n    [*] --> draft\n")
	for _, m := range CampaignMoves() {
		for _, from := range m.From {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", from, m.To, m.Event)
		}
	}
	b.WriteString("    finished --> [*]\n    cancelled --> [*]\n```\n\n## Delivery\n\n```mermaid\nstateDiagram-v2\n    [*] --> planned\n    [*] --> skipped\n")
	for _, m := range DeliveryMoves() {
		for _, from := range m.From {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", from, m.To, m.Event)
		}
	}
	b.WriteString("    delivered --> [*]\n    failed --> [*]\n    skipped --> [*]\n```\n\n## Call\n\n```mermaid\nstateDiagram-v2\n    [*] --> planned\n    [*] --> queued\n")
	for _, m := range CallMoves() {
		for _, from := range m.From {
			fmt.Fprintf(&b, "    %s --> %s\n", from, m.To)
		}
	}
	b.WriteString("```\n")
	return b.String()
}
