package console

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/locales"
)

// frame is what every page has around it. Templates call its methods.
type frame struct {
	v     *visit
	Title string // locale key
	Nav   string // the part of the site that is lit
}

func (v *visit) frame(title, nav string) frame { return frame{v: v, Title: title, Nav: nav} }

// T is the text of a key in the reader's language; pairs fill it: T "people.found" "n" 3.
func (f frame) T(key string, pairs ...any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("console: text %s: odd number of values", key)
	}
	data := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	text, _ := f.v.texts.Text(f.v.lang, key, data)
	return text, nil
}

// Word is the text of a value out of a closed set, or the value itself where there is none.
func (f frame) Word(set string, value any) string {
	plain := fmt.Sprint(value)
	if plain == "" {
		return ""
	}
	if text, ok := f.v.texts.Text(f.v.lang, set+"."+strings.ReplaceAll(plain, ".", "_"), nil); ok {
		return text
	}
	return plain
}

// Lang is the page's language; OtherLang the one to switch to.
func (f frame) Lang() string { return f.v.lang }

// OtherLang is the language to switch to.
func (f frame) OtherLang() string {
	if f.v.lang == locales.ConsoleEnglish {
		return locales.ConsoleChinese
	}
	return locales.ConsoleEnglish
}

// Who is the member who reads, zero on the log-in page.
func (f frame) Who() staff.Member { return f.v.who }

// May says whether the reader's role allows an act at all.
func (f frame) May(act string) bool { return f.v.who.May(staff.Act(act), false) }

// Here is the page's own address, to come back to after a change of language.
func (f frame) Here() string {
	if f.v.r.Method != http.MethodGet && f.v.r.Method != http.MethodHead {
		return "/console/"
	}
	return local(f.v.r.URL.RequestURI())
}

// Static is the address of a static file.
func (f frame) Static(name string) string { return f.v.files.address[name] }

// Done is the key of what was just done, out of the keys there are; the address after a redirect names it.
func (f frame) Done() string {
	done := f.v.r.URL.Query().Get("done")
	if _, ok := f.v.texts.Text(f.v.lang, "done."+done, nil); done == "" || !ok {
		return ""
	}
	return "done." + done
}

// parsePages parses each page together with the frame and the shared parts.
func parsePages() (map[string]*template.Template, error) {
	base, err := template.New("base").ParseFS(embedded, "templates/base.html", "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: templates: %w", err)
	}
	names, err := fs.Glob(embedded, "templates/pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: templates: %w", err)
	}
	pages := make(map[string]*template.Template, len(names))
	for _, name := range names {
		page, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("console: template %s: %w", name, err)
		}
		if _, err := page.ParseFS(embedded, name); err != nil {
			return nil, fmt.Errorf("console: template %s: %w", name, err)
		}
		pages[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return pages, nil
}

// render writes a page whole or not at all.
func (v *visit) render(status int, name string, data any) error {
	var b bytes.Buffer
	page, ok := v.pages[name]
	if !ok {
		return fmt.Errorf("console: no page %s", name)
	}
	if err := page.ExecuteTemplate(&b, "base", data); err != nil {
		return fmt.Errorf("console: render %s: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes())
	return nil
}

// Time is a moment in the console's time zone, to the minute.
func (f frame) Time(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(f.v.Location).Format("2006-01-02 15:04")
}

// Clock is the time of day of a moment.
func (f frame) Clock(at time.Time) string { return at.In(f.v.Location).Format("15:04") }

// Number groups digits by threes.
func (f frame) Number(n any) string { return grouped(fmt.Sprint(n)) }

func grouped(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Yuan is an amount in fen as yuan; below zero: not given.
func (f frame) Yuan(fen int64) string {
	if fen < 0 {
		return ""
	}
	return grouped(fmt.Sprint(fen/100)) + fmt.Sprintf(".%02d", fen%100)
}

// query builds an address with the given pairs, leaving out empty ones.
func query(address string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return address
	}
	if strings.Contains(address, "?") {
		return address + "&" + values.Encode()
	}
	return address + "?" + values.Encode()
}
