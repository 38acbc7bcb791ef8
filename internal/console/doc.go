// Package console is the web pages of the staff: log in, people, campaigns, their progress, the audit.
//
// Every page is a typed struct rendered on the server into a buffer; every change is a POST answered by a
// redirect; everything works without JavaScript, which only spares reloading. Who may do what is asked of
// staff.Member, and the region a member sees goes with every query, so that the store enforces it.
//
// It refuses to show personal data unmasked before somebody asked for it and the asking was written to the
// audit, to put personal data into an address, and to let anybody approve what they wrote.
package console
