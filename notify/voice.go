package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/internal/register"
)

// CallEnd is how a telephone call ended that was not heard to the end.
type CallEnd string

// The ends of a call. NotAnswered: busy, nobody there, out of reach; the same number is called again. HeldBack: the
// platform put it off before it rang. NoNumber: there is no such number, or it is out of service. HungUp: somebody
// answered and did not want it. PickedUp: they heard enough of it to know what it was about.
const (
	NotAnswered CallEnd = "not_answered"
	HeldBack    CallEnd = "held_back"
	NoNumber    CallEnd = "no_number"
	HungUp      CallEnd = "hung_up"
	PickedUp    CallEnd = "answered"
)

// A telephone is called so often at most, with so long between two calls. Calls that the platform held back did not
// ring: they don't count, and end all the same where they go on.
const (
	dialsMost    = 3
	heldBackMost = 6
	redialAfter  = 2 * time.Hour
)

// Ringing is how long a call may ring and speak before its report is there; so long a campaign waits for it.
const Ringing = 2 * time.Minute

// Redial says when a call that ended unheard is made again. unanswered and heldBack count such ends of the delivery's
// calls by telephone, this one included. ok is false where it isn't called again: after the last call, where that would
// come after the campaign's end, or where a further channel is sooner.
func (c Campaign) Redial(end CallEnd, unanswered, heldBack int, further bool, now time.Time) (at time.Time, ok bool) {
	at = now.Add(redialAfter)
	switch {
	case end != NotAnswered && end != HeldBack,
		unanswered >= dialsMost, heldBack >= heldBackMost,
		!c.ExpiresAt.IsZero() && !at.Before(c.ExpiresAt),
		further && c.Spec.FallsBackAfter() <= redialAfter*time.Duration(max(1, unanswered)):
		return time.Time{}, false
	}
	return redialWake(at), true
}

// AwaitReport is when to stop waiting for the report of an accepted call by telephone, where it has no further channel.
func (s Spec) AwaitReport(accepted time.Time) time.Time {
	return accepted.Add(min(voiceProof, s.FallsBackAfter()))
}

// spokenLimit is how many characters all values of a call's text may have together (help.aliyun.com 114035).
const spokenLimit = 250

// checkSpoken finds values that a platform doesn't read out.
func checkSpoken(params map[string]string) error {
	size := 0
	for name, value := range params {
		size += utf8.RuneCountInString(value)
		switch {
		case value == "":
			return fmt.Errorf("%w: %s is empty", ErrTexts, name)
		case strings.Contains(value, "://") || strings.Contains(value, "www."):
			return fmt.Errorf("%w: %s holds a link", ErrTexts, name)
		}
	}
	if size >= spokenLimit {
		return fmt.Errorf("%w: the values have %d characters together, fewer than %d are read out", ErrTexts, size, spokenLimit)
	}
	return nil
}

// spoken fills in what is played to one person: the recording in their language, else the text.
func (m *Member) spoken(t Template, language string, texts *Texts, data Data) error {
	if m.Record = t.Voice.Recordings[language]; m.Record != "" {
		return nil
	}
	var err error
	m.Params, err = texts.Voice(data)
	return err
}

// gateOf is Gate for one channel: no telephone rings at nap time, nor on holidays, when no advertising goes either; unless
// the campaign may send at any hour.
func (r Rules) gateOf(c Campaign, channel Channel, now time.Time) (drop Drop, open bool) {
	if drop, open = r.Gate(c, now); !open && (drop.Event != PutBack || c.State != Running) {
		return drop, false
	}
	if at := r.opensAt(c.Spec, c.Template, channel, now); at.After(now) {
		return Drop{Event: PutBack, WakeAt: at}, false
	}
	return drop, true
}

// check says what is wrong with the voice part of a template by itself; nil is none.
func (v *VoiceTemplate) check() error {
	if v == nil {
		return nil
	}
	spoken, _ := register.FindField("language")
	for language, file := range v.Recordings {
		if !slices.ContainsFunc(spoken.Words(), func(w register.Word) bool { return w.Code == language }) {
			return fault("recording_language", fmt.Sprintf("recordings: %q is no language that the register knows", language), "Got", language)
		}
		if strings.TrimSpace(file) == "" {
			return fault("recording_empty", fmt.Sprintf("recordings: %s names no file", language), "Got", language)
		}
	}
	return checkText(v.Code, v.Content, v.Params)
}
