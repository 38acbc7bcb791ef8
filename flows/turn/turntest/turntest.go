// Package turntest plays golden conversations: txtar files in Chinese that those who wrote the policy can read.
//
// A file has three parts. The comment says what it shows. "设定" is YAML: the clock, the channel, who is on file.
// "对话" is the conversation: a line "▶ …" is what the person sends, what follows is what they get, "✉" is an SMS, "→" a
// message to another account.
// In brackets stand things that are not text: [点 2] a tapped number, [旧点 2 MARK] one of another question, [链接], [菜单 KEY], [关注 SCENE], [扫码 SCENE],
// [取关], [图片], [位置], [语音], [语音 words], [我是 OPENID], from where on somebody else speaks, and [过 40m], the time
// that passes.
//
// The session is stored and read anew between any two turns, because the store keeps nothing but bytes.
package turntest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

// The names of a file's parts, and the signs of its lines.
const (
	partSetting  = "设定"
	partDialogue = "对话"
	signPerson   = "▶ "
	signSMS      = "✉ "
	signPush     = "→ "
)

// Kept is a store that can tell what was queued for SMS.
type Kept interface {
	turn.Store
	Sent() []turn.Message
}

// Play plays every golden conversation of a folder on a store that open makes. With -update it writes them anew.
func Play(t *testing.T, folder string, update bool, open func(t *testing.T, s Setting) Kept) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden conversations in %s: %v", folder, err)
	}
	engine := Engine(t)
	host := maker(t, engine)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			play(t, file, update, engine, host, open)
		})
	}
}

// Worlds are the people and times of a folder's golden conversations that take place on a channel.
func Worlds(t testing.TB, folder string, channel turn.Channel) (worlds []World) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range archive.Files {
			w := World{Text: string(part.Data)}
			if part.Name != partSetting {
				continue
			}
			if err := yaml.Unmarshal(part.Data, &w); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if w.Channel == channel {
				worlds = append(worlds, w)
			}
		}
	}
	return worlds
}

// Update registers the flag -update for a test binary.
func Update() *bool { return flag.Bool("update", false, "write the golden conversations anew") }

func play(t *testing.T, file string, update bool, engine *flows.Engine, host makeService, open func(t *testing.T, s Setting) Kept) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	part := func(name string) int {
		return slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	}
	if part(partSetting) < 0 || part(partDialogue) < 0 {
		t.Fatalf("%s needs the parts %s and %s", file, partSetting, partDialogue)
	}
	var setting Setting
	if err := yaml.Unmarshal(archive.Files[part(partSetting)].Data, &setting); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	want := string(archive.Files[part(partDialogue)].Data)
	stage := newStage(setting, open(t, setting), host)
	if _, ok := stage.store.(Watched); ok {
		stage.watch = newWatcher(engine)
	}
	got := stage.play(t, want)
	header := stage.header(archive.Comment)
	if update {
		archive.Comment, archive.Files[part(partDialogue)].Data = header, []byte(got)
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s\n--- played\n%s\n--- golden\n%s", file, got, want)
	}
	if !bytes.Equal(header, archive.Comment) {
		t.Errorf("%s: the header says it shows\n%s\nwhich it does not; it shows\n%s", file, archive.Comment, header)
	}
	if strings.Count(want, "\n") < 2*strings.Count(want, signPerson) {
		t.Errorf("%s: some line has no golden answer", file)
	}
}

// stage is one conversation under way.
type stage struct {
	setting Setting
	store   Kept
	service *turn.Service
	now     time.Time
	turns   int
	codes   int
	shown   int // SMS shown so far
	pushes  pushes
	watch   *watcher // nil where the store can't be looked into
	paused  time.Duration
}

// Watched is a store that can be looked into between two turns.
type Watched interface {
	Stands(channel turn.Channel, who string) (session []byte, language string)
}

// header is a file's header as it should be; where nothing was watched, as it is.
func (s *stage) header(comment []byte) []byte {
	if s.watch == nil {
		return comment
	}
	return withHeader(comment, s.watch.header())
}

// pushes keeps what is said to other accounts; all of it arrives, and is noted.
type pushes struct {
	list  []string
	store Kept
}

// Notes is a store that keeps which news of proxies, and of a person they lost, somebody has heard.
type Notes interface {
	LossTold(ctx context.Context, openID register.OpenID) error
	ProxyTold(ctx context.Context, proxyID int64, mine bool, state register.ProxyState, at time.Time) error
}

// Tell implements turn.Teller.
func (p *pushes) Tell(m turn.Telling) {
	p.list = append(p.list, string(m.To)+" "+strings.ReplaceAll(m.Text, "\n", " "))
	notes, ok := p.store.(Notes)
	if !ok {
		return
	}
	var err error
	if m.Loss != register.LossNone {
		err = notes.LossTold(context.Background(), m.To)
	} else {
		err = notes.ProxyTold(context.Background(), m.News.ID, m.News.Mine, m.News.State, time.Now())
	}
	if err != nil {
		p.list = append(p.list, err.Error())
	}
}

// Service makes a host over a store with the embedded book and a simple understander.
func Service(t testing.TB, store turn.Store, now func() time.Time, digits func() string, bell turn.Doorbell) *turn.Service {
	t.Helper()
	return maker(t, Engine(t))(store, now, digits, bell, nil)
}

// makeService makes hosts that share one book and one catalogue.
type makeService func(store turn.Store, now func() time.Time, digits func() string, bell turn.Doorbell, teller turn.Teller) *turn.Service

func maker(t testing.TB, engine *flows.Engine) makeService {
	t.Helper()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	return func(store turn.Store, now func() time.Time, digits func() string, bell turn.Doorbell, teller turn.Teller) *turn.Service {
		return turn.New(turn.Config{
			Engine: engine, Texts: texts, Store: store, Bell: bell, Teller: teller, Now: now, Digits: digits, Zone: time.FixedZone("CST", 8*60*60), Calendar: nationalWeek,
		})
	}
}

// nationalWeek is the only holiday of these conversations: the first seven days of October 2026, for which a Saturday is worked.
func nationalWeek(day time.Time) (works, decreed bool) {
	date := day.Format(time.DateOnly)
	works = date == "2026-10-10"
	return works, works || date >= "2026-10-01" && date <= "2026-10-07"
}

func newStage(setting Setting, store Kept, host makeService) *stage {
	s := &stage{setting: setting, store: store, now: setting.Now, pushes: pushes{store: store}}
	s.service = host(store, func() time.Time { return s.now }, func() string {
		s.codes++
		return fmt.Sprintf("%06d", 100000+s.codes)
	}, nil, &s.pushes)
	return s
}

// play sends the person's lines and writes down what comes back.
func (s *stage) play(t *testing.T, dialogue string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.SplitSeq(dialogue, "\n") {
		said, ok := strings.CutPrefix(line, signPerson)
		if !ok {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintln(&out, line)
		if after, isTime := strings.CutPrefix(said, "[过 "); isTime {
			d, err := time.ParseDuration(strings.TrimSuffix(after, "]"))
			if err != nil {
				t.Fatal(err)
			}
			s.now, s.paused = s.now.Add(d), s.paused+d
			out.WriteString("（" + s.now.Format("01-02 15:04") + "）\n")
			continue
		}
		if who, isSpeaker := strings.CutPrefix(said, "[我是 "); isSpeaker {
			s.setting.Who = strings.TrimSuffix(who, "]")
			out.WriteString("（换人说话）\n")
			continue
		}
		out.WriteString(s.turn(t, said))
	}
	return out.String()
}

func (s *stage) turn(t *testing.T, said string) string {
	t.Helper()
	s.turns++
	s.now = s.now.Add(5 * time.Second)
	in := read(said)
	in.Key, in.Channel, in.Who, in.At = fmt.Sprintf("m:%d", s.turns), s.setting.Channel, s.setting.Who, s.now
	before := s.stands(t)
	answer, err := s.service.Turn(context.Background(), in)
	if err != nil {
		t.Fatalf("%q: %v", said, err)
	}
	if s.watch != nil {
		after := s.stands(t)
		s.watch.see(moment{before: before.session, after: after.session, in: in, paused: s.paused, locale: after.locale})
		s.paused = 0
	}
	if n := utf8.RuneCountInString(answer.Text); n > 600 {
		t.Errorf("%q is answered by %d characters", said, n)
	}
	var out strings.Builder
	if s.setting.Channel == turn.WeChat {
		switch {
		case answer.Text != "":
			fmt.Fprintln(&out, answer.Text)
		case in.Kind == turn.Unfollow || in.Kind == turn.ConsentSeen:
			out.WriteString("（不回）\n")
		default:
			t.Errorf("%q is met with silence", said)
		}
	}
	sent := s.store.Sent()
	for _, m := range sent[s.shown:] {
		fmt.Fprintf(&out, "%s%s %s%s\n", signSMS, string(m.Phone), m.Template, params(m.Params))
	}
	s.shown = len(sent)
	for _, said := range s.pushes.list {
		fmt.Fprintln(&out, signPush+said)
	}
	s.pushes.list = nil
	return out.String()
}

// standing is where somebody stands between two turns.
type standing struct {
	session flows.Session
	locale  locales.Locale
}

func (s *stage) stands(t *testing.T) (now standing) {
	t.Helper()
	if s.watch == nil {
		return now
	}
	body, language := s.store.(Watched).Stands(s.setting.Channel, s.setting.Who)
	session, err := s.watch.book.Read(body)
	if err != nil {
		t.Fatal(err)
	}
	now = standing{session: session, locale: locales.ZhHans}
	if l, ok := locales.Parse(language); ok && s.setting.Channel == turn.WeChat {
		now.locale = l
	}
	return now
}

func params(p map[string]string) string {
	var out strings.Builder
	for _, name := range sorted(p) {
		fmt.Fprintf(&out, " %s=%s", name, p[name])
	}
	return out.String()
}

func sorted(p map[string]string) []string {
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// read turns a line of a golden file into an input.
func read(said string) turn.Inbound {
	if !strings.HasPrefix(said, "[") || !strings.HasSuffix(said, "]") {
		return turn.Inbound{Kind: turn.Text, Text: said}
	}
	word, rest, _ := strings.Cut(said[1:len(said)-1], " ")
	in := turn.Inbound{Kind: turn.Other}
	switch word {
	case "点":
		in.Kind = turn.Tap
		_, _ = fmt.Sscan(rest, &in.Choice)
	case "旧点":
		in.Kind = turn.Tap
		_, _ = fmt.Sscan(rest, &in.Choice, &in.Mark)
	case "链接":
		in.Kind = turn.Link
	case "菜单":
		in.Kind, in.EventKey = turn.MenuClick, rest
	case "关注":
		in.Kind, in.Scene = turn.Follow, rest
	case "扫码":
		in.Kind, in.Scene = turn.Scan, rest
	case "取关":
		in.Kind = turn.Unfollow
	case "图片":
		in.Kind = turn.Picture
	case "位置":
		in.Kind = turn.Location
	case "语音":
		in.Kind, in.Text = turn.Voice, rest
	}
	return in
}
