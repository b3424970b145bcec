package convex

import (
	"math"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

const (
	passes   = 4 // of tighten
	hopeless = 2 // times λ: gates that far off are not put right
)

// tighten looks for a better bound than the residual r at w gives, whose gradient is −g. To
// scale r until it is feasible for the dual costs what the worst gate is off. Moving it by the
// least amount that puts every gate right that is off costs only what gates are off on average,
// weighted by their coefficients; it is done to first order, a few times over.
//
// Gates that r violates are put onto their bound. With hold, so are those that have
// coefficients: that converges quadratically once these are the right ones, and does harm
// before, so callers try both.
func (p *Problem) tighten(s *Gated, d *design, w, r, g []float64, hold bool) {
	n := float64(d.x.Rows)
	r, g = slices.Clone(r), slices.Clone(g)
	in := make([]bool, d.gates.count)
	for range passes {
		var list []int
		for i := range in {
			in[i] = in[i] || d.norm(g, i) > s.Lambda || hold && d.norm(w, i) > 0
			if in[i] {
				list = append(list, i)
			}
		}
		if !d.restore(r, g, list, s.Lambda) {
			return
		}
		clear(g)
		d.adjointExact(g, 1/n, r)
		kappa := d.largest(g)
		s.Dual = max(s.Dual, dual(dot(r, p.y)/n, dot(r, r)/n, kappa, s.Lambda))
		if !(kappa > s.Lambda && kappa < float64(hopeless*s.Lambda)) {
			return
		}
	}
}

// mostRestored bounds the (n·c)×T matrix that restore makes.
const mostRestored = 1 << 25

// restore adds to the residual r, whose gradient is −g, the least δ with
//
//	⟨A_i·ĝ_i, δ⟩/n = λ − ‖g_i‖,   ĝ = g/‖g‖,
//
// on the T gates of list: ‖A_iᵀ(r + δ)‖/n = λ to first order. It reports whether it did.
func (d *design) restore(r, g []float64, list []int, lambda float64) bool {
	n, m, c, t := d.x.Rows, d.x.Cols, d.outputs, len(list)
	if t == 0 || n*c > mostRestored/t {
		return false
	}
	norms, off := make([]float64, t), make([]float64, t)
	for q, i := range list {
		norms[q] = d.norm(g, i)
		off[q] = lambda - norms[q]
	}
	// A_i·ĝ_i, less its means, is a column of b, with a row for each element of r.
	b := kernel.NewMatrix(n*c, t)
	z, w := make([]float64, n*t), make([]float64, m*t)
	for j := range c {
		clear(w)
		for q, i := range list {
			for k := range m {
				if v := g[d.at(j, i)+panel*k]; v != 0 {
					w[k*t+q] = v / norms[q]
				}
			}
		}
		d.apply(z, w)
		for row := range n {
			for q, i := range list {
				if !d.gates.On(row, i) {
					z[row*t+q] = 0
				}
			}
		}
		centre(z, t)
		for row := range n {
			to := b.Row(row*c + j)
			for q, v := range z[row*t : (row+1)*t] {
				to[q] = float32(v)
			}
		}
	}
	shift(d.k, r, c, b, off)
	return true
}

// shift adds to r, n×c by rows, the least δ with bᵀ·δ/n = off, and takes means off.
func shift(k kernel.Kernel, r []float64, c int, b kernel.Matrix, off []float64) {
	n := float64(len(r) / c)
	gram := make([]float64, len(off)*len(off))
	k.Cross(gram, b, b)
	mu := solveSemidefinite(gram, off)
	for i := range r {
		sum := 0.0
		for q, v := range b.Row(i) {
			sum += float64(float64(v) * mu[q])
		}
		r[i] += float64(n * sum)
	}
	centre(r, c)
}

// solveSemidefinite returns the solution of a·x = b for a positive semidefinite a, of which it
// makes a Cholesky factor; where a is singular to working precision, an element of x is 0.
func solveSemidefinite(a, b []float64) []float64 {
	const least = 1e-10 // pivot, relative to the diagonal
	n := len(b)
	x := append([]float64(nil), b...)
	for k := range n {
		row := a[k*n : k*n+k]
		pivot := a[k*n+k]
		if v := pivot - dot(row, row); v > float64(least*pivot) {
			a[k*n+k] = math.Sqrt(v)
		} else {
			a[k*n+k] = 0
		}
		for i := k + 1; i < n; i++ {
			v := a[i*n+k] - dot(a[i*n:i*n+k], row)
			if a[k*n+k] > 0 {
				v /= a[k*n+k]
			} else {
				v = 0
			}
			a[i*n+k] = v
		}
	}
	for k := range n {
		if a[k*n+k] == 0 {
			x[k] = 0
			continue
		}
		x[k] = (x[k] - dot(a[k*n:k*n+k], x[:k])) / a[k*n+k]
	}
	for k := n - 1; k >= 0; k-- {
		if a[k*n+k] == 0 {
			continue
		}
		x[k] /= a[k*n+k]
		for i := range k {
			x[i] -= float64(a[k*n+i] * x[k])
		}
	}
	return x
}
