package bot

import (
	"context"
	"errors"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
)

// Messenger says something to one person outside a reply: a customer message.
type Messenger interface {
	Say(ctx context.Context, to register.OpenID, text string) error
}

// lateLimit bounds one customer message with its retry.
const lateLimit = 10 * time.Second

// sendLate sends the answer of a flight whose post was already answered by "success".
func (c *Callback) sendLate(by Messenger, f *flight) {
	text := f.answer.Text
	if f.err != nil {
		c.log.Error("a late turn failed", "kind", f.in.Kind, "err", f.err)
		text = c.apology(f.in)
		f.answer.Choices = nil
	}
	body := renderText(text, f.answer.Choices)
	if body == "" || by == nil || errors.Is(f.err, errPanicked) {
		c.meter.late.WithLabelValues("silent").Inc()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lateLimit)
	defer cancel()
	if err := by.Say(ctx, register.OpenID(f.in.Who), body); err != nil {
		c.log.Error("a late answer can't be sent", "to", register.OpenID(f.in.Who), "err", err)
		c.meter.late.WithLabelValues("failed").Inc()
		return
	}
	c.meter.late.WithLabelValues("sent").Inc()
}

// Shutdown takes no more posts (they get 503, and WeChat brings them again) and waits for the turns under way
// and for the answers that follow them.
func (c *Callback) Shutdown(ctx context.Context) error { return c.flights.shutdown(ctx) }
