package notify

import "time"

// Received is one campaign's delivery to one person, as their page shows it.
type Received struct {
	CampaignID int64
	Campaign   string // its name
	Channel    Channel
	State      DeliveryState
	Reason     string // of Skipped: a SkipReason; of Failed: the platform's code; of Delivered: a Proof, "" is a receipt
	At         time.Time
}
