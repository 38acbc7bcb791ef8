package turn_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/lingjuli/lingjuli/flows/turn/turntest"
)

// What the headers claim is checked where the conversations are played.
func TestEveryFlowIsShownInEveryKindOfConversationThatItCanMeet(t *testing.T) {
	shown := make(map[turntest.Cell][]string)
	for _, folder := range []string{"conversations", "texts"} {
		files, err := filepath.Glob(filepath.Join("..", "testdata", folder, "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no conversations in %s: %v", folder, err)
		}
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cells, err := turntest.Shown(archive)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, c := range cells {
				shown[c] = append(shown[c], filepath.Base(file))
			}
		}
	}
	wanted, empty := turntest.Wanted(turntest.Engine(t)), 0
	for _, c := range wanted {
		if len(shown[c]) == 0 {
			empty++
			t.Errorf("no conversation shows %s: %s in %s", c.Flow, c.Kind, c.Locale)
		}
	}
	t.Logf("%d of %d shown", len(wanted)-empty, len(wanted))
}
