package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// judged is a service whose clock stands still, on a store with a template, and a spec for it.
func judged(t *testing.T, s *Store) (*notify.Service, notify.Spec) {
	t.Helper()
	now := time.Now()
	if err := s.ApplyTemplates(t.Context(), []notify.Template{templateOf(notify.SMS)}, now, staff.Entry{At: now}); err != nil {
		t.Fatal(err)
	}
	service := &notify.Service{Campaigns: s, Templates: s, Figures: s, Keys: s, Rules: quickRules(), Now: func() time.Time { return now }}
	return service, notify.Spec{Name: "x", Kind: templateOf(notify.SMS).Kind, Audience: register.Everybody(), Channels: []notify.Channel{notify.SMS}, Template: templateOf(notify.SMS).Key}
}

// step fails the test where an act does not end as it should.
func step(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: %v, want %v", what, err, want)
	}
}

func TestAnApproverJudgesWhatTheyHaveSeenAndNothingElse(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		service, spec := judged(t, s)
		author, approver := staff.Member{ID: 1, Role: staff.Author}, staff.Member{ID: 2, Role: staff.Approver}
		id, err := service.Create(ctx, author, spec)
		step(t, "create", err, nil)
		submit := func() notify.Campaign {
			t.Helper()
			_, err := service.Submit(ctx, author, id)
			step(t, "submit", err, nil)
			c, err := service.Find(ctx, approver, id)
			step(t, "read", err, nil)
			return c
		}
		first := submit()
		spec.Name = "y"
		step(t, "change", service.Change(ctx, author, id, spec, time.Time{}), nil)
		step(t, "approve what is a draft again", service.Approve(ctx, approver, id, first.UpdatedAt), notify.ErrWrongState)
		second := submit()
		step(t, "approve the first", service.Approve(ctx, approver, id, first.UpdatedAt), notify.ErrChanged)
		step(t, "return the first", service.Return(ctx, approver, id, notify.Judgment{Seen: first.UpdatedAt, Note: "no"}), notify.ErrChanged)
		if c, err := service.Find(ctx, approver, id); err != nil || c.State != notify.Submitted || c.ApproverID != 0 || c.Detail != "" || !c.UpdatedAt.Equal(second.UpdatedAt) {
			t.Fatalf("a refused judgment has left something: %+v %v", c, err)
		}
		step(t, "return the second", service.Return(ctx, approver, id, notify.Judgment{Seen: second.UpdatedAt, Note: "no"}), nil)
		third := submit()
		step(t, "approve what was returned", service.Approve(ctx, approver, id, second.UpdatedAt), notify.ErrChanged)
		step(t, "approve the third", service.Approve(ctx, approver, id, third.UpdatedAt), nil)
	})
}

// meanwhile are campaigns that somebody acts on just after they were read.
type meanwhile struct {
	notify.Campaigns
	act func()
}

func (m *meanwhile) FindCampaign(ctx context.Context, id int64) (notify.Campaign, error) {
	c, err := m.Campaigns.FindCampaign(ctx, id)
	if act := m.act; act != nil {
		m.act = nil
		act()
	}
	return c, err
}

func TestWhoChangesACampaignWhileTheyApproveItDoesNotApproveIt(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		service, spec := judged(t, s)
		author, admin, approver := staff.Member{ID: 1, Role: staff.Author}, staff.Member{ID: 2, Role: staff.Admin}, staff.Member{ID: 3, Role: staff.Approver}
		id, err := service.Create(ctx, author, spec)
		step(t, "create", err, nil)
		_, err = service.Submit(ctx, author, id)
		step(t, "submit", err, nil)

		hasty := *service
		hasty.Campaigns = &meanwhile{Campaigns: s, act: func() {
			step(t, "the admin changes", service.Change(ctx, admin, id, spec, time.Time{}), nil)
			_, err := service.Submit(ctx, admin, id)
			step(t, "the admin submits", err, nil)
		}}
		step(t, "the admin approves", hasty.Approve(ctx, admin, id, time.Time{}), notify.ErrSameColleague)
		if c, err := s.FindCampaign(ctx, id); err != nil || c.State != notify.Submitted || c.ApproverID != 0 {
			t.Fatalf("%s by %d: %v", c.State, c.ApproverID, err)
		}
		step(t, "the author approves, an admin by now", service.Approve(ctx, staff.Member{ID: 1, Role: staff.Admin}, id, time.Time{}), notify.ErrSameColleague)
		step(t, "somebody else approves what stands", service.Approve(ctx, approver, id, time.Time{}), nil)
	})
}

func TestWhatIsChangedWhileItIsSubmittedIsNotSubmittedWithTheTemplateOfBefore(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		service, spec := judged(t, s)
		author, admin := staff.Member{ID: 1, Role: staff.Author}, staff.Member{ID: 2, Role: staff.Admin}
		id, err := service.Create(ctx, author, spec)
		step(t, "create", err, nil)
		hasty := *service
		hasty.Campaigns = &meanwhile{Campaigns: s, act: func() { step(t, "the admin changes", service.Change(ctx, admin, id, spec, time.Time{}), nil) }}
		_, err = hasty.Submit(ctx, author, id)
		step(t, "submit", err, notify.ErrChanged)
		if c, err := s.FindCampaign(ctx, id); err != nil || c.State != notify.Draft || !c.SubmittedAt.IsZero() {
			t.Fatalf("%s %v", c.State, err)
		}
	})
}

func TestTheSecondOfTwoEditorsDoesNotOverwriteTheFirstUnseen(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		service, spec := judged(t, s)
		author := staff.Member{ID: 1, Role: staff.Author}
		id, err := service.Create(ctx, author, spec)
		step(t, "create", err, nil)
		opened, err := s.FindCampaign(ctx, id)
		step(t, "read", err, nil)
		spec.Name = "the first"
		step(t, "the first saves", service.Change(ctx, author, id, spec, opened.UpdatedAt), nil)
		spec.Name = "the second"
		step(t, "the second saves", service.Change(ctx, author, id, spec, opened.UpdatedAt), notify.ErrChanged)
		c, err := s.FindCampaign(ctx, id)
		if err != nil || c.Spec.Name != "the first" {
			t.Fatalf("%s: %v", c.Spec.Name, err)
		}
		step(t, "the second has seen it", service.Change(ctx, author, id, spec, c.UpdatedAt), nil)
	})
}

func TestWhoApprovesIsShownTheTextThatGoesAndNotWhatBecameOfItsTemplate(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		putOnFile(t, s, villager{id: 1, phone: phoneOf(1), household: "a"})
		service, spec := judged(t, s)
		author := staff.Member{ID: 1, Role: staff.Author}
		id, err := service.Create(ctx, author, spec)
		step(t, "create", err, nil)
		says := func() string {
			t.Helper()
			c, err := s.FindCampaign(ctx, id)
			step(t, "read", err, nil)
			p, err := service.PreviewCampaign(ctx, c)
			step(t, "preview", err, nil)
			if len(p.Samples) != 1 {
				t.Fatalf("%+v", p)
			}
			return p.Samples[0].Text
		}
		reword := func(content string) {
			t.Helper()
			other := templateOf(notify.SMS)
			other.SMS.Content = content
			step(t, "reword", s.ApplyTemplates(ctx, []notify.Template{other}, time.Now(), staff.Entry{At: time.Now()}), nil)
		}
		reword("${name}，一稿。")
		if got := says(); got != "王**，一稿。" {
			t.Errorf("a draft goes with the template as it stands: %q", got)
		}
		_, err = service.Submit(ctx, author, id)
		step(t, "submit", err, nil)
		reword("${name}，二稿。")
		if got := says(); got != "王**，一稿。" {
			t.Errorf("shown %q", got)
		}
		step(t, "change", service.Change(ctx, author, id, spec, time.Time{}), nil)
		if got := says(); got != "王**，二稿。" {
			t.Errorf("a draft again: %q", got)
		}
	})
}
