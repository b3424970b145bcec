package convex

import (
	"errors"
	"math"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// rows are units with their sizes.
type rows struct {
	units [][]float64
	sizes []float64
}

func (r *rows) add(unit []float64, size float64) {
	r.units, r.sizes = append(r.units, unit), append(r.sizes, size)
}

// matrix returns the units, of m elements each, scaled to unit length, in descending order of
// size.
func (r *rows) matrix(m int) kernel.Matrix {
	order := make([]int, len(r.units))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case r.sizes[a] > r.sizes[b]:
			return -1
		case r.sizes[a] < r.sizes[b]:
			return 1
		}
		return 0
	})
	out := kernel.NewMatrix(len(order), m)
	for i, q := range order {
		scale := length(r.units[q])
		if scale == 0 {
			continue
		}
		for k, v := range r.units[q] {
			out.Row(i)[k] = float32(v / scale)
		}
	}
	return out
}

// mostCandidates bounds the units Choose looks at: its Gram matrix has the square of that.
const mostCandidates = 1024

// Data are inputs (n×d) and targets (n×c) of some rows.
type Data struct{ X, Y kernel.Matrix }

// Choose returns the grade of at most width of the given units (a row of d weights and a bias
// each) whose least-squares readout fits y: greedily, each time the unit is added with which
// the squared error falls most (orthogonal least squares). Units whose values hardly vary, or
// are all but a combination of those chosen, are passed over; of more than 1024 the first are
// looked at. If there are rows to validate with, only as many of the chosen units are kept as
// give the least squared error on those.
//
// The readout is computed in float64 by a Cholesky factorisation of the Gram matrix of the
// units' float32 values. The error of the returned grade is that of Grade.Loss.
func Choose(train Data, valid *Data, units kernel.Matrix, width int, s Settings) (*Grade, error) {
	if err := checkRows(train.X, train.Y); err != nil {
		return nil, err
	}
	if valid != nil {
		if err := checkRows(valid.X, valid.Y); err != nil {
			return nil, err
		}
		if valid.X.Cols != train.X.Cols || valid.Y.Cols != train.Y.Cols {
			return nil, errors.New("convex: validation rows have other columns")
		}
	}
	if units.Rows > 0 && units.Cols != train.X.Cols+1 {
		panic("convex: units have another number of inputs than the rows")
	}
	c := newChooser(train, units, s)
	best := c.grade(0)
	lowest := math.Inf(1)
	if valid != nil {
		lowest = best.Loss(s.Kernel, valid.X, valid.Y)
	}
	for len(c.chosen) < width && c.add() {
		if valid == nil {
			continue
		}
		g := c.grade(len(c.chosen))
		if loss := g.Loss(s.Kernel, valid.X, valid.Y); loss < lowest {
			best, lowest = g, loss
		}
	}
	if valid == nil {
		best = c.grade(len(c.chosen))
	}
	return best, nil
}

// A chooser holds the moments of candidates and the factors of those chosen.
type chooser struct {
	units   kernel.Matrix // scaled by powers of two, so that values have about unit deviation
	outputs int
	gram    []float64 // covariances of the values over rows, q×q, of unit diagonal
	mean    []float64 // of the values
	inverse []float64 // of their deviations, 0 for what does not vary
	target  []float64 // means of the targets
	energy  float64   // of the targets less their means

	chosen []int
	factor [][]float64 // column s of the Cholesky factor, for all candidates
	z      [][]float64 // the chosen's orthogonalised correlations with the targets
	left   []float64   // of each candidate's variance, orthogonal to the chosen
	corr   []float64   // covariance of that with the targets, q×c
}

func newChooser(d Data, units kernel.Matrix, s Settings) *chooser {
	q, m, n, outputs := min(units.Rows, mostCandidates), d.X.Cols+1, d.X.Rows, d.Y.Cols
	c := &chooser{units: kernel.NewMatrix(q, m), outputs: outputs, gram: make([]float64, q*q), mean: make([]float64, q),
		inverse: make([]float64, q), target: make([]float64, outputs), left: make([]float64, q), corr: make([]float64, q*outputs)}
	for i := range q {
		copy(c.units.Row(i), units.Row(i))
	}
	// Sums of products of values, of values with 1 and the targets, and of these.
	u := 1 + outputs
	tail := kernel.NewMatrix(n, u)
	for i := range n {
		tail.Row(i)[0] = 1
		copy(tail.Row(i)[1:], d.Y.Row(i))
	}
	xu, uu := make([]float64, q*u), make([]float64, u*u)
	values := c.layer().Hidden(s.Kernel, d.X)
	s.Kernel.Cross(c.gram, values, values)
	s.Kernel.Cross(xu, values, tail)
	s.Kernel.Cross(uu, tail, tail)
	rows := float64(n)
	for j := range c.target {
		c.target[j] = uu[1+j] / rows
		c.energy += uu[(1+j)*u+1+j]/rows - float64(c.target[j]*c.target[j])
	}
	for i := range q {
		c.mean[i] = xu[i*u] / rows
		square := c.gram[i*q+i] / rows
		if v := square - float64(c.mean[i]*c.mean[i]); v > float64(1e-10*square) {
			c.inverse[i] = 1 / math.Sqrt(v)
			c.left[i] = 1
		}
	}
	for i := range q {
		for j := range q {
			v := c.gram[i*q+j]/rows - float64(c.mean[i]*c.mean[j])
			c.gram[i*q+j] = float64(float64(v*c.inverse[i]) * c.inverse[j])
		}
		for j, y := range c.target {
			c.corr[i*outputs+j] = float64((xu[i*u+1+j]/rows - float64(c.mean[i]*y)) * c.inverse[i])
		}
	}
	return c
}

// layer returns the candidates as a grade without outputs.
func (c *chooser) layer() *Grade {
	m := c.units.Cols - 1
	g := newGrade(m, c.units.Rows, 0)
	for i := range c.units.Rows {
		u := c.units.Row(i)
		for k := range m {
			g.W.Row(k)[i] = u[k]
		}
		g.Bias[i] = u[m]
	}
	return g
}

// add chooses one more candidate, if one is worth it.
func (c *chooser) add() bool {
	const (
		least = 1e-10 // of a candidate's variance that the chosen must leave over
		gain  = 1e-14 // of the targets' energy that it must explain
	)
	best, pick := float64(gain*c.energy), -1
	for i, v := range c.left {
		if v <= least {
			continue
		}
		row := c.corr[i*c.outputs : (i+1)*c.outputs]
		if e := dot(row, row) / v; e > best {
			best, pick = e, i
		}
	}
	if pick < 0 {
		return false
	}
	q := len(c.left)
	root := math.Sqrt(c.left[pick])
	column := make([]float64, q)
	z := make([]float64, c.outputs)
	for j := range z {
		z[j] = c.corr[pick*c.outputs+j] / root
	}
	copy(column, c.gram[pick*q:(pick+1)*q])
	for _, f := range c.factor {
		p := f[pick]
		for i, v := range f {
			column[i] -= float64(v * p)
		}
	}
	for i := range column {
		column[i] /= root
	}
	for i, v := range column {
		c.left[i] -= float64(v * v)
		for j, w := range z {
			c.corr[i*c.outputs+j] -= float64(v * w)
		}
	}
	column[pick] = root
	c.chosen, c.factor, c.z = append(c.chosen, pick), append(c.factor, column), append(c.z, z)
	return true
}

// grade returns the first n chosen with their least-squares readout.
func (c *chooser) grade(n int) *Grade {
	m := c.units.Cols - 1
	g := newGrade(m, n, c.outputs)
	scales := make([]float64, n)
	for s, i := range c.chosen[:n] {
		_, e := math.Frexp(c.inverse[i])
		scales[s] = math.Ldexp(1, e) // by which values are multiplied; exact
		for k := range m {
			g.W.Row(k)[s] = float32(float64(c.units.Row(i)[k]) * scales[s])
		}
		g.Bias[s] = float32(float64(c.units.Row(i)[m]) * scales[s])
	}
	a := make([]float64, n)
	for j := range c.outputs {
		offset := c.target[j]
		for s := n - 1; s >= 0; s-- { // Lᵀ·a = z
			v := c.z[s][j]
			for t := s + 1; t < n; t++ {
				v -= float64(c.factor[s][c.chosen[t]] * a[t])
			}
			a[s] = v / c.factor[s][c.chosen[s]]
		}
		for s, i := range c.chosen[:n] {
			w := float64(a[s] * c.inverse[i])
			g.Readout.Row(s)[j] = float32(w / scales[s])
			offset -= float64(w * c.mean[i])
		}
		g.Offset[j] = float32(offset)
	}
	return g
}
