package notify

import (
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Every pair of state and event is listed: what the table does not say is nothing.
func TestEveryPairOfDeliveryStateAndEventIsAsDecided(t *testing.T) {
	want := map[DeliveryState]map[DeliveryEvent]DeliveryState{
		Planned:     {Dispatch: Queued, Skip: Skipped, Accept: Taken, Refuse: Failed, Fall: Planned, Confirm: Delivered},
		Queued:      {Begin: Sending, PutBack: Planned, Skip: Skipped, Accept: Taken, Refuse: Failed, Fall: Planned, Confirm: Delivered},
		Sending:     {Accept: Taken, Lose: Unconfirmed, Refuse: Failed, Retry: Planned, Bisect: Queued, Fall: Planned, CallAgain: Planned, Confirm: Delivered, FailAfter: Failed},
		Unconfirmed: {Accept: Taken, Refuse: Failed, Retry: Planned, Bisect: Queued, Requeue: Queued, Fall: Planned, CallAgain: Planned, Confirm: Delivered, FailAfter: Failed, GiveUp: Failed},
		Taken:       {Fall: Planned, CallAgain: Planned, Confirm: Delivered, FailAfter: Failed},
	}
	for _, from := range DeliveryStates() {
		for _, event := range DeliveryEvents() {
			to, ok := from.On(event)
			wanted, listed := want[from][event]
			if ok != listed || ok && to != wanted {
				t.Errorf("%s on %s: %s %v, want %s %v", from, event, to, ok, wanted, listed)
			}
		}
	}
}

func TestEveryPairOfCampaignStateAndEventIsAsDecided(t *testing.T) {
	want := map[CampaignState]map[CampaignEvent]CampaignState{
		Draft:     {Change: Draft, Submit: Submitted, Cancel: Cancelled},
		Submitted: {Change: Draft, Return: Draft, Approve: Approved, Cancel: Cancelled},
		Approved:  {Start: Running, Cancel: Cancelled},
		Running:   {Pause: Paused, Stop: Halted, Finish: Finished, Cancel: Cancelled},
		Paused:    {Resume: Running, Stop: Halted, Finish: Finished, Cancel: Cancelled},
		Halted:    {Resume: Running, Cancel: Cancelled},
	}
	for _, from := range CampaignStates() {
		for _, event := range CampaignEvents() {
			to, ok := from.On(event)
			wanted, listed := want[from][event]
			if ok != listed || ok && to != wanted {
				t.Errorf("%s on %s: %s %v, want %s %v", from, event, to, ok, wanted, listed)
			}
		}
	}
}

func TestFinalStatesStayFinalAndNoPathSendsTwiceWithoutProof(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := Planned
		begun, answered := 0, 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			event := rapid.SampledFrom(DeliveryEvents()).Draw(t, "event")
			to, ok := state.On(event)
			if state.Final() && ok {
				t.Fatalf("%s moves on %s", state, event)
			}
			if !ok {
				continue
			}
			if event == Begin {
				begun++
			}
			if slices.Contains([]DeliveryEvent{Retry, Bisect, Requeue, Fall, CallAgain}, event) && (state == Sending || state == Unconfirmed || state == Taken) {
				answered++ // a refusal, an absence that was looked for, another channel, or a call that was not heard
			}
			if begun > answered+1 {
				t.Fatalf("begun %d times with %d answers", begun, answered)
			}
			state = to
		}
	})
}

func TestTheDrawingIsThatOfTheTables(t *testing.T) {
	page, err := os.ReadFile("../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != Drawing() {
		t.Error("docs/states.md is not what the tables say; run go generate ./notify")
	}
}
