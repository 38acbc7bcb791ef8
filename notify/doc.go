// Package notify brings messages to people: campaigns, deliveries, calls, receipts and replies.
//
// The row is the truth and the queue a doorbell: a delivery is one person in one campaign, a call is one
// request to a platform with its members, an attempt is one channel's try. Nobody gets a message twice and
// nobody is forgotten, whatever is killed when. It knows no page, no SQL and no platform: those are
// interfaces that others implement.
package notify
