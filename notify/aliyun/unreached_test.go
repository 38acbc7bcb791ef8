package aliyun

import (
	"fmt"
	"testing"

	"github.com/lingjuli/lingjuli/notify"
)

func TestTheListForTheTownshipNamesTheEndOfACallAsTheReportDoes(t *testing.T) {
	want := map[notify.CallEnd]notify.UnreachedWhy{
		notify.NotAnswered: notify.WhyNotAnswered, notify.HungUp: notify.WhyHungUp, notify.NoNumber: notify.WhyDeadNumber, notify.HeldBack: notify.WhyTooMany,
	}
	for n := range 130 {
		code := fmt.Sprint(200000 + n)
		end, heard := callEnd(code, "")
		if heard {
			continue
		}
		row := notify.RowEnd{State: notify.Failed, Channel: notify.Voice, Reason: code}
		if got := row.Why(); got != want[end] {
			t.Errorf("%s is %s to the report and %s to the list", code, end, got)
		}
	}
}
