package aliyun

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"

	"github.com/lingjuli/lingjuli/notify"
)

var _ notify.Bookkeeper = (*SMS)(nil)

const (
	mainland       = 1 // IsGlobe: texts to the mainland
	statisticsPage = 50
)

// DayBook asks what the platform has billed of our signature's texts on one of its days, in segments.
func (s *SMS) DayBook(ctx context.Context, day time.Time) (notify.DayCount, error) {
	date := day.In(vendorZone()).Format("20060102")
	question := dysmsapi.CreateQuerySendStatisticsRequest()
	question.IsGlobe = requests.NewInteger(mainland)
	question.StartDate, question.EndDate = date, date
	question.SignName = s.signName
	question.PageIndex, question.PageSize = requests.NewInteger(1), requests.NewInteger(statisticsPage)
	answer := dysmsapi.CreateQuerySendStatisticsResponse()
	if err := s.ask(ctx, question, answer); err != nil {
		return notify.DayCount{}, err
	}
	if answer.Code != "OK" {
		return notify.DayCount{}, s.refusal("QuerySendStatistics", http.StatusOK, answer.Code, answer.RequestId)
	}
	var count notify.DayCount
	for _, d := range answer.Data.TargetList {
		if d.SendDate != date && d.SendDate != day.In(vendorZone()).Format(time.DateOnly) {
			return count, fmt.Errorf("aliyun QuerySendStatistics: asked for %s, answered for another day", date)
		}
		count.Total += d.TotalCount
		count.Delivered += d.RespondedSuccessCount
		count.Failed += d.RespondedFailCount
		count.Waiting += d.NoRespondedCount
	}
	return count, nil
}
