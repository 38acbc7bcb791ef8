package turn

// Sorry is what a person hears whose turn failed: that nothing was kept, when to try again, and whom to call. known is the
// language their contact is kept with, "" where that can't be read: then it is that of what they wrote.
func (s *Service) Sorry(in Inbound, known string) string {
	t := &oneTurn{s: s, in: in, contact: Contact{Language: known}}
	if known == "" && in.Kind == Text {
		t.contact.Language = heard(in.Text, "", t.signs())
	}
	l := s.texts.Localizer(t.locale())
	return l.Text("failed.sorry", t.values(l, nil))
}
