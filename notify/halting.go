package notify

import (
	"fmt"
	"strings"
)

// The letters of a campaign's last receipts.
const (
	outcomeGood    = '.'
	outcomeContent = 'c' // the text, the signature or the way is refused
	outcomeDead    = 'd' // dead, off and out-of-service numbers
	outcomeOther   = 'o'
)

// The reasons of halts that a limit made.
const (
	haltContent  = "halt.content"
	haltFailures = "halt.failures"
	haltNumbers  = "halt.numbers"
)

// Limits lists the reasons of halts after which going on raises the limits: those that a limit made. What halted for another
// reason, like money, says nothing about them.
func Limits() []string {
	return []string{haltContent, haltFailures, haltNumbers, haltEverybody}
}

// What halts a campaign, in parts of its last receipts. Each time staff go on after such a halt doubles them.
const (
	outcomesKept   = 500
	outcomesEnough = 25
	contentLimit   = 0.05
	otherLimit     = 0.20
	deadLimit      = 0.60
)

// outcomeOf is the letter of a receipt.
func outcomeOf(delivered bool, code string) byte {
	switch {
	case delivered:
		return outcomeGood
	case strings.HasPrefix(code, "CONTENT_"), code == "PORT_NOT_REGISTERED", code == "NO_ROUTE", code == "IS_CLOSE":
		return outcomeContent
	case code == "MOBILE_NOT_ON_SERVICE", code == "INVALID_NUMBER", code == "MOBILE_ACCOUNT_ABNORMAL":
		return outcomeDead
	}
	return outcomeOther
}

// AddOutcomes adds n receipts that say the same to a campaign's last ones.
func AddOutcomes(outcomes string, delivered bool, code string, n int64) string {
	return LastOutcomes(outcomes + strings.Repeat(string(outcomeOf(delivered, code)), int(min(n, outcomesKept))))
}

// LastOutcomes are as many of a campaign's last receipts as are looked at.
func LastOutcomes(outcomes string) string {
	return outcomes[max(0, len(outcomes)-outcomesKept):]
}

// Judge says whether a campaign's last receipts stop it. A single one never does.
func Judge(c Campaign, outcomes string) *Halting {
	n := len(outcomes)
	if n < outcomesEnough {
		return nil
	}
	for _, t := range []struct {
		letter rune
		of     int
		limit  float64
		reason string
	}{
		{outcomeContent, n, contentLimit, haltContent},
		{outcomeOther, n, otherLimit, haltFailures},
		{outcomeDead, n, deadLimit, haltNumbers},
	} {
		count := strings.Count(outcomes, string(t.letter))
		limit := t.limit * float64(int(1)<<min(c.Raised, 5))
		if count > 1 && t.of > 0 && float64(count) >= limit*float64(t.of) {
			return &Halting{Reason: t.reason, Detail: fmt.Sprintf("%d/%d", count, t.of)}
		}
	}
	return nil
}
