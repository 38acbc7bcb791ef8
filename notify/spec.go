package notify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/internal/register"
)

// DefaultWindow is when campaigns may go out where their file names no window, local time.
const DefaultWindow = "08:00-20:00"

// ErrSpec wraps everything that is wrong with a campaign's or template's file.
var ErrSpec = errors.New("file")

// Spec is a campaign's file.
type Spec struct {
	Name          string             `yaml:"name" json:"name"`
	Kind          Kind               `yaml:"kind" json:"kind"`
	Audience      register.Condition `yaml:"audience" json:"audience"`
	Channels      []Channel          `yaml:"channels" json:"channels"`
	FallbackAfter Span               `yaml:"fallback_after" json:"fallback_after,omitempty"`
	Template      string             `yaml:"template" json:"template"`
	Params        map[string]string  `yaml:"params" json:"params,omitempty"`
	Schedule      string             `yaml:"schedule" json:"schedule,omitempty"` // now, or RFC 3339
	Window        *string            `yaml:"window" json:"window,omitempty"`     // nil: DefaultWindow; "": any hour
	Expires       time.Time          `yaml:"expires" json:"expires,omitzero"`
	Rate          int                `yaml:"rate" json:"rate,omitempty"` // recipients a second; 0: the account's limit
}

// Span is a duration as files write it: 24h, 90m.
type Span time.Duration

// UnmarshalText reads a span.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fault("span_wrong", fmt.Sprintf("%q is no duration like 24h or 90m", text), "Got", string(text))
	}
	*s = Span(d)
	return nil
}

// MarshalText writes it back.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// ParseSpec reads a campaign's file. An unknown key is an error that names its line.
func ParseSpec(file []byte) (Spec, error) {
	var s Spec
	if err := decodeStrict(file, &s); err != nil {
		return Spec{}, err
	}
	return s, s.Check()
}

// decodeStrict reads exactly one YAML document without unknown keys.
func decodeStrict(file []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(file))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return fault("is_empty", "is empty")
		}
		return ReadFault(err)
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fault("several_documents", "holds more than one document")
	}
	return nil
}

// CampaignKinds lists the kinds a campaign may have.
func CampaignKinds() []Kind {
	return []Kind{PolicyGuidance, JobPosting, TrainingInvitation, PremiumReminder, ServiceNotice}
}

// Channels lists the channels.
func Channels() []Channel { return []Channel{WeChat, SMS, Voice} }

// Check says what is wrong with the spec by itself.
func (s Spec) Check() error {
	switch {
	case strings.TrimSpace(s.Name) == "":
		return fault("name_missing", "name is missing")
	case !slices.Contains(CampaignKinds(), s.Kind):
		return fault("kind_wrong", fmt.Sprintf("kind %q is none of %v", s.Kind, CampaignKinds()), "Got", string(s.Kind), "Want", strings.Trim(fmt.Sprint(CampaignKinds()), "[]"))
	case noCondition(s.Audience):
		return fault("audience_missing", "audience is missing")
	case len(s.Channels) == 0:
		return fault("channels_missing", "channels is missing")
	case s.Template == "":
		return fault("template_missing", "template is missing")
	case s.Rate < 0:
		return fault("rate_negative", "rate is negative")
	}
	for i, c := range s.Channels {
		if !slices.Contains(Channels(), c) || slices.Contains(s.Channels[:i], c) {
			return fault("channel_wrong", fmt.Sprintf("channel %q is unknown or named twice", c), "Got", string(c))
		}
	}
	starts, err := s.StartsAt()
	if err != nil {
		return err
	}
	if !s.Expires.IsZero() && !starts.IsZero() && !starts.Before(s.Expires) {
		return fault("starts_too_late", fmt.Sprintf("schedule %s is not before expires, so nothing would go", s.Schedule), "Got", s.Schedule)
	}
	_, err = s.Hours()
	return err
}

// noCondition says whether a file named no audience: everybody is said, never meant by saying nothing.
func noCondition(c register.Condition) bool {
	return c.All == nil && c.Any == nil && c.Not == nil && c.Test == nil
}

// defaultFallback is fallback_after where a campaign of several channels names none.
const defaultFallback = 24 * time.Hour

// FallsBackAfter is how long a message may stay without proof before the next channel is tried.
func (s Spec) FallsBackAfter() time.Duration {
	if s.FallbackAfter > 0 {
		return time.Duration(s.FallbackAfter)
	}
	return defaultFallback
}

// StartsAt is when the campaign may start; zero: as soon as it is approved.
func (s Spec) StartsAt() (time.Time, error) {
	if s.Schedule == "" || s.Schedule == "now" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, s.Schedule)
	if err != nil {
		return time.Time{}, fault("schedule_wrong", fmt.Sprintf("schedule %q is neither now nor a time like 2026-12-01T09:00:00+08:00", s.Schedule), "Got", s.Schedule)
	}
	return at, nil
}

// Hours is the window in which the campaign may send.
func (s Spec) Hours() (Window, error) {
	if s.Window == nil {
		return ParseWindow(DefaultWindow)
	}
	return ParseWindow(*s.Window)
}
