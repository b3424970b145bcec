package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An array is a NumPy array whose elements are still to be read.
type array struct {
	file  string
	name  string // in an archive, else ""
	r     io.Reader
	kind  byte // of the elements: f, i, u, b (boolean), S (bytes) or U (UTF-32)
	size  int  // bytes of an element
	order binary.ByteOrder
	// byColumns says that the first index runs fastest.
	byColumns bool
	shape     []int
}

// fault is an error about the array's file.
func (a *array) fault(format string, args ...any) error {
	msg := fmt.Sprintf(format, args...)
	if a.name != "" {
		msg = "array " + quote(a.name) + ": " + msg
	}
	return &Error{File: a.file, Msg: msg}
}

// openArray reads the header of an array, format version 1 to 3.
func openArray(r io.Reader, file, name string) (*array, error) {
	const magic, mostHeader = "\x93NUMPY", 1 << 20
	a := &array{file: file, name: name, r: r}
	var head [12]byte
	if _, err := io.ReadFull(r, head[:8]); err != nil || string(head[:6]) != magic {
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		what := ""
		if k, hint := foreign(append(head[:8:8], 0)); k != "" {
			what = fmt.Sprintf(" but %s (%s)", k, hint)
		}
		return nil, a.fault("is not a NumPy array%s", what)
	}
	length := uint32(0)
	switch version := head[6]; version {
	case 1:
		if _, err := io.ReadFull(r, head[8:10]); err != nil {
			return nil, a.truncated(err)
		}
		length = uint32(binary.LittleEndian.Uint16(head[8:]))
	case 2, 3:
		if _, err := io.ReadFull(r, head[8:12]); err != nil {
			return nil, a.truncated(err)
		}
		length = binary.LittleEndian.Uint32(head[8:])
	default:
		return nil, a.fault("has version %d of the format, which this program does not know", version)
	}
	if length > mostHeader {
		return nil, a.fault("has a header of %s bytes, more than any array needs", group(int(length)))
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, a.truncated(err)
	}
	if err := a.parse(string(text)); err != nil {
		return nil, a.fault("has a header that cannot be read: %v", err)
	}
	if !strings.ContainsRune("fiubSU", rune(a.kind)) {
		return nil, &Error{File: a.file, Msg: a.fault("holds %s, which are no numbers", dtypeName(a.kind)).(*Error).Msg,
			Hint: "save the array as numbers: array.astype(float)"}
	}
	return a, nil
}

func dtypeName(kind byte) string {
	switch kind {
	case 'O':
		return "Python objects"
	case 'c':
		return "complex numbers"
	case 'M', 'm':
		return "times"
	case 'V':
		return "records"
	}
	return fmt.Sprintf("elements of type %q", kind)
}

// truncated is the error of a read that ended too early, or failed.
func (a *array) truncated(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return a.fault("is truncated")
	}
	return fmt.Errorf("%s: %w", a.file, err)
}

// parse reads the header's text, a Python dictionary with the keys descr, fortran_order and
// shape.
func (a *array) parse(s string) error {
	value := func(key string) (string, error) {
		for _, quote := range []string{"'", `"`} {
			if _, after, ok := strings.Cut(s, quote+key+quote); ok {
				if after, ok = strings.CutPrefix(strings.TrimSpace(after), ":"); ok {
					return strings.TrimSpace(after), nil
				}
			}
		}
		return "", fmt.Errorf("there is no %s", key)
	}
	order, err := value("fortran_order")
	if err != nil {
		return err
	}
	a.byColumns = strings.HasPrefix(order, "True")
	if !a.byColumns && !strings.HasPrefix(order, "False") {
		return errors.New("fortran_order is neither True nor False")
	}
	shape, err := value("shape")
	if err != nil {
		return err
	}
	inside, ok := strings.CutPrefix(shape, "(")
	inside, _, closed := strings.Cut(inside, ")")
	if !ok || !closed {
		return errors.New("shape is not a tuple")
	}
	elements := 1
	for _, part := range strings.Split(inside, ",") {
		if part = strings.TrimSuffix(strings.TrimSpace(part), "L"); part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || n > 0 && elements > math.MaxInt/16/n {
			return fmt.Errorf("shape has an impossible length, %s", quote(part))
		}
		elements *= max(n, 1)
		a.shape = append(a.shape, n)
	}
	descr, err := value("descr")
	if err != nil {
		return err
	}
	if strings.HasPrefix(descr, "[") {
		a.kind = 'V'
		return nil
	}
	if descr == "" || !strings.ContainsRune(`'"`, rune(descr[0])) {
		return errors.New("descr is not a string")
	}
	quoted := descr[:1]
	descr, _, closed = strings.Cut(descr[1:], quoted)
	if !closed || len(descr) < 2 {
		return errors.New("descr is not a type")
	}
	a.order = binary.LittleEndian
	if descr[0] == '>' {
		a.order = binary.BigEndian
	}
	if strings.ContainsRune("<>|=", rune(descr[0])) {
		descr = descr[1:]
	}
	a.kind = descr[0]
	if a.size, err = strconv.Atoi(descr[1:]); err != nil && strings.ContainsRune("fiubSU", rune(a.kind)) {
		return fmt.Errorf("descr has no size, %s", quote(descr))
	}
	switch a.kind {
	case 'f':
		ok = a.size == 2 || a.size == 4 || a.size == 8
	case 'i', 'u':
		ok = a.size == 1 || a.size == 2 || a.size == 4 || a.size == 8
	case 'b':
		ok = a.size == 1
	case 'S', 'U':
		ok = a.size >= 0 && a.size <= maxRow
		if a.kind == 'U' {
			a.size *= 4
		}
	}
	if !ok {
		return fmt.Errorf("elements of type %s are not known", quote(descr))
	}
	return nil
}

func axes(shape []int) string {
	if len(shape) == 1 {
		return "1 axis"
	}
	return group(len(shape)) + " axes"
}

func (a *array) text() bool { return a.kind == 'S' || a.kind == 'U' }

// number returns the element in b.
func (a *array) number(b []byte) float64 {
	var u uint64
	switch a.size {
	case 1:
		u = uint64(b[0])
	case 2:
		u = uint64(a.order.Uint16(b))
	case 4:
		u = uint64(a.order.Uint32(b))
	default:
		u = a.order.Uint64(b)
	}
	switch {
	case a.kind == 'f' && a.size == 8:
		return math.Float64frombits(u)
	case a.kind == 'f' && a.size == 4:
		return float64(math.Float32frombits(uint32(u)))
	case a.kind == 'f':
		return half(uint16(u))
	case a.kind == 'i':
		shift := 64 - 8*a.size
		return float64(int64(u<<shift) >> shift)
	case a.kind == 'b' && u != 0:
		return 1
	}
	return float64(u)
}

// half returns the value of a float16.
func half(h uint16) float64 {
	sign, exponent, fraction := float64(1), int(h>>10&31), float64(h&1023)
	if h>>15 != 0 {
		sign = -1
	}
	switch {
	case exponent == 31 && fraction != 0:
		return math.NaN()
	case exponent == 31:
		return math.Inf(int(sign))
	case exponent == 0:
		return sign * fraction * 0x1p-24
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// word returns the text of the element in b.
func (a *array) word(dst, b []byte) []byte {
	if a.kind == 'S' {
		return append(dst, bytes.TrimRight(b, "\x00")...)
	}
	for ; len(b) >= 4; b = b[4:] {
		c := a.order.Uint32(b)
		if c == 0 {
			break
		}
		dst = utf8.AppendRune(dst, rune(min(c, utf8.MaxRune+1)))
	}
	return dst
}

// rows returns the number of rows and the elements of each: those behind the first index.
func (a *array) rows() (n, width int) {
	width = 1
	for _, k := range a.shape[1:] {
		width *= k
	}
	return a.shape[0], width
}

// each calls f for each row with the bytes of its elements. It keeps a row, or all of an
// array by columns.
func (a *array) each(f func(row []byte) error) error {
	n, width := a.rows()
	step := width * a.size
	if a.byColumns && len(a.shape) > 1 {
		return a.eachByColumns(f)
	}
	row := make([]byte, 0, min(step, 1<<20))
	for range n {
		// A row as long as the header says may be longer than the file: it grows as it comes.
		for row = row[:0]; len(row) < step; {
			k := min(step-len(row), 1<<20)
			row = slices.Grow(row, k)[:len(row)+k]
			if _, err := io.ReadFull(a.r, row[len(row)-k:]); err != nil {
				return a.truncated(err)
			}
		}
		if err := f(row); err != nil {
			return err
		}
	}
	return a.ended()
}

// eachByColumns is each for an array whose first index runs fastest.
func (a *array) eachByColumns(f func(row []byte) error) error {
	n, width := a.rows()
	all, err := io.ReadAll(io.LimitReader(a.r, int64(n)*int64(width)*int64(a.size)))
	if err != nil {
		return a.truncated(err)
	}
	if len(all) < n*width*a.size {
		return a.fault("is truncated")
	}
	// Element j of a row, counted with its last index fastest, is at place[j]·n.
	place := make([]int, width)
	for j := range place {
		rest, stride := j, width
		for k := len(a.shape) - 1; k > 0; k-- {
			stride /= a.shape[k]
			place[j] += rest % a.shape[k] * stride
			rest /= a.shape[k]
		}
	}
	row := make([]byte, width*a.size)
	for i := range n {
		for j, p := range place {
			copy(row[j*a.size:(j+1)*a.size], all[(p*n+i)*a.size:])
		}
		if err := f(row); err != nil {
			return err
		}
	}
	return a.ended()
}

// ended returns an error unless the input ends here.
func (a *array) ended() error {
	var more [1]byte
	switch _, err := io.ReadFull(a.r, more[:]); err {
	case io.EOF:
		return nil
	case nil:
		return a.fault("goes on behind the last element")
	default:
		return a.truncated(err)
	}
}

// checkWidth refuses arrays without columns and those with more than a table can have.
func (a *array) checkWidth() error {
	const most = 1 << 20
	switch _, width := a.rows(); {
	case width == 0:
		return a.fault("has no columns")
	case width > most:
		return a.fault("has %s columns, more than %s", group(width), group(most))
	}
	return nil
}

// columnNames returns x0, x1, ..., n of them.
func columnNames(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = prefix + strconv.Itoa(i)
	}
	return names
}

// An arrayRow turns the bytes of a row into its elements.
type arrayRow struct {
	a     *array
	row   []float64
	texts [][]byte
}

func newArrayRow(a *array) *arrayRow {
	_, width := a.rows()
	r := &arrayRow{a: a, row: make([]float64, width)}
	if a.text() {
		r.texts = make([][]byte, width)
	}
	return r
}

func (r *arrayRow) set(b []byte) (row []float64, texts [][]byte) {
	size := r.a.size
	for j := range r.row {
		if e := b[j*size : (j+1)*size]; r.texts != nil {
			r.texts[j] = r.a.word(r.texts[j][:0], e)
			if r.texts[j] == nil {
				r.texts[j] = []byte{}
			}
		} else {
			r.row[j] = r.a.number(e)
		}
	}
	return r.row, r.texts
}
