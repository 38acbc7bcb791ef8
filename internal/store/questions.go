package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// Which extension numbers a campaign's questions go out with. They stand in the campaign's row, written once.

// noReplyCodes says that it was decided that a campaign goes without.
const noReplyCodes = "-"

// replyCodesOf reads the column; nil: not decided.
func replyCodesOf(text string) []string {
	switch text {
	case "":
		return nil
	case noReplyCodes:
		return []string{}
	}
	return strings.Split(strings.Trim(text, ","), ",")
}

// TakeReplyCodes implements notify.Questions.
func (s *Store) TakeReplyCodes(ctx context.Context, campaignID int64, pool []string, now time.Time) error {
	return s.write(ctx, fmt.Sprintf("store: extension numbers of campaign %d", campaignID), func(t *tx) error {
		if err := t.lockKey("reply codes"); err != nil {
			return err
		}
		var decided, begun bool
		err := t.row(`SELECT reply_codes <> '', EXISTS (SELECT 1 FROM calls k WHERE k.campaign_id = c.id AND k.begun_at > 0) FROM campaigns c WHERE id = $1`,
			campaignID).Scan(&decided, &begun)
		if errors.Is(err, sql.ErrNoRows) || decided {
			return nil
		}
		if err != nil {
			return err
		}
		codes := noReplyCodes
		if !begun { // replies to what went out already name nothing
			free, err := t.quietCodes(pool, now)
			if err != nil {
				return err
			}
			if len(free) >= notify.AskedOnNumber { // a call with numbers for some of its members alone is nothing that the vendor describes
				codes = "," + strings.Join(free[:notify.AskedOnNumber], ",") + ","
			}
		}
		_, err = t.exec(`UPDATE campaigns SET reply_codes = $2 WHERE id = $1 AND reply_codes = ''`, campaignID, codes)
		return err
	})
}

// quietCodes lists the numbers of the pool by which nothing may be answered any more, those that have been quiet the
// longest first: a text stays on a telephone for years, and somebody may answer it long after.
func (t *tx) quietCodes(pool []string, now time.Time) ([]string, error) {
	last := map[string]int64{}
	busy := map[string]bool{}
	over := toMicros(now.Add(-notify.QuestionOpen))
	err := t.each(`SELECT reply_codes, state, updated_at FROM campaigns WHERE reply_codes LIKE ',%'`, func(rows *sql.Rows) error {
		var codes string
		var state notify.CampaignState
		var updated int64
		err := rows.Scan(&codes, &state, &updated)
		for _, code := range replyCodesOf(codes) {
			last[code] = max(last[code], updated)
			busy[code] = busy[code] || !state.Final() || updated >= over
		}
		return err
	})
	free := slices.DeleteFunc(slices.Clone(pool), func(code string) bool { return busy[code] })
	slices.SortStableFunc(free, func(a, b string) int { return cmp.Compare(last[a], last[b]) })
	return free, err
}

// Asked implements turn.Mail.
func (t *turnTx) Asked(replyCode string) (asked bool, err error) {
	if replyCode == "" || strings.Trim(replyCode, "0123456789") != "" {
		return false, nil
	}
	err = t.row(`SELECT EXISTS (SELECT 1 FROM campaigns WHERE reply_codes LIKE ',%' AND reply_codes LIKE $1)`, "%,"+replyCode+",%").Scan(&asked)
	return asked, err
}

// nameReplies adds by which extension number each message went out by SMS, where it did.
func (t *turnTx) nameReplies(list []register.Sent) error {
	for i := range list {
		var c notify.Campaign
		var codes string
		var channel notify.Channel
		var number []byte
		if t.who.Channel != turn.SMS {
			return nil
		}
		err := t.row(`SELECT c.month, c.reply_codes, d.channel, CASE WHEN d.shared THEN d.phone_idx END FROM campaigns c
			JOIN deliveries d ON d.month = c.month AND d.campaign_id = c.id WHERE c.id = $1 AND d.person_id = $2`,
			list[i].CampaignID, list[i].PersonID).Scan(&c.Month, &codes, &channel, &number)
		if err != nil {
			return fmt.Errorf("read how it was asked: %w", err)
		}
		c.ReplyCodes = replyCodesOf(codes)
		if len(c.ReplyCodes) == 0 || channel != notify.SMS {
			continue
		}
		nth := 0
		if number != nil {
			order, err := t.orderOnNumber(c.Month, list[i].CampaignID, [][]byte{number})
			if err != nil {
				return fmt.Errorf("read how it was asked: %w", err)
			}
			nth = order[list[i].PersonID]
		}
		list[i].ReplyCode = c.ReplyCode(nth)
	}
	return nil
}

// RepliesEchoed says how many of the last replies by SMS, since a campaign first went out with an extension number, came
// back with one of a campaign's.
func (s *Store) RepliesEchoed(ctx context.Context, limit int) (of, echoed int, err error) {
	err = s.read(ctx, "store: how replies come back", func(t *tx) error {
		ours := map[string]bool{}
		var since int64
		err := t.each(`SELECT reply_codes, started_at FROM campaigns WHERE reply_codes LIKE ',%'`, func(rows *sql.Rows) error {
			var codes string
			var began int64
			err := rows.Scan(&codes, &began)
			if since == 0 || began < since {
				since = began
			}
			for _, code := range replyCodesOf(codes) {
				ours[code] = true
			}
			return err
		})
		if err != nil || len(ours) == 0 {
			return err
		}
		return t.each(`SELECT id, body FROM receipts WHERE kind = '`+receiptReply+`' AND received_at >= $1 ORDER BY id DESC LIMIT $2`, func(rows *sql.Rows) error {
			var id int64
			var body []byte
			if err := rows.Scan(&id, &body); err != nil {
				return err
			}
			var r notify.ReplySMS
			if plain, err := s.keys.Open(body, "receipts", "body", id); err != nil || json.Unmarshal(plain, &r) != nil {
				return nil //nolint:nilerr // what can't be read says nothing
			}
			of++
			if ours[r.DestCode] {
				echoed++
			}
			return nil
		}, since, limit)
	})
	return of, echoed, err
}

// addOnNumber says which household of a number it is that the campaign writes to, where two have one.
func (t *tx) addOnNumber(c notify.Campaign, members map[int64]*notify.Facts, rows map[int64]claimRow) error {
	var numbers [][]byte
	for id := range members {
		if rows[id].shared && len(c.ReplyCodes) > 0 && len(rows[id].phone) > 0 {
			numbers = append(numbers, rows[id].phone)
		}
	}
	order, err := t.orderOnNumber(c.Month, c.ID, numbers)
	for id, f := range members {
		f.OnNumber = order[id]
	}
	return err
}

// orderOnNumber says of the people whom a campaign planned for shared numbers which household of the number is theirs, in the
// order of ids. A plan goes by ids: nobody who comes later in it changes the place of those before.
func (t *tx) orderOnNumber(month int, campaignID int64, numbers [][]byte) (map[int64]int, error) {
	order := map[int64]int{}
	if len(numbers) == 0 {
		return order, nil
	}
	households := map[string][]string{}
	err := t.each(`SELECT d.phone_idx, d.person_id, CASE WHEN d.household = '' THEN CAST(d.person_id AS TEXT) ELSE d.household END FROM deliveries d
		WHERE d.month = $1 AND d.campaign_id = $2 AND d.shared AND `+t.amongBytes("d.phone_idx", 3)+` ORDER BY d.person_id`,
		func(rows *sql.Rows) error {
			var phone []byte
			var id int64
			var household string
			if err := rows.Scan(&phone, &id, &household); err != nil {
				return err
			}
			known := households[string(phone)]
			at := slices.Index(known, household)
			if at < 0 {
				at = len(known)
				households[string(phone)] = append(known, household)
			}
			order[id] = at
			return nil
		}, month, campaignID, t.byteList(numbers))
	return order, err
}

// replyKey names a reply: a platform that did not hear our answer pushes it again, and it is kept again.
func (s *Store) replyKey(id int64, r notify.ReplySMS) string {
	if r.SequenceID == "" {
		return "sms:" + strconv.FormatInt(id, 10)
	}
	all := strings.Join([]string{r.SequenceID, string(r.Phone), r.At.UTC().Format(time.RFC3339), r.Content}, "\x00")
	return "sms:" + hex.EncodeToString(s.keys.MAC("reply", all)[:16])
}
