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
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/lingjuli/lingjuli/flows/turn"
	"github.com/lingjuli/lingjuli/internal/register"
)

const (
	benchFollowers = 2000            // people who write, each from an openid of their own
	benchFor       = 4 * time.Second // each measurement
)

// benchSays is what they write, in turn: what is asked for most, a menu, something to be told apart.
func benchSays() []string {
	return []string{"我的医保", "菜单", "我今年的医保交了没有", "想去学门手艺", "养老金什么时候发", "谢谢"}
}

// BenchmarkServedCallback measures posts of bound people to the callback of a running server: encrypted, signed, each
// with a MsgId of its own, each turn committed before the answer. Beside it stands a bare handler that returns a
// constant to the same posts.
func BenchmarkServedCallback(b *testing.B) {
	var table callbackTable
	var where whereTime
	bare := map[int]loadResult{}
	posts := newPosts(b)
	for _, clients := range []int{16, 64} {
		b.Run(fmt.Sprintf("bare/c=%d", clients), func(b *testing.B) {
			bare[clients] = posts.load(b, bareServer(b), clients, nil)
			bare[clients].report(b)
			table.add("bare handler", clients, bare[clients], 0)
		})
	}
	for _, at := range places(b) {
		b.Run(at.name, func(b *testing.B) {
			r := startBench(b, at)
			r.load(benchFollowers)
			r.follow()
			r.server.store.WatchTurns(where.take)
			for _, clients := range []int{16, 64} {
				b.Run(fmt.Sprintf("c=%d", clients), func(b *testing.B) {
					rest(b.Context(), b, r.cfg)
					where.begin()
					got := posts.load(b, "http://"+r.server.addr+"/wechat/callback", clients, r)
					got.report(b)
					of := 0.0
					if bare[clients].rate > 0 { // left out where only a part is run
						of = got.rate / bare[clients].rate
						b.ReportMetric(of, "of-bare")
					}
					table.add("callback on "+at.name, clients, got, of)
					where.end(at.name, clients)
				})
			}
		})
	}
	table.write(os.Stdout)
	where.write(os.Stdout)
}

// bareServer answers everything with a constant.
func bareServer(b *testing.B) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "success")
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// follow binds every person on file to an openid.
func (r *bench) follow() {
	r.b.Helper()
	list, err := r.server.store.ListPeople(r.b.Context(), register.Scope{}, 0, benchFollowers)
	if err != nil || len(list) != benchFollowers {
		r.b.Fatalf("%d people: %v", len(list), err)
	}
	for i, p := range list {
		who := turn.Who{Channel: turn.WeChat, ID: benchOpenID(i), Key: fmt.Sprint("follow:", i), At: time.Now(), Window: turn.MessageWindow}
		err := r.server.store.Turn(r.b.Context(), who, func(tx turn.Tx) error {
			if _, err := tx.Open(); err != nil {
				return err
			}
			return tx.Bind(p.ID)
		})
		if err != nil {
			r.b.Fatal(err)
		}
	}
}

func benchOpenID(i int) string { return fmt.Sprintf("oBenchFollower%014d", i) }

// posts makes posts as WeChat does. Numbers go on from load to load, so that no MsgId comes twice.
type posts struct {
	block cipher.Block
	key   []byte
	next  int
}

func newPosts(b *testing.B) *posts {
	b.Helper()
	key, err := base64.StdEncoding.DecodeString(benchAESKey + "=")
	if err != nil {
		b.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		b.Fatal(err)
	}
	return &posts{block: block, key: key}
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

// loadResult is what one load found.
type loadResult struct {
	rate     float64
	p50, p99 time.Duration
	served   int
	spent    usage
	others   float64 // part of the machine's cores that went to what is not measured
}

func (l loadResult) report(b *testing.B) {
	reportOnly(b, l.spent.allocs, l.spent.bytes, float64(l.served))
	b.ReportMetric(l.rate, "req/s")
	b.ReportMetric(float64(l.p50.Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(l.p99.Microseconds())/1e3, "p99-ms")
	b.ReportMetric(micros(l.spent.process, l.served), "cpu-us/req")
	b.ReportMetric(micros(l.spent.database, l.served), "database-cpu-us/req")
}

// callbackTable is what the callback's measurement prints.
type callbackTable struct{ rows strings.Builder }

func (t *callbackTable) add(what string, clients int, l loadResult, ofBare float64) {
	of := ""
	if ofBare > 0 {
		of = fmt.Sprintf("%.3f", ofBare)
	}
	fmt.Fprintf(&t.rows, "%s\t%d\t%.0f\t%s\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f%%\t\n", what, clients, l.rate, of, float64(l.p50.Microseconds())/1e3, float64(l.p99.Microseconds())/1e3,
		micros(l.spent.process, l.served), micros(l.spent.database, l.served), 100*l.others)
}

func (t *callbackTable) write(out io.Writer) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "posts\tat once\trequests/s\tof bare\tp50 ms\tp99 ms\tCPU µs: process\tdatabase\tothers\t")
	fmt.Fprint(w, t.rows.String())
	_ = w.Flush()
	fmt.Fprintln(out, "The generator is in the process, for the bare handler too. Others: what else on this machine took of its cores meanwhile; well above 5% the figures are no good.")
	fmt.Fprintln(out)
}

// load posts by a number of clients at once for a while. r is nil for the bare handler.
func (p *posts) load(b *testing.B, address string, clients int, r *bench) loadResult {
	b.Helper()
	if r == nil {
		r = &bench{b: b, cfg: config{DatabaseURL: "sqlite:none", RedisURL: "embedded"}}
	}
	ready := make(chan benchPost, 4096)
	stop := make(chan struct{})
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
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	took := make([][]float64, clients)
	from, machine := usageHere(b, r.cfg), machineCPU()
	began := time.Now()
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for time.Since(began) < benchFor {
				post := <-ready
				start := time.Now()
				if err := send(client, address, post); err != nil {
					b.Error(err)
					return
				}
				took[c] = append(took[c], float64(time.Since(start)))
			}
		})
	}
	all.Wait()
	elapsed := time.Since(began)
	machine = machineCPU() - machine
	spent := usageHere(b, r.cfg).since(from)
	close(stop)
	for range ready {
	}
	list := slices.Concat(took...)
	return loadResult{
		rate: float64(len(list)) / elapsed.Seconds(), served: len(list), spent: spent,
		others: max(0, (machine-spent.process-spent.database).Seconds()/elapsed.Seconds()/float64(runtime.NumCPU())),
		p50:    time.Duration(percentile(list, 50)), p99: time.Duration(percentile(list, 99)),
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

// percentile sorts a copy.
func percentile(list []float64, of int) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return list[min(len(list)-1, len(list)*of/100)]
}
