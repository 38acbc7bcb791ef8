package turn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

// consents lets o-1 look after the matters of the second person of the place.
func (p *place) consents(t *testing.T, scope string) {
	t.Helper()
	for _, text := range []string{"帮我妈查医保", "李秀英", fictional(t, "44180219880202002"), scope, "1", "123456"} {
		p.say(t, turn.WeChat, "o-1", text)
	}
	if answer := p.say(t, turn.WeChat, "o-1", "医保"); !strings.Contains(answer, "（妈妈）") {
		t.Fatalf("it is not hers that is told: %s", answer)
	}
}

func TestAProxyStopsTheirOwnFeedAlone(t *testing.T) {
	p := newPlace(t)
	p.consents(t, "2")
	p.say(t, turn.WeChat, "o-1", "退订")
	if !p.OptedOut("person 1") || p.OptedOut("person 2") {
		t.Error("what was stopped is not the proxy's own")
	}
	p.say(t, turn.WeChat, "o-1", "恢复")
	if p.OptedOut("person 1") {
		t.Error("it was not undone")
	}
}

func TestASignUpInAnothersNameTakesTheScopeForIt(t *testing.T) {
	for scope, want := range map[string]int{"1": 0, "2": 1} {
		p := newPlace(t)
		p.consents(t, scope)
		for _, text := range []string{"培训", "1", "1", "1"} {
			p.say(t, turn.WeChat, "o-1", text)
		}
		signed := p.SignUps()
		if len(signed) != want || want > 0 && signed[0].PersonID != 2 {
			t.Errorf("scope %s: %+v", scope, signed)
		}
	}
}

func TestWhatAProxyHearsDoesNotTellWhoIsOnFile(t *testing.T) {
	ask := func(p *place, name, id string) (heard []string) {
		for _, text := range []string{"帮我妈查医保", name, id, "1", "1", "000000"} {
			heard = append(heard, p.say(t, turn.WeChat, "o-9", text))
		}
		return heard
	}
	known := ask(newPlace(t), "李秀英", fictional(t, "44180219880202002"))
	other := ask(newPlace(t), "王小明", fictional(t, "44180219880202002"))
	nobody := ask(newPlace(t), "李秀英", fictional(t, "44180219880202003"))
	doubted := newPlace(t)
	doubted.Doubt(2)
	for i := range known {
		if known[i] != other[i] || known[i] != nobody[i] {
			t.Errorf("answer %d differs:\n%s\n%s\n%s", i, known[i], other[i], nobody[i])
		}
	}
	if got := strings.Join(ask(doubted, "李秀英", fictional(t, "44180219880202002")), "\n"); got != strings.Join(known, "\n") || len(doubted.Sent()) != 0 {
		t.Errorf("a doubted number: %d texts,\n%s", len(doubted.Sent()), got)
	}
}

func TestACodeForOneThingDoesNotDoTheOther(t *testing.T) {
	id := fictional(t, "44180219880202002")
	for purpose, before := range map[turn.Purpose][]string{
		turn.ToConsent: {"绑定", "李秀英", id},
		turn.ToBind:    {"帮我妈查医保", "李秀英", id, "1", "1"},
	} {
		p := newPlace(t)
		for _, text := range before {
			p.say(t, turn.WeChat, "o-9", text)
		}
		err := p.Turn(t.Context(), turn.Who{Channel: turn.WeChat, ID: "o-9"}, func(tx turn.Tx) error {
			return tx.SaveCode(turn.Code{Purpose: purpose, ProxyID: 1, PersonID: 2, ID: register.IDNumber(id), Digits: "654321", At: p.now, Expires: p.now.Add(time.Hour)})
		})
		if err != nil {
			t.Fatal(err)
		}
		answer := p.say(t, turn.WeChat, "o-9", "654321")
		if p.Bound("o-9") != 0 || !strings.Contains(answer, "不能用了") {
			t.Errorf("a code %q did what it is not for: %s", purpose, answer)
		}
	}
}

func TestAFamilyMemberSpokenOfWhileOneIsCheckedIsAskedForFirst(t *testing.T) {
	p := newPlace(t)
	p.say(t, turn.WeChat, "o-9", "绑定")
	if answer := p.say(t, turn.WeChat, "o-9", "帮我妈查医保"); !strings.Contains(answer, "要本人同意") {
		t.Errorf("%s", answer)
	}
}

func TestADoorstepSceneIsKeptNowhere(t *testing.T) {
	p := newPlace(t)
	const scene = "door_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	p.Door(scene, 2, register.DoorTerms{}, p.now.AddDate(0, 0, 1))
	p.arrives(t, "o-9", turn.Scan, scene)
	for _, line := range p.Transcripts() {
		if strings.Contains(line, "door_") {
			t.Errorf("the transcript holds it: %s", line)
		}
	}
	if scene := p.Scene("o-9"); scene != "" {
		t.Errorf("the contact holds it: %s", scene)
	}
	p.arrives(t, "o-9", turn.Scan, "village_441802103201")
	if scene := p.Scene("o-9"); scene != "village_441802103201" {
		t.Errorf("a village's scene is lost: %q", scene)
	}
}

func TestAForgedChoiceOfAnotherPersonChangesNothing(t *testing.T) {
	p := newPlace(t)
	p.consents(t, "1")
	p.say(t, turn.WeChat, "o-1", "代办")
	p.say(t, turn.WeChat, "o-1", "1")
	p.say(t, turn.WeChat, "o-1", "2") // ended
	answer := p.say(t, turn.WeChat, "o-1", "医保")
	if strings.Contains(answer, "妈妈") || strings.Contains(answer, "李") {
		t.Errorf("the session still leads to her: %s", answer)
	}
}

func TestWhatOneUnknownAccountDoesNotWantSaysNothingOfAnother(t *testing.T) {
	p := newPlace(t)
	for _, text := range []string{"停发通知", "3", "1"} {
		p.say(t, turn.WeChat, "o-8", text)
	}
	for _, text := range []string{"停发通知", "4"} {
		if answer := p.say(t, turn.WeChat, "o-9", text); strings.Contains(answer, "重新收哪一种") {
			t.Errorf("%s", answer)
		}
	}
}
