package register

import (
	"errors"
	"io/fs"
	"strings"
)

// ErrUnreadable: the file is no sheet that can be read; nothing was changed. The error is an *UnreadableError.
var ErrUnreadable = errors.New("register: the file cannot be read")

// Unreadable is why a file can't be read. Commands and pages say it in words of their own, with what helps.
type Unreadable string

// The values of Unreadable.
const (
	NoSuchFile    Unreadable = "no_such_file"
	MayNotRead    Unreadable = "may_not_read"
	IsFolder      Unreadable = "is_folder"
	IsEmpty       Unreadable = "is_empty"
	NotASheet     Unreadable = "not_a_sheet"   // neither .xlsx nor text
	OldWorkbook   Unreadable = "old_workbook"  // .xls, or with a password
	WebPage       Unreadable = "web_page"      // a web page or XML with another ending
	TooLarge      Unreadable = "too_large"     // Detail: the limit in MB
	BrokenOff     Unreadable = "broken_off"    // a part of it is missing or can't be understood
	UnpacksLarge  Unreadable = "unpacks_large" // to far more than it weighs
	NoVisiblePage Unreadable = "no_visible_sheet"
	NoHeader      Unreadable = "no_header" // Detail: the columns by which a header is known
)

// UnreadableError says why a file can't be read. Detail may be empty.
type UnreadableError struct {
	Why    Unreadable
	Detail string
}

func (e *UnreadableError) Error() string {
	text := ErrUnreadable.Error() + ": " + strings.ReplaceAll(string(e.Why), "_", " ")
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

func (e *UnreadableError) Unwrap() error { return ErrUnreadable }

func unreadable(why Unreadable, detail string) error { return &UnreadableError{why, detail} }

// unopened says why the system did not give us the file.
func unopened(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unreadable(NoSuchFile, "")
	case errors.Is(err, fs.ErrPermission):
		return unreadable(MayNotRead, "")
	}
	return unreadable(BrokenOff, err.Error())
}

// ColumnError names a column that a kind of import does not have. It is an ErrUnknownColumn.
type ColumnError struct {
	Name string
	Kind Kind
}

func (e *ColumnError) Error() string {
	return ErrUnknownColumn.Error() + ": " + e.Name + " of " + string(e.Kind)
}
func (e *ColumnError) Unwrap() error { return ErrUnknownColumn }
