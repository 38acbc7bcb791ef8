package console_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/internal/staff"
	"github.com/lingjuli/lingjuli/notify"
)

// county is a small register in memory, by the store's rules: who is outside the scope is not there.
type county struct {
	records  []register.Record
	received []notify.Received

	unreached []notify.Unreached
	since     time.Time
	visits    []notify.Visit
	note      func(context.Context, staff.Entry) error
}

func (c *county) all(scope register.Scope) []register.Record {
	return slices.DeleteFunc(slices.Clone(c.records), func(r register.Record) bool { return !scope.Contains(r.Person.RegionCode) })
}

func (c *county) ListPeople(_ context.Context, scope register.Scope, after int64, limit int) (list []register.Person, err error) {
	for _, r := range c.all(scope) {
		if r.Person.ID > after && len(list) < limit {
			list = append(list, r.Person)
		}
	}
	return list, nil
}

func (c *county) PeopleByID(_ context.Context, scope register.Scope, ids []int64) (list []register.Person, err error) {
	for _, r := range c.all(scope) {
		if slices.Contains(ids, r.Person.ID) {
			list = append(list, r.Person)
		}
	}
	return list, nil
}

func (c *county) FindPeople(_ context.Context, scope register.Scope, name string, id register.IDNumber, phone register.Phone, limit int) (list []register.Person, err error) {
	for _, r := range c.all(scope) {
		p := r.Person
		if (p.Name == name && name != "" || p.IDNumber == id && id != "" || p.Phone == phone && phone != "") && len(list) < limit {
			list = append(list, p)
		}
	}
	return list, nil
}

func (c *county) PersonRecord(_ context.Context, scope register.Scope, id int64) (register.Record, error) {
	for _, r := range c.all(scope) {
		if r.Person.ID == id {
			r.Subsidies = slices.Clone(r.Subsidies)
			return r, nil
		}
	}
	return register.Record{}, fmt.Errorf("person %d: %w", id, register.ErrNotFound)
}

func (c *county) PersonMessages(context.Context, register.Scope, int64, int) ([]notify.Received, error) {
	return c.received, nil
}

func (c *county) PeopleFigures(_ context.Context, scope register.Scope) (register.Figures, error) {
	f := register.Figures{}
	for _, r := range c.all(scope) {
		f.People++
		if r.Person.Phone != "" {
			f.Mobile++
		}
		if r.Contact.WeChatBound {
			f.WeChat++
		}
	}
	return f, nil
}

// places of a fictional town in a real county.
func places() []register.Region {
	list := register.Places()
	add := func(code, parent, name string, level int) {
		list = append(list, register.Region{Code: code, Parent: parent, Name: name, Level: level})
	}
	add("441802103000", "441802000000", "飞来峡镇", register.LevelTown)
	add("441802105000", "441802000000", "石角镇", register.LevelTown)
	add("441802103201", "441802103000", "高田村", register.LevelVillage)
	add("441802103202", "441802103000", "社岗村", register.LevelVillage)
	return list
}

func (c *county) RegionPath(_ context.Context, code string) (path []register.Region, err error) {
	for code != "" {
		i := slices.IndexFunc(places(), func(r register.Region) bool { return r.Code == code })
		if i < 0 {
			return path, nil
		}
		path = append([]register.Region{places()[i]}, path...)
		code = places()[i].Parent
	}
	return path, nil
}

func (c *county) RegionChildren(_ context.Context, code string) (list []register.Region, err error) {
	for _, r := range places() {
		if r.Parent == code {
			list = append(list, r)
		}
	}
	return list, nil
}

func person(id int64, name, idNumber, phone, region string) register.Record {
	sex := register.Male
	if (idNumber[16]-'0')%2 == 0 {
		sex = register.Female
	}
	birth := idNumber[6:10] + "-" + idNumber[10:12] + "-" + idNumber[12:14]
	return register.Record{Person: register.Person{
		ID: id, Name: name, IDNumber: register.IDNumber(idNumber), Phone: register.Phone(phone),
		RegionCode: region, BirthDate: birth, Sex: sex, Status: register.Alive,
	}, Household: register.Household{Size: 1}}
}

func fictionalCounty() *county {
	c := &county{}
	one := person(1, "林桂英", "441802195803124421", "13800001234", "441802103201")
	one.Person.Categories, one.Person.HouseholdNo, one.Person.HeadRelation = []string{"脱贫户", "低保"}, "4418021030017", "户主"
	one.Person.Education, one.Person.Labour, one.Person.Health, one.Person.Language = "小学", "弱劳动力", "长期慢性病", "粤语"
	one.Person.Remark = "儿子在深圳，电话打给邻居阿芳"
	one.Covers = []register.Cover{
		{Insurance: register.Medical, Year: 2026, State: register.Enrolled, EnrolledOn: "2025-11-20", Place: "清城区"},
		{Insurance: register.Pension, Year: 2026, State: register.Enrolled, EnrolledOn: "2012-07-01", BenefitState: "正在领取", Place: "清城区"},
	}
	one.Premiums = []register.Premium{
		{Insurance: register.Medical, Year: 2026, DueFen: 40000, SelfFen: 0, SubsidyFen: 40000, Deadline: "2025-12-31", State: register.Paid, PaidOn: "2025-11-20"},
		{Insurance: register.Medical, Year: 2027, DueFen: 43000, SelfFen: -1, SubsidyFen: -1, Deadline: "2026-12-31", State: register.Unpaid},
	}
	one.Subsidies = []register.Subsidy{{
		Kind: "高龄津贴", AppliedOn: "2026-02-10", State: register.Publicised, AmountFen: 12000, StateOn: "2026-03-02",
		Note: "公示到三月底", Office: "飞来峡镇公共服务中心", OfficePhone: "0763-1234567",
	}}
	one.Household = register.Household{Size: 4, Employed: 1, Pupils: 1}
	one.Contact = register.Contact{WeChatBound: true, WeChatSubscribed: true, LastReachedAt: time.Date(2026, 3, 1, 2, 10, 0, 0, time.UTC)}
	two := person(2, `<script>alert("名")</script>`, "441802199001011234", "13800005678", "441802103202")
	two.Person.Categories, two.Person.Employment = []string{"监测对象"}, `"><img src=x onerror=alert(1)>`
	three := person(3, "陈大文", "441802197205056637", "", "441802105000")
	four := person(4, "李小明", "440111198808088819", "13900004321", "440111001000")
	c.records = []register.Record{one, two, three, four}
	names, given := strings.Split("黄何梁罗邓冯曾谭", ""), strings.Split("志强丽华建国秀英伟明", "")
	for i := range int64(70) {
		r := person(10+i, names[i%8]+given[i%10]+given[(i/8)%10], fmt.Sprintf("4418021980%02d%02d%04d", i%12+1, i%28+1, 1000+i), fmt.Sprintf("1380000%04d", 2000+i), "441802103201")
		r.Person.Categories = []string{"脱贫户"}
		c.records = append(c.records, r)
	}
	c.received = []notify.Received{
		{CampaignID: 1, Campaign: "2026年度城乡居民医保缴费提醒", Channel: notify.WeChat, State: notify.Delivered, At: time.Date(2026, 3, 1, 2, 10, 0, 0, time.UTC)},
		{CampaignID: 2, Campaign: "春季技能培训邀请", Channel: notify.SMS, State: notify.Skipped, Reason: "frequency_cap", At: time.Date(2026, 2, 20, 2, 10, 0, 0, time.UTC)},
	}
	return c
}

// office keeps campaigns in memory, by the rules of notify's.
type office struct {
	mu        sync.Mutex
	list      []notify.Campaign
	status    map[int64]notify.Status
	previewed []string // regions that were asked about
	audit     func(staff.Entry) error
	now       time.Time
	template  notify.Template
}

func (o *office) Create(_ context.Context, by staff.Member, spec notify.Spec) (int64, error) {
	if err := spec.Check(); err != nil {
		return 0, err
	}
	starts, err := spec.StartsAt()
	id := int64(len(o.list) + 1)
	o.list = append(o.list, notify.Campaign{
		ID: id, State: notify.Draft, Spec: spec, Scope: by.Scope(), AuthorID: by.ID, EditorID: by.ID,
		StartsAt: starts, ExpiresAt: spec.Expires, CreatedAt: o.now, UpdatedAt: o.now,
	})
	return id, err
}

func (o *office) Change(_ context.Context, by staff.Member, id int64, spec notify.Spec, seen time.Time) error {
	c := &o.list[id-1]
	if !seen.IsZero() && !seen.Equal(c.UpdatedAt) {
		return notify.ErrChanged
	}
	c.Spec, c.EditorID, c.State, c.UpdatedAt = spec, by.ID, notify.Draft, c.UpdatedAt.Add(time.Microsecond)
	return nil
}

func (o *office) Act(_ context.Context, by staff.Member, id int64, event notify.CampaignEvent, j notify.Judgment) error {
	c := &o.list[id-1]
	if _, ok := c.State.On(event); ok && !j.Seen.IsZero() && !j.Seen.Equal(c.UpdatedAt) {
		return notify.ErrChanged
	}
	if event == notify.Approve && c.WrittenBy(by) {
		return notify.ErrSameColleague
	}
	to, ok := c.State.On(event)
	if !ok {
		return notify.ErrWrongState
	}
	c.State, c.Detail, c.UpdatedAt = to, "", c.UpdatedAt.Add(time.Microsecond)
	if event == notify.Return {
		c.Detail = j.Note
	}
	did := map[notify.CampaignEvent]string{
		notify.Submit: staff.DidSubmit, notify.Approve: staff.DidApprove, notify.Return: staff.DidReturn,
		notify.Pause: staff.DidPause, notify.Resume: staff.DidResume, notify.Cancel: staff.DidCancel,
	}
	return o.audit(staff.Entry{At: o.now, Actor: by.Name, Act: did[event], Object: fmt.Sprintf("campaign:%d", id)})
}

func (o *office) FindCampaign(_ context.Context, id int64) (notify.Campaign, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if id < 1 || int(id) > len(o.list) {
		return notify.Campaign{}, notify.ErrNoCampaign
	}
	return o.list[id-1], nil
}

func (o *office) ListCampaigns(_ context.Context, scope register.Scope, before int64, limit int) (list []notify.Campaign, err error) {
	for _, c := range slices.Backward(o.list) {
		if strings.HasPrefix(c.Scope.Prefix, scope.Prefix) && (before == 0 || c.ID < before) && len(list) < limit {
			list = append(list, c)
		}
	}
	return list, nil
}

func (o *office) CampaignStatus(_ context.Context, id int64) (notify.Status, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.status[id]
	s.ID, s.State = id, o.list[id-1].State
	return s, nil
}

func (o *office) ListTemplates(context.Context) ([]notify.Template, error) {
	return []notify.Template{o.template}, nil
}

func (o *office) PreviewCampaign(ctx context.Context, c notify.Campaign) (notify.Preview, error) {
	return o.Preview(ctx, staff.Member{Region: c.Scope.Prefix}, c.Spec)
}

func (o *office) Preview(_ context.Context, by staff.Member, spec notify.Spec) (notify.Preview, error) {
	o.previewed = append(o.previewed, by.Region)
	text := strings.ReplaceAll(strings.ReplaceAll(o.template.SMS.Content, "${name}", "林**"), "${deadline}", spec.Params["deadline"])
	return notify.Preview{
		Matched: 2431, Reachable: map[notify.Channel]int64{notify.WeChat: 812, notify.SMS: 1490},
		Unreachable: map[notify.SkipReason]int64{notify.NoChannel: 96, notify.OptedOut: 21, notify.IsDeceased: 12}, Segments: 2, CostYuan: 134.1,
		Warnings: []notify.Warning{{Key: "warn.template_unknown", Data: map[string]string{"code": "SMS_1001"}}},
		Samples:  []notify.PreviewSample{{Channel: notify.WeChat, Text: text}, {Channel: notify.SMS, Text: text}},
	}, nil
}
