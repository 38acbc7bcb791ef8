// Package seal protects personal data at rest.
//
// A sealed value is AES-256-GCM with the table, column and row id as additional data, so that a value moved to
// another row does not open. A key id stands in front, so that several data keys may be in use during a rotation.
// Look-ups go through blind indexes: HMAC-SHA-256 under an index key that never changes, because rotating it would
// change every index; the index key is itself sealed under the data key (see store's keys table).
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
)

const (
	keySize   = 32
	keyIDSize = 4
	nonceSize = 12
	version   = 1
	// IndexSize is the length of a blind index in bytes.
	IndexSize = 16
)

// Errors of this package. They never hold key material or plain text.
var (
	ErrKey     = errors.New("seal: a data key must be 32 bytes in base64")
	ErrUnknown = errors.New("seal: sealed under a key that is not here")
	ErrOpen    = errors.New("seal: the value does not open")
)

// Keys seals, opens and indexes. The first data key seals; all of them open. Safe for concurrent use.
type Keys struct {
	seal  sealer
	open  map[[keyIDSize]byte]cipher.AEAD
	index *sync.Pool // of HMACs under the index key: to make one costs more than to use it
	rand  io.Reader
}

type sealer struct {
	id   [keyIDSize]byte
	aead cipher.AEAD
}

// ParseDataKeys reads the comma-separated base64 keys of LINGJULI_DATA_KEY.
func ParseDataKeys(text string) ([][]byte, error) {
	var keys [][]byte
	for part := range strings.SplitSeq(text, ",") {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil || len(raw) != keySize {
			return nil, ErrKey
		}
		keys = append(keys, raw)
	}
	return keys, nil
}

// NewDataKey makes a random data key in base64.
func NewDataKey() string {
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // crypto/rand.Read never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(raw)
}

// New makes Keys that seal under the first data key. The index key is set later by UseIndexKey.
func New(dataKeys [][]byte) (*Keys, error) {
	if len(dataKeys) == 0 {
		return nil, ErrKey
	}
	k := &Keys{open: make(map[[keyIDSize]byte]cipher.AEAD), rand: rand.Reader}
	k.UseIndexKey(nil)
	for i, raw := range dataKeys {
		if len(raw) != keySize {
			return nil, ErrKey
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, fmt.Errorf("seal: cipher: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("seal: gcm: %w", err)
		}
		id := keyID(raw)
		k.open[id] = aead
		if i == 0 {
			k.seal = sealer{id, aead}
		}
	}
	return k, nil
}

// keyID names a key without telling anything of it: the head of a hash under a fixed label.
func keyID(raw []byte) (id [keyIDSize]byte) {
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte("lingjuli key id"))
	copy(id[:], mac.Sum(nil))
	return id
}

// UseIndexKey sets the key of the blind indexes and of OutId's MAC.
func (k *Keys) UseIndexKey(raw []byte) {
	index := append([]byte(nil), raw...)
	k.index = &sync.Pool{New: func() any { return hmac.New(sha256.New, index) }}
}

// Seal encrypts plain for one column of one row. Empty plain gives nil, so that "nothing on file" stays NULL.
func (k *Keys) Seal(plain []byte, table, column string, id int64) []byte {
	if len(plain) == 0 {
		return nil
	}
	out := make([]byte, 1+keyIDSize+nonceSize, 1+keyIDSize+nonceSize+len(plain)+k.seal.aead.Overhead())
	out[0] = version
	copy(out[1:], k.seal.id[:])
	nonce := out[1+keyIDSize : 1+keyIDSize+nonceSize]
	_, _ = io.ReadFull(k.rand, nonce)
	return k.seal.aead.Seal(out, nonce, plain, additional(table, column, id))
}

// Open decrypts what Seal made for the same column and row. nil gives nil.
func (k *Keys) Open(sealed []byte, table, column string, id int64) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	if len(sealed) < 1+keyIDSize+nonceSize || sealed[0] != version {
		return nil, fmt.Errorf("%w: %s.%s of row %d: not a sealed value", ErrOpen, table, column, id)
	}
	aead, ok := k.open[[keyIDSize]byte(sealed[1:1+keyIDSize])]
	if !ok {
		return nil, fmt.Errorf("%w: %s.%s of row %d", ErrUnknown, table, column, id)
	}
	nonce, body := sealed[1+keyIDSize:1+keyIDSize+nonceSize], sealed[1+keyIDSize+nonceSize:]
	plain, err := aead.Open(nil, nonce, body, additional(table, column, id))
	if err != nil {
		return nil, fmt.Errorf("%w: %s.%s of row %d", ErrOpen, table, column, id)
	}
	return plain, nil
}

// Index is the blind index of a value in a domain ("phone", "id_number"): 16 bytes of HMAC-SHA-256.
// An empty value gives nil.
func (k *Keys) Index(domain, value string) []byte {
	if value == "" {
		return nil
	}
	return k.MAC(domain, value)[:IndexSize]
}

// MAC is the whole HMAC-SHA-256 of a value in a domain, under the index key.
func (k *Keys) MAC(domain, value string) []byte {
	mac := k.index.Get().(hash.Hash)
	defer k.index.Put(mac)
	mac.Reset()
	mac.Write([]byte(domain))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

func additional(table, column string, id int64) []byte {
	ad := make([]byte, 0, len(table)+len(column)+10)
	ad = append(ad, table...)
	ad = append(ad, 0)
	ad = append(ad, column...)
	ad = append(ad, 0)
	return binary.BigEndian.AppendUint64(ad, uint64(id))
}
