package bot

import "regexp"

// redactText hides what gives power over the account or names a person, wherever it stands in a text.
func redactText(s string) string {
	// Compiled at each call on purpose: only errors come here, and a package variable would be a global.
	s = regexp.MustCompile(`(?i)\b(access_token|refresh_token|appsecret|secret|js_code|code|ticket)(=|"\s*:\s*")[^&\s"']+`).
		ReplaceAllString(s, "$1$2***")
	return regexp.MustCompile(`\bo[A-Za-z0-9_-]{27}\b`).ReplaceAllString(s, "o***")
}

// Redact gives an error whose text holds no token, secret, code, ticket or openid. errors.Is and As still
// see through it.
func Redact(err error) error {
	if err == nil {
		return nil
	}
	if text := redactText(err.Error()); text != err.Error() {
		return redactedError{text, err}
	}
	return err
}

type redactedError struct {
	text string
	err  error
}

// Error gives the text without secrets.
func (r redactedError) Error() string { return r.text }

// Unwrap gives the cause.
func (r redactedError) Unwrap() error { return r.err }
