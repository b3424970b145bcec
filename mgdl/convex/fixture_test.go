package convex

import (
	"math"
	"math/rand/v2"

	"github.com/multigrade/multigrade/kernel"
)

// random returns a matrix of normal numbers.
func random(r *rand.Rand, rows, cols int) kernel.Matrix {
	m := kernel.NewMatrix(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

// naive is the gated program in plain loops: A as a dense matrix of n rows, gate by gate.
type naive struct {
	n, m, c int
	a       [][][]float64 // for each gate, n×m
	y       []float64     // less its means, n×c
}

func newNaive(x, y kernel.Matrix, g *Gates) *naive {
	f := &naive{n: x.Rows, m: x.Cols + 1, c: y.Cols}
	for i := range g.Len() {
		a := make([][]float64, f.n)
		for r := range a {
			a[r] = make([]float64, f.m)
			if g.On(r, i) {
				for k, v := range x.Row(r) {
					a[r][k] = float64(v)
				}
				a[r][f.m-1] = 1
			}
		}
		f.a = append(f.a, a)
	}
	for r := range f.n {
		for _, v := range y.Row(r) {
			f.y = append(f.y, float64(v))
		}
	}
	centre(f.y, f.c)
	return f
}

// evaluate returns P and the dual bound at a solution's weights.
func (f *naive) evaluate(s *Gated, lambda float64) (primal, bound float64) {
	r := append([]float64(nil), f.y...)
	for i := range f.a {
		w := s.Weights(i)
		square := 0.0
		for k := range f.m {
			for j := range f.c {
				v := w[k*f.c+j]
				square += v * v
				for row := range f.n {
					r[row*f.c+j] -= f.a[i][row][k] * v
				}
			}
		}
		primal += lambda * math.Sqrt(square)
	}
	centre(r, f.c)
	rr, ry := inner(r, r)/float64(f.n), inner(r, f.y)/float64(f.n)
	primal += rr / 2
	kappa := 0.0
	for i := range f.a {
		square := 0.0
		for k := range f.m {
			for j := range f.c {
				g := 0.0
				for row := range f.n {
					g += f.a[i][row][k] * r[row*f.c+j]
				}
				square += g * g
			}
		}
		kappa = max(kappa, math.Sqrt(square)/float64(f.n))
	}
	scale := 0.0
	if rr > 0 {
		scale = ry / rr
	}
	if kappa > 0 {
		scale = max(min(scale, lambda/kappa), -lambda/kappa)
	}
	return primal, scale*ry - scale*scale*rr/2
}

// program returns the cone program of one output, with or without cones.
func (f *naive) program(x kernel.Matrix, g *Gates, lambda float64, cones bool) *coneProgram {
	p := &coneProgram{n: f.n, m: f.m, y: f.y, lambda: lambda}
	signs := []float64{1}
	if cones {
		signs = []float64{1, -1}
	}
	for _, sign := range signs {
		for i, a := range f.a {
			b := make([][]float64, f.n)
			mean := make([]float64, f.m)
			for _, row := range a {
				for k, v := range row {
					mean[k] += sign * v / float64(f.n)
				}
			}
			var cone [][]float64
			for r, row := range a {
				b[r] = make([]float64, f.m)
				for k, v := range row {
					b[r][k] = sign*v - mean[k]
				}
				if cones {
					side := -1.0
					if g.On(r, i) {
						side = 1
					}
					c := make([]float64, f.m)
					for k, v := range x.Row(r) {
						c[k] = side * float64(v)
					}
					c[f.m-1] = side
					cone = append(cone, c)
				}
			}
			p.blocks = append(p.blocks, b)
			p.cones = append(p.cones, cone)
			if cones {
				u, bias := g.Unit(i)
				in := make([]float64, f.m)
				for k, v := range u {
					in[k] = float64(v)
				}
				in[f.m-1] = float64(bias)
				p.inside = append(p.inside, in)
			}
		}
	}
	return p
}

// steps returns values a of steps at uneven places in one column, and a target with kinks.
func steps(n int) (x, y kernel.Matrix) {
	x, y = kernel.NewMatrix(n, 1), kernel.NewMatrix(n, 1)
	for i := range n {
		v := float64((i*i*7+3*i)%(4*n))/float64(2*n) - 1
		x.Data[i] = float32(v)
		y.Data[i] = float32(math.Abs(v-0.3) - 2*math.Max(0, v+0.4) + 0.1*float64(i%3))
	}
	return x, y
}
