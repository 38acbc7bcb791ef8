package register

import (
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"strconv"
)

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

// Sign is three digits by which people tell accounts apart that we know no name of: whoever asks for somebody's matters reads
// them, and so does whoever is to agree. Nothing of the id can be read from them. Of an account that is forgotten there is none.
func (o OpenID) Sign() string {
	if o == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("sign of " + string(o)))
	return strconv.Itoa(100 + int(binary.BigEndian.Uint32(sum[:])%900))
}
