package notify

// Kind is the kind of a campaign or template.
type Kind string

// The campaign kinds, and the two kinds of templates that no campaign may use.
const (
	PolicyGuidance     Kind = "policy_guidance"
	JobPosting         Kind = "job_posting"
	TrainingInvitation Kind = "training_invitation"
	PremiumReminder    Kind = "premium_reminder"
	ServiceNotice      Kind = "service_notice"
	Reply              Kind = "reply"
	Verification       Kind = "verification"
)

// Template is a registered message template. Any of the channels may be missing.
type Template struct {
	Key    string          `yaml:"key" json:"key"`
	Kind   Kind            `yaml:"kind" json:"kind"`
	SMS    *SMSTemplate    `yaml:"sms" json:"sms,omitempty"`
	WeChat *WeChatTemplate `yaml:"wechat" json:"wechat,omitempty"`
	Voice  *VoiceTemplate  `yaml:"voice" json:"voice,omitempty"`
}

// SMSType is the vendor's type of an SMS template.
type SMSType string

// The vendor's types.
const (
	SMSCode         SMSType = "code"
	SMSNotification SMSType = "notification"
	SMSPromotion    SMSType = "promotion"
)

// SMSTemplate is a template reviewed by the SMS platform. Content holds ${variables}; Params gives
// each a text/template over the data of a person and a campaign.
type SMSTemplate struct {
	Code    string            `yaml:"code" json:"code"`
	Type    SMSType           `yaml:"type" json:"type"`
	Content string            `yaml:"content" json:"content"`
	Params  map[string]string `yaml:"params" json:"params,omitempty"`
}

// WeChatTemplate names a long-term subscription notice, or a template message, and the customer message's text.
type WeChatTemplate struct {
	Subscribe string            `yaml:"subscribe" json:"subscribe,omitempty"`
	Template  string            `yaml:"template" json:"template,omitempty"`
	Fields    map[string]string `yaml:"fields" json:"fields,omitempty"`
	Page      string            `yaml:"page" json:"page,omitempty"`
	Text      string            `yaml:"text" json:"text,omitempty"`
}

// VoiceTemplate is a reviewed text-to-speech template. Text-to-speech is Mandarin: Recordings names, by the person's
// language as the register writes it, recorded files that are played instead.
type VoiceTemplate struct {
	Code       string            `yaml:"code" json:"code"`
	Content    string            `yaml:"content" json:"content"`
	Params     map[string]string `yaml:"params" json:"params,omitempty"`
	Recordings map[string]string `yaml:"recordings" json:"recordings,omitempty"`
}
