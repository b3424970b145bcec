package convex

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

// The greedy choice against the definition: at each step the unit with which a least-squares
// fit, done anew by elimination, has the smallest error.
func TestChooseIsGreedy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x, y := random(r, 120, 3), random(r, 120, 2)
	units := random(r, 14, 4)
	copy(units.Row(5), units.Row(2)) // the same unit twice
	for k := range 4 {
		units.Row(6)[k] = 3 * units.Row(2)[k] // and three times
	}
	units.Row(7)[3] = -100 // never on
	h := make([][]float64, units.Rows)
	for u := range h {
		for i := range x.Rows {
			z := float64(units.Row(u)[3])
			for k, v := range x.Row(i) {
				z += float64(units.Row(u)[k]) * float64(v)
			}
			h[u] = append(h[u], max(z, 0))
		}
	}
	fit := func(list []int) float64 { // mean squared error
		size := len(list) + 1
		value := func(a, i int) float64 {
			if a == 0 {
				return 1
			}
			return h[list[a-1]][i]
		}
		gram := func() [][]float64 {
			g := make([][]float64, size)
			for a := range g {
				g[a] = make([]float64, size)
				for b := range g[a] {
					for i := range x.Rows {
						g[a][b] += value(a, i) * value(b, i)
					}
				}
				g[a][a] *= 1 + 1e-12
			}
			return g
		}
		sum := 0.0
		for j := range 2 {
			right := make([]float64, size)
			for a := range right {
				for i := range x.Rows {
					right[a] += value(a, i) * float64(y.Row(i)[j])
				}
			}
			w := gauss(gram(), right)
			for i := range x.Rows {
				e := float64(y.Row(i)[j])
				for a := range w {
					e -= w[a] * value(a, i)
				}
				sum += e * e / 240
			}
		}
		return sum
	}
	var list []int
	for width := 1; width <= 6; width++ {
		best, pick := math.Inf(1), -1
		for u := range h {
			if u == 7 || u == 5 || u == 6 {
				continue
			}
			used := false
			for _, v := range list {
				used = used || u == v
			}
			if used {
				continue
			}
			if e := fit(append(append([]int(nil), list...), u)); e < best {
				best, pick = e, u
			}
		}
		list = append(list, pick)
		g, err := Choose(Data{x, y}, nil, units, width, Settings{})
		require.NoError(t, err)
		require.Equal(t, width, g.Width())
		require.InDelta(t, best, g.Loss(kernel.Kernel{}, x, y), 1e-5)
	}
	// All there are: 14 less two copies and one that is never on.
	g, err := Choose(Data{x, y}, nil, units, 100, Settings{})
	require.NoError(t, err)
	require.Equal(t, 11, g.Width())
	// Nothing to choose from: the means.
	g, err = Choose(Data{x, y}, nil, kernel.Matrix{}, 5, Settings{})
	require.NoError(t, err)
	require.Zero(t, g.Width())
	require.Len(t, g.Predict(kernel.Kernel{}, x).Data, 240)
}

// With validation rows the grade is no wider than what helps on these.
func TestChooseValidates(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x, y := random(r, 60, 2), random(r, 60, 1)
	xv, yv := random(r, 60, 2), random(r, 60, 1)
	for _, q := range []struct{ x, y kernel.Matrix }{{x, y}, {xv, yv}} {
		for i := range q.x.Rows {
			q.y.Data[i] = 3*max(0, q.x.Row(i)[0]) + 0.5*q.y.Data[i]
		}
	}
	units := random(r, 40, 3)
	copy(units.Row(30), []float32{1, 0, 0})
	wide, err := Choose(Data{x, y}, nil, units, 40, Settings{})
	require.NoError(t, err)
	g, err := Choose(Data{x, y}, &Data{xv, yv}, units, 40, Settings{})
	require.NoError(t, err)
	require.Less(t, g.Width(), wide.Width())
	require.Positive(t, g.Width())
	require.Less(t, g.Loss(kernel.Kernel{}, xv, yv), wide.Loss(kernel.Kernel{}, xv, yv))
	require.Less(t, wide.Loss(kernel.Kernel{}, x, y), g.Loss(kernel.Kernel{}, x, y))
}

func TestFit(t *testing.T) {
	// Three hinges on a line: a handful of units is found, with a global certificate.
	x, y := kernel.NewMatrix(200, 1), kernel.NewMatrix(200, 1)
	for i := range 200 {
		v := float64(i)/100 - 1
		x.Data[i] = float32(v)
		y.Data[i] = float32(2*math.Max(0, v-0.25) - 3*math.Max(0, v+0.5) + 4*math.Max(0, -v-0.7))
	}
	f, err := Fit(context.Background(), Data{x, y}, nil, Config{Width: 8, Each: Options{Tolerance: 1e-4, Iterations: 50000}})
	require.NoError(t, err)
	require.Len(t, f.Path, 3)
	require.LessOrEqual(t, f.Width(), 8)
	require.Less(t, f.Loss(kernel.Kernel{}, x, y), 1e-3) // of about 1
	for i, s := range f.Path {
		require.Equal(t, Global, s.Scope)
		require.LessOrEqual(t, s.Relative(), 1e-4)
		require.True(t, math.IsNaN(s.ValidLoss))
		require.GreaterOrEqual(t, s.TrainLoss, f.Path[f.Best].TrainLoss)
		if i > 0 {
			require.Less(t, s.Primal, f.Path[i-1].Primal)
		}
	}
	// Several columns, with rows to validate on.
	r := rand.New(rand.NewPCG(3, 3))
	product := func(n int) Data {
		d := Data{random(r, n, 3), kernel.NewMatrix(n, 1)}
		for i := range n {
			d.Y.Data[i] = d.X.Row(i)[0]*d.X.Row(i)[1] + 0.1*float32(r.NormFloat64())
		}
		return d
	}
	train, valid := product(500), product(300)
	for _, relu := range []bool{false, true} {
		cfg := Config{Width: 32, Gates: 60, Seed: 1, ReLU: relu, Each: Options{Iterations: 1000}}
		if relu {
			cfg.Gates, cfg.Lambdas = 20, []float64{0.1}
		}
		f, err = Fit(context.Background(), train, &valid, cfg)
		require.NoError(t, err)
		require.LessOrEqual(t, f.Width(), 32)
		best := f.Path[f.Best]
		require.Equal(t, f.Loss(kernel.Kernel{}, valid.X, valid.Y), best.ValidLoss)
		require.Equal(t, f.Loss(kernel.Kernel{}, train.X, train.Y), best.TrainLoss)
		require.Less(t, best.ValidLoss, 0.15) // of about 1
		for _, s := range f.Path {
			require.GreaterOrEqual(t, s.ValidLoss, best.ValidLoss)
			require.Equal(t, ForGates, s.Scope)
		}
	}
	_, err = Fit(context.Background(), train, &Data{valid.X.ColRange(0, 2), valid.Y}, Config{Gates: 10})
	require.ErrorContains(t, err, "other columns")
	_, err = Fit(context.Background(), train, nil, Config{Lambdas: []float64{-1}})
	require.ErrorContains(t, err, "not above 0")
}

func TestFitCancelled(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	d := Data{random(r, 300, 5), random(r, 300, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	f, err := Fit(ctx, d, nil, Config{Gates: 50, Each: Options{Tolerance: 1e-9, Progress: func(c Certificate) {
		if calls++; calls == 3 {
			cancel()
		}
	}}})
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, f.Path, 1)
	require.Positive(t, f.Width())
	require.Equal(t, 30, f.Path[0].Iterations)
}

func TestFitZeroTargets(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	f, err := Fit(context.Background(), Data{random(r, 50, 3), kernel.NewMatrix(50, 2)}, nil, Config{Gates: 10})
	require.NoError(t, err)
	require.Zero(t, f.Width())
	require.Zero(t, f.Path[0].Gap())
	require.Zero(t, f.Path[0].TrainLoss)
}

func TestSampledGates(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	x := random(r, 200, 4)
	units := random(r, 3, 5)
	g := SampleGates(x, 50, units, 7)
	require.Equal(t, 50, g.Len())
	require.False(t, g.Complete())
	seen := make(map[string]bool)
	for i := range g.Len() {
		u, b := g.Unit(i)
		p := make([]byte, 200)
		for row := range p {
			z := float64(b)
			for k, v := range x.Row(row) {
				z += float64(v) * float64(u[k])
			}
			if math.Abs(z) > 1e-5 {
				require.Equal(t, z > 0, g.On(row, i))
			}
			if g.On(row, i) {
				p[row] = 1
			}
		}
		require.False(t, seen[string(p)])
		seen[string(p)] = true
	}
	u, b := g.Unit(0)
	require.Equal(t, []float32{0, 0, 0, 0}, u)
	require.Equal(t, float32(1), b)
	u, b = g.Unit(1)
	require.Equal(t, units.Row(0)[:4], u)
	require.Equal(t, units.Row(0)[4], b)
	// Few rows have few patterns.
	few := SampleGates(x.RowRange(0, 2), 50, kernel.Matrix{}, 7)
	require.LessOrEqual(t, few.Len(), 3)
	require.Equal(t, 1, SampleGates(kernel.NewMatrix(10, 2), 50, kernel.Matrix{}, 7).Len())
}

// The same bits on every machine: what this program prints here is what it prints everywhere.
func TestGolden(t *testing.T) {
	hash := func(f *Fitted) uint64 {
		h := fnv.New64a()
		for _, part := range [][]float32{f.W.Data, f.Bias, f.Readout.Data, f.Offset} {
			for _, v := range part {
				b := math.Float32bits(v)
				h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
			}
		}
		for _, s := range f.Path {
			for _, v := range []float64{s.Primal, s.Dual, s.LambdaMax, s.TrainLoss} {
				b := math.Float64bits(v)
				for i := range 8 {
					h.Write([]byte{byte(b >> (8 * i))})
				}
			}
		}
		return h.Sum64()
	}
	pcg := rand.NewPCG(8, 8)
	fill := func(m kernel.Matrix) kernel.Matrix {
		for i := range m.Data {
			m.Data[i] = float32(int64(pcg.Uint64()>>40)-1<<23) * 0x1p-22
		}
		return m
	}
	x, y := fill(kernel.NewMatrix(150, 3)), fill(kernel.NewMatrix(150, 2))
	for i := range y.Rows {
		y.Row(i)[0] *= x.Row(i)[1]
	}
	var got []uint64
	for _, cfg := range []Config{{Gates: 20}, {Gates: 6, ReLU: true, Lambdas: []float64{0.3}}} {
		cfg.Width, cfg.Each.Iterations = 8, 50
		f, err := Fit(context.Background(), Data{x, y}, nil, cfg)
		require.NoError(t, err)
		got = append(got, hash(f))
	}
	f, err := Fit(context.Background(), Data{x.ColRange(0, 1), y}, nil, Config{Width: 8, Each: Options{Iterations: 300}})
	require.NoError(t, err)
	got = append(got, hash(f))
	require.Equal(t, []uint64{0x3fba9e4aa2b40903, 0xa7010c0985c40a53, 0x2c61d41f9621dada}, got)
}
