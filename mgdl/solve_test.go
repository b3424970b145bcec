package mgdl

import (
	"math"
	"testing"
)

func TestDot(t *testing.T) {
	x, y := []float64{1, 2, 3, 4, 5, 6, 7}, []float64{1, 10, 100, 1000, 1e4, 1e5, 1e6}
	want := 0.0
	for n := range len(x) + 1 {
		if got := dot(x[:n], y); got != want {
			t.Errorf("of %d elements: %v, want %v", n, got, want)
		}
		if n < len(x) {
			want += x[n] * y[n]
		}
	}
}

// Solutions are checked by what they must fulfil, (A+λI)x = b, the residual relative to
// the size of the terms, for well and badly conditioned A = BᵀB.
func TestTridiagonalSolve(t *testing.T) {
	s := newStream(3, startWeights, 0, 0)
	for _, n := range []int{1, 2, 3, 5, 17, 64} {
		for _, rank := range []int{1, n / 2, n, 2 * n} {
			for _, lambda := range []float64{1e-10, 1e-4, 1, 100} {
				a := make([]float64, n*n)
				for range rank {
					v := make([]float64, n)
					for i := range v {
						v[i] = s.normal()
					}
					for i := range n {
						axpy(a[i*n:(i+1)*n], v[i], v)
					}
				}
				b := make([]float64, n)
				for i := range b {
					axpy(b, s.normal(), a[i*n:(i+1)*n]) // in the range of A: x stays moderate
				}
				x := make([]float64, n)
				r := newTridiagonal(t.Context(), append([]float64(nil), a...), n)
				if !r.solve(x, b, lambda, make([]float64, n)) {
					if lambda < 1e-6 {
						continue // A is singular to working precision
					}
					t.Fatalf("n %d rank %d λ %v: not positive definite", n, rank, lambda)
				}
				size, norm := 0.0, math.Sqrt(dot(x, x))
				for i := range n {
					size = max(size, math.Sqrt(dot(a[i*n:(i+1)*n], a[i*n:(i+1)*n])))
				}
				for i := range n {
					e := dot(a[i*n:(i+1)*n], x) + lambda*x[i] - b[i]
					if bound := 1e-14 * float64(n) * (size + lambda) * (norm + 1e-300); math.Abs(e) > bound {
						t.Errorf("n %d rank %d λ %v: residual %v of equation %d, bound %v", n, rank, lambda, e, i, bound)
					}
				}
			}
		}
	}
}
