package sandbox

import "time"

// Limits are the carrier's frequency limits. Zero takes the documented value, a negative number switches one off.
type Limits struct {
	CodePerMinute      int `json:"code_per_minute"`      // 1, same signature and phone
	CodePerHour        int `json:"code_per_hour"`        // 5
	CodePerDay         int `json:"code_per_day"`         // 10
	PhonePerDay        int `json:"phone_per_day"`        // 40 codes to a phone, over all senders
	NotificationPerDay int `json:"notification_per_day"` // 50, same signature, template and phone
	CallsPerMinute     int `json:"calls_per_minute"`     // 1 voice call
	CallsPerHour       int `json:"calls_per_hour"`       // 5
	CallsPerDay        int `json:"calls_per_day"`        // 20
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.CodePerMinute, 1},
		{&l.CodePerHour, 5},
		{&l.CodePerDay, 10},
		{&l.PhonePerDay, 40},
		{&l.NotificationPerDay, 50},
		{&l.CallsPerMinute, 1},
		{&l.CallsPerHour, 5},
		{&l.CallsPerDay, 20},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return l
}

// over says whether n more than what is there breaks a limit.
func over(n, limit int) bool { return limit >= 0 && n >= limit }

// limited says which limit one more message to the phone would break, in the words of the carrier's message.
// Minutes and hours are those of the clock (UTC+8), a day is 24 h back from now. The caller holds the mutex.
func (c *carrier) limited(t *smsTemplate, sign string, phone uint64, now time.Time) *refusal {
	l := c.cfg.Limits
	if t.kind != typeCode {
		if l.NotificationPerDay < 0 {
			return nil
		}
		n := c.countSent(phone, now, l.NotificationPerDay, func(m *message, call *smsCall, i int) bool {
			return call.template.Code == t.Code && call.sign(i) == sign
		})
		if over(n, l.NotificationPerDay) {
			return c.limitRefusal("day", l.NotificationPerDay)
		}
		return nil
	}
	var minute, hour, day, all int
	c.countSent(phone, now, 1<<30, func(m *message, call *smsCall, i int) bool {
		if call.template.kind != typeCode {
			return false
		}
		all++
		if call.sign(i) != sign {
			return false
		}
		day++
		if sameWindow(call.at, now, time.Hour) {
			hour++
		}
		if sameWindow(call.at, now, time.Minute) {
			minute++
		}
		return true
	})
	switch {
	case over(minute, l.CodePerMinute):
		return c.limitRefusal("minute", l.CodePerMinute)
	case over(hour, l.CodePerHour):
		return c.limitRefusal("hour", l.CodePerHour)
	case over(day, l.CodePerDay):
		return c.limitRefusal("day", l.CodePerDay)
	case over(all, l.PhonePerDay):
		return c.limitRefusal("day", l.PhonePerDay)
	}
	return nil
}

// countSent counts a phone's messages of the last 24 h for which fn says yes, up to limit.
func (c *carrier) countSent(phone uint64, now time.Time, limit int, fn func(*message, *smsCall, int) bool) int {
	n := 0
	c.outbox.walk(phone, func(i int32, m *message, call *smsCall) bool {
		if now.Sub(call.at) >= 24*time.Hour {
			return false
		}
		if fn(m, call, int(i-call.first)) {
			n++
		}
		return n < limit
	})
	return n
}

func sameWindow(a, b time.Time, d time.Duration) bool { return a.Truncate(d).Equal(b.Truncate(d)) }

func (c *carrier) limitRefusal(window string, permits int) *refusal {
	no := business("isv.BUSINESS_LIMIT_CONTROL")
	no.message = c.texts.limit(window, permits)
	return no
}
