package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/notify"
)

type sandboxCmd struct {
	State string `name:"state" placeholder:"DIR"`
}

// Run serves stand-ins for WeChat and Aliyun until the process is told to stop: each platform on a free port of
// loopback, the control door on --listen. The accounts are those of the configuration.
func (c *sandboxCmd) Run(a *app) error {
	cfg, err := a.settings.withDataKey().parse()
	if err != nil {
		return err
	}
	b, err := startSandbox(a.ctx, cfg, c.State, newLogger(a.stderr))
	if err != nil {
		return err
	}
	control, err := b.serve(a.ctx, cfg.Listen, b.box.ControlHandler())
	if err != nil {
		_ = b.life.stop()
		return err
	}
	fmt.Fprintln(a.stdout, a.texts.t("sandbox_addresses", "WeChat", b.wechat, "Aliyun", b.aliyun, "Control", control))
	<-a.ctx.Done()
	return b.life.stop()
}

// platforms is a running sandbox with the addresses that stand for the platforms'.
type platforms struct {
	life           lifetime
	log            *slog.Logger
	box            *sandbox.Sandbox
	wechat, aliyun string
}

// startSandbox starts both platforms with the accounts of the configuration. dir keeps their state; empty: none.
func startSandbox(ctx context.Context, cfg config, dir string, log *slog.Logger) (_ *platforms, err error) {
	sc := sandbox.Config{
		Dir: dir, Log: log,
		Aliyun: sandbox.AliyunConfig{Signs: []string{cfg.Aliyun.SignName}, ExtendCodes: cfg.Aliyun.ExtendCodes, Receipts: sandbox.Receipts{
			DelaySeconds: 1, JitterSeconds: 2, Queued: len(cfg.Aliyun.Queues) > 0,
		}},
		WeChat: sandbox.WeChatConfig{AppID: cfg.WeChat.AppID, Secret: cfg.WeChat.AppSecret, Token: cfg.WeChat.Token},
	}
	if cfg.Aliyun.on() {
		sc.Aliyun.AccessKeys = map[string]string{cfg.Aliyun.AccessKeyID: cfg.Aliyun.AccessKeySecret}
	}
	if len(cfg.WeChat.AESKeys) > 0 {
		sc.WeChat.AESKey = cfg.WeChat.AESKeys[0]
	}
	box, err := sandbox.New(sc)
	if err != nil {
		return nil, err
	}
	p := &platforms{box: box, log: log, life: lifetime{log: log}}
	p.life.add("sandbox", func(context.Context) error { return box.Close() })
	defer func() {
		if err != nil {
			_ = p.life.stop()
		}
	}()
	if p.wechat, err = p.serve(ctx, "127.0.0.1:0", box.WeChatHandler()); err != nil {
		return nil, err
	}
	p.aliyun, err = p.serve(ctx, "127.0.0.1:0", box.AliyunHandler())
	return p, err
}

// serve puts a handler on an address of loopback and returns its URL.
func (p *platforms) serve(ctx context.Context, addr string, handler http.Handler) (string, error) {
	if err := loopbackOnly(addr); err != nil {
		return "", err
	}
	ln, err := listen(ctx, addr)
	if err != nil {
		return "", err
	}
	p.life.add("sandbox door", startWeb(ln, handler, p.log).stop)
	return "http://" + ln.Addr().String(), nil
}

// review makes the stand-ins know a template file's templates as reviewed.
func (p *platforms) review(list []notify.Template) error {
	for _, t := range list {
		if t.SMS != nil {
			err := p.box.AddTemplate(sandbox.SMSTemplate{Code: t.SMS.Code, Name: t.Key, Type: string(t.SMS.Type), Content: t.SMS.Content})
			if err != nil {
				return fmt.Errorf("review %s: %w", t.Key, err)
			}
		}
		if t.Voice != nil {
			p.box.AddVoice(sandbox.VoiceTemplate{Code: t.Voice.Code, Content: t.Voice.Content})
			for _, file := range t.Voice.Recordings {
				p.box.AddRecording(file)
			}
		}
		if t.WeChat == nil {
			continue
		}
		for id, kind := range map[string]string{t.WeChat.Subscribe: "subscribe", t.WeChat.Template: "template"} {
			if id != "" {
				p.box.AddNotice(sandbox.NoticeTemplate{ID: id, Title: t.Key, Kind: kind, LongTerm: true})
			}
		}
	}
	return nil
}
