package construct

import (
	"bytes"
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
)

// The model is within Bound + Rounding of f everywhere, each prefix within Accumulation of the scheme's at points that
// float32 holds, and residuals fall but for that.
func TestModelPredictsTheScheme(t *testing.T) {
	ctx := context.Background()
	rows, prefixes := 320, 40
	if testing.Short() { // emulators and portable kernels
		rows, prefixes = 64, 8
	}
	for _, c := range samples() {
		if testing.Short() {
			c.o.Eps *= 4
		}
		s := build(t, c)
		for _, hats := range []int{0, 3} {
			if hats == 0 {
				hats = s.HatsPerGrade()
			}
			if s.count(hats) > 1000 {
				continue // it would take its time
			}
			m, err := s.Model(c.f, hats, nil)
			require.NoError(t, err, c.name)
			infos := m.Grades()
			require.Len(t, infos, s.count(hats))
			params := 0
			loss := math.Inf(1)
			for _, g := range infos {
				params += g.Params
				for _, w := range g.Hidden {
					require.LessOrEqual(t, w, s.Width(hats))
				}
				require.Len(t, g.Hidden, s.dim+1)
				require.LessOrEqual(t, g.TrainLoss, loss, "each grade lowers the loss")
				loss = g.TrainLoss
			}
			require.Equal(t, s.size(hats), params)

			p := m.NewPredictor()
			bound, rounding, accumulation := s.Bound(), s.Rounding(), s.Accumulation()
			r, x := points(1), make([]float64, s.dim)
			all := make([]float64, rows*s.dim)
			fill(r, all)
			for i, got := range p.Predict(nil, all) {
				x := all[i*s.dim:][:s.dim]
				require.InDelta(t, s.At(x), got, rounding, c.name)
				require.LessOrEqual(t, math.Abs(c.f(x)-got), bound+rounding)
			}
			grades := s.Grades(hats)
			for range prefixes {
				for i := range x {
					x[i] = float64(r.IntN(1<<22+1)) / (1 << 22)
				}
				k := r.IntN(len(grades))
				require.InDelta(t, s.After(grades[k], x), p.PredictGrades(nil, x, k+1)[0], accumulation, c.name)
			}
			require.InDelta(t, s.Start(), p.PredictGrades(nil, x, 0)[0], 1e-15)
			check, err := s.CheckModel(ctx, m, hats, c.f, prefixes/2, 1)
			require.NoError(t, err)
			require.Zero(t, check.Violations, "%s rises by %v", c.name, check.Increase)
			require.LessOrEqual(t, check.Sup, bound+rounding)
			inDelta(t, loss, s, c.f)
		}
	}
}

// inDelta compares the last grade's loss with the mean square residual at the sample.
func inDelta(t *testing.T, loss float64, s *Scheme, f Func) {
	t.Helper()
	unit, sum := s.unit(f), 0.0
	s.sample(func(x []float64) {
		d := (f(x) - s.At(x)) / unit
		sum += d * d
	})
	require.InEpsilon(t, sum/samplePoints, loss, 1e-6)
}

// A model of a scheme is a model: it goes through a file, all implementations give the same bits, and beyond the cube it
// has the value of the nearest point.
func TestModelIsAModel(t *testing.T) {
	c := saddle()
	s := build(t, c)
	m, err := s.Model(nil, 0, []string{"u", "v", "height"})
	require.NoError(t, err)
	require.True(t, math.IsNaN(m.Grades()[0].TrainLoss))
	require.Equal(t, "height", m.Schema().Targets[0].Name)
	var file bytes.Buffer
	require.NoError(t, mgdl.WriteFile(t.TempDir()+"/m", m))
	_, err = m.WriteTo(&file)
	require.NoError(t, err)
	back, err := mgdl.ReadModel(&file)
	require.NoError(t, err)
	p, q := m.NewPredictor(), back.NewPredictor()
	generic, ok := kernel.Lookup("generic")
	require.True(t, ok)
	g := m.NewPredictorOn(generic)
	r, x := points(1), make([]float64, 2)
	for range 50 {
		fill(r, x)
		want := p.Predict(nil, x)[0]
		require.Equal(t, want, q.Predict(nil, x)[0])
		require.Equal(t, want, g.Predict(nil, x)[0])
	}
	for _, x := range [][2][]float64{{{-3, 0.25}, {0, 0.25}}, {{0.5, 1.25}, {0.5, 1}}, {{1e300, -1e300}, {1, 0}}, {{-0.1, 7}, {0, 1}}} {
		require.Equal(t, p.Predict(nil, x[1]), p.Predict(nil, x[0]), "%v", x)
	}
	require.InDelta(t, p.Predict(nil, []float64{0.5, 0.5})[0], p.Predict(nil, []float64{math.NaN(), 0.5})[0], 0)
}

func TestModelRefuses(t *testing.T) {
	s := build(t, saddle())
	_, err := s.Model(nil, 1, nil)
	require.ErrorIs(t, err, ErrTooLarge)
	require.ErrorContains(t, err, "at most 4096 and 33554432")
	_, err = s.Model(nil, 1<<20, nil)
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = s.Model(nil, -1, nil)
	require.Error(t, err)
	_, err = s.Model(nil, 0, []string{"a"})
	require.Error(t, err)
	c := waves()
	c.o.First, c.o.Factor, c.o.Eps = 3, 3, 0.1
	_, err = build(t, c).Model(nil, 0, nil)
	require.ErrorContains(t, err, "no power of two")
}

// A check finds what is wrong with a scheme.
func TestCheckCanFail(t *testing.T) {
	c := saddle()
	s := build(t, c)
	good, err := s.Check(context.Background(), c.f, 2000, 1)
	require.NoError(t, err)
	require.Zero(t, good.Violations)
	require.Less(t, good.Sup, s.Bound())
	require.InDelta(t, good.Sup, math.Abs(c.f(good.At)-s.At(good.At)), 0)
	require.InDelta(t, good.Sup, good.Levels[len(good.Levels)-1], 1e-14)
	last := &s.levels[len(s.levels)-1]
	for z := range last.c { // overshoot: three times the residual
		last.c[z] *= 3
	}
	bad, err := s.Check(context.Background(), c.f, 2000, 1)
	require.NoError(t, err)
	require.Greater(t, bad.Violations, 1000)
	require.Positive(t, bad.Increase)
	m, err := s.Model(c.f, 0, nil)
	require.NoError(t, err)
	bad, err = s.CheckModel(context.Background(), m, s.HatsPerGrade(), c.f, 100, 1)
	require.NoError(t, err)
	require.Greater(t, bad.Violations, 30)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Check(ctx, c.f, 10, 1)
	require.ErrorIs(t, err, context.Canceled)
}
