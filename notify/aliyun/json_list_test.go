package aliyun

import (
	"encoding/json"
	"testing"
)

func TestAListIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	texts := []string{"", "13800000001", "\u5f20\u4e09", `a"b\c`, "a<b>&c", "line\nend", "\u2028", "\xff", "\ufffd", "\x7f", "\U0002a6d6"}
	list := newJSONList(len(texts))
	for _, s := range texts {
		list.text(s)
	}
	if want, _ := json.Marshal(texts); list.String() != string(want) {
		t.Errorf("%s, want %s", list.String(), want)
	}
	objects := []map[string]string{{"name": "a", "code": "b"}, {"code": "c", "name": "d"}, {"other": "e", "name": "f"}, {}, {"<": "\t"}, nil}
	list = newJSONList(len(objects))
	for _, m := range objects {
		list.object(m)
	}
	objects[len(objects)-1] = map[string]string{} // who has no variables has an empty object
	if want, _ := json.Marshal(objects); list.String() != string(want) {
		t.Errorf("%s, want %s", list.String(), want)
	}
	if empty := newJSONList(0).String(); empty != "[]" {
		t.Error(empty)
	}
}

func FuzzATextIsWrittenAsEncodingJSONWritesIt(f *testing.F) {
	f.Add("a\u00e9\u4e00\"")
	f.Fuzz(func(t *testing.T, s string) {
		list := newJSONList(1)
		list.text(s)
		if want, _ := json.Marshal([]string{s}); list.String() != string(want) {
			t.Errorf("%s, want %s", list.String(), want)
		}
	})
}
