// Package lingjuli_test holds what is true of the whole house: which way imports point, where Chinese text may stand,
// how long a function may be, what the compose file promises, and that the two READMEs say the same.
package lingjuli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lingjuli/lingjuli"

// A family is a package and what lies under it, unless that is a family of its own. A family may import itself and
// what its line names; imports only point down.
func families() map[string][]string {
	ground := []string{"internal/hanzi", "locales"}
	bottom := append([]string{"internal/register", "internal/staff"}, ground...)
	middle := append([]string{"flows", "flows/turn", "flows/understand", "notify", "internal/measures"}, bottom...)
	top := append([]string{"bot", "internal/console", "internal/api", "internal/store", "notify/aliyun", "internal/sandbox"}, middle...)
	return map[string][]string{
		"cmd": top,

		"bot":              middle,
		"internal/console": middle,
		"internal/api":     middle,
		"internal/store":   middle,
		"internal/sandbox": middle,
		"notify/aliyun":    middle,

		"flows":             bottom,
		"flows/understand":  bottom,
		"flows/turn":        append([]string{"flows", "flows/understand"}, bottom...),
		"notify":            bottom,
		"internal/measures": bottom,

		"internal/staff":    append([]string{"internal/register"}, ground...),
		"internal/register": ground,
		"locales":           {"internal/hanzi"},
		"internal/hanzi":    nil,

		"internal/testservices": nil,
	}
}

// vendors are other people's packages that only some families may import, with the reason.
var vendors = []struct {
	prefix, why string
	families    []string
}{
	{"github.com/silenceper/wechat/v2", "only bot speaks WeChat", []string{"bot"}},
	{"github.com/aliyun/", "only notify/aliyun speaks Aliyun", []string{"notify/aliyun"}},
	{"github.com/jackc/pgx", "only the store knows its databases", []string{"internal/store"}},
	{"modernc.org/sqlite", "only the store knows its databases", []string{"internal/store"}},
	{"github.com/pressly/goose", "only the store migrates", []string{"internal/store"}},
	{"database/sql", "only the store speaks SQL", []string{"internal/store", "cmd"}},
	{"github.com/alecthomas/kong", "only commands have flags", []string{"cmd"}},
	{"github.com/chromedp", "browsers belong to tests", nil},
	{"github.com/compose-spec", "the compose file is checked by a test", nil},
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func TestImportsOnlyPointDown(t *testing.T) {
	for _, p := range ours(t) {
		from := family(p.ImportPath)
		if from == "" {
			t.Errorf("%s belongs to no family: say in arrows_test.go and .golangci.yml where it stands; a new top-level folder needs an ADR", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if !own(imported) {
				continue
			}
			if to := family(imported); to != from && !slices.Contains(families()[from], to) {
				t.Errorf("%s imports %s: %s may not see %s", p.ImportPath, imported, from, to)
			}
		}
	}
}

func TestEachVendorHasOneDoor(t *testing.T) {
	for _, p := range ours(t) {
		for _, v := range vendors {
			if slices.Contains(v.families, family(p.ImportPath)) {
				continue
			}
			for _, imported := range p.Imports {
				if imported == strings.TrimSuffix(v.prefix, "/") || strings.HasPrefix(imported, strings.TrimSuffix(v.prefix, "/")+"/") {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, v.why)
				}
			}
		}
	}
}

func TestConversationsAndCampaignsKnowNoPageAndNoSQL(t *testing.T) {
	reach := map[string]listed{}
	for _, p := range ours(t) {
		reach[p.ImportPath] = p
	}
	for path := range reach {
		if f := family(path); f != "flows" && f != "flows/turn" && f != "flows/understand" && f != "notify" {
			continue
		}
		for _, seen := range closure(reach, path) {
			for _, forbidden := range []string{"net/http", "database/sql", "html/template"} {
				if slices.Contains(reach[seen].Imports, forbidden) {
					t.Errorf("%s reaches %s through %s", path, forbidden, seen)
				}
			}
		}
	}
}

func TestOnlyTestsKnowTheTestingPackage(t *testing.T) {
	for _, p := range ours(t) {
		if slices.Contains(p.Imports, "testing") && !strings.HasSuffix(p.ImportPath, "test") {
			t.Errorf("%s imports testing: that belongs in _test.go or in a package called …test", p.ImportPath)
		}
	}
}

func TestTheLibrarysRootPackageIsNotInTheProgram(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath == "github.com/silenceper/wechat/v2" {
			t.Error("the root package of silenceper/wechat sets a global logger that writes message texts")
		}
	}
}

// closure is path and all packages of ours that it imports, directly or not.
func closure(all map[string]listed, path string) []string {
	seen := []string{path}
	for i := 0; i < len(seen); i++ {
		for _, imported := range all[seen[i]].Imports {
			if own(imported) && !slices.Contains(seen, imported) {
				seen = append(seen, imported)
			}
		}
	}
	return seen
}

func own(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// family is the longest family name that is the package's path or stands above it.
func family(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	for path != "" {
		if _, ok := families()[path]; ok {
			return path
		}
		cut := strings.LastIndexByte(path, '/')
		if cut < 0 {
			return ""
		}
		path = path[:cut]
	}
	return ""
}

// ours are the packages of this module that hold more than tests.
func ours(t *testing.T) []listed {
	t.Helper()
	return slices.DeleteFunc(list(t), func(p listed) bool {
		return !own(p.ImportPath) || p.ImportPath == module
	})
}

// list asks the go command for every package that the program and its tools are made of.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Standard", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
