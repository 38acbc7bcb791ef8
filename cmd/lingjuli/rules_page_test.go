package main

import (
	"go/ast"
	"go/build"
	goparser "go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/rules.md lists the rules with the stories that tell them.

// story is how a test tells something.
type story struct {
	both   bool // on both databases
	skips  bool // it may leave itself out
	tagged bool // it stands in a file that go test leaves out unless it is asked for
}

// stories finds this package's tests.
func stories(t *testing.T) map[string]story {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	plain := build.Default
	plain.GOOS = "linux" // which a county runs, and CI
	found := map[string]story{}
	for _, name := range files {
		built, err := plain.MatchFile(".", name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := goparser.ParseFile(gotoken.NewFileSet(), name, nil, goparser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			s := story{tagged: !built}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					switch called := call.Fun.(type) {
					case *ast.Ident:
						s.both = s.both || called.Name == "eachTown" || called.Name == "eachTownAlone"
					case *ast.SelectorExpr:
						s.skips = s.skips || slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, called.Sel.Name)
					}
				}
				return true
			})
			found[f.Name.Name] = s
		}
	}
	return found
}

func TestEveryRuleIsToldOnBothDatabasesAndEveryStoryTellsOne(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := stories(t)
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
		test, there := tests[m[2]]
		switch {
		case m[2] == "" || !there:
			t.Errorf("%s: there is no test %q", m[1], m[2])
		case !test.both:
			t.Errorf("%s: %s is not told on both databases", m[1], m[2])
		case test.skips:
			t.Errorf("%s: %s may skip itself, and nobody would see it", m[1], m[2])
		case test.tagged:
			t.Errorf("%s: %s stands behind a build tag, and go test passes it by", m[1], m[2])
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
		"a time to start", "a window that opens", "cap, and room again", "a text has no receipt", "a campaign paused in full flight, and cancelled", "a slow campaign cancelled",
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
