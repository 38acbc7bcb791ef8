package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/locales"
)

// Staff logs members in and answers who they are.
type Staff interface {
	// LogIn: staff.ErrBadLogin, staff.ErrLocked.
	LogIn(ctx context.Context, name, password string) (staff.Account, error)
	// Member is asked on every request: staff.ErrNotFound where the session has ended.
	Member(ctx context.Context, id, sessionVersion int64) (staff.Member, error)
	// ChangePassword returns the version of the sessions that go on.
	ChangePassword(ctx context.Context, m staff.Member, present, wished string) (int64, error)
	// ListStaff lists all members, to name who wrote a campaign.
	ListStaff(ctx context.Context) ([]staff.Member, error)
}

// Audit writes what was looked at and done, and reads it back.
type Audit interface {
	AppendAudit(ctx context.Context, e staff.Entry) error
	ListAudit(ctx context.Context, actor, object string, before int64, limit int) ([]staff.Record, error)
}

// Config is what the console needs.
type Config struct {
	Staff     Staff
	Audit     Audit
	People    People
	Regions   Regions
	Counts    Counts
	Campaigns Campaigns
	Forecast  Forecast
	Books     Books // may be nil
	Inbox     Inbox
	Family    Family    // may be nil
	Codes     Codes     // may be nil: there is no account to bind to
	Witnesses Witnesses // may be nil
	Bindings  Bindings  // may be nil
	Unreached Unreached
	Sessions  scs.CtxStore
	PublicURL string         // https makes the cookies Secure
	SignName  string         // the SMS signature that samples are shown with; may be empty
	Location  *time.Location // for every time shown or typed
	Now       func() time.Time
	Logger    *slog.Logger
	Closing   <-chan struct{} // closed when the server shuts down, so that those who watch are let go; may be nil
}

type console struct {
	Config
	sessions  *scs.SessionManager
	pages     map[string]*template.Template
	texts     *locales.Console
	files     *staticFiles
	statuses  *statusCache
	forecasts *forecastCache
}

// New makes the handler of /console/ and of everything below it.
func New(cfg Config) (http.Handler, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("console: public URL: %w", err)
	}
	c := &console{
		Config: cfg, sessions: sessionManager(cfg.Sessions, public.Scheme == "https"), statuses: &statusCache{held: map[int64]*heldStatus{}},
		forecasts: &forecastCache{held: map[int64]heldForecast{}},
	}
	if c.texts, err = locales.LoadConsole(); err != nil {
		return nil, err
	}
	if c.files, err = loadStatic(); err != nil {
		return nil, err
	}
	if c.pages, err = parsePages(); err != nil {
		return nil, err
	}
	return c.handler(public)
}

// complete says what is missing, so that it is found at the start and not at the first click.
func (cfg Config) complete() error {
	for name, missing := range map[string]bool{
		"Staff": cfg.Staff == nil, "Audit": cfg.Audit == nil, "People": cfg.People == nil,
		"Regions": cfg.Regions == nil, "Counts": cfg.Counts == nil, "Campaigns": cfg.Campaigns == nil, "Forecast": cfg.Forecast == nil,
		"Inbox": cfg.Inbox == nil, "Unreached": cfg.Unreached == nil,
		"Sessions": cfg.Sessions == nil, "Location": cfg.Location == nil, "Now": cfg.Now == nil, "Logger": cfg.Logger == nil,
	} {
		if missing {
			return errors.New("console: the configuration has no " + name)
		}
	}
	return nil
}
