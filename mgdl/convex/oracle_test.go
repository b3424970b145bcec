package convex

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cone program is
//
//	min 1/(2n)·‖Σ B_b·x_b − y‖² + λ·Σ‖x_b‖   with C_b·x_b ≥ 0,
//
// with dense blocks B_b and C_b; y and the columns of B_b have mean 0. The interior point
// method here shares nothing with the package but the statement of the program.
type coneProgram struct {
	n, m   int
	blocks [][][]float64 // B_b, n×m
	cones  [][][]float64 // C_b, any number of rows of m; none for none
	inside [][]float64   // points with C_b·x > 0
	y      []float64
	lambda float64
}

// solve returns the optimal value to within 1e-11 of its barrier's duality gap, and the
// x_b: Newton's method on τ·(objective with t_b for ‖x_b‖) − Σ log(t_b² − ‖x_b‖²) − Σ log(C_b·x_b).
func (p *coneProgram) solve(t *testing.T) (float64, [][]float64) {
	t.Helper()
	m, width := p.m, p.m+1
	size := width * len(p.blocks)
	x := make([]float64, size)
	barriers := 2 * len(p.blocks)
	for b := range p.blocks {
		norm := 0.0
		for k := range m {
			if p.inside != nil {
				x[b*width+k] = 0.01 * p.inside[b][k]
			}
			norm += x[b*width+k] * x[b*width+k]
		}
		x[b*width+m] = math.Sqrt(norm) + 0.1
		barriers += len(p.cones[b])
	}
	value := func(tau float64, x []float64) float64 {
		r := p.residual(x)
		f := 0.0
		for _, v := range r {
			f += v * v / float64(2*p.n)
		}
		v := 0.0
		for b := range p.blocks {
			u := x[b*width : (b+1)*width]
			f += p.lambda * u[m]
			s := u[m] * u[m]
			for _, q := range u[:m] {
				s -= q * q
			}
			if s <= 0 || u[m] <= 0 {
				return math.Inf(1)
			}
			v -= math.Log(s)
			for _, c := range p.cones[b] {
				z := inner(c, u[:m])
				if z <= 0 {
					return math.Inf(1)
				}
				v -= math.Log(z)
			}
		}
		return tau*f + v
	}
	for tau := 1.0; ; tau *= 4 {
		for range 60 {
			g, h := p.derivatives(tau, x)
			step := gauss(h, g) // H·step = g
			decrement := inner(g, step)
			if decrement < 1e-9 {
				break
			}
			old, length := value(tau, x), 1.0
			next := make([]float64, size)
			for ; length > 1e-12; length /= 2 {
				for i := range next {
					next[i] = x[i] - length*step[i]
				}
				if value(tau, next) <= old-0.1*length*decrement {
					break
				}
			}
			if length <= 1e-12 {
				break // no decrease left in float64
			}
			x = next
		}
		if float64(barriers)/tau < 1e-11 {
			break
		}
	}
	r := p.residual(x)
	f := 0.0
	for _, v := range r {
		f += v * v / float64(2*p.n)
	}
	var out [][]float64
	for b := range p.blocks {
		u := x[b*width : b*width+m]
		f += p.lambda * math.Sqrt(inner(u, u))
		out = append(out, u)
	}
	return f, out
}

// residual returns Σ B_b·x_b − y.
func (p *coneProgram) residual(x []float64) []float64 {
	r := make([]float64, p.n)
	for i := range r {
		r[i] = -p.y[i]
		for b := range p.blocks {
			r[i] += inner(p.blocks[b][i], x[b*(p.m+1):][:p.m])
		}
	}
	return r
}

func (p *coneProgram) derivatives(tau float64, x []float64) (g []float64, h [][]float64) {
	m, width := p.m, p.m+1
	size := len(x)
	g, h = make([]float64, size), make([][]float64, size)
	for i := range h {
		h[i] = make([]float64, size)
	}
	r := p.residual(x)
	row := make([]float64, size)
	for i := range r {
		for b := range p.blocks {
			copy(row[b*width:], p.blocks[b][i])
		}
		for a, v := range row {
			if v == 0 {
				continue
			}
			g[a] += tau * v * r[i] / float64(p.n)
			for c, w := range row {
				h[a][c] += tau * v * w / float64(p.n)
			}
		}
	}
	for b := range p.blocks {
		o := b * width
		u := x[o : o+width]
		g[o+m] += tau * p.lambda
		s := u[m] * u[m]
		for _, q := range u[:m] {
			s -= q * q
		}
		ds := make([]float64, width) // of s
		for k := range m {
			ds[k] = -2 * u[k]
		}
		ds[m] = 2 * u[m]
		for a := range width {
			g[o+a] -= ds[a] / s
			for c := range width {
				h[o+a][o+c] += ds[a] * ds[c] / (s * s)
			}
			if a < m {
				h[o+a][o+a] += 2 / s
			} else {
				h[o+a][o+a] -= 2 / s
			}
		}
		for _, c := range p.cones[b] {
			z := inner(c, u[:m])
			for a, v := range c {
				g[o+a] -= v / z
				for e, w := range c {
					h[o+a][o+e] += v * w / (z * z)
				}
			}
		}
	}
	return g, h
}

func inner(x, y []float64) float64 {
	s := 0.0
	for i, v := range x {
		s += v * y[i]
	}
	return s
}

// The oracle itself: one block without cone and with B = √n·I has the solution y·(1 − λ/‖y‖)/√n
// and, with λ above ‖y‖, zero; a cone that excludes y's direction gives zero, too.
func TestOracle(t *testing.T) {
	y := []float64{3, -4}
	p := &coneProgram{n: 2, m: 2, y: y, cones: [][][]float64{nil}, lambda: 1,
		blocks: [][][]float64{{{math.Sqrt2, 0}, {0, math.Sqrt2}}}}
	// min ½‖x − y/√2‖² + ‖x‖
	f, x := p.solve(t)
	want := 5/math.Sqrt2 - 1
	require.InDelta(t, want, math.Sqrt(inner(x[0], x[0])), 1e-6)
	require.InDelta(t, 0.5+want, f, 1e-10)
	p.cones = [][][]float64{{{-1, 0}, {0, 1}}}
	p.inside = [][]float64{{-1, 1}}
	f, _ = p.solve(t)
	require.InDelta(t, 25.0/4, f, 1e-9)
}

// gauss solves h·x = g by elimination with pivots.
func gauss(h [][]float64, g []float64) []float64 {
	n := len(g)
	x := append([]float64(nil), g...)
	for k := range n {
		p := k
		for i := k; i < n; i++ {
			if math.Abs(h[i][k]) > math.Abs(h[p][k]) {
				p = i
			}
		}
		h[k], h[p] = h[p], h[k]
		x[k], x[p] = x[p], x[k]
		for i := k + 1; i < n; i++ {
			f := h[i][k] / h[k][k]
			if f == 0 {
				continue
			}
			for j := k; j < n; j++ {
				h[i][j] -= f * h[k][j]
			}
			x[i] -= f * x[k]
		}
	}
	for k := n - 1; k >= 0; k-- {
		for j := k + 1; j < n; j++ {
			x[k] -= h[k][j] * x[j]
		}
		x[k] /= h[k][k]
	}
	return x
}
