package console

import (
	"strings"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/internal/register"
)

// What a page shows of personal data before somebody asked for it: enough to tell two people in one list
// apart, too little to find them elsewhere.

func maskName(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if size == 0 || len(name) == size {
		return "＊"
	}
	return string(first) + "＊"
}

func maskPhone(phone register.Phone) string {
	digits := string(phone)
	switch {
	case digits == "":
		return ""
	case len(digits) == 11 && digits[0] == '1':
		return digits[:3] + "****" + digits[7:]
	case len(digits) < 8:
		return "****"
	}
	return "****" + digits[len(digits)-3:] // a landline: its area code says only the city
}

func maskID(id register.IDNumber) string {
	digits := string(id)
	if len(digits) < 15 {
		return strings.Repeat("*", 4)
	}
	return digits[:3] + strings.Repeat("*", len(digits)-7) + digits[len(digits)-4:]
}
