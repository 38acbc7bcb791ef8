package main

import (
	"bufio"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
)

type staffCmd struct {
	Add staffAddCmd `cmd:"" name:"add"`
}

type staffAddCmd struct {
	Name          string `arg:""`
	Role          string `name:"role" required:"" placeholder:"ROLE"`
	Region        string `name:"region" placeholder:"CODE"`
	PasswordStdin bool   `name:"password-stdin"`
}

// Run adds an account. The password is shown only where it was made here.
func (c *staffAddCmd) Run(a *app) error {
	if !slices.Contains(staff.Roles(), staff.Role(c.Role)) {
		return &saying{key: "bad_staff_role", err: errUsage}
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	s, err := readyStore(a.ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	password := ""
	if c.PasswordStdin {
		if password, err = firstLine(a); err != nil {
			return err
		}
	}
	wanted := staff.Member{Name: c.Name, Role: staff.Role(c.Role), Region: c.Region}
	service, err := staffService(s)
	if err != nil {
		return err
	}
	m, shown, err := service.Add(a.ctx, osActor(), wanted, password)
	if errors.Is(err, staff.ErrNameTaken) {
		return &saying{key: "staff_exists", data: []any{"Name", c.Name}, err: err}
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, a.texts.t("staff_added", "Name", m.Name, "Role", a.texts.word("role", string(m.Role))))
	if password == "" {
		fmt.Fprintln(a.stdout, a.texts.t("staff_password", "Password", shown))
	}
	return nil
}

func firstLine(a *app) (string, error) {
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.Join(say("no_password"), ignoreEOF(err))
	}
	return line, nil
}

func staffService(s *store.Store) (*staff.Service, error) {
	hasher, err := staff.NewHasher()
	if err != nil {
		return nil, err
	}
	return &staff.Service{Accounts: s, Logins: s, Hasher: hasher, Now: time.Now}, nil
}

// osActor is who a command acts for in the audit.
func osActor() string {
	u, err := user.Current()
	if err != nil {
		return "os:?"
	}
	return "os:" + u.Username
}

// staffByName finds the account of --as.
func staffByName(a *app, s *store.Store, name string) (staff.Member, error) {
	account, err := s.StaffByName(a.ctx, staff.NameKey(name))
	if errors.Is(err, staff.ErrNotFound) || err == nil && account.Disabled {
		return staff.Member{}, &saying{key: "unknown_staff", data: []any{"Name", name}, err: staff.ErrNotFound}
	}
	return account.Member, err
}
