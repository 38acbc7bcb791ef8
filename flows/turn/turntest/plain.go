package turntest

import (
	"strings"

	"github.com/lingjuli/lingjuli/flows"
	"github.com/lingjuli/lingjuli/internal/hanzi"
)

// Plain is an understander for tests: a few words for each wish, no cleverness. A line with words of two wishes is
// unsure, and names both.
type Plain struct{}

// Understand implements flows.Understander.
func (Plain) Understand(text string) flows.Guess {
	text = strings.ToLower(hanzi.Simplify(text))
	var g flows.Guess
	for _, w := range []struct{ intent, words string }{
		{"check_medical", "医保 合作医疗 medical"},
		{"check_pension", "养老 pension"},
		{"check_subsidy", "补贴 subsid"},
		{"premium_pay", "交钱 缴费 交费"},
		{"jobs", "找工作 搵工 揾工 招工 的工作 份工 job"},
		{"public_job", "公益岗 保洁"},
		{"training", "培训 course"},
		{"technical_school", "技校"},
		{"startup", "创业"},
		{"graduate", "毕业"},
		{"serious_illness", "大病"},
		{"medical_remote", "报销"},
		{"pension_transfer", "转移"},
		{"disability_premium", "残疾"},
		{"policy_general", "政策"},
		{"bind_identity", "绑定"},
		{"unsubscribe", "别再发 停发"},
		{"human", "找个人"},
		{"report_problem", "投诉 举报"},
		{"language", "粤语 英语 english 语言 广东话"},
		{"greeting", "你好 您好 hello"},
		{"thanks", "谢谢 多谢 唔该"},
		{"out_of_scope", "天气 笑话"},
	} {
		for word := range strings.FieldsSeq(w.words) {
			if strings.Contains(text, word) {
				g.Candidates = append(g.Candidates, flows.Candidate{Intent: w.intent, Score: 0.9})
				break
			}
		}
	}
	if text == "社保" {
		g.Candidates = []flows.Candidate{{Intent: "check_medical"}, {Intent: "check_pension"}}
	}
	if n := len(g.Candidates); n > 1 || n == 1 && g.Candidates[0].Score == 0 || text == "社保" {
		for i := range g.Candidates {
			g.Candidates[i].Score = 0.4
		}
	}
	if len(g.Candidates) > 0 {
		g.Intent, g.Score = g.Candidates[0].Intent, g.Candidates[0].Score
	}
	return g
}
