package sandbox

import (
	"context"
	"strings"
	"testing"
)

func notices() []NoticeTemplate {
	return []NoticeTemplate{
		{ID: "TPL_LONG", Title: "缴费提醒", Kind: "subscribe", LongTerm: true, Fields: []NoticeField{{"thing1", "事项"}, {"date2", "截止"}}},
		{ID: "TPL_ONCE", Title: "办理进度", Kind: "subscribe", Fields: []NoticeField{{"phrase1", "状态"}}},
		{ID: "TPL_MSG", Title: "服务通知", Kind: "template", Fields: []NoticeField{{"thing1", "事项"}}},
	}
}

func TestANoticeNeedsConsentAndTellsHowItWent(t *testing.T) {
	s, srv := pair(t, Safe, Config{WeChat: WeChatConfig{Notices: notices(), Followers: []string{"oA"}}}, nil)
	srv.came = make(chan inbound, 8)
	a := apiOf(t, s)
	long := `{"touser":"oA","template_id":"TPL_LONG","data":{"thing1":{"value":"城乡居民医保缴费"},"date2":{"value":"2026年12月31日"}}}`
	once := `{"touser":"oA","template_id":"TPL_ONCE","data":{"phrase1":{"value":"已受理"}}}`
	a.want(a.post("/cgi-bin/message/subscribe/bizsend", long), 43101)
	if err := s.Choose(t.Context(), "oA", Choice{"TPL_LONG", true}, Choice{"TPL_ONCE", true}); err != nil {
		t.Fatal(err)
	}
	if popup := <-srv.came; len(popup.Popup.List) != 2 || popup.Popup.List[1].SubscribeStatusString != "accept" {
		t.Fatalf("%+v", popup)
	}
	a.want(a.post("/cgi-bin/message/subscribe/bizsend", long), 0)
	if sent := <-srv.came; len(sent.Sent.List) != 1 || sent.Sent.List[0].TemplateId != "TPL_LONG" || sent.Sent.List[0].ErrorStatus != "success" {
		t.Fatalf("%+v", sent)
	}
	a.want(a.post("/cgi-bin/message/subscribe/bizsend", long), 0)
	a.want(a.post("/cgi-bin/message/subscribe/bizsend", once), 0)
	a.want(a.post("/cgi-bin/message/subscribe/bizsend", once), 43101)
	for body, code := range map[string]float64{
		strings.Replace(long, "城乡居民医保缴费", strings.Repeat("长", 21), 1): 47003,
		strings.Replace(long, "2026年12月31日", "年底", 1):                 47003,
		strings.Replace(long, `"thing1"`, `"thing9"`, 1):              47003,
		strings.Replace(long, "TPL_LONG", "TPL_NONE", 1):              40037,
		strings.Replace(long, "oA", "oZ", 1):                          40003,
	} {
		out := a.post("/cgi-bin/message/subscribe/bizsend", body)
		a.want(out, code)
		if code == 47003 && !strings.Contains(out["errmsg"].(string), "data.") {
			t.Errorf("47003 names no field: %v", out)
		}
	}
	if err := s.Revoke(t.Context(), "oA", "TPL_LONG"); err != nil {
		t.Fatal(err)
	}
	a.want(a.post("/cgi-bin/message/subscribe/bizsend", long), 43101)
}

func TestATemplateMessageWithAKnownClientMsgIdReachesNobodyTwice(t *testing.T) {
	s, srv := pair(t, Compatible, Config{WeChat: WeChatConfig{Notices: notices(), Followers: []string{"oA"}}}, nil)
	srv.came = make(chan inbound, 8)
	a := apiOf(t, s)
	body := `{"touser":"oA","template_id":"TPL_MSG","client_msg_id":"c1","data":{"thing1":{"value":"办结"}}}`
	first, second := a.post("/cgi-bin/message/template/send", body), a.post("/cgi-bin/message/template/send", body)
	a.want(first, 0)
	if first["msgid"] != second["msgid"] || len(s.Chat("oA")) != 1 {
		t.Fatalf("%v %v %+v", first, second, s.Chat("oA"))
	}
	if done := <-srv.came; done.Event != "TEMPLATESENDJOBFINISH" || done.JobID == "" {
		t.Fatalf("%+v", done)
	}
	s.RemoveFollower("oA")
	a.want(a.post("/cgi-bin/message/template/send", strings.Replace(body, "c1", "c2", 1)), 43004)
}

func TestAMenuIsCheckedAndGivenBack(t *testing.T) {
	s, srv := pair(t, Safe, Config{WeChat: WeChatConfig{Followers: []string{"oA"}}}, nil)
	a := apiOf(t, s)
	a.want(a.get("/cgi-bin/menu/get"), 46003)
	a.want(a.post("/cgi-bin/menu/create", `{"button":[{"type":"click","name":"办事","key":"K1"},{"name":"查询","sub_button":[{"type":"view","name":"官网","url":"http://127.0.0.1/"}]}]}`), 0)
	button := a.get("/cgi-bin/menu/get")["menu"].(map[string]any)["button"].([]any)[0].(map[string]any)
	if button["key"] != "K1" || button["sub_button"] == nil {
		t.Fatal(button)
	}
	for body, code := range map[string]float64{
		`{"button":[]}`: 40016,
		`{"button":[{"type":"click","name":"一二三四五六","key":"K"}]}`:                           40018,
		`{"button":[{"type":"click","name":"办事"}]}`:                                         40019,
		`{"button":[{"type":"tap","name":"办事","key":"K"}]}`:                                 40017,
		`{"button":[{"name":"查","sub_button":[{"type":"view","name":"网"}]}]}`:               40027,
		`{"button":[{"type":"view","name":"网","url":"` + strings.Repeat("u", 1025) + `"}]}`: 40020,
	} {
		a.want(a.post("/cgi-bin/menu/create", body), code)
	}
	if _, err := s.Click(t.Context(), "oA", "K1", "办事"); err != nil {
		t.Fatal(err)
	}
	if got := srv.got[0]; got.Event != "CLICK" || got.EventKey != "K1" {
		t.Fatalf("%+v", got)
	}
	a.want(a.get("/cgi-bin/menu/delete"), 0)
	a.want(a.get("/cgi-bin/menu/get"), 46003)
}

func TestFollowingByACodeCarriesItsScene(t *testing.T) {
	s, srv := pair(t, Safe, Config{}, func(inbound) string { return "欢迎" })
	a := apiOf(t, s)
	qr := a.post("/cgi-bin/qrcode/create", `{"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"village_441802"}}}`)
	if qr["ticket"] == nil || qr["expire_seconds"] != nil {
		t.Fatal(qr)
	}
	a.want(a.post("/cgi-bin/qrcode/create", `{"action_name":"QR_OTHER"}`), 40053)
	a.want(a.get("/cgi-bin/user/info?openid=oB"), 40003)
	for _, want := range []string{"subscribe qrscene_village_441802", "SCAN village_441802"} {
		if _, err := s.Scan(t.Context(), "oB", "village_441802", qr["ticket"].(string)); err != nil {
			t.Fatal(err)
		}
		if got := srv.got[len(srv.got)-1]; got.Event+" "+got.EventKey != want || got.Ticket != qr["ticket"] {
			t.Fatalf("%+v", got)
		}
	}
	if out := a.get("/cgi-bin/user/info?openid=oB"); out["subscribe"].(float64) != 1 {
		t.Fatal(out)
	}
	if out := a.get("/cgi-bin/ticket/getticket?type=jsapi"); out["ticket"] != a.get("/cgi-bin/ticket/getticket?type=jsapi")["ticket"] || out["errcode"].(float64) != 0 {
		t.Fatal(out)
	}
}

func TestATapOnAMsgmenuItemNamesTheItem(t *testing.T) {
	s, srv := pair(t, Safe, Config{WeChat: WeChatConfig{Followers: []string{"oA"}}}, nil)
	a := apiOf(t, s)
	s.Talked("oA")
	a.want(a.post("/cgi-bin/message/custom/send", `{"touser":"oA","msgtype":"msgmenu","msgmenu":{"head_content":"办什么？","list":[{"id":"101","content":"查医保"}],"tail_content":"回复数字"}}`), 0)
	item := s.Chat("oA")[0].Items[0]
	if _, err := s.Tap(context.Background(), "oA", item.ID, item.Content); err != nil {
		t.Fatal(err)
	}
	if got := srv.got[0]; got.MsgType != "text" || got.BizMsgMenuID != "101" || got.Content != "查医保" {
		t.Fatalf("%+v", got)
	}
}
