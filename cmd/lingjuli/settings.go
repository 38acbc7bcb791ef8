package main

import (
	"encoding/base64"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/internal/store/seal"
	"github.com/lingjuli/lingjuli/notify"
)

// settings are the texts of the configuration as flags; the environment variable LINGJULI_X_Y is the flag --x-y.
// A flag on the command wins. Kong reads them; config.go gives them meaning.
type settings struct {
	DatabaseURL           string `name:"database-url" default:"sqlite:lingjuli.db" hidden:""`
	RedisURL              string `name:"redis-url" default:"embedded" hidden:""`
	Listen                string `name:"listen" default:"127.0.0.1:8080" hidden:""`
	PublicURL             string `name:"public-url" hidden:""`
	WechatAppID           string `name:"wechat-app-id" hidden:""`
	WechatAppSecret       string `name:"wechat-app-secret" hidden:""`
	WechatToken           string `name:"wechat-token" hidden:""`
	WechatAESKey          string `name:"wechat-aes-key" hidden:""`
	WechatMode            string `name:"wechat-mode" hidden:""`
	WechatAPIBase         string `name:"wechat-api-base" default:"https://api.weixin.qq.com" hidden:""`
	AliyunAccessKeyID     string `name:"aliyun-access-key-id" hidden:""`
	AliyunAccessKeySecret string `name:"aliyun-access-key-secret" hidden:""`
	AliyunRegion          string `name:"aliyun-region" default:"cn-shenzhen" hidden:""`
	AliyunSMSEndpoint     string `name:"aliyun-sms-endpoint" default:"https://dysmsapi.aliyuncs.com" hidden:""`
	AliyunVoiceEndpoint   string `name:"aliyun-voice-endpoint" default:"https://dyvmsapi.aliyuncs.com" hidden:""`
	AliyunReceipts        string `name:"aliyun-receipts" default:"push" hidden:""`
	AliyunQueues          string `name:"aliyun-queues" hidden:""`
	AliyunTokenEndpoint   string `name:"aliyun-token-endpoint" default:"https://dybaseapi.aliyuncs.com" hidden:""`
	AliyunQueueEndpoint   string `name:"aliyun-queue-endpoint" default:"https://1943695596114318.mns.cn-hangzhou.aliyuncs.com" hidden:""`
	SMSSignName           string `name:"sms-sign-name" hidden:""`
	SMSExtendCodes        string `name:"sms-extend-codes" hidden:""`
	CallbackSecret        string `name:"callback-secret" hidden:""`
	DataKey               string `name:"data-key" hidden:""`
	Timezone              string `name:"timezone" default:"Asia/Shanghai" hidden:""`
	SMSQPS                string `name:"sms-qps" default:"20" hidden:""`
	WechatQPS             string `name:"wechat-qps" default:"100" hidden:""`
	UnconfirmedLooks      string `name:"unconfirmed-looks" default:"60s,6m" hidden:""`
	RequestValidity       string `name:"request-validity" default:"31m" hidden:""`
	Cap                   string `name:"cap" default:"1/24h,4/168h" hidden:""`
	CapWait               string `name:"cap-wait" default:"48h" hidden:""`
	SMSPrice              string `name:"sms-price" default:"0.045" hidden:""`
	VoicePrice            string `name:"voice-price" default:"0.06" hidden:""`
	VoiceShowNumber       string `name:"voice-show-number" hidden:""`
	VoiceNap              string `name:"voice-nap" default:"12:00-14:30" hidden:""`
	CLIApprove            string `name:"cli-approve" default:"on" hidden:""`
	SendingProcesses      string `name:"sending-processes" default:"auto" hidden:""`
	Pprof                 string `name:"pprof" hidden:""`
}

// envName is the variable of a flag: --sms-qps is LINGJULI_SMS_QPS.
func envName(flag string) string {
	return "LINGJULI_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settingError is a setting that cannot be: it names the variable and says what it must be, never what it was,
// since that may be a secret.
type settingError struct {
	Variable string
	Must     string // key of a text that says what it must be
	Detail   string
}

func (e *settingError) Error() string {
	text := e.Variable + ": " + e.Must
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// config is what the settings mean.
type config struct {
	DatabaseURL string
	RedisURL    string // "embedded" or a URL
	Listen      string
	PublicURL   *url.URL
	WeChat      wechatConfig
	Aliyun      aliyunConfig
	Secrets     []string // callback secrets, the current one first
	DataKey     string
	Zone        *time.Location
	SMSQPS      int
	WeChatQPS   int
	Looks       notify.Looks
	Validity    time.Duration
	Cap         string // parsed by notify
	CapWait     time.Duration
	SMSPrice    float64
	VoicePrice  float64
	Nap         notify.Window // when no telephone rings
	Holidays    notify.Holidays
	CLIApprove  bool
	Sending     int        // how many processes of a machine send campaigns at once; 0: by its cores
	StandBy     func(bool) // what a process does that has no seat for sending; nil: nothing
	Profiles    string     // where profiles of the process are given; empty: nowhere
}

type wechatConfig struct {
	AppID, AppSecret, Token string
	AESKeys                 []string // current, previous
	Compat                  bool
	APIBase                 string
}

func (c wechatConfig) on() bool { return c.AppID != "" }

type aliyunConfig struct {
	AccessKeyID, AccessKeySecret, Region string
	SMSEndpoint, VoiceEndpoint           string
	SignName                             string
	ShowNumber                           string   // that people see calling
	ExtendCodes                          []string // extension numbers of its own that the account has
	Queues                               []string // from which receipts are pulled; empty: they are pushed
	TokenEndpoint, QueueEndpoint         string
}

func (c aliyunConfig) on() bool { return c.AccessKeyID != "" }

func (c config) embedded() bool { return c.RedisURL == "embedded" }

// sqlitePath is the database's file, or "" on PostgreSQL.
func (c config) sqlitePath() string {
	path, _ := strings.CutPrefix(c.DatabaseURL, "sqlite:")
	if path == c.DatabaseURL {
		return ""
	}
	return path
}

// parse gives the settings their meaning. All faults are found in one go and joined; each is a *settingError.
func (s settings) parse() (config, error) {
	p := &parser{}
	c := config{
		DatabaseURL: p.database(s.DatabaseURL),
		RedisURL:    p.redis(s.RedisURL),
		Listen:      p.listen(s.Listen),
		WeChat:      p.wechat(s),
		Aliyun:      p.aliyun(s),
		Secrets:     p.secrets(s.CallbackSecret),
		DataKey:     p.dataKey(s.DataKey),
		Zone:        p.zone(s.Timezone),
		SMSQPS:      p.count("sms-qps", s.SMSQPS),
		WeChatQPS:   p.count("wechat-qps", s.WechatQPS),
		Looks:       p.looks(s.UnconfirmedLooks),
		Validity:    p.duration("request-validity", s.RequestValidity),
		Cap:         s.Cap,
		CapWait:     p.duration("cap-wait", s.CapWait),
		SMSPrice:    p.price("sms-price", s.SMSPrice),
		VoicePrice:  p.price("voice-price", s.VoicePrice),
		Nap:         p.nap(s.VoiceNap),
		Holidays:    p.holidays(),
		CLIApprove:  p.onOff("cli-approve", s.CLIApprove),
		Sending:     p.sending(s.SendingProcesses),
		Profiles:    p.profile(s.Pprof),
	}
	c.PublicURL = p.publicURL(s.PublicURL, c.Listen)
	if _, err := notify.ParseCap(s.Cap); err != nil {
		p.bad("cap", "must_cap", "")
	}
	return c, errors.Join(p.faults...)
}

// parser collects faults, so that whoever mends the configuration sees all of them at once.
type parser struct{ faults []error }

func (p *parser) bad(flag, must, detail string) {
	p.faults = append(p.faults, &settingError{envName(flag), must, detail})
}

// holidays are built in: days that do not parse are a broken build, caught by any test.
func (p *parser) holidays() notify.Holidays {
	days, err := notify.LoadHolidays()
	if err != nil {
		p.faults = append(p.faults, err)
	}
	return days
}

func (p *parser) database(text string) string {
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok && path != "" {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Host == "" && u.Query().Get("host") == "" {
		p.bad("database-url", "must_database", "")
	}
	return text
}

func (p *parser) redis(text string) string {
	if text == "embedded" {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		p.bad("redis-url", "must_redis", "")
		return text
	}
	switch u.Scheme {
	case "redis", "rediss", "redis-sentinel", "redis-cluster":
	default:
		p.bad("redis-url", "must_redis", "")
	}
	return text
}

func (p *parser) listen(text string) string {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		p.bad("listen", "must_listen", "")
	}
	return text
}

func (p *parser) publicURL(text, listen string) *url.URL {
	if text == "" {
		return &url.URL{Scheme: "http", Host: listen}
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		p.bad("public-url", "must_url", "")
		return &url.URL{Scheme: "http", Host: listen}
	}
	return u
}

func (p *parser) wechat(s settings) wechatConfig {
	c := wechatConfig{AppID: s.WechatAppID, AppSecret: s.WechatAppSecret, Token: s.WechatToken, APIBase: p.base("wechat-api-base", s.WechatAPIBase)}
	p.together(map[string]string{"wechat-app-id": c.AppID, "wechat-app-secret": c.AppSecret, "wechat-token": c.Token},
		s.WechatAESKey != "", "wechat-app-id", "wechat-app-secret", "wechat-token")
	for _, key := range splitList(s.WechatAESKey) {
		// 43 characters: base64 of 32 bytes without the padding.
		if raw, err := base64.StdEncoding.DecodeString(key + "="); err != nil || len(raw) != 32 {
			p.bad("wechat-aes-key", "must_aes_key", "")
		}
		c.AESKeys = append(c.AESKeys, key)
	}
	if len(c.AESKeys) > 2 {
		p.bad("wechat-aes-key", "must_two", "")
	}
	switch s.WechatMode {
	case "", "safe":
	case "compat":
		c.Compat = true
	default:
		p.bad("wechat-mode", "must_mode", "")
	}
	return c
}

func (p *parser) aliyun(s settings) aliyunConfig {
	c := aliyunConfig{
		AccessKeyID: s.AliyunAccessKeyID, AccessKeySecret: s.AliyunAccessKeySecret, Region: s.AliyunRegion, SignName: s.SMSSignName,
		ShowNumber: p.showNumber(s.VoiceShowNumber), Queues: p.queues(s),
		TokenEndpoint: p.base("aliyun-token-endpoint", s.AliyunTokenEndpoint), QueueEndpoint: p.base("aliyun-queue-endpoint", s.AliyunQueueEndpoint),
		SMSEndpoint: p.base("aliyun-sms-endpoint", s.AliyunSMSEndpoint), VoiceEndpoint: p.base("aliyun-voice-endpoint", s.AliyunVoiceEndpoint),
	}
	codes, err := notify.ParseReplyCodes(s.SMSExtendCodes)
	if err != nil {
		p.bad("sms-extend-codes", "must_extend_codes", "")
	}
	c.ExtendCodes = codes
	p.together(map[string]string{"aliyun-access-key-id": c.AccessKeyID, "aliyun-access-key-secret": c.AccessKeySecret, "sms-sign-name": c.SignName},
		false, "aliyun-access-key-id", "aliyun-access-key-secret", "sms-sign-name")
	if !regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`).MatchString(c.Region) {
		p.bad("aliyun-region", "must_region", "")
	}
	if strings.ContainsAny(c.SignName, "【】") || utf8.RuneCountInString(c.SignName) > 12 {
		p.bad("sms-sign-name", "must_sign", "")
	}
	return c
}

// together: either all of the values are given or none.
func (p *parser) together(values map[string]string, force bool, order ...string) {
	given := force
	for _, v := range values {
		given = given || v != ""
	}
	for _, flag := range order {
		if given && values[flag] == "" {
			p.bad(flag, "must_given", "")
		}
	}
}

func (p *parser) base(flag, text string) string {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		p.bad(flag, "must_url", "")
	}
	return strings.TrimRight(text, "/")
}

func (p *parser) secrets(text string) []string {
	list := splitList(text)
	for _, s := range list {
		if url.PathEscape(s) != s || strings.Trim(s, ".") == "" {
			p.bad("callback-secret", "must_secret", "")
			break
		}
	}
	return list
}

func (p *parser) dataKey(text string) string {
	if text == "" {
		p.bad("data-key", "must_given", "")
		return ""
	}
	if _, err := seal.ParseDataKeys(text); err != nil {
		p.bad("data-key", "must_data_key", "")
	}
	return text
}

func (p *parser) zone(text string) *time.Location {
	zone, err := time.LoadLocation(text)
	if err != nil || text == "" {
		p.bad("timezone", "must_zone", "")
		return time.UTC
	}
	return zone
}

func (p *parser) count(flag, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 5000 {
		p.bad(flag, "must_count", "")
	}
	return n
}

func (p *parser) duration(flag, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		p.bad(flag, "must_duration", "")
	}
	return d
}

func (p *parser) looks(text string) notify.Looks {
	looks, err := notify.ParseLooks(text)
	if err != nil {
		p.bad("unconfirmed-looks", "must_looks", "")
	}
	return looks
}

func (p *parser) price(flag, text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f <= 100) { // NaN is neither
		p.bad(flag, "must_price", "")
	}
	return f
}

func (p *parser) onOff(flag, text string) bool {
	if text != "on" && text != "off" {
		p.bad(flag, "must_on_off", "")
	}
	return text == "on"
}

// nap reads the hours in which no telephone rings; none: there are none.
func (p *parser) nap(text string) notify.Window {
	if text == "none" {
		return notify.Window{}
	}
	w, err := notify.ParseWindow(text)
	if err != nil {
		p.bad("voice-nap", "must_nap", "")
	}
	return w
}

func (p *parser) showNumber(text string) string {
	if strings.Trim(text, "0123456789") != "" || len(text) > 20 {
		p.bad("voice-show-number", "must_number", "")
	}
	return text
}

func splitList(text string) []string {
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// withDataKey fills in a data key for commands that keep nothing under it.
func (s settings) withDataKey() settings {
	if s.DataKey == "" {
		s.DataKey = seal.NewDataKey()
	}
	return s
}
