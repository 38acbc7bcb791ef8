package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// campaignForm is the form as it was typed. It survives a refusal unchanged.
type campaignForm struct {
	ID       int64 // 0: a new campaign
	Seen     int64 // which version of the campaign the form began with, in microseconds
	Name     string
	Template string // its kind is the campaign's
	Params   []paramRow
	Channels [3]string // in order of preference, empty: none
	Audience audienceForm
	Start    string // "now" or "at"
	StartAt  string // 2026-11-23T09:00, local
	AnyHour  bool
	From, To string // window
	Expires  string // like StartAt
	Fallback string // a number
	Unit     string // of Fallback: h or m
	Rate     string
}

// paramRow is one of the template's own values.
type paramRow struct{ Name, Value string }

const localTime = "2006-01-02T15:04"

func newCampaignForm(region string) campaignForm {
	form := campaignForm{
		Channels: [3]string{"wechat", "sms", ""}, Start: "now", From: "08:00", To: "20:00",
		Fallback: "24", Unit: "h", Audience: audienceForm{Mode: modeRows, Match: matchAll},
	}
	if region != "" {
		form.Audience.Rows = append(form.Audience.Rows, conditionRow{Field: "region", Op: "within", Value: region})
	}
	form.Audience.Rows = append(form.Audience.Rows, conditionRow{})
	return form
}

// readCampaignForm takes what the browser sent.
func readCampaignForm(post url.Values) campaignForm {
	seen, _ := strconv.ParseInt(post.Get("seen"), 10, 64) // a form that doesn't say is about whatever stands
	form := campaignForm{
		Seen: max(seen, 0), Name: strings.TrimSpace(post.Get("name")), Template: post.Get("template"),
		Start: post.Get("start"), StartAt: post.Get("start_at"), AnyHour: post.Get("any_hour") != "", From: post.Get("from"), To: post.Get("to"),
		Expires: post.Get("expires"), Fallback: strings.TrimSpace(post.Get("fallback")), Unit: post.Get("fallback_unit"), Rate: strings.TrimSpace(post.Get("rate")),
		Audience: readAudience(post),
	}
	for i := range form.Channels {
		form.Channels[i] = post.Get("channel" + strconv.Itoa(i))
	}
	values := post["param_value"]
	for i, name := range post["param_name"] {
		if name = strings.TrimSpace(name); name != "" && i < len(values) {
			form.Params = append(form.Params, paramRow{name, strings.TrimSpace(values[i])})
		}
	}
	return form
}

// seen is the version that the form began with; zero: it doesn't say.
func (f campaignForm) seen() time.Time {
	if f.Seen == 0 {
		return time.Time{}
	}
	return time.UnixMicro(f.Seen)
}

// problem is one thing to mend: a locale key, with what was typed, or with what is wrong with it, or where to look.
type problem struct {
	Key, Detail string
	Link        string
	Fault       *specFault
}

// spec makes the campaign's file of the form.
func (f campaignForm) spec(zone *time.Location, templates []notify.Template) (notify.Spec, []problem) {
	var problems []problem
	add := func(key string) { problems = append(problems, problem{Key: key}) }
	spec := notify.Spec{Name: f.Name, Template: f.Template, Channels: f.channels(), Schedule: "now"}
	if f.Name == "" {
		add("form.name_missing")
	}
	if len(spec.Channels) == 0 {
		add("form.channels_missing")
	}
	at := slices.IndexFunc(templates, func(t notify.Template) bool { return t.Key == f.Template })
	if at < 0 {
		add("form.template_missing")
	} else {
		spec.Kind = templates[at].Kind
	}
	for _, row := range f.Params {
		if spec.Params == nil {
			spec.Params = map[string]string{}
		}
		spec.Params[row.Name] = row.Value
	}
	audience, fault := f.Audience.condition()
	if fault != nil {
		problems = append(problems, *fault)
	}
	spec.Audience = audience
	problems = append(problems, f.times(&spec, zone)...)
	problems = append(problems, f.limits(&spec)...)
	if len(problems) == 0 {
		if err := spec.Check(); err != nil {
			problems = append(problems, problem{Key: "form.refused", Fault: faultOf(err)})
		}
	}
	return spec, problems
}

// channels are those chosen, each once, in order.
func (f campaignForm) channels() []notify.Channel {
	var out []notify.Channel
	for _, c := range f.Channels {
		if c != "" && !slices.Contains(out, notify.Channel(c)) {
			out = append(out, notify.Channel(c))
		}
	}
	return out
}

// times reads schedule, window and expiry, all in the console's time zone.
func (f campaignForm) times(spec *notify.Spec, zone *time.Location) (problems []problem) {
	if f.Start == "at" {
		at, err := time.ParseInLocation(localTime, f.StartAt, zone)
		if err != nil {
			problems = append(problems, problem{Key: "form.start_wrong", Detail: f.StartAt})
		}
		spec.Schedule = at.Format(time.RFC3339)
	}
	window := f.From + "-" + f.To
	if f.AnyHour {
		window = ""
	}
	if _, err := notify.ParseWindow(window); err != nil {
		problems = append(problems, problem{Key: "form.window_wrong", Detail: window})
	}
	spec.Window = &window
	if f.Expires != "" {
		at, err := time.ParseInLocation(localTime, f.Expires, zone)
		if err != nil {
			problems = append(problems, problem{Key: "form.expires_wrong", Detail: f.Expires})
		}
		spec.Expires = at
	}
	return problems
}

// limits reads the fallback and the rate.
func (f campaignForm) limits(spec *notify.Spec) (problems []problem) {
	if f.Fallback != "" {
		wait, ok := f.wait()
		if !ok {
			problems = append(problems, problem{Key: "form.fallback_wrong", Detail: f.Fallback})
		}
		spec.FallbackAfter = notify.Span(wait)
	}
	var err error
	if f.Rate != "" {
		if spec.Rate, err = strconv.Atoi(f.Rate); err != nil || spec.Rate < 0 {
			problems = append(problems, problem{Key: "form.rate_wrong", Detail: f.Rate})
		}
	}
	return problems
}

// longestWait bounds the wait for the next channel.
const longestWait = 30 * 24 * time.Hour

// wait reads the fallback: a number and its unit, or a span as campaign files write it.
func (f campaignForm) wait() (time.Duration, bool) {
	var span notify.Span
	text := f.Fallback
	if _, err := strconv.Atoi(text); err == nil {
		unit := f.Unit
		if unit != "m" {
			unit = "h"
		}
		text += unit
	}
	err := span.UnmarshalText([]byte(text))
	d := time.Duration(span)
	return d, err == nil && d >= time.Minute && d <= longestWait
}

// formOf is the form that gives the spec again.
func formOf(id int64, spec notify.Spec, zone *time.Location) campaignForm {
	form := campaignForm{
		ID: id, Name: spec.Name, Template: spec.Template, Start: "now", From: "08:00", To: "20:00",
		Audience: audienceFormOf(spec.Audience),
	}
	for name, value := range spec.Params {
		form.Params = append(form.Params, paramRow{name, value})
	}
	slices.SortFunc(form.Params, func(a, b paramRow) int { return strings.Compare(a.Name, b.Name) })
	for i, c := range spec.Channels {
		if i < len(form.Channels) {
			form.Channels[i] = string(c)
		}
	}
	if at, err := spec.StartsAt(); err == nil && !at.IsZero() {
		form.Start, form.StartAt = "at", at.In(zone).Format(localTime)
	}
	if spec.Window != nil {
		from, to, limited := strings.Cut(*spec.Window, "-")
		if form.AnyHour = !limited; limited {
			form.From, form.To = from, to
		}
	}
	if !spec.Expires.IsZero() {
		form.Expires = spec.Expires.In(zone).Format(localTime)
	}
	if spec.FallbackAfter > 0 {
		form.Fallback, form.Unit = waitOf(time.Duration(spec.FallbackAfter))
	}
	if spec.Rate > 0 {
		form.Rate = strconv.Itoa(spec.Rate)
	}
	return form
}

// waitOf is a wait as the form writes it; one of less than a minute's grain stays a span.
func waitOf(d time.Duration) (number, unit string) {
	switch {
	case d%time.Hour == 0:
		return strconv.Itoa(int(d / time.Hour)), "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d / time.Minute)), "m"
	}
	return d.String(), ""
}
