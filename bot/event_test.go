package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lingjuli/lingjuli/flows/turn"
)

// The shapes are those of WeChat's pages on receiving messages, receiving events and subscription notices.
func eventOf(name, fields string) string {
	return written("event", "<Event><![CDATA["+name+"]]></Event>"+fields)
}

func popupEvent() string {
	return eventOf("subscribe_msg_popup_event", `<SubscribeMsgPopupEvent>
 <List><TemplateId><![CDATA[TPL_A]]></TemplateId><SubscribeStatusString><![CDATA[accept]]></SubscribeStatusString><PopupScene>1</PopupScene></List>
 <List><TemplateId><![CDATA[TPL_B]]></TemplateId><SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString><PopupScene>2</PopupScene></List>
</SubscribeMsgPopupEvent>`)
}

func sentEvent() string {
	return eventOf("subscribe_msg_sent_event", `<SubscribeMsgSentEvent>
 <List><TemplateId><![CDATA[TPL_A]]></TemplateId><MsgID>1700827132819554304</MsgID><ErrorCode>0</ErrorCode><ErrorStatus><![CDATA[success]]></ErrorStatus></List>
 <List><TemplateId><![CDATA[TPL_B]]></TemplateId><MsgID>2</MsgID><ErrorCode>1</ErrorCode><ErrorStatus><![CDATA[failed]]></ErrorStatus></List>
</SubscribeMsgSentEvent>`)
}

func TestEveryMessageShapeBecomesATurn(t *testing.T) {
	cases := map[string]struct {
		kind, fields string
		want         turn.Inbound
	}{
		"text":            {"text", "<Content><![CDATA[我的医保]]></Content>", turn.Inbound{Kind: turn.Text, Text: "我的医保"}},
		"text in article": {"text", "<Content>问一句</Content><MsgDataId>12</MsgDataId><Idx>1</Idx>", turn.Inbound{Kind: turn.Text, Text: "问一句"}},
		"text of markup":  {"text", "<Content><![CDATA[<!DOCTYPE a> &lt; ]]></Content>", turn.Inbound{Kind: turn.Text, Text: "<!DOCTYPE a> &lt; "}},
		"tap":             {"text", "<Content>查医保</Content><bizmsgmenuid>101</bizmsgmenuid>", turn.Inbound{Kind: turn.Tap, Text: "查医保", Choice: 101}},
		"image":           {"image", "<PicUrl>http://x</PicUrl><MediaId>m</MediaId>", turn.Inbound{Kind: turn.Picture}},
		"voice with words": {
			"voice", "<MediaId>m</MediaId><Format>amr</Format><MediaId16K>k</MediaId16K><Recognition><![CDATA[医保]]></Recognition>",
			turn.Inbound{Kind: turn.Voice, Text: "医保"},
		},
		"voice":      {"voice", "<MediaId>m</MediaId><Format>amr</Format><Recognition></Recognition>", turn.Inbound{Kind: turn.Voice}},
		"video":      {"video", "<MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>", turn.Inbound{Kind: turn.Picture}},
		"shortvideo": {"shortvideo", "<MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>", turn.Inbound{Kind: turn.Picture}},
		"location": {
			"location", "<Location_X>23.1</Location_X><Location_Y>113.2</Location_Y><Scale>20</Scale><Label><![CDATA[村口]]></Label>",
			turn.Inbound{Kind: turn.Location, Text: "村口"},
		},
		"link": {"link", "<Title>通知</Title><Description>领补贴</Description><Url>http://x</Url>", turn.Inbound{Kind: turn.Link, Text: "通知\n领补贴\nhttp://x"}},
		"file": {"file", "<Title>a.pdf</Title>", turn.Inbound{Kind: turn.Other}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for mode, f := range map[string]*fixture{"safe": safe(t), "plain": plain(t)} {
				if f.read(f.deliver(written(c.kind, c.fields+"<MsgId>24000000000000001</MsgId>"))) == "" {
					t.Errorf("%s: silence", mode)
				}
				want := c.want
				want.Key, want.Channel, want.Who, want.At = "m:24000000000000001", turn.WeChat, testOpenID, time.Unix(1714112445, 0).UTC()
				if diff := cmp.Diff(want, f.turner.last(t)); diff != "" {
					t.Errorf("%s: %s", mode, diff)
				}
			}
		})
	}
}

func TestEveryEventOfAPersonBecomesATurn(t *testing.T) {
	cases := map[string]struct {
		inner string
		want  turn.Inbound
	}{
		"follow":          {eventOf("subscribe", "<EventKey></EventKey>"), turn.Inbound{Kind: turn.Follow}},
		"follow by QR":    {eventOf("subscribe", "<EventKey>qrscene_village_441802</EventKey><Ticket>T</Ticket>"), turn.Inbound{Kind: turn.Follow, Scene: "village_441802"}},
		"unfollow":        {eventOf("unsubscribe", "<EventKey></EventKey>"), turn.Inbound{Kind: turn.Unfollow}},
		"scan":            {eventOf("SCAN", "<EventKey>family_12</EventKey><Ticket>T</Ticket>"), turn.Inbound{Kind: turn.Scan, Scene: "family_12"}},
		"click":           {eventOf("CLICK", "<EventKey>menu:check_medical</EventKey>"), turn.Inbound{Kind: turn.MenuClick, EventKey: "menu:check_medical"}},
		"scan and wait":   {eventOf("scancode_waitmsg", "<EventKey>k</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>2</ScanResult></ScanCodeInfo>"), turn.Inbound{Kind: turn.MenuClick, EventKey: "k", Text: "2"}},
		"popup":           {popupEvent(), turn.Inbound{Kind: turn.ConsentSeen, Consents: []turn.Consent{{TemplateID: "TPL_A", Accepted: true}, {TemplateID: "TPL_B"}}}},
		"change":          {eventOf("subscribe_msg_change_event", "<SubscribeMsgChangeEvent><List><TemplateId>TPL_A</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent>"), turn.Inbound{Kind: turn.ConsentSeen, Consents: []turn.Consent{{TemplateID: "TPL_A"}}}},
		"change as popup": {eventOf("subscribe_msg_change_event", "<SubscribeMsgPopupEvent><List><TemplateId>TPL_A</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgPopupEvent>"), turn.Inbound{Kind: turn.ConsentSeen, Consents: []turn.Consent{{TemplateID: "TPL_A"}}}},
		"two wrappers":    {eventOf("subscribe_msg_popup_event", strings.Repeat("<SubscribeMsgPopupEvent><List><TemplateId>T</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List></SubscribeMsgPopupEvent>", 2)), turn.Inbound{Kind: turn.ConsentSeen, Consents: []turn.Consent{{TemplateID: "T", Accepted: true}, {TemplateID: "T", Accepted: true}}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := safe(t)
			f.read(f.deliver(c.inner))
			got := f.turner.last(t)
			if !strings.HasPrefix(got.Key, "e:") || len(got.Key) != 66 {
				t.Errorf("key %q", got.Key)
			}
			c.want.Key, c.want.Channel, c.want.Who, c.want.At = got.Key, turn.WeChat, testOpenID, time.Unix(1714112445, 0).UTC()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEventsThatAskForNoAnswerAreSuccessWithoutATurn(t *testing.T) {
	cases := map[string]string{
		"LOCATION":                   "<Latitude>23.1</Latitude><Longitude>113.2</Longitude><Precision>119.3</Precision>",
		"VIEW":                       "<EventKey>http://x</EventKey><MenuId>1</MenuId>",
		"view_miniprogram":           "<EventKey>pages/a</EventKey><MenuId>1</MenuId>",
		"scancode_push":              "<EventKey>k</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>",
		"location_select":            "<EventKey>k</EventKey><SendLocationInfo><Location_X>23</Location_X><Location_Y>113</Location_Y><Scale>15</Scale><Label>l</Label><Poiname></Poiname></SendLocationInfo>",
		"pic_sysphoto":               "<EventKey>k</EventKey><SendPicsInfo><Count>1</Count><PicList><item><PicMd5Sum>5</PicMd5Sum></item></PicList></SendPicsInfo>",
		"pic_photo_or_album":         "<EventKey>k</EventKey><SendPicsInfo><Count>0</Count></SendPicsInfo>",
		"pic_weixin":                 "<EventKey>k</EventKey>",
		"MASSSENDJOBFINISH":          "<MsgID>1</MsgID><Status>send success</Status><TotalCount>100</TotalCount><FilterCount>80</FilterCount><SentCount>75</SentCount><ErrorCount>5</ErrorCount>",
		"never_heard_of":             "<EventKey></EventKey>",
		"subscribe_msg_popup_event":  "<SubscribeMsgPopupEvent><List><TemplateId>T</TemplateId><SubscribeStatusString>cancel</SubscribeStatusString></List></SubscribeMsgPopupEvent>",
		"subscribe_msg_change_event": "",
		"subscribe_msg_sent_event":   "",
	}
	for name, fields := range cases {
		t.Run(name, func(t *testing.T) {
			f := safe(t)
			if w := f.deliver(eventOf(name, fields)); w.Body.String() != "success" || f.turner.count() != 0 || f.posts(resultIgnored) != 1 {
				t.Errorf("got %q, %d turns", w.Body, f.turner.count())
			}
		})
	}
}

func TestWhatBecameOfOurMessagesIsHandedOn(t *testing.T) {
	at := time.Unix(1714112445, 0).UTC()
	cases := map[string]struct {
		inner string
		want  []Proof
	}{
		"template taken":   {eventOf("TEMPLATESENDJOBFINISH", "<MsgID>200163836</MsgID><Status>success</Status>"), []Proof{{OpenID: testOpenID, MsgID: "200163836", OK: true, At: at}}},
		"template blocked": {eventOf("TEMPLATESENDJOBFINISH", "<MsgID>200163836</MsgID><Status>failed:user block</Status>"), []Proof{{OpenID: testOpenID, MsgID: "200163836", Code: "failed:user block", At: at}}},
		"template failed":  {eventOf("TEMPLATESENDJOBFINISH", "<MsgID>200163836</MsgID><Status>failed: system failed</Status>"), []Proof{{OpenID: testOpenID, MsgID: "200163836", Code: "failed: system failed", At: at}}},
		"notices": {sentEvent(), []Proof{
			{OpenID: testOpenID, MsgID: "1700827132819554304", TemplateID: "TPL_A", OK: true, At: at},
			{OpenID: testOpenID, MsgID: "2", TemplateID: "TPL_B", Code: "1", At: at},
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := safe(t)
			if w := f.deliver(c.inner); w.Body.String() != "success" || f.turner.count() != 0 {
				t.Errorf("got %q", w.Body)
			}
			if diff := cmp.Diff(c.want, f.proofs.taken); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEventsKeyTellsEventsOfOneSecondApart(t *testing.T) {
	key := func(inner string) string {
		ev, err := decodeEvent([]byte(inner))
		if err != nil {
			t.Fatal(err)
		}
		return ev.key()
	}
	seen := map[string]string{}
	for i, inner := range []string{
		eventOf("CLICK", "<EventKey>a</EventKey>"), eventOf("CLICK", "<EventKey>b</EventKey>"), eventOf("SCAN", "<EventKey>a</EventKey>"),
		eventOf("CLICK", "<EventKey>a</EventKey><New>1</New>"), eventOf("CLICK", "<EventKey></EventKey><New>a</New>"),
	} {
		if was, ok := seen[key(inner)]; ok {
			t.Errorf("%d has the key of %s", i, was)
		}
		seen[key(inner)] = fmt.Sprint(i)
	}
	spread := strings.ReplaceAll(eventOf("CLICK", "<EventKey>a</EventKey>"), "><", ">\n <")
	if _, ok := seen[key(spread)]; !ok {
		t.Error("blanks between elements make another event")
	}
}
