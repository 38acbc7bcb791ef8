package console

import "testing"

func TestMaskedFormsHoldBackWhatIdentifies(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{maskName("欧阳春花"), "欧＊"},
		{maskName("李四"), "李＊"},
		{maskName("王"), "＊"},
		{maskName(""), "＊"},
		{maskPhone("13800001234"), "138****1234"},
		{maskPhone("07631234567"), "****567"},
		{maskPhone("12345"), "****"},
		{maskPhone(""), ""},
		{maskID("441802199001011234"), "441***********1234"},
		{maskID("12"), "****"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
