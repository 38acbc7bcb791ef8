package main

import (
	"context"
	"log/slog"

	"github.com/lingjuli/lingjuli/notify/aliyun"
)

// queues reads how receipts come, and where they are pulled from a queue the queues' names.
func (p *parser) queues(s settings) []string {
	switch s.AliyunReceipts {
	case "push":
		return nil
	case "mns":
	default:
		p.bad("aliyun-receipts", "must_receipts", "")
		return nil
	}
	list := splitList(s.AliyunQueues)
	reports := false
	for _, name := range list {
		kind, err := aliyun.QueueKind(name)
		if err != nil {
			p.bad("aliyun-queues", "must_queues", "")
			return nil
		}
		reports = reports || kind == "SmsReport"
	}
	if !reports {
		p.bad("aliyun-queues", "must_queues", "")
	}
	return list
}

// newQueues is where receipts are pulled from.
func newQueues(cfg config, sink aliyun.Sink, log *slog.Logger) (*aliyun.Queues, error) {
	return aliyun.NewQueues(aliyun.Config{
		AccessKeyID: cfg.Aliyun.AccessKeyID, AccessKeySecret: cfg.Aliyun.AccessKeySecret,
		Region: cfg.Aliyun.Region, Endpoint: cfg.Aliyun.TokenEndpoint,
	}, cfg.Aliyun.QueueEndpoint, cfg.Aliyun.Queues, sink, log)
}

// startQueues pulls receipts beside the worker, where they aren't pushed.
func (s *server) startQueues() error {
	if len(s.cfg.Aliyun.Queues) == 0 {
		return nil
	}
	queues, err := newQueues(s.cfg, receiptSink{s.store}, s.log)
	if err != nil {
		return err
	}
	s.beside("receipt queues", queues.Run)
	return nil
}

// queues asks for a token of each queue.
func (d *doctor) queues(ctx context.Context) {
	if len(d.cfg.Aliyun.Queues) == 0 || !d.sound("aliyun-queues", "aliyun-token-endpoint", "aliyun-queue-endpoint") {
		return
	}
	queues, err := newQueues(d.cfg, nil, slog.New(slog.DiscardHandler))
	if err == nil {
		err = queues.Ping(ctx)
	}
	if err != nil {
		d.says("doctor_queues", broken, "doctor_queues_bad", "Reason", d.a.texts.reason(err))
		return
	}
	d.says("doctor_queues", fine, "doctor_answers")
}
