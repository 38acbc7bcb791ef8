package notify

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
)

// MACs signs what leaves the house and comes back: OutIds and check codes. The store implements it under the
// index key, which never changes, so that old OutIds still verify.
type MACs interface {
	MAC(domain, value string) []byte
}

// The lengths of an OutID's MAC. A voice platform takes no more than 15 bytes for the whole of it.
const (
	outMACBytes   = 10
	voiceOutChars = 15
)

// outEncoding writes ids and MACs without padding, in letters and digits alone.
func outEncoding() *base32.Encoding { return base32.HexEncoding.WithPadding(base32.NoPadding) }

// OutID names a call to its platform: the id and a MAC, so that a forged receipt cannot hit a real message.
func OutID(keys MACs, callID int64, channel Channel) string {
	id := encodeID(callID)
	mac := keys.MAC("outid", strconv.FormatInt(callID, 10))
	if channel == Voice {
		text := outEncoding().EncodeToString(mac)
		return id + "." + text[:max(0, voiceOutChars-len(id)-1)]
	}
	return id + "." + outEncoding().EncodeToString(mac[:outMACBytes])
}

// CallOf reads the call's id from an OutID; ok is false where we did not write it.
func CallOf(keys MACs, outID string, channel Channel) (callID int64, ok bool) {
	head, _, found := strings.Cut(outID, ".")
	if !found {
		return 0, false
	}
	callID, ok = decodeID(head)
	if !ok || !hmac.Equal([]byte(OutID(keys, callID, channel)), []byte(outID)) {
		return 0, false
	}
	return callID, true
}

func encodeID(id int64) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(id)) //nolint:gosec // ids are positive
	for len(raw) > 1 && raw[0] == 0 {
		raw = raw[1:]
	}
	return outEncoding().EncodeToString(raw)
}

func decodeID(text string) (int64, bool) {
	raw, err := outEncoding().DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw) > 8 {
		return 0, false
	}
	full := make([]byte, 8)
	copy(full[8-len(raw):], raw)
	id := int64(binary.BigEndian.Uint64(full)) //nolint:gosec // a negative one is refused below
	return id, id > 0 && encodeID(id) == text
}

// checkChars is the length of a check code: letters and digits that are read aloud without mistakes.
const checkChars = 6

// CheckCode is the code by which a person can learn whether a text is ours. It goes with campaign and person.
func CheckCode(keys MACs, campaignID, personID int64) string {
	mac := keys.MAC("check", strconv.FormatInt(campaignID, 10)+":"+strconv.FormatInt(personID, 10))
	const alphabet = "ACDEFHJKLMNPQRTUVWXY34679"
	code := make([]byte, checkChars)
	for i := range code {
		code[i] = alphabet[int(mac[i])%len(alphabet)]
	}
	return string(code)
}
