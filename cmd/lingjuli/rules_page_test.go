package main

import (
	"go/ast"
	goparser "go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/rules.md lists the rules with the stories that tell them.

// toldOn finds this package's tests, and whether each tells something on both databases.
func toldOn(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	both := map[string]bool{}
	for _, name := range files {
		file, err := goparser.ParseFile(gotoken.NewFileSet(), name, nil, goparser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			both[f.Name.Name] = false
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if name, ok := call.Fun.(*ast.Ident); ok && (name.Name == "eachTown" || name.Name == "eachTownAlone") {
						both[f.Name.Name] = true
					}
				}
				return true
			})
		}
	}
	return both
}

func TestEveryRuleIsToldOnBothDatabasesAndEveryStoryTellsOne(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := toldOn(t)
	told := map[string]bool{}
	row := regexp.MustCompile("^\\| ([^|]+) \\| [^|]+ \\| (?:`(\\w+)`)? ?\\|$")
	rules := 0
	for _, line := range strings.Split(string(page), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| rule ") {
			continue
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("no row of a rule: %s", line)
			continue
		}
		rules++
		both, there := tests[m[2]]
		switch {
		case m[2] == "" || !there:
			t.Errorf("%s: there is no test %q", m[1], m[2])
		case !both:
			t.Errorf("%s: %s is not told on both databases", m[1], m[2])
		}
		told[m[2]] = true
	}
	for name := range tests {
		if strings.HasPrefix(name, "TestStory") && !told[name] {
			t.Errorf("%s tells no rule of docs/rules.md", name)
		}
	}
	// Those that were asked for by name.
	for _, rule := range []string{
		"window, and past midnight", "nap time", "cap, waiting", "cap, skipping", "opt-out between claim and send", "a household of five with one phone", "budget reached",
		"an account without money", "a template refused", "one bad phone among a hundred", "ninety-nine bad phones", "WeChat refuses with 43004, 43101, 45015 or 45047",
		"a text is not delivered", "nobody answers the telephone", "an audience that changes in the middle", "a template withdrawn in the middle",
		"parameters that don't fit", "phones that all fail", "a platform that answers nonsense", "two approvals at once",
	} {
		if !strings.Contains(string(page), "\n| "+rule+" |") {
			t.Errorf("no row for %q", rule)
		}
	}
	if rules == 0 {
		t.Error("no rules are listed")
	}
}
