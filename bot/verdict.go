package bot

import (
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// Ruling is what an errcode means for what may be done next.
type Ruling struct {
	Verdict notify.Verdict // empty: the message is there already
	After   time.Duration  // for RetryLater and MemberLater: not before
	Common  bool           // of MemberFinal: it may meet everybody
}

// Classify rules on an errcode of a send. Codes it doesn't know are final for the member: the next channel is
// tried, and where one that may be nobody's own meets everybody, the campaign is halted (notify.Weigh).
//
// Meanings: https://developers.weixin.qq.com/doc/service/guide/dev/errcode.html and the pages of each call.
func Classify(code int64) Ruling {
	switch code {
	case 40241, // the same within 60 s
		45065: // client_msg_id exists
		return Ruling{}
	case -1: // busy, also how bursts are throttled
		return Ruling{Verdict: notify.RetryLater, After: 2 * time.Second}
	case 45011, // calls a minute
		45066: // the same client_msg_id is under way
		return Ruling{Verdict: notify.RetryLater, After: time.Minute}
	case 43117: // too much for this openid
		return Ruling{Verdict: notify.MemberLater, After: 4 * time.Hour}
	case 45015, // no message of theirs in 48 h
		45047: // their messages used up
		return Ruling{Verdict: notify.ChannelClosed}
	case 40003, 43004, 43019, 46004, 48002, 50005, // this person has no use of the account
		43101: // no consent, or none left, for this template; no word against any other way to reach them
		return Ruling{Verdict: notify.MemberFinal}
	}
	if halts(code) {
		return Ruling{Verdict: notify.Halt}
	}
	// 40007 45002 45008 47003 61451: this person's text is at fault, or everybody's.
	return Ruling{Verdict: notify.MemberFinal, Common: true}
}

// halts says that no message of the campaign would get through until staff do something.
func halts(code int64) bool {
	switch code {
	case 40001, 40014, 42001, // the token, after a fresh one was tried
		40125, 40243, // the secret: wrong, frozen
		40013,        // appid
		40164, 89503, // our address: not on the list, waiting for the administrator
		48001, 48004, 48008, 50002, 61004, // the account lacks or lost the right
		40037, 40247, 43116, // the template: unknown, of the old kind, banned
		41030, // the page
		45009, // the day's quota
		45028, // quota of mass messages
		47001: // our JSON
		return true
	}
	return false
}
