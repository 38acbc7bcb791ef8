package turn

import "github.com/lingjuli/lingjuli/internal/register"

// Teller sends a customer message and returns at once. Nothing is lost where it can't: the rows tell it on their next turn.
// Where it could, it notes that in the row, so that nobody is told twice.
type Teller interface {
	Tell(m Telling)
}

// Telling is a message to somebody else than who writes.
type Telling struct {
	To   register.OpenID
	Text string
	News register.ProxyNews // what it tells
	Loss register.Loss      // or that To lost its own person
}
