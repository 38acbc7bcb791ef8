package store

import "time"

// setWeChatBound notes on people whether an openid of their own is bound to them. For those who keep bindings.
func (t *tx) setWeChatBound(people []int64, bound bool) error {
	_, err := t.exec(`UPDATE people SET wechat_bound = $1 WHERE `+t.among("id", 2), bound, t.idList(people))
	return err
}

// setWeChatSubscribed notes on people whether a subscription notice can reach them. For those who keep consents.
func (t *tx) setWeChatSubscribed(people []int64, subscribed bool) error {
	_, err := t.exec(`UPDATE people SET wechat_subscribed = $1 WHERE `+t.among("id", 2), subscribed, t.idList(people))
	return err
}

// outsSQL and mutesSQL test whether people, or the number they have now, want no campaigns, or none of some kind; doubtsSQL,
// whether that number is in doubt; blacklistSQL, whether the carrier lets no text through to it.
const (
	outsSQL  = `(EXISTS (SELECT 1 FROM opt_outs o WHERE o.person_id = people.id) OR EXISTS (SELECT 1 FROM opt_outs o WHERE o.phone_idx = people.phone_idx))`
	mutesSQL = `(EXISTS (SELECT 1 FROM mutes m WHERE m.person_id = people.id) OR EXISTS (SELECT 1 FROM mutes m WHERE m.phone_idx = people.phone_idx))`

	blacklistSQL = `EXISTS (SELECT 1 FROM blacklisted b WHERE b.phone_idx = people.phone_idx)`

	doubtsSQL = `EXISTS (SELECT 1 FROM phone_doubts x WHERE x.phone_idx = people.phone_idx AND x.person_id = people.id)`
)

// refreshOptedOut notes all four on people, so that a campaign looks for the few alone. For those who keep opt-outs, mutes
// and doubts, and for those who change numbers.
func (t *tx) refreshOptedOut(people []int64) error {
	return t.refreshOuts(t.among("id", 1), t.idList(people))
}

// refreshOptedOutPhone does the same for everybody on a number.
func (t *tx) refreshOptedOutPhone(phoneIdx []byte) error {
	return t.refreshOuts(`phone_idx = $1`, phoneIdx)
}

func (t *tx) refreshOuts(whose string, arg any) error {
	_, err := t.exec(`UPDATE people SET opted_out = `+outsSQL+`, muted = `+mutesSQL+`, doubted = `+doubtsSQL+`, blacklisted = `+blacklistSQL+`
		WHERE `+whose+` AND (opted_out <> `+outsSQL+` OR muted <> `+mutesSQL+` OR doubted <> `+doubtsSQL+` OR blacklisted <> `+blacklistSQL+`)`, arg)
	return err
}

// lockPeople lets those who write people take turns, as the trigger that notes shared numbers does once more.
func (t *tx) lockPeople() error { return t.lockKey("import") }

// maybeShared is the SQL test that a number may be somebody else's too; where it is not, it is nobody else's for certain:
// a trigger on people keeps shared_numbers.
// A subquery that gives a value is run for each row: of an EXISTS, PostgreSQL may read the whole table for each page.
func maybeShared(of string) string {
	return `COALESCE((SELECT 1 FROM shared_numbers n WHERE n.phone_idx = ` + of + `.phone_idx), 0) = 1`
}

// numbersChanged notes that people came, or that numbers, households or who is alive may have changed: whoever remembers
// who shares a number has to count again. For those who write people.
func (t *tx) numbersChanged() error {
	_, err := t.ids(numbersVersion, 1)
	return err
}

// numbersVersion is the sequence that counts such changes.
const numbersVersion = "numbers"

// numbersNow is how often they have changed.
func (t *tx) numbersNow() (version int64, err error) {
	err = t.row(`SELECT COALESCE(max(next), 0) FROM sequences WHERE name = $1`, numbersVersion).Scan(&version)
	return version, err
}

// outsChanged notes that somebody wants no campaigns, or none of a kind, any more, or that a number came into doubt: a call
// that has been claimed and not sent may be to them. For those who write opt-outs, mutes and doubts.
func (t *tx) outsChanged() error {
	_, err := t.ids(outsVersion, 1)
	return err
}

// outsVersion is the sequence that counts how often that was so.
const outsVersion = "outs"

// versions are both, and when that was by the database's clock.
type versions struct {
	numbers, outs int64
	at            time.Time
}

func (t *tx) versions() (v versions, err error) {
	var us int64
	err = t.row(`SELECT COALESCE(max(CASE WHEN name = $1 THEN next END), 0), COALESCE(max(CASE WHEN name = $2 THEN next END), 0), (`+t.d.nowSQL()+`)
		FROM sequences WHERE name IN ($1, $2)`, numbersVersion, outsVersion).Scan(&v.numbers, &v.outs, &us)
	v.at = fromMicros(us)
	return v, err
}
