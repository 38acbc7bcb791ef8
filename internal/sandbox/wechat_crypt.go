package sandbox

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mode is how the account posts messages to its server.
type Mode string

// The modes of the account's console.
const (
	Plain      Mode = "plain"
	Compatible Mode = "compatible"
	Safe       Mode = "safe"
)

// callbackSignature is WeChat's: SHA-1 over the sorted parts, in lower-case hex.
func callbackSignature(parts ...string) string {
	sorted := slices.Clone(parts)
	slices.Sort(sorted)
	sum := sha1.Sum([]byte(strings.Join(sorted, "")))
	return hex.EncodeToString(sum[:])
}

// padBlock is the block of the padding: 32, although AES's own is 16.
const padBlock = 32

// envelope encrypts and decrypts what is posted. Its plain text is random(16) ‖ length(4) ‖ message ‖ appid.
type envelope struct {
	appID string
	key   []byte
}

func newEnvelope(appID, encodingKey string) (*envelope, error) {
	key, err := base64.StdEncoding.DecodeString(encodingKey + "=")
	if err != nil || len(key) != 32 {
		return nil, errors.New("the EncodingAESKey must be 43 characters of base64")
	}
	return &envelope{appID: appID, key: key}, nil
}

func (e *envelope) seal(random, msg []byte) (string, error) {
	block, err := aes.NewCipher(e.key)
	if err != nil {
		return "", err
	}
	var plain bytes.Buffer
	plain.Write(random)
	_ = binary.Write(&plain, binary.BigEndian, uint32(len(msg)))
	plain.Write(msg)
	plain.WriteString(e.appID)
	pad := padBlock - plain.Len()%padBlock
	plain.Write(bytes.Repeat([]byte{byte(pad)}, pad))
	out := plain.Bytes()
	cipher.NewCBCEncrypter(block, e.key[:16]).CryptBlocks(out, out)
	return base64.StdEncoding.EncodeToString(out), nil
}

func (e *envelope) open(sealed string) (random, msg []byte, err error) {
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("reply is no base64: %w", err)
	}
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, nil, errors.New("reply is no whole number of blocks")
	}
	block, err := aes.NewCipher(e.key)
	if err != nil {
		return nil, nil, err
	}
	cipher.NewCBCDecrypter(block, e.key[:16]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > padBlock || pad > len(data)-20 {
		return nil, nil, errors.New("reply has no valid padding")
	}
	data = data[:len(data)-pad]
	size := int(binary.BigEndian.Uint32(data[16:20]))
	if size > len(data)-20 {
		return nil, nil, errors.New("reply is shorter than it says")
	}
	if string(data[20+size:]) != e.appID {
		return nil, nil, errors.New("reply is for another appid")
	}
	return data[:16], data[20 : 20+size], nil
}
