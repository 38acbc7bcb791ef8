package understand

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheModelIsLearntFromTheseTexts(t *testing.T) {
	_, was, err := readModel(modelFile, len(Intents()))
	if err != nil {
		t.Fatal(err)
	}
	is, err := digestOf(soundTable)
	if err != nil {
		t.Fatal(err)
	}
	if was != is {
		t.Error("examples, terms or words of dialects have changed since; run: go generate ./flows/understand")
	}
}

func TestLearningTwiceGivesOneModel(t *testing.T) {
	r, err := newReader(soundTable)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := loadSamples(Intents())
	if err != nil {
		t.Fatal(err)
	}
	var few []sample
	for i, s := range samples {
		if i%20 == 0 {
			few = append(few, s)
		}
	}
	var files [2][]byte
	for i := range files {
		if files[i], err = learn(r, few, len(Intents())).write([32]byte{}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same examples gave two models")
	}
	m, _, err := readModel(files[0], len(Intents()))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(m.keys) || len(m.keys) < 1000 {
		t.Errorf("%d keys, sorted: %v", len(m.keys), slices.IsSorted(m.keys))
	}
}

func TestOfTwoFeaturesWithOneKeyTheSameStays(t *testing.T) {
	a, b := uint64(0), uint64(2654435761)<<32|1
	if keyFor(a) != keyFor(b) {
		t.Fatal("these two no longer fall together")
	}
	intents := len(Intents())
	for range 50 {
		l := &learner{
			index: map[uint64]int32{a: 0, b: 1}, weights: make([]float32, 2*intents),
			bias: make([]float32, intents), intents: intents,
		}
		l.weights[3], l.weights[intents+5] = 1, 1
		if m := l.model(); len(m.keys) != 1 || m.rows[3] == 0 {
			t.Fatalf("%d keys, %v", len(m.keys), m.rows)
		}
	}
}

func TestADamagedModelIsRefused(t *testing.T) {
	for name, file := range map[string][]byte{
		"empty":      nil,
		"cut":        modelFile[:len(modelFile)-1],
		"longer":     append(slices.Clone(modelFile), 0),
		"other kind": append([]byte("SOMETHNG"), modelFile[8:]...),
	} {
		if _, _, err := readModel(file, len(Intents())); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, _, err := readModel(modelFile, len(Intents())+1); err == nil {
		t.Error("a model of other intents is taken")
	}
}

func TestThereAreExamplesEnough(t *testing.T) {
	samples, err := loadSamples(Intents())
	if err != nil {
		t.Fatal(err)
	}
	type place struct{ intent, variant string }
	lines := map[place]map[int]bool{}
	for _, s := range samples {
		p := place{Intents()[s.intent], s.variant}
		if lines[p] == nil {
			lines[p] = map[int]bool{}
		}
		lines[p][s.line] = true
		if !utf8.ValidString(s.text) {
			t.Errorf("%s: %q", p.intent, s.text)
		}
	}
	variants := map[string]int{
		"mandarin": 60, "traditional": 10, "cantonese": 20, "typo": 15, "voice": 15, "elderly": 10, "fragment": 15,
		"english": 15,
	}
	for _, intent := range Intents() {
		for variant, least := range variants {
			if n := len(lines[place{intent, variant}]); n < least {
				t.Errorf("%s has %d lines of %s, wanted %d", intent, n, variant, least)
			}
		}
	}
	for p := range lines {
		if variants[p.variant] == 0 {
			t.Errorf("%s has a heading %q", p.intent, p.variant)
		}
	}
	if n := len(lines[place{OutOfScope, "mandarin"}]); n < 500 {
		t.Errorf("%d lines are out of scope", n)
	}
}

func TestNoUtteranceIsAnExampleOfTwoIntents(t *testing.T) {
	samples, err := loadSamples(Intents())
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]int{}
	for _, s := range samples {
		if was, ok := of[s.text]; ok && was != s.intent {
			t.Errorf("%q is of %s and %s", s.text, Intents()[was], Intents()[s.intent])
		}
		of[s.text] = s.intent
	}
}

func TestAlternativesAreWrittenOut(t *testing.T) {
	got, err := expand("[a|b]c[d|]")
	if err != nil || !slices.Equal(got, []string{"acd", "ac", "bcd", "bc"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := expand("a[b|c"); err == nil {
		t.Error("an open bracket is taken")
	}
}

func TestLinesMuchAlikeAreOneFamily(t *testing.T) {
	r, err := newReader(soundTable)
	if err != nil {
		t.Fatal(err)
	}
	family := families(r, []sample{
		{text: "我的医保交了没有", line: 0},
		{text: "哪里招司机", line: 1},
		{text: "我的醫保交了沒有呀", line: 2},
		{text: "我嘅医保交咗未", line: 3},
	})
	if family[0] != family[2] || family[0] == family[1] {
		t.Errorf("%v", family)
	}
}

func TestWhatSoundsAlikeIsRead(t *testing.T) {
	s, err := newSounds(soundTable)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{
		{"农", "隆"},
		{"女", "吕"},
		{"知", "资"},
		{"吃", "次"},
		{"是", "四"},
		{"邦", "班"},
		{"新", "星"},
		{"深", "生"},
		{"养老金", "yanglaojin"},
		{"社保", "shebao"},
	} {
		a, b := s.of([]rune(pair[0])), s.of([]rune(pair[1]))
		if !slices.Equal(a, b) {
			t.Errorf("%s and %s: %v and %v", pair[0], pair[1], a, b)
		}
	}
	if got := s.of([]rune("vpn")); len(got) != 3 || got[0] != 'v'|noSyllable {
		t.Errorf("letters that spell nothing: %v", got)
	}
}

func TestALineMayNameOtherRightAnswers(t *testing.T) {
	intents := Intents()
	text, also, err := cutAlso("社保 ~ check_medical human", intents)
	if err != nil || text != "社保" || !slices.Equal(also, []int{0, slices.Index(intents, "human")}) {
		t.Errorf("%q %v, %v", text, also, err)
	}
	if _, _, err := cutAlso("社保 ~ insurance", intents); err == nil {
		t.Error("an intent that does not exist is taken")
	}
	samples, err := loadSamples(intents)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		if slices.Contains(s.also, s.intent) || strings.Contains(s.text, " ~ ") {
			t.Errorf("%s: %q", intents[s.intent], s.text)
		}
	}
}

func TestASlipSoundsTheSame(t *testing.T) {
	r, err := newReader(soundTable)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := loadSamples(Intents())
	if err != nil {
		t.Fatal(err)
	}
	slips, changed := newSlips(r.sounds, samples), 0
	for _, text := range []string{"我的医保交了没有", "养老金什么时候发", "附近有没有厂招工", "想学电焊哪里报名", "大病救助怎么申请"} {
		slipped := slips.in(text)
		if slipped != text {
			changed++
		}
		if slipped != slips.in(text) {
			t.Errorf("%s slips in two ways", text)
		}
		if a, b := r.sounds.of([]rune(text)), r.sounds.of([]rune(slipped)); !slices.Equal(a, b) {
			t.Errorf("%s and %s sound different", text, slipped)
		}
	}
	if changed == 0 {
		t.Error("nothing slips")
	}
}

func TestALongWordHidesTheWordsInIt(t *testing.T) {
	w := newWords[rune]()
	w.add([]rune("榨油"), 1)
	w.add([]rune("油"), 2)
	w.add([]rune("榨油坊"), 3)
	if got := w.find([]rune("开榨油坊卖油")); len(got) != 2 || !got[3] || !got[2] {
		t.Errorf("%v", got)
	}
}

func TestLatinWordsAreWordsWithTheirBeginnings(t *testing.T) {
	same := func(a, b string) int {
		n := 0
		for _, id := range latin([]rune(b)) {
			if slices.Contains(latin([]rune(a)), id) {
				n++
			}
		}
		return n
	}
	if got := len(latin([]rune("my insurance"))); got != 4 {
		t.Errorf("two words, a beginning and the pair make %d features", got)
	}
	if same("job", "jobs") != 1 || same("reimbursed", "reimbursement") != 1 || same("as", "a") != 0 {
		t.Error("forms of one word have nothing in common, or two words have")
	}
	if len(latin([]rune("我的养老金"))) != 0 {
		t.Error("Chinese has Latin words")
	}
}

func TestADrawnOutSoundIsReadAsTwo(t *testing.T) {
	r, err := newReader(soundTable)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{"在吗吗吗吗", "在吗吗"}, {"哈哈哈哈哈", "哈哈"}, {"hellooooo", "helloo"}} {
		if a, b := r.read(pair[0]), r.read(pair[1]); !slices.Equal(a, b) {
			t.Errorf("%s and %s are read differently", pair[0], pair[1])
		}
	}
	if slices.Equal(r.read("谢谢"), r.read("谢")) {
		t.Error("a doubled character is read as one")
	}
}
