package convex

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

// Products against plain loops: the exact ones to rounding of float64, those for steps to
// rounding of float32, for rows and gates around every block's edge.
func TestProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 127, 128, 129, 513, 1100} {
		for _, gates := range []int{1, 31, 33, 257, 300} {
			for _, c := range []int{1, 3} {
				m := 2 + r.IntN(9)
				x := random(r, n, m)
				g := newGates(n, gates, m)
				for row := range n {
					for i := range gates {
						if r.IntN(2) == 0 {
							g.set(row, i)
						}
					}
				}
				d := newDesign(kernel.Kernel{}, 1, x, g, c)
				w := make([]float64, d.size())
				for j := range c {
					for i := range gates {
						for k := range m {
							w[d.at(j, i)+panel*k] = r.NormFloat64()
						}
					}
				}
				e := make([]float64, n*c)
				for i := range e {
					e[i] = r.NormFloat64()
				}
				aw, ae := make([]float64, n*c), make([]float64, d.size())
				most, mostT := 0.0, 0.0
				for i := range gates {
					for row := range n {
						if !g.On(row, i) {
							continue
						}
						for j := range c {
							for k, v := range x.Row(row) {
								at := d.at(j, i) + panel*k
								aw[row*c+j] += float64(v) * w[at]
								ae[at] += float64(v) * e[row*c+j]
							}
						}
					}
				}
				for _, v := range aw {
					most = max(most, math.Abs(v))
				}
				for _, v := range ae {
					mostT = max(mostT, math.Abs(v))
				}
				check := func(f func(dst []float64, s float64, v []float64), v, want []float64, tolerance float64) {
					dst := make([]float64, len(want))
					for i := range dst {
						dst[i] = 1
					}
					f(dst, -2, v)
					for i := range dst {
						require.InDelta(t, 1-2*want[i], dst[i], tolerance)
					}
				}
				check(d.forwardExact, w, aw, 1e-13*(1+most)*10)
				check(d.adjointExact, e, ae, 1e-13*(1+mostT)*10)
				check(d.forward, w, aw, 1e-5*(1+most))
				check(d.adjoint, e, ae, 1e-5*(1+mostT))
				check(d.forward, w, aw, 1e-5*(1+most)) // with memory that was used
				check(d.adjoint, e, ae, 1e-5*(1+mostT))
			}
		}
	}
}

func TestAxes(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, m := range []int{1, 2, 5, 40} {
		x := random(r, 60, m)
		for i := range 60 {
			x.Row(i)[m-1] = x.Row(i)[0] * 3 // rank m−1
		}
		a := newAxes(kernel.Kernel{}, x)
		for i := range m {
			for j := range m {
				want, got, orthogonal := 0.0, 0.0, 0.0
				for k := range 60 {
					want += float64(x.Row(k)[i]) * float64(x.Row(k)[j]) / 60
				}
				for k := range m {
					got += a.v[i*m+k] * a.d[k] * a.v[j*m+k]
					orthogonal += a.v[k*m+i] * a.v[k*m+j]
				}
				require.InDelta(t, want, got, 1e-12)
				if i == j {
					orthogonal--
				}
				require.InDelta(t, 0, orthogonal, 1e-13)
			}
		}
		z := a.rotate(kernel.Kernel{}, x)
		for i := range 60 {
			for j := range m {
				want := 0.0
				for k, v := range x.Row(i) {
					want += float64(v) * a.v[k*m+j]
				}
				require.InDelta(t, want, z.Row(i)[j], 1e-5)
			}
		}
	}
}

// The proximal operator in the metric: no random point near it has a lower value.
func TestShrink(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	const m, c, gates = 5, 2, 40
	d := newDesign(kernel.Kernel{}, 1, kernel.NewMatrix(1, m), newGates(1, gates, m), c)
	q := metric{3, 1e-6, 0.5, 20, 1}
	w := make([]float64, d.size())
	for j := range c {
		for i := range gates {
			for k := range m {
				w[d.at(j, i)+panel*k] = r.NormFloat64() * math.Pow(10, float64(i%7-3))
			}
		}
	}
	w[d.at(0, 3)] = 0
	const tau = 1.3
	u := append([]float64(nil), w...)
	q.shrink(d, u, tau, make([]float64, panel*m))
	value := func(u []float64, i int) float64 {
		f := tau * d.norm(u, i)
		for j := range c {
			for k, s := range q {
				e := u[d.at(j, i)+panel*k] - w[d.at(j, i)+panel*k]
				f += s * e * e / 2
			}
		}
		return f
	}
	zeros := 0
	for i := range gates {
		best := value(u, i)
		if d.norm(u, i) == 0 {
			zeros++
		}
		for _, size := range []float64{1e-8, 1e-4, 1e-2, 1, 100} {
			for range 40 {
				v := append([]float64(nil), u...)
				for j := range c {
					for k := range m {
						v[d.at(j, i)+panel*k] += size * r.NormFloat64()
					}
				}
				require.GreaterOrEqual(t, value(v, i), best*(1-1e-14))
			}
		}
	}
	require.Greater(t, zeros, 3)
	require.Less(t, zeros, gates-3)
}

// Results have the same bits for any number of workers and every implementation.
func TestBits(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	x, y := random(r, 1300, 4), random(r, 1300, 2)
	for i := range y.Rows {
		y.Row(i)[0] += x.Row(i)[1] * x.Row(i)[2]
	}
	var want, wantUnits []float32
	for _, k := range kernel.Available() {
		if testing.Short() && k.Name() == "generic" {
			continue
		}
		for _, workers := range []int{1, 2, 3, 7} {
			if workers > 2 && k.Name() == "generic" {
				continue
			}
			f, err := Fit(context.Background(), Data{x, y}, nil, Config{Settings: Settings{Kernel: k, Workers: workers},
				Gates: 40, Width: 10, Lambdas: []float64{0.1}, Each: Options{Iterations: 40, Tolerance: 1e-9}})
			require.NoError(t, err)
			got := append(append([]float32(nil), f.Readout.Data...), f.Offset...)
			if want == nil {
				want, wantUnits = got, f.W.Data
			}
			require.Equal(t, want, got, "%s, %d workers", k.Name(), workers)
			require.Equal(t, wantUnits, f.W.Data)
			require.Equal(t, 40, f.Path[0].Iterations)
		}
	}
}

// Tightened bounds are bounds: none exceeds the optimum, which a long solve brackets; and they
// are what gets the gap down early.
func TestTighten(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of iterations")
	}
	x, y := grade2()
	p, err := NewProblem(x, y, SampleGates(x, 96, kernel.Matrix{}, 1), Settings{})
	require.NoError(t, err)
	lambda := 1e-2 * p.LambdaMax()
	best, err := p.Gated(context.Background(), lambda, nil, Options{Tolerance: 1e-8, Iterations: 30000})
	require.NoError(t, err)
	require.LessOrEqual(t, best.Relative(), 1e-8)
	better := 0
	for _, iterations := range []int{30, 150, 350, 650, 1250} {
		s, err := p.Gated(context.Background(), lambda, nil, Options{Tolerance: 1e-12, Iterations: iterations})
		require.NoError(t, err)
		plain := &Gated{Certificate: p.certificate(lambda), problem: p, offset: make([]float64, 1)}
		plain.Primal = math.Inf(1)
		d := p.exact.own()
		r, g := make([]float64, x.Rows), make([]float64, d.size())
		p.certify(plain, d, s.w, r, g)
		bound := plain.Dual
		for _, hold := range []bool{false, true} {
			p.tighten(plain, d, s.w, r, g, hold)
			require.GreaterOrEqual(t, plain.Dual, bound)
			require.LessOrEqual(t, plain.Dual, best.Primal+1e-12*p.zero)
		}
		if best.Primal-plain.Dual < 0.5*(best.Primal-bound) {
			better++
		}
	}
	require.GreaterOrEqual(t, better, 3)
}

func TestSolveSemidefinite(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	const n = 9
	b := random(r, 20, n)
	for i := range 20 {
		b.Row(i)[4] = b.Row(i)[2] // singular
	}
	a, want := make([]float64, n*n), make([]float64, n)
	kernel.Kernel{}.Cross(a, b, b)
	for i := range n {
		for j := range n {
			want[i] += a[i*n+j] * float64(j+1)
		}
	}
	x := solveSemidefinite(append([]float64(nil), a...), want)
	require.Zero(t, x[4])
	for i := range n {
		require.InDelta(t, want[i], dot(a[i*n:(i+1)*n], x), 1e-9)
	}
}
