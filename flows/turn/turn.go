// Package turn hosts conversations: it loads a session, steps the engine, performs look-ups and effects,
// and commits session, inbound key, effects and reply in one transaction. It serves WeChat, SMS replies and
// the terminal alike, and knows no platform and no SQL.
package turn

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Channel is where a turn comes from.
type Channel string

// The channels of a conversation.
const (
	WeChat Channel = "wechat"
	SMS    Channel = "sms"
)

// Kind is what came in.
type Kind string

// The kinds of input. Everything a person can send maps to one of them.
const (
	Text        Kind = "text"
	Tap         Kind = "tap"        // a tapped choice; Choice holds its number
	MenuClick   Kind = "menu_click" // EventKey holds the menu's key
	Voice       Kind = "voice"      // Text holds the recognised words, may be empty
	Picture     Kind = "picture"    // image, video, shortvideo
	Location    Kind = "location"
	Link        Kind = "link"
	Follow      Kind = "follow" // subscribe; Scene may be set
	Unfollow    Kind = "unfollow"
	Scan        Kind = "scan"    // Scene is set
	ConsentSeen Kind = "consent" // subscription consents in Consents
	Other       Kind = "other"   // anything else a person sent
)

// Inbound is one message or event of one person.
type Inbound struct {
	Key      string // dedupe key; the same key has one effect and one reply
	Channel  Channel
	Who      string // openid (WeChat) or 11-digit phone (SMS)
	Kind     Kind
	Text     string
	Choice   int
	Mark     string // of the tapped choice: which question it belongs to; "" where it doesn't say
	EventKey string
	Scene    string
	To       string // SMS: the extension number it was sent to; "": not said
	Consents []Consent
	At       time.Time
}

// Consent is one template's consent as the platform's server event says.
type Consent struct {
	TemplateID string
	Accepted   bool
}

// Answer is the reply to one inbound. Empty Text: nothing to say.
type Answer struct {
	Text    string   // WeChat: at most 600 Han characters, the rest waits for "more"
	Choices []Choice // offered by number; Text already lists them
	Stored  bool     // this is the stored reply to a copy
}

// Choice is one numbered option.
type Choice struct {
	Number int
	Label  string
	Mark   string
}

// ID is what a channel sends back when the choice is tapped: its number, and the question it belongs to, so that an
// old one never answers another question.
func (c Choice) ID() string {
	if c.Mark == "" {
		return strconv.Itoa(c.Number)
	}
	return strconv.Itoa(c.Number) + "." + c.Mark
}

// ReadID reads what ID wrote; a bare number is a choice of whatever is asked. ok is false for anything else.
func ReadID(id string) (choice int, mark string, ok bool) {
	head, mark, _ := strings.Cut(id, ".")
	choice, err := strconv.Atoi(head)
	return choice, mark, err == nil
}

// Turner is what a channel needs of this package.
type Turner interface {
	Turn(ctx context.Context, in Inbound) (Answer, error)
}
