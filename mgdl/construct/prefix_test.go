package construct

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// wiggles is 1-Lipschitz in the largest coordinate difference.
func wiggles(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Abs(math.Sin(7 * v))
	}
	return sum / float64(7*len(x))
}

func same(h float64) float64 { return h }

// T13: each prefix of the interpolants and of the table on meshes N^l is within ω(N^−l).
func TestPrefixRates(t *testing.T) {
	ctx := context.Background()
	n := 200_000
	if testing.Short() {
		n = 20_000
	}
	for _, c := range []struct {
		dim, base, depth int
		pl, table        float64 // of the last prefix, as measured independently
	}{{1, 3, 7, 2.2e-4, 2.3e-4}, {2, 3, 4, 5.0e-3, 5.9e-3}, {3, 2, 5, 1.2e-2, 1.4e-2}} {
		const eta = 0x1p-20
		d, err := NewDigits(ctx, wiggles, c.dim, c.base, c.depth, eta)
		require.NoError(t, err)
		require.Equal(t, c.depth, d.Depth())
		require.LessOrEqual(t, d.Width(), 2*c.dim*c.base+c.dim+2)
		for _, l := range d.stage {
			require.LessOrEqual(t, len(l.w), d.Width())
		}
		s, err := Build(ctx, wiggles, Options{Dim: c.dim, Mode: Interpolate, First: c.base, Factor: c.base,
			Eps: math.Pow(float64(c.base), -float64(c.depth)) * 1.0001, Certificate: Certificate{Modulus: same}})
		require.NoError(t, err)
		require.Len(t, s.levels, c.depth)

		r, x := points(13), make([]float64, c.dim)
		pl, table := make([]float64, c.depth+1), make([]float64, c.depth+1)
		slabs := 0
		for range n {
			fill(r, x)
			want := wiggles(x)
			for l := range c.depth + 1 {
				pl[l] = max(pl[l], math.Abs(want-s.AfterLevel(l-1, x)))
				if v, ok := d.At(l, x); ok {
					table[l] = max(table[l], math.Abs(want-v))
				} else {
					slabs++
				}
			}
		}
		for l := 1; l <= c.depth; l++ {
			edge := math.Pow(float64(c.base), -float64(l))
			require.LessOrEqual(t, pl[l], edge*(1+1e-9), "dim %d, prefix %d", c.dim, l)
			require.LessOrEqual(t, pl[l], s.levels[l-1].Bound+1e-14)
			require.LessOrEqual(t, table[l], edge/2*(1+1e-9), "dim %d, prefix %d", c.dim, l)
		}
		if !testing.Short() { // fewer points see less
			require.InEpsilon(t, c.pl, pl[c.depth], 0.1)
			require.InEpsilon(t, c.table, table[c.depth], 0.1)
		}
		require.LessOrEqual(t, float64(slabs)/float64(n), float64(c.depth+1)*(d.Slabs(c.depth)+1e-3))
	}
}

// The index is that of the cell outside of slabs, and inside of them the point says so.
func TestDigits(t *testing.T) {
	cell := func(x []float64) float64 { return x[0] + 10*x[1] }
	const base, depth, eta = 3, 4, 0x1p-10
	d, err := NewDigits(context.Background(), cell, 2, base, depth, eta)
	require.NoError(t, err)
	r, x, blurred := points(1), make([]float64, 2), 0
	const n = 20_000
	for i := range n {
		fill(r, x)
		if i < 9 {
			x[0], x[1] = float64(i%3)/2, float64(i/3)/2 // corners and ends
		}
		for l := range depth + 1 {
			scale := math.Pow(base, float64(l))
			y := []float64{(min(math.Floor(x[0]*scale), scale-1) + 0.5) / scale, (min(math.Floor(x[1]*scale), scale-1) + 0.5) / scale}
			got, ok := d.At(l, x)
			if ok {
				require.InDelta(t, cell(y), got, 1e-12, "prefix %d at %v", l, x)
			} else if l == depth {
				blurred++
			}
		}
	}
	share := float64(blurred) / n
	require.Greater(t, share, 0.0)
	require.LessOrEqual(t, share, d.Slabs(depth)*1.5)
	for _, bad := range []float64{0.3, 1, 0, -0.5, 0x1p-31} {
		_, err := NewDigits(context.Background(), cell, 2, 3, 2, bad)
		require.ErrorContains(t, err, "eta")
	}
	_, err = NewDigits(context.Background(), cell, 3, 4, 9, 0.5)
	require.ErrorContains(t, err, "4^27")
	_, err = NewDigits(context.Background(), cell, 0, 4, 9, 0.5)
	require.Error(t, err)
	_, err = NewDigits(context.Background(), func([]float64) float64 { return math.NaN() }, 1, 4, 2, 0.5)
	require.ErrorContains(t, err, "NaN")
}

// T13: the error of the tent cascade is 4^−(l+1), to 1e-5 up to l = 15.
func TestTentCascade(t *testing.T) {
	for l := range 16 {
		most := 0.0
		for k := range 1 << 12 { // middles of intervals of the mesh of prefix l, where the error is largest
			x := (float64(k%(1<<min(l, 12))) + 0.5) / float64(int(1)<<l)
			most = max(most, math.Abs(x*x-Square(l, x)))
		}
		require.InDelta(t, 1, most*math.Pow(4, float64(l+1)), 1e-5, "prefix %d", l)
	}
	r := points(1)
	for range 20_000 {
		x := r.Float64()
		for l := range 20 {
			d := Square(l, x) - x*x
			require.True(t, d >= -1e-15 && d <= math.Pow(4, -float64(l+1))+1e-15)
		}
	}
	teeth := make([]float64, 4)
	Tent(teeth, 0.3)
	require.InDeltaSlice(t, []float64{0.3, 0.6, 0.8, 0.4}, teeth, 1e-15)
}

// The cascade as a model: each grade of two neurons divides the error by four.
func TestSquareModel(t *testing.T) {
	const depth = 11
	m, err := SquareModel(depth)
	require.NoError(t, err)
	p := m.NewPredictor()
	for l := 1; l <= depth; l++ {
		most := 0.0
		for k := range 1 << min(l, 9) {
			x := (float64(k) + 0.5) / float64(int(1)<<l)
			got := p.PredictGrades(nil, []float64{x}, l)[0]
			require.InDelta(t, Square(l, x), got, 0x1p-22)
			most = max(most, math.Abs(got-x*x))
		}
		require.InEpsilon(t, math.Pow(4, -float64(l+1)), most, 0.01+math.Pow(4, float64(l+1))*0x1p-22)
	}
	for _, depth := range []int{0, 25} {
		_, err := SquareModel(depth)
		require.Error(t, err)
	}
}

// The readout that least squares find is that of x² where there is one, and the best of its kind elsewhere.
func TestFitCascade(t *testing.T) {
	ctx := context.Background()
	c, err := FitCascade(ctx, func(x float64) float64 { return 2 + 3*x*x - x }, 9)
	require.NoError(t, err)
	for k := range 100 {
		x := float64(k) / 99
		require.InDelta(t, 2+3*x*x-x, c.At(9, x), 3*math.Pow(4, -9))
	}
	deep, err := FitCascade(ctx, math.Sin, 6)
	require.NoError(t, err)
	flat, err := FitCascade(ctx, math.Sin, 2)
	require.NoError(t, err)
	squares := func(c *Cascade, l int) (sum float64) {
		for k := range 1 << 10 {
			x := (float64(k) + 0.5) / (1 << 10)
			d := c.At(l, x) - math.Sin(x)
			sum += d * d
		}
		return sum
	}
	require.Less(t, squares(deep, 6), squares(flat, 2))
	_, err = FitCascade(ctx, math.Sin, 41)
	require.Error(t, err)
	_, err = FitCascade(ctx, func(float64) float64 { return math.Inf(1) }, 1)
	require.Error(t, err)
	_, err = leastSquares([][]float64{{1, 2}}, []float64{1})
	require.Error(t, err)
}
