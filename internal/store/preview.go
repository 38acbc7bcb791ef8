package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lingjuli/lingjuli/notify"
)

// PreviewAudience counts whom a campaign would reach now, with the plan's own rules, and gives some of them.
func (s *Store) PreviewAudience(ctx context.Context, q notify.PreviewQuery) (notify.PreviewCount, error) {
	var count notify.PreviewCount
	err := s.read(ctx, "store: preview an audience", func(t *tx) error {
		count = notify.PreviewCount{
			Reachable: map[notify.Channel]int64{}, Texts: map[notify.Channel]int64{},
			Unreachable: map[notify.SkipReason]int64{}, Samples: map[notify.Channel][]notify.Facts{},
		}
		if err := t.previewCounts(q, &count); err != nil {
			return err
		}
		for _, c := range q.Channels {
			if count.Reachable[c] == 0 {
				continue
			}
			list, err := t.previewSamples(q, c)
			if err != nil {
				return err
			}
			count.Samples[c] = list
		}
		return nil
	})
	return count, err
}

// previewWays is the plan's reading of an audience without writing it: $1 region, then the audience's parameters.
// told says of each person the channel and the reason against it.
func previewWays(q notify.PreviewQuery) (string, []any) {
	audience, args := q.Spec.Audience.SQL(q.Now, 2)
	byWeChat, more := weChatSQL(q.WeChat, q.Now, len(args)+2)
	args = append(args, more...)
	return `WITH page AS (
		SELECT p.id, p.phone_idx, p.phone_mobile, p.household, p.status, p.wechat_bound, p.opted_out, p.muted, p.doubted, p.blacklisted, p.region, p.name_sealed
		FROM people p WHERE substr(p.region, 1, length(CAST($1 AS TEXT))) = $1 AND (` + audience + `)
	), busy AS (` + busySQL("page") + `), known AS (` + knownSQL(q.Spec.Kind, byWeChat) + `), ways AS (
		SELECT known.*, ` + waySQL(q.Channels) + ` AS channel FROM known
	), told AS (
		SELECT ways.*, ` + planSkipSQL(q.Channels) + ` AS why FROM ways
	) `, append([]any{q.Scope.Prefix}, args...)
}

func (t *tx) previewCounts(q notify.PreviewQuery, count *notify.PreviewCount) error {
	with, args := previewWays(q)
	rows, err := t.query(with+`SELECT why, CASE WHEN why = '' THEN channel ELSE '' END AS way, count(*), count(DISTINCT `+t.textKey()+`)
		FROM told GROUP BY 1, 2`, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var why notify.SkipReason
		var channel notify.Channel
		var n, texts int64
		if err := rows.Scan(&why, &channel, &n, &texts); err != nil {
			return err
		}
		count.Matched += n
		if why != "" {
			count.Unreachable[why] += n
			continue
		}
		count.Reachable[channel], count.Texts[channel] = n, texts
	}
	return rows.Err()
}

// textKey is one for all of told who get the same text: the members of one household on one number.
func (t *tx) textKey() string {
	return `CASE WHEN channel IN ('sms', 'voice') AND shared AND household <> '' THEN household || '/' || ` + t.hex("phone_idx") + ` ELSE CAST(id AS TEXT) END`
}

// PreviewPlaces says where the texts of PreviewAudience that cost money go. A text to a household counts in one place.
func (s *Store) PreviewPlaces(ctx context.Context, q notify.PreviewQuery) (list []notify.PlaceTexts, err error) {
	err = s.read(ctx, "store: where a campaign's texts go", func(t *tx) error {
		list = nil
		with, args := previewWays(q)
		return t.each(with+`SELECT region, channel, count(*) FROM (
				SELECT min(region) AS region, channel FROM told WHERE why = '' AND channel IN ('sms', 'voice') GROUP BY channel, `+t.textKey()+`
			) texts GROUP BY region, channel ORDER BY region, channel`, func(rows *sql.Rows) error {
			var p notify.PlaceTexts
			err := rows.Scan(&p.Region, &p.Channel, &p.Texts)
			list = append(list, p)
			return err
		}, args...)
	})
	return list, err
}

// hex writes a blind index as text.
func (t *tx) hex(column string) string {
	if t.d == postgresDialect {
		return "encode(" + column + ", 'hex')"
	}
	return "hex(" + column + ")"
}

func (t *tx) previewSamples(q notify.PreviewQuery, channel notify.Channel) ([]notify.Facts, error) {
	with, args := previewWays(q)
	n := len(args)
	rows, err := t.query(with+fmt.Sprintf(`SELECT id, name_sealed, region FROM told WHERE why = '' AND channel = $%d ORDER BY id LIMIT $%d`, n+1, n+2),
		append(args, string(channel), q.Samples)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []notify.Facts
	for rows.Next() {
		var f notify.Facts
		var name []byte
		if err := rows.Scan(&f.PersonID, &name, &f.Region); err != nil {
			return nil, err
		}
		if err := t.openMember(&f, name, nil); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	facts := make(map[int64]*notify.Facts, len(list))
	for i, f := range list {
		facts[f.PersonID] = &list[i]
	}
	return list, t.addAbout(q.Topics, facts, q.Now)
}
