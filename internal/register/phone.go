package register

// Phone is a mainland phone number in digits: 11 for a mobile, a landline with its area code.
type Phone string
