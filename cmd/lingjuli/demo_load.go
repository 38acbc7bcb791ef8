package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/register/fictional"
	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
)

//go:embed demo/templates.yaml
var demoTemplates []byte

//go:embed demo/campaigns.yaml
var demoCampaigns []byte

//go:embed demo/notices.yaml
var demoNotices []byte

// demoSeed makes the county; the same folder and number of people give the same people.
const demoSeed = 20261123

// demo is one running demonstration.
type demo struct {
	a      *app
	people int
	dir    string
	log    *slog.Logger
	env    map[string]string
	life   lifetime
	boxes  *platforms
	server *server
	phones string
	onFile int64 // people in the folder's database
}

// demoStaff are the logins: one writes, the other approves.
func demoStaff() []staff.Member {
	return []staff.Member{{Name: "chen", Role: staff.Author}, {Name: "li", Role: staff.Approver}, {Name: "admin", Role: staff.Admin}}
}

// start brings up the stand-ins, loads the county on the first start, and then serves.
func (d *demo) start() error {
	d.life.log = d.log
	cfg, err := d.config()
	if err != nil {
		return err
	}
	release, err := lockDatabase(filepath.Join(d.dir, "demo"))
	if err != nil {
		return err
	}
	d.life.add("folder lock", func(context.Context) error { release(); return nil })
	ln, err := listen(d.a.ctx, cfg.Listen) // before the county is loaded: a taken port is known at once
	if err != nil {
		return err
	}
	d.life.add("listener", func(context.Context) error { _ = ln.Close(); return nil })
	if d.boxes, err = startSandbox(d.a.ctx, cfg, filepath.Join(d.dir, "sandbox"), d.log); err != nil {
		return err
	}
	d.life.add("sandbox", func(context.Context) error { return d.boxes.life.stop() })
	d.env["LINGJULI_WECHAT_API_BASE"], d.env["LINGJULI_ALIYUN_SMS_ENDPOINT"] = d.boxes.wechat, d.boxes.aliyun
	d.env["LINGJULI_ALIYUN_VOICE_ENDPOINT"] = d.boxes.aliyun
	if cfg, err = d.config(); err != nil {
		return err
	}
	if err := d.writeEnv(); err != nil {
		return err
	}
	if err := d.load(cfg); err != nil {
		return err
	}
	return d.serve(cfg, ln)
}

// serve starts the real server against the stand-ins, and tells them where it is.
func (d *demo) serve(cfg config, ln net.Listener) error {
	srv, err := startServerOn(d.a.ctx, ln, cfg, roles{web: true, worker: true}, d.log)
	if err != nil {
		return err
	}
	d.server = srv
	figures, err := srv.store.PeopleFigures(d.a.ctx, register.Scope{})
	d.life.add("server", func(context.Context) error { return srv.stop() })
	if err != nil {
		return err
	}
	d.onFile = figures.People
	base := "http://" + srv.addr
	d.boxes.box.SetCallback(base + "/wechat/callback")
	d.boxes.box.SetReceipts(sandbox.Receipts{Bases: []string{base + "/aliyun/" + cfg.Secrets[0]}, DelaySeconds: 1, JitterSeconds: 3, FailPercent: 2})
	if err := d.bringFollowers(); err != nil {
		return err
	}
	d.phones, err = d.boxes.serve(d.a.ctx, nextPort(srv.addr), d.boxes.box.PhonesHandler(cast{srv.store}))
	if err != nil { // the next port is taken: any other will do
		d.phones, err = d.boxes.serve(d.a.ctx, "127.0.0.1:0", d.boxes.box.PhonesHandler(cast{srv.store}))
	}
	return err
}

// nextPort is the address with the port after it, so that the phones' address stays the same from start to start.
func nextPort(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return net.JoinHostPort(host, strconv.Itoa(n+1))
}

// load fills the database. Every step may run again: a first start that was interrupted is gone on with.
func (d *demo) load(cfg config) error {
	s, err := openStore(d.a.ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.CheckKey(d.a.ctx); err != nil {
		return err
	}
	if err := s.Migrate(d.a.ctx); err != nil {
		return err
	}
	ours, err := d.templates()
	if err != nil {
		return err
	}
	if err := errors.Join(d.boxes.review(ours), d.showNotices()); err != nil {
		return err
	}
	done := filepath.Join(d.dir, "loaded")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if err := s.ApplyTemplates(d.a.ctx, ours, time.Now(), staff.Entry{At: time.Now(), Actor: osActor(), Act: "template.apply"}); err != nil {
		return err
	}
	if err := d.loadCounty(s); err != nil {
		return err
	}
	if err := d.loadStaff(cfg, s); err != nil {
		return err
	}
	return os.WriteFile(done, []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o600)
}

// templates are the replies of the conversations and the county's own.
func (d *demo) templates() ([]notify.Template, error) {
	replies, err := flows.ReplyTemplates()
	if err != nil {
		return nil, err
	}
	var all []notify.Template
	for _, file := range [][]byte{replies, demoTemplates} {
		list, err := notify.ParseTemplates(file)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// showNotices gives the stand-in's cards the titles and labels that people read.
func (d *demo) showNotices() error {
	var file struct {
		Notices []sandbox.NoticeTemplate `yaml:"notices"`
	}
	if err := yaml.Unmarshal(demoNotices, &file); err != nil {
		return err
	}
	for _, n := range file.Notices {
		n.LongTerm = true
		d.boxes.box.AddNotice(n)
	}
	return nil
}

// loadCounty imports the fictional sheets through the same import as any other.
func (d *demo) loadCounty(s *store.Store) error {
	county := fictional.County{Seed: demoSeed, People: d.people, Today: time.Now()}
	for _, kind := range fictional.Kinds() {
		fmt.Fprintln(d.a.stdout, d.a.texts.t("demo_loading", "Count", d.a.texts.word("kind", kind)))
		path := filepath.Join(d.dir, kind+".csv")
		if err := writeSheet(county, kind, path); err != nil {
			return err
		}
		report, err := importFile(d.a.ctx, s, importRequest{kind: kind, path: path})
		if err != nil {
			return err
		}
		if len(report.Rejected) > 0 {
			return fmt.Errorf("demo %s: row %d: %s", kind, report.Rejected[0].Row, report.Rejected[0].Reason)
		}
	}
	return nil
}

func writeSheet(county fictional.County, kind, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(county.WriteCSV(f, kind), f.Close())
}

// loadStaff adds the logins, and the campaigns to play with under the author's name.
func (d *demo) loadStaff(cfg config, s *store.Store) error {
	service, err := staffService(s)
	if err != nil {
		return err
	}
	for _, m := range demoStaff() {
		if _, _, err := service.Add(d.a.ctx, osActor(), m, d.env["LINGJULI_DEMO_PASSWORD"]); err != nil && !errors.Is(err, staff.ErrNameTaken) {
			return err
		}
	}
	author, err := staffByName(d.a, s, demoStaff()[0].Name)
	if err != nil {
		return err
	}
	var file struct {
		Campaigns []struct {
			File   yaml.Node `yaml:"file"`
			Submit bool      `yaml:"submit"`
		} `yaml:"campaigns"`
	}
	if err := yaml.Unmarshal(demoCampaigns, &file); err != nil {
		return err
	}
	campaigns := newCampaigns(cfg, s, nil)
	for _, c := range file.Campaigns {
		raw, err := yaml.Marshal(&c.File)
		if err != nil {
			return err
		}
		spec, err := notify.ParseSpec(raw)
		if err != nil {
			return err
		}
		id, err := campaigns.Create(d.a.ctx, author, spec)
		if err == nil && c.Submit {
			err = campaigns.Act(d.a.ctx, author, id, notify.Submit, notify.Judgment{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
