package main

import (
	"context"
	"errors"

	"github.com/lingjuli/lingjuli/notify/aliyun"
)

// newVoice is the account at the platform that calls by telephone.
func newVoice(cfg config) (*aliyun.Voice, error) {
	return aliyun.NewVoice(aliyun.Config{
		AccessKeyID: cfg.Aliyun.AccessKeyID, AccessKeySecret: cfg.Aliyun.AccessKeySecret,
		Region: cfg.Aliyun.Region, Endpoint: cfg.Aliyun.VoiceEndpoint,
	}, cfg.Aliyun.ShowNumber)
}

// voice asks the voice platform whether it knows us. Who has no voice templates may do without it.
func (d *doctor) voice(ctx context.Context, needed bool) {
	if !d.sound("aliyun-voice-endpoint", "voice-show-number") {
		return
	}
	v, err := newVoice(d.cfg)
	if err == nil {
		err = v.Ping(ctx)
	}
	var refused *aliyun.APIError
	switch {
	case err == nil:
		d.says("doctor_voice", fine, "doctor_signature")
	case needed && errors.As(err, &refused) && refused.Code != "":
		d.says("doctor_voice", broken, "doctor_aliyun_bad", "Reason", d.a.texts.reason(err))
	case needed:
		d.says("doctor_voice", note, "doctor_voice_silent", "Reason", d.a.texts.reason(err))
	default:
		d.says("doctor_voice", note, "doctor_voice_unused", "Reason", d.a.texts.reason(err))
	}
}
