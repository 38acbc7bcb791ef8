package main

import (
	"database/sql"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/internal/sandbox"
	"github.com/lingjuli/lingjuli/internal/store/storetest"
	"github.com/lingjuli/lingjuli/notify"
)

const envFullDisk = "LINGJULI_TEST_FULL_DISK"

// TestAFullDiskLosesNothingAndIsOverByItself fills the disk under a server that is sending a campaign and talking to somebody, and makes room
// again. SQLite has a small file system of its own, which a process in a mount namespace of its own makes; PostgreSQL answers to every write what it
// answers when it can't extend a file.
func TestAFullDiskLosesNothingAndIsOverByItself(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { // beside the other, and beside no other test
		t.Parallel()
		if dir := os.Getenv(envFullDisk); dir != "" {
			fullDiskStory(t, "sqlite:"+filepath.Join(dir, "full.db"), smallDisk(t, dir))
			return
		}
		inMountNamespace(t)
	})
	if os.Getenv("LINGJULI_TEST_POSTGRES") != "" && os.Getenv(envFullDisk) == "" {
		t.Run("postgres", func(t *testing.T) {
			t.Parallel()
			url := storetest.PostgresURL(t)
			fullDiskStory(t, url, refusingDisk(t, url))
		})
	}
}

// inMountNamespace runs this same test where it may mount something that nobody else sees.
func inMountNamespace(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAFullDiskLosesNothingAndIsOverByItself$/^sqlite$", "-test.v")
	cmd.Env = append(os.Environ(), envFullDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case cmd.ProcessState == nil:
		t.Skipf("no mount namespace is to be had here: %v", err)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("no small file system is to be had here:\n%s", out)
	case err != nil || !strings.Contains(string(out), "--- PASS: TestAFullDiskLosesNothingAndIsOverByItself/sqlite"):
		t.Errorf("%v\n%s", err, out)
	}
}

// disk is what a database stands on.
type disk struct{ fill, makeRoom func() }

// smallDisk is a file system of 24 MiB, filled by a file. Mounting needs root or user namespaces, which some containers
// forbid: there the test is left out, and says so.
func smallDisk(t *testing.T, dir string) disk {
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skip("make mounts private:", err)
	}
	if err := syscall.Mount("lingjuli-test", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skip("mount:", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	return disk{
		fill: func() {
			f, err := os.Create(ballast)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, size := range []int{1 << 20, 4 << 10, 1} {
				for err == nil {
					_, err = f.Write(make([]byte, size))
				}
				if !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
					t.Fatal(err)
				}
				err = nil
			}
		},
		makeRoom: func() {
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// refusingDisk refuses every row that is written, as PostgreSQL does where there is no room.
func refusingDisk(t *testing.T, url string) disk {
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	exec := func(query string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	return disk{
		fill: func() {
			exec(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
				DO $$ DECLARE name text; BEGIN
					FOR name IN SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
						EXECUTE 'CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON ' || name || ' FOR EACH ROW EXECUTE FUNCTION no_room()';
					END LOOP; END $$`)
		},
		makeRoom: func() { exec(`DROP FUNCTION no_room CASCADE`) },
	}
}

// fullDiskStory sends to forty people; at the first text the disk is full.
func fullDiskStory(t *testing.T, databaseURL string, d disk) {
	const people, openID = 40, "oFullDisk00000000000000001"
	w := newTown(t, databaseURL, people, nil, "LINGJULI_UNCONFIRMED_LOOKS=2s,4s", "LINGJULI_SMS_QPS=5",
		"LINGJULI_WECHAT_APP_ID=wx0000000000crowd1", "LINGJULI_WECHAT_APP_SECRET=crowd-secret", "LINGJULI_WECHAT_TOKEN="+crowdToken, "LINGJULI_WECHAT_AES_KEY="+crowdAESKey)
	w.box.SetCallback("http://" + w.srv.addr + "/wechat/callback")
	w.box.SetReceipts(sandbox.Receipts{Bases: []string{w.base}, DelaySeconds: 1, RetryScale: 0.02})
	if _, err := w.box.Follow(t.Context(), openID, "", ""); err != nil {
		t.Fatal(err)
	}
	w.hearsAtOnce(openID, "我份医保交咗未", "姓名")
	id := w.campaign("sms", "rate: 5\n")
	w.eventually("a text is accepted", func() bool { return len(w.box.Counts(1)) > 0 })
	d.fill()
	w.hearsAtOnce(openID, "甲一", "冇記低")
	w.eventually("not ready", func() bool { return w.ready() == http.StatusServiceUnavailable })
	time.Sleep(4 * time.Second) // receipts are pushed in vain meanwhile, and leases run on
	w.hearsAtOnce(openID, "甲一", "冇記低")
	if w.ready() != http.StatusServiceUnavailable {
		t.Error("ready with a full disk")
	}
	full := w.status(id)
	if full.Delivered == people {
		t.Error("nothing was left to do when the disk was full")
	}
	d.makeRoom()
	w.eventually("ready", func() bool { return w.ready() == http.StatusOK })
	w.hearsAtOnce(openID, "甲一", "身份證號") // what was said before the disk was full is still known
	w.until(id, "told", func(s notify.Status) bool { return s.Delivered == people && s.State == notify.Finished })
	if n := w.box.Stats().SMS; n.Phones != people || n.Repeated != 0 {
		t.Errorf("the carrier took texts to %d phones, %d of them more than one", n.Phones, n.Repeated)
	}
}

// hearsAtOnce says something and wants an answer at once.
func (w *town) hearsAtOnce(openID, says, want string) {
	w.t.Helper()
	r, err := w.box.Say(w.t.Context(), openID, says)
	if err != nil || r == nil || !strings.Contains(r.Text, want) {
		w.t.Fatalf("to %q the answer was %+v, %v; want %q", says, r, err, want)
	}
}

func (w *town) ready() int {
	w.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	res, err := client.Get("http://" + w.srv.addr + "/readyz")
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}
