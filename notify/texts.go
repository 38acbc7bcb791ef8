package notify

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// VerifyCode is the key of the template that carries identity codes.
const VerifyCode = "verify_code"

// CodeKeys are the templates that carry codes: the identity code, and those by which somebody agrees that one of their
// family looks after their matters.
func CodeKeys() []string { return []string{VerifyCode, "consent_code", "consent_code_act"} }

// ErrTexts: a text can't be filled for this person. The words say which variable and why, never its value.
var ErrTexts = errors.New("notify: the text can't be filled")

type templateFile struct {
	Templates []Template `yaml:"templates"`
}

// ParseTemplates reads a template file. An unknown key is an error that names its line.
func ParseTemplates(file []byte) ([]Template, error) {
	var f templateFile
	if err := decodeStrict(file, &f); err != nil {
		return nil, err
	}
	if len(f.Templates) == 0 {
		return nil, fault("no_templates", "holds no templates")
	}
	seen := map[string]bool{}
	for _, t := range f.Templates {
		if seen[t.Key] {
			return nil, within(fault("template_twice", "stands twice"), "Template", t.Key)
		}
		seen[t.Key] = true
		if err := t.Check(); err != nil {
			return nil, err
		}
	}
	return f.Templates, nil
}

// Check says what is wrong with the template by itself.
func (t Template) Check() error {
	kinds := append(CampaignKinds(), Reply, Verification)
	var err error
	switch {
	case t.Key == "":
		return fault("template_no_key", "a template has no key")
	case !slices.Contains(kinds, t.Kind):
		err = fault("template_kind", fmt.Sprintf("kind %q is none of %v", t.Kind, kinds), "Got", string(t.Kind), "Want", strings.Trim(fmt.Sprint(kinds), "[]"))
	case t.SMS == nil && t.WeChat == nil && t.Voice == nil:
		err = fault("template_empty", "has neither sms nor wechat nor voice")
	case (t.Kind == Reply || t.Kind == Verification) && t.SMS == nil:
		err = fault("template_needs_sms", fmt.Sprintf("kind %s needs sms", t.Kind), "Got", string(t.Kind))
	case slices.Contains(CodeKeys(), t.Key) != (t.Kind == Verification):
		err = fault("template_verification", fmt.Sprintf("kind verification and the keys %v go together", CodeKeys()), "Want", strings.Join(CodeKeys(), " "))
	default:
		err = errors.Join(within(t.checkSMS(), "Part", "sms"), within(t.Voice.check(), "Part", "voice"), within(t.checkWeChat(), "Part", "wechat"))
	}
	return within(err, "Template", t.Key)
}

func (t Template) checkSMS() error {
	if t.SMS == nil {
		return nil
	}
	switch t.SMS.Type {
	case SMSCode, SMSNotification, SMSPromotion:
	default:
		return fault("sms_type", fmt.Sprintf("type %q is none of code, notification, promotion", t.SMS.Type), "Got", string(t.SMS.Type))
	}
	if t.Kind == Verification && (t.SMS.Type != SMSCode || len(t.SMS.Params) != 1) {
		return fault("verification_params", "a verification has type code and exactly one parameter")
	}
	if err := t.SMS.checkRefusal(); err != nil {
		return err
	}
	return checkText(t.SMS.Code, t.SMS.Content, t.SMS.Params)
}

func (t Template) checkWeChat() error {
	w := t.WeChat
	if w == nil {
		return nil
	}
	if w.Subscribe == "" && w.Template == "" && w.Text == "" && t.SMS == nil {
		return fault("wechat_nothing", "names neither subscribe, template nor text")
	}
	for name, text := range w.Fields {
		if _, err := parseText(name, text); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"page": w.Page, "text": w.Text} {
		if _, err := parseText(name, text); err != nil {
			return err
		}
	}
	return nil
}

var variable = regexp.MustCompile(`\$\{([A-Za-z0-9_]+)\}`)

// checkText holds content and parameters against each other.
func checkText(code, content string, params map[string]string) error {
	if code == "" {
		return fault("code_missing", "code is missing")
	}
	fixed := strings.TrimFunc(variable.ReplaceAllString(content, ""), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if fixed == "" {
		return fault("one_variable", "content is one big variable; the platform refuses such a template")
	}
	var names []string
	for _, m := range variable.FindAllStringSubmatch(content, -1) {
		names = append(names, m[1])
		if _, ok := params[m[1]]; !ok {
			return fault("no_param", fmt.Sprintf("${%s} has no parameter", m[1]), "Got", m[1])
		}
	}
	for name, text := range params {
		if !slices.Contains(names, name) {
			return fault("param_unused", fmt.Sprintf("parameter %q does not stand in the content", name), "Got", name)
		}
		if _, err := parseText(name, text); err != nil {
			return err
		}
	}
	return nil
}

func parseText(name, text string) (*template.Template, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fault("text_broken", name+": "+strings.TrimPrefix(err.Error(), "template: "), "Got", name)
	}
	if err := checkNames(t); err != nil {
		return nil, fault("unknown_name", name+": "+err.Error(), "Got", name)
	}
	return t, nil
}

// Data is what texts may speak of: Person, Params, Due, Course, Job, Subsidy, Office, Check.
type Data map[string]any

// PersonData is .Person. ShortName is the name as it may stand in a short variable.
type PersonData struct{ Name, ShortName string }

// generalLine is the government's line for everything, 12345: the office's telephone where nothing nearer is known.
const generalLine = "12345"

// GeneralOffice is .Office where an installation names no offices of its own.
func GeneralOffice(string) map[string]string {
	return map[string]string{"Phone": generalLine, "phone": generalLine}
}

// shortNameLimit keeps long names of several parts within a variable: the first part of them stands alone.
const shortNameLimit = 10

// NewPersonData makes .Person of a name. Platforms refuse Traditional characters, so it is written Simplified.
func NewPersonData(name string) PersonData {
	name = hanzi.Simplify(name)
	short := name
	if len([]rune(name)) > shortNameLimit {
		short, _, _ = strings.Cut(name, "·")
	}
	return PersonData{Name: name, ShortName: short}
}

// Texts is a template's texts, parsed once for a campaign. Safe for concurrent use.
type Texts struct {
	template Template
	params   map[string]any    // the campaign's, where it is one's
	check    bool              // a text speaks of .Check, which is costly to make
	office   bool              // or of .Office
	same     map[string]string // variables of the SMS that are the same for everybody
	sms      map[string]filling
	voice    map[string]filling
	fields   map[string]filling
	page     *filling
	text     *filling // of a customer message; nil: the SMS text
}

// NewTexts parses a template's texts.
func NewTexts(t Template) (*Texts, error) {
	x := &Texts{template: t}
	var err error
	if t.SMS != nil {
		if x.sms, err = x.parseAll(t.SMS.Params); err != nil {
			return nil, err
		}
	}
	if t.Voice != nil {
		if x.voice, err = x.parseAll(t.Voice.Params); err != nil {
			return nil, err
		}
	}
	if t.WeChat == nil {
		return x, nil
	}
	if x.fields, err = x.parseAll(t.WeChat.Fields); err != nil {
		return nil, err
	}
	if x.page, err = x.parse("page", t.WeChat.Page); err != nil {
		return nil, err
	}
	if t.WeChat.Text != "" {
		x.text, err = x.parse("text", t.WeChat.Text)
	}
	return x, err
}

func (x *Texts) parse(name, text string) (*filling, error) {
	t, err := parseText(name, text)
	if err != nil {
		return nil, err
	}
	for _, name := range namesIn(t.Root) {
		x.check = x.check || name[0] == "Check"
	}
	x.office = x.office || strings.Contains(text, "Office")
	f := newFilling(t)
	return &f, nil
}

func (x *Texts) parseAll(texts map[string]string) (map[string]filling, error) {
	all := make(map[string]filling, len(texts))
	for name, text := range texts {
		f, err := x.parse(name, text)
		if err != nil {
			return nil, err
		}
		all[name] = *f
	}
	return all, nil
}

// SMS fills the variables of the SMS template and checks that the platform would take them.
func (x *Texts) SMS(data Data) (map[string]string, error) {
	params := make(map[string]string, len(x.sms))
	for name, f := range x.sms {
		value, known := x.same[name]
		if !known {
			var err error
			if value, err = f.fill(data); err != nil {
				return nil, err
			}
			if err := CheckSMSVariable(value); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrTexts, name, err)
			}
		}
		params[name] = value
	}
	return params, nil
}

// forCampaign gives the texts a campaign's parameters, and fills once what speaks of nothing else.
func (x *Texts) forCampaign(params map[string]any) {
	x.params, x.same = params, map[string]string{}
	for name, f := range x.sms {
		if !f.onlyOf("Params") {
			continue
		}
		if value, err := f.fill(Data{"Params": params}); err == nil && CheckSMSVariable(value) == nil {
			x.same[name] = value
		}
	}
}

// Voice fills the variables of the voice template and checks that the platform would read them out.
func (x *Texts) Voice(data Data) (map[string]string, error) {
	params, err := fillAll(x.voice, data)
	if err == nil {
		err = checkSpoken(params)
	}
	return params, err
}

// Spoken is a filled SMS or voice text as the person gets it, without the signature.
func (x *Texts) Spoken(channel Channel, params map[string]string) string {
	content := ""
	switch {
	case channel == Voice && x.template.Voice != nil:
		content = x.template.Voice.Content
	case channel == SMS && x.template.SMS != nil:
		content = x.template.SMS.Content
	}
	return variable.ReplaceAllStringFunc(content, func(v string) string { return params[v[2:len(v)-1]] })
}

// WeChat fills fields, page and the customer message's text.
func (x *Texts) WeChat(data Data) (fields map[string]string, page, text string, err error) {
	if fields, err = fillAll(x.fields, data); err != nil {
		return nil, "", "", err
	}
	if x.page != nil {
		if page, err = x.page.fill(data); err != nil {
			return nil, "", "", err
		}
	}
	if x.text != nil {
		text, err = x.text.fill(data)
		return fields, page, text, err
	}
	if x.sms == nil {
		return fields, page, "", nil
	}
	params, err := fillAll(x.sms, data)
	return fields, page, x.Spoken(SMS, params), err
}

func fillAll(texts map[string]filling, data Data) (map[string]string, error) {
	filled := make(map[string]string, len(texts))
	for name, f := range texts {
		value, err := f.fill(data)
		if err != nil {
			return nil, err
		}
		filled[name] = value
	}
	return filled, nil
}
