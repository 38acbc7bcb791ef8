package register

// Figures counts the people of a scope, for those who answer for them.
type Figures struct {
	People      int64 // alive and living there
	Mobile      int64 // with a mobile number on file
	WeChat      int64 // bound to WeChat
	Unreachable int64 // neither of the two
	OptedOut    int64
}
