package main

import (
	"bufio"
	"encoding/json"
	"strings"
)

// longestUtterance bounds one line; what is longer is cut by the understander, not refused.
const longestUtterance = 1 << 20

type understandCmd struct{}

// Run answers each line of standard input with one line of JSON. It needs no database and no configuration.
func (c *understandCmd) Run(a *app) error {
	u, err := builtInUnderstander()
	if err != nil {
		return err
	}
	in := bufio.NewScanner(a.stdin)
	in.Buffer(make([]byte, 64<<10), longestUtterance)
	out := bufio.NewWriter(a.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for in.Scan() {
		if err := enc.Encode(u.Understand(strings.TrimSuffix(in.Text(), "\r"))); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return in.Err()
}
