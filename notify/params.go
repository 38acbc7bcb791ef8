package notify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// fitParams holds a campaign's parameters against the texts that it would send: what they speak of must be given, and what
// is the same for everybody must be something the platform takes. Else nobody's text could be filled, and everybody failed.
func fitParams(spec Spec, t Template) error {
	x, err := NewTexts(t)
	if err != nil {
		return err
	}
	for _, c := range ServedChannels(spec, t) {
		texts := x.spokenBy(c)
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if err := fitText(c, texts[name], spec); err != nil {
				return err
			}
		}
	}
	return nil
}

// spokenBy are the texts that are filled for one channel.
func (x *Texts) spokenBy(c Channel) map[string]filling {
	switch c {
	case SMS:
		return x.sms
	case Voice:
		return x.voice
	}
	texts := maps.Clone(x.fields)
	if x.page != nil {
		texts["page"] = *x.page
	}
	if x.text != nil {
		texts["text"] = *x.text
		return texts
	}
	for name, f := range x.sms {
		texts["sms "+name] = f
	}
	return texts
}

func fitText(c Channel, f filling, spec Spec) error {
	names := f.params()
	for _, name := range names {
		if strings.TrimSpace(spec.Params[name]) == "" {
			return fault("param_missing", fmt.Sprintf("params lacks %s, of which the template's text speaks", name), "Got", name)
		}
	}
	if len(names) == 0 || !f.onlyOf("Params") {
		return nil
	}
	value, err := f.fill(Data{"Params": paramsOf(spec)})
	switch {
	case err != nil:
	case c == SMS:
		err = CheckSMSVariable(value)
	case c == Voice:
		err = checkSpoken(map[string]string{"value": value})
	}
	if err != nil {
		got := strings.Join(names, ", ")
		return fault("param_unfit", fmt.Sprintf("params %s can't stand in the template's text: %v", got, err), "Got", got, "Want", strconv.Itoa(SMSVariableLimit))
	}
	return nil
}

// params are the campaign's parameters that a text of words and plain names speaks of.
func (f filling) params() (names []string) {
	for _, p := range f.pieces {
		if len(p.name) == 2 && p.name[0] == "Params" {
			names = append(names, p.name[1])
		}
	}
	return names
}
