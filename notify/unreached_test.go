package notify

import (
	"testing"

	"pgregory.net/rapid"
)

func TestARowCodeLeadsBackToItsPersonAndASlipOfThePenLeadsToNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int64Range(1, 1<<62).Draw(t, "id")
		code := RowCode(id)
		if got, ok := ReadRowCode(code); !ok || got != id {
			t.Fatalf("%s: %d, %v", code, got, ok)
		}
		at := rapid.IntRange(0, len(code)-1).Draw(t, "at")
		letter := rowCodeLetters[rapid.IntRange(0, len(rowCodeLetters)-1).Draw(t, "letter")]
		if slip := code[:at] + string(letter) + code[at+1:]; slip != code {
			if got, ok := ReadRowCode(slip); ok {
				t.Fatalf("%s for %s leads to %d", slip, code, got)
			}
		}
		if at > 0 && code[at] != code[at-1] {
			swapped := code[:at-1] + string(code[at]) + string(code[at-1]) + code[at+1:]
			if got, ok := ReadRowCode(swapped); ok && at < len(code)-1 {
				t.Fatalf("%s for %s leads to %d", swapped, code, got)
			}
		}
	})
	for _, none := range []string{"", "A", "零距离", "AAAA", "CCCCCCCCCCCCCCCCCCCC", "<script>"} {
		if id, ok := ReadRowCode(none); ok {
			t.Errorf("%q leads to %d", none, id)
		}
	}
	code := RowCode(7)
	if id, ok := ReadRowCode(" " + code[:2] + "-" + code[2:] + " "); !ok || id != 7 {
		t.Errorf("%s: %d", code, id)
	}
}

func TestEveryRowThatEndedWithoutReachingHasAReasonAndNoOther(t *testing.T) {
	known := map[UnreachedWhy]bool{}
	for _, why := range UnreachedWhys() {
		known[why] = true
	}
	for _, state := range DeliveryStates() {
		for _, channel := range []Channel{SMS, Voice, WeChat} {
			for _, code := range []string{"", "unknown", "200003", "MOBILE_NOT_ON_SERVICE", "43004", "local.47003", "SOMETHING_NEW"} {
				end := RowEnd{State: state, Reason: code, Channel: channel}
				why := end.Why()
				open := state == Taken && channel == Voice
				if got := why != ""; got != (state == Failed || open) {
					t.Errorf("%+v: %q", end, why)
				}
				if why != "" && (!known[why] || end.Reached()) {
					t.Errorf("%+v: %q", end, why)
				}
			}
		}
	}
	for _, reason := range SkipReasons() {
		listed := true
		for _, out := range LeftOut() {
			listed = listed && out != reason
		}
		if why := (RowEnd{State: Skipped, Reason: string(reason)}).Why(); (why != "") != listed {
			t.Errorf("%s: %q", reason, why)
		}
	}
}
