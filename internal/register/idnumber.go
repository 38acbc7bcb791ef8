package register

// IDNumber is an 18-character resident identity number.
type IDNumber string
