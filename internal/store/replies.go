package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lingjuli/lingjuli/notify"
)

// EachReply gives stored replies that nobody has handled to handle, the oldest first, but for those in except, and marks each by
// the verdict on it. One worker is at it at a time. Those that can't be read are put aside.
func (s *Store) EachReply(ctx context.Context, limit int, except []int64, handle func(notify.StoredReply) notify.ReplyVerdict) error {
	return s.alone(ctx, "replies", func() error {
		list, unreadable, err := s.nextReplies(ctx, limit, except)
		if err != nil {
			return err
		}
		if err := s.markReplies(ctx, "unreadable", unreadable...); err != nil {
			return err
		}
		for _, r := range list {
			verdict := handle(r)
			if verdict == notify.ReplyWaits {
				continue
			}
			if err := s.markReplies(ctx, verdict, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Outside implements notify.ReceiptLog.
func (s *Store) Outside(err error) bool { return isOutside(err) }

// nextReplies reads replies that nobody has handled, the oldest first, and opens them.
func (s *Store) nextReplies(ctx context.Context, limit int, except []int64) (list []notify.StoredReply, unreadable []int64, err error) {
	err = s.read(ctx, "store: next replies", func(t *tx) error {
		rows, err := t.query(`SELECT id, body FROM receipts WHERE applied_at = 0 AND kind = $1 ORDER BY id LIMIT $2`, receiptReply, limit+len(except))
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var r notify.StoredReply
			var body []byte
			if err := rows.Scan(&r.ID, &body); err != nil {
				return err
			}
			if slices.Contains(except, r.ID) {
				continue
			}
			plain, err := t.keys.Open(body, "receipts", "body", r.ID)
			if err != nil || json.Unmarshal(plain, &r.ReplySMS) != nil {
				unreadable = append(unreadable, r.ID)
				continue
			}
			r.Key = s.replyKey(r.ID, r.ReplySMS)
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, unreadable, err
}

func (s *Store) markReplies(ctx context.Context, verdict notify.ReplyVerdict, ids ...int64) error {
	if len(ids) == 0 {
		return nil
	}
	return s.write(ctx, fmt.Sprintf("store: mark replies %v as %s", ids, verdict), func(t *tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.markReceipts(ids, string(verdict), now)
	})
}
