package notify

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// urgent sends codes and answers, each alone and presented once.
type urgent struct {
	store   Store
	sender  Sender
	limiter Limiter
	qps     int
	rules   Rules
	log     *slog.Logger
}

// noticeLease covers one presentation.
const noticeLease = 15 * time.Second

// NoticeOutID names a notice to the platform. Its head tells it apart from a call's.
func NoticeOutID(keys MACs, id int64) string {
	mac := keys.MAC("notice outid", strconv.FormatInt(id, 10))
	return "n" + encodeID(id) + "." + outEncoding().EncodeToString(mac[:outMACBytes])
}

// NoticeOf reads the notice's id from an OutID; ok is false where we did not write it.
func NoticeOf(keys MACs, outID string) (id int64, ok bool) {
	head, _, found := strings.Cut(outID, ".")
	if !found || !strings.HasPrefix(head, "n") {
		return 0, false
	}
	id, ok = decodeID(head[1:])
	return id, ok && hmac.Equal([]byte(NoticeOutID(keys, id)), []byte(outID))
}

// send claims one notice and sends it.
func (u *urgent) send(ctx context.Context, id int64) error {
	if u.sender == nil {
		return errors.New("there is no sender for sms")
	}
	err := takeTurn(ctx, u.limiter, func() (Bucket, error) {
		account := AccountBucket(string(SMS), u.qps)
		kind, err := u.store.NoticeWaits(ctx, id)
		if kind != Verification {
			account = account.behind()
		}
		return account, err
	})
	began := time.Now()
	var n Notice
	if err == nil {
		n, err = u.store.ClaimNotice(ctx, id, NoticeOutID(u.store, id), noticeLease)
	}
	if errors.Is(err, ErrNoNotice) {
		return nil
	}
	if err != nil {
		return err
	}
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	err = u.store.SettleNotice(settle, n.ID, u.present(ctx, n, began))
	if errors.Is(err, ErrNoNotice) {
		return nil // a receipt was faster
	}
	return err
}

// present sends a claimed notice and says what became of it.
func (u *urgent) present(ctx context.Context, n Notice, began time.Time) Settlement {
	request, segments, err := u.sign(ctx, n)
	if err != nil {
		u.log.Error("a notice can't be signed", "notice", n.ID, "template", n.TemplateKey, "error", err)
		return Settlement{State: NoticeFailed, Code: "request"}
	}
	ctx, cancel := context.WithDeadline(ctx, began.Add(noticeLease))
	defer cancel()
	a := request.Present(ctx)
	if a.Outcome != Accepted {
		u.log.Warn("a notice was not accepted", "notice", n.ID, "outcome", string(a.Outcome), "code", a.Code, "message", a.Message)
	}
	pauses := Retries()
	again := a.Outcome == NotSent || a.Outcome == Refused && a.Verdict == RetryLater
	switch {
	case a.Outcome == Accepted:
		return Settlement{State: NoticeAccepted, PlatformID: a.ID, Code: a.Code, Segments: segments}
	case again && n.Tries <= len(pauses):
		return Settlement{State: NoticeQueued, Code: a.Code, RetryIn: pauses[max(0, n.Tries-1)]}
	case a.Outcome == Unknown || a.Verdict == BytesSpent:
		return Settlement{State: NoticeUnconfirmed, Code: a.Code}
	}
	return Settlement{State: NoticeFailed, Code: a.Code}
}

// sign makes the request of a notice, and counts its segments.
func (u *urgent) sign(ctx context.Context, n Notice) (request Request, segments int, err error) {
	template, err := u.store.FindTemplate(ctx, n.TemplateKey)
	if err != nil {
		return nil, 0, err
	}
	if template.SMS == nil || template.Kind != n.Kind {
		return nil, 0, fmt.Errorf("template %s is none for %s by SMS", n.TemplateKey, n.Kind)
	}
	texts, err := NewTexts(template)
	if err != nil {
		return nil, 0, err
	}
	params := make(map[string]any, len(n.Params))
	for k, v := range n.Params {
		params[k] = v
	}
	filled, err := texts.SMS(Data{"Params": params, "Office": GeneralOffice("")})
	if err != nil {
		return nil, 0, err
	}
	out := Outgoing{
		ID: n.ID, OutID: n.OutID, Channel: SMS, Kind: n.Kind, Template: template,
		Members: []Member{{PersonID: n.PersonID, Phone: n.Phone, Params: filled}},
	}
	request, err = u.sender.Sign(ctx, out)
	return request, u.rules.segmentsOf(out), err
}
