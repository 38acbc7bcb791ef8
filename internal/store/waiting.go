package store

import (
	"database/sql"

	"github.com/lingjuli/lingjuli/notify"
)

// waiting counts what holds the planned rows of a campaign back. What waits for its turn alone isn't among them: that is
// due at once, or was never put off.
func (t *tx) waiting(key campaignKey) (map[notify.WaitReason]int64, error) {
	now, err := t.now()
	if err != nil {
		return nil, err
	}
	rows, err := t.query(`SELECT CASE WHEN NOT lead THEN '`+string(notify.ForMate)+`'
			WHEN waits_from > 0 THEN '`+string(notify.ForCap)+`'
			WHEN wake_at % 1000000 = 1 THEN '`+string(notify.ForBudget)+`'
			WHEN wake_at % 1000000 = 2 THEN '`+string(notify.ForLimit)+`'
			WHEN wake_at % 1000000 = 3 THEN '`+string(notify.ForAnswer)+`'
			WHEN wake_at % 60000000 = 0 THEN '`+string(notify.ForHours)+`'
			WHEN tries > 0 THEN '`+string(notify.ForRetry)+`' ELSE '' END AS why, count(*)
		FROM deliveries WHERE month = $1 AND campaign_id = $2 AND state = 'planned' AND state <> '' AND (wake_at > $3 OR NOT lead) GROUP BY 1
		UNION ALL SELECT '`+string(notify.ForHours)+`', `+membersIn+` FROM calls WHERE campaign_id = $2 AND state = 'planned' AND wake_at > $3`,
		key.month, key.id, toMicros(now))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list map[notify.WaitReason]int64
	for rows.Next() {
		var why notify.WaitReason
		var n sql.NullInt64
		if err := rows.Scan(&why, &n); err != nil {
			return nil, err
		}
		if why == "" || n.Int64 == 0 { // nobody, or a moment's pause
			continue
		}
		if list == nil {
			list = map[notify.WaitReason]int64{}
		}
		list[why] += n.Int64
	}
	return list, rows.Err()
}
