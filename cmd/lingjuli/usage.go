package main

import "regexp"

// usageShapes are the parser's faults, each with the text that says it in words.
func usageShapes() []struct{ shape, key string } {
	return []struct{ shape, key string }{
		{`^missing flags: (?P<What>.+)$`, "usage_missing"},
		{`^expected (?P<What>"<.+)$`, "usage_missing"},
		{`^unexpected argument (?P<What>\S+?)(,.*)?$`, "usage_unknown"},
		{`^unknown flag (?P<What>\S+?)(,.*)?$`, "usage_unknown"},
		{`^(?P<What>.+) must be one of (?P<Want>.+) but got "(?P<Got>.*)"$`, "usage_one_of"},
		{`^(?P<What>.+): expected .* but got "(?P<Got>.*)" ?.*$`, "usage_value"},
	}
}

// usage says in words what is wrong with a command line; what has no words stays the parser's.
func (w texts) usage(err error) string {
	for _, x := range usageShapes() {
		shape := regexp.MustCompile(x.shape)
		found := shape.FindStringSubmatch(err.Error())
		if found == nil {
			continue
		}
		var pairs []any
		for i, name := range shape.SubexpNames() {
			if name != "" {
				pairs = append(pairs, name, found[i])
			}
		}
		return w.t(x.key, pairs...)
	}
	return err.Error()
}
