package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// limit is the message of a frequency limit.
func (t codeTexts) limit(window string, permits int) string {
	return fmt.Sprintf(t.message("limit."+window), permits)
}

// beijing is the zone of every time on Aliyun's wire.
func beijing() *time.Location { return time.FixedZone("CST", 8*60*60) }

const wireTime = "2006-01-02 15:04:05"

type sendDetail struct {
	PhoneNum     string
	SendStatus   int
	ErrCode      string
	TemplateCode string
	Content      string
	SendDate     string
	ReceiveDate  string `json:",omitempty"`
	OutId        string // as on the wire
}

func (c *carrier) querySendDetails(q *rpcCall) (any, *refusal) {
	phone, ok := mobile(q.get("PhoneNumber"))
	if !ok {
		return nil, business("isv.MOBILE_NUMBER_ILLEGAL")
	}
	day, err := time.ParseInLocation("20060102", q.get("SendDate"), beijing())
	size, page := number(q.get("PageSize")), number(q.get("CurrentPage"))
	if err != nil || size < 1 || size > 50 || page < 1 || c.box.cfg.Now().Sub(day) > 31*24*time.Hour {
		return nil, business("isv.INVALID_PARAMETERS")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []sendDetail
	c.outbox.walk(phone, func(i int32, m *message, call *smsCall) bool {
		onDay := !call.at.Before(day) && call.at.Before(day.Add(24*time.Hour))
		if onDay && (q.get("BizId") == "" || q.get("BizId") == call.bizID) {
			all = append(all, detail(c.outbox.show(i)))
		}
		return !call.at.Before(day)
	})
	return map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": q.id, "TotalCount": len(all),
		"SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": window(all, page, size)},
	}, nil
}

func detail(m SMSMessage) sendDetail {
	d := sendDetail{
		PhoneNum: m.Phone, SendStatus: m.Status, ErrCode: m.ErrCode, TemplateCode: m.Template, Content: m.Text,
		SendDate: m.SentAt.In(beijing()).Format(wireTime), OutId: m.OutID,
	}
	if !m.ReportedAt.IsZero() {
		d.ReceiveDate = m.ReportedAt.In(beijing()).Format(wireTime)
	}
	return d
}

// window cuts a page out of a list; it is never nil, because the wire has [] there.
func window[T any](list []T, page, size int) []T {
	from := min((page-1)*size, len(list))
	return append([]T{}, list[from:min(from+size, len(list))]...)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

type dayStatistics struct {
	TotalCount            int
	RespondedSuccessCount int
	RespondedFailCount    int
	NoRespondedCount      int
	SendDate              string
}

// querySendStatistics counts segments by day, as they are billed.
func (c *carrier) querySendStatistics(q *rpcCall) (any, *refusal) {
	from, err1 := time.ParseInLocation("20060102", q.get("StartDate"), beijing())
	to, err2 := time.ParseInLocation("20060102", q.get("EndDate"), beijing())
	size, page := number(q.get("PageSize")), number(q.get("PageIndex"))
	if err1 != nil || err2 != nil || to.Before(from) || size < 1 || size > 50 || page < 1 {
		return nil, business("isv.INVALID_PARAMETERS")
	}
	list := c.statistics(from, to, q.get("SignName"), q.get("TemplateType"))
	return map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": q.id,
		"Data": map[string]any{"TotalSize": len(list), "TargetList": window(list, page, size)},
	}, nil
}

func (c *carrier) statistics(from, to time.Time, sign, kind string) []dayStatistics {
	c.mu.Lock()
	defer c.mu.Unlock()
	days := map[string]*dayStatistics{}
	for i := range c.outbox.messages {
		m := &c.outbox.messages[i]
		call := c.outbox.calls[m.call]
		k := i - int(call.first)
		if call.at.Before(from) || !call.at.Before(to.Add(24*time.Hour)) || (sign != "" && call.sign(k) != sign) ||
			(kind != "" && kind != strconv.Itoa(call.template.kind)) {
			continue
		}
		date := call.at.In(beijing()).Format("20060102")
		if days[date] == nil {
			days[date] = &dayStatistics{SendDate: date}
		}
		days[date].add(m.state, segments(c.outbox.show(int32(i)).Text))
	}
	var list []dayStatistics
	for _, d := range days {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b dayStatistics) int { return number(a.SendDate) - number(b.SendDate) })
	return list
}

func (d *dayStatistics) add(state messageState, n int) {
	d.TotalCount += n
	switch state {
	case stateDelivered:
		d.RespondedSuccessCount += n
	case stateFailed:
		d.RespondedFailCount += n
	default:
		d.NoRespondedCount += n
	}
}

// reviewed finds a template for the three actions that ask for one.
func (c *carrier) reviewed(code string) (*smsTemplate, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.templates[code]; ok {
		return t, nil
	}
	return nil, business("isv.SMS_TEMPLATE_ILLEGAL")
}

func (c *carrier) getSmsTemplate(q *rpcCall) (any, *refusal) {
	t, no := c.reviewed(q.get("TemplateCode"))
	if no != nil {
		return nil, no
	}
	return map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": q.id, "TemplateCode": t.Code, "TemplateName": t.Name,
		"TemplateContent": t.Content, "TemplateType": strconv.Itoa(t.kind), "TemplateStatus": strconv.Itoa(int(t.status)),
		"CreateDate": t.created.In(beijing()).Format(wireTime), "OrderId": "", "Remark": "", "IntlType": 0,
		"VariableAttribute": "{}", "AuditInfo": map[string]string{"RejectInfo": t.Reason},
		"FileUrlList": map[string]any{"FileUrl": []string{}}, "MoreDataFileUrlList": map[string]any{"MoreDataFileUrl": []string{}},
	}, nil
}

func (c *carrier) querySmsTemplate(q *rpcCall) (any, *refusal) {
	t, no := c.reviewed(q.get("TemplateCode"))
	if no != nil {
		return nil, no
	}
	return map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": q.id, "TemplateCode": t.Code, "TemplateName": t.Name,
		"TemplateContent": t.Content, "TemplateType": t.kind, "TemplateStatus": int(t.status),
		"CreateDate": t.created.In(beijing()).Format(wireTime), "Reason": t.Reason,
	}, nil
}

func (c *carrier) querySmsTemplateList(q *rpcCall) (any, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]map[string]any, 0, len(c.templates))
	for _, code := range sortedKeys(c.templates) {
		t := c.templates[code]
		list = append(list, map[string]any{
			"TemplateCode": t.Code, "TemplateName": t.Name, "TemplateContent": t.Content, "TemplateType": t.kind,
			"OuterTemplateType": t.kind, "AuditStatus": t.status.word(), "CreateDate": t.created.In(beijing()).Format(wireTime),
			"OrderId": "", "BillingType": "", "Reason": map[string]string{"RejectInfo": t.Reason, "RejectDate": "", "RejectSubInfo": ""},
		})
	}
	return listAnswer(q, "SmsTemplateList", list), nil
}

func listAnswer(q *rpcCall, name string, list []map[string]any) map[string]any {
	page, size := max(number(q.get("PageIndex")), 1), number(q.get("PageSize"))
	if size < 1 || size > 50 {
		size = 10
	}
	return map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": q.id, "TotalCount": len(list), "CurrentPage": page, "PageSize": size,
		name: window(list, page, size),
	}
}

func (c *carrier) sign(name string) (SMSSign, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sign, ok := c.signs[name]; ok {
		return sign, nil
	}
	return SMSSign{}, business("isv.SMS_SIGNATURE_ILLEGAL")
}

func (c *carrier) querySmsSign(q *rpcCall) (any, *refusal) {
	sign, no := c.sign(q.get("SignName"))
	if no != nil {
		return nil, no
	}
	return map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": q.id, "SignName": sign.Name, "SignStatus": int(sign.Status), "CreateDate": "", "Reason": "",
	}, nil
}

func (c *carrier) getSmsSign(q *rpcCall) (any, *refusal) {
	sign, no := c.sign(q.get("SignName"))
	if no != nil {
		return nil, no
	}
	return map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": q.id, "SignName": sign.Name, "SignStatus": int(sign.Status),
		"CreateDate": "", "OrderId": "", "RegisterResult": 1, "FileUrlList": []string{}, "AuditInfo": map[string]string{},
	}, nil
}

func (c *carrier) querySmsSignList(q *rpcCall) (any, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]map[string]any, 0, len(c.signs))
	for _, name := range sortedKeys(c.signs) {
		list = append(list, map[string]any{
			"SignName": name, "AuditStatus": c.signs[name].Status.word(), "CreateDate": "", "OrderId": "", "BusinessType": "",
			"Reason": map[string]string{"RejectInfo": "", "RejectDate": "", "RejectSubInfo": ""},
		})
	}
	return listAnswer(q, "SmsSignList", list), nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
