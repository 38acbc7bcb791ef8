package notify

import "time"

// Lately is how far back a campaign's pace looks: nights, pauses and what held it before say nothing of how fast it goes.
const Lately = 2 * time.Minute

// paceOver is the shortest time that a pace is reckoned over: of the first call of a morning nobody knows the pace yet.
const paceOver = 10 * time.Second

// Pace notes how fast a campaign goes: so many people's messages were taken, of calls that began between first and now, no
// further back than Lately. There is none where nothing went in that time, or where the campaign doesn't run.
func (s *Status) Pace(people int64, first, now time.Time) {
	s.Rate = 0
	if s.State == Running && people > 0 {
		s.Rate = float64(people) / max(paceOver, now.Sub(first)).Seconds()
	}
}

// Left is how long those whom nothing holds back will take at this pace; 0: nobody knows, or something holds them all.
func (s Status) Left(now time.Time) time.Duration {
	if s.Rate == 0 || s.NextAt != nil && s.NextAt.After(now) {
		return 0
	}
	left := s.Planned + s.Queued + s.Sending - s.held()
	return time.Duration(float64(max(0, left)) / s.Rate * float64(time.Second)).Round(time.Second)
}

// held counts those whom something holds back.
func (s Status) held() (n int64) {
	for _, people := range s.Waiting {
		n += people
	}
	return n
}

// holdTill: the campaign may not send before next. What nothing else holds, its hours do.
func (s *Status) holdTill(next time.Time) {
	if s.NextAt == nil || s.NextAt.Before(next) {
		s.NextAt = &next
	}
	due := s.Planned - s.held()
	if due <= 0 || s.State != Running {
		return
	}
	if s.Waiting == nil {
		s.Waiting = map[WaitReason]int64{}
	}
	s.Waiting[ForHours] += due
}

// Bill prices what a campaign's calls have sent, as budgets do: a text costs its segments, a call by telephone is one,
// whatever receipts say later. What was taken is paid. What is on its way, or was never answered, may have been and counts
// until it is known that it was not; what was refused, or not found by any look, costs nothing, nor does WeChat. The prices
// are today's, and a campaign of which no region has a budget has its cost too.
func (r Rules) Bill(s *Status) {
	all := int64(0)
	s.CostByChannel = nil
	for channel, units := range s.Units {
		cost := r.priceOf(channel, units)
		if cost == 0 {
			continue
		}
		if s.CostByChannel == nil {
			s.CostByChannel = map[Channel]float64{}
		}
		s.CostByChannel[channel] = float64(cost) / microYuan
		all += cost
	}
	s.CostYuan = float64(all) / microYuan
}
