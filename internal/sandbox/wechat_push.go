package sandbox

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Reply is what the account's server answered to a push.
type Reply struct {
	// Kind is text, image, news, …; empty where the answer says that nothing is to be shown ("success" or nothing).
	Kind     string
	Text     string
	Articles []Article
	Attempts int
}

// Errors of a push. After any of them the person sees the platform's fault notice.
var (
	errNoCallback = errors.New("no callback address is set")
	errNotFollows = errors.New("the person does not follow the account")
	errNoAnswer   = errors.New("the account's server did not answer as it should")
)

// body makes the XML of a message or event, and the fields are given as name, value, name, value.
type xmlBody struct{ b strings.Builder }

func (x *xmlBody) text(name, value string) *xmlBody {
	x.b.WriteString("<" + name + "><![CDATA[" + strings.ReplaceAll(value, "]]>", "]]]]><![CDATA[>") + "]]></" + name + ">")
	return x
}

func (x *xmlBody) number(name string, value int64) *xmlBody {
	x.b.WriteString("<" + name + ">" + strconv.FormatInt(value, 10) + "</" + name + ">")
	return x
}

func (x *xmlBody) raw(s string) *xmlBody {
	x.b.WriteString(s)
	return x
}

// incoming begins a message or event from a person.
func (a *account) incoming(openID, kind string, now time.Time) *xmlBody {
	x := &xmlBody{}
	return x.text("ToUserName", a.cfg.AccountID).text("FromUserName", openID).number("CreateTime", now.Unix()).text("MsgType", kind)
}

// push posts a message or event until the server takes it: 5 s a try, three more tries.
func (a *account) push(ctx context.Context, openID string, x *xmlBody) (*Reply, error) {
	a.mu.Lock()
	address, limit := a.cfg.CallbackURL, 1+max(a.cfg.Retries, 0)
	a.pushes.Pushes++
	a.mu.Unlock()
	if address == "" {
		return nil, errNoCallback
	}
	var err error
	for n := 1; n <= limit; n++ {
		var reply *Reply
		reply, err = a.tryPush(ctx, address, openID, []byte(x.b.String()))
		if err == nil {
			reply.Attempts = n
			return reply, nil
		}
		a.mu.Lock()
		a.pushes.Failed++
		a.mu.Unlock()
		if ctx.Err() != nil || errors.Is(err, errNoAnswer) {
			break
		}
	}
	a.mu.Lock()
	a.pushes.GivenUp++
	a.mu.Unlock()
	a.box.cfg.Log.Warn("sandbox push to the callback", "error", err)
	return nil, err
}

// tryPush is one try. A reply that can't be read ends the tries: the server has taken the message.
func (a *account) tryPush(ctx context.Context, address, openID string, fields []byte) (*Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	defer cancel()
	body, query, err := a.wrap(openID, fields)
	if err != nil {
		return nil, err
	}
	joint := "?"
	if strings.Contains(address, "?") {
		joint = "&"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+joint+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	resp, err := a.box.cfg.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("callback answered %d", resp.StatusCode)
	}
	reply, err := a.readReply(openID, answer)
	if err != nil {
		return nil, errors.Join(errNoAnswer, err)
	}
	return reply, nil
}

// wrap signs a message, and encrypts it as the mode asks. Each try has its own timestamp and nonce.
func (a *account) wrap(openID string, fields []byte) ([]byte, url.Values, error) {
	stamp := strconv.FormatInt(a.box.cfg.Now().Unix(), 10)
	nonce := strconv.FormatUint(a.box.ids.number()%1e10, 10)
	query := url.Values{
		"signature": {callbackSignature(a.cfg.Token, stamp, nonce)}, "timestamp": {stamp}, "nonce": {nonce}, "openid": {openID},
	}
	if a.cfg.Mode == Plain {
		return []byte("<xml>" + string(fields) + "</xml>"), query, nil
	}
	sealed, err := a.envelope.seal(a.box.ids.bytes(16), []byte("<xml>"+string(fields)+"</xml>"))
	if err != nil {
		return nil, nil, err
	}
	query.Set("encrypt_type", "aes")
	query.Set("msg_signature", callbackSignature(a.cfg.Token, stamp, nonce, sealed))
	x := &xmlBody{}
	if a.cfg.Mode == Compatible {
		x.raw(string(fields))
	} else {
		x.text("ToUserName", a.cfg.AccountID)
	}
	x.text("Encrypt", sealed)
	return []byte("<xml>" + x.b.String() + "</xml>"), query, nil
}

// passive is a reply's XML, sealed or clear.
type passive struct {
	XMLName      xml.Name `xml:"xml"`
	Encrypt      string
	MsgSignature string
	TimeStamp    string
	Nonce        string

	ToUserName   string
	FromUserName string
	CreateTime   string
	MsgType      string
	Content      string
	ArticleCount int
	Articles     struct {
		Item []Article `xml:"item"`
	}
}

// readReply checks and reads an answer: nothing or "success" shows nothing; a sealed one must be signed and for us.
func (a *account) readReply(openID string, answer []byte) (*Reply, error) {
	if text := strings.TrimSpace(string(answer)); text == "" || text == "success" {
		return &Reply{}, nil
	}
	var p passive
	if err := xml.Unmarshal(answer, &p); err != nil {
		return nil, fmt.Errorf("reply is no XML: %w", err)
	}
	if p.Encrypt == "" && a.cfg.Mode == Safe {
		return nil, errors.New("reply is clear, the mode is safe")
	}
	if p.Encrypt != "" {
		if a.envelope == nil {
			return nil, errors.New("reply is encrypted, the mode is plain")
		}
		want := callbackSignature(a.cfg.Token, p.TimeStamp, p.Nonce, p.Encrypt)
		if subtle.ConstantTimeCompare([]byte(want), []byte(p.MsgSignature)) != 1 {
			return nil, errors.New("reply has a wrong signature")
		}
		_, inner, err := a.envelope.open(p.Encrypt)
		if err != nil {
			return nil, err
		}
		p = passive{}
		if err := xml.Unmarshal(inner, &p); err != nil {
			return nil, fmt.Errorf("decrypted reply is no XML: %w", err)
		}
	}
	return p.read(openID, a.cfg.AccountID)
}

func (p *passive) read(openID, account string) (*Reply, error) {
	switch {
	case p.ToUserName != openID || p.FromUserName != account:
		return nil, errors.New("reply goes to another person or account")
	case p.CreateTime == "":
		return nil, errors.New("reply has no CreateTime")
	case p.MsgType == "text" && p.Content == "":
		return nil, errors.New("reply has no content")
	case p.MsgType == "text" && len(p.Content) > 2048:
		return nil, errors.New("reply is longer than 2048 bytes")
	case p.MsgType == "news" && len(p.Articles.Item) != 1:
		return nil, errors.New("reply needs exactly one article")
	}
	switch p.MsgType {
	case "text", "image", "voice", "video", "music", "news", "transfer_customer_service":
		return &Reply{Kind: p.MsgType, Text: p.Content, Articles: p.Articles.Item}, nil
	}
	return nil, fmt.Errorf("reply has the unknown type %q", p.MsgType)
}

// VerifyCallback does what saving the server's address in the console does: a signed GET that must be echoed.
func (s *Sandbox) VerifyCallback(ctx context.Context) error {
	a := s.account
	a.mu.Lock()
	address := a.cfg.CallbackURL
	a.mu.Unlock()
	_, query, err := a.wrap("", nil)
	if err != nil {
		return err
	}
	echo := strconv.FormatUint(s.ids.number(), 10)
	for _, name := range []string{"openid", "encrypt_type", "msg_signature"} {
		query.Del(name)
	}
	query.Set("echostr", echo)
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || string(answer) != echo {
		return fmt.Errorf("callback answered %d and not the echostr", resp.StatusCode)
	}
	return nil
}

// event pushes something that no person waits for.
func (a *account) event(fn func(context.Context)) {
	a.box.begin(func(ctx context.Context) {
		select {
		case a.slots <- struct{}{}:
			defer func() { <-a.slots }()
			fn(ctx)
		case <-ctx.Done():
		}
	})
}

func (a *account) tellNoticeSent(ctx context.Context, openID, template string, id int64) {
	item := (&xmlBody{}).text("TemplateId", template).text("MsgID", strconv.FormatInt(id, 10)).number("ErrorCode", 0).text("ErrorStatus", "success")
	x := a.incoming(openID, "event", a.box.cfg.Now()).text("Event", "subscribe_msg_sent_event").
		raw("<SubscribeMsgSentEvent><List>" + item.b.String() + "</List></SubscribeMsgSentEvent>")
	_, _ = a.push(ctx, openID, x)
}

func (a *account) tellTemplateSent(ctx context.Context, openID string, id int64) {
	x := a.incoming(openID, "event", a.box.cfg.Now()).text("Event", "TEMPLATESENDJOBFINISH").number("MsgID", id).text("Status", "success")
	_, _ = a.push(ctx, openID, x)
}
