// Package report writes what is known of a model and how it does on given rows as one
// HTML file for people: error by grade, learning curves, predictions against the truth,
// the worst rows, what each grade adds, and which columns matter.
//
// The file is self-contained. Charts are inline SVG, nothing is fetched and nothing is
// run, so it opens from a mail and prints. Two reports of the same model, rows and
// options differ in the measured times of the grades table alone, on one host; random
// choices (which rows a crowded chart shows, how a column is shuffled) have fixed seeds.
package report

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/multigrade/multigrade/mgdl"
)

// Options says what the rows and the model are called. All of it is shown as given;
// what is empty is left out.
type Options struct {
	Title     string // heading; "" means one made of the data and the targets
	DataName  string // of the rows the model is measured on; an image's file name selects the picture view
	ModelPath string
	Command   string // reproduces the report or the model
}

// Write measures m on d and writes the report to w. It predicts every row several times
// over and spends about 20 ms a grade on timing. d must be laid out as m.Schema says.
func Write(w io.Writer, m *mgdl.Model, d mgdl.Data, o Options) error {
	return write(w, m, d, o, timeGrades)
}

// write is Write with a clock: what measures nanoseconds for one row by grade.
func write(w io.Writer, m *mgdl.Model, d mgdl.Data, o Options, clock func(*subject) []float64) error {
	s, err := newSubject(m, d, o)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	s.nanos = clock(s)
	if err := compose(s).render(w); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// subject is a model, the rows it is measured on, and what several sections need.
type subject struct {
	model     *mgdl.Model
	schema    mgdl.Schema
	data      mgdl.Data
	options   Options
	predictor *mgdl.Predictor

	steps   []mgdl.GradeInfo // the prior, then the grades
	metrics []mgdl.Metrics   // on data, after each step
	nanos   []float64        // for one row up to each step; 0 where not measured

	importance importance
}

func newSubject(m *mgdl.Model, d mgdl.Data, o Options) (*subject, error) {
	s := &subject{model: m, schema: m.Schema(), data: d, options: o, predictor: m.NewPredictor()}
	switch nf, nt := s.features(), len(s.schema.Targets); {
	case d.Rows <= 0:
		return nil, errors.New("there are no rows")
	case len(d.X) != d.Rows*nf || len(d.Y) != d.Rows*nt:
		return nil, fmt.Errorf("%d rows of %d feature and %d target columns need %d and %d values, not %d and %d",
			d.Rows, nf, nt, d.Rows*nf, d.Rows*nt, len(d.X), len(d.Y))
	}
	var err error
	if s.metrics, err = m.Evaluate(d); err != nil {
		return nil, err
	}
	s.steps = append([]mgdl.GradeInfo{m.Prior()}, m.Grades()...)
	if len(s.metrics) != len(s.steps) {
		return nil, fmt.Errorf("%d metrics for %d grades and the prior", len(s.metrics), len(s.steps)-1)
	}
	s.importance = measureImportance(s)
	return s, nil
}

func (s *subject) classifies() bool    { return s.schema.Task == mgdl.Classification }
func (s *subject) features() int       { return len(s.schema.Features) }
func (s *subject) grades() int         { return len(s.steps) - 1 }
func (s *subject) last() mgdl.Metrics  { return s.metrics[len(s.metrics)-1] }
func (s *subject) row(i int) []float64 { return s.data.X[i*s.features() : (i+1)*s.features()] }

// truth is the value of a target in a row.
func (s *subject) truth(i, target int) float64 {
	return s.data.Y[i*len(s.schema.Targets)+target]
}

// predict calls f with the outputs of the first grades for each of the raw rows in x.
func (s *subject) predict(x []float64, grades int, f func(i int, out []float64)) {
	const block = 256 // rows predicted at once: enough to be fast, small enough to stay in the cache
	n, outputs := s.features(), s.model.Outputs()
	var buf []float64
	for i, rows := 0, len(x)/n; i < rows; i += block {
		b := min(block, rows-i)
		buf = s.predictor.PredictGrades(buf[:0], x[i*n:(i+b)*n], grades)
		for j := range b {
			f(i+j, buf[j*outputs:(j+1)*outputs])
		}
	}
}

// column returns one output of the first grades for each of the raw rows in x.
func (s *subject) column(x []float64, grades, output int) []float64 {
	y := make([]float64, 0, len(x)/s.features())
	s.predict(x, grades, func(_ int, out []float64) { y = append(y, out[output]) })
	return y
}

// sample returns most of the numbers below n in ascending order, all if there are no
// more than most. The choice depends on n and most alone.
func sample(n, most int) []int {
	r := rand.New(rand.NewPCG(uint64(n), uint64(most)))
	var at []int
	for i := range n {
		if left := most - len(at); n <= most || r.IntN(n-i) < left {
			at = append(at, i)
		}
	}
	return at
}

// shownGrades returns at most most, 2 or more, of the grades 1..n, the first and the last among them.
func shownGrades(n, most int) []int {
	var g []int
	for i := range min(n, most) {
		k := i + 1
		if n > most {
			k = 1 + (i*(n-1)+(most-1)/2)/(most-1)
		}
		g = append(g, k)
	}
	return slices.Compact(g)
}
