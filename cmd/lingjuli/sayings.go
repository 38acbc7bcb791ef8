package main

import (
	"errors"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/internal/store"
	"github.com/lingjuli/lingjuli/notify"
)

// wording is an error's words for people.
type wording struct {
	err    error
	key    string
	detail bool // the words end in what the error says beyond the sentinel
}

// wordings is the one table from errors to the commands' texts.
func wordings() []wording {
	return []wording{
		{store.ErrWrongKey, "wrong_key", false},
		{store.ErrSchema, "wrong_schema", false},
		{staff.ErrForbidden, "not_allowed", false},
		{staff.ErrName, "bad_staff_name", false},
		{staff.ErrRegion, "bad_staff_region", false},
		{staff.ErrPasswordShort, "password_short", false},
		{staff.ErrPasswordLong, "password_long", false},
		{staff.ErrPasswordSimple, "password_simple", false},
		{notify.ErrSameColleague, "approver_is_author", false},
		{notify.ErrChanged, "campaign_changed", false},
		{notify.ErrNoTemplate, "unknown_template", true},
		{notify.ErrKind, "wrong_kind", true},
		{notify.ErrNoWay, "no_way", true},
		{notify.ErrTemplateRefused, "template_refused", true},
		{register.ErrRegionUnknown, "region_unknown", false},
	}
}

// worded finds the words of an error; ok is false where the table has none.
func (w texts) worded(err error) (text string, ok bool) {
	if text, ok := w.fileFault(err); ok {
		return w.t("bad_file", "Detail", text), true
	}
	if errors.Is(err, notify.ErrSpec) {
		return w.t("bad_file", "Detail", w.t("fault.unreadable")), true
	}
	for _, x := range wordings() {
		if !errors.Is(err, x.err) {
			continue
		}
		if !x.detail {
			return w.t(x.key), true
		}
		detail := ""
		var about *notify.TemplateError
		if errors.As(err, &about) {
			detail = about.Template
		}
		return w.t(x.key, "Detail", detail), true
	}
	return "", false
}

// fileFault is what is wrong with a campaign's or template's file.
func (w texts) fileFault(err error) (text string, ok bool) {
	var condition *register.ConditionError
	var file *notify.FileError
	switch {
	case errors.As(err, &condition):
		return w.t("condition."+string(condition.Problem), "Path", condition.Path, "Got", condition.Got, "Want", condition.Want), true
	case errors.As(err, &file):
		pairs := make([]any, 0, 2*len(file.Data))
		for name, value := range file.Data {
			pairs = append(pairs, name, value)
		}
		return w.t("fault."+file.Key, pairs...), true
	}
	return "", false
}
