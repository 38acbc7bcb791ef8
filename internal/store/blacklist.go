package store

import (
	"fmt"

	"github.com/lingjuli/lingjuli/notify"
)

// A number on the carrier's blacklist, or on that of our signature, gets no campaign's text: it would be refused. That is no
// word of its holder's: telephones ring, WeChat goes, and codes are tried. It is kept by the number, until a text arrives there
// all the same, or for as long as Retentions says.

// saysBlacklisted: the receipt is that of such a number.
func saysBlacklisted(r notify.Report) bool {
	return !r.Delivered && r.Channel != notify.Voice && r.ErrCode == notify.InBlack
}

// blacklist notes numbers that receipts say are on a blacklist, where anybody on file has them. at is when the texts went that
// these are about: word may come late, and a code may have arrived since.
func (t *tx) blacklist(numbers [][]byte, at int64) error {
	of, list := t.amongBytes("phone_idx", 1), t.byteList(numbers)
	_, err := t.exec(`INSERT INTO blacklisted (phone_idx, at) SELECT DISTINCT p.phone_idx, CAST($2 AS BIGINT) FROM people p WHERE `+t.amongBytes("p.phone_idx", 1)+`
			AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.phone_idx = p.phone_idx AND o.state = 'delivered' AND o.settled_at > $2)
		ON CONFLICT (phone_idx) DO UPDATE SET at = excluded.at WHERE excluded.at > blacklisted.at`, list, at)
	if err == nil {
		err = t.refreshOuts(of, list)
	}
	if err != nil {
		return fmt.Errorf("note numbers on a blacklist: %w", err)
	}
	return nil
}

// offBlacklist: a text arrived there.
func (t *tx) offBlacklist(number []byte) error {
	n, err := t.exec(`DELETE FROM blacklisted WHERE phone_idx = $1`, number)
	if err != nil || n == 0 {
		return err
	}
	return t.refreshOptedOutPhone(number)
}

// phoneBlacklisted is the SQL test that a person's number is on a blacklist; people.blacklisted says that there is something to
// look for.
func phoneBlacklisted(of string) string {
	return `(` + of + `.blacklisted AND COALESCE((SELECT 1 FROM blacklisted b WHERE b.phone_idx = ` + of + `.phone_idx), 0) = 1)`
}
