package bot

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// The longest text WeChat shows for certain; it documents no limit, and beyond 2048 bytes the person sees the
// fault notice. maxRunes holds for texts with links, whose markup we needn't add.
const (
	maxTextBytes = 1800
	maxTextRunes = 600
)

// renderText makes an answer fit for WeChat: no character that XML forbids, no longer than WeChat takes, and
// the numbered lines of choices to be tapped.
func renderText(text string, choices []turn.Choice) string {
	text = cutText(cleanText(text), maxTextBytes)
	if linked := linkChoices(text, choices); len(linked) <= maxTextBytes && utf8.RuneCountInString(linked) <= maxTextRunes {
		return linked
	}
	return text
}

// cleanText drops what XML 1.0 has no place for, even in CDATA, and the blank ends.
func cleanText(s string) string {
	return strings.TrimFunc(strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n':
		case r < ' ', r == utf8.RuneError, r == 0xFFFE, r == 0xFFFF:
			return -1
		}
		return r
	}, s), unicode.IsSpace)
}

// cutText cuts at a rune's end. Turns keep to the limit themselves; this is the net below them.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// linkChoices makes the labels of numbered lines tappable. The scheme is undocumented, so every line reads
// the same where a client shows no link: the number stands before it.
func linkChoices(text string, choices []turn.Choice) string {
	if len(choices) == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for _, choice := range choices {
		number, label := strconv.Itoa(choice.Number), cleanText(choice.Label)
		content := strings.Map(dropMarkup, label)
		if content == "" {
			continue
		}
		for i, line := range lines {
			rest, ok := strings.CutPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), number)
			if !ok || startsWithDigit(rest) || strings.Contains(rest, "<a ") {
				continue
			}
			if at := strings.Index(rest, label); at >= 0 {
				link := fmt.Sprintf(`<a href="weixin://bizmsgmenu?msgmenucontent=%s&msgmenuid=%s">%s</a>`, content, choice.ID(), label)
				lines[i] = line[:len(line)-len(rest)+at] + link + rest[at+len(label):]
				break
			}
		}
	}
	return strings.Join(lines, "\n")
}

func startsWithDigit(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }

// dropMarkup leaves out what would end the link or its parameter.
func dropMarkup(r rune) rune {
	if strings.ContainsRune("<>&\"'#%?=+", r) || unicode.IsSpace(r) {
		return -1
	}
	return r
}

// encodeReply writes the passive reply, encrypted where the post was, with the key that opened it, with fresh
// random bytes and our own time.
func (c *Callback) encodeReply(ev event, text string, key []byte) ([]byte, error) {
	reply := message.NewText(text)
	reply.SetToUserName(message.CDATA(ev.From))
	reply.SetFromUserName(message.CDATA(ev.To))
	reply.SetCreateTime(c.now().Unix())
	reply.SetMsgType(message.MsgTypeText)
	plain, err := xml.Marshal(reply)
	if err != nil || key == nil {
		return plain, err
	}
	return c.encrypt(plain, key)
}

func (c *Callback) encrypt(plain, key []byte) ([]byte, error) {
	var random [32]byte // 16 for the message, the rest for the nonce
	if _, err := io.ReadFull(c.rand, random[:]); err != nil {
		return nil, fmt.Errorf("bot: random bytes: %w", err)
	}
	cipher := base64.StdEncoding.EncodeToString(util.AESEncryptMsg(random[:16], plain, c.account.AppID, key))
	stamp := c.now().Unix()
	nonce := fmt.Sprintf("%x", random[16:])
	return xml.Marshal(message.ResponseEncryptedXMLMsg{
		EncryptedMsg: cipher,
		MsgSignature: util.Signature(c.account.Token, strconv.FormatInt(stamp, 10), nonce, cipher),
		Timestamp:    stamp,
		Nonce:        nonce,
	})
}
