package sandbox

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// errorText are the English errmsg of WeChat's codes, one "code<tab>text" a line.
//
//go:embed data/errcodes.tsv
var errorText string

// labelText names the lines of a notice whose template names none, by kind of field.
//
//go:embed data/labels.tsv
var labelText string

func loadErrorTexts() map[int]string {
	texts := map[int]string{}
	for code, text := range readTable(errorText) {
		if n, err := strconv.Atoi(code); err == nil {
			texts[n] = text
		}
	}
	return texts
}

// apiCall is one request to api.weixin.qq.com.
type apiCall struct {
	path   string
	method string
	query  url.Values
	body   []byte
	now    time.Time
	detail string // put after the errmsg, such as the field that is wrong
}

// endpoint is what a path does. An answer with code 0 is written as it is, or as {"errcode":0,"errmsg":"ok"} if nil.
type endpoint struct {
	method string
	open   bool // needs no access token
	run    func(*account, *apiCall) (any, int)
}

func endpointOf(path string) *endpoint {
	const get, post = http.MethodGet, http.MethodPost
	switch path {
	case "/cgi-bin/token":
		return &endpoint{get, true, (*account).plainToken}
	case "/cgi-bin/stable_token":
		return &endpoint{post, true, (*account).stableToken}
	case "/cgi-bin/menu/create":
		return &endpoint{post, false, (*account).createMenu}
	case "/cgi-bin/menu/get":
		return &endpoint{get, false, (*account).getMenu}
	case "/cgi-bin/get_current_selfmenu_info":
		return &endpoint{get, false, (*account).currentMenu}
	case "/cgi-bin/menu/delete":
		return &endpoint{get, false, (*account).deleteMenu}
	case "/cgi-bin/message/custom/send":
		return &endpoint{post, false, (*account).sendCustom}
	case "/cgi-bin/message/custom/typing":
		return &endpoint{post, false, (*account).sendTyping}
	case "/cgi-bin/message/subscribe/bizsend":
		return &endpoint{post, false, (*account).sendNotice}
	case "/cgi-bin/message/template/send":
		return &endpoint{post, false, (*account).sendTemplate}
	case "/cgi-bin/template/get_all_private_template":
		return &endpoint{get, false, (*account).listTemplates}
	case "/wxaapi/newtmpl/gettemplate":
		return &endpoint{get, false, (*account).listNotices}
	case "/cgi-bin/qrcode/create":
		return &endpoint{post, false, (*account).createQR}
	case "/cgi-bin/ticket/getticket":
		return &endpoint{get, false, (*account).getTicket}
	case "/cgi-bin/getcallbackip", "/cgi-bin/get_api_domain_ip":
		return &endpoint{get, false, (*account).listIPs}
	case "/cgi-bin/user/info":
		return &endpoint{get, false, (*account).userInfo}
	case "/cgi-bin/user/get":
		return &endpoint{get, false, (*account).userList}
	case "/cgi-bin/clear_quota":
		return &endpoint{post, false, func(*account, *apiCall) (any, int) { return nil, 0 }}
	}
	return nil
}

// faultErrcode is a fault's code as an errcode; one that is no number gives the other.
func faultErrcode(f *Fault, other int) int {
	if n := number(f.Code); n != 0 {
		return n
	}
	return other
}

// WeChatHandler is api.weixin.qq.com.
func (s *Sandbox) WeChatHandler() http.Handler { return s.account }

// ServeHTTP takes one call: token, fault, act, answer.
func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &apiCall{path: r.URL.Path, method: r.Method, query: r.URL.Query(), now: a.box.cfg.Now()}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequest))
	if err != nil {
		a.answer(w, c, nil, 47001)
		return
	}
	c.body = body
	e := endpointOf(c.path)
	if e == nil {
		a.answer(w, c, nil, 40066)
		return
	}
	if code := a.admit(c, e); code != 0 {
		a.answer(w, c, nil, code)
		return
	}
	fault := a.box.faults.draw(strings.TrimPrefix(c.path, "/cgi-bin/"))
	if fault != nil && fault.Kind == FaultCode {
		c.detail = fault.Message
		a.answer(w, c, nil, faultErrcode(fault, -1))
		return
	}
	if fault != nil && !fault.accepts() {
		a.box.strike(w, r, fault)
		if fault.Kind != FaultLateAccept {
			return
		}
	}
	out, code := e.run(a, c)
	if fault != nil && fault.accepts() {
		a.box.strike(w, r, fault)
		if fault.Kind != FaultHangAfterAccept {
			return
		}
	}
	a.answer(w, c, out, code)
}

func (a *account) admit(c *apiCall, e *endpoint) int {
	if code := c.wants(e.method); code != 0 {
		return code
	}
	if e.open {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens.judge(c.query.Get("access_token"), c.now)
}

// answer writes a result, or an errcode with its English errmsg and a rid.
func (a *account) answer(w http.ResponseWriter, c *apiCall, out any, code int) {
	a.mu.Lock()
	a.answered[c.path]++
	if code != 0 {
		a.refused[strconv.Itoa(code)]++
	}
	a.mu.Unlock()
	if code != 0 {
		text := a.errors[code]
		if text == "" {
			text = "error"
		}
		if c.detail != "" {
			text = strings.TrimSpace(text + " " + c.detail)
		}
		out = map[string]any{"errcode": code, "errmsg": text + " rid: " + a.box.ids.rid(c.now)}
	} else if out == nil {
		out = map[string]any{"errcode": 0, "errmsg": "ok"}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	body := bytes.TrimRight(b.Bytes(), "\n")
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
