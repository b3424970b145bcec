package dataset

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/multigrade/multigrade/mgdl"
)

// ReadCSVFor reads a table for a model that exists. The columns of the schema are found
// by name, in any order, and other columns are ignored. An unknown level of a category
// has the raw value −1, a missing cell NaN. With needTarget the table has the targets
// too, with a value in each row, and the classes are known to the schema; without it
// Data.Y is nil and a table without rows is no error. comma is as in Options.
func ReadCSVFor(r io.Reader, name string, s mgdl.Schema, comma rune, needTarget bool) (mgdl.Data, error) {
	m, err := match(r, name, s, comma, needTarget)
	if err != nil {
		return mgdl.Data{}, err
	}
	x, y := newPacker(len(m.features)), newPacker(len(m.targets))
	var f faults
	for {
		fields, bad, err := m.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			var e *Error
			if f.n == 0 || !errors.As(err, &e) {
				return mgdl.Data{}, err
			}
			f.add(e)
			break
		}
		if bad != nil {
			f.add(bad)
			f.trim()
			continue
		}
		m.values(x.add(), m.features, fields, &f)
		m.values(y.add(), m.targets, fields, &f)
		f.trim()
	}
	if err := f.err(); err != nil {
		return mgdl.Data{}, err
	}
	d := mgdl.Data{Schema: s, Rows: x.rows, X: x.finish().flat()}
	if needTarget {
		if d.Rows == 0 {
			return mgdl.Data{}, m.noRows()
		}
		d.Y = y.finish().flat()
	}
	return d, nil
}

// trim keeps what err shows of faults that come in the order of the file.
func (f *faults) trim() {
	f.list = f.list[:min(len(f.list), maxShown)]
}

// A Stream yields the rows of a table for a model one at a time, as they arrive: it
// reads no further than it must to return a row. It is for one goroutine.
type Stream struct {
	m   *matcher
	err error // the error that ended the stream
}

// NewStream reads the header of a table and finds the features of the schema in it, as
// ReadCSVFor does. Targets are ignored.
func NewStream(r io.Reader, name string, s mgdl.Schema, comma rune) (*Stream, error) {
	m, err := match(r, name, s, comma, false)
	if err != nil {
		return nil, err
	}
	return &Stream{m: m}, nil
}

// Next appends the next raw row to row and returns it; the error is io.EOF after the
// last one. With any other error row is returned as it was. After an *Error or *Errors
// about the row itself, the call after it goes on with the row behind it; other errors,
// and those about a quote, are final.
func (st *Stream) Next(row []float64) ([]float64, error) {
	if st.err != nil {
		return row, st.err
	}
	fields, bad, err := st.m.next()
	if err != nil {
		st.err = err
		return row, err
	}
	if bad != nil {
		return row, bad
	}
	n := len(row)
	row = slices.Grow(row, len(st.m.features))[:n+len(st.m.features)]
	var f faults
	st.m.values(row[n:], st.m.features, fields, &f)
	if err := f.err(); err != nil {
		return row[:n], err
	}
	return row, nil
}

// Line returns the line in which the row of the last call to Next begins.
func (st *Stream) Line() int { return st.m.line }

// A matcher reads the columns of a schema from a table.
type matcher struct {
	*reader
	features, targets []field
}

// A field is a column of the schema in the table.
type field struct {
	column mgdl.Column
	at     int // position in the row
	target bool
	levels map[string]int
	values map[float64]int // levels by value if all are numbers, else nil
}

// match reads the header and finds the columns in it.
func match(r io.Reader, name string, s mgdl.Schema, comma rune, needTarget bool) (*matcher, error) {
	t, err := open(r, name, comma)
	if err != nil {
		return nil, err
	}
	return t.match(s, needTarget)
}

func (t *reader) match(s mgdl.Schema, needTarget bool) (*matcher, error) {
	m := &matcher{reader: t}
	var f faults
	for _, c := range s.Features {
		m.features = append(m.features, m.field(c, false, &f))
	}
	if needTarget {
		for _, c := range s.Targets {
			m.targets = append(m.targets, m.field(c, true, &f))
		}
	}
	if f.n > 0 && t.numericHeader() {
		return nil, t.numericHeaderFault()
	}
	return m, t.suspect(f.err())
}

func (m *matcher) field(c mgdl.Column, target bool, f *faults) field {
	out := field{column: c, target: target, at: slices.Index(m.header, c.Name)}
	if out.at < 0 {
		msg := fmt.Sprintf("no column named %s, which the model reads", quote(c.Name))
		if target {
			msg = fmt.Sprintf("no column named %s, the target of the model", quote(c.Name))
		}
		f.add(unknownColumn(m.name, c.Name, msg, m.header))
		return out
	}
	if again := slices.Index(m.header[out.at+1:], c.Name); again >= 0 {
		f.add(m.fault(m.line, fmt.Sprintf("columns %d and %d are both named %s", out.at+1, out.at+again+2, quote(c.Name)),
			"give each column its own name"))
	}
	if c.Kind == mgdl.Number {
		return out
	}
	out.levels = map[string]int{}
	out.values = map[float64]int{}
	for i, l := range c.Levels {
		if l == "" {
			continue
		}
		out.levels[l] = i
		v, k := parse([]byte(l))
		if k != number {
			out.values = nil
		}
		if out.values != nil {
			out.values[v] = i
		}
	}
	if len(out.values) == 0 {
		out.values = nil
	}
	return out
}

// values sets dst to the raw values of fs in a row.
func (m *matcher) values(dst []float64, fs []field, row [][]byte, f *faults) {
	for i := range fs {
		fd := &fs[i]
		v, msg, hint := fd.value(trimSpace(row[fd.at]))
		if msg != "" {
			f.add(m.cellFault(fd, m.fieldLine(fd.at), msg, hint))
		}
		dst[i] = v
	}
}

// cell returns the value of a cell of a row that has been made a text.
func (m *matcher) cell(fd *field, text []byte, row int, f *faults) float64 {
	v, msg, hint := fd.value(text)
	if msg != "" {
		f.add(m.cellFault(fd, row, msg, hint))
	}
	return v
}

func (m *matcher) cellFault(fd *field, line int, msg, hint string) *Error {
	e := m.fault(line, msg, hint)
	e.Column, e.ColumnNumber = fd.column.Name, fd.at+1
	return e
}

// value returns the raw value of a cell, or what is wrong with it.
func (fd *field) value(s []byte) (v float64, msg, hint string) {
	if fd.column.Kind == mgdl.Category {
		v = fd.position(s)
		switch {
		case !fd.target || v >= 0:
		case v == v:
			msg = "the model has no class " + quote(string(s))
			hint = didYouMean(string(s), "its classes are ", fd.column.Levels)
		default:
			msg, hint = "the target is missing", "remove the rows whose target is unknown"
		}
		return v, msg, hint
	}
	v, k := parse(s)
	switch {
	case k == infinite:
		msg, hint = notFinite(string(s)), "leave the cell empty if the value is unknown"
	case k == commas:
		msg, hint = notNumber(string(s)), "write numbers with a decimal point and without separators of thousands"
	case k == text:
		msg, hint = notNumber(string(s)), "correct the cell, or leave it empty if the value is unknown"
	case k != number && fd.target:
		msg, hint = "the target is missing", "remove the rows whose target is unknown"
	}
	return v, msg, hint
}

// position returns the position of a level: NaN if missing, −1 if unknown.
func (fd *field) position(s []byte) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	if i, ok := fd.levels[string(s)]; ok {
		return float64(i)
	}
	if fd.values != nil {
		v, k := parse(s)
		if k == mark {
			return math.NaN()
		}
		if i, ok := fd.values[v]; ok && k == number {
			return float64(i)
		}
	}
	return -1
}
