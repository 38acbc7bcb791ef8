package bot

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/locales"
	"github.com/lingjuli/lingjuli/notify"
)

//go:embed pages
var pageFiles embed.FS

// Notices are the registered templates, of which the page asks consent for those that are subscription notices.
type Notices interface {
	ListTemplates(ctx context.Context) ([]notify.Template, error)
}

// PageSigner signs a page for WeChat's JS-SDK.
type PageSigner interface {
	SignPage(ctx context.Context, page string) (PageSignature, error)
}

// SubscribeOptions is what a SubscribePage works with. Log and Now may be left out.
type SubscribeOptions struct {
	Signer  PageSigner
	Notices Notices
	Base    string // what the outside calls this server, such as https://example.org
	Log     *slog.Logger
	Now     func() time.Time
}

// SubscribePage is the page on which a follower agrees to subscription notices. It knows nobody and stores nothing:
// consent is what WeChat's server says in its event. Outside WeChat it says where to go.
// https://developers.weixin.qq.com/doc/service/guide/h5/opentag.html
type SubscribePage struct {
	SubscribeOptions
	texts *locales.Bundle
	page  *template.Template

	mu       sync.Mutex
	kept     []consentTemplate
	keptAt   time.Time
	noList   failure
	noTicket failure
}

// failure is what last went wrong, and when.
type failure struct {
	err error
	at  time.Time
}

// Consent is asked for up to three templates by one tap; the list of templates is read anew after a while; addresses
// longer than this are nobody's. Callers are not counted: behind the proxy all of them have one address. What is dear, the list
// and the ticket, is kept instead, and where it could not be had, nobody asks for it again so soon.
const (
	templatesPerTap = 3
	noticesKept     = 10 * time.Second
	failureKept     = time.Second
	maxPageAddress  = 1024
)

// NewSubscribePage reads the page's texts.
func NewSubscribePage(o SubscribeOptions) (*SubscribePage, error) {
	if o.Signer == nil || o.Notices == nil || o.Base == "" {
		return nil, errors.New("subscribe page: signer, notices and base are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Base = strings.TrimRight(o.Base, "/")
	texts, err := locales.LoadPages()
	if err != nil {
		return nil, err
	}
	page, err := template.ParseFS(pageFiles, "pages/subscribe.html")
	if err != nil {
		return nil, err
	}
	return &SubscribePage{SubscribeOptions: o, texts: texts, page: page}, nil
}

// AddTo mounts the page with its style and script.
func (p *SubscribePage) AddTo(mux *http.ServeMux) {
	mux.Handle("GET /h5/subscribe", p)
	for _, name := range []string{"subscribe.css", "subscribe.js"} {
		mux.HandleFunc("GET /h5/"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "max-age=600")
			http.ServeFileFS(w, r, pageFiles, "pages/"+name)
		})
	}
}

// consentTemplate is one subscription notice with what it is for.
type consentTemplate struct {
	id   string
	kind notify.Kind
}

// consentView is what the page shows.
type consentView struct {
	Lang      string
	Inside    bool   // in WeChat
	Instead   string // key of what is said instead of the question
	Signed    bool
	Sign      PageSignature
	Kinds     []string
	Steps     []string
	Groups    []consentGroup
	Languages []languageLink

	loc *locales.Localizer
}

// T is a text of the page.
func (v *consentView) T(key string) string { return v.loc.Text("consent."+key, nil) }

// consentGroup is one button.
type consentGroup struct{ IDs, Label string }

type languageLink struct {
	ID, Name string
	Current  bool
}

// ServeHTTP shows the page.
func (p *SubscribePage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(r.RequestURI) > maxPageAddress || !strings.HasPrefix(r.RequestURI, "/") {
		http.Error(w, http.StatusText(http.StatusRequestURITooLong), http.StatusRequestURITooLong)
		return
	}
	v := p.viewIn(r)
	status := http.StatusOK
	if err := p.fill(r, v); err != nil {
		status = http.StatusServiceUnavailable
	}
	p.write(w, status, v)
}

// viewIn is the empty page in the language that the address or the phone asks for.
func (p *SubscribePage) viewIn(r *http.Request) *consentView {
	wanted := r.URL.Query().Get("lang")
	locale, ok := locales.Parse(wanted)
	if !ok {
		locale = locales.Match(r.Header.Get("Accept-Language"))
	}
	agent := r.UserAgent()
	v := &consentView{
		Lang: string(locale), loc: p.texts.Localizer(locale),
		Inside: strings.Contains(agent, "MicroMessenger") && !strings.Contains(agent, "wxwork"), // WeCom has no such buttons
	}
	v.Steps = strings.Split(v.T("outside_steps"), "\n")
	for _, l := range locales.All() {
		v.Languages = append(v.Languages, languageLink{string(l), p.texts.Localizer(l).Text("consent.language", nil), l == locale})
	}
	return v
}

// fill adds what is asked consent for, and in WeChat the signature. Where either can't be had the page says so.
func (p *SubscribePage) fill(r *http.Request, v *consentView) error {
	list, err := p.templates(r.Context())
	if err != nil {
		v.Instead = "trouble"
		return err
	}
	if len(list) == 0 {
		v.Instead = "none"
		return nil
	}
	v.Groups = v.grouped(list)
	for _, t := range list {
		if name := v.kindName(t.kind); !slices.Contains(v.Kinds, name) {
			v.Kinds = append(v.Kinds, name)
		}
	}
	if !v.Inside {
		return nil
	}
	v.Sign, err = p.sign(r)
	v.Signed = err == nil
	return err
}

func (p *SubscribePage) sign(r *http.Request) (s PageSignature, err error) {
	p.mu.Lock()
	err = p.lately(p.noTicket)
	p.mu.Unlock()
	if err != nil {
		return s, err
	}
	s, err = p.Signer.SignPage(r.Context(), p.Base+r.RequestURI)
	p.mu.Lock()
	defer p.mu.Unlock()
	return s, p.noted(r.Context(), &p.noTicket, err)
}

// lately gives a failure that is not yet worth another try.
func (p *SubscribePage) lately(f failure) error {
	if p.Now().Sub(f.at) < failureKept {
		return f.err
	}
	return nil
}

// noted keeps an error, unless it is but that whoever asked has gone.
func (p *SubscribePage) noted(ctx context.Context, f *failure, err error) error {
	if err != nil && ctx.Err() == nil {
		p.Log.Error("the consent page is not complete", "error", Redact(err))
		*f = failure{err, p.Now()}
	}
	return err
}

func (v *consentView) kindName(k notify.Kind) string { return v.T("kinds." + string(k)) }

// grouped makes a button of every three templates.
func (v *consentView) grouped(list []consentTemplate) []consentGroup {
	var groups []consentGroup
	for chunk := range slices.Chunk(list, templatesPerTap) {
		var ids, names []string
		for _, t := range chunk {
			ids = append(ids, t.id)
			if name := v.kindName(t.kind); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		label := v.T("agree")
		if len(list) > templatesPerTap { // several buttons: each says what it is for
			label = v.loc.Text("consent.agree_to", map[string]any{"Kinds": v.listed(names)})
		}
		groups = append(groups, consentGroup{strings.Join(ids, ","), label})
	}
	return groups
}

// listed joins names as the language does.
func (v *consentView) listed(names []string) string {
	joined := names[0]
	for _, name := range names[1:] {
		joined = v.loc.Text("consent.listed", map[string]any{"First": joined, "Second": name})
	}
	return joined
}

// templates lists the subscription notices of campaign templates, each once, by kind.
func (p *SubscribePage) templates(ctx context.Context) ([]consentTemplate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.keptAt.IsZero() && p.Now().Sub(p.keptAt) < noticesKept {
		return p.kept, nil
	}
	if err := p.lately(p.noList); err != nil {
		return nil, err
	}
	all, err := p.Notices.ListTemplates(ctx)
	if err = p.noted(ctx, &p.noList, err); err != nil {
		return nil, err
	}
	p.kept, p.keptAt = consentTemplates(all), p.Now()
	return p.kept, nil
}

func consentTemplates(all []notify.Template) []consentTemplate {
	order := []notify.Kind{notify.PremiumReminder, notify.ServiceNotice, notify.PolicyGuidance, notify.JobPosting, notify.TrainingInvitation}
	var list []consentTemplate
	for _, kind := range order {
		for _, t := range all {
			if t.Kind != kind || t.WeChat == nil || t.WeChat.Subscribe == "" {
				continue
			}
			if !slices.ContainsFunc(list, func(c consentTemplate) bool { return c.id == t.WeChat.Subscribe }) {
				list = append(list, consentTemplate{t.WeChat.Subscribe, kind})
			}
		}
	}
	return list
}

// consentPolicy lets the page load what WeChat's JS-SDK and its open tags need, and nothing else.
const consentPolicy = "default-src 'none'; script-src 'self' https://res.wx.qq.com; style-src 'self'; " +
	"frame-src https://*.qq.com webcompt:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (p *SubscribePage) write(w http.ResponseWriter, status int, v *consentView) {
	var b bytes.Buffer
	if err := p.page.Execute(&b, v); err != nil {
		p.Log.Error("the consent page can't be drawn", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", consentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language, User-Agent")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // where it fails, nobody reads any more
}
