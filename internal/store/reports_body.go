package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// The receipts of a push are kept in one row, one behind the other: texts and numbers, each behind its length. Writing
// them as JSON and reading them again was a seventh of a campaign's CPU. What was kept as JSON is still read.

// reportsPacked is the first byte of such a row. JSON begins with a bracket.
const reportsPacked = 1

// The yes and no of a receipt.
const (
	reportDelivered = 1 << iota
	reportUnclear
)

var errPacked = errors.New("store: receipts are cut off")

func packReports(list []notify.Report) []byte {
	size := 16
	for i := range list {
		size += 96 + len(list[i].Raw)
	}
	b := append(make([]byte, 0, size), reportsPacked)
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	for i := range list {
		r := &list[i]
		var flags byte
		if r.Delivered {
			flags |= reportDelivered
		}
		if r.Unclear {
			flags |= reportUnclear
		}
		b = append(b, flags)
		text(string(r.Channel))
		text(r.OutID)
		text(string(r.Phone))
		text(r.ErrCode)
		text(string(r.CallEnd))
		text(r.BizID)
		b = binary.AppendVarint(b, toMicros(r.At))
		b = binary.AppendVarint(b, toMicros(r.SentAt))
		b = binary.AppendVarint(b, int64(r.Segments))
		text(string(r.Raw))
	}
	return b
}

// openReports reads the receipts of one row: packed, or, as they were kept before, a list in JSON, or a single one.
func openReports(body []byte, into *[]notify.Report) error {
	switch {
	case len(body) > 0 && body[0] == reportsPacked:
		return unpackReports(body[1:], into)
	case len(body) > 0 && body[0] == '{':
		*into = make([]notify.Report, 1)
		return json.Unmarshal(body, &(*into)[0])
	}
	return json.Unmarshal(body, into)
}

func unpackReports(body []byte, into *[]notify.Report) error {
	p := packed{body, string(body), nil} // one copy, of which all texts are parts
	for len(p.raw) > 0 && p.err == nil {
		flags := p.raw[0]
		p.skip(1)
		r := notify.Report{
			Delivered: flags&reportDelivered != 0, Unclear: flags&reportUnclear != 0,
			Channel: notify.Channel(p.string()), OutID: p.string(), Phone: register.Phone(p.string()), ErrCode: p.string(),
			CallEnd: notify.CallEnd(p.string()), BizID: p.string(), At: p.time(), SentAt: p.time(), Segments: int(p.number()),
		}
		raw := p.raw
		n := len(p.string())
		if p.err == nil {
			r.Raw = raw[len(raw)-len(p.raw)-n : len(raw)-len(p.raw)]
			*into = append(*into, r)
		}
	}
	return p.err
}

// packed is what is left to be read of a row.
type packed struct {
	raw  []byte
	text string
	err  error
}

func (p *packed) skip(n int) { p.raw, p.text = p.raw[n:], p.text[n:] }

func (p *packed) string() string {
	n, size := binary.Uvarint(p.raw)
	if size <= 0 || n > uint64(len(p.raw)-size) {
		p.err = errPacked
		return ""
	}
	p.skip(size)
	s := p.text[:n]
	p.skip(int(n)) //nolint:gosec // no longer than the row
	return s
}

func (p *packed) number() int64 {
	n, size := binary.Varint(p.raw)
	if size <= 0 {
		p.err = errPacked
		return 0
	}
	p.skip(size)
	return n
}

func (p *packed) time() time.Time { return fromMicros(p.number()) }
