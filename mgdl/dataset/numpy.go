package dataset

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

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
