package turn

import (
	"fmt"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/locales"
)

// found is a look-up that answers by variables alone.
type found map[string]string

// perform does what the engine asks for. The names are flows.Requests.
func (t *oneTurn) perform(q flows.Request) (flows.Facts, error) {
	if t.mayOnlyLook(q.Name) {
		return flows.Facts{Instead: "look_only"}, nil
	}
	for _, group := range []func(flows.Request) (flows.Facts, bool, error){t.performPerson, t.performFamily, t.performWork, t.performTraining, t.performCover, t.performUs} {
		if facts, mine, err := group(q); mine || err != nil {
			t.gloss(q.Name, facts)
			return facts, err
		}
	}
	return flows.Facts{}, fmt.Errorf("turn: no such request: %s", q.Name)
}

// gloss tells who reads English what the things are that the register names.
func (t *oneTurn) gloss(request string, f flows.Facts) {
	if t.locale() != locales.English {
		return
	}
	s := t.s.engine.Book().Settings()
	for _, thing := range flows.Things(request) {
		for _, values := range append(f.Items, f.Vars) {
			if name := values[thing]; name != "" {
				values[thing] = s.Glossed(name)
			}
		}
	}
}

func (t *oneTurn) performPerson(q flows.Request) (f flows.Facts, mine bool, err error) {
	switch q.Name {
	case "identity":
		f.Vars, err = t.gate()
	case "send_code":
		f.Vars, err = t.askCode(register.IDNumber(q.With["id_number"]), q.With["name"])
	case "check_code":
		f.Vars, err = t.checkCode(q.With["code"], ToBind, t.bindBy)
	case "me":
		f.Vars, err = t.me()
	case "fill_wishes":
		f.Vars, err = t.fillWishes(q.With)
	case "placement":
		f.Vars, err = t.placement()
	case "check_up":
		err = t.tx.CheckUp(t.personID, register.CheckUpAnswer(q.With["answer"]), q.With["words"])
	case "help_list":
		f, err = t.helpList()
	case "phone_people":
		f, err = t.phonePeople()
	case "set_whose":
		f.Vars, err = t.setWhose(number(q.With["id"]))
	default:
		return f, false, nil
	}
	return f, true, err
}

func (t *oneTurn) performFamily(q flows.Request) (f flows.Facts, mine bool, err error) {
	switch q.Name {
	case "proxy_gate":
		f.Vars, err = t.proxyGate()
	case "ask_proxy":
		f.Vars, err = t.askProxy(q.With)
	case "check_proxy":
		f.Vars, err = t.checkCode(q.With["code"], ToConsent, t.givenByCode)
	case "proxy_agreed":
		f.Vars, err = t.proxyAgreed(q.With)
	case "proxies":
		f, err = t.proxies()
	case "proxy":
		f.Vars, err = t.proxy(number(q.With["id"]))
	case "settle_proxy":
		f.Vars, err = t.settleProxy(number(q.With["id"]), register.ProxyState(q.With["state"]))
	case "whose":
		f, err = t.whoseList()
	case "door":
		f.Vars, err = t.scanDoor()
	case "pass_door":
		f.Vars, err = t.passDoor(number(q.With["id"]))
	case "refuse_door":
		err = t.tx.RefuseDoor(number(q.With["id"]))
	case "unbind":
		err = t.unbind()
	case "not_me":
		err = t.notMe()
	default:
		return f, false, nil
	}
	return f, true, err
}

func (t *oneTurn) performWork(q flows.Request) (f flows.Facts, mine bool, err error) {
	switch q.Name {
	case "jobs":
		f, err = t.jobs(q.With)
	case "job":
		f.Vars, err = t.job(number(q.With["id"]))
	case "want_job":
		f.Vars, err = t.wantJob(number(q.With["id"]))
	case "fairs":
		f, err = t.fairs()
	case "pairs":
		f.Vars, err = t.pairs()
	case "public_posts":
		f.Vars, err = t.publicPosts()
	case "apply":
		f.Vars, err = t.apply(q.With["kind"], number(q.With["id"]))
	case "schools":
		f, err = t.schools()
	default:
		return f, false, nil
	}
	return f, true, err
}

func (t *oneTurn) performTraining(q flows.Request) (f flows.Facts, mine bool, err error) {
	switch q.Name {
	case "courses":
		f, err = t.courses(q.With)
	case "course":
		f.Vars, err = t.course(number(q.With["id"]))
	case "sign_up":
		f.Vars, err = t.signUp(number(q.With["id"]))
	case "my_courses":
		f, err = t.myCourses()
	case "leave_course":
		f.Vars, err = t.leaveCourse(number(q.With["id"]))
	case "wish_course":
		f.Vars, err = t.wishCourse(q.With["trade"])
	case "answer_sms":
		f.Vars, err = t.answerSMS(q.With["answer"])
	default:
		return f, false, nil
	}
	return f, true, err
}

func (t *oneTurn) performCover(q flows.Request) (f flows.Facts, mine bool, err error) {
	switch q.Name {
	case "cover", "subsidies", "premiums", "benefits":
		f, err = t.lookUp(q)
	case "institutions":
		f, err = t.institutions(q.With)
	case "tiers":
		f, err = t.tiers(q.With["item"], q.With["amount"])
	default:
		return f, false, nil
	}
	return f, true, err
}
