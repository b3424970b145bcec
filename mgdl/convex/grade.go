package convex

import (
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// A Grade is a hidden layer of N ReLU units and a readout: relu(x·W + Bias)·Readout + Offset.
type Grade struct {
	W       kernel.Matrix // d×N
	Bias    []float32     // N
	Readout kernel.Matrix // N×c
	Offset  []float32     // c
}

func newGrade(inputs, units, outputs int) *Grade {
	return &Grade{kernel.NewMatrix(inputs, units), make([]float32, units), kernel.NewMatrix(units, outputs), make([]float32, outputs)}
}

// Width returns the number of units.
func (g *Grade) Width() int { return g.W.Cols }

// Hidden returns the values of the units for the rows of x, n×N.
func (g *Grade) Hidden(k kernel.Kernel, x kernel.Matrix) kernel.Matrix {
	w := kernel.NewWeights(g.W.Rows, g.W.Cols)
	w.Pack(g.W)
	h := kernel.NewMatrix(x.Rows, g.W.Cols)
	k.MatMul(h, x, w, g.Bias, true)
	return h
}

// Predict returns the outputs for the rows of x, n×c.
func (g *Grade) Predict(k kernel.Kernel, x kernel.Matrix) kernel.Matrix {
	w := kernel.NewWeights(g.Readout.Rows, g.Readout.Cols)
	w.Pack(g.Readout)
	out := kernel.NewMatrix(x.Rows, g.Readout.Cols)
	k.MatMul(out, g.Hidden(k, x), w, g.Offset, false)
	return out
}

// Loss returns the mean squared error of the grade's outputs for x against y.
func (g *Grade) Loss(k kernel.Kernel, x, y kernel.Matrix) float64 {
	out := g.Predict(k, x)
	sum := 0.0
	for i := range out.Rows {
		o := out.Row(i)
		for j, v := range y.Row(i) {
			e := float64(v) - float64(o[j])
			sum += float64(e * e)
		}
	}
	return sum / float64(y.Rows*y.Cols)
}

// Grade returns the solution as a grade, exact but for its rounding to float32. Unit V becomes
// w = V/√‖V‖ with the readout ±√‖V‖, of all w·a = V the one with the least ½(‖w‖² + a²) = ‖V‖.
func (s *ReLU) Grade() *Grade {
	inputs := s.problem.exact.x.Cols - 1
	g := newGrade(inputs, len(s.units), len(s.offset))
	for i, u := range s.units {
		root := math.Sqrt(length(u.v))
		for k := range inputs {
			g.W.Row(k)[i] = float32(u.v[k] / root)
		}
		g.Bias[i] = float32(u.v[inputs] / root)
		g.Readout.Row(i)[u.output] = float32(u.sign * root)
	}
	for j, b := range s.offset {
		g.Offset[j] = float32(b)
	}
	return g
}

// Units returns the units of the solution, one a row of d weights and a bias of unit length,
// those with the largest ‖V‖ first.
func (s *ReLU) Units() kernel.Matrix {
	var all rows
	for _, u := range s.units {
		all.add(u.v, length(u.v))
	}
	return all.matrix(s.problem.exact.x.Cols)
}

// Units returns ReLU units that the gated solution proposes, one a row of d weights and a bias
// of unit length: for each gate i with coefficients ±w, w being the left singular vector of
// W_i's largest singular value, and the unit of the gate itself. Those of the largest ‖W_i‖
// come first.
func (s *Gated) Units() kernel.Matrix {
	d := s.problem.exact
	m := d.x.Cols
	var all rows
	for _, i := range s.Active() {
		size := d.norm(s.w, i)
		w := singular(s.Weights(i), m, d.outputs)
		all.add(w, size)
		minus, gate := make([]float64, m), make([]float64, m)
		for k := range w {
			minus[k] = -w[k]
			gate[k] = float64(d.gates.units.Row(i)[k])
		}
		all.add(minus, size)
		all.add(gate, size)
	}
	return all.matrix(m)
}

// singular returns the direction in which w (m×c by rows) is largest, by power iterations from
// its largest column.
func singular(w []float64, m, c int) []float64 {
	const iterations = 30
	x := make([]float64, m)
	best := 0.0
	for j := range c {
		sum := 0.0
		for k := range m {
			sum += float64(w[k*c+j] * w[k*c+j])
		}
		if sum > best {
			best = sum
			for k := range m {
				x[k] = w[k*c+j]
			}
		}
	}
	if c == 1 {
		return x
	}
	y := make([]float64, c)
	for range iterations {
		scale := 1 / length(x)
		clear(y)
		for k := range m {
			for j, v := range w[k*c : (k+1)*c] {
				y[j] += float64(float64(v*x[k]) * scale)
			}
		}
		for k := range m {
			x[k] = dot(w[k*c:(k+1)*c], y)
		}
	}
	return x
}

func length(x []float64) float64 { return math.Sqrt(dot(x, x)) }
