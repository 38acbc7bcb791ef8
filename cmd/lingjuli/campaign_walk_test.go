package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
)

// The commands that move a campaign, and the system's own moves, as the doors draw them: from → to.
func drawnMoves() map[string]map[notify.CampaignState]notify.CampaignState {
	const draft, submitted, approved, running, paused, halted, finished, cancelled = notify.Draft, notify.Submitted, notify.Approved, notify.Running,
		notify.Paused, notify.Halted, notify.Finished, notify.Cancelled
	type moves = map[notify.CampaignState]notify.CampaignState
	return map[string]moves{
		"submit":  {draft: submitted},
		"return":  {submitted: draft},
		"approve": {submitted: approved},
		"pause":   {running: paused},
		"resume":  {paused: running, halted: running},
		"cancel":  {draft: cancelled, submitted: cancelled, approved: cancelled, running: cancelled, paused: cancelled, halted: cancelled},
		"start":   {approved: running},
		"halt":    {running: halted, paused: halted},
		"finish":  {running: finished},
	}
}

// mayMove are the roles' rights at the doors. own: the campaign is theirs.
func mayMove(role staff.Role, act string, own bool) bool {
	switch role {
	case staff.Admin:
		return act != "approve" || !own
	case staff.Author:
		return act == "submit" || own && (act == "pause" || act == "cancel")
	case staff.Approver:
		return slices.Contains([]string{"approve", "return", "pause", "resume", "cancel"}, act)
	case staff.Operator:
		return slices.Contains([]string{"pause", "resume", "cancel"}, act)
	case staff.Township, staff.Auditor:
	}
	return false
}

// walk is a campaign that staff move by commands, and a few moves of the system's between. No server runs.
type walk struct {
	*town
	store  *store.Store
	people map[string]staff.Member
	names  []string
	path   []string
	id     string
	author string
	state  notify.CampaignState
}

func TestWhateverStaffCommandACampaignMovesAsTheDoorsDrawIt(t *testing.T) {
	settled().Each(t, func(t *testing.T, databaseURL string) {
		w := &walk{town: &town{t: t, env: map[string]string{
			"LINGJULI_DATABASE_URL": databaseURL, "LINGJULI_DATA_KEY": settled().Key, "LANG": "en_US.UTF-8", "LINGJULI_CAP": "none",
		}}}
		w.employ()
		seed := uint64(time.Now().UnixNano())
		r := rand.New(rand.NewPCG(seed, 0))
		moved := map[string]bool{}
		for step := 0; step < 100 && !t.Failed(); step++ {
			if w.id == "" || r.IntN(30) == 0 || w.state.Final() && r.IntN(2) == 0 {
				w.begin(r)
				continue
			}
			act := w.act(r)
			from := w.state
			if slices.Contains([]string{"start", "halt", "finish"}, act) {
				w.system(act)
			} else {
				w.staff(act, w.name(r, act))
			}
			if from != w.state {
				moved[act] = true
			}
		}
		if t.Failed() {
			t.Logf("seed %d: %s", seed, strings.Join(w.path, ", "))
		}
		t.Logf("moved by %v in %d steps", slices.Sorted(maps.Keys(moved)), len(w.path))
	})
}

// employ puts colleagues of every role on file, two who write, and one who approves in a single county.
func (w *walk) employ() {
	w.t.Helper()
	ctx := w.t.Context()
	s, err := openStore(ctx, w.config())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	w.store = s
	service, err := staffService(s)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range []staff.Member{
		{Name: "mo", Role: staff.Author},
		{Name: "county", Role: staff.Approver, Region: "441802"},
		{Name: "ou", Role: staff.Operator},
		{Name: "wang", Role: staff.Township, Region: "441802"},
		{Name: "shen", Role: staff.Auditor},
	} {
		if _, _, err := service.Add(ctx, "test", m, "town-password-1"); err != nil {
			w.t.Fatal(err)
		}
	}
	list, err := s.ListStaff(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	w.people = map[string]staff.Member{}
	for _, m := range list {
		w.people[m.Name] = m
		w.names = append(w.names, m.Name)
	}
}

// begin has somebody who may write begin another campaign.
func (w *walk) begin(r *rand.Rand) {
	w.t.Helper()
	w.author = []string{"chen", "mo", "admin"}[r.IntN(3)]
	w.id = strings.TrimSpace(w.command("campaign", "create", "-f", w.write("sms", "", ""), "--as", w.author))
	w.path = append(w.path, fmt.Sprintf("%s creates %s", w.author, w.id))
	w.state = notify.Draft
	w.stands("create")
}

// act draws an act: mostly one that goes on from the state, so that the walk comes round.
func (w *walk) act(r *rand.Rand) string {
	moves := drawnMoves()
	acts := slices.Sorted(maps.Keys(moves))
	for range 6 {
		act := acts[r.IntN(len(acts))]
		if _, ok := moves[act][w.state]; ok && act != "cancel" {
			return act
		}
	}
	return acts[r.IntN(len(acts))]
}

// name draws who tries it: mostly somebody who may.
func (w *walk) name(r *rand.Rand, act string) (name string) {
	for range 3 {
		if name = w.names[r.IntN(len(w.names))]; w.may(name, act) {
			break
		}
	}
	return name
}

func (w *walk) may(name, act string) bool {
	by := w.people[name]
	return mayMove(by.Role, act, name == w.author) && by.Region == "" // the authors' campaigns are the whole province's
}

// staff has somebody try an act by command.
func (w *walk) staff(act, name string) {
	w.t.Helper()
	to, drawn := drawnMoves()[act][w.state]
	want := exitFailed
	if drawn && w.may(name, act) {
		want, w.state = exitDone, to
	}
	var out, stderr bytes.Buffer
	got := run(w.t.Context(), []string{"campaign", act, w.id, "--as", name}, strings.NewReader(""), &out, &stderr, func(name string) string { return w.env[name] })
	w.path = append(w.path, fmt.Sprintf("%s (%s): %s %s, exit %d", name, w.people[name].Role, act, w.id, got))
	if got != want {
		w.t.Errorf("exit %d, want %d: %s%s", got, want, out.String(), stderr.String())
	}
	if complaint := strings.Count(stderr.String(), "\n"); got == exitFailed && complaint != 1 {
		w.t.Errorf("%d lines of complaint: %s", complaint, stderr.String())
	}
	w.stands(act)
}

// system makes a move of the system's own where the table has it.
func (w *walk) system(act string) {
	w.t.Helper()
	to, drawn := drawnMoves()[act][w.state]
	w.path = append(w.path, "the system: "+act)
	if !drawn {
		return
	}
	ctx, now := w.t.Context(), time.Now()
	var err error
	switch act {
	case "start":
		_, err = w.store.StartDue(ctx)
	case "finish": // of an audience of nobody
		_, err = w.store.PlanPage(ctx, w.campaignID(), now, 10)
		for more := true; more && err == nil; {
			more, err = w.store.EndCampaigns(ctx)
		}
	case "halt":
		db := w.database()
		_, err = db.ExecContext(ctx, "UPDATE campaigns SET state = 'halted', reason = 'halt.numbers' WHERE id = "+w.id)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.state = to
	w.stands(act)
}

// stands checks that the campaign is where the walk thinks.
func (w *walk) stands(after string) {
	w.t.Helper()
	if c, err := w.store.FindCampaign(w.t.Context(), w.campaignID()); err != nil || c.State != w.state {
		w.t.Errorf("after %s: %s, want %s: %v", after, c.State, w.state, err)
	}
}

func (w *walk) campaignID() int64 {
	w.t.Helper()
	n, err := strconv.ParseInt(w.id, 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
