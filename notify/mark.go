package notify

import "github.com/lingjuli/lingjuli/internal/hanzi"

// MarkSize is the length of a text's mark.
const MarkSize = 8

// TextMark is the keyed mark of a text as one person gets it, signature apart. It is kept where the text went out, so that
// what somebody forwards can be held against it; the text itself, with what it says of the person, is not kept.
func TextMark(keys MACs, text string) []byte {
	if text == "" {
		return nil
	}
	return keys.MAC("sent text", hanzi.Bare(text))[:MarkSize]
}

// marks are the marks of an outgoing call's texts, in the order of its members; a member without a text has zeros.
func (o Outgoing) marks(keys MACs, texts *Texts) []byte {
	out := make([]byte, 0, MarkSize*len(o.Members))
	for _, m := range o.Members {
		text := m.Text
		if o.Channel == SMS {
			text = texts.Spoken(SMS, m.Params)
		}
		mark := make([]byte, MarkSize)
		if o.Channel != Voice { // what is heard is not forwarded
			copy(mark, TextMark(keys, text))
		}
		out = append(out, mark...)
	}
	return out
}
