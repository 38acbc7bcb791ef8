package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/staff"
)

const (
	// One in so many of the county's second half has been on WeChat for a while, so that a campaign goes both ways. The
	// first half, which the phones page shows first, is left to whoever plays.
	followsOneIn  = 5
	followersMost = 160
	doorLife      = 10 * time.Minute
)

// bringFollowers lets some of the county follow the account on a folder's first start: each scans a code on the
// doorstep, says yes and allows the notices, all through the real callback. An interrupted start goes on with the rest.
func (d *demo) bringFollowers() error {
	done := filepath.Join(d.dir, "followed")
	if _, err := os.Stat(done); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fmt.Fprintln(d.a.stdout, d.a.texts.t("demo_loading", "Count", d.a.texts.t("demo_followers")))
	list, err := d.server.store.ListPeople(d.a.ctx, register.Scope{}, d.onFile/2, followsOneIn*followersMost)
	if err != nil {
		return err
	}
	for i := range list {
		if i%followsOneIn != 0 || !onWeChat(&list[i], time.Now()) {
			continue
		}
		if err := d.follow(&list[i]); err != nil {
			return fmt.Errorf("demo: person %d follows: %w", list[i].ID, err)
		}
	}
	return os.WriteFile(done, []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o600)
}

// onWeChat says who would be: of working age and with a mobile of their own.
func onWeChat(p *register.Person, now time.Time) bool {
	oldest, youngest := now.AddDate(-60, 0, 0).Format(time.DateOnly), now.AddDate(-18, 0, 0).Format(time.DateOnly)
	return p.Status == register.Alive && p.Phone.IsMobile() && p.BirthDate > oldest && p.BirthDate < youngest
}

func (d *demo) follow(p *register.Person) error {
	openID := actor(*p).OpenID
	if d.boxes.box.Follower(openID).Follows {
		return nil
	}
	scene, err := d.server.store.OpenDoorstep(d.a.ctx, register.Scope{}, p.ID, doorLife, staff.Entry{
		At: time.Now(), Actor: "admin", Act: staff.DidOpenDoorstep, Object: fmt.Sprintf("person:%d", p.ID),
	})
	if err != nil {
		return err
	}
	if _, err := d.boxes.box.Follow(d.a.ctx, openID, scene, ""); err != nil {
		return err
	}
	if _, err := d.boxes.box.Say(d.a.ctx, openID, "1"); err != nil {
		return err
	}
	var all []sandbox.Choice
	for _, n := range d.boxes.box.Notices() {
		all = append(all, sandbox.Choice{Template: n.ID, Accept: true})
	}
	return d.boxes.box.Choose(d.a.ctx, openID, all...)
}
