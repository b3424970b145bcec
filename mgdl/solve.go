package mgdl

import (
	"context"
	"math"
)

// dot returns Σ x[i]·y[i] by four partial sums, i mod 4, added as (0+2)+(1+3).
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(x[i] * y[i])
		b += float64(x[i+1] * y[i+1])
		c += float64(x[i+2] * y[i+2])
		d += float64(x[i+3] * y[i+3])
	}
	switch len(x) - i {
	case 3:
		c += float64(x[i+2] * y[i+2])
		fallthrough
	case 2:
		b += float64(x[i+1] * y[i+1])
		fallthrough
	case 1:
		a += float64(x[i] * y[i])
	}
	return (a + c) + (b + d)
}

// axpy sets y += s·x.
func axpy(y []float64, s float64, x []float64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += float64(s * v)
	}
}

// A tridiagonal holds a symmetric n×n matrix A as Q·T·Qᵀ, T tridiagonal and Q a product
// of reflections I − τ·v·vᵀ. Made once, at the cost of four Cholesky factorisations, it
// solves with A + λI for any λ in O(n²).
type tridiagonal struct {
	n         int
	v         []float64 // row k holds, from column k+1 on, the vector of reflection k
	tau       []float64
	diag, off []float64 // of T
}

// newTridiagonal reduces the symmetric matrix a, of which it reads and overwrites both
// halves. It returns nil when ctx is done.
func newTridiagonal(ctx context.Context, a []float64, n int) *tridiagonal {
	t := &tridiagonal{n: n, v: a, tau: make([]float64, n), diag: make([]float64, n), off: make([]float64, n)}
	p := make([]float64, n)
	for k := range n {
		t.diag[k] = a[k*n+k]
		if k == n-1 {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		v := a[k*n+k+1 : (k+1)*n]
		if s := dot(v[1:], v[1:]); s > 0 {
			norm := math.Sqrt(float64(v[0]*v[0]) + s)
			if v[0] > 0 {
				norm = -norm // so that nothing cancels below
			}
			t.off[k] = norm
			v[0] -= norm
			t.tau[k] = 2 / (float64(v[0]*v[0]) + s)
		} else {
			t.off[k] = v[0]
			continue
		}
		// The rest becomes H·A·H = A − v·wᵀ − w·vᵀ, w = p − (τ/2)(pᵀv)·v, p = τ·A·v.
		w := p[:len(v)]
		for i := range w {
			w[i] = float64(t.tau[k] * dot(a[(k+1+i)*n+k+1:(k+2+i)*n], v))
		}
		axpy(w, float64(-0.5*t.tau[k])*dot(w, v), v)
		for i := range v {
			row := a[(k+1+i)*n+k+1 : (k+2+i)*n]
			vi, wi := v[i], w[i]
			for j := range row {
				row[j] -= float64(vi*w[j]) + float64(wi*v[j])
			}
		}
	}
	return t
}

// solve sets x to (A + λI)⁻¹·b and reports whether the matrix is positive definite as far
// as rounding lets see; if not, x is not a solution. x may be b. tmp has n elements.
func (t *tridiagonal) solve(x, b []float64, lambda float64, tmp []float64) bool {
	n := t.n
	copy(x, b)
	for k := range n - 1 { // x = Qᵀ·b
		t.reflect(k, x)
	}
	for k := range n { // T + λI = L·D·Lᵀ; tmp = D, x = L⁻¹·x
		d := t.diag[k] + lambda
		if k > 0 {
			l := t.off[k-1] / tmp[k-1]
			d -= float64(l * t.off[k-1])
			x[k] -= float64(l * x[k-1])
		}
		if !(d > 0) {
			return false
		}
		tmp[k] = d
	}
	for k := n - 1; k >= 0; k-- { // x = L⁻ᵀ·D⁻¹·x
		x[k] /= tmp[k]
		if k < n-1 {
			x[k] -= float64(t.off[k] / tmp[k] * x[k+1])
		}
	}
	for k := n - 2; k >= 0; k-- { // x = Q·x
		t.reflect(k, x)
	}
	return true
}

// reflect applies reflection k to x.
func (t *tridiagonal) reflect(k int, x []float64) {
	if t.tau[k] == 0 {
		return
	}
	v := t.v[k*t.n+k+1 : (k+1)*t.n]
	axpy(x[k+1:], float64(-t.tau[k]*dot(v, x[k+1:])), v)
}
