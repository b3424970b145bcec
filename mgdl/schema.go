package mgdl

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/multigrade/multigrade/kernel"
)

// A Task is what a model predicts.
type Task int

const (
	Regression     Task = iota // one or more real targets, squared error
	Classification             // one target with two or more classes, cross-entropy
)

func (t Task) String() string {
	if t == Classification {
		return "classification"
	}
	return "regression"
}

// A Kind is what a column holds.
type Kind int

const (
	Number   Kind = iota // a real number; NaN means missing
	Category             // one of Levels, given by its position; NaN means missing
)

func (k Kind) String() string {
	if k == Category {
		return "category"
	}
	return "number"
}

// A Column describes one raw column and how it becomes network inputs (or, for a
// target, how network outputs become it). Name, Kind and Levels are the caller's;
// the rest is measured by Train on the training rows and travels with the model.
//
// A number v becomes one input, clip((v−Mean)/Scale, ±Schema.Clip), after Missing
// has taken the place of NaN; a constant column has Scale 0 and becomes none.
// A category becomes len(Levels) inputs, 1 at its level and 0 elsewhere; a missing
// value is the level "" if training saw one; any other value becomes zeros.
//
// Train appends "" to the Levels of a feature that has missing values and no such
// level, so positions given by the caller stay what they were.
type Column struct {
	Name    string
	Kind    Kind
	Levels  []string // labels of a category; raw values are positions in it
	Missing float64  // number: the median of the training rows
	Mean    float64  // after Missing has taken the place of NaN, as is Scale
	Scale   float64  // standard deviation (divisor n); 0 for a constant column
	Min     float64  // smallest and largest training value
	Max     float64
}

// A Schema says what a model's raw rows look like: the feature columns in order,
// and what is predicted. It is all the preprocessing there is.
type Schema struct {
	Task     Task
	Features []Column
	Targets  []Column // one Category column for classification, Number columns for regression
	Clip     float64  // bound on standardised numbers; 0 means none
}

// clone returns a copy that shares nothing with s.
func (s Schema) clone() Schema {
	s.Features = cloneColumns(s.Features)
	s.Targets = cloneColumns(s.Targets)
	return s
}

func cloneColumns(cols []Column) []Column {
	cols = slices.Clone(cols)
	for i := range cols {
		cols[i].Levels = slices.Clone(cols[i].Levels)
	}
	return cols
}

// inputs returns the number of network inputs a raw row becomes.
func (s Schema) inputs() int {
	n := 0
	for i := range s.Features {
		n += s.Features[i].inputs()
	}
	return n
}

func (c *Column) inputs() int {
	switch {
	case c.Kind == Category:
		return len(c.Levels)
	case c.Scale == 0:
		return 0
	}
	return 1
}

// outputs returns the number of network outputs: targets, or classes.
func (s Schema) outputs() int {
	if s.Task == Classification {
		return len(s.Targets[0].Levels)
	}
	return len(s.Targets)
}

// targetRange returns the range of each target on the training rows in standardised
// units, which is what predictions are clamped to. It is for regression.
func (s Schema) targetRange() (lo, hi []float32) {
	for _, c := range s.Targets {
		lo = append(lo, float32((c.Min-c.Mean)/c.Scale))
		hi = append(hi, float32((c.Max-c.Mean)/c.Scale))
	}
	return lo, hi
}

// validate reports the first thing wrong with what a caller or a file says of the
// columns; the measured fields only if measured.
func (s Schema) validate(measured bool) error {
	if s.Task != Regression && s.Task != Classification {
		return fmt.Errorf("mgdl: unknown task %d", int(s.Task))
	}
	if len(s.Features) == 0 {
		return errors.New("mgdl: there are no feature columns")
	}
	if len(s.Targets) == 0 {
		return errors.New("mgdl: there is no target column")
	}
	if math.IsNaN(s.Clip) || math.IsInf(s.Clip, 0) || s.Clip < 0 {
		return fmt.Errorf("mgdl: clip is %v, want 0 or a positive number", s.Clip)
	}
	want := Number
	if s.Task == Classification {
		want = Category
		if len(s.Targets) != 1 {
			return fmt.Errorf("mgdl: classification has one target, not %d", len(s.Targets))
		}
	}
	seen := make(map[string]bool, len(s.Features)+len(s.Targets))
	for i := range s.Features {
		if err := s.Features[i].validate("feature", i, measured, seen); err != nil {
			return err
		}
	}
	for i := range s.Targets {
		c := &s.Targets[i]
		if err := c.validate("target", i, measured, seen); err != nil {
			return err
		}
		if c.Kind != want {
			return fmt.Errorf("mgdl: target %q is a %v column, %v needs a %v", c.Name, c.Kind, s.Task, want)
		}
		if c.Kind == Category && len(c.Levels) < 2 {
			return fmt.Errorf("mgdl: target %q has %d class, classification needs at least 2", c.Name, len(c.Levels))
		}
		if measured && c.Kind == Number && !(c.Scale > 0) {
			return fmt.Errorf("mgdl: target %q has no spread", c.Name)
		}
	}
	if measured && s.inputs() == 0 {
		return errors.New("mgdl: every feature column is constant: there is nothing to learn from")
	}
	return nil
}

func (c *Column) validate(role string, i int, measured bool, seen map[string]bool) error {
	if c.Name == "" {
		return fmt.Errorf("mgdl: %s %d has no name", role, i+1)
	}
	if !utf8.ValidString(c.Name) {
		return fmt.Errorf("mgdl: the name %q of %s %d is not UTF-8", c.Name, role, i+1)
	}
	if seen[c.Name] {
		return fmt.Errorf("mgdl: two columns have the name %q", c.Name)
	}
	seen[c.Name] = true
	switch c.Kind {
	case Number:
		if len(c.Levels) != 0 {
			return fmt.Errorf("mgdl: column %q is a number and has levels", c.Name)
		}
		if !measured {
			return nil
		}
		for _, v := range [...]float64{c.Missing, c.Mean, c.Scale, c.Min, c.Max} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("mgdl: column %q has a statistic that is not finite", c.Name)
			}
		}
		if c.Scale < 0 || c.Min > c.Max || math.IsInf(c.Max-c.Min, 0) {
			return fmt.Errorf("mgdl: column %q has impossible statistics", c.Name)
		}
	case Category:
		if len(c.Levels) == 0 {
			return fmt.Errorf("mgdl: column %q is a category without levels", c.Name)
		}
		levels := make(map[string]bool, len(c.Levels))
		for _, l := range c.Levels {
			if !utf8.ValidString(l) {
				return fmt.Errorf("mgdl: column %q: level %q is not UTF-8", c.Name, l)
			}
			if levels[l] {
				return fmt.Errorf("mgdl: column %q has the level %q twice", c.Name, l)
			}
			levels[l] = true
		}
	default:
		return fmt.Errorf("mgdl: column %q has the unknown kind %d", c.Name, int(c.Kind))
	}
	return nil
}

// compatible reports whether rows described by d can be read as rows of s: the same
// columns in the same order. d may lack the level "" that training appended; a d
// without any column means the columns of s.
func (s Schema) compatible(d Schema) error {
	if len(d.Features) == 0 && len(d.Targets) == 0 {
		return nil
	}
	if d.Task != s.Task {
		return fmt.Errorf("mgdl: the data is for %v, the model for %v", d.Task, s.Task)
	}
	if err := compatibleColumns("feature", s.Features, d.Features); err != nil {
		return err
	}
	return compatibleColumns("target", s.Targets, d.Targets)
}

func compatibleColumns(role string, want, got []Column) error {
	if len(got) != len(want) {
		return fmt.Errorf("mgdl: the data has %d %s columns, the model %d", len(got), role, len(want))
	}
	for i := range want {
		w, g := &want[i], &got[i]
		if g.Name != w.Name {
			return fmt.Errorf("mgdl: %s %d is %q in the data and %q in the model", role, i+1, g.Name, w.Name)
		}
		if g.Kind != w.Kind {
			return fmt.Errorf("mgdl: column %q is a %v in the data and a %v in the model", w.Name, g.Kind, w.Kind)
		}
		levels := w.Levels
		if n := len(levels); n > 0 && levels[n-1] == "" && len(g.Levels) == n-1 {
			levels = levels[:n-1]
		}
		if !slices.Equal(g.Levels, levels) {
			return fmt.Errorf("mgdl: column %q has other levels in the data than in the model", w.Name)
		}
	}
	return nil
}

// An encoder turns raw rows into network inputs. It holds what Column's rule needs,
// ready to use, and is immutable.
type encoder struct {
	columns []encodedColumn
	bound   float64 // of standardised numbers
}

type encodedColumn struct {
	at      int     // its first input
	levels  int     // inputs of a category; −1 for a number, −2 for a constant one
	missing int     // category: the level of NaN, −1 if none
	fill    float64 // number: the value of NaN
	mean    float64
	scale   float64
}

const (
	numberColumn   = -1
	constantColumn = -2
)

// encoder returns the encoder of a measured schema.
func (s Schema) encoder() encoder {
	e := encoder{columns: make([]encodedColumn, len(s.Features)), bound: s.Clip}
	if e.bound == 0 {
		e.bound = math.MaxFloat32 // a finite value stays finite
	}
	at := 0
	for i := range s.Features {
		c := &s.Features[i]
		ec := encodedColumn{at: at, levels: numberColumn, fill: c.Missing, mean: c.Mean, scale: c.Scale}
		switch {
		case c.Kind == Category:
			ec.levels = len(c.Levels)
			ec.missing = slices.Index(c.Levels, "")
		case c.Scale == 0:
			ec.levels = constantColumn
		}
		e.columns[i] = ec
		at += c.inputs()
	}
	return e
}

// encode writes the inputs of the len(x)/len(e.columns) raw rows in x to the first
// rows and columns of dst. It allocates nothing.
func (e *encoder) encode(dst kernel.Matrix, x []float64) {
	f := len(e.columns)
	for r := 0; len(x) >= f; r++ {
		e.encodeRow(dst.Data[r*dst.Stride:], x[:f])
		x = x[f:]
	}
}

func (e *encoder) encodeRow(dst []float32, x []float64) {
	for i := range e.columns {
		c := &e.columns[i]
		v := x[i]
		if c.levels == numberColumn {
			if v != v {
				v = c.fill
			}
			z := (v - c.mean) / c.scale
			if z > e.bound {
				z = e.bound
			}
			if z < -e.bound {
				z = -e.bound
			}
			dst[c.at] = float32(z)
			continue
		}
		if c.levels == constantColumn {
			continue
		}
		hot := dst[c.at : c.at+c.levels]
		clear(hot)
		if v != v {
			if c.missing >= 0 {
				hot[c.missing] = 1
			}
		} else if v >= 0 && v < float64(c.levels) {
			if l := int(v); float64(l) == v {
				hot[l] = 1
			}
		}
	}
}

// encodeRows writes the network inputs of the raw rows in x to dst, whose columns are
// s.inputs() and whose rows are len(x)/len(s.Features). It panics if the shapes differ.
func (s Schema) encodeRows(dst kernel.Matrix, x []float64) {
	if len(x) != dst.Rows*len(s.Features) || dst.Cols != s.inputs() {
		panic("mgdl: encodeRows: shapes differ")
	}
	e := s.encoder()
	e.encode(dst, x)
}
