package convex

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

func TestReLUAgreesWithInteriorPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x, y := random(r, 30, 3), random(r, 30, 1)
	g := SampleGates(x, 12, kernel.Matrix{}, 1)
	const lambda = 0.02
	want, _ := newNaive(x, y, g).program(x, g, lambda, true).solve(t)
	gated, _ := newNaive(x, y, g).program(x, g, lambda, false).solve(t)
	require.Greater(t, want, gated) // the cones cost something here
	p, err := NewProblem(x, y, g, Settings{})
	require.NoError(t, err)
	s, err := p.ReLU(context.Background(), lambda, nil, Options{Tolerance: 1e-9, Iterations: 20000})
	require.NoError(t, err)
	require.LessOrEqual(t, s.Relative(), 1e-9)
	require.LessOrEqual(t, s.Violation, 1e-8)
	require.InDelta(t, want, s.Primal, 1e-8)
	require.LessOrEqual(t, s.Dual, want+1e-10)
	require.Equal(t, ForGates, s.Scope)
	requireNetwork(t, s, x, y)
	// From there it is one look.
	again, err := p.ReLU(context.Background(), lambda, s, Options{Tolerance: 1e-9})
	require.NoError(t, err)
	require.Zero(t, again.Iterations)
	require.InDelta(t, s.Primal, again.Primal, 1e-12)
}

// requireNetwork holds the objective of s against that of its network in plain loops: once as
// units of any scale, λ·Σ‖V‖, and once as weight decay of the balanced network.
func requireNetwork(t *testing.T, s *ReLU, x, y kernel.Matrix) {
	t.Helper()
	g := s.Grade()
	n, c := x.Rows, y.Cols
	loss, decay := 0.0, 0.0
	for i := range n {
		for j := range c {
			out := float64(g.Offset[j])
			for u := range g.Width() {
				z := float64(g.Bias[u])
				for k, v := range x.Row(i) {
					z += float64(g.W.Row(k)[u]) * float64(v)
				}
				out += max(z, 0) * float64(g.Readout.Row(u)[j])
			}
			e := float64(y.Row(i)[j]) - out
			loss += e * e / float64(2*n)
		}
	}
	for u := range g.Width() {
		decay += float64(g.Bias[u]) * float64(g.Bias[u])
		for k := range x.Cols {
			decay += float64(g.W.Row(k)[u]) * float64(g.W.Row(k)[u])
		}
		for _, v := range g.Readout.Row(u) {
			decay += float64(v) * float64(v)
		}
	}
	require.InDelta(t, s.Primal, loss+s.Lambda/2*decay, 1e-5*s.Zero) // the grade is float32
}

// The ReLU program of several outputs is one for each of them.
func TestReLUOutputs(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x, y := random(r, 60, 3), random(r, 60, 3)
	for _, g := range []*Gates{SampleGates(x, 16, kernel.Matrix{}, 1), EnumerateGates(x.ColRange(0, 1))} {
		x := x
		if g.Complete() {
			x = x.ColRange(0, 1)
		}
		p, err := NewProblem(x, y, g, Settings{})
		require.NoError(t, err)
		lambda := 0.2 * p.LambdaMax()
		seen := 0
		all, err := p.ReLU(context.Background(), lambda, nil, Options{Tolerance: 1e-6, Iterations: 100000, Progress: func(c Certificate) {
			seen++
			if g.Complete() { // else the network may beat the best one on these gates
				require.LessOrEqual(t, c.Dual, c.Primal+1e-12)
			}
			require.GreaterOrEqual(t, c.Iterations, 0)
		}})
		require.NoError(t, err)
		require.Greater(t, seen, 3)
		requireNetwork(t, all, x, y)
		primal, bound := 0.0, 0.0
		for j := range 3 {
			q, err := NewProblem(x, y.ColRange(j, j+1), g, Settings{})
			require.NoError(t, err)
			one, err := q.ReLU(context.Background(), lambda, nil, Options{Tolerance: 1e-6, Iterations: 100000})
			require.NoError(t, err)
			primal, bound = primal+one.Primal, bound+one.Dual
		}
		require.InDelta(t, primal, all.Primal, 1e-12)
		require.InDelta(t, bound, all.Dual, 1e-12)
	}
}

// Patterns by trying: every vector of the arrangement's faces, for signs and thresholds at and
// between the values.
func patternsOfOneColumn(x kernel.Matrix) map[string]bool {
	set := make(map[string]bool)
	var at []float64
	for i := range x.Rows {
		v := float64(x.Row(i)[0])
		at = append(at, v, v-1e-4, v+1e-4)
	}
	for _, w := range []float64{-1, 0, 1} {
		for _, threshold := range at {
			p := make([]byte, x.Rows)
			for i := range p {
				z := w * (float64(x.Row(i)[0]) - threshold)
				if w == 0 {
					z = 1
				}
				p[i] = '0'
				if z >= 0 {
					p[i] = '1'
				}
			}
			set[string(p)] = true
		}
	}
	return set
}

func TestEnumerationIsComplete(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for n := 1; n <= 9; n++ {
		for _, distinct := range []int{1, 3, 100} {
			x := kernel.NewMatrix(n, 1)
			for i := range n {
				x.Data[i] = float32(r.IntN(distinct)) / 8
			}
			g := EnumerateGates(x)
			require.True(t, g.Complete())
			got := make(map[string]bool)
			for i := range g.Len() {
				p := make([]byte, n)
				for row := range p {
					p[row] = '0'
					if g.On(row, i) {
						p[row] = '1'
					}
					u, b := g.Unit(i)
					require.Equal(t, g.On(row, i), u[0]*x.Data[row]+b >= 0)
				}
				require.False(t, got[string(p)])
				got[string(p)] = true
			}
			want := patternsOfOneColumn(x)
			empty := make([]byte, n)
			for i := range empty {
				empty[i] = '0'
			}
			delete(want, string(empty))
			require.Equal(t, want, got)
		}
	}
}

func TestLineAgreesWithInteriorPoints(t *testing.T) {
	for _, n := range []int{2, 5, 12} {
		x, y := steps(n)
		x.Data[n-1] = x.Data[0] // a value twice
		g := EnumerateGates(x)
		plain := newNaive(x, y, g)
		for _, lambda := range []float64{0.002, 0.02} {
			program := plain.program(x, g, lambda, true)
			want, _ := program.solve(t)
			p, err := NewProblem(x, y, g, Settings{})
			require.NoError(t, err)
			s, err := p.ReLU(context.Background(), lambda, nil, Options{Tolerance: 1e-8, Iterations: 200000})
			require.NoError(t, err)
			require.Equal(t, Global, s.Scope)
			require.LessOrEqual(t, s.Relative(), 1e-8)
			require.InDelta(t, want, s.Primal, 1e-8)
			require.InDelta(t, want, s.Dual, 1e-8)
			requireNetwork(t, s, x, y)
		}
	}
}

// The same program by the general method, which does not know that the cones are wedges.
func TestLineAgreesWithLagrangian(t *testing.T) {
	x, y := steps(12)
	g := EnumerateGates(x)
	p, err := NewProblem(x, y, g, Settings{})
	require.NoError(t, err)
	lambda := 0.1 * p.LambdaMax()
	a, err := p.ReLU(context.Background(), lambda, nil, Options{Tolerance: 1e-9, Iterations: 100000})
	require.NoError(t, err)
	general := *g
	general.complete = false
	q, err := NewProblem(x, y, &general, Settings{})
	require.NoError(t, err)
	b, err := q.ReLU(context.Background(), lambda, nil, Options{Tolerance: 1e-7, Iterations: 30000})
	require.NoError(t, err)
	require.Equal(t, Global, a.Scope)
	require.Equal(t, ForGates, b.Scope)
	require.InDelta(t, a.Primal, b.Primal, 1e-6*a.Zero)
	require.LessOrEqual(t, b.Dual, a.Primal+1e-10)
}

// No network at all, trained or random, is below the global bound.
func TestGlobalBound(t *testing.T) {
	x, y := steps(40)
	p, err := NewProblem(x, y, EnumerateGates(x), Settings{})
	require.NoError(t, err)
	lambda := 0.02 * p.LambdaMax()
	s, err := p.ReLU(context.Background(), lambda, nil, Options{Tolerance: 1e-6, Iterations: 200000})
	require.NoError(t, err)
	require.LessOrEqual(t, s.Relative(), 1e-6)
	objective := func(units []unit) float64 {
		e := append([]float64(nil), p.y...)
		f := 0.0
		for _, u := range units {
			f += lambda * math.Sqrt(inner(u.v, u.v))
			for i := range e {
				e[i] -= u.sign * max(0, u.v[0]*float64(x.Data[i])+u.v[1])
			}
		}
		centre(e, 1)
		return f + inner(e, e)/float64(2*len(e))
	}
	require.InDelta(t, s.Primal, objective(s.units), 1e-12)
	r := rand.New(rand.NewPCG(4, 4))
	for _, size := range []float64{1e-5, 1e-3, 0.1} {
		for range 200 {
			var units []unit
			for _, u := range s.units {
				units = append(units, unit{0, u.sign, []float64{u.v[0] + size*r.NormFloat64(), u.v[1] + size*r.NormFloat64()}})
			}
			units = append(units, unit{0, 1, []float64{size * r.NormFloat64(), size * r.NormFloat64()}})
			require.GreaterOrEqual(t, objective(units), s.Dual)
		}
	}
}

func TestReLUZero(t *testing.T) {
	x, y := steps(30)
	r := rand.New(rand.NewPCG(5, 5))
	wide := random(r, 30, 4)
	constant := kernel.NewMatrix(30, 1)
	for _, q := range []struct {
		x kernel.Matrix
		g *Gates
	}{{x, EnumerateGates(x)}, {wide, SampleGates(wide, 20, kernel.Matrix{}, 1)}, {constant, EnumerateGates(constant)}} {
		p, err := NewProblem(q.x, y, q.g, Settings{})
		require.NoError(t, err)
		s, err := p.ReLU(context.Background(), max((1+1e-9)*p.LambdaMax(), 1e-6), nil, Options{})
		require.NoError(t, err)
		require.Zero(t, s.Gap())
		require.Zero(t, s.Iterations)
		require.Zero(t, s.Grade().Width())
		require.Equal(t, s.Zero, s.Primal)
	}
}

func TestReLUCancelled(t *testing.T) {
	x, y := steps(60)
	r := rand.New(rand.NewPCG(6, 6))
	wide := random(r, 60, 4)
	for _, q := range []struct {
		x kernel.Matrix
		g *Gates
	}{{x, EnumerateGates(x)}, {wide, SampleGates(wide, 20, kernel.Matrix{}, 1)}} {
		p, err := NewProblem(q.x, y, q.g, Settings{})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		s, err := p.ReLU(ctx, 1e-2*p.LambdaMax(), nil, Options{Tolerance: 1e-12, Progress: func(Certificate) {
			if calls++; calls == 4 {
				cancel()
			}
		}})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 4, calls)
		require.NotZero(t, s.Grade().Width())
		requireNetwork(t, s, q.x, y)
	}
}

// A wedge's projection is nearer than any other of its points, and lies in it.
func TestWedge(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 300 {
		c := wedge{[2]float64{r.NormFloat64(), r.NormFloat64()}, [2]float64{r.NormFloat64(), r.NormFloat64()}}
		x, y := r.NormFloat64(), r.NormFloat64()
		px, py := c.project(x, y)
		require.GreaterOrEqual(t, c.a[0]*px+c.a[1]*py, -1e-12)
		require.GreaterOrEqual(t, c.b[0]*px+c.b[1]*py, -1e-12)
		nearest := math.Hypot(px-x, py-y)
		for range 200 {
			qx, qy := px+r.NormFloat64(), py+r.NormFloat64()
			if c.a[0]*qx+c.a[1]*qy >= 0 && c.b[0]*qx+c.b[1]*qy >= 0 {
				require.GreaterOrEqual(t, math.Hypot(qx-x, qy-y), nearest-1e-12)
			}
		}
	}
}

// What the augmented Lagrangian has more at a step's end than its tangent at the start, term by
// term, is the difference of its values; the gradient is right, or it would not be.
func TestLagrangianStep(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	const n, delta, lambda = 40, 2.0, 1e-3
	x, y := random(r, n, 3), random(r, n, 1)
	g := SampleGates(x, 9, kernel.Matrix{}, 1)
	p, err := NewProblem(x, y, g, Settings{})
	require.NoError(t, err)
	d := p.exact.own()
	f := &lagrangian{design: d, y: p.y, axes: p.axes, metric: p.metric, lambda: lambda, delta: delta,
		g: make([]float64, 2*d.size()), diff: make([]float64, 2*d.size()), scratch: make([]float64, panel*d.x.Cols),
		weights: make([]float64, d.size()), rows: make([]float64, d.x.Cols*g.Len())}
	for i := range g.Len() {
		f.all = append(f.all, i)
	}
	for h := range f.mu {
		for range n * g.Len() {
			f.mu[h] = append(f.mu[h], max(0, r.NormFloat64()))
		}
	}
	v, next := newPoint(2*d.size(), 2*n*g.Len()+n), newPoint(2*d.size(), 2*n*g.Len()+n)
	for h := range signs {
		for i := range g.Len() {
			for k := range 4 {
				f.half(v.x, h)[d.at(0, i)+panel*k] = r.NormFloat64()
			}
		}
	}
	f.linear(v.image, v.x)
	for i, e := range p.y {
		f.residual(v.image)[i] += e
	}
	centre(f.residual(v.image), 1)
	seen := [4]int{}
	value := func(q point) float64 {
		e := f.residual(q.image)
		sum := inner(e, e) / (2 * n)
		for h := range signs {
			for at, z := range f.products(q.image, h) {
				m := max(0, f.mu[h][at]-delta*f.side(at/g.Len(), at%g.Len())*z)
				sum += m * m / (2 * delta)
			}
		}
		return sum
	}
	f.slope(v)
	bend, length := f.step(next, v, 0.1) // a long step, past many kinks
	for h := range signs {
		for at, z := range f.products(v.image, h) {
			side := f.side(at/g.Len(), at%g.Len())
			a, b := f.mu[h][at]-delta*side*z, f.mu[h][at]-delta*side*f.products(next.image, h)[at]
			kind := 0
			if a > 0 {
				kind = 1
			}
			if b > 0 {
				kind += 2
			}
			seen[kind]++
		}
	}
	for _, count := range seen {
		require.Greater(t, count, 3)
	}
	require.InDelta(t, 2*(value(next)-value(v)+inner(f.g, f.diff)), bend, 1e-10*value(v))
	require.InDelta(t, p.metric.inner(f.diff, f.diff), length, 1e-12*length)
}
