package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Elder says whether an account is answered in few words and choices. Nobody known is not.
func (s *Store) Elder(ctx context.Context, open register.OpenID) (elder bool, err error) {
	err = s.read(ctx, "store: elder mode", func(t *tx) error {
		err := t.row(`SELECT elder FROM contacts WHERE channel = 'wechat' AND who_idx = $1`, t.keys.Index("openid", string(open))).Scan(&elder)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return elder, err
}
