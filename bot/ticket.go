package bot

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // WeChat's signature of pages is a SHA-1
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const ticketPath = "/cgi-bin/ticket/getticket"

// PageSignature lets a page use WeChat's JS-SDK: what wx.config takes.
type PageSignature struct {
	AppID     string
	Timestamp int64
	Nonce     string
	Signature string
}

// SignPage signs a page by its whole address; what follows # is left out, as WeChat leaves it out.
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html#62
func (c *Client) SignPage(ctx context.Context, page string) (PageSignature, error) {
	ticket, err := c.ticket.get(ctx)
	if err != nil {
		return PageSignature{}, fmt.Errorf("sign a page: %w", err)
	}
	s := PageSignature{AppID: c.ticket.appID, Timestamp: c.now().Unix(), Nonce: rand.Text()}
	s.Signature = pageSignature(ticket, s.Nonce, s.Timestamp, page)
	return s, nil
}

func pageSignature(ticket, nonce string, timestamp int64, page string) string {
	page, _, _ = strings.Cut(page, "#")
	sum := sha1.Sum(fmt.Appendf(nil, "jsapi_ticket=%s&noncestr=%s&timestamp=%d&url=%s", ticket, nonce, timestamp, page)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// askTicket fetches the JS-SDK's ticket, of which WeChat gives a few each day: they are kept as tokens are.
func (c *Client) askTicket(ctx context.Context) (token, error) {
	asked := c.now()
	var answer struct {
		Ticket  string `json:"ticket"`
		Seconds int64  `json:"expires_in"`
	}
	if err := c.callWith(ctx, http.MethodGet, ticketPath, url.Values{"type": {"jsapi"}}, nil, &answer); err != nil {
		return token{}, err
	}
	if answer.Ticket == "" || answer.Seconds <= 0 {
		return token{}, &TransportError{Path: ticketPath, Status: http.StatusOK, Err: errors.New("the answer holds no ticket")}
	}
	return lent(answer.Ticket, asked, answer.Seconds), nil
}
