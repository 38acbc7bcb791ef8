package register

import "log/slog"

// OpenID is a WeChat user's id for our account. It is personal data: it prints masked.
type OpenID string

// String shows nothing of the id.
func (o OpenID) String() string {
	if o == "" {
		return ""
	}
	return "openid-****"
}

// LogValue masks the id in logs.
func (o OpenID) LogValue() slog.Value { return slog.StringValue(o.String()) }
