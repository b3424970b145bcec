package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/multigrade/multigrade/mgdl"
)

// A grid is a table that is no text: an array, a picture. Its columns have names, and its
// rows come as numbers, or as texts where a column is of texts.
type grid struct {
	name    string
	header  []string
	targets []string          // what is predicted if nothing is said; none means the last column
	words   func(int) bool    // whether a column is of texts; nil means none is
	classes func(int) bool    // whether the numbers of a column are the codes of classes, for --task auto
	each    func(rowFn) error // calls it for every row, in order
	notes   []string
}

// A rowFn takes one row: a number for each column, and, if texts is not nil, a text for
// each column whose element is not nil.
type rowFn func(row []float64, texts [][]byte) error

// read is ReadCSV for a grid.
func (g *grid) read(o Options) (mgdl.Data, Info, error) {
	if err := checkTask(o.Task); err != nil {
		return mgdl.Data{}, Info{}, err
	}
	if len(o.Target) == 0 {
		o.Target = g.targets
	}
	for _, name := range g.targets { // what could have been a target is no feature
		if !slices.Contains(o.Target, name) && !slices.Contains(o.Drop, name) {
			o.Drop = append(slices.Clip(o.Drop), name)
		}
	}
	t := &table{reader: g.reader(), notes: g.notes}
	if err := t.choose(o); err != nil {
		return mgdl.Data{}, Info{}, err
	}
	var texts []int // columns that may be categories, by the texts of their values
	for i, c := range t.columns {
		isTarget := slices.Contains(t.targets, i)
		if isTarget && (o.Task == "" || o.Task == "auto") && g.classes != nil && g.classes(i) {
			o.Task = "classify"
		}
		switch {
		case isTarget && o.Task == "classify" || slices.Contains(o.Category, c.name):
			texts = append(texts, i)
		case g.words == nil || !g.words(i):
			c.open = false
			c.close()
		}
	}
	t.cells = newPacker(len(t.columns))
	line := func(int) int { return t.cells.rows }
	var text []byte
	err := g.each(func(row []float64, words [][]byte) error {
		dst := t.cells.add()
		for i, c := range t.columns {
			switch {
			case c.skip:
				dst[i] = 0
			case words != nil && words[i] != nil:
				t.store(dst, i, words[i], line)
			case slices.Contains(texts, i):
				text = appendValue(text[:0], row[i])
				t.store(dst, i, text, line)
			default:
				dst[i] = c.addNumber(row[i], line)
			}
		}
		return nil
	})
	if err != nil {
		return mgdl.Data{}, Info{}, err
	}
	if t.cells.rows == 0 {
		return mgdl.Data{}, Info{}, t.fault(0, "there are no rows", "")
	}
	return t.decide(o)
}

// reader returns what a table needs to know of its file.
func (g *grid) reader() *reader {
	return &reader{scanner: &scanner{name: g.name, sep: []byte{','}, rows: true}, header: g.header}
}

// appendValue appends the shortest text of a number, nothing for NaN.
func appendValue(b []byte, v float64) []byte {
	if v != v {
		return b
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// addNumber is add for a value that is a number already, of a column that is not open.
func (c *column) addNumber(v float64, line func(int) int) float64 {
	switch {
	case v-v == 0:
		c.tally[number]++
		return v
	case v == v:
		c.count(infinite, appendValue(nil, v), line)
	default:
		c.count(mark, []byte("NaN"), line)
	}
	return math.NaN()
}

// readFor is ReadCSVFor for a grid.
func (g *grid) readFor(s mgdl.Schema, needTarget bool) (mgdl.Data, error) {
	m, err := g.reader().match(s, needTarget)
	if err != nil {
		return mgdl.Data{}, err
	}
	x, y := newPacker(len(m.features)), newPacker(len(m.targets))
	var f faults
	var text []byte
	set := func(dst []float64, fields []field, row []float64, texts [][]byte) {
		for i := range fields {
			fd := &fields[i]
			v := row[fd.at]
			if texts == nil && fd.column.Kind == mgdl.Number && v-v == 0 {
				dst[i] = v
				continue
			}
			text = appendValue(text[:0], v)
			if texts != nil && texts[fd.at] != nil {
				text = append(text[:0], texts[fd.at]...)
			}
			dst[i] = m.cell(fd, text, x.rows, &f)
		}
	}
	err = g.each(func(row []float64, texts [][]byte) error {
		xs, ys := x.add(), y.add()
		set(xs, m.features, row, texts)
		set(ys, m.targets, row, texts)
		f.trim()
		return nil
	})
	if err == nil {
		err = f.err()
	}
	if err != nil {
		return mgdl.Data{}, err
	}
	d := mgdl.Data{Schema: s, Rows: x.rows, X: x.finish().flat()}
	if needTarget {
		if d.Rows == 0 {
			return mgdl.Data{}, m.fault(0, "there are no rows", "")
		}
		d.Y = y.finish().flat()
	}
	return d, nil
}

func checkTask(task string) error {
	switch task {
	case "", "auto", "regress", "classify":
		return nil
	}
	return fmt.Errorf("dataset: unknown task %q", task)
}
