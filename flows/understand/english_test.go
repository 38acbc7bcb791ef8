package understand

import (
	"strings"
	"testing"
)

func inMandarin(t *testing.T, r *reader, text string) string {
	t.Helper()
	return string(r.writer.settled(r.english.in(r.writer.letters(text))))
}

func readerForTest(t *testing.T) *reader {
	t.Helper()
	r, err := newReader(soundTable)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEnglishIsReadInMandarin(t *testing.T) {
	r := readerForTest(t)
	for text, want := range map[string]string{
		"looking for a job":         "找工作",
		"who reads my messages?":    "谁读我短信",
		"No pension this month!":    "没有养老金这个月",
		"ＰＥＮＳＩＯＮ":                   "养老金",
		"I don’t want any messages": "我退订",
		"i dont want any messages":  "我退订",
		"social-insurance":          "社保",
		"check下我個pension":           "查下我个养老金",
		"个staff好rude":               "个工作人员好态度差",
		"I have no idea. Job!":      "我有没有idea 工作",
		"my xylophone":              "我xylophone",
	} {
		if got := inMandarin(t, r, text); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

func TestLettersThatSpellChineseAreLeftToTheEar(t *testing.T) {
	r := readerForTest(t)
	for _, text := range []string{"yanglaojin", "wo de yibao", "women de shebao", "ni you gong zuo ma", "xi'an"} {
		if got := string(r.english.in([]rune(text))); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	if got := inMandarin(t, r, "can you"); got == "can you" {
		t.Error("words that are English, each of them, are taken for Chinese")
	}
}

func TestEachEnglishPhraseIsReadAsItsLineSays(t *testing.T) {
	r := readerForTest(t)
	file, err := readText("english.txt")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]string{}
	for _, line := range lines(file) {
		to, list, _ := strings.Cut(line, ":")
		for phrase := range strings.SplitSeq(list, ",") {
			words := latinWords([]rune(phrase))
			key := joined(words, plainly)
			if key != strings.TrimSpace(strings.ReplaceAll(phrase, "-", " ")) {
				t.Errorf("in %q is more than words", phrase)
			}
			if was, ok := of[key]; ok && was != to {
				t.Errorf("%q is both %q and %q", key, was, to)
			}
			of[key] = to
			if got, n := r.english.phrase(words); n != len(words) || got != strings.Trim(to, "-") {
				t.Errorf("of %q %d words are read, as %q; want %q", phrase, n, got, to)
			}
		}
	}
	if len(of) < 3000 {
		t.Errorf("only %d phrases", len(of))
	}
}

func TestFormsOfAnEnglishWordHaveOneStem(t *testing.T) {
	for _, forms := range [][]string{
		{"job", "jobs"},
		{"apply", "applies"},
		{"cancel", "cancels", "canceled"},
		{"stop", "stopped", "stopping"},
		{"charge", "charges", "charged", "charging"},
		{"call", "calls", "called", "calling"},
		{"pass", "passed", "passing"},
	} {
		for _, form := range forms[1:] {
			if stem(form) != stem(forms[0]) {
				t.Errorf("%s has the stem %s, %s has %s", forms[0], stem(forms[0]), form, stem(form))
			}
		}
	}
	for _, short := range []string{"bus", "is", "ring", "bed", "class"} {
		if got := stem(short); got != short {
			t.Errorf("%s is cut to %s", short, got)
		}
	}
}
