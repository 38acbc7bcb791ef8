package sandbox

import (
	"encoding/json"
	"strconv"
	"time"
)

// Button is a button of the account's menu.
type Button struct {
	Type     string   `json:"type,omitempty"`
	Name     string   `json:"name"`
	Key      string   `json:"key,omitempty"`
	URL      string   `json:"url,omitempty"`
	MediaID  string   `json:"media_id,omitempty"`
	AppID    string   `json:"appid,omitempty"`
	PagePath string   `json:"pagepath,omitempty"`
	Article  string   `json:"article_id,omitempty"`
	Sub      []Button `json:"sub_button,omitempty"`
}

// menu is what menu/create was given.
type menu struct {
	Button []Button `json:"button"`
}

// menuCodes are the errcodes of one level of the menu.
type menuCodes struct{ typ, name, key, url int }

// readMenu checks a menu: three buttons, five below each, sizes in bytes.
func readMenu(body []byte) (*menu, int) {
	var m menu
	if json.Unmarshal(body, &m) != nil {
		return nil, 47001
	}
	if len(m.Button) < 1 || len(m.Button) > 3 {
		return nil, 40016
	}
	for _, b := range m.Button {
		if len(b.Name) == 0 || len(b.Name) > 16 {
			return nil, 40018
		}
		if len(b.Sub) > 5 {
			return nil, 40023
		}
		if len(b.Sub) == 0 {
			if code := b.check(menuCodes{40017, 40018, 40019, 40020}); code != 0 {
				return nil, code
			}
		}
		for _, sub := range b.Sub {
			if len(sub.Name) == 0 || len(sub.Name) > 60 {
				return nil, 40025
			}
			if code := sub.check(menuCodes{40024, 40025, 40026, 40027}); code != 0 {
				return nil, code
			}
		}
	}
	return &m, 0
}

func (b Button) check(codes menuCodes) int {
	switch b.Type {
	case "click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select":
		if len(b.Key) == 0 || len(b.Key) > 128 {
			return codes.key
		}
	case "view":
		if len(b.URL) == 0 || len(b.URL) > 1024 {
			return codes.url
		}
	case "miniprogram":
		if len(b.URL) == 0 || len(b.URL) > 1024 || b.AppID == "" || b.PagePath == "" {
			return codes.url
		}
	case "media_id", "view_limited":
		if b.MediaID == "" {
			return 40007
		}
	case "article_id", "article_view_limited":
		if b.Article == "" {
			return 40007
		}
	default:
		return codes.typ
	}
	return 0
}

func (a *account) createMenu(c *apiCall) (any, int) {
	m, code := readMenu(c.body)
	if code != 0 {
		return nil, code
	}
	a.setMenu(m)
	return nil, 0
}

func (a *account) setMenu(m *menu) {
	a.mu.Lock()
	a.menu = m
	a.mu.Unlock()
	raw, err := json.Marshal(m)
	if err == nil {
		a.box.note(entry{Kind: entryMenu, At: a.box.cfg.Now(), Menu: raw})
	}
	a.box.watchers.wake(watchMenu)
}

const watchMenu = "menu"

func (a *account) deleteMenu(*apiCall) (any, int) {
	a.setMenu(nil)
	return nil, 0
}

// wireButton is a button as menu/get gives it: sub_button is always there.
type wireButton struct {
	Button
	Sub []wireButton `json:"sub_button"`
}

func wireButtons(list []Button) []wireButton {
	out := make([]wireButton, 0, len(list))
	for _, b := range list {
		out = append(out, wireButton{Button: b, Sub: wireButtons(b.Sub)})
	}
	return out
}

func (a *account) getMenu(*apiCall) (any, int) {
	m := a.menuNow()
	if m == nil {
		return nil, 46003
	}
	return map[string]any{"menu": map[string]any{"button": wireButtons(m.Button)}}, 0
}

func (a *account) currentMenu(*apiCall) (any, int) {
	m := a.menuNow()
	if m == nil {
		return map[string]any{"is_menu_open": 0}, 0
	}
	buttons := make([]map[string]any, 0, len(m.Button))
	for _, b := range m.Button {
		one := map[string]any{"name": b.Name}
		if len(b.Sub) > 0 {
			one["sub_button"] = map[string]any{"list": b.Sub}
		} else {
			one["type"], one["key"], one["url"] = b.Type, b.Key, b.URL
		}
		buttons = append(buttons, one)
	}
	return map[string]any{"is_menu_open": 1, "selfmenu_info": map[string]any{"button": buttons}}, 0
}

func (a *account) menuNow() *menu {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.menu
}

// Menu is the account's menu as it stands; nil without one.
func (s *Sandbox) Menu() []Button {
	if m := s.account.menuNow(); m != nil {
		return m.Button
	}
	return nil
}

// createQR makes a code with a scene: temporary up to 30 days, or permanent.
func (a *account) createQR(c *apiCall) (any, int) {
	var in struct {
		ExpireSeconds int64  `json:"expire_seconds"`
		ActionName    string `json:"action_name"`
		ActionInfo    struct {
			Scene struct {
				SceneID  int64  `json:"scene_id"`
				SceneStr string `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return nil, 47001
	}
	made := &Scene{Scene: in.ActionInfo.Scene.SceneStr}
	permanent := false
	switch in.ActionName {
	case "QR_STR_SCENE":
	case "QR_LIMIT_STR_SCENE":
		permanent = true
	case "QR_LIMIT_SCENE":
		permanent = true
		made.Scene = sceneNumber(in.ActionInfo.Scene.SceneID, 100_000)
	case "QR_SCENE":
		made.Scene = sceneNumber(in.ActionInfo.Scene.SceneID, 1<<32-1)
	default:
		return nil, 40053
	}
	if len(made.Scene) < 1 || len(made.Scene) > 64 || in.ExpireSeconds < 0 || in.ExpireSeconds > 2_592_000 {
		return nil, 40053
	}
	made.Ticket, made.URL = "gQ"+a.box.ids.token()[3:80]+"==", "http://weixin.qq.com/q/02"+a.box.ids.token()[3:25]
	out := map[string]any{"ticket": made.Ticket, "url": made.URL}
	if !permanent {
		life := in.ExpireSeconds
		if life == 0 {
			life = 60
		}
		made.Ends = c.now.Add(time.Duration(life) * time.Second)
		out["expire_seconds"] = life
	}
	a.mu.Lock()
	a.scenes = append(a.scenes, made)
	a.mu.Unlock()
	a.box.note(entry{Kind: entryScene, At: c.now, Scene: made})
	return out, 0
}

func sceneNumber(n, limit int64) string {
	if n < 1 || n > limit {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// getTicket gives the JS-SDK's ticket, the same one while it lives.
func (a *account) getTicket(c *apiCall) (any, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ticketEnd.Sub(c.now) < tokenOverlap {
		a.ticket, a.ticketEnd = tokenAnswer{AccessToken: "sM4AOVdWfPE4DxkXGEs8V" + a.box.ids.token()[3:68]}, c.now.Add(tokenLife)
	}
	return map[string]any{"errcode": 0, "errmsg": "ok", "ticket": a.ticket.AccessToken, "expires_in": int(a.ticketEnd.Sub(c.now).Seconds())}, 0
}

func (a *account) listIPs(*apiCall) (any, int) {
	return map[string]any{"ip_list": []string{"127.0.0.1"}}, 0
}
