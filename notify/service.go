package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
)

// TemplateChecker asks the platform about a template.
type TemplateChecker interface {
	// CheckTemplate says what the platform knows of the template's SMS part.
	CheckTemplate(ctx context.Context, t Template) (TemplateReview, error)
}

// TemplateReview is what the platform says of a template.
type TemplateReview string

// The values of TemplateReview.
const (
	ReviewApproved TemplateReview = "approved"
	ReviewWaiting  TemplateReview = "waiting"
	ReviewRefused  TemplateReview = "refused"
	ReviewUnknown  TemplateReview = "unknown"
)

// ErrTemplateRefused: the platform refused the template in review.
var ErrTemplateRefused = errors.New("notify: the platform refused the template in review")

// ErrKind: campaign and template are of different kinds.
var ErrKind = errors.New("notify: the template is of another kind than the campaign")

// ErrNoWay: the template serves none of the campaign's channels.
var ErrNoWay = errors.New("notify: the template serves none of the campaign's channels")

// Warning is something that staff should know before they go on. Key is a locale key.
type Warning struct {
	Key  string            `json:"key"`
	Data map[string]string `json:"data,omitempty"`
}

// Service is what staff do with campaigns, for the console and the commands alike.
type Service struct {
	Campaigns Campaigns
	Templates Templates
	Figures   Figures
	Checker   TemplateChecker // nil: nobody can be asked
	Budgets   BudgetLister    // nil: there are no budgets
	Keys      MACs
	Rules     Rules
	Office    func(region string) map[string]string
	Now       func() time.Time
	NoVoice   bool   // no sender calls: the voice part of templates serves nobody
	Via       string // how acts came in, for the audit: "os:USER" for commands, empty for the console
}

func (s *Service) entry(by staff.Member, act string, id int64) staff.Entry {
	e := staff.Entry{At: s.Now(), Actor: by.Name, Act: act}
	if id > 0 {
		e.Object = fmt.Sprintf("campaign:%d", id)
	}
	if s.Via != "" {
		e.Detail = map[string]string{"via": s.Via}
	}
	return e
}

// fits checks a spec against its template.
func (s *Service) fits(ctx context.Context, spec Spec) (Template, error) {
	if err := spec.Check(); err != nil {
		return Template{}, err
	}
	t, err := s.Templates.FindTemplate(ctx, spec.Template)
	if s.NoVoice {
		t.Voice = nil
	}
	switch {
	case err != nil:
		return t, &TemplateError{spec.Template, err}
	case t.Kind != spec.Kind:
		return t, &TemplateError{t.Key, fmt.Errorf("%w: %s, not %s", ErrKind, t.Kind, spec.Kind)}
	case len(ServedChannels(spec, t)) == 0:
		return t, &TemplateError{t.Key, ErrNoWay}
	}
	return t, fitParams(spec, t)
}

// Create writes a draft. Its audience never reaches beyond the author's region.
func (s *Service) Create(ctx context.Context, by staff.Member, spec Spec) (int64, error) {
	if !by.May(staff.WriteCampaign, true) {
		return 0, staff.ErrForbidden
	}
	if _, err := s.fits(ctx, spec); err != nil {
		return 0, err
	}
	now := s.Now()
	local := now.In(s.Rules.Zone)
	return s.Campaigns.CreateCampaign(ctx, Campaign{
		Month: local.Year()*100 + int(local.Month()), Spec: spec, Scope: by.Scope(), AuthorID: by.ID, CreatedAt: now,
	}, s.entry(by, staff.DidWrite, 0))
}

// Change replaces the spec of a draft or submitted campaign, if it is the one that was seen (zero: as it stands); it must be
// submitted anew.
func (s *Service) Change(ctx context.Context, by staff.Member, id int64, spec Spec, seen time.Time) error {
	if _, err := s.find(ctx, by, staff.WriteCampaign, id); err != nil {
		return err
	}
	if _, err := s.fits(ctx, spec); err != nil {
		return err
	}
	return s.Campaigns.ChangeCampaign(ctx, id, spec, CampaignMoved{Event: Change, By: by, At: s.Now(), Seen: seen, Audit: s.entry(by, staff.DidWrite, id)})
}

// find finds a campaign that the member may act on: the role allows it, and the campaign lies in the member's region.
func (s *Service) find(ctx context.Context, by staff.Member, act staff.Act, id int64) (Campaign, error) {
	c, err := s.Campaigns.FindCampaign(ctx, id)
	if err != nil {
		return c, err
	}
	own := c.AuthorID == by.ID
	if !by.May(act, own) || !strings.HasPrefix(c.Scope.Prefix, by.Region) {
		return c, staff.ErrForbidden
	}
	return c, nil
}

// Submit puts a draft before an approver, with its template as it stands now. A template that the platform refused
// stops it; one that the platform doesn't know, or couldn't be asked about, is a warning.
func (s *Service) Submit(ctx context.Context, by staff.Member, id int64) ([]Warning, error) {
	c, err := s.find(ctx, by, staff.WriteCampaign, id)
	if err != nil {
		return nil, err
	}
	t, err := s.fits(ctx, c.Spec)
	if err != nil {
		return nil, err
	}
	warnings, err := s.review(ctx, t)
	if err != nil {
		return nil, err
	}
	warnings = append(append(warnings, HourWarnings(c.Spec, t)...), s.Rules.DayWarnings(c.Spec, t, s.Now())...)
	_, err = s.Campaigns.MoveCampaign(ctx, id, CampaignMoved{Event: Submit, By: by, At: s.Now(), Seen: c.UpdatedAt, Template: &t, Audit: s.entry(by, staff.DidSubmit, id)})
	return warnings, err
}

func (s *Service) review(ctx context.Context, t Template) ([]Warning, error) {
	if t.SMS == nil {
		return nil, nil
	}
	data := map[string]string{"code": t.SMS.Code}
	if s.Checker == nil {
		return []Warning{{"warn.template_unasked", data}}, nil
	}
	review, err := s.Checker.CheckTemplate(ctx, t)
	switch {
	case err != nil:
		return []Warning{{"warn.template_unasked", data}}, nil //nolint:nilerr // a platform that cannot be asked is a warning
	case review == ReviewRefused:
		return nil, &TemplateError{t.SMS.Code, ErrTemplateRefused}
	case review == ReviewWaiting:
		return []Warning{{"warn.template_waiting", data}}, nil
	case review == ReviewUnknown:
		return []Warning{{"warn.template_unknown", data}}, nil
	}
	return nil, nil
}

// HourWarnings says where a window is wider than the hours in which such texts are welcome.
func HourWarnings(spec Spec, t Template) []Warning {
	hours, err := spec.Hours()
	if err != nil {
		return nil
	}
	allowed := "07:00-21:30"
	if t.SMS != nil && t.SMS.Type == SMSPromotion {
		allowed = "08:30-20:30"
	}
	outer, err := ParseWindow(allowed)
	if err != nil || hours.Within(outer) {
		return nil
	}
	return []Warning{{"warn.hours", map[string]string{"hours": allowed}}}
}

// Approve lets a submitted campaign go, if it is the one that was seen. Nobody approves what they wrote or last changed,
// an admin neither.
func (s *Service) Approve(ctx context.Context, by staff.Member, id int64, seen time.Time) error {
	if _, err := s.find(ctx, by, staff.ApproveCampaign, id); err != nil {
		return err
	}
	_, err := s.Campaigns.MoveCampaign(ctx, id, CampaignMoved{Event: Approve, By: by, At: s.Now(), Seen: seen, Audit: s.entry(by, staff.DidApprove, id)})
	return err
}

// Return sends a submitted campaign back to its author, with a word that says why; it may be empty. Like an approval it is
// about what was seen.
func (s *Service) Return(ctx context.Context, by staff.Member, id int64, j Judgment) error {
	if _, err := s.find(ctx, by, staff.ApproveCampaign, id); err != nil {
		return err
	}
	entry := s.entry(by, staff.DidReturn, id)
	note := shortened(strings.TrimSpace(j.Note))
	if note != "" {
		if entry.Detail == nil {
			entry.Detail = map[string]string{}
		}
		entry.Detail["note"] = note
	}
	_, err := s.Campaigns.MoveCampaign(ctx, id, CampaignMoved{Event: Return, By: by, At: s.Now(), Seen: j.Seen, Note: note, Audit: entry})
	return err
}

// noteLimit bounds the word that goes with a return.
const noteLimit = 300

func shortened(text string) string {
	runes := []rune(text)
	if len(runes) <= noteLimit {
		return text
	}
	return string(runes[:noteLimit]) + "…"
}

// Pause stops a running campaign for a while.
func (s *Service) Pause(ctx context.Context, by staff.Member, id int64) error {
	return s.act(ctx, by, staff.PauseCampaign, Pause, staff.DidPause, id)
}

// Resume lets a paused or halted campaign go on.
func (s *Service) Resume(ctx context.Context, by staff.Member, id int64) error {
	return s.act(ctx, by, staff.ResumeCampaign, Resume, staff.DidResume, id)
}

// Cancel ends a campaign for good: what has not gone stays.
func (s *Service) Cancel(ctx context.Context, by staff.Member, id int64) error {
	return s.act(ctx, by, staff.CancelCampaign, Cancel, staff.DidCancel, id)
}

func (s *Service) act(ctx context.Context, by staff.Member, may staff.Act, event CampaignEvent, did string, id int64) error {
	if _, err := s.find(ctx, by, may, id); err != nil {
		return err
	}
	_, err := s.Campaigns.MoveCampaign(ctx, id, CampaignMoved{Event: event, By: by, At: s.Now(), Audit: s.entry(by, did, id)})
	return err
}

// Find gives a campaign that the member may read.
func (s *Service) Find(ctx context.Context, by staff.Member, id int64) (Campaign, error) {
	return s.find(ctx, by, staff.ReadCampaigns, id)
}

// Status counts a campaign's rows and what it has cost, and says when what waits will go where its start or its window
// holds it.
func (s *Service) Status(ctx context.Context, id int64) (Status, error) {
	st, err := s.Figures.CampaignStatus(ctx, id)
	if err != nil {
		return st, err
	}
	s.Rules.Bill(&st)
	if st.State != Running && st.State != Approved {
		return st, nil
	}
	c, err := s.Campaigns.FindCampaign(ctx, id)
	if err != nil {
		return st, err
	}
	now := s.Now()
	next := now
	if c.State == Approved && c.StartsAt.After(now) {
		next = c.StartsAt
	}
	next = s.Rules.nextOpen(c, next)
	if next.After(now) {
		st.holdTill(next)
	}
	st.SecondsLeft = int64(st.Left(now).Seconds())
	return st, nil
}

// ApplyTemplates registers the templates of a file.
func (s *Service) ApplyTemplates(ctx context.Context, actor string, file []byte) (int, error) {
	list, err := ParseTemplates(file)
	if err != nil {
		return 0, err
	}
	at := s.Now()
	return len(list), s.Templates.ApplyTemplates(ctx, list, at, staff.Entry{
		At: at, Actor: actor, Act: "templates.applied", Detail: map[string]string{"count": fmt.Sprint(len(list))},
	})
}
