package store

import (
	"fmt"
	"strconv"
	"strings"
)

// merged joins statements that change rows, two or more in a row, into one with the others in front of it.
func merged(list []statement) []statement {
	var out []statement
	for i := 0; i < len(list); {
		end := i
		for end < len(list) && changesRows(list[end]) {
			end++
		}
		if end-i < 2 {
			out = append(out, list[i])
			i++
			continue
		}
		out = append(out, mergedInto(list[i:end]))
		i = end
	}
	return out
}

func changesRows(s statement) bool {
	return s.into == nil && (strings.HasPrefix(s.query, "INSERT") || strings.HasPrefix(s.query, "UPDATE") || strings.HasPrefix(s.query, "DELETE"))
}

func mergedInto(list []statement) statement {
	var one statement
	var b strings.Builder
	var acts []string
	for i, s := range list {
		switch {
		case i == len(list)-1:
			b.WriteByte(' ')
		case i == 0:
			b.WriteString("WITH s0 AS (")
		default:
			fmt.Fprintf(&b, ", s%d AS (", i)
		}
		renumber(&b, s.query, len(one.args))
		if i < len(list)-1 {
			b.WriteByte(')')
		}
		acts, one.args = append(acts, s.act), append(one.args, s.args...)
	}
	one.act, one.query = strings.Join(acts, ", "), b.String()
	return one
}

// renumber writes a statement with its parameters behind n others.
func renumber(b *strings.Builder, query string, n int) {
	for {
		i := strings.IndexByte(query, '$')
		if i < 0 {
			b.WriteString(query)
			return
		}
		end := i + 1
		for end < len(query) && query[end] >= '0' && query[end] <= '9' {
			end++
		}
		number, _ := strconv.Atoi(query[i+1 : end]) // made of digits
		b.WriteString(query[:i+1])
		b.WriteString(strconv.Itoa(number + n))
		query = query[end:]
	}
}
