package bot

import (
	"context"
	"net/http"
)

// Proofs keeps what WeChat says of messages we sent. Taking the same proof twice is taking it once.
type Proofs interface {
	TakeProof(ctx context.Context, p Proof) error
}

// takeProofs hands proofs on. Where one can't be kept WeChat is not told "success", so that it says it again:
// an unconfirmed notice has no other way to be settled.
func (c *Callback) takeProofs(w http.ResponseWriter, r *http.Request, proofs []Proof) {
	if c.proofs == nil {
		c.succeed(w, resultIgnored)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), c.budget)
	defer cancel()
	for _, p := range proofs {
		if err := c.proofs.TakeProof(ctx, p); err != nil {
			c.log.Error("a proof can't be kept", "msg", p.MsgID, "err", err)
			c.meter.posts.WithLabelValues(resultFailed).Inc()
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
	}
	c.succeed(w, resultProof)
}
