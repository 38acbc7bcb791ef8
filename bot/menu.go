package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/silenceper/wechat/v2/officialaccount/menu"
)

const (
	menuGetPath    = "/cgi-bin/menu/get"
	menuCreatePath = "/cgi-bin/menu/create"
	codeNoMenu     = 46003
)

// MenuButton is one button. With Buttons it opens them; with URL it opens a page; else a click tells us Key.
type MenuButton struct {
	Name    string
	Key     string // such as menu:check_medical
	URL     string
	Buttons []MenuButton
}

// EnsureMenu sets the account's menu where it is another than the one wanted, and says whether it did.
// People see a new menu when their phone next asks, after five minutes or so.
// https://developers.weixin.qq.com/doc/service/guide/product/menu/intro.html
func (c *Client) EnsureMenu(ctx context.Context, want []MenuButton) (changed bool, err error) {
	if err := checkMenu(want); err != nil {
		return false, err
	}
	var current struct {
		Menu struct {
			Buttons []*menu.Button `json:"button"`
		} `json:"menu"`
	}
	err = c.call(ctx, http.MethodGet, menuGetPath, nil, &current)
	if code, _ := Code(err); err != nil && code != codeNoMenu {
		return false, fmt.Errorf("read the menu: %w", err)
	}
	buttons := toButtons(want)
	if sameMenu(current.Menu.Buttons, buttons) {
		return false, nil
	}
	body := map[string]any{"button": buttons}
	if err := c.post(ctx, menuCreatePath, body, &sent{}); err != nil {
		return false, fmt.Errorf("create the menu: %w", err)
	}
	return true, nil
}

// sameMenu compares what the wire would carry.
func sameMenu(a, b []*menu.Button) bool {
	plainA, errA := json.Marshal(a)
	plainB, errB := json.Marshal(b)
	return errors.Join(errA, errB) == nil && len(a) > 0 && bytes.Equal(plainA, plainB)
}

func toButtons(from []MenuButton) []*menu.Button {
	var buttons []*menu.Button
	for _, b := range from {
		var button menu.Button
		switch {
		case len(b.Buttons) > 0:
			button.SetSubButton(b.Name, toButtons(b.Buttons))
		case b.URL != "":
			button.SetViewButton(b.Name, b.URL)
		default:
			button.SetClickButton(b.Name, b.Key)
		}
		buttons = append(buttons, &button)
	}
	return buttons
}

// checkMenu holds a menu against WeChat's limits, which it answers by bare numbers.
func checkMenu(top []MenuButton) error {
	if len(top) < 1 || len(top) > 3 {
		return fmt.Errorf("menu: %d buttons, WeChat takes 1 to 3", len(top))
	}
	for _, b := range top {
		if len(b.Buttons) > 5 {
			return fmt.Errorf("menu button %s: %d buttons below it, WeChat takes 5", b.Name, len(b.Buttons))
		}
		if err := checkButton(b, 16); err != nil {
			return err
		}
		for _, sub := range b.Buttons {
			if err := checkButton(sub, 60); err != nil {
				return err
			}
			if len(sub.Buttons) > 0 {
				return fmt.Errorf("menu button %s: a third level", sub.Name)
			}
		}
	}
	return nil
}

func checkButton(b MenuButton, nameLimit int) error {
	switch {
	case b.Name == "" || len(b.Name) > nameLimit:
		return fmt.Errorf("menu button %q: the name has %d bytes, WeChat takes 1 to %d", b.Name, len(b.Name), nameLimit)
	case len(b.Key) > 128 || len(b.URL) > 1024:
		return fmt.Errorf("menu button %s: key or address too long", b.Name)
	case len(b.Buttons) == 0 && b.Key == "" && b.URL == "":
		return fmt.Errorf("menu button %s: neither key, address nor buttons", b.Name)
	}
	return nil
}
