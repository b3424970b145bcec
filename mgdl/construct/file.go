package construct

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// ErrFormat is matched by the errors of ReadScheme that say that what was read is not a whole scheme.
var ErrFormat = errors.New("construct: not a whole scheme")

const (
	formatName    = "multigrade-scheme"
	formatVersion = 1
	headerStart   = `{"__metadata__":{"sha256":"`
	maxHeader     = 1 << 20
	maxFileNodes  = 1 << 24 // of the finest mesh: what a reader allocates for a file of a few bytes
)

// A file is a safetensors container: eight bytes with the length of the header, the header in JSON, and for
// every level the numbers of its nodes with hats, U32 in ascending order, and their coefficients, F32.
// The header's metadata hold a checksum, the SHA-256 of what follows the checksum itself.
type fileHeader struct {
	Format    string  `json:"format"`
	Version   string  `json:"format_version"`
	Dim       int     `json:"dim"`
	Mode      string  `json:"mode"`
	Certified bool    `json:"certified"`
	Note      string  `json:"note"`
	Start     float64 `json:"start"`
	Levels    []Level `json:"levels"`
}

// WriteTo writes the scheme in its sparse form, 8 bytes a hat; ReadScheme gives back a scheme with the same bits
// in every value.
func (s *Scheme) WriteTo(w io.Writer) (int64, error) {
	data := s.data()
	header := s.header(data)
	n := int64(0)
	size := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	for _, part := range [][]byte{size, header, data} {
		k, err := w.Write(part)
		n += int64(k)
		if err != nil {
			return n, fmt.Errorf("construct: writing a scheme: %w", err)
		}
	}
	return n, nil
}

// data returns the tensors.
func (s *Scheme) data() []byte {
	data := make([]byte, 0, 8*s.Hats())
	for i := range s.levels {
		for z, c := range s.levels[i].c {
			if c != 0 {
				data = binary.LittleEndian.AppendUint32(data, uint32(z))
			}
		}
		for _, c := range s.levels[i].c {
			if c != 0 {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(c))
			}
		}
	}
	return data
}

// header returns the header of a file with these tensors. It begins with the checksum.
func (s *Scheme) header(data []byte) []byte {
	// Values of metadata are strings, which safetensors wants.
	about, err := json.Marshal(fileHeader{formatName, strconv.Itoa(formatVersion), s.dim, s.mode.String(), s.Certified(), s.note, s.start, s.Levels()})
	if err != nil {
		panic("construct: a scheme has numbers that are not finite") // Build makes none
	}
	quoted, _ := json.Marshal(string(about)) // strings do not fail
	var b bytes.Buffer
	fmt.Fprintf(&b, `,"scheme":%s}`, quoted)
	at := 0
	for i := range s.levels {
		for _, t := range [...]struct{ name, dtype string }{{"node", "U32"}, {"weight", "F32"}} {
			n := s.levels[i].Hats
			fmt.Fprintf(&b, `,"level%d.%s":{"dtype":"%s","shape":[%d],"data_offsets":[%d,%d]}`, i+1, t.name, t.dtype, n, at, at+4*n)
			at += 4 * n
		}
	}
	b.WriteByte('}')
	for (len(headerStart)+2*sha256.Size+1+b.Len())%8 != 0 { // so that tensors are aligned
		b.WriteByte(' ')
	}
	sum := sha256.New()
	sum.Write(b.Bytes())
	sum.Write(data)
	return fmt.Appendf(nil, `%s%s"%s`, headerStart, hex.EncodeToString(sum.Sum(nil)), b.Bytes())
}

// ReadScheme reads what WriteTo wrote. Its errors about the content match ErrFormat; every changed byte is one.
func ReadScheme(r io.Reader) (*Scheme, error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
	}
	var size [8]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, readError(err)
	}
	n := binary.LittleEndian.Uint64(size[:])
	if n > maxHeader {
		return nil, bad("a header of %d bytes", n)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, readError(err)
	}
	var entries struct {
		Meta struct {
			Scheme string `json:"scheme"`
		} `json:"__metadata__"`
	}
	if err := json.Unmarshal(header, &entries); err != nil {
		return nil, bad("%v", err)
	}
	var about fileHeader
	if err := json.NewDecoder(strings.NewReader(entries.Meta.Scheme)).Decode(&about); err != nil || about.Format != formatName {
		return nil, bad("this is another kind of file")
	}
	if about.Version != strconv.Itoa(formatVersion) {
		return nil, bad("format version %q, this program reads %d", about.Version, formatVersion)
	}
	s, err := about.scheme()
	if err != nil {
		return nil, bad("%s", strings.TrimPrefix(err.Error(), "construct: "))
	}
	hats := int64(0)
	for _, l := range about.Levels {
		hats += int64(l.Hats)
	}
	data, err := io.ReadAll(io.LimitReader(r, 8*hats+1)) // memory for what arrives
	switch n := int64(len(data)); {
	case err != nil:
		return nil, readError(err)
	case n < 8*hats:
		return nil, bad("it is truncated")
	case n > 8*hats:
		return nil, bad("it has more bytes than it should")
	case !summed(header, data): // before meshes are made
		return nil, bad("the checksum is wrong")
	}
	for i, l := range about.Levels {
		if err := s.add(data[:8*l.Hats], l); err != nil {
			return nil, fmt.Errorf("level %d: %w", i+1, err)
		}
		data = data[8*l.Hats:]
	}
	if !bytes.Equal(header, s.header(s.data())) {
		return nil, bad("the header is not what it should be")
	}
	return s, nil
}

// summed reports whether header begins with the checksum of the rest of it and data.
func summed(header, data []byte) bool {
	rest, ok := bytes.CutPrefix(header, []byte(headerStart))
	if !ok || len(rest) < 2*sha256.Size {
		return false
	}
	sum := sha256.New()
	sum.Write(rest[2*sha256.Size+1:])
	sum.Write(data)
	return string(rest[:2*sha256.Size]) == hex.EncodeToString(sum.Sum(nil))
}

func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is truncated", ErrFormat)
	}
	return fmt.Errorf("construct: reading a scheme: %w", err)
}

// scheme returns the scheme that h describes, without levels.
func (h *fileHeader) scheme() (*Scheme, error) {
	mode, err := ParseMode(h.Mode)
	if err != nil {
		return nil, err
	}
	if h.Dim < 1 || h.Dim > MaxDim || len(h.Levels) == 0 {
		return nil, fmt.Errorf("dimension %d and %d levels", h.Dim, len(h.Levels))
	}
	before := 0
	for i, l := range h.Levels {
		if _, err := newMesh(h.Dim, max(l.Mesh, 1), maxFileNodes); err != nil {
			return nil, err
		}
		if l.Mesh < 1 || i > 0 && (l.Mesh <= before || l.Mesh%before != 0) {
			return nil, fmt.Errorf("a mesh of %d cells after one of %d", l.Mesh, before)
		}
		if m, _ := newMesh(h.Dim, l.Mesh, maxFileNodes); l.Hats < 0 || l.Hats > m.nodes {
			return nil, fmt.Errorf("%d hats on a mesh of %d cells", l.Hats, l.Mesh)
		}
		before = l.Mesh
	}
	return &Scheme{dim: h.Dim, mode: mode, note: h.Note, start: h.Start, estimated: !h.Certified}, nil
}

// add adds a level with the hats in data.
func (s *Scheme) add(data []byte, l Level) error {
	m, err := newMesh(s.dim, l.Mesh, maxFileNodes)
	if err != nil {
		return err
	}
	nodes, weights := data[:4*l.Hats], data[4*l.Hats:]
	s.extend(m)
	level := &s.levels[len(s.levels)-1]
	level.Level = l
	before := -1
	for i := range l.Hats {
		z := int(binary.LittleEndian.Uint32(nodes[4*i:]))
		c := math.Float32frombits(binary.LittleEndian.Uint32(weights[4*i:]))
		if z <= before || z >= m.nodes || c == 0 || c-c != 0 {
			return fmt.Errorf("%w: hat %d has node %d and coefficient %v", ErrFormat, i, z, c)
		}
		before = z
		level.c[z] = c
		s.final[z] += float64(c)
	}
	return nil
}
