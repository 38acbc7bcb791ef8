package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// The plan's decisions as SQL, for a preview, which counts a whole audience and keeps nobody.

// knownSQL is what decides a person's ways, for each of page. They may want no campaign, or none of this kind.
func knownSQL(kind notify.Kind, byWeChat string) string {
	return `SELECT page.*, ` + byWeChat + ` AS by_wechat, COALESCE(busy.people, 0) > 1 AS shared,
			` + personOut("page", kind) + ` AS person_out, ` + phoneOut("page", kind) + ` AS phone_out, ` + phoneDoubted("page") + ` AS phone_doubted,
			` + phoneBlacklisted("page") + ` AS phone_blacklisted,
			page.phone_idx IS NOT NULL AND COALESCE(busy.households, 0) < 3 AS own_phone
		FROM page LEFT JOIN busy ON busy.phone_idx = page.phone_idx`
}

// personOut is the SQL test that a person wants no campaign, or none of a kind. people.opted_out and people.muted say that
// there is something to look for.
func personOut(of string, kind notify.Kind) string {
	return `(` + of + `.opted_out AND EXISTS (SELECT 1 FROM opt_outs o WHERE o.person_id = ` + of + `.id)
				OR ` + of + `.muted AND EXISTS (SELECT 1 FROM mutes m WHERE m.person_id = ` + of + `.id AND m.kind = ` + literal(kind) + `))`
}

// phoneOut is the SQL test that a number wants no campaign, or none of a kind.
func phoneOut(of string, kind notify.Kind) string {
	return `(` + of + `.opted_out AND EXISTS (SELECT 1 FROM opt_outs o WHERE o.phone_idx = ` + of + `.phone_idx)
				OR ` + of + `.muted AND EXISTS (SELECT 1 FROM mutes m WHERE m.phone_idx = ` + of + `.phone_idx AND m.kind = ` + literal(kind) + `))`
}

// phoneDoubted is the SQL test that a person's number is in doubt; people.doubted says that there is something to look for.
// A subquery that gives a value is run for these alone: see maybeShared.
func phoneDoubted(of string) string { return phoneDoubtedBut(of, "") }

// phoneDoubtedBut leaves out the doubts x that but excludes.
func phoneDoubtedBut(of, but string) string {
	return `(` + of + `.doubted AND COALESCE((SELECT 1 FROM phone_doubts x WHERE x.phone_idx = ` + of + `.phone_idx AND x.person_id = ` + of + `.id` + but + `), 0) = 1)`
}

// phoneDoubtedFor is the same test for a channel of a campaign that has begun. That its own text found the number invalid doesn't
// keep the telephone from being tried after it: the carrier's word is on texts, and the number was the person's when they went.
func phoneDoubtedFor(of string, c notify.Campaign, channel notify.Channel) string {
	order := c.Channels()
	text := slices.Index(order, notify.SMS)
	if channel != notify.Voice || text < 0 || text > slices.Index(order, notify.Voice) {
		return phoneDoubted(of)
	}
	return phoneDoubtedBut(of, fmt.Sprintf(` AND NOT (x.reason = '%s' AND x.at >= %d)`, doubtInvalid, toMicros(c.StartedAt)))
}

// weChatSQL is the SQL test that one of the ways of a campaign's WeChat message leads to a person of page, as a claim decides it
// when it is due: see notify.WeChatRoutes. Its parameters begin with $n.
func weChatSQL(routes notify.WeChatRoutes, now time.Time, n int) (test string, args []any) {
	test = "FALSE"
	if routes.Notice != "" {
		test += fmt.Sprintf(` OR EXISTS (SELECT 1 FROM consents k WHERE k.openid_idx = b.openid_idx AND k.template_id = $%d AND k.accepted)`, n)
		args = append(args, routes.Notice)
	}
	if routes.Customer {
		test += fmt.Sprintf(` OR c.customer_until > %d AND c.customer_left > %d`, toMicros(now), notify.KeptForAnswers)
	}
	if routes.Template {
		test += " OR TRUE"
	}
	return `(page.wechat_bound AND COALESCE((SELECT CASE WHEN ` + test + ` THEN 1 ELSE 0 END FROM ` + waysThere + ` AND b.person_id = page.id ORDER BY ` + ownFirst + ` LIMIT 1), 0) = 1)`, args
}

// literal is a kind of campaign as SQL writes a text. There are five of them.
func literal(kind notify.Kind) string { return "'" + strings.ReplaceAll(string(kind), "'", "''") + "'" }

// busySQL counts the people and households of the numbers in a named set of people. Who belongs to no household is one.
func busySQL(set string) string {
	return `SELECT q.phone_idx, count(*) AS people,
			count(DISTINCT CASE WHEN q.household = '' THEN CAST(q.id AS TEXT) ELSE q.household END) AS households
		FROM people q WHERE q.status <> 'deceased' AND q.phone_idx IN (SELECT phone_idx FROM ` + set + ` WHERE phone_idx IS NOT NULL)
		GROUP BY q.phone_idx`
}

// hasSQL is the SQL test that a person of the set has a channel.
func hasSQL(c notify.Channel) string {
	switch c {
	case notify.SMS:
		return `(` + wouldSQL(c) + ` AND NOT phone_out AND NOT phone_doubted AND NOT phone_blacklisted)`
	case notify.Voice:
		return `(` + wouldSQL(c) + ` AND NOT phone_out AND NOT phone_doubted)`
	case notify.WeChat:
	}
	return wouldSQL(c)
}

// wouldSQL is the same test, did the number not want nothing, were it not in doubt, and on no blacklist.
func wouldSQL(c notify.Channel) string {
	switch c {
	case notify.WeChat:
		return `by_wechat`
	case notify.SMS:
		return `(own_phone AND phone_mobile)`
	case notify.Voice:
		return `own_phone`
	}
	return `FALSE`
}

// waySQL is the first channel that a person has, or ”.
func waySQL(channels []notify.Channel) string {
	var b strings.Builder
	b.WriteString("CASE")
	for _, c := range channels {
		fmt.Fprintf(&b, " WHEN %s THEN '%s'", hasSQL(c), c)
	}
	b.WriteString(" WHEN FALSE THEN '' ELSE '' END")
	return b.String()
}

// planSkipSQL is why nothing would go to a person, or ”. A number that wants nothing, is in doubt, or on a blacklist, counts
// only where the campaign would have used it.
func planSkipSQL(channels []notify.Channel) string {
	byPhone, byDoubt, byList := "FALSE", "FALSE", "FALSE"
	for _, c := range channels {
		if c == notify.SMS {
			byList = "phone_blacklisted AND " + wouldSQL(c)
		}
		if c.Phone() {
			byPhone = "phone_out"
			byDoubt += " OR " + wouldSQL(c)
		}
	}
	return `CASE WHEN status = 'deceased' THEN 'deceased' WHEN person_out THEN 'opted_out'
		WHEN channel <> '' THEN '' WHEN phone_doubted AND (` + byDoubt + `) THEN 'doubted' WHEN ` + byPhone + ` THEN 'opted_out' WHEN ` + byList + ` THEN 'blacklisted' ELSE 'no_channel' END`
}
