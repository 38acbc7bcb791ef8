package main

import (
	"net/url"
	"testing"

	"github.com/lingjuli/lingjuli/bot"
)

func TestThePageOfConsentIsOfferedOnlyWhereAPhoneCanOpenIt(t *testing.T) {
	for _, c := range []struct{ account, public, api, want string }{
		{"wx1", "https://example.org", bot.DefaultAPIBase, "https://example.org/h5/subscribe"},
		{"wx1", "https://example.org/county/", bot.DefaultAPIBase, "https://example.org/county/h5/subscribe"},
		{"", "https://example.org", bot.DefaultAPIBase, ""},
		{"wx1", "http://127.0.0.1:8080", bot.DefaultAPIBase, ""},
		{"wx1", "http://localhost:8080", bot.DefaultAPIBase, ""},
		{"wx1", "http://0.0.0.0:8080", bot.DefaultAPIBase, ""},
		{"wx1", "http://127.0.0.1:8080", "http://127.0.0.1:9000", "http://127.0.0.1:8080/h5/subscribe"},
	} {
		public, err := url.Parse(c.public)
		if err != nil {
			t.Fatal(err)
		}
		cfg := config{WeChat: wechatConfig{AppID: c.account, APIBase: c.api}, PublicURL: public}
		if got := cfg.consentURL(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestTheMenuLeadsToThePageOfConsentWhereThereIsOne(t *testing.T) {
	count := func(consent string) (views int) {
		for _, top := range menuButtons(consent) {
			for _, b := range top.Buttons {
				if b.URL != "" {
					views++
				}
			}
		}
		return views
	}
	if count("") != 0 || count("https://example.org/h5/subscribe") != 1 {
		t.Errorf("%d and %d buttons open a page", count(""), count("https://example.org/h5/subscribe"))
	}
}
