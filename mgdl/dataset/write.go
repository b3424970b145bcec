package dataset

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
	"math"
	"strconv"

	"github.com/multigrade/multigrade/mgdl"
)

// A Writer writes predictions as a table: a line of names, then a line a row in the
// order of the calls. A target is one column under its name; for classification that is
// the label of the likeliest class, the first of equals, and with probabilities there
// follows a column p(LABEL) for each class. Numbers have as many digits as it takes to
// read the same value back.
//
// Output is buffered; Flush ends it. The first failure to write is final and returned by
// every later call. Write does not allocate.
type Writer struct {
	w      *bufio.Writer
	width  int      // values a row
	labels [][]byte // of the classes as fields; nil for regression
	proba  bool
	line   []byte
}

// NewWriter returns a Writer for a model with the given schema; proba asks for the
// probabilities of classes. The header is in the buffer.
func NewWriter(w io.Writer, s mgdl.Schema, proba bool) *Writer {
	out := &Writer{w: bufio.NewWriterSize(w, 64<<10), width: len(s.Targets)}
	var names []string
	for _, c := range s.Targets {
		names = append(names, c.Name)
	}
	if s.Task == mgdl.Classification {
		levels := s.Targets[0].Levels
		out.width = len(levels)
		out.proba = proba
		for _, l := range levels {
			out.labels = append(out.labels, encode(l))
			if proba {
				names = append(names, "p("+l+")")
			}
		}
	}
	for i, n := range names {
		if i > 0 {
			out.line = append(out.line, ',')
		}
		out.line = append(out.line, encode(n)...)
	}
	out.line = append(out.line, '\n')
	out.w.Write(out.line) // bufio keeps the error
	return out
}

// encode returns s as a field, in quotes if it needs them.
func encode(s string) []byte {
	if s == "" {
		return []byte(`""`) // alone in its line, nothing would make it a blank one
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{s})
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Write writes one or more rows as a Predictor returns them: a value for each target,
// or the probability of each class. It panics if values are not whole rows.
func (w *Writer) Write(values []float64) error {
	if w.width == 0 || len(values)%w.width != 0 {
		panic("dataset: predictions are not whole rows")
	}
	for ; len(values) > 0; values = values[w.width:] {
		row := values[:w.width]
		line := w.line[:0]
		if w.labels != nil {
			line = append(line, w.labels[likeliest(row)]...)
			if !w.proba {
				row = nil
			}
		}
		for _, v := range row {
			if len(line) > 0 {
				line = append(line, ',')
			}
			line = appendNumber(line, v)
		}
		w.line = append(line, '\n')
		if _, err := w.w.Write(w.line); err != nil {
			return err
		}
	}
	return nil
}

// Flush writes what is buffered and returns the first error of any write.
func (w *Writer) Flush() error { return w.w.Flush() }

// likeliest returns the position of the largest number, the first of equals.
func likeliest(p []float64) int {
	best := 0
	for i, v := range p {
		if v > p[best] || p[best] != p[best] && v == v {
			best = i
		}
	}
	return best
}

// appendNumber appends the shortest decimal that reads back as v. Only very large and
// very small numbers have an exponent.
func appendNumber(b []byte, v float64) []byte {
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}
