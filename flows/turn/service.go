package turn

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/hanzi"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

// How long things are kept.
const (
	sessionLife = 24 * time.Hour
	replyLife   = time.Hour // an answer by SMS that has not gone by then no longer helps
	maxRounds   = 16        // of the engine in one turn
)

// ErrEndless: the engine asks the host for one thing after another.
var ErrEndless = errors.New("turn: a conversation asks without end")

// Config is what a Service is made of. Bell, Now, Digits, Zone and SubscribeURL may be left out.
type Config struct {
	Engine   *flows.Engine
	Texts    *locales.Bundle
	Store    Store
	Bell     Doorbell
	Now      func() time.Time
	Digits   func() string // six random digits
	Zone     *time.Location
	Calendar flows.Calendar // holidays, and the days worked for them; nil: all weeks are alike

	Teller Teller // says something to somebody who did not ask just now; may be nil

	SubscribeURL string // the page where a follower agrees to reminders
}

// Service hosts conversations. Safe for concurrent use.
type Service struct {
	engine   *flows.Engine
	texts    *locales.Bundle
	store    Store
	bell     Doorbell
	now      func() time.Time
	digits   func() string
	zone     *time.Location
	calendar flows.Calendar
	teller   Teller

	subscribeURL string
}

// New makes a Service.
func New(c Config) *Service {
	s := &Service{
		engine: c.Engine, texts: c.Texts, store: c.Store, bell: c.Bell, now: c.Now, digits: c.Digits, zone: c.Zone,
		calendar: c.Calendar, teller: c.Teller, subscribeURL: c.SubscribeURL,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.digits == nil {
		s.digits = randomDigits
	}
	if s.zone == nil {
		s.zone = time.UTC
	}
	return s
}

func randomDigits() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // crypto/rand.Reader never fails since Go 1.24
	}
	return fmt.Sprintf("%06d", n)
}

// Turn takes one input and gives its answer. Everything it does is committed at once, or nothing is.
func (s *Service) Turn(ctx context.Context, in Inbound) (Answer, error) {
	if in.Who == "" || in.Key == "" {
		return Answer{}, errors.New("turn: an input without a person or a key")
	}
	now := s.now()
	who := Who{Channel: in.Channel, ID: in.Who, Key: in.Key, At: now, Window: window(in)}
	var done *oneTurn
	err := s.store.Turn(ctx, who, func(tx Tx) error {
		done = &oneTurn{s: s, tx: tx, in: in, now: now}
		return done.run()
	})
	if err != nil {
		return Answer{}, fmt.Errorf("turn: %s: %w", in.Channel, err)
	}
	if s.bell != nil {
		for _, id := range done.queued {
			s.bell.Ring(ctx, id)
		}
	}
	if s.teller != nil {
		for _, m := range done.tellings {
			s.teller.Tell(m)
		}
	}
	return done.answer, nil
}

// window says what an input opens for customer messages.
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Messages.html
func window(in Inbound) Window {
	if in.Channel != WeChat {
		return NoWindow
	}
	switch in.Kind {
	case MenuClick, Follow, Scan, Tap:
		return ClickWindow
	case Unfollow, ConsentSeen:
		return NoWindow
	case Text, Voice, Picture, Location, Link, Other:
		return MessageWindow
	}
	return NoWindow
}

// oneTurn is one input being answered inside one transaction.
type oneTurn struct {
	s        *Service
	tx       Tx
	in       Inbound
	now      time.Time
	contact  Contact
	personID int64            // whose matter it is
	self     int64            // who writes, by WeChat
	mine     []register.Proxy // whose matters they look after
	news     []flows.Effect   // to be said before the answer
	tellings []Telling
	ownName  string // of who writes, masked; read where they look after others
	onPhone  []int64
	strange  bool // people of different households are on file with this phone: it can't be told whose it is
	several  bool // of one household
	campaignQuestion
	region  string // where the person lives, "" where we don't know them
	away    time.Duration
	answer  Answer
	queued  []int64
	intent  string
	secret  bool
	letters []Letter // workers' answers to go with this one
	given   []int64  // those that go
}

func (t *oneTurn) run() error {
	opened, err := t.tx.Open()
	if err != nil {
		return err
	}
	if opened.Copy != nil {
		return t.again(opened.Copy)
	}
	if err := t.arrive(opened); err != nil {
		return err
	}
	switch t.in.Kind {
	case Unfollow:
		t.contact, t.personID = Contact{}, 0
		if err := t.tx.Forget(); err != nil {
			return err
		}
		return t.close(nil)
	case ConsentSeen:
		if err := t.tx.Consent(t.in.Consents); err != nil {
			return err
		}
		return t.close(opened.Session)
	default:
		return t.talk(opened)
	}
}

// sceneRegion finds the region in the scene of a village's QR code.
var sceneRegion = regexp.MustCompile(`\d{12}|\d{9}|\d{6}`)

// again gives the stored reply to a copy.
func (t *oneTurn) again(stored []byte) error {
	if err := json.Unmarshal(stored, &t.answer); err != nil {
		return fmt.Errorf("read the stored reply: %w", err)
	}
	t.answer.Stored = true
	return nil
}

func (t *oneTurn) arrive(opened Opened) error {
	t.contact, t.personID, t.self, t.region = opened.Contact, opened.PersonID, opened.PersonID, opened.Region
	t.letters = opened.Letters
	if !opened.LastAt.IsZero() {
		t.away = t.now.Sub(opened.LastAt)
	}
	if today := civil(t.now, t.s.zone); t.contact.StatusDay != today {
		t.contact.StatusDay, t.contact.StatusUsed, t.contact.RepliesUsed = today, 0, 0
	}
	if t.in.Channel == WeChat && t.in.Kind != Unfollow {
		t.contact.Follows = true
	}
	switch t.in.Kind {
	case Follow, Scan:
		if !t.atDoor() { // whoever knows it could be bound: it is kept nowhere
			t.contact.Scene = t.in.Scene
		}
	case Text, Voice:
		if t.in.Channel == WeChat && !t.contact.LanguageChosen && !t.s.engine.Book().Settings().Forwarded(t.in.Text) {
			t.contact.Language = heard(t.in.Text, t.contact.Language, t.signs())
		}
	}
	if t.region == "" && t.personID == 0 {
		t.region = sceneRegion.FindString(t.contact.Scene)
	}
	if t.in.Channel != SMS {
		if opened.Family {
			return t.family()
		}
		return nil
	}
	people, err := t.tx.OnPhone()
	t.onPhone = people
	if err != nil || len(people) == 0 {
		return err
	}
	if len(people) == 1 {
		t.personID = people[0]
	} else if err := t.share(); err != nil {
		return err
	}
	t.region, err = t.regionOf(people[0])
	return err
}

func (t *oneTurn) talk(opened Opened) error {
	stored := opened.Session
	if t.in.Kind == Follow {
		stored = nil // a new follower starts anew
	}
	session, err := t.s.engine.Book().Read(stored)
	if err != nil {
		return err
	}
	if err := t.recall(&session); err != nil {
		return err
	}
	if err := t.findQuestion(opened); err != nil {
		return err
	}
	session, effects, err := t.step(session)
	if err != nil {
		return err
	}
	for _, e := range effects {
		switch e := e.(type) {
		case flows.Understood:
			t.intent = e.Intent
		case flows.Secret:
			t.secret = true
		}
	}
	if t.in.Channel == SMS {
		if err := t.replyBySMS(effects); err != nil {
			return err
		}
	} else {
		var rest []string
		t.answer, rest = t.write(t.withNews(effects))
		if len(rest) > 0 {
			session.Rest = rest
		}
	}
	session.Of = t.of()
	body, err := session.Bytes()
	if err != nil {
		return err
	}
	return t.close(body)
}

// step steps the engine, performing what it asks for, until the person is to answer.
func (t *oneTurn) step(session flows.Session) (flows.Session, []flows.Effect, error) {
	in := t.input()
	var all []flows.Effect
	for range maxRounds {
		in.Env = t.env()
		next, effects, err := t.s.engine.Step(session, in)
		if err != nil {
			return session, nil, err
		}
		session = next
		if err := t.takeUp(session.Whose); err != nil {
			return session, nil, err
		}
		if len(effects) == 0 {
			return session, all, nil
		}
		q, asks := effects[len(effects)-1].(flows.Request)
		if !asks {
			return session, append(all, effects...), nil
		}
		all = append(all, effects[:len(effects)-1]...)
		facts, err := t.perform(q)
		if err != nil {
			return session, nil, fmt.Errorf("%s: %w", q.Name, err)
		}
		in = flows.Input{Kind: flows.Fed, Facts: facts}
	}
	return session, nil, ErrEndless
}

// input says what came in, in the engine's words.
func (t *oneTurn) input() flows.Input {
	unreadable := func(flow string) flows.Input { return flows.Input{Kind: flows.Unreadable, Flow: flow} }
	switch t.in.Kind {
	case Text, Tap, Voice:
		if t.in.Choice == 0 && strings.TrimSpace(t.in.Text) == "" {
			if t.in.Kind == Voice {
				return unreadable("unreadable_voice")
			}
			return unreadable("unreadable_other")
		}
		return flows.Input{Kind: flows.Said, Text: t.in.Text, Choice: t.in.Choice, Tap: t.in.Mark, Asked: t.asked}
	case Picture:
		return unreadable("unreadable_picture")
	case Follow, Scan:
		return flows.Input{Kind: flows.Begun, Flow: t.arrivalFlow()}
	case MenuClick:
		return flows.Input{Kind: flows.Begun, Flow: t.menuFlow()}
	case Location:
		return unreadable("unreadable_location")
	case Link:
		return unreadable("unreadable_link")
	case Other, Unfollow, ConsentSeen:
	}
	return unreadable("unreadable_other")
}

// menuFlow is the flow of a menu key: its own name, or an intent. A key of an older menu leads to the main menu, and so
// does the name of a flow that nobody can choose.
func (t *oneTurn) menuFlow() string {
	book := t.s.engine.Book()
	key := strings.TrimPrefix(t.in.EventKey, "menu:")
	if flow := book.FlowOf(key); flow != "" {
		return flow
	}
	if book.Offered(key) {
		return key
	}
	return "main_menu"
}

// replyBySMS queues the first thing said that has a template. Who has had enough of them for a day hears no more:
// two machines must not answer one another for ever.
func (t *oneTurn) replyBySMS(effects []flows.Effect) error {
	if t.contact.RepliesUsed >= repliesADay {
		return nil
	}
	for _, e := range effects {
		said, ok := e.(flows.Say)
		if !ok || said.SMS == nil {
			continue
		}
		t.contact.RepliesUsed++
		text := t.fitSMS(*said.SMS)
		t.answer = Answer{Text: t.s.engine.Book().FillReply(text)}
		return t.queue(Message{
			Kind: Reply, Template: text.Template, Phone: register.Phone(t.in.Who), Params: text.Params,
			PersonID: t.personID, At: t.now, Expires: t.now.Add(replyLife),
		})
	}
	return nil
}

// fitSMS brings the variables of a text to what the platform takes: Simplified, on one line, no longer than it may be
// and never empty. What doesn't fit is not cut: the office's telephone is told instead.
func (t *oneTurn) fitSMS(text flows.SMSText) flows.SMSText {
	params := make(map[string]string, len(text.Params))
	for name, value := range text.Params {
		value = hanzi.Simplify(strings.Join(strings.Fields(value), " "))
		if n := utf8.RuneCountInString(value); n == 0 || n > longestVariable {
			return flows.SMSText{Template: officeTemplateKey, Params: map[string]string{"phone": t.s.engine.Book().Line("office", t.region)}}
		}
		params[name] = value
	}
	return flows.SMSText{Template: text.Template, Params: params}
}

// AnswerWaits is the text that says that staff have answered and whom to call; .Params.phone.
const AnswerWaits = "reply_answer"

// officeTemplateKey is the text that names the office's telephone.
const officeTemplateKey = "reply_office"

func (t *oneTurn) queue(m Message) error {
	id, err := t.tx.Queue(m)
	if err != nil {
		return err
	}
	t.queued = append(t.queued, id)
	return nil
}

func (t *oneTurn) close(session []byte) error {
	reply, err := json.Marshal(t.answer)
	if err != nil {
		return fmt.Errorf("write the reply: %w", err)
	}
	transcript, err := t.transcript()
	if err != nil {
		return err
	}
	return t.tx.Close(Closing{
		Contact: t.contact, Session: session, Expires: t.now.Add(sessionLife), Reply: reply,
		PersonID: t.personID, Intent: t.intent, Transcript: transcript, Given: t.given,
	})
}

// transcript is what staff may read of a turn: numbers masked, secrets left out.
func (t *oneTurn) transcript() ([]byte, error) {
	if t.in.Kind == Unfollow || t.in.Kind == ConsentSeen {
		return nil, nil
	}
	line := struct {
		Kind Kind   `json:"kind"`
		In   string `json:"in,omitempty"`
		Out  string `json:"out,omitempty"`
	}{t.in.Kind, mask(t.in.Text), mask(t.answer.Text)}
	if t.secret {
		line.In = "***"
	}
	raw, err := json.Marshal(line)
	if err != nil {
		return nil, fmt.Errorf("write the transcript: %w", err)
	}
	return raw, nil
}
