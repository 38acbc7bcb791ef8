package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// formError tells a form that is too large from one that is broken.
func formError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", errBadForm, err)
}

// pathID reads the id in the address.
func (v *visit) pathID() (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, errNotFound
	}
	return id, nil
}
