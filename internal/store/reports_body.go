package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// The receipts of a push are kept in one row, one behind the other. They come by calls and are alike but for the number,
// so of each text only what differs from that of the receipt before it is written: a tenth of the bytes, which would
// otherwise be sealed, logged and written. What was kept as JSON is still read.

// reportsOfPush is how many receipts a platform pushes together as a rule.
const reportsOfPush = 100

// reportsPacked is the first byte of such a row. JSON begins with a bracket.
const reportsPacked = 1

// The yes and no of a receipt.
const (
	reportDelivered = 1 << iota
	reportUnclear
)

var errPacked = errors.New("store: receipts are cut off")

// reportTexts are a receipt's texts in the order in which they are kept.
type reportTexts [7]string

func textsOf(r *notify.Report) reportTexts {
	return reportTexts{string(r.Channel), r.OutID, string(r.Phone), r.ErrCode, string(r.CallEnd), r.BizID, string(r.Raw)}
}

func packReports(list []notify.Report) []byte {
	b := append(make([]byte, 0, 512+64*len(list)), reportsPacked)
	var before reportTexts
	var at, sent int64
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
		texts := textsOf(r)
		for n, text := range texts {
			b = appendDifference(b, before[n], text)
		}
		b = binary.AppendVarint(b, toMicros(r.At)-at)
		b = binary.AppendVarint(b, toMicros(r.SentAt)-sent)
		b = binary.AppendVarint(b, int64(r.Segments))
		before, at, sent = texts, toMicros(r.At), toMicros(r.SentAt)
	}
	return b
}

// appendDifference writes how many bytes at the head and at the end are those of the text before, and what is between.
func appendDifference(b []byte, before, text string) []byte {
	most := min(len(before), len(text))
	head := sameHead(before[:most], text[:most])
	end := sameEnd(before[len(before)-most+head:], text[len(text)-most+head:])
	between := text[head : len(text)-end]
	b = binary.AppendUvarint(b, uint64(head))
	b = binary.AppendUvarint(b, uint64(end))
	b = binary.AppendUvarint(b, uint64(len(between)))
	return append(b, between...)
}

// alikeAtOnce is how many bytes are compared at once, where texts are alike for long.
const alikeAtOnce = 32

// sameHead is how many bytes at the head of two texts of one length are the same.
func sameHead(a, b string) (n int) {
	for n+alikeAtOnce <= len(a) && a[n:n+alikeAtOnce] == b[n:n+alikeAtOnce] {
		n += alikeAtOnce
	}
	for n < len(a) && a[n] == b[n] {
		n++
	}
	return n
}

// sameEnd is how many bytes at the end of two texts of one length are the same.
func sameEnd(a, b string) int {
	k := len(a)
	for k >= alikeAtOnce && a[k-alikeAtOnce:k] == b[k-alikeAtOnce:k] {
		k -= alikeAtOnce
	}
	for k > 0 && a[k-1] == b[k-1] {
		k--
	}
	return len(a) - k
}

// openReports reads the receipts of one row: packed, or, as they were kept before, a list in JSON, or a single one. raw:
// also as what each came, which is kept for proof, and which nothing that is done with receipts looks at.
func openReports(body []byte, raw bool, into *[]notify.Report) error {
	switch {
	case len(body) > 0 && body[0] == reportsPacked:
		return unpackReports(body[1:], raw, into)
	case len(body) > 0 && body[0] == '{':
		*into = make([]notify.Report, 1)
		return json.Unmarshal(body, &(*into)[0])
	}
	return json.Unmarshal(body, into)
}

func unpackReports(body []byte, raw bool, into *[]notify.Report) error {
	p := packed{rest: body}
	var texts reportTexts
	var at, sent int64
	for len(p.rest) > 0 {
		flags := p.rest[0]
		p.rest = p.rest[1:]
		for n := range texts[:len(texts)-1] {
			texts[n] = p.text(texts[n])
		}
		came := p.raw(raw, &texts[len(texts)-1])
		at, sent = at+p.number(), sent+p.number()
		segments := p.number()
		if p.err != nil {
			return p.err
		}
		if *into == nil {
			*into = make([]notify.Report, 0, reportsOfPush)
		}
		*into = append(*into, notify.Report{
			Delivered: flags&reportDelivered != 0, Unclear: flags&reportUnclear != 0, Channel: notify.Channel(texts[0]), OutID: texts[1],
			Phone: register.Phone(texts[2]), ErrCode: texts[3], CallEnd: notify.CallEnd(texts[4]), BizID: texts[5], Raw: came,
			At: fromMicros(at), SentAt: fromMicros(sent), Segments: int(segments),
		})
	}
	return nil
}

// packed is what is left to be read of a row.
type packed struct {
	rest []byte
	err  error
}

func (p *packed) text(before string) string {
	head, end, n := p.length(), p.length(), p.length()
	if p.err != nil || head > len(before) || end > len(before)-head || n > len(p.rest) {
		p.err = errPacked
		return ""
	}
	between := p.rest[:n]
	p.rest = p.rest[n:]
	if head == len(before) && n == 0 {
		return before
	}
	return before[:head] + string(between) + before[len(before)-end:]
}

// raw reads the text that follows the one before, or goes past it where it isn't wanted.
func (p *packed) raw(wanted bool, before *string) []byte {
	if wanted {
		*before = p.text(*before)
		return []byte(*before)
	}
	_, _, n := p.length(), p.length(), p.length()
	if p.err != nil || n > len(p.rest) {
		p.err = errPacked
		return nil
	}
	p.rest = p.rest[n:]
	return nil
}

func (p *packed) length() int {
	n, size := binary.Uvarint(p.rest)
	if size <= 0 || n > 1<<30 {
		p.err, p.rest = errPacked, nil
		return 0
	}
	p.rest = p.rest[size:]
	return int(n)
}

func (p *packed) number() int64 {
	n, size := binary.Varint(p.rest)
	if size <= 0 {
		p.err, p.rest = errPacked, nil
		return 0
	}
	p.rest = p.rest[size:]
	return n
}
