package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// examples hold for every language; MEDICAL stands for what a person would say, DEADLINE for an approver's word. A test runs each of them.
func examples() map[string]string {
	return map[string]string{
		"":                 "lingjuli demo",
		"demo":             "lingjuli demo --people 500 --dir ./lingjuli-demo",
		"serve":            "lingjuli serve --roles web,worker",
		"migrate":          "lingjuli migrate up",
		"import":           "lingjuli import people people.xlsx --region 441881 --dry-run --report report.json",
		"template":         "lingjuli template apply -f templates.yaml",
		"template apply":   "lingjuli template apply -f templates.yaml",
		"campaign":         "lingjuli campaign preview -f campaign.yaml",
		"campaign create":  "lingjuli campaign create -f campaign.yaml --as chen",
		"campaign submit":  "lingjuli campaign submit 1 --as chen",
		"campaign approve": "lingjuli campaign approve 1 --as li",
		"campaign return":  "lingjuli campaign return 1 --as li --note DEADLINE",
		"campaign pause":   "lingjuli campaign pause 1 --as li",
		"campaign resume":  "lingjuli campaign resume 1 --as li",
		"campaign cancel":  "lingjuli campaign cancel 1 --as li",
		"campaign status":  "lingjuli campaign status 1 --json",
		"campaign preview": "lingjuli campaign preview -f campaign.yaml --json",
		"visit":            "lingjuli visit AACD reached --campaign 1 --as wang",
		"budget":           "lingjuli budget list",
		"budget set":       "lingjuli budget set --region 441881 --month 2026-12 --yuan 1200",
		"budget list":      "lingjuli budget list --month 2026-12",
		"staff":            "lingjuli staff add wang --role township --region 441881",
		"staff add":        "lingjuli staff add chen --role author --region 441881",
		"understand":       "echo MEDICAL | lingjuli understand",
		"chat":             "echo MEDICAL | lingjuli chat --as o_terminal",
		"flows":            "lingjuli flows lint",
		"flows lint":       "lingjuli flows lint",
		"flows graph":      "lingjuli flows graph",
		"doctor":           "lingjuli doctor",
		"reconcile":        "lingjuli reconcile --day 2026-11-22",
		"sandbox":          "lingjuli sandbox --listen 127.0.0.1:8090",
		"config":           "lingjuli config",

		"campaign unreached": "lingjuli campaign unreached 1 --region 441881 --csv unreached.csv",
	}
}

// example is a command's example with the words a person would say.
func (w texts) example(path string) string {
	return strings.NewReplacer("MEDICAL", w.t("example_words"), "DEADLINE", w.t("example_note")).Replace(examples()[path])
}

// help prints a command's help: what it does, how it is called, its flags, its commands, an example.
func (w texts) help(_ kong.HelpOptions, ctx *kong.Context) error {
	node := ctx.Selected()
	if node == nil {
		node = ctx.Model.Node
	}
	path := commandPath(node)
	out := ctx.Stdout
	fmt.Fprintf(out, "%s\n\n%s\n  %s\n", w.t(helpKey(path)), w.t("help_usage"), usageLine(node, path))
	w.helpCommands(out, node, path)
	w.helpFlags(out, node, path)
	fmt.Fprintf(out, "\n%s\n  %s\n", w.t("help_example"), w.example(path))
	if path == "" {
		fmt.Fprintf(out, "\n%s\n", w.t("help_more"))
	}
	return nil
}

func (w texts) helpCommands(out io.Writer, node *kong.Node, path string) {
	first := true
	for _, child := range node.Children {
		if child.Type != kong.CommandNode || child.Hidden {
			continue
		}
		if first {
			fmt.Fprintf(out, "\n%s\n", w.t("help_commands"))
			first = false
		}
		fmt.Fprintf(out, "  %-12s %s\n", child.Name, w.t(helpKey(strings.TrimSpace(path+" "+child.Name))))
	}
}

// listens says whether a command serves on an address, which is a setting of its own name.
func listens(path string) bool { return path == "demo" || path == "serve" || path == "sandbox" }

func (w texts) helpFlags(out io.Writer, node *kong.Node, path string) {
	first := true
	if listens(path) {
		fmt.Fprintf(out, "\n%s\n  %-28s %s\n", w.t("help_flags"), "--listen ADDR", w.t("flag_listen"))
		first = false
	}
	for _, flag := range node.Flags {
		if flag.Hidden || flag.Name == "help" {
			continue
		}
		if first {
			fmt.Fprintf(out, "\n%s\n", w.t("help_flags"))
			first = false
		}
		name := "--" + flag.Name
		if flag.Short != 0 {
			name = "-" + string(flag.Short) + ", " + name
		}
		if !flag.IsBool() {
			name += " " + flag.FormatPlaceHolder()
		}
		fmt.Fprintf(out, "  %-28s %s\n", name, w.t("flag_"+strings.ReplaceAll(flag.Name, "-", "_")))
	}
}

func usageLine(node *kong.Node, path string) string {
	line := strings.TrimSpace("lingjuli " + path)
	for _, p := range node.Positional {
		line += " " + p.Summary()
	}
	if len(node.Children) > 0 {
		return line + " COMMAND …"
	}
	return line + " [--flags]"
}

// commandPath is the path of a command without the program's name: "campaign create".
func commandPath(node *kong.Node) string {
	var names []string
	for n := node; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		names = append([]string{n.Name}, names...)
	}
	return strings.Join(names, " ")
}

func helpKey(path string) string {
	if path == "" {
		return "help_lingjuli"
	}
	return "help_" + strings.ReplaceAll(strings.ReplaceAll(path, " ", "_"), "-", "_")
}
