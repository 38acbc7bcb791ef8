package sandbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// entryKind names what a line of the journal says.
type entryKind string

const (
	entryReset    entryKind = "reset"
	entryTemplate entryKind = "sms_template"
	entrySign     entryKind = "sms_sign"
	entryCall     entryKind = "sms_call"
	entryReceipt  entryKind = "sms_receipt"
	entryReply    entryKind = "sms_reply"
	entryDial     entryKind = "voice_call"
	entryFollower entryKind = "follower"
	entryChat     entryKind = "chat"
	entryMenu     entryKind = "menu"
	entryNotice   entryKind = "wechat_template"
	entryScene    entryKind = "qr_scene"
)

// entry is one line of the journal. Only the field of its kind is set.
type entry struct {
	Kind     entryKind       `json:"kind"`
	At       time.Time       `json:"at"`
	Template *SMSTemplate    `json:"template,omitempty"`
	Sign     *SMSSign        `json:"sign,omitempty"`
	Call     *callEntry      `json:"call,omitempty"`
	Receipt  *receiptEntry   `json:"receipt,omitempty"`
	Reply    *SMSReply       `json:"reply,omitempty"`
	Dial     *VoiceCall      `json:"dial,omitempty"`
	Follower *followerEntry  `json:"follower,omitempty"`
	Chat     *chatEntry      `json:"chat,omitempty"`
	Menu     json.RawMessage `json:"menu,omitempty"`
	Notice   *NoticeTemplate `json:"notice,omitempty"`
	Scene    *Scene          `json:"scene,omitempty"`
}

type callEntry struct {
	BizID    string            `json:"biz_id"`
	OutID    string            `json:"out_id"`
	Template string            `json:"template"`
	Signs    []string          `json:"signs"`
	Params   []json.RawMessage `json:"params,omitempty"`
	Phones   []uint64          `json:"phones"`
	Extends  []string          `json:"extends,omitempty"`
}

// receiptEntry settles messages first, first+1, …
type receiptEntry struct {
	First int32    `json:"first"`
	Codes []string `json:"codes"`
}

// journal is an append-only file of JSON lines.
type journal struct {
	mu   sync.Mutex
	file *os.File
	w    *bufio.Writer
	err  error
}

const journalName = "sandbox.jsonl"

// openJournal reads what is there line by line and opens the file for more. A last line cut off by a kill is dropped.
func openJournal(dir string, replay func(*entry) error) (*journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, journalName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	end, err := readJournal(file, replay)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &journal{file: file, w: bufio.NewWriterSize(file, 1<<16)}, nil
}

func readJournal(file io.Reader, replay func(*entry) error) (int64, error) {
	r := bufio.NewReaderSize(file, 1<<16)
	var end int64
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err != nil { // an unfinished last line is what a kill leaves
			if errors.Is(err, io.EOF) {
				return end, nil
			}
			return end, err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return end, fmt.Errorf("line %d: %w", n, err)
		}
		if err := replay(&e); err != nil {
			return end, fmt.Errorf("line %d: %w", n, err)
		}
		end += int64(len(line))
	}
}

// write appends a line and hands it to the system at once: a killed demo keeps what it has shown.
func (j *journal) write(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.w.Write(append(line, '\n'))
	if err := j.w.Flush(); err != nil && j.err == nil {
		j.err = err
	}
	return j.err
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(j.w.Flush(), j.file.Close())
}

// note writes to the journal, if there is one.
func (s *Sandbox) note(e entry) {
	if s.journal == nil {
		return
	}
	if err := s.journal.write(e); err != nil {
		s.cfg.Log.Error("sandbox journal", "error", err)
	}
}

// replay puts one line of the journal back in its place.
func (s *Sandbox) replay(e *entry) error {
	switch e.Kind {
	case entryReset:
		s.carrier.clear()
		s.account.clear()
	case entryTemplate:
		s.carrier.putTemplate(newSMSTemplate(*e.Template, e.At))
	case entrySign:
		s.carrier.putSign(*e.Sign)
	case entryCall:
		s.carrier.replayCall(e.Call, e.At)
	case entryReceipt:
		s.carrier.replayReceipt(e.Receipt, e.At)
	case entryReply:
		e.Reply.at = e.At
		s.carrier.putReply(*e.Reply)
	case entryDial:
		s.carrier.putDial(e.Dial)
	case entryFollower, entryChat, entryMenu, entryNotice, entryScene:
		s.account.replay(e)
	default:
		return fmt.Errorf("unknown kind %q", e.Kind)
	}
	return nil
}
