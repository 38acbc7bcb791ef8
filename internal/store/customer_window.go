package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// spendWindowSQL takes one message out of the open window of an openid ($1) at a time ($2), and gives no row where none is open. One statement tells and
// takes: the window of what they wrote first, then that of a click.
const spendWindowSQL = `UPDATE contacts SET customer_left = customer_left - CASE WHEN customer_left > 0 AND customer_until > $2 THEN 1 ELSE 0 END,
		click_left = click_left - CASE WHEN customer_left > 0 AND customer_until > $2 THEN 0 ELSE 1 END
	WHERE channel = 'wechat' AND who_idx = $1 AND follows AND (customer_left > 0 AND customer_until > $2 OR click_left > 0 AND click_until > $2)`

// SpendCustomerMessage counts a customer message that an openid is about to get. Where no window is open, as far as is
// known here, there is nothing to count.
func (s *Store) SpendCustomerMessage(ctx context.Context, to register.OpenID, at time.Time) error {
	return s.write(ctx, "store: count a customer message", func(t *tx) error {
		_, err := t.exec(spendWindowSQL, t.keys.Index(whoDomain(turn.WeChat), string(to)), toMicros(at))
		return err
	})
}

// LanguageOf is the language that an openid's contact is kept with, "" where there is none.
func (s *Store) LanguageOf(ctx context.Context, who register.OpenID) (language string, err error) {
	err = s.read(ctx, "store: read a language", func(t *tx) error {
		err := t.row(`SELECT language FROM contacts WHERE channel = 'wechat' AND who_idx = $1`, t.keys.Index(whoDomain(turn.WeChat), string(who))).Scan(&language)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return language, err
}
