package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lingjuli/lingjuli/bot"
	"github.com/lingjuli/lingjuli/notify/aliyun"
)

// reason is an error in words: a platform's code with what it means, or what kind of fault it is. What nobody foresaw is
// said to be so, with the program's own words for whoever mends it.
func (w texts) reason(err error) string {
	var theirs *aliyun.APIError
	var wechat *bot.APIError
	var lost *bot.TransportError
	var dial net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return w.t("reason_stopped")
	case errors.As(err, &theirs) && theirs.Code != "":
		return w.code(theirs.Code)
	case errors.As(err, &theirs):
		return w.t("reason_away")
	case errors.As(err, &wechat):
		return w.code(strconv.FormatInt(wechat.Code, 10))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &dial) && dial.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		return w.t("reason_timeout")
	case errors.As(err, &lost), errors.As(err, &dial), errors.Is(err, syscall.ECONNREFUSED):
		return w.t("reason_away")
	case errors.Is(err, fs.ErrPermission):
		return w.t("reason_permission")
	case errors.Is(err, syscall.ENOSPC):
		return w.t("reason_disk")
	}
	return w.t("reason_unforeseen", "Words", oneLine(bot.Redact(err)))
}

// code is a platform's code with what it means; one without words stands alone.
func (w texts) code(code string) string {
	key := "code." + strings.ReplaceAll(code, ".", "_")
	if text := w.t(key); text != key {
		return code + " " + text
	}
	return code
}

// failure is why somebody's message failed: a platform's code, or a word of ours, with what it means.
func (w texts) failure(code string) string {
	if text := w.word("failed", code); text != code {
		return code + " " + text
	}
	return w.code(code)
}

// halting is the code behind a halt with what it means. The words that came with it are for the log.
func (w texts) halting(detail string) string {
	code, _, _ := strings.Cut(detail, " ")
	return w.code(code)
}
