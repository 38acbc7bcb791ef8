package notify

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/lingjuli/lingjuli/internal/register"
)

// FileError is one thing that is wrong with a campaign's or template's file. It is an ErrSpec. Commands say it in words
// of their own by its key; Error says it in English, for logs.
type FileError struct {
	Key  string            // like name_missing
	Data map[string]string // Got, Want, Line
	text string
	of   error // what it comes of: a *register.ConditionError, or nil
}

func (e *FileError) Error() string { return ErrSpec.Error() + ": " + e.text }
func (e *FileError) Unwrap() error { return e.of }

// Is says that it is an ErrSpec.
func (e *FileError) Is(target error) bool { return target == ErrSpec }

// fault makes one; pairs are names and values of its data.
func fault(key, text string, pairs ...string) error {
	data := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		data[pairs[i]] = pairs[i+1]
	}
	return &FileError{Key: key, Data: data, text: text}
}

// TemplateError is an error about one template: ErrNoTemplate, ErrKind, ErrNoWay or ErrTemplateRefused.
type TemplateError struct {
	Template string // its key, or the platform's code for it
	Err      error
}

func (e *TemplateError) Error() string { return fmt.Sprintf("template %q: %v", e.Template, e.Err) }
func (e *TemplateError) Unwrap() error { return e.Err }

var (
	unknownField = regexp.MustCompile(`line (\d+): field (\S+) not found in type \S+`)
	wrongType    = regexp.MustCompile("line (\\d+): cannot unmarshal \\S+ `?([^`]*)`? into")
	yamlLine     = regexp.MustCompile(`line (\d+)`)
)

// ReadFault is what is wrong with a text that could not be read: a *FileError.
func ReadFault(err error) error {
	var known *FileError
	var condition *register.ConditionError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &condition):
		return &FileError{Key: "condition", text: condition.Error(), of: condition}
	}
	return parserFault(err)
}

// within says in which template and part of it a fault is.
func within(err error, pairs ...string) error {
	var f *FileError
	if err == nil || !errors.As(err, &f) {
		return err
	}
	in := &FileError{Key: f.Key, Data: maps.Clone(f.Data), text: f.text, of: f.of}
	for i := 0; i+1 < len(pairs); i += 2 {
		in.Data[pairs[i]] = pairs[i+1]
		in.text = strings.ToLower(pairs[i]) + " " + pairs[i+1] + ": " + in.text
	}
	return in
}

// parserFault gives the parser's words a key.
func parserFault(err error) error {
	var types *yaml.TypeError
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if errors.As(err, &types) {
		text = strings.Join(types.Errors, "; ")
	}
	said := unknownField.ReplaceAllString(text, "line $1: unknown key $2")
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return fault("unknown_key", said, "Line", m[1], "Got", m[2])
	}
	if m := wrongType.FindStringSubmatch(text); m != nil {
		return fault("wrong_type", said, "Line", m[1], "Got", strings.ToValidUTF8(m[2], ""))
	}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		return fault("bad_line", said, "Line", m[1])
	}
	return fault("unreadable", said)
}
