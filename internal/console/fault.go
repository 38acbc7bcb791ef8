package console

import (
	"errors"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// specFault is what is wrong with a campaign, by a key and its data: pages say it in the reader's language.
type specFault struct {
	Key  string
	Data map[string]any
}

// faultOf finds what is wrong with a campaign's file; nil: the error is none of the author's.
func faultOf(err error) *specFault {
	var condition *register.ConditionError
	var file *notify.FileError
	switch {
	case errors.As(err, &condition):
		return &specFault{"condition." + string(condition.Problem), map[string]any{"Path": condition.Path, "Got": condition.Got, "Want": condition.Want}}
	case errors.As(err, &file):
		data := make(map[string]any, len(file.Data))
		for name, value := range file.Data {
			data[name] = value
		}
		return &specFault{"fault." + file.Key, data}
	}
	for sentinel, key := range map[error]string{
		notify.ErrNoTemplate: "unknown_template", notify.ErrKind: "wrong_kind", notify.ErrNoWay: "no_way", notify.ErrTemplateRefused: "template_refused",
	} {
		var about *notify.TemplateError
		if errors.Is(err, sentinel) {
			detail := ""
			if errors.As(err, &about) {
				detail = about.Template
			}
			return &specFault{key, map[string]any{"Detail": detail}}
		}
	}
	if errors.Is(err, notify.ErrSpec) {
		return &specFault{"fault.unreadable", nil}
	}
	return nil
}

// Fault is what is wrong, in words.
func (f frame) Fault(fault *specFault) string {
	text, _ := f.v.texts.Shared(f.v.lang, fault.Key, fault.Data)
	return text
}

// Halting is the code behind a halt with what it means. The words that came with it are for the log.
func (f frame) Halting(detail string) string {
	code, _, _ := strings.Cut(detail, " ")
	if text, ok := f.v.texts.Shared(f.v.lang, "code."+strings.ReplaceAll(code, ".", "_"), nil); ok {
		return code + " " + text
	}
	return code
}

// Why is why a delivery ended as it did, in words: a code that has none stands beside words that say what it is.
func (f frame) Why(reason string) (string, error) {
	key := strings.ReplaceAll(reason, ".", "_")
	for _, of := range []string{"skip.", "proof."} {
		if text, ok := f.v.texts.Text(f.v.lang, of+key, nil); ok {
			return text, nil
		}
	}
	if text, ok := f.v.texts.Shared(f.v.lang, "code."+key, nil); ok {
		return text, nil
	}
	return f.T("skip.unlisted", "code", reason)
}
