package turn

import (
	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// Who loses a person hears of it: the account that had them, in WeChat, and the person, by SMS to the number on file. Whoever
// was talked out of a code reads there that it was used, and whom to call.

// The texts by SMS to the person.
const (
	movedKey  = "reply_bound_elsewhere"
	atDoorKey = "reply_bound_at_door"
)

// The texts by SMS of what the office ended: the person's binding, and that somebody looks after another's matters; .Params.phone.
const (
	BindingTaken = "reply_unbound"
	ProxyStopped = "reply_proxy_stopped"
)

// TellTaken says to an account that the office ended its binding, in its own language. Where it can't be told now, it hears of
// it on its next turn.
func (s *Service) TellTaken(to register.OpenID, language, region string) {
	if s.teller == nil || to == "" {
		return
	}
	l, say := s.texts.Localizer(localeOf(language)), lossOf(register.LossTaken)
	s.teller.Tell(Telling{To: to, Text: l.Text(say.Key, s.values(l, region, nil)), Loss: register.LossTaken})
}

// TellStopped says to whoever looked after a person's matters that the office ended it.
func (s *Service) TellStopped(p register.Proxy, region string) {
	if s.teller == nil || p.OpenID == "" {
		return
	}
	news := register.ProxyNews{Proxy: p, Mine: true}
	l, say := s.texts.Localizer(localeOf(p.Language)), newsOf(news)
	s.teller.Tell(Telling{To: p.OpenID, Text: l.Text(say.Key, s.values(l, region, say.Values)), News: news})
}

// tellBound says that the person who was just bound was taken from another account, or that a code of the doorstep bound
// them, which nobody had to see on their telephone.
func (t *oneTurn) tellBound(personID int64, atDoor bool) error {
	to, language, err := t.tx.LostTo(personID)
	switch {
	case err != nil:
		return err
	case to == "" && !atDoor:
		return nil
	case to == "":
		return t.tellBySMS(personID, atDoorKey, map[string]string{})
	}
	l, say := t.s.texts.Localizer(localeOf(language)), lossOf(register.LossMoved)
	t.tellings = append(t.tellings, Telling{To: to, Text: l.Text(say.Key, t.values(l, nil)), Loss: register.LossMoved})
	return t.tellBySMS(personID, movedKey, map[string]string{})
}

// lossOf is how an account hears that it lost its person. It names nobody: the account may be in other hands.
func lossOf(loss register.Loss) flows.Say {
	return flows.Say{Key: "bind.lost_" + string(loss)}
}

// hearLoss puts what this account has not heard yet of a person it lost before the answer.
func (t *oneTurn) hearLoss() error {
	loss, err := t.tx.Loss()
	if err != nil || loss == register.LossNone || t.self != 0 {
		return err
	}
	t.news = append(t.news, lossOf(loss))
	return nil
}
