package bot

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/basic"
)

const (
	qrPath     = "/cgi-bin/qrcode/create"
	qrImage    = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket="
	maxScene   = 64
	maxQRAlive = 30 * 24 * time.Hour
	minQRAlive = time.Minute
)

// QR is a code that leads to the account and brings its scene along.
type QR struct {
	Content   string    // what the code holds, for drawing it ourselves
	ImageURL  string    // WeChat's picture of it
	ExpiresAt time.Time // zero: never
}

// CreateQR makes a QR code for a scene of 1 to 64 characters, that lives for a time of up to 30 days. Alive 0
// makes a permanent one, of which an account has no more than 100,000.
// https://developers.weixin.qq.com/doc/service/guide/product/acct/qrcode.html
func (c *Client) CreateQR(ctx context.Context, scene string, alive time.Duration) (QR, error) {
	if scene == "" || len(scene) > maxScene {
		return QR{}, errors.New("qr: a scene has 1 to 64 characters")
	}
	order := basic.NewLimitQrRequest(scene)
	if alive != 0 {
		order = basic.NewTmpQrRequest(min(max(alive, minQRAlive), maxQRAlive), scene)
	}
	asked := c.now()
	var ticket struct {
		Ticket  string `json:"ticket"`
		Seconds int64  `json:"expire_seconds"`
		URL     string `json:"url"`
	}
	if err := c.post(ctx, qrPath, order, &ticket); err != nil {
		return QR{}, err
	}
	if ticket.URL == "" {
		return QR{}, &TransportError{Path: qrPath, Written: true, Status: 200, Err: errors.New("the answer holds no code")}
	}
	qr := QR{Content: ticket.URL, ImageURL: qrImage + url.QueryEscape(ticket.Ticket)}
	if alive != 0 {
		qr.ExpiresAt = asked.Add(time.Duration(ticket.Seconds) * time.Second)
	}
	return qr, nil
}
