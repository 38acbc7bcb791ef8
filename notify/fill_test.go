package notify

import (
	"strings"
	"testing"
	"text/template"

	"pgregory.net/rapid"
)

// What is filled without reflection reads as what the template itself would write.
func TestPlainTextsAreFilledAsTheTemplateWouldFillThem(t *testing.T) {
	texts := []string{
		"{{.Params.deadline}}", "{{.Person.ShortName}}", "{{.Person.Name}}您好", "", "没有变量", "{{.Check}}", "请在{{.Params.deadline}}前到{{.Office.Phone}}",
		"{{.Params.nothing}}", "{{.Office.nothing}}", "{{ .Params.deadline | printf \"%s。\" }}", "{{.Due}}", "{{.Params.count}}", "{{.Person}}",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(texts), 1, 4).Draw(t, "text"), "")
		data := Data{
			"Person": PersonData{Name: rapid.String().Draw(t, "name"), ShortName: rapid.String().Draw(t, "short")},
			"Params": map[string]any{"deadline": rapid.String().Draw(t, "deadline"), "count": 3},
			"Office": map[string]string{"Phone": "12345"}, "Check": "ACDE",
		}
		parsed, err := template.New("t").Option("missingkey=error").Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		wantErr := parsed.Execute(&want, map[string]any(data))
		got, err := newFilling(parsed).fill(data)
		if (err != nil) != (wantErr != nil) || err == nil && got != want.String() {
			t.Fatalf("%q: %q %v, want %q %v", text, got, err, want.String(), wantErr)
		}
	})
}
