package store

import (
	"time"

	"github.com/lingjuli/lingjuli/notify"
)

// addWeChat adds each person's way by WeChat.
func (t *tx) addWeChat(c notify.Campaign, members map[int64]*notify.Facts, people []int64, now time.Time) error {
	return nil
}

// spendCustomerMessage counts one of the customer messages of the people's open windows.
func (t *tx) spendCustomerMessage(people []int64) error { return nil }
