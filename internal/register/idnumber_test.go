package register

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// fictional completes 17 digits to a number that nobody was given: sequence 000 is never issued.
func fictionalID(t *testing.T, first17 string) IDNumber {
	t.Helper()
	id, err := CompleteIDNumber(first17)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAnIDNumberIsReadInTheShapesPeopleTypeAndTheReasonOfARefusalIsTold(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	good := string(fictionalID(t, "44180219900101001"))
	withX := ""
	for seq := range 10 {
		if id := string(fictionalID(t, "4418021985060600"+string(rune('0'+seq)))); strings.HasSuffix(id, "X") {
			withX = id
		}
	}
	if withX == "" {
		t.Fatal("no number ends in X")
	}
	wrongDigit := good[:17] + string('0'+(good[17]-'0'+1)%10)
	tests := []struct {
		raw        string
		want       string
		normalised bool
		err        error
	}{
		{good, good, false, nil},
		{withX, withX, false, nil},
		{strings.ToLower(withX), withX, true, nil},
		{" " + good + "\t", good, true, nil},
		{good[:6] + " " + good[6:14] + " " + good[14:], good, true, nil},
		{"'" + good, good, true, nil},
		{fullWidth(withX), withX, true, nil},
		{"", "", false, ErrIDMissing},
		{" \u3000", "", false, ErrIDMissing},
		{wrongDigit, "", false, ErrIDInvalid},
		{"441802900101001", "", false, ErrIDInvalid},
		{"1.23E+17", "", false, ErrIDMangled},
		{"4.41802199001011E+17", "", false, ErrIDMangled},
		{"441802199001010000", "", false, ErrIDMangled},
		{good + ".0", "", false, ErrIDMangled},
		{string(fictionalID(t, "99180219900101001")), "", false, ErrIDInvalid},
		{string(fictionalID(t, "44180219900231001")), "", false, ErrIDInvalid},
		{string(fictionalID(t, "44180218991231001")), "", false, ErrIDInvalid},
		{string(fictionalID(t, "44180220260302001")), "", false, ErrIDInvalid},
		{"44180219900101A01X", "", false, ErrIDInvalid},
	}
	for _, tt := range tests {
		got, normalised, err := parseIDNumber(tt.raw, now)
		if string(got) != tt.want || normalised != tt.normalised || !errors.Is(err, tt.err) {
			t.Errorf("%q: got %q, %v, %v; want %q, %v, %v", tt.raw, string(got), normalised, err, tt.want, tt.normalised, tt.err)
		}
	}
}

func fullWidth(s string) string {
	return strings.Map(func(r rune) rune { return r - '!' + '\uff01' }, s)
}

func TestAnIDNumberTellsBirthDateAndSex(t *testing.T) {
	id := fictionalID(t, "44180219900228001")
	if id.BirthDate() != "1990-02-28" || id.Sex() != Male || id.Area() != "441802" {
		t.Fatalf("%s %s %s", id.BirthDate(), id.Sex(), id.Area())
	}
	if fictionalID(t, "44180219900228002").Sex() != Female {
		t.Fatal("an even 17th digit is a woman's")
	}
}

func TestNoDigitOfAPersonReachesALog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	id, phone, open := fictionalID(t, "44180219900101001"), Phone("13800001234"), OpenID("o6_bmjrPTlm6_2sgVt7hMZOPfL2M")
	log.Info("x", "id", id, "phone", phone, "openid", open)
	log.Info(id.String() + phone.String() + open.String())
	if strings.ContainsAny(out.String(), "0123456789") {
		t.Fatal(out.String())
	}
}

func TestAPhoneNumberIsReadInTheShapesPeopleTypeAndLandlinesAreToldApart(t *testing.T) {
	tests := []struct {
		raw    string
		want   string
		mobile bool
		err    error
	}{
		{"13800001234", "13800001234", true, nil},
		{"+86 138 0000 1234", "13800001234", true, nil},
		{"0086-138-0000-1234", "13800001234", true, nil},
		{"86 13800001234", "13800001234", true, nil},
		{fullWidth("13800001234"), "13800001234", true, nil},
		{"13800001234.0", "13800001234", true, nil},
		{"0763-3300000", "07633300000", false, nil},
		{"(020)83300000", "02083300000", false, nil},
		{"3300000", "3300000", false, nil},
		{"0763-3300000/13800001234", "13800001234", true, nil},
		{"13800001234、13900001234", "13800001234", true, nil},
		{"12800001234", "", false, ErrPhoneInvalid},
		{"1380000123", "", false, ErrPhoneInvalid},
		{"1.38E+10", "", false, ErrPhoneInvalid},
		{"无", "", false, ErrPhoneMissing},
		{"—", "", false, ErrPhoneMissing},
		{"", "", false, ErrPhoneMissing},
	}
	for _, tt := range tests {
		got, err := ParsePhone(tt.raw)
		if string(got) != tt.want || got.IsMobile() != tt.mobile || !errors.Is(err, tt.err) {
			t.Errorf("%q: got %q, %v, %v", tt.raw, string(got), got.IsMobile(), err)
		}
	}
}

func FuzzIDNumber(f *testing.F) {
	f.Add("441802199001010017")
	f.Add("1.23E+17")
	f.Add("４４１８０２１９９００１０１００１７")
	f.Fuzz(func(t *testing.T, raw string) {
		id, _, err := ParseIDNumber(raw)
		if (err == nil) != (len(id) == 18) {
			t.Fatalf("%q: %q, %v", raw, string(id), err)
		}
		if err == nil {
			again, normalised, err := ParseIDNumber(string(id))
			if again != id || normalised || err != nil {
				t.Fatalf("%q is not stable", string(id))
			}
		}
	})
}
