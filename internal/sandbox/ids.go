package sandbox

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// idSource makes the ids that the platforms make: fast, and seeded once from the configured random source.
type idSource struct {
	mu  sync.Mutex
	rng *mathrand.ChaCha8
	seq uint64
}

func newIDSource(random io.Reader) (*idSource, error) {
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, fmt.Errorf("read random seed: %w", err)
	}
	return &idSource{rng: mathrand.NewChaCha8(seed)}, nil
}

func (s *idSource) bytes(n int) []byte {
	b := make([]byte, n)
	s.mu.Lock()
	_, _ = s.rng.Read(b)
	s.mu.Unlock()
	return b
}

func (s *idSource) number() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.Uint64()
}

// requestID is a UUID in capitals, as Aliyun's gateway gives.
func (s *idSource) requestID() string {
	b := s.bytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := strings.ToUpper(hex.EncodeToString(b))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// bizID is one per accepted call, of the shape 9006197469364984400^0.
func (s *idSource) bizID() string {
	return strconv.FormatUint(s.number()%9e18+1e18, 10) + "^0"
}

// rid is the trace id at the end of WeChat's errmsg.
func (s *idSource) rid(now time.Time) string {
	h := hex.EncodeToString(s.bytes(8))
	return fmt.Sprintf("%08x-%s-%s", now.Unix(), h[:8], h[8:])
}

// token is an access token of the length of the real ones.
func (s *idSource) token() string {
	return "88_" + base64.RawURLEncoding.EncodeToString(s.bytes(100))
}

// messageID is an id of a message; ids grow.
func (s *idSource) messageID(now time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	return now.Unix()*1_000_000 + int64(s.seq%1_000_000)
}

// callID names a call by telephone.
func (s *idSource) callID() string {
	return strconv.FormatUint(s.number()>>1, 10) + "^" + strconv.FormatUint(s.number()>>1, 10)
}
