package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// inChinese is goodEnv for an operator who reads Chinese.
func inChinese(t *testing.T) map[string]string {
	env := goodEnv(t)
	env["LANG"] = "zh_CN.UTF-8"
	return env
}

// verbatim is what stays as it is in every language: names of settings, of programs and commands, addresses, codes.
var verbatim = regexp.MustCompile(`（LINGJULI_DATA_KEY is not the key of this database）|LINGJULI_[A-Z_]+|lingjuli( [a-z]+)*( -f FILE\.yaml)?|openssl rand -base64 \d+|maxmemory-policy|[a-z+-]+:\S*|\S*/\S*|access_token|EncodingAESKey|Asia/Shanghai|noeviction|\[[a-zA-Z.]+\]`)

// twoEnglishWords finds two words of English in a row.
var twoEnglishWords = regexp.MustCompile(`[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}`)

// found checks that every line of a doctor's report is a finding in Chinese, and gives those that are faults.
func found(t *testing.T, out string) (faults []string) {
	t.Helper()
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		grade, words, ok := strings.Cut(strings.TrimPrefix(line, "["), "] ")
		if !ok || !slices.Contains([]string{"好", "有问题", "提醒"}, grade) {
			t.Errorf("no finding: %s", line)
			continue
		}
		bare := verbatim.ReplaceAllString(words, "·")
		if twoEnglishWords.MatchString(bare) || !strings.ContainsFunc(bare, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("not in plain Chinese: %s", line)
		}
		if grade == "有问题" {
			faults = append(faults, words)
		}
	}
	return faults
}

func TestDoctorNamesEachFaultInChinese(t *testing.T) {
	for name, bad := range impossible() {
		t.Run(name, func(t *testing.T) {
			env := inChinese(t)
			env[name] = bad
			out, stderr, code := call(t, env, "doctor")
			named := slices.ContainsFunc(found(t, out), func(fault string) bool { return strings.HasPrefix(fault, "配置: "+name+" ") })
			if code != exitFailed || !named || !strings.Contains(stderr, "处要改") {
				t.Errorf("exit %d, said\n%s%s", code, out, stderr)
			}
			if strings.Contains(out+stderr, "shh-") {
				t.Errorf("a secret shows in\n%s%s", out, stderr)
			}
		})
	}
}

func TestDoctorNamesWhatIsMissingInChinese(t *testing.T) {
	for _, name := range needed() {
		env := inChinese(t)
		delete(env, name)
		out, stderr, code := call(t, env, "doctor")
		named := slices.ContainsFunc(found(t, out), func(fault string) bool { return strings.Contains(fault, name+" 没有设置") })
		if code != exitFailed || !named {
			t.Errorf("%s: exit %d, said\n%s%s", name, code, out, stderr)
		}
	}
}

func TestDoctorSaysInChineseWhatIsAwayAndWhatTheDatabaseLacks(t *testing.T) {
	env := inChinese(t)
	env["LINGJULI_REDIS_URL"] = "redis://127.0.0.1:1"
	out, stderr, code := call(t, env, "doctor")
	faults := strings.Join(found(t, out), "\n")
	for _, want := range []string{"数据库: ", "lingjuli migrate", "Redis: 连不上", "微信: 取不到 access_token", "阿里云: 请求没有通过"} {
		if !strings.Contains(faults, want) {
			t.Errorf("no fault says %q in\n%s%s", want, out, stderr)
		}
	}
	if code != exitFailed || !strings.Contains(stderr, "发现 4 处要改") {
		t.Errorf("exit %d, said %q", code, stderr)
	}
	delete(env, "LINGJULI_REDIS_URL")
	migrated(t, env)
	out, _, _ = call(t, env, "doctor")
	if got := found(t, out); len(got) != 2 || !strings.Contains(out, "[好] 数据库: 能连上") || !strings.Contains(out, "[好] Redis: 内置") {
		t.Errorf("with a database: %v in\n%s", got, out)
	}
	env["LINGJULI_DATA_KEY"] = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
	out, _, _ = call(t, env, "doctor")
	if got := found(t, out); !slices.ContainsFunc(got, func(f string) bool {
		return strings.HasPrefix(f, "数据库: ") && strings.Contains(f, "LINGJULI_DATA_KEY")
	}) {
		t.Errorf("with another key: %v", got)
	}
}

func TestDoctorNamesTheAnswersThatHaveNoTemplate(t *testing.T) {
	eachTown(t, 1, nil, func(w *town) {
		out, _, _ := call(w.t, w.env, "doctor")
		if strings.Contains(out, "without a template here") || !strings.Contains(out, "SMS templates are approved") {
			w.t.Errorf("all registered:\n%s", out)
		}
		w.sql("DELETE FROM templates WHERE key = 'reply_waiting'") // as a version has it that knew none
		if out, _, _ = call(w.t, w.env, "doctor"); !strings.Contains(out, "1 without a template here") || !strings.Contains(out, "reply_waiting") {
			w.t.Errorf("one is missing:\n%s", out)
		}
	})
}
