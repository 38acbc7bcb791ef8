package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/lingjuli/lingjuli/internal/register"
	"github.com/lingjuli/lingjuli/notify"
)

// newCampaign shows an empty form.
func (v *visit) newCampaign() error {
	return v.showForm(http.StatusOK, newCampaignForm(v.who.Region), nil, nil)
}

// editCampaign shows the form with what the campaign says now.
func (v *visit) editCampaign() error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	if !v.changeable(c) {
		return notify.ErrWrongState
	}
	form := formOf(c.ID, c.Spec, v.Location)
	form.Seen = c.UpdatedAt.UnixMicro()
	return v.showForm(http.StatusOK, form, nil, nil)
}

// createCampaign takes the form of a new campaign.
func (v *visit) createCampaign() error { return v.takeForm(0, v.who.Scope()) }

// changeCampaign takes the form of one that is there; it is a draft again.
func (v *visit) changeCampaign() error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	if !v.changeable(c) {
		return notify.ErrWrongState
	}
	return v.takeForm(c.ID, c.Scope)
}

// takeForm does what the button says: save, look ahead, or only show the form again with another row.
func (v *visit) takeForm(id int64, scope register.Scope) error {
	if err := v.r.ParseForm(); err != nil {
		return formError(err)
	}
	post := v.r.PostForm
	form := readCampaignForm(post)
	form.ID = id
	do := post.Get("do")
	if do != "save" && do != "preview" || post.Has("drop") {
		form.Audience.reshape(do, post.Get("drop"))
		return v.showForm(http.StatusOK, form, nil, nil)
	}
	templates, err := v.Forecast.ListTemplates(v.ctx())
	if err != nil {
		return err
	}
	spec, problems := form.spec(v.Location, templates)
	if len(problems) > 0 {
		return v.showForm(http.StatusUnprocessableEntity, form, problems, nil)
	}
	if do == "preview" {
		preview, err := v.previewOf(spec, scope)
		if err != nil {
			return err
		}
		return v.showForm(http.StatusOK, form, nil, preview)
	}
	return v.save(form, spec)
}

// save stores the campaign and shows it; what the service refuses is said in the form.
func (v *visit) save(form campaignForm, spec notify.Spec) (err error) {
	id := form.ID
	if id == 0 {
		id, err = v.Campaigns.Create(v.ctx(), v.who, spec)
	} else {
		err = v.Campaigns.Change(v.ctx(), v.who, id, spec, form.seen())
	}
	if errors.Is(err, notify.ErrChanged) {
		return v.showChanged(form)
	}
	if fault := faultOf(err); fault != nil {
		return v.showForm(http.StatusUnprocessableEntity, form, []problem{{Key: "form.refused", Fault: fault}}, nil)
	}
	if err != nil {
		return err
	}
	return v.redirect(query(campaignAddress(id), "done", "saved"))
}

// showChanged tells somebody who saves that a colleague has saved before them. What they typed stays, and saving once more
// puts it in the colleague's place.
func (v *visit) showChanged(form campaignForm) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	form.Seen = c.UpdatedAt.UnixMicro()
	return v.showForm(http.StatusConflict, form, []problem{{Key: "form.changed", Link: campaignAddress(c.ID)}}, nil)
}

// showForm renders the form. Templates that can't be listed are a fault of ours.
func (v *visit) showForm(status int, form campaignForm, problems []problem, preview *previewView) error {
	templates, err := v.Forecast.ListTemplates(v.ctx())
	if err != nil {
		return err
	}
	places, err := v.places()
	if err != nil {
		return err
	}
	title, address := "campaign.new", "/console/campaigns"
	if form.ID != 0 {
		title, address = "campaign.edit", campaignAddress(form.ID)+"/edit"
	}
	page := formPage{
		frame: v.frame(title, "campaigns"), Form: form, Action: address, Problems: problems, Preview: preview,
		Channels: notify.Channels(), places: places,
	}
	page.fillTemplates(templates)
	page.fillRules()
	return v.render(status, "campaign_form", page)
}

// places are what an audience's region may be: the visitor's own region and two levels below it.
func (v *visit) places() ([]choice, error) {
	path, err := v.Regions.RegionPath(v.ctx(), fullCode(v.who.Region))
	if err != nil {
		return nil, err
	}
	var out []choice
	if len(path) > 0 {
		out = append(out, choice{fieldPrefix(v.who.Region), regionName(path[len(path)-1])})
	}
	below, err := v.Regions.RegionChildren(v.ctx(), fullCode(v.who.Region))
	if err != nil {
		return nil, err
	}
	for _, region := range below {
		out = append(out, choice{shortCode(region.Code), "\u3000" + regionName(region)})
		deeper, err := v.Regions.RegionChildren(v.ctx(), region.Code)
		if err != nil {
			return nil, err
		}
		for _, r := range deeper {
			out = append(out, choice{shortCode(r.Code), "\u3000\u3000" + regionName(r)})
		}
	}
	return out, nil
}

// fieldPrefix is a scope as the region field writes it; the province has a code there.
func fieldPrefix(prefix string) string {
	if prefix == "" {
		return "44"
	}
	return prefix
}

// choice is one line of a select.
type choice struct{ Code, Text string }

// reshape adds an empty row, or drops one.
func (f *audienceForm) reshape(do, drop string) {
	if do == "add" || len(f.Rows) == 0 {
		f.Rows = append(f.Rows, conditionRow{})
	}
	for i, row := range f.Rows {
		if drop != "" && row.at == strings.TrimSpace(drop) {
			f.Rows = append(f.Rows[:i:i], f.Rows[i+1:]...)
			return
		}
	}
}
