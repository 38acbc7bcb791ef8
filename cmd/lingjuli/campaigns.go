package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
	"github.com/lingjuli/lingjuli/notify/aliyun"
)

// campaigns joins notify's service with the store's lists, for the console and the commands alike.
type campaigns struct {
	*notify.Service
	*store.Store
}

// newCampaigns makes the service. sms may be nil: then no platform is asked about templates.
func newCampaigns(cfg config, s *store.Store, sms *aliyun.SMS) campaigns {
	service := &notify.Service{Campaigns: s, Templates: s, Figures: s, Budgets: s, Keys: s, Rules: rules(cfg), Now: time.Now, NoVoice: !cfg.Aliyun.on()}
	if sms != nil {
		service.Checker = reviewer{sms: sms}
	}
	return campaigns{service, s}
}

// Create writes a draft.
func (c campaigns) Create(ctx context.Context, by staff.Member, spec notify.Spec) (int64, error) {
	return c.Service.Create(ctx, by, spec)
}

// CampaignStatus counts a campaign's rows and what it has cost, for the console.
func (c campaigns) CampaignStatus(ctx context.Context, id int64) (notify.Status, error) {
	st, err := c.Store.CampaignStatus(ctx, id)
	c.Rules.Bill(&st)
	return st, err
}

// Act moves a campaign as staff wish.
func (c campaigns) Act(ctx context.Context, by staff.Member, id int64, event notify.CampaignEvent, j notify.Judgment) error {
	_, err := c.act(ctx, by, id, event, j)
	return err
}

func (c campaigns) act(ctx context.Context, by staff.Member, id int64, event notify.CampaignEvent, j notify.Judgment) (warnings []notify.Warning, err error) {
	switch event {
	case notify.Submit:
		return c.Submit(ctx, by, id)
	case notify.Approve:
		return nil, c.Approve(ctx, by, id, j.Seen)
	case notify.Return:
		return nil, c.Return(ctx, by, id, j)
	case notify.Pause:
		return nil, c.Pause(ctx, by, id)
	case notify.Resume:
		return nil, c.Resume(ctx, by, id)
	case notify.Cancel:
		return nil, c.Cancel(ctx, by, id)
	default: // the other events are the system's own
		return nil, fmt.Errorf("campaign %d: %s: %w", id, event, notify.ErrWrongState)
	}
}

// Preview says whom a spec would reach within the member's region.
func (c campaigns) Preview(ctx context.Context, by staff.Member, spec notify.Spec) (notify.Preview, error) {
	return c.Service.Preview(ctx, by.Scope(), spec)
}

// reviewer asks the SMS platform about a template.
type reviewer struct {
	sms  *aliyun.SMS
	slow func(code string) // nil, or told about a template of which the platform has said nothing for a second
}

// The platform's word on a template is waited for so long; whoever waits is told before that.
const (
	reviewWait = 5 * time.Second
	reviewSlow = time.Second
)

func (r reviewer) CheckTemplate(ctx context.Context, t notify.Template) (notify.TemplateReview, error) {
	ctx, cancel := context.WithTimeout(ctx, reviewWait)
	defer cancel()
	if r.slow != nil {
		defer sayLater(reviewSlow, func() { r.slow(t.SMS.Code) })()
	}
	review, err := r.sms.TemplateState(ctx, t.SMS.Code)
	if err != nil {
		return notify.ReviewUnknown, err
	}
	switch review.State {
	case aliyun.ReviewApproved:
		return notify.ReviewApproved, nil
	case aliyun.ReviewRefused:
		return notify.ReviewRefused, nil
	case aliyun.ReviewPending:
		return notify.ReviewWaiting, nil
	case aliyun.ReviewUnknown:
	}
	return notify.ReviewUnknown, nil
}

// sayLater says something unless it is stopped before. Once stopped, it is silent, or has said it to the end.
func sayLater(after time.Duration, say func()) (stop func()) {
	said := make(chan struct{})
	timer := time.AfterFunc(after, func() { say(); close(said) })
	return func() {
		if !timer.Stop() {
			<-said
		}
	}
}

// consoleStaff is what pages need of accounts.
type consoleStaff struct {
	*staff.Service
	store *store.Store
}

func (c consoleStaff) ListStaff(ctx context.Context) ([]staff.Member, error) {
	return c.store.ListStaff(ctx)
}
