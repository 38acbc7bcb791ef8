package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/store/seal"
)

// told runs commands on one fresh database.
func told(t *testing.T) func(args ...string) (stdout, stderr string, code int) {
	t.Helper()
	env := map[string]string{"LANG": "en_US.UTF-8", "LINGJULI_DATABASE_URL": "sqlite:" + t.TempDir() + "/told.db", "LINGJULI_DATA_KEY": seal.NewDataKey()}
	do := func(args ...string) (string, string, int) {
		var out, err bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), &out, &err, func(name string) string { return env[name] })
		return out.String(), err.String(), code
	}
	if _, err, code := do("migrate"); code != exitDone {
		t.Fatal(err)
	}
	return do
}

func TestABudgetIsSetAndListedByRegionAndMonth(t *testing.T) {
	do := told(t)
	if out, _, code := do("budget", "list", "--month", "2099-10"); code != exitDone || !strings.Contains(out, "no limit") {
		t.Errorf("%d %s", code, out)
	}
	out, err, code := do("budget", "set", "--region", "441802000000", "--month", "2099-10", "--yuan", "1200.5")
	if code != exitDone || !strings.Contains(out, "441802 清远市清城区  2099-10  budget 1200.50 yuan  spent 0.00 yuan  left 1200.50 yuan") {
		t.Errorf("%d %s %s", code, out, err)
	}
	if _, _, code := do("budget", "set", "--region", "44", "--month", "2099-11", "--yuan", "none"); code != exitDone {
		t.Errorf("exit %d", code)
	}
	out, _, _ = do("budget", "list", "--month", "2099-12")
	if !strings.Contains(out, "44 广东省  2099-12  no limit") || !strings.Contains(out, "441802 清远市清城区  2099-12  budget 1200.50 yuan") {
		t.Errorf("a later month: %s", out)
	}
	if strings.Contains(out, "counted since") {
		t.Errorf("a month that had not begun is counted whole: %s", out)
	}
	now := time.Now().In(time.FixedZone("", 8*3600)).Format("2006-01")
	if out, _, _ = do("budget", "set", "--region", "441881", "--month", now, "--yuan", "5"); strings.Count(out, "counted since "+now) != 1 {
		t.Errorf("a budget of a month that has begun: %s", out)
	}
	for _, args := range [][]string{
		{"--region", "441802", "--month", "2026-13", "--yuan", "1"},
		{"--region", "441802", "--month", "2026-12", "--yuan", "-1"},
		{"--region", "441802", "--month", "2026-12", "--yuan", "1e3"},
		{"--region", "110101", "--month", "2026-12", "--yuan", "1"},
		{"--region", "44180", "--month", "2026-12", "--yuan", "1"},
		{"--region", "441899", "--month", "2026-12", "--yuan", "1"},
	} {
		if _, err, code := do(append([]string{"budget", "set"}, args...)...); code != exitUsage || strings.Count(err, "\n") != 1 {
			t.Errorf("%v: exit %d, %s", args, code, err)
		}
	}
}

func TestABudgetForAPlaceWhereNobodyIsOnFileIsSetWithAWarning(t *testing.T) {
	do := told(t)
	set := func(region, yuan string) (string, int) {
		t.Helper()
		_, err, code := do("budget", "set", "--region", region, "--month", "2099-10", "--yuan", yuan)
		return err, code
	}
	if err, code := set("441802", "5"); code != exitDone || !strings.Contains(err, "nobody on file lives in 441802") {
		t.Errorf("a county before its import: %d %s", code, err)
	}
	if err, code := set("441802103", "5"); code != exitDone || !strings.Contains(err, "nobody on file lives in 441802103") {
		t.Errorf("a town before its import: %d %s", code, err)
	}
	sheet := t.TempDir() + "/people.csv"
	content := "姓名,身份证号码,行政区划代码,户编号\n林一,441802197001010018,441802103201,1\n"
	if err := os.WriteFile(sheet, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err, code := do("import", "people", sheet); code != exitDone {
		t.Fatalf("%d %s %s", code, out, err)
	}
	for _, region := range []string{"441802", "441802103", "441802103201"} {
		if err, code := set(region, "5"); code != exitDone || err != "" {
			t.Errorf("%s: %d %s", region, code, err)
		}
	}
}
