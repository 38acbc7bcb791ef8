package notify

// SentTexts are the texts of a campaign as they go to one person, on whatever channel: filled, without the signature.
// What can't be filled for them isn't among them.
func SentTexts(c Campaign, f Facts, keys MACs) ([]string, error) {
	texts, err := NewTexts(c.Template)
	if err != nil {
		return nil, err
	}
	texts.params = paramsOf(c.Spec)
	r := runner{keys: keys, office: GeneralOffice}
	data := Data{}
	r.fillIn(data, c, f, texts)
	var list []string
	add := func(text string, err error) {
		if err == nil && text != "" {
			list = append(list, text)
		}
	}
	if params, err := texts.SMS(data); texts.sms != nil {
		add(texts.Spoken(SMS, params), err)
	}
	if params, err := texts.Voice(data); texts.voice != nil {
		add(texts.Spoken(Voice, params), err)
	}
	if texts.text != nil {
		_, _, text, err := texts.WeChat(data)
		add(text, err)
	}
	return list, nil
}
