package console_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// sentence finds English: three words of it in a row.
var sentence = regexp.MustCompile(`\b[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}\b`)

// alert is what a page says is wrong, without its marks.
func alert(body string) string {
	m := regexp.MustCompile(`(?s)<div class="notice bad".*?</div>|<p class="notice bad".*?</p>`).FindString(body)
	return strings.TrimSpace(regexp.MustCompile(`(?s)<[^>]+>`).ReplaceAllString(m, " "))
}

func TestWhatIsWrongWithACampaignIsSaidInTheReadersLanguage(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	form := func(audience string) []string {
		list := written()
		for i := 0; i < len(list); i += 2 {
			switch list[i] {
			case "audience_mode":
				list[i+1] = "text"
			case "audience_text":
				list[i+1] = audience
			}
		}
		if !slices.Contains(list, "audience_mode") {
			list = append(list, "audience_mode", "text")
		}
		return append(list, "audience_text", audience)
	}
	for audience, want := range map[string]string{
		"all: [{moon: {is: 1}}]": "没有字段", "all: [{age: {gte: old}}]": "不对", "all: [{age: {within: 1}}]": "可用", "all: [{": "写法不对",
		"": "缺条件", "a: b: c": "不是能读懂的 YAML", "all: 1": "写法不对", "{}": "缺条件",
	} {
		page := b.post("/console/campaigns", form(audience)...)
		said := alert(page.body)
		if page.status != http.StatusUnprocessableEntity || !strings.Contains(said, want) || sentence.MatchString(said) {
			t.Errorf("%q: %d %q, want %q", audience, page.status, said, want)
		}
	}
	b.post("/console/language", "lang", "en", "back", "/console/")
	if said := alert(b.post("/console/campaigns", form("all: [{moon: {is: 1}}]")...).body); !strings.Contains(said, "there is no field moon") || regexp.MustCompile(`\p{Han}`).MatchString(said) {
		t.Errorf("in English: %q", said)
	}
}

func TestAHaltSaysWhatTheCodeMeansAndNotThePlatformsEnglish(t *testing.T) {
	d := newDesk(t)
	d.add("author", staff.Author, "441802")
	b := d.login("author")
	b.post("/console/campaigns", written()...)
	c := &d.office.list[0]
	c.State, c.Reason, c.Detail, c.StartedAt = notify.Halted, "halt.refused", "isv.AMOUNT_NOT_ENOUGH the account is out of money or out of service", d.now
	said := alert(b.get("/console/campaigns/1").body)
	if !strings.Contains(said, "isv.AMOUNT_NOT_ENOUGH 账户余额不足") || sentence.MatchString(said) {
		t.Errorf("%q", said)
	}
}
