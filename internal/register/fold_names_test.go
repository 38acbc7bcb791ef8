package register

import (
	"slices"
	"testing"
)

func TestNamesAreToldApartByNoMoreThanItTakes(t *testing.T) {
	for _, c := range []struct {
		people []Named
		want   []string
	}{
		{[]Named{{"陈大文", "1953-01-01"}, {"李秀英", "1955-01-01"}}, []string{"陈**", "李**"}},
		{[]Named{{"陈大文", "1953-01-01"}, {"陈志强", "1990-01-01"}, {"李秀英", "1955-01-01"}}, []string{"**文", "**强", "李**"}},
		{[]Named{{"李秀英", "1955-01-01"}, {"李秀英", "1948-03-03"}}, []string{"**英(1955)", "**英(1948)"}},
		{[]Named{{"李秀英", "1955-01-01"}, {"李桂英", "1955-02-02"}, {"李桂花", "1955-02-02"}}, []string{"**英(1955)(1)", "**英(1955)", "**花"}},
		{[]Named{{"李英", ""}, {"李英", ""}}, []string{"*英(1)", "*英"}},
		{[]Named{{"李", ""}, {"李", "1955-01-01"}}, []string{"李*", "李*(1955)"}},
	} {
		got := TellApart(c.people)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.people, got, c.want)
		}
	}
}

func TestASignTellsAccountsApartAndNothingOfThem(t *testing.T) {
	signs := map[string]int{}
	for i := range 900 {
		s := OpenID("o5a0d0b0c-" + string(rune('a'+i%26)) + string(rune('a'+i/26))).Sign()
		if len(s) != 3 || s[0] == '0' {
			t.Fatalf("%q is not three digits", s)
		}
		signs[s]++
	}
	if len(signs) < 450 { // of 900 thrown at random 569 differ
		t.Errorf("%d signs of 900 accounts", len(signs))
	}
	if got := OpenID("o-son").Sign(); got != "233" {
		t.Errorf("an account's sign became %s: who agreed by it reads another now", got)
	}
}
