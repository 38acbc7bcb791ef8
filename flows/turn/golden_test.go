package turn_test

import (
	"testing"

	"github.com/lingjuli/lingjuli/flows/turn/turntest"
)

var update = turntest.Update()

func TestGoldenConversationsGoAsWritten(t *testing.T) {
	turntest.Play(t, "../testdata/conversations", *update, func(t *testing.T, s turntest.Setting) turntest.Kept {
		m := turntest.NewMemory(s.People)
		if err := m.FileSheets(s.Sheets); err != nil {
			t.Fatal(err)
		}
		for _, d := range s.Doors {
			m.Door(d.Scene, d.Person, d.Terms(), s.Now.Add(d.Life))
		}
		for i, p := range s.People {
			if p.Doubted {
				m.Doubt(int64(i + 1))
			}
		}
		return m
	})
}

func TestATextThatSomebodyAsksAboutIsAnsweredAsWritten(t *testing.T) {
	turntest.Play(t, "../testdata/texts", *update, func(t *testing.T, s turntest.Setting) turntest.Kept {
		m := turntest.NewMemory(s.People)
		if err := m.FileSheets(s.Sheets); err != nil {
			t.Fatal(err)
		}
		for _, mail := range s.Mail {
			m.Mailed(mail.Sent())
		}
		return m
	})
}
