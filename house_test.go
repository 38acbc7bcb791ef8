package lingjuli_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Chinese text is data, written by people who know the policy and reviewed apart from code. It may stand in these
// folders; elsewhere neither in code nor in a page, a style or a script. A comment may name the official word that a
// constant or a column stands for. Tests are free.
var chineseMayStandIn = []string{"locales/", "internal/sandbox/data/"}

const officialWord = 12 // Han characters in a row; longer is a sentence

func TestChineseTextStandsOnlyWhereItBelongs(t *testing.T) {
	for _, path := range sources(t, ".go", ".html", ".js", ".css", ".sql") {
		if forTests(path) || slices.ContainsFunc(chineseMayStandIn, func(dir string) bool { return strings.HasPrefix(path, dir) }) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			code, comment := splitComment(path, line)
			if hanRun(code) > 0 || hanRun(comment) > officialWord {
				t.Errorf("%s:%d: Chinese text belongs in locales or in a data file: %s", path, n+1, strings.TrimSpace(line))
			}
		}
	}
}

// forTests says whether the file is a test or a package for tests, like storetest.
func forTests(path string) bool {
	return strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test")
}

// splitComment cuts a line before its comment. Go and SQL alone have comments that may name a word.
func splitComment(path, line string) (code, comment string) {
	mark := map[string]string{".go": "//", ".sql": "--"}[filepath.Ext(path)]
	if mark == "" {
		return line, ""
	}
	code, comment, _ = strings.Cut(line, mark)
	return code, comment
}

// hanRun is the length of the longest run of Han characters.
func hanRun(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		if run++; !unicode.Is(unicode.Han, r) {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

func TestAFunctionPastSixtyLinesSaysWhy(t *testing.T) {
	const most = 60
	files := token.NewFileSet()
	for _, path := range sources(t, ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue // a table of cases is data
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1
			if lines > most && !strings.Contains(commentOf(f), "funlen //") {
				t.Errorf("%s: %s has %d lines; split it, or say why not: //nolint:funlen // reason", files.Position(f.Pos()), f.Name.Name, lines)
			}
		}
	}
}

// commentOf is the doc of a function with its directives.
func commentOf(f *ast.FuncDecl) string {
	if f.Doc == nil {
		return ""
	}
	var text strings.Builder
	for _, c := range f.Doc.List {
		text.WriteString(c.Text + "\n")
	}
	return text.String()
}

func TestAFileStaysUnder450Lines(t *testing.T) {
	const most = 450
	for _, path := range sources(t, ".go") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines > most && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s has %d lines; look for the missing noun", path, lines)
		}
	}
}

func TestAnInterfaceHasAtMostFiveMethods(t *testing.T) {
	const most = 5
	files := token.NewFileSet()
	for _, path := range sources(t, ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			named, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			i, ok := named.Type.(*ast.InterfaceType)
			if !ok {
				return true
			}
			methods := 0 // of its own: a join of small ones is not one large one
			for _, m := range i.Methods.List {
				methods += len(m.Names)
			}
			if methods > most {
				t.Errorf("%s: %s has %d methods; whoever uses it needs fewer", files.Position(named.Pos()), named.Name.Name, methods)
			}
			return true
		})
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := map[string]bool{}
	for _, path := range sources(t, ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		said[filepath.Dir(path)] = said[filepath.Dir(path)] || file.Doc != nil
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// sources are the files of the house with one of the endings, sorted, with slashes; neither what tools put beside
// them nor what tests feed in.
func sources(t *testing.T, endings ...string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := strings.HasPrefix(entry.Name(), ".") && path != "."
			if hidden || slices.Contains([]string{"testdata", "node_modules", "bin", "lingjuli-demo"}, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if slices.Contains(endings, filepath.Ext(path)) {
			paths = append(paths, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
