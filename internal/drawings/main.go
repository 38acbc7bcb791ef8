// Command drawings writes the diagrams under docs/ from the tables that the program runs by, so that they can't differ:
// docs/lives.md (campaign, delivery, call) and docs/flows.md (conversations). `make generate` runs it, `make verify`
// sees that it was run.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/notify"
)

const generated = "<!-- drawn by make generate; do not edit -->\n"

func main() {
	os.Exit(run("docs", os.Stderr))
}

func run(dir string, stderr io.Writer) int {
	book, err := flows.Load()
	if err != nil {
		fmt.Fprintln(stderr, "drawings:", err)
		return 1
	}
	for name, text := range map[string]string{"lives.md": lives(), "flows.md": conversations(book)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			fmt.Fprintln(stderr, "drawings:", err)
			return 1
		}
	}
	return 0
}

// lives draws the three lives of package notify.
func lives() string {
	var out strings.Builder
	out.WriteString("# Lives\n\n" + generated + `
Every arrow is a compare-and-set in SQL on the state it starts from; what is not drawn can't happen.

`)
	out.WriteString("## Campaign (`notify/campaign.go`)\n\n" + diagram(campaignArrows(), string(notify.Draft), finals(notify.CampaignStates())) + "\n")
	out.WriteString("## Delivery: one person in one campaign (`notify/delivery.go`)\n\n" + diagram(deliveryArrows(), string(notify.Planned), finals(notify.DeliveryStates())) + "\n")
	out.WriteString("## Call: one request to a platform (`notify/call.go`)\n\n" + diagram(callArrows(), string(notify.CallQueued), nil))
	return out.String()
}

// conversations draws the book of flows.
func conversations(book *flows.Book) string {
	return "# Conversations\n\n" + generated + `
One box a flow, from ` + "`flows/definitions/`" + `; a dotted arrow calls another flow. The words understood everywhere (back, main menu, repeat, a
person, opt-out) are not drawn.

` + "```mermaid\n" + strings.TrimSpace(book.Graph()) + "\n```\n"
}

// arrow is one way between two states, with everything that leads along it.
type arrow struct {
	from, to string
	events   []string
}

// arrows collects moves; those between the same two states share an arrow.
type arrows []arrow

func (a *arrows) add(from, to, event string) {
	i := slices.IndexFunc(*a, func(x arrow) bool { return x.from == from && x.to == to })
	if i < 0 {
		*a = append(*a, arrow{from: from, to: to})
		i = len(*a) - 1
	}
	if event != "" {
		(*a)[i].events = append((*a)[i].events, event)
	}
}

func campaignArrows() (list arrows) {
	for _, m := range notify.CampaignMoves() {
		for _, from := range m.From {
			list.add(string(from), string(m.To), string(m.Event))
		}
	}
	return list
}

func deliveryArrows() (list arrows) {
	for _, m := range notify.DeliveryMoves() {
		for _, from := range m.From {
			list.add(string(from), string(m.To), string(m.Event))
		}
	}
	return list
}

func callArrows() (list arrows) {
	for _, m := range notify.CallMoves() {
		for _, from := range m.From {
			list.add(string(from), string(m.To), "")
		}
	}
	return list
}

// finals are the states that nothing moves.
func finals[S interface {
	~string
	Final() bool
}](states []S) (names []string) {
	for _, s := range states {
		if s.Final() {
			names = append(names, string(s))
		}
	}
	return names
}

// diagram is a mermaid state diagram.
func diagram(list arrows, first string, last []string) string {
	var out strings.Builder
	out.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> " + first + "\n")
	for _, a := range list {
		out.WriteString("    " + a.from + " --> " + a.to)
		if len(a.events) > 0 {
			out.WriteString(": " + strings.Join(a.events, ", "))
		}
		out.WriteString("\n")
	}
	for _, name := range last {
		out.WriteString("    " + name + " --> [*]\n")
	}
	out.WriteString("```\n")
	return out.String()
}
