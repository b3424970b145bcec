package mgdl

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/multigrade/multigrade/kernel"
)

// A fileError says what is wrong with a model file, and where.
type fileError struct {
	path string // "" if not known
	msg  string
	kind error // ErrFormat, ErrVersion, or what reading or writing returned
}

func (e *fileError) Error() string {
	if e.path == "" {
		return "mgdl: " + e.msg
	}
	return "mgdl: " + e.path + ": " + e.msg
}

func (e *fileError) Unwrap() error { return e.kind }

func formatError(format string, args ...any) error {
	return &fileError{msg: fmt.Sprintf(format, args...), kind: ErrFormat}
}

// ReadModel reads a model file up to r's end. A file that is not exactly what WriteTo
// writes, down to the last bit, is refused with an error that matches ErrFormat (or
// ErrVersion, if it is of a newer format) and says which part is wrong and how; other
// errors are r's. Memory is allocated as bytes arrive, never by what the file claims.
func ReadModel(r io.Reader) (*Model, error) {
	f := &modelReader{r: r, sum: sha256.New()}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	schema, infos, err := f.describe()
	if err != nil {
		return nil, err
	}
	prior, grades, err := f.readTensors(schema, infos)
	if err != nil {
		return nil, err
	}
	training, err := f.training()
	if err != nil {
		return nil, err
	}
	if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 {
		return nil, formatError("damaged: there are bytes after the last tensor")
	} else if err != io.EOF {
		return nil, readError(err)
	}
	checksum := string(f.header[checksumAt : checksumAt+checksumLen])
	if got := hexSum(f.sum); got != checksum {
		return nil, formatError("damaged: a byte has changed: the checksum of the content is %s, the file says %s", got, checksum)
	}
	m, err := newModel(schema, prior, infos[0], grades, f.userMeta())
	if err != nil {
		return nil, formatError("invalid model: %s", strings.TrimPrefix(err.Error(), "mgdl: "))
	}
	m.training = training
	head, err := m.head(m.tensors())
	if err != nil {
		return nil, formatError("invalid model: %v", err)
	}
	copy(head[8+checksumAt:], checksum)
	if !bytes.Equal(head[8:], f.header) {
		return nil, formatError("invalid header: it is not in canonical form")
	}
	m.checksum.Store(&checksum)
	return m, nil
}

func readError(err error) error {
	return &fileError{msg: fmt.Sprintf("reading the model: %v", err), kind: err}
}

func isEOF(err error) bool { return err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) }

// A modelReader is a model file being read.
type modelReader struct {
	r       io.Reader
	sum     hash.Hash // of what has been read, the checksum being zeros
	header  []byte
	entries map[string]json.RawMessage // of the header: the tensors, once meta is apart
	meta    map[string]string
	at      int64 // bytes of tensors read
	buf     []byte
	values  []float32 // of the last tensor
}

// readHeader reads the header and takes it apart.
func (f *modelReader) readHeader() error {
	var start [8]byte
	if n, err := io.ReadFull(f.r, start[:]); err != nil {
		if !isEOF(err) {
			return readError(err)
		}
		if n == 0 {
			return formatError("not a model: the file is empty")
		}
		return formatError("not a model: %d bytes are too few", n)
	}
	size := binary.LittleEndian.Uint64(start[:])
	if size > maxHeader {
		if is := identify(start[:]); is != "" {
			return formatError("not a model: this is %s", is)
		}
		return formatError("not a model: it would have a header of %d bytes, at most %d are allowed", size, maxHeader)
	}
	var err error
	if f.header, err = io.ReadAll(io.LimitReader(f.r, int64(size))); err != nil && !isEOF(err) {
		return readError(err)
	}
	if len(f.header) == 0 || f.header[0] != '{' {
		if is := identify(start[:]); is != "" {
			return formatError("not a model: this is %s", is)
		}
		return formatError("not a model: it does not begin with a safetensors header")
	}
	if uint64(len(f.header)) < size {
		return formatError("truncated in the header: %d of %d bytes", len(f.header), size)
	}
	if err := json.Unmarshal(f.header, &f.entries); err != nil {
		return formatError("damaged header: %v", err)
	}
	if raw, ok := f.entries["__metadata__"]; ok {
		if err := json.Unmarshal(raw, &f.meta); err != nil {
			return formatError("damaged header: __metadata__: %v", err)
		}
		delete(f.entries, "__metadata__")
	}
	if f.meta["format"] != formatName {
		return formatError("not a model: this is a safetensors file, but not a multigrade model")
	}
	version, err := strconv.Atoi(f.meta["format_version"])
	if err != nil || version < 1 {
		return formatError("damaged header: format_version is %q", f.meta["format_version"])
	}
	if version > formatVersion {
		return &fileError{msg: fmt.Sprintf("the file has format version %d, this program reads versions up to %d: a newer one is needed",
			version, formatVersion), kind: ErrVersion}
	}
	if !strings.HasPrefix(string(f.header[:min(checksumAt, len(f.header))]), headerStart) || len(f.header) < checksumAt+checksumLen {
		return formatError("damaged header: it does not begin with the checksum")
	}
	f.sum.Write(start[:])
	f.sum.Write(f.header[:checksumAt])
	f.sum.Write(bytes.Repeat([]byte{'0'}, checksumLen))
	f.sum.Write(f.header[checksumAt+checksumLen:])
	return nil
}

// identify names the kind of file that begins with b, "" if it is not known.
func identify(b []byte) string {
	// An ONNX model is a protocol buffer that begins with field 1, the version of its
	// format, as a small number, followed by a string or message in one of the fields
	// 2 to 8 or 14 (wire type 2).
	if b[0] == 0x08 && b[1] >= 1 && b[1] < 0x40 && (b[2] == 0x72 || b[2]&7 == 2 && b[2]>>3 >= 2 && b[2]>>3 <= 8) {
		return "an ONNX file"
	}
	if string(b[4:8]) == "TFL3" {
		return "a TensorFlow Lite file"
	}
	for _, s := range [...]struct{ start, name string }{
		{"PK\x03\x04", "a zip archive, as PyTorch, Keras and NumPy write"},
		{"\x89HDF", "an HDF5 file"},
		{"\x93NUMPY", "a NumPy array"},
		{"GGUF", "a GGUF file"},
		{"\x1f\x8b", "a gzip-compressed file"},
		{"version ", "a Git LFS pointer, not the file it stands for"},
	} {
		if strings.HasPrefix(string(b), s.start) {
			return s.name
		}
	}
	return ""
}

// The JSON in the metadata. What these types let pass that appendGrades and
// Schema.append would not write is found when the header is compared.
type fileSchema struct {
	Task     string       `json:"task"`
	Clip     float64      `json:"clip"`
	Features []fileColumn `json:"features"`
	Targets  []fileColumn `json:"targets"`
}

type fileColumn struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Levels  []string `json:"levels"`
	Missing float64  `json:"missing"`
	Mean    float64  `json:"mean"`
	Scale   float64  `json:"scale"`
	Min     float64  `json:"min"`
	Max     float64  `json:"max"`
}

type fileGrade struct {
	Kind      string       `json:"kind"`
	Hidden    []int        `json:"hidden"`
	Networks  int          `json:"networks"`
	Params    int          `json:"params"`
	MACs      int          `json:"macs"`
	TrainLoss *float64     `json:"train_loss"`
	ValLoss   *float64     `json:"val_loss"`
	Curve     [][]*float64 `json:"curve"`
	Gap       *float64     `json:"gap"`
	Lambda    *float64     `json:"lambda"`
	Global    bool         `json:"global"`
}

// describe returns what the metadata say of the columns, and of the prior and the grades.
func (f *modelReader) describe() (Schema, []GradeInfo, error) {
	var fs fileSchema
	if err := json.Unmarshal([]byte(f.meta["schema"]), &fs); err != nil {
		return Schema{}, nil, formatError("damaged header: schema: %v", err)
	}
	s := Schema{Clip: fs.Clip}
	switch fs.Task {
	case Regression.String():
	case Classification.String():
		s.Task = Classification
	default:
		return Schema{}, nil, formatError("damaged header: schema: unknown task %q", fs.Task)
	}
	var err error
	if s.Features, err = columns(fs.Features); err != nil {
		return Schema{}, nil, err
	}
	if s.Targets, err = columns(fs.Targets); err != nil {
		return Schema{}, nil, err
	}
	if err := s.validate(true); err != nil {
		return Schema{}, nil, formatError("damaged header: schema: %s", strings.TrimPrefix(err.Error(), "mgdl: "))
	}
	var fg []fileGrade
	if err := json.Unmarshal([]byte(f.meta["grades"]), &fg); err != nil {
		return Schema{}, nil, formatError("damaged header: grades: %v", err)
	}
	if len(fg) == 0 {
		return Schema{}, nil, formatError("damaged header: grades: the prior is missing")
	}
	infos := make([]GradeInfo, len(fg))
	for i, g := range fg {
		infos[i] = GradeInfo{Kind: g.Kind, Hidden: g.Hidden, Networks: g.Networks, Params: g.Params, MACs: g.MACs,
			TrainLoss: orNaN(g.TrainLoss), ValLoss: orNaN(g.ValLoss)}
		if g.Gap != nil && g.Lambda != nil {
			infos[i].Certificate = &Certificate{*g.Gap, *g.Lambda, g.Global}
		}
		for _, c := range g.Curve {
			if len(c) != 3 {
				return Schema{}, nil, formatError("damaged header: grades: a point of a curve has %d numbers, want 3", len(c))
			}
			infos[i].Curve = append(infos[i].Curve, Check{orNaN(c[0]), orNaN(c[1]), orNaN(c[2])})
		}
	}
	return s, infos, nil
}

func columns(fc []fileColumn) ([]Column, error) {
	cols := make([]Column, len(fc))
	for i, c := range fc {
		cols[i] = Column{Name: c.Name, Levels: c.Levels, Missing: c.Missing, Mean: c.Mean, Scale: c.Scale, Min: c.Min, Max: c.Max}
		switch c.Kind {
		case Number.String():
		case Category.String():
			cols[i].Kind = Category
		default:
			return nil, formatError("damaged header: schema: column %q has the unknown kind %q", c.Name, c.Kind)
		}
	}
	return cols, nil
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// userMeta returns what WithMeta said.
func (f *modelReader) userMeta() map[string]string {
	meta := make(map[string]string)
	for k, v := range f.meta {
		if key, ok := strings.CutPrefix(k, metaPrefix); ok {
			meta[key] = v
		}
	}
	return meta
}

// readTensors reads the tensors that a model of these grades has, in order.
func (f *modelReader) readTensors(s Schema, infos []GradeInfo) (prior []float32, grades []grade, err error) {
	// Every tensor that is claimed has an entry, so there are no more loops than entries.
	want := int64(1)
	for i, g := range infos[1:] {
		if g.Networks < 1 || g.Networks > len(f.entries) {
			return nil, nil, formatError("damaged header: grade %d has %d networks and there are %d tensors", i+1, g.Networks, len(f.entries))
		}
		want += 2 * int64(g.Networks) * (int64(len(g.Hidden)) + 1)
	}
	got := len(f.entries)
	if f.entries[trainingTensor] != nil {
		got--
	}
	if want != int64(got) {
		return nil, nil, formatError("damaged header: there are %d tensors, grades and networks need %d", got, want)
	}
	if prior, err = f.vector("prior", s.outputs()); err != nil {
		return nil, nil, err
	}
	inputs, features := s.inputs(), 0
	for g, info := range infos[1:] {
		gr := grade{info: info}
		for e := range info.Networks {
			n, err := f.network(layerName(g, e, 0), inputs, features, info.Hidden, s.outputs())
			if err != nil {
				return nil, nil, err
			}
			if info.Kind == kindSine {
				n.activation = Sine
			}
			gr.networks = append(gr.networks, n)
		}
		if h := info.Hidden; len(h) > 0 {
			features = h[len(h)-1]
		}
		grades = append(grades, gr)
	}
	return prior, grades, nil
}

// network reads the layers of one network, of which first is the name of layer 0.
func (f *modelReader) network(first string, inputs, features int, hidden []int, outputs int) (n network, err error) {
	base := strings.TrimSuffix(first, "0")
	k := inputs
	if len(hidden) > 0 && features > 0 {
		if k += features; f.rows(first+".weight") == features {
			k = features // the network takes the features alone
		}
	}
	for l := range len(hidden) + 1 {
		width := outputs
		if l < len(hidden) {
			width = hidden[l]
		}
		name := base + strconv.Itoa(l)
		var y layer
		if y.w, err = f.weights(name+".weight", k, width); err != nil {
			return n, err
		}
		if y.b, err = f.vector(name+".bias", width); err != nil {
			return n, err
		}
		if l < len(hidden) {
			n.hidden = append(n.hidden, y)
		} else {
			n.out = y
		}
		k = width
	}
	return n, nil
}

// rows returns the first dimension of a tensor, 0 where its entry says nothing of the kind;
// what is wrong with it is found when the tensor is read.
func (f *modelReader) rows(name string) int {
	var e struct {
		Shape []int `json:"shape"`
	}
	if err := json.Unmarshal(f.entries[name], &e); err != nil || len(e.Shape) == 0 {
		return 0
	}
	return e.Shape[0]
}

// training reads the state of training, nil if there is none.
func (f *modelReader) training() (*trainingState, error) {
	raw, ok := f.entries[trainingTensor]
	if !ok {
		return nil, nil
	}
	var e struct {
		Offsets []int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, formatError("damaged header: tensor %s: %v", trainingTensor, err)
	}
	if len(e.Offsets) != 2 || e.Offsets[0] != f.at || e.Offsets[1] < f.at {
		return nil, formatError("damaged header: tensor %s is at bytes %v", trainingTensor, e.Offsets)
	}
	size := e.Offsets[1] - e.Offsets[0]
	b, err := io.ReadAll(io.LimitReader(f.r, size))
	if err != nil && !isEOF(err) {
		return nil, readError(err)
	}
	if int64(len(b)) < size {
		return nil, formatError("truncated in tensor %s: %d of %d bytes", trainingTensor, len(b), size)
	}
	f.sum.Write(b)
	f.at += size
	s, err := readState(b)
	if err != nil {
		return nil, formatError("damaged: %v", err)
	}
	return s, nil
}

func (f *modelReader) weights(name string, k, n int) (kernel.Weights, error) {
	values, err := f.tensor(name, k, n)
	if err != nil {
		return kernel.Weights{}, err
	}
	w := kernel.NewWeights(k, n)
	w.Pack(kernel.Matrix{Rows: k, Cols: n, Stride: n, Data: values})
	return w, nil
}

func (f *modelReader) vector(name string, n int) ([]float32, error) {
	values, err := f.tensor(name, n)
	if err != nil {
		return nil, err
	}
	v := kernel.Floats(n)
	copy(v, values)
	return v, nil
}

// tensor reads the next tensor, which must have this name and shape. The values last
// until it is called again.
func (f *modelReader) tensor(name string, shape ...int) ([]float32, error) {
	raw, ok := f.entries[name]
	if !ok {
		return nil, formatError("damaged header: there is no tensor %s", name)
	}
	var e struct {
		DType   string  `json:"dtype"`
		Shape   []int64 `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, formatError("damaged header: tensor %s: %v", name, err)
	}
	if e.DType != "F32" {
		return nil, formatError("damaged header: tensor %s has dtype %q, want F32", name, e.DType)
	}
	const most = 1 << 28 // of a dimension: products of two and the bytes fit in int64
	size, same := int64(1), len(e.Shape) == len(shape)
	for i, d := range shape {
		if d < 1 || d > most {
			return nil, formatError("damaged header: tensor %s would have the impossible shape %v", name, shape)
		}
		size *= int64(d)
		same = same && e.Shape[i] == int64(d)
	}
	if !same {
		return nil, formatError("damaged header: tensor %s has shape %v, want %v", name, e.Shape, shape)
	}
	if len(e.Offsets) != 2 || e.Offsets[0] != f.at || e.Offsets[1] != f.at+4*size {
		return nil, formatError("damaged header: tensor %s is at bytes %v, want [%d %d]", name, e.Offsets, f.at, f.at+4*size)
	}
	return f.floats(name, size)
}

// floats reads n float32 values, with memory for those that arrive.
func (f *modelReader) floats(name string, n int64) ([]float32, error) {
	if f.buf == nil {
		f.buf = make([]byte, 1<<16)
	}
	values := f.values[:0]
	for left := 4 * n; left > 0; {
		b := f.buf[:min(left, int64(len(f.buf)))]
		got, err := io.ReadFull(f.r, b)
		left -= int64(got)
		if err != nil {
			if isEOF(err) {
				return nil, formatError("truncated in tensor %s: %d of %d bytes", name, 4*n-left, 4*n)
			}
			return nil, readError(err)
		}
		f.sum.Write(b)
		for ; len(b) > 0; b = b[4:] {
			values = append(values, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
	}
	f.at += 4 * n
	f.values = values
	return values, nil
}
