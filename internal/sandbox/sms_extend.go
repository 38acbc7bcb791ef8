package sandbox

import (
	"hash/crc32"
	"strconv"
	"strings"
)

// Extension numbers: what is appended to the number that a text comes from, so that a reply says which text it answers.
//
// The vendor makes one with each signature and, for ordinary accounts, takes no other: what a caller gives is then without
// effect, and every reply comes back with the signature's own (help.aliyun.com 60127: made by the system, none may be passed
// in; callers see one dest_code whatever they gave, developer.aliyun.com/ask/31614). An account
// that was granted numbers gets them echoed. One number must not serve two signatures (isv.EXTEND_CODE_ERROR).

// extendLimit is the longest number in the vendor's examples (["90999","90998"]); it names no limit.
const extendLimit = 5

func extendsOf(code string) []string {
	if code == "" {
		return nil
	}
	return []string{code}
}

// extended judges the extension numbers of a call, and drops those that the account was not granted.
func (c *carrier) extended(d *draft) *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	within := map[string]string{}
	kept := false
	for i, code := range d.extends {
		if code == "" {
			continue
		}
		if len(code) > extendLimit || strings.Trim(code, "0123456789") != "" {
			return business("isv.EXTEND_CODE_ERROR")
		}
		if !c.granted[code] {
			d.extends[i] = ""
			continue
		}
		sign := at(d.signs, i)
		for _, known := range []string{c.extends[code], within[code]} {
			if known != "" && known != sign {
				return business("isv.EXTEND_CODE_ERROR")
			}
		}
		within[code], kept = sign, true
	}
	switch {
	case !kept:
		d.extends = nil
	case same(d.extends):
		d.extends = d.extends[:1]
	}
	return nil
}

// extendedAs notes which signature the numbers of a call went out with. The caller holds the mutex.
func (c *carrier) extendedAs(call *smsCall) {
	for i, code := range call.extends {
		if code != "" {
			c.extends[code] = call.sign(min(i, len(call.signs)-1))
		}
	}
}

// extend is the number that member i went out with; "" where it is the signature's own.
func (call *smsCall) extend(i int) string {
	if len(call.extends) == 0 {
		return ""
	}
	return at(call.extends, i)
}

// ownCode is the number that the vendor made with a signature.
func ownCode(sign string) string {
	return strconv.FormatUint(uint64(1000+crc32.ChecksumIEEE([]byte(sign))%9000), 10)
}

// SetExtendCodes grants the account these extension numbers, and no others.
func (s *Sandbox) SetExtendCodes(codes ...string) {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.carrier.granted = map[string]bool{}
	for _, code := range codes {
		s.carrier.granted[code] = true
	}
}
