package sandbox

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// phoneView is one person's two phones' worth of contents.
type phoneView struct {
	Person   Person
	Follower Follower
	Chat     []bubble
	SMS      []smsItem
	Menu     []Button
	Notices  []noticeView
	Scenes   []Scene
}

// bubble is a chat message with its text cut into pieces that can be tapped.
type bubble struct {
	ChatMessage
	Lines [][]piece
}

// piece is a part of a line: plain words, a link, or something to tap.
type piece struct {
	Text  string
	URL   string // opens a page
	TapID string // a msgmenu item
	Reply string // sends this when tapped
}

// noticeView is a template of notices with what the person allows.
type noticeView struct {
	NoticeTemplate
	Allowed bool
}

// smsItem is a text in, a text back or a voice call.
type smsItem struct {
	At     time.Time
	Kind   string // in, out, call
	From   string
	Text   string
	Status int
	Code   string
	Call   VoiceCall
}

// shown is how much of a history a page carries.
const shown = 200

func (s *Sandbox) view(p Person) phoneView {
	v := phoneView{Person: p, Follower: s.Follower(p.OpenID), Menu: s.Menu(), Scenes: s.Scenes()}
	v.Scenes = v.Scenes[:min(len(v.Scenes), 20)]
	chat := s.Chat(p.OpenID)
	chat = chat[max(len(chat)-shown, 0):]
	fresh := len(chat) // messages from here on came after the person's last word
	for fresh > 0 && chat[fresh-1].From != FromUser {
		fresh--
	}
	for i, m := range chat {
		v.Chat = append(v.Chat, bubble{ChatMessage: m, Lines: cutText(m, i >= fresh)})
	}
	for _, n := range s.Notices() {
		if n.Kind == "subscribe" {
			v.Notices = append(v.Notices, noticeView{n, v.Follower.Consents[n.ID]})
		}
	}
	v.SMS = s.smsItems(p.Phone)
	return v
}

func (s *Sandbox) smsItems(phone string) []smsItem {
	var items []smsItem
	for _, m := range s.Messages(phone) {
		items = append(items, smsItem{At: m.SentAt, Kind: "in", From: m.SignName, Text: m.Text, Status: m.Status, Code: m.ErrCode})
	}
	for _, r := range s.Replies(phone) {
		items = append(items, smsItem{At: r.at, Kind: "out", Text: r.Content})
	}
	if phone != "" {
		for _, c := range s.Calls(phone) {
			items = append(items, smsItem{At: c.At, Kind: "call", Call: c})
		}
	}
	slices.SortStableFunc(items, func(a, b smsItem) int { return a.At.Compare(b.At) })
	return items[max(len(items)-shown, 0):]
}

// cutText cuts a message into lines of pieces. Numbered lines of the newest answers can be tapped, as in the phones of
// people who don't like to type; links of the kind weixin://bizmsgmenu can be tapped always.
func cutText(m ChatMessage, fresh bool) [][]piece {
	if m.Text == "" || m.From == FromSystem {
		return nil
	}
	if m.From == FromUser {
		return plainLines(m.Text)
	}
	numbered := regexp.MustCompile(`^\s*[\[(\x{3010}\x{ff08}]?(\d{1,2})[\])\x{3011}\x{ff09}.\x{ff0e}\x{3001}:\x{ff1a} ]\s*\S`)
	var lines [][]piece
	for line := range strings.SplitSeq(m.Text, "\n") {
		pieces := cutLinks(line)
		if number := numbered.FindStringSubmatch(line); fresh && number != nil && len(pieces) == 1 && pieces[0].URL == "" {
			pieces[0].Reply = number[1]
		}
		lines = append(lines, pieces)
	}
	return lines
}

func plainLines(text string) [][]piece {
	var lines [][]piece
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, []piece{{Text: line}})
	}
	return lines
}

// cutLinks finds <a href="…">…</a>, the only mark-up that a text message may hold.
func cutLinks(line string) []piece {
	link := regexp.MustCompile(`<a\s+href=["']([^"']*)["'][^>]*>(.*?)</a>`)
	var pieces []piece
	words := func(text string) {
		if text != "" {
			pieces = append(pieces, cutAddresses(text)...)
		}
	}
	at := 0
	for _, m := range link.FindAllStringSubmatchIndex(line, -1) {
		words(line[at:m[0]])
		pieces = append(pieces, linkPiece(html.UnescapeString(line[m[2]:m[3]]), line[m[4]:m[5]]))
		at = m[1]
	}
	words(line[at:])
	if len(pieces) == 0 {
		pieces = []piece{{}}
	}
	return pieces
}

// cutAddresses finds addresses of pages in plain words: WeChat makes them links.
func cutAddresses(text string) []piece {
	address := regexp.MustCompile(`https?://[0-9A-Za-z./?&=_%~+:#-]+`)
	var pieces []piece
	at := 0
	for _, m := range address.FindAllStringIndex(text, -1) {
		if m[0] > at {
			pieces = append(pieces, piece{Text: text[at:m[0]]})
		}
		pieces = append(pieces, piece{Text: text[m[0]:m[1]], URL: text[m[0]:m[1]]})
		at = m[1]
	}
	if at < len(text) {
		pieces = append(pieces, piece{Text: text[at:]})
	}
	return pieces
}

func linkPiece(address, text string) piece {
	if query, ok := strings.CutPrefix(address, "weixin://bizmsgmenu?"); ok {
		if values, err := url.ParseQuery(query); err == nil {
			return piece{Text: text, TapID: values.Get("msgmenuid"), Reply: values.Get("msgmenucontent")}
		}
	}
	return piece{Text: text, URL: address}
}
