package convex

import (
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// axes are the principal axes of inputs: an orthogonal V (m×m, by rows) and d with
// Xᵀ·X/n = V·diag(d)·Vᵀ.
type axes struct {
	v, d []float64
	m    int
}

// newAxes returns the principal axes of x.
func newAxes(k kernel.Kernel, x kernel.Matrix) *axes {
	m := x.Cols
	a := make([]float64, m*m)
	k.Cross(a, x, x)
	for i := range a {
		a[i] /= float64(x.Rows)
	}
	v := jacobi(a, m)
	d := make([]float64, m)
	for i := range d {
		d[i] = max(a[i*m+i], 0)
	}
	return &axes{v, d, m}
}

// rotate returns x·V, rounded.
func (a *axes) rotate(k kernel.Kernel, x kernel.Matrix) kernel.Matrix {
	w := kernel.NewWeights(a.m, a.m)
	for i := range a.m {
		for j := range a.m {
			w.Data[w.Index(i, j)] = float32(a.v[i*a.m+j])
		}
	}
	z := kernel.NewMatrix(x.Rows, a.m)
	k.MatMul(z, x, w, nil, false)
	return z
}

// jacobi turns the symmetric n×n matrix a into a diagonal one by Jacobi's rotations, cyclic
// by rows, and returns the orthogonal v with a = v·diag·vᵀ. Both are stored by rows.
func jacobi(a []float64, n int) []float64 {
	const sweeps = 30         // more than ever needed: convergence is quadratic
	v := make([]float64, n*n) // transposed: rows are eigenvectors
	total := 0.0
	for i := range n {
		v[i*n+i] = 1
	}
	for _, x := range a {
		total += float64(x * x)
	}
	for range sweeps {
		off := 0.0
		for i := range n {
			for j := range i {
				off += float64(a[i*n+j] * a[i*n+j])
			}
		}
		if !(off > float64(1e-30*total)) {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				apq := a[p*n+q]
				if apq == 0 {
					continue
				}
				// The smaller root t = tan φ of t² + 2θt − 1 = 0 makes a[p,q] zero.
				theta := (a[q*n+q] - a[p*n+p]) / (2 * apq)
				t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
				if theta < 0 {
					t = -t
				}
				c := 1 / math.Sqrt(float64(t*t)+1)
				s := float64(t * c)
				turn(a[p*n:(p+1)*n], a[q*n:(q+1)*n], c, s)
				for i := range n {
					x, y := a[i*n+p], a[i*n+q]
					a[i*n+p] = float64(c*x) - float64(s*y)
					a[i*n+q] = float64(s*x) + float64(c*y)
				}
				turn(v[p*n:(p+1)*n], v[q*n:(q+1)*n], c, s)
			}
		}
	}
	for i := range n {
		for j := range i {
			v[i*n+j], v[j*n+i] = v[j*n+i], v[i*n+j]
		}
	}
	return v
}

// turn replaces x, y by c·x − s·y, s·x + c·y.
func turn(x, y []float64, c, s float64) {
	y = y[:len(x)]
	for i, u := range x {
		v := y[i]
		x[i] = float64(c*u) - float64(s*v)
		y[i] = float64(s*u) + float64(c*v)
	}
}
