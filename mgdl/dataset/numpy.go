package dataset

import (
	"archive/zip"
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

	"github.com/multigrade/multigrade/mgdl"
)

// ReadNPY reads a NumPy array of rows and columns for training, as ReadCSV reads a table.
// Column i, from 0, is named xi. Elements are numbers (any integer, floating-point or
// boolean type; NaN is missing) or texts. An array of height × width × 3 or 4 whole numbers
// of 8 or 16 bits is a picture, read as ReadImage reads one.
func ReadNPY(r io.Reader, name string, o Options) (mgdl.Data, Info, error) {
	g, err := npyGrid(r, name)
	if err != nil {
		return mgdl.Data{}, Info{}, err
	}
	return g.read(o)
}

// ReadNPYFor is ReadNPY for a model that exists, as ReadCSVFor reads a table.
func ReadNPYFor(r io.Reader, name string, s mgdl.Schema, needTarget bool) (mgdl.Data, error) {
	g, err := npyGrid(r, name)
	if err != nil {
		return mgdl.Data{}, err
	}
	return g.readFor(s, needTarget)
}

// ReadNPZ reads an archive of NumPy arrays for training: features from the array x, X,
// x_train, X_train or data, one row along the first axis, and targets from y, Y, y_train,
// target or labels, with as many rows. The columns of features are named x0, x1, ..., the
// target y, or y0, y1, ... if there are several. An archive of a single array is read as
// that array.
//
// With Options.Task "auto", a target of integers or booleans with at most 100 different
// values, of at least two rows each on average, is classes.
func ReadNPZ(r io.ReaderAt, size int64, name string, o Options) (mgdl.Data, Info, error) {
	g, err := npzGrid(r, size, name, true, []string{"x", "X", "x_train", "X_train", "data"}, []string{"y", "Y", "y_train", "target", "labels"})
	if err != nil {
		return mgdl.Data{}, Info{}, err
	}
	return g.read(o)
}

// ReadNPZFor is ReadNPZ for a model that exists, as ReadCSVFor reads a table. Of an archive
// with x_test or X_test and y_test it reads those.
func ReadNPZFor(r io.ReaderAt, size int64, name string, s mgdl.Schema, needTarget bool) (mgdl.Data, error) {
	g, err := npzGrid(r, size, name, needTarget,
		[]string{"x_test", "X_test", "x", "X", "x_train", "X_train", "data"}, []string{"y_test", "y", "Y", "y_train", "target", "labels"})
	if err != nil {
		return mgdl.Data{}, err
	}
	return g.readFor(s, needTarget)
}

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

// picture reports whether the array is one: height × width × 3 or 4 of 8 or 16 bits.
func (a *array) picture() bool {
	return len(a.shape) == 3 && (a.shape[2] == 3 || a.shape[2] == 4) && a.kind == 'u' && a.size <= 2
}

// npyGrid opens a single array as a table or a picture.
func npyGrid(r io.Reader, name string) (*grid, error) {
	a, err := openArray(r, name, "")
	if err != nil {
		return nil, err
	}
	return a.grid()
}

func (a *array) grid() (*grid, error) {
	if a.picture() {
		return a.pictureGrid()
	}
	if len(a.shape) != 2 {
		return nil, a.fault("has %s, want rows × columns", axes(a.shape))
	}
	if err := a.checkWidth(); err != nil {
		return nil, err
	}
	g := &grid{name: a.file, header: columnNames("x", a.shape[1]), words: func(int) bool { return a.text() }}
	g.each = func(f rowFn) error {
		r := newArrayRow(a)
		return a.each(func(b []byte) error {
			row, texts := r.set(b)
			return f(row, texts)
		})
	}
	return g, nil
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

// npzGrid opens the arrays of an archive: the first there is of the names xs, and, if
// needed or there, of ys.
func npzGrid(r io.ReaderAt, size int64, name string, needTarget bool, xs, ys []string) (*grid, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) {
			return nil, &Error{File: name, Msg: "is not an archive of NumPy arrays, or is truncated"}
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	open := func(f *zip.File) (*array, error) {
		in, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		a, err := openArray(&zipReader{in, name}, name, strings.TrimSuffix(f.Name, ".npy"))
		if err == nil && len(a.shape) == 0 {
			err = a.fault("is a single number")
		}
		return a, err
	}
	find := func(names []string) *zip.File {
		for _, n := range names {
			for _, f := range z.File {
				if f.Name == n+".npy" {
					return f
				}
			}
		}
		return nil
	}
	xf, yf := find(xs), find(ys)
	if xf == nil && len(z.File) == 1 {
		a, err := open(z.File[0])
		if err != nil {
			return nil, err
		}
		return a.grid()
	}
	var have []string
	for _, f := range z.File {
		have = append(have, strings.TrimSuffix(f.Name, ".npy"))
	}
	holds := "the archive holds " + quoteList(have, 10, "and")
	if len(have) == 0 {
		holds = "the archive is empty"
	}
	if xf == nil {
		return nil, &Error{File: name, Msg: "has no array named x for the features", Hint: holds}
	}
	if yf == nil && needTarget {
		return nil, &Error{File: name, Msg: "has no array named y for the target", Hint: holds}
	}
	x, err := open(xf)
	if err != nil {
		return nil, err
	}
	if err := x.checkWidth(); err != nil {
		return nil, err
	}
	rows, width := x.rows()
	g := &grid{name: name, header: columnNames("x", width), words: func(int) bool { return x.text() }}
	if yf == nil {
		g.each = func(f rowFn) error {
			r := newArrayRow(x)
			return x.each(func(b []byte) error { return f(r.set(b)) })
		}
		return g, nil
	}
	y, err := open(yf)
	if err != nil {
		return nil, err
	}
	return g, joinTarget(g, x, y, rows, width)
}

// joinTarget makes g the table of the columns of x and then those of y, which it reads.
func joinTarget(g *grid, x, y *array, rows, width int) error {
	n, targets := y.rows()
	if n != rows {
		return y.fault("has %s, but array %s has %s", plural(n, "row"), quote(x.name), group(rows))
	}
	if len(y.shape) > 2 || targets == 0 || targets > 1<<16 {
		return y.fault("has %s, want one value a row, or rows × targets", axes(y.shape))
	}
	g.targets = []string{"y"}
	if targets > 1 {
		g.targets = columnNames("y", targets)
	}
	g.header = append(g.header, g.targets...)
	var all bytes.Buffer
	if err := y.each(func(row []byte) error { all.Write(row); return nil }); err != nil {
		return err
	}
	g.words = func(i int) bool { return i < width && x.text() || i >= width && y.text() }
	g.classes = func(int) bool { return targets == 1 && y.few(all.Bytes()) }
	g.each = func(f rowFn) error {
		xr, yr := newArrayRow(x), newArrayRow(y)
		row := make([]float64, width+targets)
		var texts [][]byte
		if x.text() || y.text() {
			texts = make([][]byte, width+targets)
		}
		left, step := all.Bytes(), targets*y.size
		return x.each(func(b []byte) error {
			xs, xt := xr.set(b)
			ys, yt := yr.set(left[:step])
			left = left[step:]
			copy(row, xs)
			copy(row[width:], ys)
			copy(texts, xt)
			if yt != nil {
				copy(texts[width:], yt)
			}
			return f(row, texts)
		})
	}
	if g.classes(0) {
		g.notes = append(g.notes, "y holds whole numbers of few values, read as classes; to predict a number: --task regress")
	}
	return nil
}

// few reports whether the elements are integers that look like classes, as ReadNPZ says.
func (a *array) few(all []byte) bool {
	const most = 100
	if a.kind != 'i' && a.kind != 'u' && a.kind != 'b' {
		return false
	}
	seen := map[float64]bool{}
	n := 0
	for ; len(all) >= a.size; all = all[a.size:] {
		n++
		if seen[a.number(all)] = true; len(seen) > most {
			return false
		}
	}
	return n >= 2*len(seen)
}

// A zipReader names the file in the errors of an archive's entry.
type zipReader struct {
	r    io.Reader
	name string
}

func (z *zipReader) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		err = &Error{File: z.name, Msg: "the archive is damaged: " + err.Error()}
	}
	return n, err
}
