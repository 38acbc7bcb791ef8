package register

// Scope is the part of the province that a member of staff may see: a prefix of region codes.
// It stands in the signature of every query on people, so that a page cannot forget it.
type Scope struct {
	Prefix string // "", "4418", "441802", "441802103", "441802103201"; "" is the whole province
}

// Contains says whether a 12-digit region code lies inside the scope.
func (s Scope) Contains(regionCode string) bool {
	return len(regionCode) >= len(s.Prefix) && regionCode[:len(s.Prefix)] == s.Prefix
}
