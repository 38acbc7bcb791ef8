package understand

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// model is a multinomial logistic regression, the mean of several. Each feature has a row of weights, one for each intent, in eighths of a
// byte's precision: weight = scale × row.
type model struct {
	keys   []uint32 // sorted
	scales []float32
	rows   []int8
	bias   []float32
}

// sharpness makes the scores honest: found by cross-validation, it turns the learner's belief into how often it is
// right. `make understand` prints both side by side.
const sharpness = 1.3

// keyFor shortens a feature's id. A few of some 150,000 fall together; they then share a row.
func keyFor(id uint64) uint32 { return uint32(id>>32) ^ uint32(id)*2654435761 }

// scores gives each intent's share of belief; they sum up to 1.
func (m *model) scores(features []feature) []float64 {
	out := make([]float64, len(m.bias))
	for c, b := range m.bias {
		out[c] = float64(b)
	}
	for _, f := range m.withNovelty(features) {
		at, ok := slices.BinarySearch(m.keys, keyFor(f.id))
		if !ok {
			continue
		}
		v := f.value * float64(m.scales[at])
		for c, w := range m.rows[at*len(out) : (at+1)*len(out)] {
			out[c] += v * float64(w)
		}
	}
	top := slices.Max(out)
	sum := 0.0
	for c, s := range out {
		out[c] = math.Exp(sharpness * (s - top))
		sum += out[c]
	}
	for c := range out {
		out[c] /= sum
	}
	return out
}

func (m *model) knows(id uint64) bool {
	_, ok := slices.BinarySearch(m.keys, keyFor(id))
	return ok
}

// withNovelty adds how much of an utterance is unlike any other: who speaks of something else uses other words.
func (m *model) withNovelty(features []feature) []feature { return novelty(features, m.knows) }

func novelty(features []feature, usual func(uint64) bool) []feature {
	var strange, all float64
	for _, f := range features {
		if levelOf(f.id) == charLevel {
			all += f.value * f.value
			if !usual(f.id) {
				strange += f.value * f.value
			}
		}
	}
	if all == 0 {
		return features
	}
	return append(slices.Clip(features), feature{gramID(noveltyLevel), strange / all * noveltyWeight})
}

// The file: magic, digest of the texts it was learnt from, number of intents and features, bias, keys, scales, rows.
const magic = "LJLUND01"

type modelHead struct {
	Magic    [8]byte
	Digest   [sha256.Size]byte
	Intents  uint32
	Features uint32
}

func (m *model) write(digest [sha256.Size]byte) ([]byte, error) {
	head := modelHead{Digest: digest, Intents: uint32(len(m.bias)), Features: uint32(len(m.keys))}
	copy(head.Magic[:], magic)
	var b bytes.Buffer
	for _, part := range []any{head, m.bias, m.keys, m.scales, m.rows} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			return nil, fmt.Errorf("understand: write the model: %w", err)
		}
	}
	return b.Bytes(), nil
}

func readModel(file []byte, intents int) (*model, [sha256.Size]byte, error) {
	var head modelHead
	in := bytes.NewReader(file)
	if err := binary.Read(in, binary.LittleEndian, &head); err != nil {
		return nil, head.Digest, fmt.Errorf("understand: read the model: %w", err)
	}
	n := int(head.Features)
	if string(head.Magic[:]) != magic || int(head.Intents) != intents || in.Len() != 4*intents+n*(8+intents) {
		return nil, head.Digest, errors.New("understand: the model is not of this program; run: go generate ./flows/understand")
	}
	m := &model{
		keys: make([]uint32, n), scales: make([]float32, n),
		rows: make([]int8, n*intents), bias: make([]float32, intents),
	}
	for _, part := range []any{m.bias, m.keys, m.scales, m.rows} {
		if err := binary.Read(in, binary.LittleEndian, part); err != nil {
			return nil, head.Digest, fmt.Errorf("understand: read the model: %w", err)
		}
	}
	return m, head.Digest, nil
}
