package register

import (
	"errors"
	"testing"
)

func TestTheGazetteerHoldsTheProvinceItsCitiesAndTheirCounties(t *testing.T) {
	count := map[int]int{}
	for _, r := range Places() {
		count[r.Level]++
		if r.Parent != "" && PlaceName(r.Parent) == "" {
			t.Errorf("%s %s hangs in the air", r.Code, r.Name)
		}
	}
	// Dongguan and Zhongshan are cities that stand for their county.
	if count[LevelProvince] != 1 || count[LevelCity]+2 != 21 || count[LevelCounty] != 122+2 {
		t.Fatalf("%v", count)
	}
}

func TestARegionIsKnownByItsFirstSixDigits(t *testing.T) {
	tests := []struct {
		code, want string
		known      bool
	}{
		{"441802", "441802000000", true},
		{"441802103", "441802103000", true},
		{"441802103201", "441802103201", true},
		{"441900", "441900000000", true},
		{"441900101000", "441900101000", true},
		{"441827", "441803000000", true},       // 清新县 is 清新区 since 2012
		{"440923105000", "440904105000", true}, // 电白县
		{"440726", "440726000000", true},       // 阳江县 fell into three: kept as written
		{"441800", "", false},
		{"440000", "", false},
		{"110101", "", false},
		{"441899", "", false},
		{"44", "", false},
		{"", "", false},
		{"44180x", "", false},
	}
	for _, tt := range tests {
		got, err := ParseRegion(tt.code)
		if got != tt.want || (err == nil) != tt.known || err != nil && !errors.Is(err, ErrRegionUnknown) {
			t.Errorf("%s: %s, %v", tt.code, got, err)
		}
	}
}

func TestAPrefixIsReadFromAnyLevelWithOrWithoutZeros(t *testing.T) {
	for code, want := range map[string]string{
		"44": "44", "4418": "4418", "441802": "441802", "441802103": "441802103", "441802103201": "441802103201",
		"440000": "44", "441800": "4418", "441800000000": "4418", "441802000000": "441802", "441802103000": "441802103",
		"441900": "441900", "441900000000": "441900", "442000": "442000", "441827": "441803",
	} {
		if got, err := RegionPrefix(code); got != want || err != nil {
			t.Errorf("%s: %s, %v", code, got, err)
		}
	}
	for _, code := range []string{"", "4", "33", "4499", "110101", "44180", "清远"} {
		if got, err := RegionPrefix(code); err == nil {
			t.Errorf("%s: %s", code, got)
		}
	}
}

func TestNamesLeadToACountyWithOrWithoutTheirKind(t *testing.T) {
	tests := []struct {
		w      written
		within string
		want   Place
		known  bool
	}{
		{w: written{county: "清城区"}, want: Place{Code: "441802000000"}, known: true},
		{w: written{county: "清城", town: "源潭", village: "大连村委会"}, want: Place{"441802000000", "源潭", "大连村"}, known: true},
		{w: written{county: "连山壮族瑶族自治县"}, want: Place{Code: "441825000000"}, known: true},
		{w: written{county: "连山"}, want: Place{Code: "441825000000"}, known: true},
		{w: written{county: "东莞市", town: "长安镇"}, want: Place{"441900000000", "长安镇", ""}, known: true},
		{w: written{city: "东莞", town: "长安镇"}, want: Place{"441900000000", "长安镇", ""}, known: true},
		{w: written{city: "汕尾", county: "城区"}, want: Place{Code: "441502000000"}, known: true},
		{w: written{city: "清远", county: "禅城"}},
		{w: written{county: "朝阳区"}},
		{w: written{county: "英德县", town: "云岭镇"}, want: Place{"441881000000", "云岭镇", ""}, known: true}, // a name of before
		{w: written{code: "清远市清新县龙颈镇"}, want: Place{"441803000000", "龙颈镇", ""}, known: true},
		{w: written{city: "梅州", county: "梅县"}, want: Place{Code: "441403000000"}, known: true},
		{w: written{county: "高要市"}, want: Place{Code: "441204000000"}, known: true},
		{w: written{town: "源潭镇"}},
		{w: written{town: "源潭镇"}, within: "441802", want: Place{"441802000000", "源潭镇", ""}, known: true},
		{w: written{village: "大连"}, within: "441802103", want: Place{"441802103000", "", "大连"}, known: true},
		{w: written{code: "清城区源潭镇大连村"}, want: Place{"441802000000", "源潭镇", "大连村"}, known: true},
		{w: written{code: "广东省清远市清城区源潭镇大连村"}, want: Place{"441802000000", "源潭镇", "大连村"}, known: true},
		{w: written{code: "东莞市长安镇"}, want: Place{"441900000000", "长安镇", ""}, known: true},
		{w: written{code: "湖南省长沙市"}},
		{w: written{code: "441802103201", town: "源潭镇", village: "大连村委"}, want: Place{"441802103201", "源潭镇", "大连村"}, known: true},
		{w: written{code: "110101"}},
		{w: written{}, known: true},
	}
	for _, tt := range tests {
		got, err := tt.w.resolve(tt.within)
		if got != tt.want && tt.known || (err == nil) != tt.known {
			t.Errorf("%+v: %+v, %v", tt.w, got, err)
		}
	}
}
