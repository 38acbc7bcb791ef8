package staff

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
)

// desk keeps accounts and tries in memory, by the store's rules.
type desk struct {
	accounts []Account
	failed   map[string]int
	entries  []Entry
}

func (d *desk) CreateStaff(_ context.Context, m Member, hash string, by Entry) (Member, error) {
	if _, err := d.StaffByName(context.Background(), m.Name); err == nil {
		return m, ErrNameTaken
	}
	m.ID = int64(len(d.accounts) + 1)
	d.accounts = append(d.accounts, Account{Member: m, PasswordHash: hash, SessionVersion: 1})
	d.entries = append(d.entries, by)
	return m, nil
}

func (d *desk) StaffByName(_ context.Context, name string) (Account, error) {
	for _, a := range d.accounts {
		if NameKey(a.Name) == NameKey(name) {
			return a, nil
		}
	}
	return Account{}, ErrNotFound
}

func (d *desk) StaffByID(_ context.Context, id int64) (Account, error) {
	if id < 1 || int(id) > len(d.accounts) {
		return Account{}, ErrNotFound
	}
	return d.accounts[id-1], nil
}

func (d *desk) SetStaffPassword(_ context.Context, id int64, hash string, by Entry) (int64, error) {
	a := &d.accounts[id-1]
	a.PasswordHash, a.SessionVersion = hash, a.SessionVersion+1
	d.entries = append(d.entries, by)
	return a.SessionVersion, nil
}

func (d *desk) ListStaff(context.Context) ([]Member, error) { return nil, nil }

func (d *desk) BeginLogin(_ context.Context, key string, _ time.Time) (int, error) {
	if d.failed[key] >= MaxFailures {
		return 0, ErrLocked
	}
	d.failed[key]++
	return d.failed[key], nil
}

func (d *desk) EndLogin(_ context.Context, key string, succeeded bool, e Entry) error {
	if succeeded {
		delete(d.failed, key)
	}
	d.entries = append(d.entries, e)
	return nil
}

func (d *desk) last() Entry { return d.entries[len(d.entries)-1] }

func newService(t *testing.T) (*Service, *desk) {
	t.Helper()
	hasher, err := NewHasher()
	if err != nil {
		t.Fatal(err)
	}
	hasher.params.Memory, hasher.params.Iterations = 64, 1 // fast enough for tests
	d := &desk{failed: map[string]int{}}
	return &Service{Accounts: d, Logins: d, Hasher: hasher, Now: func() time.Time { return time.Unix(0, 0) }}, d
}

func TestAMemberIsAddedWithAPasswordOfTheirsOrAGeneratedOne(t *testing.T) {
	s, d := newService(t)
	ctx := context.Background()
	m, password, err := s.Add(ctx, "os:root", Member{Name: " lin.yi ", Role: Author, Region: "441800000000"}, "")
	if err != nil || m.Name != "lin.yi" || m.Region != "4418" || len(password) != 19 {
		t.Fatalf("%+v, %q, %v", m, password, err)
	}
	if e := d.last(); e.Actor != "os:root" || e.Act != DidAddStaff || strings.Contains(d.accounts[0].PasswordHash, password) {
		t.Fatalf("audit %+v", e)
	}
	if _, err := s.LogIn(ctx, "LIN.YI", password); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		m        Member
		password string
		want     error
	}{
		{Member{Name: "x", Role: Author}, "", ErrName},
		{Member{Name: "<b>x</b>", Role: Author}, "", ErrName},
		{Member{Name: "mei", Role: "boss"}, "", ErrRole},
		{Member{Name: "mei", Role: Author, Region: "11"}, "", ErrRegion},
		{Member{Name: "mei", Role: Author}, "short", ErrPasswordShort},
		{Member{Name: "mei", Role: Author}, strings.Repeat("long", 40), ErrPasswordLong},
		{Member{Name: "mei", Role: Author}, "12345678", ErrPasswordSimple},
		{Member{Name: "lin.yi", Role: Author}, "", ErrNameTaken},
	} {
		if _, _, err := s.Add(ctx, "os:root", c.m, c.password); !errors.Is(err, c.want) {
			t.Errorf("%+v, %q: %v, want %v", c.m, c.password, err, c.want)
		}
	}
}

func TestPasswordsThatAGuesserTriesFirstAreRefused(t *testing.T) {
	for _, bad := range []string{"password", "Password1", "88888888", "abababab", "qwertyui", "lin.yi.lin", "23456789"} {
		name := "mei"
		if bad == "lin.yi.lin" {
			name = "Lin.Yi.Lin"
		}
		if err := CheckPassword(name, bad); !errors.Is(err, ErrPasswordSimple) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"correct horse", "县里的服务台二〇二六", GeneratePassword(), "test-pass-1"} {
		if err := CheckPassword("mei", good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestAWrongPasswordAnUnknownNameAndADisabledMemberLookTheSame(t *testing.T) {
	s, d := newService(t)
	ctx := context.Background()
	if _, _, err := s.Add(ctx, "os:root", Member{Name: "lin", Role: Author}, "correct horse"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Add(ctx, "os:root", Member{Name: "gone", Role: Author}, "correct horse"); err != nil {
		t.Fatal(err)
	}
	d.accounts[1].Disabled = true
	for _, c := range [][2]string{{"lin", "wrong"}, {"nobody", "correct horse"}, {"gone", "correct horse"}} {
		if _, err := s.LogIn(ctx, c[0], c[1]); !errors.Is(err, ErrBadLogin) {
			t.Errorf("%s: %v", c[0], err)
		}
	}
	for _, e := range d.entries[2:] {
		if e.Act != DidFailLogIn || strings.Contains(e.Actor+e.Object, "nobody") {
			t.Errorf("audit %+v", e)
		}
	}
}

func TestAnUnknownNameCostsAsMuchAsAKnownOne(t *testing.T) {
	h, err := NewHasher()
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _, err := argon2id.DecodeHash(h.decoy); err != nil || *got != h.params {
		t.Errorf("what stands for the hash of an unknown name costs %+v, others %+v: %v", got, h.params, err)
	}
}

func TestTheFifthFailureLocksAndIsWrittenDown(t *testing.T) {
	s, d := newService(t)
	ctx := context.Background()
	if _, _, err := s.Add(ctx, "os:root", Member{Name: "lin", Role: Author}, "correct horse"); err != nil {
		t.Fatal(err)
	}
	for range MaxFailures - 1 {
		if _, err := s.LogIn(ctx, "lin", "wrong"); !errors.Is(err, ErrBadLogin) {
			t.Fatal(err)
		}
	}
	if _, err := s.LogIn(ctx, "lin", "wrong"); !errors.Is(err, ErrLocked) || d.last().Act != DidLock {
		t.Fatalf("%v, %+v", err, d.last())
	}
	if _, err := s.LogIn(ctx, "lin", "correct horse"); !errors.Is(err, ErrLocked) {
		t.Fatalf("the right password while locked: %v", err)
	}
}

func TestChangingThePasswordNeedsThePresentOneAndEndsSessions(t *testing.T) {
	s, d := newService(t)
	ctx := context.Background()
	m, _, err := s.Add(ctx, "os:root", Member{Name: "lin", Role: Author}, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangePassword(ctx, m, "wrong", "battery staple"); !errors.Is(err, ErrOldPassword) {
		t.Fatal(err)
	}
	version, err := s.ChangePassword(ctx, m, "correct horse", "battery staple")
	if err != nil || version != 2 || d.last().Act != DidChangePassword {
		t.Fatalf("%d, %v, %+v", version, err, d.last())
	}
	if _, err := s.Member(ctx, m.ID, 1); !errors.Is(err, ErrNotFound) {
		t.Fatalf("an older session: %v", err)
	}
	if _, err := s.Member(ctx, m.ID, 2); err != nil {
		t.Fatal(err)
	}
}

func TestGeneratedPasswordsDifferAndHoldNothingThatLooksAlike(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		p := GeneratePassword()
		if seen[p] || strings.ContainsAny(p, "il01o") || strings.Count(p, "-") != 3 {
			t.Fatal(p)
		}
		seen[p] = true
	}
}

func TestARegionIsReadAsTheScopesPrefix(t *testing.T) {
	for code, want := range map[string]string{
		"": "", "44": "", "4418": "4418", "441800": "4418", "441802": "441802", "441802000000": "441802",
		"441802103": "441802103", "441802103000": "441802103", "441802103201": "441802103201", "440000000000": "", "441900": "441900", " 441802 ": "441802",
	} {
		if got, err := RegionPrefix(code); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", code, got, err, want)
		}
	}
	for _, code := range []string{"11", "4", "44180", "4418020", "abc", "450000"} {
		if _, err := RegionPrefix(code); !errors.Is(err, ErrRegion) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestRolesAllowWhatTheyAllowAndNothingElse(t *testing.T) {
	all := []Act{WriteCampaign, ApproveCampaign, PauseCampaign, ResumeCampaign, CancelCampaign, ReadCampaigns, ReadPeople, RevealPerson, ImportData, ReadAudit, ManageStaff}
	may := map[Role]string{
		Author: "campaign.write campaign.read people.read", Approver: "campaign.approve campaign.pause campaign.resume campaign.cancel campaign.read people.read",
		Operator: "campaign.pause campaign.resume campaign.cancel campaign.read people.read people.reveal import", Township: "people.read people.reveal",
		Auditor: "campaign.read people.read audit.read",
	}
	for role, list := range may {
		for _, act := range all {
			want := strings.Contains(" "+list+" ", " "+string(act)+" ")
			if got := (Member{Role: role}).May(act, false); got != want {
				t.Errorf("%s %s: %v", role, act, got)
			}
			if (Member{Role: role, Disabled: true}).May(act, true) {
				t.Errorf("a disabled %s may %s", role, act)
			}
		}
	}
	if own := (Member{Role: Author}); !own.May(PauseCampaign, true) || !own.May(CancelCampaign, true) || own.May(ResumeCampaign, true) {
		t.Error("an author's own campaign")
	}
}
