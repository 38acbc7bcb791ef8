package sandbox

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Person is somebody fictional whose phone can be picked up.
type Person struct {
	ID       string // names the person in addresses
	Name     string
	Phone    string // 11 digits, or empty
	OpenID   string // or empty for somebody without WeChat
	IDNumber string // shown so that one can type it
	Note     string // a few words: village, age
	Large    bool   // their phones show large type: the account answers them in elder mode
}

// Cast is who is in the play. Search gives at most limit people whose name, phone or note holds the words; no words
// give the first ones. Find gives ok false for nobody.
type Cast interface {
	Search(ctx context.Context, words string, limit int) ([]Person, error)
	Find(ctx context.Context, id string) (p Person, ok bool, err error)
}

//go:embed data/phones
var phoneFiles embed.FS

// phones is the page with the phones.
type phones struct {
	box  *Sandbox
	cast Cast
	page *template.Template
}

// PhonesHandler is a page on which one picks a person, chats as them and reads their SMS. It may be mounted below any
// path that ends in a slash, with http.StripPrefix. It is for loopback alone.
func (s *Sandbox) PhonesHandler(cast Cast) http.Handler {
	p := &phones{box: s, cast: cast, page: template.Must(template.New("").Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return t.In(beijing()).Format("01-02 15:04") },
		"dict":  pairs,
	}).ParseFS(phoneFiles, "data/phones/*.html"))}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", phoneFunc(p.show))
	mux.Handle("GET /panes", phoneFunc(p.panes))
	mux.Handle("GET /events", phoneFunc(p.events))
	mux.Handle("POST /act", phoneFunc(p.act))
	mux.Handle("GET /web", phoneFunc(p.web))
	mux.Handle("POST /web/config", phoneFunc(p.webConfig))
	mux.Handle("GET /web/notices", phoneFunc(p.webNotices))
	mux.Handle("GET /static/{name}", phoneFunc(p.static))
	return loopbackOnly(strict(mux))
}

// pairs makes a map of name, value, name, value for a template inside a template.
func pairs(list ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(list); i += 2 {
		name, ok := list[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is no name", list[i])
		}
		m[name] = list[i+1]
	}
	return m, nil
}

// strict sets the headers of every answer. There is neither inline script nor inline style on these pages.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

var errNobody = errors.New("nobody in the cast has this id")

// phoneFunc is a handler whose error becomes a plain page.
type phoneFunc func(http.ResponseWriter, *http.Request) error

func (h phoneFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h(w, r)
	switch {
	case err == nil:
	case errors.Is(err, errNobody):
		http.Error(w, err.Error(), http.StatusNotFound)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// phonePage is what the page shows.
type phonePage struct {
	Words   string
	People  []Person
	Person  *Person
	Version string
	Panes   template.HTML // made by the panes template
}

func (p *phones) show(w http.ResponseWriter, r *http.Request) error {
	page := phonePage{Words: r.URL.Query().Get("q")}
	var err error
	if page.People, err = p.cast.Search(r.Context(), page.Words, 60); err != nil {
		return err
	}
	if r.URL.Query().Has("p") {
		person, err := p.person(r)
		if err != nil {
			return err
		}
		page.Person = &person
		var panes []byte
		if panes, page.Version, err = p.render(person); err != nil {
			return err
		}
		page.Panes = template.HTML(panes) // rendered by html/template a line above
	}
	return p.write(w, "page.html", page)
}

func (p *phones) person(r *http.Request) (Person, error) {
	person, ok, err := p.cast.Find(r.Context(), r.FormValue("p"))
	if err == nil && !ok {
		err = errNobody
	}
	return person, err
}

func (p *phones) write(w http.ResponseWriter, name string, data any) error {
	var b bytes.Buffer
	if err := p.page.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // where it fails, nobody reads any more
	return nil
}

// panes gives both phones' contents alone, for the script.
func (p *phones) panes(w http.ResponseWriter, r *http.Request) error {
	person, err := p.person(r)
	if err != nil {
		return err
	}
	body, version, err := p.render(person)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("X-Version", version)
	_, _ = w.Write(body) // as above
	return nil
}

// render makes the panes and a version that changes when they do.
func (p *phones) render(person Person) ([]byte, string, error) {
	var b bytes.Buffer
	if err := p.page.ExecuteTemplate(&b, "panes.html", p.box.view(person)); err != nil {
		return nil, "", err
	}
	h := fnv.New64a()
	_, _ = h.Write(b.Bytes())
	return b.Bytes(), strconv.FormatUint(h.Sum64(), 36), nil
}

// streamLife bounds an event stream, so that a server's shutdown never waits long for one. Browsers come back by themselves.
const streamLife = 5 * time.Second

// events tells the script when the panes changed.
func (p *phones) events(w http.ResponseWriter, r *http.Request) error {
	person, err := p.person(r)
	if err != nil {
		return err
	}
	changed, end := p.box.watchers.watch(person.OpenID, person.Phone, watchMenu)
	defer end()
	w.Header().Set("Content-Type", "text/event-stream")
	over := time.NewTimer(streamLife)
	defer over.Stop()
	for {
		_, version, err := p.render(person)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(w, "retry: 300\ndata: %s\n\n", version)
		if err := http.NewResponseController(w).Flush(); err != nil {
			return nil // gone
		}
		select {
		case <-changed:
		case <-over.C:
			return nil
		case <-r.Context().Done():
			return nil
		case <-p.box.ctx.Done():
			return nil
		}
	}
}

func (p *phones) static(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if name != "phones.css" && name != "phones.js" && name != "jweixin.js" {
		http.NotFound(w, r)
		return nil
	}
	http.ServeFileFS(w, r, phoneFiles, "data/phones/"+name)
	return nil
}

// act does what the person does, and leads back to the page. What the server answers shows up in the chat, faults too.
func (p *phones) act(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	person, err := p.person(r)
	if err != nil {
		return err
	}
	// A closed tab must not cut off a push that is under way.
	ctx := context.WithoutCancel(r.Context())
	if err := p.do(ctx, person, r); err != nil {
		p.box.cfg.Log.Warn("sandbox phones", "act", r.FormValue("do"), "error", err)
	}
	w.Header().Set("Location", "./?p="+url.QueryEscape(person.ID))
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// do is one act of a person. Empty texts are no act.
func (p *phones) do(ctx context.Context, person Person, r *http.Request) error {
	s, id, text, key := p.box, person.OpenID, r.FormValue("text"), r.FormValue("key")
	var err error
	switch r.FormValue("do") {
	case "say":
		if text != "" {
			_, err = s.Say(ctx, id, text)
		}
	case "sms":
		if text != "" {
			err = s.ReplySMS(person.Phone, text)
		}
	case "tap":
		_, err = s.Tap(ctx, id, key, text)
	case "click":
		_, err = s.Click(ctx, id, key, text)
	case "view":
		_, err = s.View(ctx, id, key)
	case "scan":
		if text != "" {
			_, err = s.Scan(ctx, id, text, key)
		}
	case "follow":
		_, err = s.Follow(ctx, id, "", "")
	case "unfollow":
		err = s.Unfollow(ctx, id)
	case "accept", "reject":
		err = s.Choose(ctx, id, Choice{Template: key, Accept: r.FormValue("do") == "accept"})
	case "choose":
		err = p.choose(ctx, id, r)
	case "revoke":
		err = s.Revoke(ctx, id, key)
	case string(HearOut), string(HangUp), string(LeaveIt):
		err = s.TakeCall(key, Answer(r.FormValue("do")))
	case "media":
		_, err = s.SendMedia(ctx, id, key)
	default:
		err = fmt.Errorf("act %q is unknown", r.FormValue("do"))
	}
	return err
}
