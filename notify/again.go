package notify

import (
	"context"
	"time"
)

// A request whose answer was lost may never have arrived: the platform's gateway began anew, or the connection broke on the
// way. The worker that still holds its bytes presents them once more, the very same ones: a platform that had them refuses
// them by their nonce, and one that had not takes them now.

const (
	againAfter = time.Second     // so that a gateway that begins anew is there again
	againLeft  = 3 * time.Second // of the lease, so that an answer may come; that the lease lasts proves too that the bytes are young
)

// presentAgain presents a text once more whose answer was lost, in its turn and after a look of its own, as far as the lease
// lasts. What is held now, or not written, is as it was: the first copy may be there.
func (l *lastLooks) presentAgain(ctx context.Context, f *flight) {
	ends, _ := ctx.Deadline()
	if f.channel != SMS || f.answer.Outcome != Unknown || !f.request.Repeatable() || time.Until(ends) < againAfter+againLeft {
		return
	}
	select {
	case <-l.alive.Done():
		return
	case <-time.After(againAfter):
	}
	turn := callTask{CampaignID: f.campaign.ID, Channel: f.channel, Rate: f.campaign.Spec.Rate, Size: f.members, Calls: []int64{f.id}}
	if _, err := l.run.takeTurns(l.alive, turn); err != nil {
		return
	}
	if look := l.fresh(); look.holds(f.id) != "" || look.Left[f.id] < againLeft {
		return
	}
	if answer := l.presentOne(ctx, f); answer.Outcome != NotSent {
		f.answer, f.again = answer, true
	}
}
