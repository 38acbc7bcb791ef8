package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lingjuli/lingjuli/bot"
	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
	"github.com/lingjuli/lingjuli/notify/aliyun"
)

// mostSkew is how far our clock may be off the platform's: it takes a signed request for minutes only.
const mostSkew = 30 * time.Second

type doctorCmd struct{}

// grade of one finding.
type grade string

const (
	fine   grade = "doctor_ok"
	note   grade = "doctor_warn"
	broken grade = "doctor_bad"
)

// doctor examines one part after another; what an earlier fault makes impossible to examine is left out.
type doctor struct {
	a      *app
	cfg    config
	faulty map[string]bool // variables that the settings' finding has named
	broken int
}

// Run examines everything and says in plain words what to mend.
func (c *doctorCmd) Run(a *app) error {
	cfg, err := a.config()
	d := &doctor{a: a, cfg: cfg, faulty: map[string]bool{}}
	d.settings(err)
	ctx, cancel := context.WithTimeout(a.ctx, time.Minute)
	defer cancel()
	s := d.database(ctx)
	if s != nil {
		defer s.Close()
	}
	d.redis(ctx)
	d.wechat(ctx)
	d.aliyun(ctx, s)
	if !d.cfg.WeChat.on() && !d.cfg.Aliyun.on() && d.sound("wechat-app-id", "aliyun-access-key-id") {
		d.finds("doctor_settings", broken, d.a.explain(&settingError{envName("wechat-app-id"), "must_something", ""})[0])
	}
	if d.broken > 0 {
		return say("doctor_found", "Count", d.broken)
	}
	fmt.Fprintln(a.stdout, a.texts.t("doctor_fine"))
	return nil
}

// finds prints one finding as soon as it is made: a platform that does not answer takes its time.
func (d *doctor) finds(part string, g grade, text string) {
	if g == broken {
		d.broken++
	}
	fmt.Fprintf(d.a.stdout, "[%s] %s: %s\n", d.a.texts.t(string(g)), d.a.texts.t(part), text)
}

func (d *doctor) says(part string, g grade, key string, pairs ...any) {
	d.finds(part, g, d.a.texts.t(key, pairs...))
}

func (d *doctor) settings(err error) {
	if err == nil {
		d.says("doctor_settings", fine, "doctor_all_set")
		return
	}
	for _, e := range faults(err) {
		var setting *settingError
		if errors.As(e, &setting) {
			d.faulty[setting.Variable] = true
		}
		for _, line := range d.a.explain(e) {
			d.finds("doctor_settings", broken, line)
		}
	}
}

func faults(err error) []error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	return []error{err}
}

// sound says whether none of these settings was found faulty.
func (d *doctor) sound(flags ...string) bool {
	for _, flag := range flags {
		if d.faulty[envName(flag)] {
			return false
		}
	}
	return true
}

func (d *doctor) database(ctx context.Context) *store.Store {
	if !d.sound("database-url", "data-key") {
		return nil
	}
	if err := d.cfg.databaseThere(); err != nil {
		d.finds("doctor_database", broken, d.a.explain(err)[0])
		return nil
	}
	s, err := openStore(ctx, d.cfg)
	if err == nil {
		err = s.Ready(ctx)
	}
	if err != nil {
		if s != nil {
			_ = s.Close()
		}
		for _, line := range d.a.explain(err) {
			d.finds("doctor_database", broken, line)
		}
		return nil
	}
	d.says("doctor_database", fine, "doctor_answers")
	return s
}

func (d *doctor) redis(ctx context.Context) {
	if !d.sound("redis-url") {
		return
	}
	if d.cfg.embedded() {
		d.says("doctor_redis", fine, "doctor_embedded")
		return
	}
	options, err := redisOptions(d.cfg.RedisURL)
	if err != nil {
		d.says("doctor_redis", broken, "must_redis")
		return
	}
	client := redis.NewUniversalClient(options)
	defer client.Close()
	if client.Ping(ctx).Err() != nil {
		d.says("doctor_redis", broken, "doctor_redis_away")
		return
	}
	d.says("doctor_redis", fine, "doctor_answers")
	// Managed Redis may refuse CONFIG; what cannot be asked is not judged.
	if policy := client.ConfigGet(ctx, "maxmemory-policy").Val()["maxmemory-policy"]; policy != "" && policy != "noeviction" {
		d.says("doctor_redis", broken, "doctor_redis_policy", "Policy", policy)
	}
}

func (d *doctor) wechat(ctx context.Context) {
	switch {
	case !d.sound("wechat-app-id", "wechat-app-secret", "wechat-token", "wechat-aes-key", "wechat-api-base"):
		return
	case !d.cfg.WeChat.on():
		d.says("doctor_wechat", note, "doctor_off")
		return
	}
	client, err := bot.NewClient(bot.ClientOptions{APIBase: d.cfg.WeChat.APIBase, AppID: d.cfg.WeChat.AppID, Secret: d.cfg.WeChat.AppSecret})
	if err == nil {
		_, err = client.Tokens().GetAccessTokenContext(ctx)
	}
	if err != nil {
		d.says("doctor_wechat", broken, "doctor_token_bad", "Reason", d.a.texts.reason(err))
		return
	}
	d.says("doctor_wechat", fine, "doctor_token")
}

func (d *doctor) aliyun(ctx context.Context, s *store.Store) {
	switch {
	case !d.sound("aliyun-access-key-id", "aliyun-access-key-secret", "aliyun-region", "aliyun-sms-endpoint", "sms-sign-name"):
		return
	case !d.cfg.Aliyun.on():
		d.says("doctor_aliyun", note, "doctor_off")
		return
	}
	if len(d.cfg.Secrets) == 0 && len(d.cfg.Aliyun.Queues) == 0 && d.sound("callback-secret", "aliyun-receipts", "aliyun-queues") {
		d.finds("doctor_aliyun", broken, d.a.explain(&settingError{envName("callback-secret"), "must_given", ""})[0])
	}
	if slices.ContainsFunc(d.cfg.Secrets, func(s string) bool { return len(s) < guessable }) {
		d.says("doctor_aliyun", note, "doctor_secret_short")
	}
	sms, err := newSMS(d.cfg)
	var theirs time.Time
	if err == nil {
		theirs, err = sms.Ping(ctx)
	}
	d.clock(theirs)
	if err != nil {
		d.says("doctor_aliyun", broken, "doctor_aliyun_bad", "Reason", d.a.texts.reason(err))
		return
	}
	d.says("doctor_aliyun", fine, "doctor_signature")
	d.queues(ctx)
	if s != nil {
		d.replies(ctx, s)
		d.templates(ctx, sms, s)
	}
}

// guessable is below how many characters a callback secret can be found by trying.
const guessable = 16

// repliesSeen is how many of the last replies by SMS are looked at.
const repliesSeen = 200

// replies says whether replies by SMS name the question that they answer. Whether the account has extension numbers, the
// platform does not say: what came back does.
func (d *doctor) replies(ctx context.Context, s *store.Store) {
	if !d.sound("sms-extend-codes") {
		return
	}
	count := len(d.cfg.Aliyun.ExtendCodes)
	if count == 0 {
		d.says("doctor_aliyun", fine, "doctor_extend_none")
		return
	}
	of, echoed, err := s.RepliesEchoed(ctx, repliesSeen)
	switch {
	case err != nil:
		d.finds("doctor_aliyun", broken, d.a.explain(err)[0])
	case of > 0 && echoed == 0:
		d.says("doctor_aliyun", note, "doctor_extend_deaf", "Of", of)
	default:
		d.says("doctor_aliyun", fine, "doctor_extend", "Count", count, "Of", of, "Echoed", echoed)
	}
}

// newSMS is the account at the SMS platform.
func newSMS(cfg config) (*aliyun.SMS, error) {
	return aliyun.New(aliyun.Config{
		AccessKeyID: cfg.Aliyun.AccessKeyID, AccessKeySecret: cfg.Aliyun.AccessKeySecret,
		Region: cfg.Aliyun.Region, Endpoint: cfg.Aliyun.SMSEndpoint, SignName: cfg.Aliyun.SignName,
	})
}

func (d *doctor) clock(theirs time.Time) {
	if theirs.IsZero() {
		d.says("doctor_clock", note, "doctor_clock_unknown")
		return
	}
	if off := time.Since(theirs).Abs(); off > mostSkew {
		d.says("doctor_clock", broken, "doctor_clock_off", "Seconds", int(off.Seconds()))
		return
	}
	d.says("doctor_clock", fine, "doctor_clock_ok", "Seconds", int(mostSkew.Seconds()))
}

// templates asks the platform about every SMS template that is registered here.
func (d *doctor) templates(ctx context.Context, sms *aliyun.SMS, s *store.Store) {
	list, err := s.ListTemplates(ctx)
	if err != nil {
		d.finds("doctor_templates", broken, d.a.explain(err)[0])
		return
	}
	if len(list) == 0 {
		d.says("doctor_templates", note, "doctor_template_none")
		return
	}
	good, codes, calls := 0, false, false
	for _, t := range list {
		calls = calls || t.Voice != nil
		codes = codes || t.Key == notify.VerifyCode
		if t.SMS != nil && d.template(ctx, sms, t) {
			good++
		}
	}
	if !codes {
		d.says("doctor_templates", broken, "doctor_template_code")
	}
	d.says("doctor_templates", fine, "doctor_templates_ok", "Count", good)
	d.answers(list)
	d.voice(ctx, calls)
}

// answers names the texts of answers by SMS that have no template here: after an upgrade there may be new ones.
func (d *doctor) answers(registered []notify.Template) {
	file, err := flows.ReplyTemplates()
	var ours []notify.Template
	if err == nil {
		ours, err = notify.ParseTemplates(file)
	}
	if err != nil {
		panic(err) // the program's own file
	}
	missing := map[string]bool{}
	for _, t := range ours {
		missing[t.Key] = true
	}
	for _, t := range registered {
		delete(missing, t.Key)
	}
	if len(missing) > 0 {
		d.says("doctor_templates", note, "doctor_template_answers", "Count", len(missing), "Keys", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
}

func (d *doctor) template(ctx context.Context, sms *aliyun.SMS, t notify.Template) bool {
	review, err := sms.TemplateState(ctx, t.SMS.Code)
	if err == nil && review.State == aliyun.ReviewApproved {
		return true
	}
	reason := review.Reason
	if err != nil {
		reason = d.a.texts.reason(err)
	}
	d.says("doctor_templates", broken, "doctor_template_bad", "Key", t.Key, "Code", t.SMS.Code, "State", d.a.texts.word("review", string(review.State)), "Reason", reason)
	return false
}
