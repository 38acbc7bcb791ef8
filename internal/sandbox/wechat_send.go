package sandbox

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// customMessage is the body of message/custom/send.
type customMessage struct {
	ToUser  string `json:"touser"`
	MsgType string `json:"msgtype"`
	Text    *struct {
		Content string `json:"content"`
	} `json:"text"`
	MsgMenu *struct {
		Head string     `json:"head_content"`
		List []MenuItem `json:"list"`
		Tail string     `json:"tail_content"`
	} `json:"msgmenu"`
	News *struct {
		Articles []Article `json:"articles"`
	} `json:"news"`
}

// MenuItem is one answer that a person may tap.
type MenuItem struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

// Article is a link with a title.
type Article struct {
	Title       string `json:"title" xml:"Title"`
	Description string `json:"description" xml:"Description"`
	URL         string `json:"url" xml:"Url"`
	PicURL      string `json:"picurl" xml:"PicUrl"`
}

// show turns a customer message into what the chat shows, or an errcode.
func (m *customMessage) show() (ChatMessage, int) {
	out := ChatMessage{From: FromAccount, Kind: m.MsgType}
	switch m.MsgType {
	case "text":
		if m.Text == nil || m.Text.Content == "" {
			return out, 44004
		}
		if len(m.Text.Content) > 2048 {
			return out, 45002
		}
		out.Text = m.Text.Content
	case "msgmenu":
		if m.MsgMenu == nil || len(m.MsgMenu.List) == 0 {
			return out, 44004
		}
		out.Text, out.Tail, out.Items = m.MsgMenu.Head, m.MsgMenu.Tail, m.MsgMenu.List
	case "news":
		if m.News == nil || len(m.News.Articles) == 0 {
			return out, 44004
		}
		if len(m.News.Articles) > 1 {
			return out, 45008
		}
		out.Articles = m.News.Articles
	case "image", "voice", "video", "music", "mpnews", "mpnewsarticle", "wxcard", "miniprogrampage":
	default:
		return out, 40008
	}
	return out, 0
}

func (a *account) sendCustom(c *apiCall) (any, int) {
	var in customMessage
	if json.Unmarshal(c.body, &in) != nil {
		return nil, 47001
	}
	shown, code := in.show()
	if code != 0 {
		return nil, code
	}
	if fault := a.box.faults.refused("message/custom/send", in.ToUser); fault != nil {
		return nil, faultErrcode(fault, 40003)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	f, code := a.follows(in.ToUser)
	if code == 43004 { // the words of 45015 say "or subscription is canceled"
		code = 45015
	}
	if code != 0 {
		return nil, code
	}
	if code := f.spend(c.now); code != 0 {
		return nil, code
	}
	f.typing, f.Spoke = time.Time{}, c.now
	a.noteFollower(f)
	a.say(f.OpenID, shown)
	return nil, 0
}

func (a *account) sendTyping(c *apiCall) (any, int) {
	var in struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return nil, 47001
	}
	if in.Command != "Typing" && in.Command != "CancelTyping" {
		return nil, 45072
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	f, code := a.follows(in.ToUser)
	switch {
	case code != 0:
		return nil, code
	case c.now.Sub(f.Spoke) > 30*time.Second:
		return nil, 45080
	case in.Command == "Typing" && c.now.Before(f.typing):
		return nil, 45081
	case in.Command == "Typing":
		f.typing = c.now.Add(15 * time.Second)
	default:
		f.typing = time.Time{}
	}
	a.box.watchers.wake(f.OpenID)
	return nil, 0
}

// notice is the body of bizsend and of template/send.
type notice struct {
	ToUser      string `json:"touser"`
	TemplateID  string `json:"template_id"`
	Page        string `json:"page"`
	URL         string `json:"url"`
	ClientMsgID string `json:"client_msg_id"`
	Data        map[string]struct {
		Value any `json:"value"`
	} `json:"data"`
}

func (n *notice) card(t NoticeTemplate, labels map[string]string) ChatMessage {
	card := ChatMessage{From: FromAccount, Kind: "template", Title: t.Title, Template: t.ID, URL: n.URL}
	if t.Kind == "subscribe" {
		card.Kind, card.URL = "notice", n.Page
	}
	for _, f := range t.fieldsOf(n) {
		value, _ := n.Data[f.Key].Value.(string)
		if f.Label == "" {
			f.Label = labels[strings.TrimRight(f.Key, "0123456789")]
		}
		card.Rows = append(card.Rows, CardRow{Key: f.Key, Label: f.Label, Value: value})
	}
	return card
}

// fieldsOf are the template's fields, or those that were sent where it names none.
func (t NoticeTemplate) fieldsOf(n *notice) []NoticeField {
	if len(t.Fields) > 0 {
		return t.Fields
	}
	var out []NoticeField
	for _, key := range sortedKeys(n.Data) {
		out = append(out, NoticeField{Key: key})
	}
	return out
}

// check holds the template's fields and their kinds; the answer names the field.
func (n *notice) check(t NoticeTemplate, rules fieldRules) string {
	for _, f := range t.fieldsOf(n) {
		field, ok := n.Data[f.Key]
		value, isText := field.Value.(string)
		if !ok || !isText || !rules.valid(f.Key, value) {
			return "data." + f.Key + ".value invalid"
		}
	}
	return ""
}

// find checks what both kinds of notices share. The caller holds the mutex.
func (a *account) find(c *apiCall, kind string) (*notice, NoticeTemplate, int) {
	var in notice
	if json.Unmarshal(c.body, &in) != nil {
		return nil, NoticeTemplate{}, 47001
	}
	t, ok := a.notices[in.TemplateID]
	switch {
	case a.followers[in.ToUser] == nil:
		return nil, t, 40003
	case !ok || t.Kind != kind:
		return nil, t, 40037
	case t.Banned:
		return nil, t, 43116
	}
	if fault := a.box.faults.refused(strings.TrimPrefix(c.path, "/cgi-bin/"), in.ToUser); fault != nil {
		return nil, t, faultErrcode(fault, 40003)
	}
	if c.detail = in.check(t, a.fields); c.detail != "" {
		return nil, t, 47003
	}
	return &in, t, 0
}

// sendNotice is bizsend: it needs the person's consent for the template, and tells how it went by an event.
func (a *account) sendNotice(c *apiCall) (any, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	in, t, code := a.find(c, "subscribe")
	if code != 0 {
		return nil, code
	}
	if utf8.RuneCountInString(in.Page) > 1024 {
		return nil, 41030
	}
	f := a.followers[in.ToUser]
	allowed := f.Consents[t.ID]
	if allowed == nil || (!allowed.Always && allowed.Left < 1) {
		return nil, 43101
	}
	if !allowed.Always {
		allowed.Left--
		a.noteFollower(f)
	}
	a.say(f.OpenID, in.card(t, a.labels))
	id := a.box.ids.messageID(c.now)
	a.event(func(ctx context.Context) { a.tellNoticeSent(ctx, f.OpenID, t.ID, id) })
	return nil, 0
}

// clientMessage is a template message with a client_msg_id, kept ten minutes.
type clientMessage struct {
	id   int64
	till time.Time
}

// sendTemplate is template/send. A second copy with the same client_msg_id gets the first one's msgid, and reaches nobody.
func (a *account) sendTemplate(c *apiCall) (any, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	in, t, code := a.find(c, "template")
	if code != 0 {
		return nil, code
	}
	f, code := a.follows(in.ToUser)
	if code != 0 {
		return nil, code
	}
	key := in.ToUser + "\x00" + in.ClientMsgID
	if first, ok := a.onceOnly[key]; ok && in.ClientMsgID != "" && c.now.Before(first.till) {
		return templateAnswer(first.id), 0
	}
	id := a.box.ids.messageID(c.now)
	if in.ClientMsgID != "" {
		a.rememberOnce(key, clientMessage{id: id, till: c.now.Add(10 * time.Minute)}, c.now)
	}
	a.say(f.OpenID, in.card(t, a.labels))
	a.event(func(ctx context.Context) { a.tellTemplateSent(ctx, f.OpenID, id) })
	return templateAnswer(id), 0
}

func (a *account) rememberOnce(key string, m clientMessage, now time.Time) {
	if len(a.onceOnly) > 100_000 {
		for k, old := range a.onceOnly {
			if now.After(old.till) {
				delete(a.onceOnly, k)
			}
		}
	}
	a.onceOnly[key] = m
}

func templateAnswer(id int64) any {
	return map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id}
}

// listTemplates and listNotices are the two lists of what the account has.
func (a *account) listTemplates(*apiCall) (any, int) {
	list := []map[string]any{}
	a.eachNotice("template", func(t NoticeTemplate, content string) {
		list = append(list, map[string]any{
			"template_id": t.ID, "title": t.Title, "primary_industry": "", "deputy_industry": "", "content": content, "example": "",
		})
	})
	return map[string]any{"template_list": list}, 0
}

func (a *account) listNotices(*apiCall) (any, int) {
	list := []map[string]any{}
	a.eachNotice("subscribe", func(t NoticeTemplate, content string) {
		kind := 2
		if t.LongTerm {
			kind = 3
		}
		list = append(list, map[string]any{"priTmplId": t.ID, "title": t.Title, "content": content, "example": "", "type": kind})
	})
	return map[string]any{"errcode": 0, "errmsg": "ok", "data": list}, 0
}

func (a *account) eachNotice(kind string, fn func(t NoticeTemplate, content string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range sortedKeys(a.notices) {
		t := a.notices[id]
		if t.Kind != kind {
			continue
		}
		var content strings.Builder
		for _, f := range t.Fields {
			content.WriteString(f.Label + ":{{" + f.Key + ".DATA}}\n")
		}
		fn(t, content.String())
	}
}
