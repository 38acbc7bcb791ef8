package main

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
)

type chatCmd struct {
	As      string `name:"as" default:"o_terminal" placeholder:"OPENID"`
	Channel string `name:"channel" default:"wechat" enum:"wechat,sms" placeholder:"wechat|sms"`
	Phone   string `name:"phone" placeholder:"NUMBER"`
}

// Run holds a conversation in the terminal: one line in, one answer out. What the conversation sends by SMS goes out
// from here, as no server need be running; whichever of the two claims it first sends it.
func (c *chatCmd) Run(a *app) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	who, err := c.who()
	if err != nil {
		return err
	}
	s, err := readyStore(a.ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	urgent, err := newUrgent(a, cfg, s)
	if err != nil {
		return err
	}
	turns, err := newTurns(cfg, s, urgent, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stderr, a.texts.t("chat_hello"))
	in := bufio.NewScanner(a.stdin)
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	for n := 0; in.Scan() && a.ctx.Err() == nil; n++ {
		answer, err := turns.Turn(a.ctx, turn.Inbound{
			Key: fmt.Sprintf("chat:%s:%d", run, n), Channel: turn.Channel(c.Channel),
			Who: who, Kind: turn.Text, Text: strings.TrimSpace(in.Text()), At: time.Now(),
		})
		if err != nil {
			return err
		}
		if answer.Text != "" {
			fmt.Fprintf(a.stdout, "%s\n\n", answer.Text)
		}
	}
	return in.Err()
}

func (c *chatCmd) who() (string, error) {
	if c.Channel != "sms" {
		return c.As, nil
	}
	phone, err := register.ParsePhone(c.Phone)
	if err != nil || !phone.IsMobile() {
		return "", &saying{key: "chat_needs_phone", err: errUsage}
	}
	return string(phone), nil
}

// urgentBell sends a notice on the spot instead of ringing a queue.
type urgentBell struct {
	a *app
	u *notify.Urgent
}

// newUrgent sends by the configured platform; without one, what a conversation queues waits for a server.
func newUrgent(a *app, cfg config, s *store.Store) (turn.Doorbell, error) {
	if !cfg.Aliyun.on() {
		return nil, nil
	}
	sms, err := newSMS(cfg)
	if err != nil {
		return nil, err
	}
	return urgentBell{a, notify.NewUrgent(s, sms, newLogger(a.stderr))}, nil
}

// Ring sends. What could not be sent now stays in its row for a server.
func (b urgentBell) Ring(ctx context.Context, id int64) {
	if err := b.u.Send(ctx, id); err != nil {
		fmt.Fprintln(b.a.stderr, b.a.texts.t("chat_sms_waits", "Reason", b.a.texts.reason(err)))
	}
}
