package notify

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Money is counted in millionths of a yuan: a segment costs fractions of a fen.
const microYuan = 1_000_000

// NoLimit as a budget's amount lifts it.
const NoLimit = -1

// Budget is what a region may spend on campaigns by SMS and telephone in one month. A month of which nothing was said
// has the amount of the last one before it.
type Budget struct {
	Region string // 2, 4, 6, 9 or 12 digits
	Month  int    // 202612
	Amount int64  // millionths of a yuan; NoLimit
	Used   int64
	Since  time.Time // when the region first had a budget for the month: what went out before isn't in Used
}

// Late says since when a budget counts where that is after its month began.
func (b Budget) Late(zone *time.Location) (since time.Time, late bool) {
	begin := time.Date(b.Month/100, time.Month(b.Month%100), 1, 0, 0, 0, 0, zone)
	return b.Since.In(zone), b.Since.After(begin)
}

// Left is what may still be spent.
func (b Budget) Left() int64 {
	if b.Amount == NoLimit {
		return math.MaxInt64
	}
	return b.Amount - b.Used
}

// Covers says whether a message to somebody in a place counts against the budget.
func (b Budget) Covers(region string) bool { return strings.HasPrefix(region, b.Region) }

// ParseYuan reads an amount such as 1200 or 99.50; none is NoLimit.
func ParseYuan(text string) (int64, error) {
	if text == "none" {
		return NoLimit, nil
	}
	var yuan float64
	if _, err := fmt.Sscanf(text, "%f", &yuan); err != nil || yuan < 0 || yuan > 1e9 || strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is neither an amount of yuan nor none", text)
	}
	return int64(math.Round(yuan * microYuan)), nil
}

// Yuan writes an amount in yuan with two places.
func Yuan(amount int64) string { return fmt.Sprintf("%.2f", float64(amount)/microYuan) }

// ParseMonth reads 2026-12.
func ParseMonth(text string) (int, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return 0, fmt.Errorf("%q is no month like 2026-12", text)
	}
	return MonthOf(t), nil
}

// MonthOf is the month of a local time as 202612.
func MonthOf(t time.Time) int { return t.Year()*100 + int(t.Month()) }

// FormatMonth is the reverse of ParseMonth.
func FormatMonth(month int) string { return fmt.Sprintf("%04d-%02d", month/100, month%100) }

// Budgets keeps budgets for those who set them and for the sweeper.
type Budgets interface {
	// SetBudget sets a month's amount and wakes who waits for it.
	SetBudget(ctx context.Context, b Budget, zone *time.Location, at time.Time, actor string) error
	// ListBudgets lists the budgets of a month as they apply, by region.
	ListBudgets(ctx context.Context, month int) ([]Budget, error)
	// BalanceBudgets gives back what calls had reserved that sent nothing. more: call again at once.
	BalanceBudgets(ctx context.Context, zone *time.Location) (more bool, err error)
}

// BudgetWake is when a message waits until that this month's money doesn't reach: the first moment of the next month.
// The microsecond tells the reason in a row that has no place for one: nothing else waits for that very moment.
func BudgetWake(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	return time.Date(local.Year(), local.Month()+1, 1, 0, 0, 0, 1000, zone).UTC()
}

// spend takes the cost of a message to somebody out of all budgets that cover them, or out of none.
func spend(budgets []Budget, region string, cost int64) bool {
	for _, b := range budgets {
		if b.Covers(region) && b.Left() < cost {
			return false
		}
	}
	for i, b := range budgets {
		if b.Covers(region) {
			budgets[i].Used += cost
		}
	}
	return true
}

// costOf is what a message costs, in millionths of a yuan.
func (r Rules) costOf(channel Channel, t Template, m Member) int64 {
	units := 1
	if channel == SMS && t.SMS != nil {
		units = Segments(r.Signature, filledSMS(t.SMS.Content, m.Params))
	}
	return r.priceOf(channel, int64(units))
}

// priceOf is what so many segments of texts, or so many calls by telephone, cost, in millionths of a yuan.
func (r Rules) priceOf(channel Channel, units int64) int64 {
	return int64(math.Round(r.PriceFen[channel] * float64(units) * microYuan / 100)) // a fen is a hundredth of a yuan
}

func filledSMS(content string, params map[string]string) string {
	for name, value := range params {
		content = strings.ReplaceAll(content, "${"+name+"}", value)
	}
	return content
}

// afford takes a member's cost out of the claim's budgets, and notes it with the call. Where they don't reach it says
// that the member waits.
func (r Rules) afford(facts ClaimFacts, m Member, region string, b *Beginning) (Drop, bool) {
	if len(facts.Budgets) == 0 {
		return Drop{}, true
	}
	cost := r.costOf(facts.Channel, facts.Campaign.Template, m)
	if !spend(facts.Budgets, region, cost) {
		return Drop{PersonID: m.PersonID, Event: PutBack, WakeAt: BudgetWake(facts.Now, r.Zone)}, false
	}
	for _, budget := range facts.Budgets {
		if !budget.Covers(region) || cost == 0 {
			continue
		}
		at := slices.IndexFunc(b.Spends, func(s Spend) bool { return s.Region == budget.Region })
		if at < 0 {
			at = len(b.Spends)
			b.Spends = append(b.Spends, Spend{Region: budget.Region, Month: budget.Month})
		}
		b.Spends[at].Amount += cost
	}
	return Drop{}, true
}

// Spend is what a call takes out of one budget.
type Spend struct {
	Region string
	Month  int
	Amount int64
}

// BudgetLister lists the budgets of a month as they apply.
type BudgetLister interface {
	ListBudgets(ctx context.Context, month int) ([]Budget, error)
}

// mostBudgetWarnings bounds how many places a preview names. A message to a whole province may meet a hundred empty purses.
const mostBudgetWarnings = 8

// costs are what a campaign costs by SMS and telephone, in fen.
type costs struct {
	each map[Channel]float64 // of one text
	all  float64
}

func costsOf(each map[Channel]float64, count PreviewCount) costs {
	c := costs{each: each}
	for channel := range each {
		c.all += c.of(channel, count.Texts[channel])
	}
	return c
}

func (c costs) of(channel Channel, texts int64) float64 {
	if !channel.Phone() {
		return 0 // budgets are for texts and calls
	}
	return c.each[channel] * float64(texts)
}

func microOf(fen float64) int64 { return int64(math.Round(fen * microYuan / 100)) }

// short is a budget with what a campaign would take out of it, which is more than there is.
type short struct {
	Budget
	cost int64
	part bool // the budget's place holds a part of the audience
}

// budgetWarnings says where a campaign costs more than what is left this month: in the places that hold all its audience,
// and in those that hold a part of it. The largest gap comes first.
func (s *Service) budgetWarnings(ctx context.Context, q PreviewQuery, c costs) ([]Warning, error) {
	if s.Budgets == nil || microOf(c.all) == 0 {
		return nil, nil
	}
	list, err := s.Budgets.ListBudgets(ctx, MonthOf(q.Now))
	if err != nil {
		return nil, err
	}
	var gaps []short
	for _, b := range list {
		whole := q.Scope.Prefix == "" && len(b.Region) == 2 || b.Covers(q.Scope.Prefix) // everybody on file lives in the province
		if (whole || strings.HasPrefix(b.Region, q.Scope.Prefix)) && b.Left() < microOf(c.all) {
			gaps = append(gaps, short{b, microOf(c.all), !whole})
		}
	}
	if gaps, err = s.partly(ctx, q, c, gaps); err != nil {
		return nil, err
	}
	slices.SortStableFunc(gaps, func(a, b short) int { return cmp.Compare(b.cost-max(b.Left(), 0), a.cost-max(a.Left(), 0)) })
	return warningsOf(gaps), nil
}

// partly puts in what the places that hold a part of the audience would really pay, and drops those that can. Only where
// money could be short is anybody asked where the texts go.
func (s *Service) partly(ctx context.Context, q PreviewQuery, c costs, gaps []short) ([]short, error) {
	if !slices.ContainsFunc(gaps, func(g short) bool { return g.part }) {
		return gaps, nil
	}
	places, err := s.Figures.PreviewPlaces(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []short
	for _, g := range gaps {
		if g.part {
			fen := 0.0
			for _, p := range places {
				if g.Covers(p.Region) {
					fen += c.of(p.Channel, p.Texts)
				}
			}
			g.cost = microOf(fen)
		}
		if g.cost > 0 && g.Left() < g.cost {
			out = append(out, g)
		}
	}
	return out, nil
}

func warningsOf(gaps []short) []Warning {
	var out []Warning
	for _, g := range gaps[:min(len(gaps), mostBudgetWarnings)] {
		key := "warn.budget"
		if g.part {
			key = "warn.budget_part"
		}
		out = append(out, Warning{key, map[string]string{"region": g.Region, "left": Yuan(max(g.Left(), 0)), "cost": Yuan(g.cost)}})
	}
	if more := len(gaps) - mostBudgetWarnings; more > 0 {
		out = append(out, Warning{"warn.budget_more", map[string]string{"places": strconv.Itoa(more)}})
	}
	return out
}
