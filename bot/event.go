package bot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// event is one message or event as WeChat writes it. Numbers are kept as text, because one that can't be
// read must not cost the whole message, and lists are lists, which the library's own struct keeps no more
// than the last item of.
// https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_standard_messages.html
type event struct {
	XMLName     xml.Name          `xml:"xml"`
	To          string            `xml:"ToUserName"`
	From        string            `xml:"FromUserName"`
	CreateTime  string            `xml:"CreateTime"`
	MsgType     message.MsgType   `xml:"MsgType"`
	MsgID       string            `xml:"MsgId"` // of messages
	Content     string            `xml:"Content"`
	TapID       string            `xml:"bizmsgmenuid"`
	Recognition string            `xml:"Recognition"`
	Label       string            `xml:"Label"`
	Title       string            `xml:"Title"`
	Description string            `xml:"Description"`
	URL         string            `xml:"Url"`
	Event       message.EventType `xml:"Event"`
	EventKey    string            `xml:"EventKey"`
	SentMsgID   string            `xml:"MsgID"` // of the template message that a finish event speaks of
	Status      string            `xml:"Status"`
	ScanResult  string            `xml:"ScanCodeInfo>ScanResult"`
	// Each wrapper may stand more than once, and the change event has been seen in the popup's.
	Popup  []noticeList `xml:"SubscribeMsgPopupEvent"`
	Change []noticeList `xml:"SubscribeMsgChangeEvent"`
	Sent   []noticeList `xml:"SubscribeMsgSentEvent"`

	digest string // of every name and value in it
}

// noticeList is what the three events about subscription notices carry.
type noticeList struct {
	Items []noticeItem `xml:"List"`
}

type noticeItem struct {
	TemplateID  string `xml:"TemplateId"`
	Status      string `xml:"SubscribeStatusString"`
	MsgID       string `xml:"MsgID"`
	ErrorCode   string `xml:"ErrorCode"`
	ErrorStatus string `xml:"ErrorStatus"`
}

// Events about subscription notices that the library has no names for.
const (
	eventNoticeChange message.EventType = "subscribe_msg_change_event"
	eventNoticeSent   message.EventType = "subscribe_msg_sent_event"
)

// scenePrefix stands before the scene in a subscribe event, and only there.
const scenePrefix = "qrscene_"

// maxName bounds openids and account names; real ones have 28 and 15 characters.
const maxName = 64

var errNobody = errors.New("bot: an event of nobody")

// decodeEvent reads a message or event. Its errors hold nothing of the content.
func decodeEvent(plain []byte) (event, error) {
	if bytes.IndexFunc(plain, noXML) >= 0 { // a person may paste anything, and is still to be answered
		plain = bytes.Map(func(r rune) rune {
			if noXML(r) {
				return -1
			}
			return r
		}, plain)
	}
	tokens := digestTokens{strictTokens{xml.NewDecoder(bytes.NewReader(plain))}, sha256.New()}
	var ev event
	if err := xml.NewTokenDecoder(tokens).Decode(&ev); err != nil {
		return event{}, unreadable(err)
	}
	ev.trim()
	if !isName(ev.From) || !isName(ev.To) {
		return event{}, errNobody
	}
	ev.digest = hex.EncodeToString(tokens.sum.Sum(nil))
	return ev, nil
}

// noXML says that XML 1.0 has no place for a character, even in CDATA; broken UTF-8 reads as one of them.
func noXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF
}

// trim takes the blanks off what is compared or read as a number. A person's words are left as they are.
func (ev *event) trim() {
	for _, field := range []*string{
		&ev.To, &ev.From, &ev.CreateTime, &ev.MsgID, &ev.SentMsgID, &ev.TapID, &ev.EventKey, &ev.Status,
		(*string)(&ev.MsgType), (*string)(&ev.Event),
	} {
		*field = strings.TrimSpace(*field)
	}
}

// unreadable keeps of an XML error what can't hold a person's words.
func unreadable(err error) error {
	if errors.Is(err, errDirective) {
		return err
	}
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("bot: broken XML in line %d", syntax.Line)
	}
	return fmt.Errorf("bot: not the XML of an event (%T)", err)
}

func isName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>&"'`, r) }) < 0
}

// digestTokens hashes what it passes on. Blank text between elements doesn't count, so that the same event
// laid out otherwise stays the same event.
type digestTokens struct {
	strictTokens
	sum hash.Hash
}

// Token gives the next token.
func (d digestTokens) Token() (xml.Token, error) {
	token, err := d.strictTokens.Token()
	switch t := token.(type) {
	case xml.StartElement:
		d.sum.Write([]byte("\x01" + t.Name.Local))
	case xml.CharData:
		if text := bytes.TrimSpace(t); len(text) > 0 {
			d.sum.Write([]byte{2})
			d.sum.Write(text)
		}
	case xml.EndElement:
		d.sum.Write([]byte{3})
	}
	return token, err
}

// key is what makes copies of one post the same: the message's id, else a hash of the whole event, because
// openid and second are the same for two events of one second.
func (ev event) key() string {
	if id, err := strconv.ParseUint(ev.MsgID, 10, 64); err == nil && id > 0 {
		return "m:" + strconv.FormatUint(id, 10)
	}
	return "e:" + ev.digest
}

// at is when it happened by WeChat's clock, or now where that can't be read.
func (ev event) at(now time.Time) time.Time {
	seconds, err := strconv.ParseInt(ev.CreateTime, 10, 64)
	if err != nil || seconds <= 0 || seconds > now.Add(24*time.Hour).Unix() {
		return now.UTC()
	}
	return time.Unix(seconds, 0).UTC()
}

// inbound is the event as conversations take it; false: nothing that a conversation needs to know.
func (ev event) inbound(now time.Time) (turn.Inbound, bool) {
	in := turn.Inbound{Key: ev.key(), Channel: turn.WeChat, Who: ev.From, At: ev.at(now)}
	if ev.MsgType == message.MsgTypeEvent {
		return in, ev.fillEvent(&in)
	}
	ev.fillMessage(&in)
	return in, true
}

func (ev event) fillMessage(in *turn.Inbound) {
	switch ev.MsgType {
	case message.MsgTypeText:
		in.Kind, in.Text = turn.Text, ev.Content
		if choice, mark, ok := turn.ReadID(ev.TapID); ok {
			in.Kind, in.Choice, in.Mark = turn.Tap, choice, mark
		}
	case message.MsgTypeVoice:
		in.Kind, in.Text = turn.Voice, ev.Recognition // empty on most accounts since 2023
	case message.MsgTypeImage, message.MsgTypeVideo, message.MsgTypeShortVideo:
		in.Kind = turn.Picture
	case message.MsgTypeLocation:
		in.Kind, in.Text = turn.Location, ev.Label
	case message.MsgTypeLink:
		in.Kind, in.Text = turn.Link, strings.Join([]string{ev.Title, ev.Description, ev.URL}, "\n")
	default:
		in.Kind = turn.Other
	}
}

// fillEvent fills in an event of a person's; false where a person did nothing that asks for an answer:
// a page was opened (VIEW), a position reported (LOCATION), or a message of its own follows (pictures and
// places chosen from the menu).
func (ev event) fillEvent(in *turn.Inbound) bool {
	switch ev.Event {
	case message.EventSubscribe:
		in.Kind, in.Scene = turn.Follow, strings.TrimPrefix(ev.EventKey, scenePrefix)
	case message.EventUnsubscribe:
		in.Kind = turn.Unfollow
	case message.EventScan:
		in.Kind, in.Scene = turn.Scan, ev.EventKey
	case message.EventClick:
		in.Kind, in.EventKey = turn.MenuClick, ev.EventKey
	case message.EventScancodeWaitmsg:
		in.Kind, in.EventKey, in.Text = turn.MenuClick, ev.EventKey, ev.ScanResult
	case message.EventSubscribeMsgPopupEvent, eventNoticeChange:
		in.Kind, in.Consents = turn.ConsentSeen, ev.consents()
		return len(in.Consents) > 0
	default:
		return false
	}
	return true
}

// consents lists what the person accepted and refused. Closing the window without a choice changes nothing.
func (ev event) consents() []turn.Consent {
	var list []turn.Consent
	for _, wrapper := range append(append([]noticeList{}, ev.Popup...), ev.Change...) {
		for _, item := range wrapper.Items {
			switch item.Status {
			case "accept", "reject":
				list = append(list, turn.Consent{TemplateID: item.TemplateID, Accepted: item.Status == "accept"})
			}
		}
	}
	return list
}

// Proof is WeChat's word on one message we sent.
type Proof struct {
	OpenID     register.OpenID
	MsgID      string // as the send was answered
	TemplateID string // of a subscription notice; empty for a template message
	OK         bool
	Code       string // WeChat's code or status where it failed
	At         time.Time
}

// proofs lists what the event says of messages we sent.
func (ev event) proofs(now time.Time) []Proof {
	if ev.MsgType != message.MsgTypeEvent {
		return nil
	}
	base := Proof{OpenID: register.OpenID(ev.From), At: ev.at(now)}
	if ev.Event == message.EventTemplateSendJobFinish {
		base.MsgID, base.OK, base.Code = ev.SentMsgID, ev.Status == "success", ev.Status
		if base.MsgID == "" {
			base.MsgID = ev.MsgID
		}
		return []Proof{base.tidy()}
	}
	if ev.Event != eventNoticeSent {
		return nil
	}
	var list []Proof
	for _, wrapper := range ev.Sent {
		for _, item := range wrapper.Items {
			p := base
			p.MsgID, p.TemplateID = item.MsgID, item.TemplateID
			p.OK, p.Code = item.ErrorCode == "0" || item.ErrorCode == "" && item.ErrorStatus == "success", item.ErrorCode
			list = append(list, p.tidy())
		}
	}
	return list
}

func (p Proof) tidy() Proof {
	if p.OK {
		p.Code = ""
	}
	return p
}

// label is the event's kind for a metric: one of a closed set, whatever strangers write.
func (ev event) label() string {
	switch ev.MsgType {
	case message.MsgTypeText, message.MsgTypeImage, message.MsgTypeVoice, message.MsgTypeVideo,
		message.MsgTypeShortVideo, message.MsgTypeLocation, message.MsgTypeLink:
		return string(ev.MsgType)
	case message.MsgTypeEvent:
	default:
		return "other"
	}
	switch ev.Event {
	case message.EventSubscribe, message.EventUnsubscribe, message.EventScan, message.EventLocation,
		message.EventClick, message.EventView, message.EventTemplateSendJobFinish,
		message.EventSubscribeMsgPopupEvent, eventNoticeChange, eventNoticeSent:
		return "event_" + strings.ToLower(string(ev.Event))
	}
	return "event_other"
}
