package lingjuli_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var twins = []string{"README.md", "README.zh-CN.md"}

// shape is what a README says apart from its words: headings by level, code, variables, files and addresses.
func shape(text string) map[string][]string {
	find := func(pattern string) []string {
		var found []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
		return found
	}
	return map[string][]string{
		"headings":  find(`(?m)^(#+) `),
		"commands":  find("(?s)```sh\n(.*?)```"),
		"variables": find("(?m)^\\| `(LINGJULI_[A-Z_]+)`"),
		"code":      sorted(find("`([^`\n]*[a-z]{3}[^`\n]*)`"), notChinese),
		"markers":   find(`<!-- ([a-z:]+) -->`),
	}
}

// sorted orders what two languages name in different places.
func sorted(list []string, keep func(string) bool) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return !keep(s) })
	slices.Sort(list)
	return slices.Compact(list)
}

func notChinese(s string) bool { return hanRun(s) == 0 }

func TestBothReadmesSayTheSame(t *testing.T) {
	english, chinese := shape(withoutTable(read(t, twins[0]))), shape(withoutTable(read(t, twins[1])))
	for what, want := range english {
		if got := chinese[what]; !slices.Equal(want, got) {
			t.Errorf("%s differ:\n%s: %q\n%s: %q", what, twins[0], want, twins[1], got)
		}
	}
}

func TestBothReadmesListTheSameVariables(t *testing.T) {
	english, chinese := shape(read(t, twins[0]))["variables"], shape(read(t, twins[1]))["variables"]
	if !slices.Equal(english, chinese) {
		t.Errorf("the configuration tables differ; run make generate:\n%q\n%q", english, chinese)
	}
	for _, want := range exampleNames(t) {
		if strings.HasPrefix(want, "LINGJULI_") && !slices.Contains(english, want) {
			t.Errorf("%s of .env.example is not in the table of README.md", want)
		}
	}
}

var table = regexp.MustCompile(`(?s)(<!-- config:begin -->).*(<!-- config:end -->)`)

// withoutTable takes the generated table out: its words are the program's.
func withoutTable(text string) string { return table.ReplaceAllString(text, "$1\n$2") }

// What a page names must be there, or the reader looks for it in vain.
func TestWhatThePagesNameExists(t *testing.T) {
	file := regexp.MustCompile("`((?:[a-z_]+/)+[A-Za-z0-9_.-]+\\.(?:go|yaml|md))`")
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	pages := append([]string{"CONTRIBUTING.md", "docs/operating.md", "docs/capacity.md"}, twins...)
	decisions, err := os.ReadDir("docs/adr")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions {
		pages = append(pages, "docs/adr/"+d.Name())
	}
	for _, page := range pages {
		text := read(t, page)
		for _, m := range file.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s names %s: %v", page, m[1], err)
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(path.Join(path.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}

func TestEachDecisionIsListedAndShort(t *testing.T) {
	index := read(t, "docs/adr/README.md")
	decisions, err := os.ReadDir("docs/adr")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions {
		if d.Name() == "README.md" {
			continue
		}
		text := read(t, "docs/adr/"+d.Name())
		if !strings.Contains(index, "("+d.Name()+")") {
			t.Errorf("docs/adr/README.md does not list %s", d.Name())
		}
		for _, part := range []string{"**Context.**", "**Choice.**", "**What we gave up.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %s", d.Name(), part)
			}
		}
	}
}

// The targets that CONTRIBUTING.md promises are those that the Makefile has and explains.
func TestContributingNamesEveryTarget(t *testing.T) {
	text := read(t, "CONTRIBUTING.md") + read(t, "README.md")
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9]+):.*## `).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		switch m[1] {
		case "help", "ci", "clean":
			continue
		}
		if !regexp.MustCompile("`make [a-z ]*\\b" + m[1] + "\\b").MatchString(text) {
			t.Errorf("neither CONTRIBUTING.md nor README.md says what make %s is for", m[1])
		}
	}
}
