package convex

import (
	"errors"
	"fmt"
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// A Problem is a grade's rows and gates, made ready to be solved for any penalty. It is
// immutable and safe for concurrent use.
type Problem struct {
	exact   *design // of the inputs as given and a last column of ones
	axes    *axes
	rotated kernel.Matrix // the same along the axes, rounded
	metric  metric
	y       []float64 // targets less their means, n×c by rows
	means   []float64
	zero    float64 // P(0)
	most    float64 // λmax
}

// Settings say how a Problem is computed with, not what comes out. The zero value is usable.
type Settings struct {
	Kernel  kernel.Kernel // zero means the one selected for this process
	Workers int           // goroutines; 0 means 1
}

// NewProblem prepares inputs x (n×d), the gates of these rows, and targets y (n×c). It wants
// inputs of about unit size, and targets likewise, though nothing depends on it but speed. It
// keeps none of its arguments but g. It returns an error if there are no rows, columns or
// gates, if numbers of rows differ, and if a value is not finite.
func NewProblem(x, y kernel.Matrix, g *Gates, s Settings) (*Problem, error) {
	if err := checkRows(x, y); err != nil {
		return nil, err
	}
	if g.count == 0 || g.rows != x.Rows {
		return nil, fmt.Errorf("convex: %d gates of %d rows for %d rows", g.count, g.rows, x.Rows)
	}
	p := &Problem{exact: newDesign(s.Kernel, s.Workers, prepared(x), g, y.Cols)}
	for i := range y.Rows {
		for _, v := range y.Row(i) {
			p.y = append(p.y, float64(v))
		}
	}
	p.means = centre(p.y, y.Cols)
	p.axes = newAxes(s.Kernel, p.exact.x)
	p.rotated = p.axes.rotate(s.Kernel, p.exact.x)
	p.metric = newMetric(p.axes)
	n := float64(x.Rows)
	slope := make([]float64, p.exact.size())
	p.exact.own().adjointExact(slope, 1/n, p.y)
	p.most = p.exact.largest(slope)
	p.zero = 0.5 * (dot(p.y, p.y) / n)
	for _, v := range [...]float64{p.zero, p.most, dot(p.axes.d, p.axes.d)} {
		if v-v != 0 {
			return nil, errors.New("convex: inputs or targets are too large")
		}
	}
	return p, nil
}

func checkRows(x, y kernel.Matrix) error {
	if x.Rows == 0 || x.Cols == 0 || y.Cols == 0 {
		return errors.New("convex: no rows or no columns")
	}
	if x.Rows != y.Rows {
		return fmt.Errorf("convex: %d rows of inputs and %d of targets", x.Rows, y.Rows)
	}
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			if v-v != 0 {
				return fmt.Errorf("convex: input %d of row %d is %v", j, i, v)
			}
		}
		for j, v := range y.Row(i) {
			if v-v != 0 {
				return fmt.Errorf("convex: target %d of row %d is %v", j, i, v)
			}
		}
	}
	return nil
}

// LambdaMax returns the least λ for which zero coefficients solve the gated program:
// max ‖A_iᵀ·Y‖/n, Y less its means. They solve the ReLU program then, too.
func (p *Problem) LambdaMax() float64 { return p.most }

// certificate returns what is known before the first iteration.
func (p *Problem) certificate(lambda float64) Certificate {
	return Certificate{Lambda: lambda, LambdaMax: p.most, Zero: p.zero, Dual: math.Inf(-1)}
}
