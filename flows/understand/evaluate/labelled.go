package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// labelled is one line of a labelled file.
type labelled struct {
	Text    string   `json:"text"`
	Intent  string   `json:"intent"`
	Variant string   `json:"variant"`
	Also    []string `json:"also"` // other answers that count as right
	Real    bool     `json:"real"` // found, not made
}

func readLabelled(path string) ([]labelled, error) {
	f, err := os.Open(path) //nolint:gosec // the file whoever measures names
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []labelled
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var l labelled
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s, line %d is not JSON", path, len(out)+1)
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s holds no labelled utterance", path)
	}
	return out, in.Err()
}
