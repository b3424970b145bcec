package construct

import (
	"context"
	"fmt"
	"math"
)

// Digits is a network of constant width that reads the digits of x to base N, with a table as its
// readout: prefix l is the value of f at the centre of the cell of edge N^−l that x lies in.
//
// A stage finds the next digit of every coordinate. With step(t) = relu(1 − relu(1 − t/η)), which is
// exactly 0 for t ≤ 0 and exactly 1 for t ≥ η,
//
//	layer 1   x_i, index, relu(1 + j/η − (N/η)·x_i)            0 < j < N
//	layer 2   x_i, index, s_ij = relu(1 − that)
//	layer 3   x_i := N·x_i − Σ_j s_ij,  index := N^d·index + Σ_i N^(d−1−i)·Σ_j s_ij
//
// so the width is d·N + 1. The published architecture takes 2dN + d + 2, with two neurons side by side
// for a step. The table is a read from memory and no neuron: its N^(dl) numbers are the price that a
// bounded precision of weights asks.
//
// Where t lies in (0, η) for a step of the first l stages, x is in a slab and its index means nothing; it
// is rounded and clamped before the table is read. For each coordinate and stage s there are fewer than N^s
// slabs of width η·N^−s: together they take at most l·d·η of the cube. Outside of them
//
//	|f(x) − At(l, x)| ≤ ω(N^−l/2),   so ‖f − At(l, ·)‖_p ≤ ω(N^−l/2) + (l·d·η)^(1/p)·(max f − min f)
//
// with the modulus ω of f in the largest coordinate difference.
type Digits struct {
	dim, base int
	eta       float64
	stage     [3]reluLayer
	tables    [][]float64 // of stage l+1: the increments over the stage before
	first     float64     // f at the centre of the cube
}

// maxTable is the most numbers a table may have.
const maxTable = 1 << 24

// NewDigits evaluates f at the centres of the cells of depth stages to base base. eta is the width of a step in
// units of a cell, a power of two from 2⁻³⁰ to ½.
func NewDigits(ctx context.Context, f Func, dim, base, depth int, eta float64) (*Digits, error) {
	fraction, exponent := math.Frexp(eta)
	switch {
	case dim < 1 || dim > MaxDim || base < 2 || depth < 1:
		return nil, fmt.Errorf("construct: digits of %d coordinates to base %d in %d stages", dim, base, depth)
	case fraction != 0.5 || exponent > 0 || exponent < -29:
		return nil, fmt.Errorf("construct: eta is %v, want a power of two from 2⁻³⁰ to ½", eta)
	case float64(depth*dim)*math.Log2(float64(base)) > math.Log2(maxTable)+1e-9:
		return nil, fmt.Errorf("construct: a table of %d^%d numbers; at most %d are allowed", base, depth*dim, maxTable)
	}
	d := &Digits{dim: dim, base: base, eta: eta, stage: digitStage(dim, base, eta)}
	x := make([]float64, dim)
	for i := range x {
		x[i] = 0.5
	}
	d.first = f(x)
	cells, children := 1, int(math.Pow(float64(base), float64(dim))+0.5)
	before := []float64{d.first}
	for l := 1; l <= depth; l++ {
		cells *= children
		values, increments := make([]float64, cells), make([]float64, cells)
		for c := range values {
			if c%4096 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			d.centre(x, c, l)
			values[c] = f(x)
			if v := values[c]; v-v != 0 {
				return nil, fmt.Errorf("construct: f(%s) is %v", pointText(x), v)
			}
			increments[c] = values[c] - before[c/children]
		}
		d.tables = append(d.tables, increments)
		before = values
	}
	return d, nil
}

// centre sets x to the centre of cell c of stage l, whose index has the digits of all coordinates stage by
// stage.
func (d *Digits) centre(x []float64, c, l int) {
	clear(x)
	scale := 1.0
	for range l {
		for i := d.dim - 1; i >= 0; i-- {
			x[i] += float64(float64(c%d.base) * scale)
			c /= d.base
		}
		scale *= float64(d.base)
	}
	for i := range x {
		x[i] = (x[i] + 0.5) / scale
	}
}

// Width returns the widest layer.
func (d *Digits) Width() int { return d.dim*d.base + 1 }

// Depth returns the number of stages.
func (d *Digits) Depth() int { return len(d.tables) }

// At returns prefix l, from 0, at a point of the cube, and whether the point lies outside all slabs of the first l
// stages, where the bound holds.
func (d *Digits) At(l int, x []float64) (value float64, clear bool) {
	if len(x) != d.dim || l < 0 || l > len(d.tables) {
		panic("construct: Digits.At: wrong number of coordinates or stages")
	}
	state := make([]float64, d.dim+1) // coordinates and index
	copy(state, x)
	value, clear = d.first, true
	for s := range l {
		a := d.stage[0].apply(state)
		b := d.stage[1].apply(a)
		for _, v := range b[d.dim+1:] {
			clear = clear && (v == 0 || v == 1)
		}
		state = d.stage[2].apply(b)
		index := min(max(math.Round(state[d.dim]), 0), float64(len(d.tables[s])-1))
		value += d.tables[s][int(index)]
	}
	return value, clear
}

// Slabs bounds the part of the cube that the slabs of the first l stages take.
func (d *Digits) Slabs(l int) float64 { return float64(l*d.dim) * d.eta }

// A reluLayer maps x to max(0, w·x + b), row by row, adding up columns in order.
type reluLayer struct {
	w [][]float64
	b []float64
}

func newReluLayer(rows, cols int) reluLayer {
	l := reluLayer{make([][]float64, rows), make([]float64, rows)}
	for r := range l.w {
		l.w[r] = make([]float64, cols)
	}
	return l
}

func (l *reluLayer) apply(x []float64) []float64 {
	y := make([]float64, len(l.w))
	for r, w := range l.w {
		sum := l.b[r]
		for c, v := range w {
			sum += float64(v * x[c])
		}
		y[r] = max(sum, 0)
	}
	return y
}

// digitStage returns the three layers of a stage.
func digitStage(dim, base int, eta float64) [3]reluLayer {
	carry, steps := dim+1, dim*(base-1)
	a, b, c := newReluLayer(carry+steps, carry), newReluLayer(carry+steps, carry+steps), newReluLayer(carry, carry+steps)
	n := float64(base)
	for i := range carry {
		a.w[i][i], b.w[i][i], c.w[i][i] = 1, 1, n
	}
	c.w[dim][dim] = math.Pow(n, float64(dim)) // an integer: exact
	place := 1.0
	for i := dim - 1; i >= 0; i-- {
		for j := 1; j < base; j++ {
			at := carry + i*(base-1) + j - 1
			a.w[at][i], a.b[at] = -n/eta, 1+float64(j)/eta
			b.w[at][at], b.b[at] = -1, 1
			c.w[i][at], c.w[dim][at] = -1, place
		}
		place *= n
	}
	return [3]reluLayer{a, b, c}
}
