package main

import (
	"net"
	"net/http"
	"net/url"

	"github.com/lingjuli/lingjuli/bot"
)

// consentPath is the page on which followers agree to notices.
const consentPath = "h5/subscribe"

// consentURL is what people are given to open; empty where a phone could not open it: without the account, or where
// the real WeChat would be told an address that only this machine knows.
func (c config) consentURL() string {
	if !c.WeChat.on() || c.PublicURL == nil {
		return ""
	}
	ip := net.ParseIP(c.PublicURL.Hostname())
	inside := c.PublicURL.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
	if inside && c.WeChat.APIBase == bot.DefaultAPIBase {
		return ""
	}
	return c.PublicURL.JoinPath(consentPath).String()
}

// reachedAt puts the address that was really bound in the place of a public one that nobody gave.
func (c *config) reachedAt(addr string) {
	if c.PublicURL != nil && c.PublicURL.Host == c.Listen {
		c.PublicURL = &url.URL{Scheme: c.PublicURL.Scheme, Host: addr}
	}
}

func (s *server) addConsentPage(mux *http.ServeMux) error {
	page, err := bot.NewSubscribePage(bot.SubscribeOptions{Signer: s.wechat, Notices: s.store, Base: s.cfg.PublicURL.String(), Log: s.log})
	if err != nil {
		return err
	}
	page.AddTo(mux)
	return nil
}
