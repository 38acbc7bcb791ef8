package notify

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// PreviewQuery asks whom a campaign would reach now.
type PreviewQuery struct {
	Spec     Spec
	Channels []Channel // those that the template serves too
	WeChat   WeChatRoutes
	Scope    register.Scope
	Now      time.Time // in the zone by which audiences judge ages and dates
	Samples  int       // how many members to give for each channel
	Topics   Topics    // what to give with them
}

// PreviewCount is whom a campaign would reach. A person counts once: by the first channel that has them. Texts is what
// would really go by that channel: of the members of one household on one number only the first.
type PreviewCount struct {
	Matched     int64
	Reachable   map[Channel]int64
	Texts       map[Channel]int64
	Unreachable map[SkipReason]int64
	Samples     map[Channel][]Facts
}

// PlaceTexts is how many of a preview's texts go to the people of one village by one channel.
type PlaceTexts struct {
	Region  string // 12 digits
	Channel Channel
	Texts   int64
}

// Preview is what `preview --json` prints. Segments are those of the longest sample; cost_yuan is what the texts and
// calls of the first channels would cost.
type Preview struct {
	Matched     int64                `json:"matched"`
	Reachable   map[Channel]int64    `json:"reachable"`
	Unreachable map[SkipReason]int64 `json:"unreachable"`
	Segments    int                  `json:"segments"`
	CostYuan    float64              `json:"cost_yuan"`
	Samples     []PreviewSample      `json:"samples"`
	Warnings    []Warning            `json:"warnings"`
}

// PreviewSample is a text as one person would get it, but with their name masked. A notice's is its fields, one a line.
type PreviewSample struct {
	Channel Channel `json:"channel"`
	Text    string  `json:"text"`
}

// Samples: so many texts are filled to measure them, so many of them are shown.
const (
	measuredSamples = 200
	shownSamples    = 3
)

// Preview says whom a spec would reach, by what, and what it would cost.
func (s *Service) Preview(ctx context.Context, scope register.Scope, spec Spec) (Preview, error) {
	t, err := s.fits(ctx, spec)
	if err != nil {
		return Preview{}, err
	}
	return s.preview(ctx, scope, spec, t)
}

// PreviewCampaign says it of a campaign on file. From its submission on it goes with the template of then, whatever became of
// the template since.
func (s *Service) PreviewCampaign(ctx context.Context, c Campaign) (Preview, error) {
	if c.State == Draft {
		return s.Preview(ctx, c.Scope, c.Spec)
	}
	return s.preview(ctx, c.Scope, c.Spec, c.Template)
}

func (s *Service) preview(ctx context.Context, scope register.Scope, spec Spec, t Template) (Preview, error) {
	texts, err := NewTexts(t)
	if err != nil {
		return Preview{}, err
	}
	texts.forCampaign(paramsOf(spec))
	query := PreviewQuery{
		Spec: spec, Channels: ServedChannels(spec, t), WeChat: WeChatRoutesOf(spec, t), Scope: scope, Now: s.Now().In(s.Rules.Zone), Samples: measuredSamples,
		Topics: TopicsOf(spec, t),
	}
	count, err := s.Figures.PreviewAudience(ctx, query)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{
		Matched: count.Matched, Reachable: map[Channel]int64{WeChat: 0, SMS: 0, Voice: 0}, Unreachable: count.Unreachable,
		Samples: []PreviewSample{}, Warnings: append(HourWarnings(spec, t), s.Rules.DayWarnings(spec, t, s.Now())...),
	}
	for c, n := range count.Reachable {
		p.Reachable[c] = n
	}
	each := s.measure(&p, spec, t, texts, count)
	short, err := s.budgetWarnings(ctx, query, costsOf(each, count))
	if err != nil {
		return Preview{}, err
	}
	p.Warnings = append(p.Warnings, short...)
	review, err := s.review(ctx, t)
	if err != nil {
		review = []Warning{{"warn.template_refused", map[string]string{"code": t.SMS.Code}}}
	}
	p.Warnings = append(append([]Warning{}, p.Warnings...), review...)
	for _, c := range spec.Channels {
		if p.Matched > 0 && !served(spec, t, c) {
			p.Warnings = append(p.Warnings, Warning{"warn.channel_unserved", map[string]string{"channel": string(c)}})
		}
	}
	return p, nil
}

func served(spec Spec, t Template, c Channel) bool {
	for _, s := range ServedChannels(spec, t) {
		if s == c {
			return true
		}
	}
	return false
}

// measure fills samples, and from them works out segments, the cost of all and what one text costs in fen.
func (s *Service) measure(p *Preview, spec Spec, t Template, texts *Texts, count PreviewCount) (each map[Channel]float64) {
	fen := 0.0
	each = map[Channel]float64{}
	unfit := 0
	for _, c := range spec.Channels {
		units, filled := 0, 0
		for i, f := range count.Samples[c] {
			text, err := s.sample(c, spec, t, texts, f)
			if err != nil {
				unfit++
				continue
			}
			n := 1
			if c == SMS {
				n = Segments(s.Rules.Signature, text)
				p.Segments = max(p.Segments, n)
			}
			units, filled = units+n, filled+1
			if i >= shownSamples {
				continue
			}
			f.Name = register.MaskName(f.Name)
			if text, err = s.sample(c, spec, t, texts, f); err == nil {
				p.Samples = append(p.Samples, PreviewSample{c, text})
			}
		}
		if filled > 0 {
			each[c] = s.Rules.PriceFen[c] * float64(units) / float64(filled)
			fen += each[c] * float64(count.Texts[c])
		}
	}
	p.CostYuan = math.Round(fen*100) / 10000 // prices have fractions of a fen
	if unfit > 0 {
		p.Warnings = append(p.Warnings, Warning{"warn.texts_unfit", nil})
	}
	return each
}

// sample fills one person's text on a channel.
func (s *Service) sample(c Channel, spec Spec, t Template, texts *Texts, f Facts) (string, error) {
	r := runner{keys: s.Keys, office: s.Office}
	if r.office == nil {
		r.office = GeneralOffice
	}
	data := Data{}
	r.fillIn(data, Campaign{Spec: spec, Template: t}, f, texts)
	switch c {
	case SMS:
		params, err := texts.SMS(data)
		return texts.Spoken(SMS, params), err
	case Voice:
		params, err := texts.Voice(data)
		return texts.Spoken(Voice, params), err
	}
	fields, _, text, err := texts.WeChat(data)
	if err != nil || !noticed(spec, t) {
		return text, err
	}
	lines := make([]string, 0, len(fields)) // what stands beside a value on the card the platform alone knows: names like thing1 tell nobody
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		lines = append(lines, fields[name])
	}
	return strings.Join(lines, "\n"), nil
}

// noticed says whether what goes by WeChat is a notice with fields, rather than a customer message.
func noticed(spec Spec, t Template) bool {
	return len(t.WeChat.Fields) > 0 && (t.WeChat.Subscribe != "" || t.WeChat.Template != "" && spec.Kind == ServiceNotice)
}
