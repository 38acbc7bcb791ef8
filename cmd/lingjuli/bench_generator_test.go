package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // WeChat's signature
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// generation is what the generator is asked for: posts by so many clients at once.
type generation struct {
	Address string `json:"address"`
	Clients int    `json:"clients"`
}

// generated is what it has seen.
type generated struct {
	Rate   float64       `json:"rate"` // a second
	P50    time.Duration `json:"p50"`
	P99    time.Duration `json:"p99"`
	Served int           `json:"served"`
	Failed string        `json:"failed"` // what went wrong first
}

// generatorDoors is the generator's process: WeChat as the callback sees it.
func generatorDoors(t *testing.T) standInDoors {
	p, err := newPosts()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /load", func(w http.ResponseWriter, r *http.Request) {
		var g generation
		if err := json.NewDecoder(r.Body).Decode(&g); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(p.load(g))
	})
	return standInDoors{Control: standInDoor(t, mux)}
}

// posts makes posts as WeChat does. Numbers go on from load to load, so that no MsgId comes twice.
type posts struct {
	block cipher.Block
	key   []byte
	next  int
}

func newPosts() (*posts, error) {
	key, err := base64.StdEncoding.DecodeString(benchAESKey + "=")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	return &posts{block: block, key: key}, err
}

type benchPost struct{ query, body string }

func (p *posts) make() benchPost {
	n := p.next
	p.next++
	says := benchSays()
	inner := fmt.Sprintf("<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName>"+
		"<CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>%d</MsgId></xml>",
		benchOpenID(n%benchFollowers), time.Now().Unix(), says[(n+n/benchFollowers)%len(says)], 7000000000000+n)
	sealed := p.encrypt(inner)
	stamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), rand.Text()
	q := url.Values{
		"timestamp": {stamp}, "nonce": {nonce}, "encrypt_type": {"aes"}, "openid": {benchOpenID(n % benchFollowers)},
		"signature": {benchSignature(benchToken, stamp, nonce)}, "msg_signature": {benchSignature(benchToken, stamp, nonce, sealed)},
	}
	return benchPost{q.Encode(), "<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><Encrypt><![CDATA[" + sealed + "]]></Encrypt></xml>"}
}

func benchSignature(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // WeChat's signature
	return hex.EncodeToString(sum[:])
}

// encrypt puts a post under the key: 16 random bytes, length, post, appid, padded to 32.
func (p *posts) encrypt(inner string) string {
	raw := make([]byte, 16, 512)
	_, _ = rand.Read(raw)
	raw = binary.BigEndian.AppendUint32(raw, uint32(len(inner))) //nolint:gosec // short
	raw = append(append(raw, inner...), benchAppID...)
	pad := 32 - len(raw)%32
	raw = append(raw, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(p.block, p.key[:16]).CryptBlocks(raw, raw)
	return base64.StdEncoding.EncodeToString(raw)
}

// load posts by a number of clients at once for a while.
func (p *posts) load(g generation) generated {
	ready, stop := make(chan benchPost, 4096), make(chan struct{})
	go func() {
		defer close(ready)
		for {
			select {
			case ready <- p.make():
			case <-stop:
				return
			}
		}
	}()
	transport := &http.Transport{MaxIdleConnsPerHost: g.Clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	took, failed := make([][]float64, g.Clients), make([]string, g.Clients)
	began := time.Now()
	var all sync.WaitGroup
	for c := range g.Clients {
		all.Go(func() {
			for time.Since(began) < benchFor {
				post := <-ready
				start := time.Now()
				if err := send(client, g.Address, post); err != nil {
					failed[c] = err.Error()
					return
				}
				took[c] = append(took[c], float64(time.Since(start)))
			}
		})
	}
	all.Wait()
	elapsed := time.Since(began)
	close(stop)
	for range ready {
	}
	list := slices.Concat(took...)
	slices.Sort(failed)
	return generated{
		Rate: float64(len(list)) / elapsed.Seconds(), Served: len(list), Failed: failed[len(failed)-1],
		P50: time.Duration(percentile(list, 50)), P99: time.Duration(percentile(list, 99)),
	}
}

func send(client *http.Client, address string, post benchPost) error {
	res, err := client.Post(address+"?"+post.query, "text/xml", strings.NewReader(post.body))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err == nil && (res.StatusCode != http.StatusOK || len(body) == 0) {
		err = fmt.Errorf("status %d, %d bytes", res.StatusCode, len(body))
	}
	return err
}
