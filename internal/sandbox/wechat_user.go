package sandbox

import (
	"context"
	"fmt"
	"time"
)

// What a person does on the phone. Each act goes to the account's server through the real callback, and what it answers
// is put into the chat.

// Say is a person typing a text.
func (s *Sandbox) Say(ctx context.Context, openID, text string) (*Reply, error) {
	return s.account.talk(ctx, openID, ChatMessage{From: FromUser, Kind: "text", Text: text}, func(now time.Time) *xmlBody {
		return s.account.incoming(openID, "text", now).text("Content", text)
	}, grantTalk)
}

// Tap is a person tapping an item of a msgmenu: it comes as a text, yet counts as a menu click.
func (s *Sandbox) Tap(ctx context.Context, openID, id, content string) (*Reply, error) {
	return s.account.talk(ctx, openID, ChatMessage{From: FromUser, Kind: "text", Text: content}, func(now time.Time) *xmlBody {
		return s.account.incoming(openID, "text", now).text("Content", content).text("bizmsgmenuid", id)
	}, grantClick)
}

// SendMedia is a person sending something that is no text: voice (without recognised words), image, video, location, link.
func (s *Sandbox) SendMedia(ctx context.Context, openID, kind string) (*Reply, error) {
	switch kind {
	case "voice", "image", "video", "shortvideo", "location", "link":
	default:
		return nil, fmt.Errorf("send media: kind %q is unknown", kind)
	}
	return s.account.talk(ctx, openID, ChatMessage{From: FromUser, Kind: kind}, func(now time.Time) *xmlBody {
		return s.account.mediaBody(s.account.incoming(openID, kind, now), kind)
	}, grantTalk)
}

func (a *account) mediaBody(x *xmlBody, kind string) *xmlBody {
	id := a.box.ids.token()[3:67]
	switch kind {
	case "voice":
		return x.text("MediaId", id).text("Format", "amr").text("Recognition", "")
	case "image":
		return x.text("PicUrl", "http://127.0.0.1/picture").text("MediaId", id)
	case "location":
		return x.raw("<Location_X>23.68</Location_X><Location_Y>113.05</Location_Y><Scale>15</Scale>").text("Label", "")
	case "link":
		return x.text("Title", "link").text("Description", "").text("Url", "http://127.0.0.1/link")
	}
	return x.text("MediaId", id).text("ThumbMediaId", id)
}

// talk sends a message of a person and shows both sides. A text's MsgId is drawn once, tries share it.
func (a *account) talk(ctx context.Context, openID string, shown ChatMessage, body func(time.Time) *xmlBody, kind grantKind) (*Reply, error) {
	now := a.box.cfg.Now()
	a.mu.Lock()
	f, code := a.follows(openID)
	if code == 0 {
		f.allow(kind, now)
		a.noteFollower(f)
		a.say(openID, shown)
	}
	a.mu.Unlock()
	if code != 0 {
		return nil, errNotFollows
	}
	x := body(now).number("MsgId", 24_000_000_000_000_000+int64(a.box.ids.number()>>12)%1_000_000_000_000_000)
	return a.exchange(ctx, openID, x)
}

// exchange pushes and puts the passive reply into the chat, or the fault notice that a person sees.
func (a *account) exchange(ctx context.Context, openID string, x *xmlBody) (*Reply, error) {
	reply, err := a.push(ctx, openID, x)
	if err != nil {
		a.put(openID, ChatMessage{From: FromSystem, Kind: "fault"})
		return nil, err
	}
	if reply.Kind != "" {
		a.put(openID, ChatMessage{From: FromAccount, Kind: reply.Kind, Text: reply.Text, Articles: reply.Articles, Passive: true})
	}
	return reply, nil
}

// Click is a person pressing a menu button that sends its key.
func (s *Sandbox) Click(ctx context.Context, openID, key, name string) (*Reply, error) {
	return s.account.act(ctx, openID, ChatMessage{Kind: "click", Text: name}, grantClick, func(x *xmlBody) *xmlBody {
		return x.text("Event", "CLICK").text("EventKey", key)
	})
}

// View is a person pressing a menu button that opens a page.
func (s *Sandbox) View(ctx context.Context, openID, page string) (*Reply, error) {
	return s.account.act(ctx, openID, ChatMessage{Kind: "view", Text: page}, "", func(x *xmlBody) *xmlBody {
		return x.text("Event", "VIEW").text("EventKey", page).number("MenuId", 400_000_001)
	})
}

// Scan is a follower scanning a QR code of the account; somebody who doesn't follow yet follows by it.
func (s *Sandbox) Scan(ctx context.Context, openID, scene, ticket string) (*Reply, error) {
	if !s.Follower(openID).Follows {
		return s.Follow(ctx, openID, scene, ticket)
	}
	return s.account.act(ctx, openID, ChatMessage{Kind: "scan", Text: scene}, grantScan, func(x *xmlBody) *xmlBody {
		return x.text("Event", "SCAN").text("EventKey", scene).text("Ticket", ticket)
	})
}

// act is an event by a follower.
func (a *account) act(ctx context.Context, openID string, shown ChatMessage, kind grantKind, body func(*xmlBody) *xmlBody) (*Reply, error) {
	now := a.box.cfg.Now()
	shown.From = FromSystem
	a.mu.Lock()
	f, code := a.follows(openID)
	if code == 0 {
		if kind != "" {
			f.allow(kind, now)
			a.noteFollower(f)
		}
		a.say(openID, shown)
	}
	a.mu.Unlock()
	if code != 0 {
		return nil, errNotFollows
	}
	return a.exchange(ctx, openID, body(a.incoming(openID, "event", now)))
}

// Follow is a person beginning to follow, by a QR code where a scene is given.
func (s *Sandbox) Follow(ctx context.Context, openID, scene, ticket string) (*Reply, error) {
	now := s.cfg.Now()
	s.account.change(openID, func(f *follower) {
		f.Follows, f.Since, f.Scene = true, now, scene
		f.allow(grantFollow, now)
	})
	s.account.put(openID, ChatMessage{From: FromSystem, Kind: "follow", Text: scene})
	x := s.account.incoming(openID, "event", now).text("Event", "subscribe")
	if scene == "" {
		x.text("EventKey", "")
	} else {
		x.text("EventKey", "qrscene_"+scene).text("Ticket", ticket)
	}
	return s.account.exchange(ctx, openID, x)
}

// Unfollow is a person leaving; nothing that the server answers reaches them.
func (s *Sandbox) Unfollow(ctx context.Context, openID string) error {
	s.account.change(openID, func(f *follower) { f.leave() })
	s.account.put(openID, ChatMessage{From: FromSystem, Kind: "unfollow"})
	_, err := s.account.push(ctx, openID, s.account.incoming(openID, "event", s.cfg.Now()).text("Event", "unsubscribe").text("EventKey", ""))
	return err
}

// Choice is a person's word on one template of notices.
type Choice struct {
	Template string
	Accept   bool
}

// Choose is a person answering the consent box of an H5 page; one event tells all choices.
func (s *Sandbox) Choose(ctx context.Context, openID string, choices ...Choice) error {
	list := &xmlBody{}
	s.account.change(openID, func(f *follower) {
		for _, c := range choices {
			list.raw("<List>").text("TemplateId", c.Template).text("SubscribeStatusString", c.word()).number("PopupScene", 1).raw("</List>")
			f.choose(c, s.account.notices[c.Template].LongTerm)
		}
	})
	for _, c := range choices {
		s.account.put(openID, ChatMessage{From: FromSystem, Kind: "consent", Text: c.word(), Template: c.Template, Title: s.account.titleOf(c.Template)})
	}
	x := s.account.incoming(openID, "event", s.cfg.Now()).text("Event", "subscribe_msg_popup_event").
		raw("<SubscribeMsgPopupEvent>" + list.b.String() + "</SubscribeMsgPopupEvent>")
	_, err := s.account.push(ctx, openID, x)
	return err
}

// Revoke is a person switching a notice off in the list of notices; only this direction is pushed.
func (s *Sandbox) Revoke(ctx context.Context, openID, template string) error {
	s.account.change(openID, func(f *follower) { delete(f.Consents, template) })
	s.account.put(openID, ChatMessage{From: FromSystem, Kind: "consent", Text: "reject", Template: template, Title: s.account.titleOf(template)})
	item := (&xmlBody{}).text("TemplateId", template).text("SubscribeStatusString", "reject")
	x := s.account.incoming(openID, "event", s.cfg.Now()).text("Event", "subscribe_msg_change_event").
		raw("<SubscribeMsgChangeEvent><List>" + item.b.String() + "</List></SubscribeMsgChangeEvent>")
	_, err := s.account.push(ctx, openID, x)
	return err
}

func (c Choice) word() string {
	if c.Accept {
		return "accept"
	}
	return "reject"
}

func (f *follower) choose(c Choice, longTerm bool) {
	if !c.Accept {
		delete(f.Consents, c.Template)
		return
	}
	if f.Consents[c.Template] == nil {
		f.Consents[c.Template] = &consent{}
	}
	if longTerm {
		f.Consents[c.Template].Always = true
	} else {
		f.Consents[c.Template].Left++
	}
}

func (a *account) titleOf(template string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.notices[template].Title
}

// PushRaw posts the inner XML fields as they are, signed and encrypted, for messages that the acts above don't make.
func (s *Sandbox) PushRaw(ctx context.Context, openID, fields string) (*Reply, error) {
	return s.account.push(ctx, openID, (&xmlBody{}).raw(fields))
}
