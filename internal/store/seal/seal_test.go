package seal

import (
	"bytes"
	"errors"
	"testing"
)

func keys(t *testing.T, text string) *Keys {
	t.Helper()
	raw, err := ParseDataKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(raw)
	if err != nil {
		t.Fatal(err)
	}
	k.UseIndexKey(bytes.Repeat([]byte{7}, 32))
	return k
}

func TestAValueOpensOnlyInItsOwnPlaceAndUnderItsKey(t *testing.T) {
	old := NewDataKey()
	k := keys(t, old)
	sealed := k.Seal([]byte("plain"), "people", "name", 7)
	if bytes.Contains(sealed, []byte("plain")) {
		t.Fatal("the sealed value shows the plain text")
	}
	if got, err := k.Open(sealed, "people", "name", 7); err != nil || string(got) != "plain" {
		t.Fatalf("got %q, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another row":    func() ([]byte, error) { return k.Open(sealed, "people", "name", 8) },
		"another column": func() ([]byte, error) { return k.Open(sealed, "people", "phone", 7) },
		"another table":  func() ([]byte, error) { return k.Open(sealed, "staff", "name", 7) },
		"another key":    func() ([]byte, error) { return keys(t, NewDataKey()).Open(sealed, "people", "name", 7) },
		"a changed byte": func() ([]byte, error) {
			bad := bytes.Clone(sealed)
			bad[len(bad)-1] ^= 1
			return k.Open(bad, "people", "name", 7)
		},
		"cut short": func() ([]byte, error) { return k.Open(sealed[:9], "people", "name", 7) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s: opened to %q", name, got)
		}
	}
	rotated := keys(t, NewDataKey()+","+old)
	if got, err := rotated.Open(sealed, "people", "name", 7); err != nil || string(got) != "plain" {
		t.Errorf("after rotation: %q, %v", got, err)
	}
}

func TestIndexesAreStableAndDifferByDomain(t *testing.T) {
	k := keys(t, NewDataKey())
	if !bytes.Equal(k.Index("phone", "1"), keys(t, NewDataKey()).Index("phone", "1")) {
		t.Error("an index depends on the data key")
	}
	if bytes.Equal(k.Index("phone", "1"), k.Index("id", "1")) {
		t.Error("two domains share an index")
	}
	if k.Index("phone", "") != nil {
		t.Error("nothing has an index")
	}
}

func TestABadDataKeyIsRefused(t *testing.T) {
	for _, text := range []string{"", "AAAA", "not base64 at all", NewDataKey() + ",", "," + NewDataKey()} {
		if _, err := ParseDataKeys(text); !errors.Is(err, ErrKey) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
