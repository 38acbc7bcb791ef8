package turn

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
)

// A bare "1" by SMS: which question does it answer?

const (
	askedFor   = 7 * 24 * time.Hour // how long a campaign's question may be answered by SMS
	bareAnswer = 16                 // characters of a number, a yes or a no, with what people put around it
)

// campaignQuestion is what of it shows in a turn by SMS.
type campaignQuestion struct {
	asked   flows.Asked
	invited []register.Sent // the open questions of campaigns, the newest first; of the one that was named alone
}

// findQuestion says which of the campaigns' open questions a reply by SMS answers: the one that its extension number
// names, else the latest, where that is newer than the conversation.
func (t *oneTurn) findQuestion(opened Opened) (err error) {
	if t.in.Channel != SMS || t.in.Kind != Text || utf8.RuneCountInString(t.in.Text) > bareAnswer || len(t.onPhone) == 0 {
		return nil
	}
	if err := t.openQuestions(); err != nil {
		return err
	}
	named := only(t.invited, func(s register.Sent) bool { return s.ReplyCode != "" && s.ReplyCode == t.in.To })
	if len(named) > 0 {
		t.asked, t.invited = flows.AskedHere, named
		return nil
	}
	ours := false
	if t.in.To != "" {
		if ours, err = t.tx.Asked(t.in.To); err != nil {
			return err
		}
	}
	switch {
	case ours:
		t.asked, t.invited = flows.AskedOver, nil
	case len(t.invited) > 0 && t.invited[0].At.After(opened.LastAt):
		t.asked = flows.AskedLately
	case len(t.invited) > 0:
		t.asked = flows.AskedBefore
	}
	return nil
}

// openQuestions reads what campaigns asked this phone of late.
func (t *oneTurn) openQuestions() error {
	list, err := t.sentLately(askedFor)
	t.invited = only(list, func(s register.Sent) bool { return s.CourseID != 0 || s.JobID != 0 })
	return err
}

func only[T any](list []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !keep(v) })
}

// answerSMS takes a bare yes or no for the answer to the latest question. Where the same went to several people on one
// phone and nothing tells them apart, each is signed up by a call alone.
func (t *oneTurn) answerSMS(answer string) (found, error) {
	v := found{"asked": "none", "name": "", "date": "", "tel": "", "turn": "", "phone": t.s.engine.Book().Line("office", t.region)}
	switch {
	case t.asked == flows.AskedOver:
		v["asked"] = "over"
		return v, nil
	case len(t.invited) == 0 || answer == "other":
		return v, nil
	}
	last := t.invited[0]
	if slices.ContainsFunc(t.invited, func(s register.Sent) bool { return s.CampaignID == last.CampaignID && s.PersonID != last.PersonID }) {
		v["asked"], v["phone"] = "shared", t.s.engine.Book().Line("work", "")
		return v, nil
	}
	t.personID = last.PersonID
	if last.CourseID != 0 {
		return v, t.answerCourse(v, last.CourseID, answer)
	}
	return v, t.answerJob(v, last.JobID, answer)
}

func (t *oneTurn) answerCourse(v found, course int64, answer string) error {
	if answer == "no" {
		_, err := t.leaveCourse(course)
		v["asked"] = "declined"
		return err
	}
	signed, err := t.signUp(course)
	if err != nil {
		return err
	}
	v["asked"] = signed["signed"]
	if v["asked"] == "yes" {
		v["asked"] = "signed"
	}
	v["name"], v["date"], v["turn"] = signed["name"], t.s.dateDigits(signed["starts"]), signed["turn"]
	if tel := signed["tel"]; tel != "" && len(tel) <= 15 {
		v["phone"] = tel
	}
	return nil
}

// answerJob puts a wish for a posting before the township. Whoever does not want it has nothing to give back.
func (t *oneTurn) answerJob(v found, job int64, answer string) error {
	v["phone"] = t.s.engine.Book().Line("work", "")
	if answer == "no" {
		v["asked"] = "not_wanted"
		return nil
	}
	wanted, err := t.wantJob(job)
	if err != nil {
		return err
	}
	v["asked"] = "wanted"
	if wanted["wanted"] == "gone" {
		v["asked"] = "over"
	}
	return nil
}
