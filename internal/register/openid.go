package register

import "log/slog"

// OpenID is a WeChat user's id for our account. It is personal data: it prints masked.
type OpenID string

// String masks all but the first four characters.
func (o OpenID) String() string {
	if len(o) <= 4 {
		return "****"
	}
	return string(o[:4]) + "****"
}

// LogValue masks the id in logs.
func (o OpenID) LogValue() slog.Value { return slog.StringValue(o.String()) }
