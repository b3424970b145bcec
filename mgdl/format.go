package mgdl

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/multigrade/multigrade/kernel"
)

// The model file is a safetensors container:
//
//	8 bytes   length of the header, little-endian
//	header    JSON, filled up with spaces to a multiple of 8 bytes
//	tensors   float32, little-endian, row-major, one after the other
//
// The header is an object of "__metadata__", an object of strings, followed by one entry
// for each tensor in the order of the file: "prior" [outputs], then for each grade,
// chain and layer, the readout being the last layer, "grade1.chain0.layer0.weight" [K, N]
// and "grade1.chain0.layer0.bias" [N], and last, in a checkpoint, "training", the bytes of
// trainingState. The metadata are, in this order:
//
//	checksum        SHA-256 of the whole file with these 64 digits replaced by "0", in hex
//	format          "multigrade"
//	format_version  "1"
//	grades          JSON array of what is known of the prior (element 0) and each grade, the
//	                kind "prior", "linear", "relu" or "sin" (with weights in cycles) among it;
//	                a curve is [[epoch, train_loss, val_loss], ...]; null stands for NaN;
//	                gap, lambda and global are there for a convex grade
//	meta.KEY        what Model.WithMeta said, by ascending key
//	schema          JSON object of the columns
//
// There is exactly one file for a model: this text leaves no choice of order, spacing,
// number (the shortest digits that give back the float64) or escape (quote, backslash
// and control characters, the latter as \u00XX). Readers refuse anything else.
const (
	formatName    = "multigrade"
	formatVersion = 1

	// headerStart is how the header begins; the checksum follows, at a fixed place.
	headerStart = `{"__metadata__":{"checksum":"`
	checksumAt  = len(headerStart)
	checksumLen = 2 * sha256.Size

	// maxHeader bounds the header: 64 MiB describe half a million tensors.
	maxHeader = 64 << 20
)

var (
	// ErrFormat is matched by errors of ReadModel and ReadFile about a file that is no
	// model or has been damaged.
	ErrFormat = errors.New("mgdl: not a valid model file")
	// ErrVersion is matched by errors about a model file of a newer format.
	ErrVersion = errors.New("mgdl: model file of a newer format")
)

// A tensor is one entry of the file: a layer's weights, or a vector.
type tensor struct {
	name    string
	weights kernel.Weights // vector == nil, raw == nil
	vector  []float32
	raw     []byte
}

// trainingTensor is the name of the tensor that only checkpoints have.
const trainingTensor = "training"

func (t *tensor) shape() []int {
	switch {
	case t.raw != nil:
		return []int{len(t.raw)}
	case t.vector != nil:
		return []int{len(t.vector)}
	}
	return []int{t.weights.K, t.weights.N}
}

// dtype names the type of the elements.
func (t *tensor) dtype() string {
	if t.raw != nil {
		return "U8"
	}
	return "F32"
}

// bytes returns the size in the file.
func (t *tensor) bytes() int64 {
	n := int64(4)
	if t.raw != nil {
		n = 1
	}
	for _, d := range t.shape() {
		n *= int64(d)
	}
	return n
}

// tensors returns m's tensors in file order.
func (m *Model) tensors() []tensor {
	ts := []tensor{{name: "prior", vector: m.prior}}
	for g := range m.grades {
		for e := range m.grades[g].networks {
			for l, layer := range m.grades[g].networks[e].layers() {
				name := layerName(g, e, l)
				ts = append(ts, tensor{name: name + ".weight", weights: layer.w}, tensor{name: name + ".bias", vector: layer.b})
			}
		}
	}
	if m.training != nil {
		ts = append(ts, tensor{name: trainingTensor, raw: m.training.append(nil)})
	}
	return ts
}

func layerName(grade, chain, layer int) string {
	return "grade" + strconv.Itoa(grade+1) + ".chain" + strconv.Itoa(chain) + ".layer" + strconv.Itoa(layer)
}

// WriteTo writes the model file and returns the number of bytes written. The bytes
// depend on the model alone. Its errors wrap w's.
func (m *Model) WriteTo(w io.Writer) (int64, error) {
	cw := &countingWriter{w: w}
	if err := m.write(cw); err != nil {
		return cw.n, fmt.Errorf("mgdl: writing the model: %w", err)
	}
	return cw.n, nil
}

func (m *Model) write(w io.Writer) error {
	ts := m.tensors()
	head, err := m.head(ts)
	if err != nil {
		return err
	}
	copy(head[8+checksumAt:], m.sum(head, ts))
	if _, err := w.Write(head); err != nil {
		return err
	}
	return writeTensors(w, ts)
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

// Checksum returns the SHA-256 that the model file carries, in hex: equal models have
// equal ones. It is computed by the first call unless the model was read from a file.
func (m *Model) Checksum() string {
	if s := m.checksum.Load(); s != nil {
		return *s
	}
	ts := m.tensors()
	head, err := m.head(ts)
	if err != nil {
		return "" // no file can hold the model
	}
	return m.sum(head, ts)
}

// sum returns the checksum of the file that begins with head, in which it is all zeros,
// and remembers it.
func (m *Model) sum(head []byte, ts []tensor) string {
	if s := m.checksum.Load(); s != nil {
		return *s
	}
	h := sha256.New()
	h.Write(head)
	writeTensors(h, ts) // a hash returns no error
	s := hexSum(h)
	m.checksum.Store(&s)
	return s
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// writeTensors writes the elements of ts, a chunk of bounded size at a time.
func writeTensors(w io.Writer, ts []tensor) error {
	buf := make([]byte, 0, 1<<16)
	for i := range ts {
		t := &ts[i]
		if t.raw != nil {
			if _, err := w.Write(append(buf, t.raw...)); err != nil {
				return err
			}
			buf = buf[:0]
			continue
		}
		values := t.vector
		if values == nil {
			m := kernel.NewMatrix(t.weights.K, t.weights.N)
			t.weights.Unpack(m)
			values = m.Data
		}
		for _, v := range values {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			if len(buf) == cap(buf) {
				if _, err := w.Write(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
		}
	}
	_, err := w.Write(buf)
	return err
}

// head returns the length and the header of the file, with a checksum of zeros.
func (m *Model) head(ts []tensor) ([]byte, error) {
	b := make([]byte, 8, 4096)
	b = append(b, headerStart...)
	for range checksumLen {
		b = append(b, '0')
	}
	b = append(b, `","format":"`+formatName+`","format_version":"`...)
	b = strconv.AppendInt(b, formatVersion, 10)
	b = append(b, `","grades":`...)
	b = appendString(b, string(m.appendGrades(nil)))
	for _, k := range slices.Sorted(maps.Keys(m.meta)) {
		b = append(b, ',')
		b = appendString(b, metaPrefix+k)
		b = append(b, ':')
		b = appendString(b, m.meta[k])
	}
	b = append(b, `,"schema":`...)
	b = appendString(b, string(m.schema.append(nil)))
	b = append(b, '}')
	at := int64(0)
	for i := range ts {
		t := &ts[i]
		b = append(b, ',')
		b = appendString(b, t.name)
		b = append(b, `:{"dtype":"`...)
		b = append(b, t.dtype()...)
		b = append(b, `","shape":`...)
		b = appendList(b, t.shape(), appendInt)
		b = append(b, `,"data_offsets":[`...)
		b = strconv.AppendInt(b, at, 10)
		b = append(b, ',')
		at += t.bytes()
		b = strconv.AppendInt(b, at, 10)
		b = append(b, "]}"...)
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	if len(b)-8 > maxHeader {
		return nil, fmt.Errorf("the header has %d bytes, a file can have %d", len(b)-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	return b, nil
}

// metaPrefix sets the caller's metadata apart from the format's.
const metaPrefix = "meta."

// appendGrades appends the JSON of the prior's and all grades' infos.
func (m *Model) appendGrades(b []byte) []byte {
	infos := []GradeInfo{m.prior0}
	for i := range m.grades {
		infos = append(infos, m.grades[i].info)
	}
	return appendList(b, infos, func(b []byte, g GradeInfo) []byte {
		b = append(b, `{"kind":`...)
		b = appendString(b, g.Kind)
		b = append(b, `,"hidden":`...)
		b = appendList(b, g.Hidden, appendInt)
		b = append(b, `,"networks":`...)
		b = appendInt(b, g.Networks)
		b = append(b, `,"params":`...)
		b = appendInt(b, g.Params)
		b = append(b, `,"macs":`...)
		b = appendInt(b, g.MACs)
		b = append(b, `,"train_loss":`...)
		b = appendFloat(b, g.TrainLoss)
		b = append(b, `,"val_loss":`...)
		b = appendFloat(b, g.ValLoss)
		b = append(b, `,"curve":`...)
		b = appendList(b, g.Curve, func(b []byte, c Check) []byte {
			return appendList(b, []float64{c.Epoch, c.TrainLoss, c.ValLoss}, appendFloat)
		})
		if c := g.Certificate; c != nil {
			b = append(b, `,"gap":`...)
			b = appendFloat(b, c.Gap)
			b = append(b, `,"lambda":`...)
			b = appendFloat(b, c.Lambda)
			b = append(b, `,"global":`...)
			b = strconv.AppendBool(b, c.Global)
		}
		return append(b, '}')
	})
}

// append appends the JSON of s.
func (s *Schema) append(b []byte) []byte {
	b = append(b, `{"task":`...)
	b = appendString(b, s.Task.String())
	b = append(b, `,"clip":`...)
	b = appendFloat(b, s.Clip)
	b = append(b, `,"features":`...)
	b = appendList(b, s.Features, appendColumn)
	b = append(b, `,"targets":`...)
	b = appendList(b, s.Targets, appendColumn)
	return append(b, '}')
}

func appendColumn(b []byte, c Column) []byte {
	b = append(b, `{"name":`...)
	b = appendString(b, c.Name)
	b = append(b, `,"kind":`...)
	b = appendString(b, c.Kind.String())
	if c.Kind == Category {
		b = append(b, `,"levels":`...)
		b = appendList(b, c.Levels, appendString)
		return append(b, '}')
	}
	for _, f := range [...]struct {
		key   string
		value float64
	}{{"missing", c.Missing}, {"mean", c.Mean}, {"scale", c.Scale}, {"min", c.Min}, {"max", c.Max}} {
		b = append(b, `,"`+f.key+`":`...)
		b = appendFloat(b, f.value)
	}
	return append(b, '}')
}

// appendList appends the JSON array of list.
func appendList[T any](b []byte, list []T, appendTo func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTo(b, v)
	}
	return append(b, ']')
}

// appendString appends the JSON of s, which is UTF-8. The escapes of encoding/json have
// changed between releases of Go; these bytes must not.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// appendFloat appends the shortest decimal that gives back v, null for NaN.
func appendFloat(b []byte, v float64) []byte {
	if v != v {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}
