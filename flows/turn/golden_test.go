package turn_test

import (
	"testing"

	"github.com/lingjuli/lingjuli/flows/turn/turntest"
)

var update = turntest.Update()

func TestGoldenConversationsGoAsWritten(t *testing.T) {
	turntest.Play(t, "../testdata/conversations", *update, func(_ *testing.T, s turntest.Setting) turntest.Kept {
		return turntest.NewMemory(s.People)
	})
}
