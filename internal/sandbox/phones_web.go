package sandbox

import (
	"context"
	"crypto/sha1" //nolint:gosec // WeChat's signature of pages is a SHA-1
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// The browser inside WeChat, as far as pages of an account need it: it names itself, it has the JS-SDK, and it shows
// the box in which one allows notices. Pages are fetched from loopback alone.

// sdkAddress is where pages load WeChat's JS-SDK from; here our stand-in is given in its place.
const sdkAddress = "https://res.wx.qq.com/open/js/jweixin-"

// webAgent is how WeChat's browser names itself.
const webAgent = "Mozilla/5.0 (Linux; Android 13; sandbox) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0.49(0x28003133) WeChat/arm64"

const (
	webPatience = 10 * time.Second
	maxWebPage  = 2 << 20
)

// web shows a page as WeChat's browser would.
func (p *phones) web(w http.ResponseWriter, r *http.Request) error {
	person, err := p.person(r)
	if err != nil {
		return err
	}
	page, err := url.Parse(r.URL.Query().Get("url"))
	if err != nil || page.Scheme != "http" && page.Scheme != "https" || page.Host == "" {
		return errors.New("this is no address of a page")
	}
	res, err := p.fetch(r.Context(), page.String(), r.Header.Get("Accept-Language"))
	if err != nil {
		return fmt.Errorf("the page can't be opened: %w", errors.Unwrap(err))
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxWebPage))
	if err != nil {
		return err
	}
	kind := res.Header.Get("Content-Type")
	if strings.HasPrefix(kind, "text/html") {
		body = rewritten(body, page, person.ID)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(body)
	return nil
}

func (p *phones) fetch(ctx context.Context, page, language string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, webPatience)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("User-Agent", webAgent)
	req.Header.Set("Accept-Language", language)
	res, err := p.box.cfg.Client.Do(req)
	if err != nil {
		cancel()
		return nil, err
	}
	res.Body = &closing{res.Body, cancel}
	return res, nil
}

// closing ends a request's context when its body is closed.
type closing struct {
	io.ReadCloser
	end context.CancelFunc
}

func (c *closing) Close() error { defer c.end(); return c.ReadCloser.Close() }

// rewritten leads a page's links, styles and scripts through this browser.
func rewritten(body []byte, page *url.URL, person string) []byte {
	attribute := regexp.MustCompile(`\b(src|href)="([^"#][^"]*)"`)
	return attribute.ReplaceAllFunc(body, func(found []byte) []byte {
		parts := attribute.FindSubmatch(found)
		to, err := page.Parse(html.UnescapeString(string(parts[2])))
		if err != nil {
			return found
		}
		target := webLink(person, to.String())
		if strings.HasPrefix(to.String(), sdkAddress) {
			target = "static/jweixin.js"
		}
		return fmt.Appendf(nil, `%s="%s"`, parts[1], html.EscapeString(target))
	})
}

func webLink(person, page string) string {
	return "web?" + url.Values{"p": {person}, "url": {page}}.Encode()
}

// webConfig is wx.config: it answers 204 where the page's signature holds, as WeChat judges it by the page's address
// without what follows #, and 403 with WeChat's words where it doesn't.
func (p *phones) webConfig(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return err
	}
	page, _, _ := strings.Cut(r.PostForm.Get("url"), "#")
	if !p.box.account.signs(page, r.PostForm) {
		http.Error(w, "config:fail,Error: invalid signature", http.StatusForbidden)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *account) signs(page string, config url.Values) bool {
	a.mu.Lock()
	ticket, ends := a.ticket.AccessToken, a.ticketEnd
	a.mu.Unlock()
	sum := sha1.Sum([]byte("jsapi_ticket=" + ticket + "&noncestr=" + config.Get("nonceStr") + "&timestamp=" + config.Get("timestamp") + "&url=" + page)) //nolint:gosec // as above
	return config.Get("appId") == a.cfg.AppID && ticket != "" && a.box.cfg.Now().Before(ends) &&
		subtle.ConstantTimeCompare([]byte(config.Get("signature")), []byte(hex.EncodeToString(sum[:]))) == 1
}

// webNotices names the templates that a page asks consent for; unknown ones are left out, as WeChat leaves them out.
func (p *phones) webNotices(w http.ResponseWriter, r *http.Request) error {
	type title struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	list := []title{}
	for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
		for _, n := range p.box.Notices() {
			if n.ID == id && n.Kind == "subscribe" {
				list = append(list, title{n.ID, n.Title})
			}
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return json.NewEncoder(w).Encode(list)
}

// choose answers the box of consent: one event for all its templates.
func (p *phones) choose(ctx context.Context, openID string, r *http.Request) error {
	var choices []Choice
	for _, id := range r.PostForm["accept"] {
		choices = append(choices, Choice{Template: id, Accept: true})
	}
	for _, id := range r.PostForm["reject"] {
		choices = append(choices, Choice{Template: id})
	}
	if len(choices) == 0 {
		return errors.New("nothing was chosen")
	}
	if !p.box.Follower(openID).Follows {
		return errNotFollows
	}
	return p.box.Choose(ctx, openID, choices...)
}
