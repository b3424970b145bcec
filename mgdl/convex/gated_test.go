package convex

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

func TestGatedAgreesWithInteriorPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, lambda := range []float64{0.02, 0.1} {
		x, y := random(r, 30, 3), random(r, 30, 1)
		g := SampleGates(x, 12, kernel.Matrix{}, 1)
		require.Equal(t, 12, g.Len())
		want, _ := newNaive(x, y, g).program(x, g, lambda, false).solve(t)
		p, err := NewProblem(x, y, g, Settings{})
		require.NoError(t, err)
		s, err := p.Gated(context.Background(), lambda, nil, Options{Tolerance: 1e-10})
		require.NoError(t, err)
		require.LessOrEqual(t, s.Relative(), 1e-10)
		require.InDelta(t, want, s.Primal, 1e-8)
		require.InDelta(t, want, s.Dual, 1e-8)
		require.Equal(t, ForGates, s.Scope)
	}
}

// Every certificate on the way is what plain float64 loops find at the solution, and weak
// duality holds.
func TestCertificatesAreHonest(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	wide := random(r, 10, 40) // fewer rows than inputs
	constant := random(r, 150, 5)
	twice := random(r, 140, 4)
	huge := random(r, 60, 3)
	for i := range constant.Rows {
		constant.Row(i)[2] = 0.7
		constant.Row(i)[4] = constant.Row(i)[0]
	}
	for i := range twice.Rows {
		copy(twice.Row(i), twice.Row(i%20))
	}
	for i := range huge.Data {
		huge.Data[i] *= 1e5
	}
	for name, x := range map[string]kernel.Matrix{"tall": random(r, 300, 6), "wide": wide, "constant": constant, "duplicates": twice, "huge": huge, "one row": random(r, 1, 2)} {
		for _, outputs := range []int{1, 3} {
			y := random(r, x.Rows, outputs)
			g := SampleGates(x, 70, kernel.Matrix{}, 5)
			p, err := NewProblem(x, y, g, Settings{})
			require.NoError(t, err)
			plain := newNaive(x, y, g)
			var last *Gated
			for _, share := range []float64{2, 1, 0.3, 0.03} {
				lambda := share * p.LambdaMax()
				least := math.Inf(1)
				s, err := p.Gated(context.Background(), max(lambda, 1e-3), last, Options{Tolerance: 1e-4, Iterations: 400, Progress: func(c Certificate) {
					require.GreaterOrEqual(t, c.Primal-c.Dual, -1e-12*c.Zero, name)
					require.LessOrEqual(t, c.Primal, least)
					least = c.Primal
				}})
				require.NoError(t, err)
				primal, bound := plain.evaluate(s, s.Lambda)
				require.InDelta(t, primal, s.Primal, 1e-11*(s.Zero+primal), name)
				require.GreaterOrEqual(t, s.Dual, bound-1e-11*s.Zero, name)
				require.GreaterOrEqual(t, s.Primal, bound-1e-11*s.Zero, name)
				if share >= 1 {
					require.Empty(t, s.Active(), name)
					require.Zero(t, s.Iterations)
					require.Zero(t, s.Gap())
				} else if x.Rows > 1 {
					require.LessOrEqual(t, s.Relative(), 3e-2, name)
					require.NotEmpty(t, s.Active())
				}
				last = s
			}
		}
	}
}

// No other coefficients have a lower objective than the dual bound: random ones, and the
// solution moved a little.
func TestWeakDuality(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	x, y := random(r, 80, 4), random(r, 80, 2)
	g := SampleGates(x, 20, kernel.Matrix{}, 2)
	p, err := NewProblem(x, y, g, Settings{})
	require.NoError(t, err)
	lambda := 0.1 * p.LambdaMax()
	s, err := p.Gated(context.Background(), lambda, nil, Options{Tolerance: 1e-9})
	require.NoError(t, err)
	plain := newNaive(x, y, g)
	for _, size := range []float64{1e-6, 1e-3, 0.1, 1} {
		for range 20 {
			moved := *s
			moved.w = append([]float64(nil), s.w...)
			for i := range g.Len() {
				for j := range 2 {
					for k := range 5 {
						moved.w[p.exact.at(j, i)+panel*k] += size * r.NormFloat64()
					}
				}
			}
			primal, _ := plain.evaluate(&moved, lambda)
			require.GreaterOrEqual(t, primal, s.Dual)
		}
	}
}

func TestPathIsWarm(t *testing.T) {
	x, y := grade2()
	p, err := NewProblem(x, y, SampleGates(x, 64, kernel.Matrix{}, 1), Settings{})
	require.NoError(t, err)
	a, err := p.Gated(context.Background(), 0.1*p.LambdaMax(), nil, Options{})
	require.NoError(t, err)
	cold, err := p.Gated(context.Background(), 0.09*p.LambdaMax(), nil, Options{})
	require.NoError(t, err)
	warm, err := p.Gated(context.Background(), 0.09*p.LambdaMax(), a, Options{})
	require.NoError(t, err)
	require.Less(t, warm.Iterations, cold.Iterations)
	q, err := NewProblem(x, y, SampleGates(x, 64, kernel.Matrix{}, 1), Settings{})
	require.NoError(t, err)
	require.Panics(t, func() { _, _ = q.Gated(context.Background(), 1, a, Options{}) })
}

// The features of an earlier ReLU grade are strongly correlated; the gap gets there all the
// same.
func TestGapOnCorrelatedFeatures(t *testing.T) {
	x, y := grade2()
	gates, shares := 128, []float64{1e-1, 1e-2, 1e-3}
	if testing.Short() {
		gates, shares = 32, shares[:2]
	}
	p, err := NewProblem(x, y, SampleGates(x, gates, kernel.Matrix{}, 1), Settings{})
	require.NoError(t, err)
	require.Greater(t, p.axes.d[argmax(p.axes.d)], 1e4*p.axes.d[argmin(p.axes.d)])
	for _, share := range shares {
		s, err := p.Gated(context.Background(), share*p.LambdaMax(), nil, Options{Tolerance: 1e-3, Iterations: 3000})
		require.NoError(t, err)
		require.LessOrEqual(t, s.Relative(), 1e-3)
	}
	if testing.Short() {
		return
	}
	// In the plain metric it takes longer.
	plain := *p
	plain.metric = slices.Repeat(metric{1}, len(p.metric))
	in, err := p.Gated(context.Background(), 1e-3*p.LambdaMax(), nil, Options{Tolerance: 1e-5})
	require.NoError(t, err)
	out, err := plain.Gated(context.Background(), 1e-3*p.LambdaMax(), nil, Options{Tolerance: 1e-5})
	require.NoError(t, err)
	require.InDelta(t, in.Primal, out.Primal, 2e-5*in.Zero)
	require.Greater(t, float64(out.Iterations), 1.15*float64(in.Iterations))
}

// grade2 returns a column and 16 standardised random hinges of it, and what a sum of sines
// leaves over of their least-squares fit, roughly.
func grade2() (x, y kernel.Matrix) {
	const n, width = 256, 16
	r := rand.New(rand.NewPCG(4, 4))
	x, y = kernel.NewMatrix(n, 1+width), kernel.NewMatrix(n, 1)
	for i := range n {
		v := 2*r.Float64() - 1
		x.Row(i)[0] = float32(v)
		y.Data[i] = float32(math.Sin(9*v) + math.Sin(17*v+1))
	}
	for u := range width {
		sign, at := float32(1-2*(u%2)), x.Row(r.IntN(n))[0]
		sum, square := 0.0, 0.0
		for i := range n {
			v := max(0, sign*(x.Row(i)[0]-at))
			x.Row(i)[1+u] = v
			sum += float64(v)
			square += float64(v) * float64(v)
		}
		mean := sum / n
		deviation := math.Sqrt(max(square/n-mean*mean, 1e-6))
		for i := range n {
			x.Row(i)[1+u] = float32((float64(x.Row(i)[1+u]) - mean) / deviation)
		}
	}
	return x, y
}

func argmax(x []float64) (best int) {
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func argmin(x []float64) (best int) {
	for i, v := range x {
		if v < x[best] {
			best = i
		}
	}
	return best
}

func TestZeroTargets(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	x := random(r, 40, 3)
	y := kernel.NewMatrix(40, 2)
	for i := range y.Rows {
		y.Row(i)[0], y.Row(i)[1] = 2, -3 // constants are zero, too: the intercept has them
	}
	p, err := NewProblem(x, y, SampleGates(x, 20, kernel.Matrix{}, 1), Settings{})
	require.NoError(t, err)
	require.Zero(t, p.LambdaMax())
	s, err := p.Gated(context.Background(), 1, nil, Options{})
	require.NoError(t, err)
	require.Zero(t, s.Gap())
	require.Zero(t, s.Relative())
	require.Empty(t, s.Active())
	require.Equal(t, []float64{2, -3}, s.Offset())
}

func TestBadArguments(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	x, y := random(r, 20, 3), random(r, 20, 1)
	g := SampleGates(x, 10, kernel.Matrix{}, 1)
	nan := random(r, 20, 3)
	nan.Row(7)[2] = float32(math.NaN())
	_, err := NewProblem(nan, y, g, Settings{})
	require.ErrorContains(t, err, "input 2 of row 7 is NaN")
	inf := random(r, 20, 1)
	inf.Data[19] = float32(math.Inf(-1))
	_, err = NewProblem(x, inf, g, Settings{})
	require.ErrorContains(t, err, "target 0 of row 19 is -Inf")
	_, err = NewProblem(x, random(r, 19, 1), g, Settings{})
	require.ErrorContains(t, err, "20 rows of inputs and 19 of targets")
	_, err = NewProblem(x.RowRange(0, 10), y.RowRange(0, 10), g, Settings{})
	require.ErrorContains(t, err, "10 gates of 20 rows for 10 rows")
	_, err = NewProblem(kernel.Matrix{}, kernel.Matrix{}, g, Settings{})
	require.Error(t, err)
	p, err := NewProblem(x, y, g, Settings{})
	require.NoError(t, err)
	for _, lambda := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err = p.Gated(context.Background(), lambda, nil, Options{})
		require.ErrorContains(t, err, "is not above 0")
		_, err = p.ReLU(context.Background(), lambda, nil, Options{})
		require.ErrorContains(t, err, "is not above 0")
	}
}

func TestCancelled(t *testing.T) {
	x, y := grade2()
	p, err := NewProblem(x, y, SampleGates(x, 64, kernel.Matrix{}, 1), Settings{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	s, err := p.Gated(ctx, 1e-3*p.LambdaMax(), nil, Options{Tolerance: 1e-9, Progress: func(Certificate) {
		if calls++; calls == 3 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 3, calls)
	require.Equal(t, 30, s.Iterations)
	require.NotEmpty(t, s.Active())
	require.Less(t, s.Primal, s.Zero)
	primal, _ := newNaive(x, y, p.exact.gates).evaluate(s, s.Lambda)
	require.InDelta(t, primal, s.Primal, 1e-11)
	// Before the first iteration, too.
	s, err = p.Gated(ctx, 1e-3*p.LambdaMax(), nil, Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, s.Zero, s.Primal)
}
