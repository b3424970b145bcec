package mgdl

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewData(t *testing.T) {
	d := NewData([]float64{1, 2, 3, 4, 5, 6}, 3, []float64{7, 8}, 1)
	if d.Rows != 2 || len(d.Schema.Features) != 3 || d.Schema.Features[2].Name != "x3" || d.Schema.Targets[0].Name != "y1" {
		t.Fatalf("got %+v", d)
	}
	_, _, _, _, err := prepare(t.Context(), NewData(make([]float64, 7), 3, make([]float64, 2), 1), false)
	require.EqualError(t, err, "mgdl: X has 7 values, want 2 rows × 3 features")
	_, _, _, _, err = prepare(t.Context(), NewData(nil, 0, nil, -1), false)
	require.EqualError(t, err, "mgdl: there are no feature columns")
}

// oracleStats returns mean and deviation of values to far more than 53 bits.
func oracleStats(values []float64) (mean, scale float64) {
	const prec = 400
	sum, n := new(big.Float).SetPrec(prec), new(big.Float).SetPrec(prec).SetInt64(int64(len(values)))
	for _, v := range values {
		sum.Add(sum, big.NewFloat(v))
	}
	m := new(big.Float).SetPrec(prec).Quo(sum, n)
	squares := new(big.Float).SetPrec(prec)
	for _, v := range values {
		d := new(big.Float).SetPrec(prec).Sub(big.NewFloat(v), m)
		squares.Add(squares, d.Mul(d, d))
	}
	s := squares.Sqrt(squares.Quo(squares, n))
	mean, _ = m.Float64()
	scale, _ = s.Float64()
	return mean, scale
}

func TestMeasure(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	normal := func(n int, mean, scale float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = mean + scale*rng.NormFloat64()
		}
		return x
	}
	for _, c := range []struct {
		name   string
		values []float64
		median float64
	}{
		{"two", []float64{1, 4}, 2.5},
		{"odd", []float64{5, 1, 2}, 2},
		{"normal", normal(1001, 3, 2), math.NaN()},
		{"timestamps", normal(1000, 1.7e9, 5), math.NaN()},
		{"offset", []float64{1e15, 1e15 + 1, 1e15, 1e15 + 1}, 1e15 + 0.5},
		{"huge", []float64{-8e307, 8e307, 7e307, 1}, 3.5e307},
		{"largest", []float64{math.MaxFloat64, math.MaxFloat64 / 2}, math.MaxFloat64 * 0.75},
		{"heavy tail", append(normal(999, 0, 1), 1e200), math.NaN()},
		{"tiny", normal(100, 0, 1e-250), math.NaN()},
		{"subnormal", []float64{0, 0x1p-1060, 0x1p-1070, 0x1p-1060}, math.NaN()},
	} {
		n := len(c.values)
		var col Column
		require.NoError(t, col.measure(append([]float64(nil), c.values...), make([]float64, n)), c.name)
		mean, scale := oracleStats(c.values)
		lo, hi := c.values[0], c.values[0]
		for _, v := range c.values {
			lo, hi = min(lo, v), max(hi, v)
		}
		// The mean is that of the deviations from a first mean: n roundings of numbers not
		// above the spread, and one of the result. The deviation has n + 3 more.
		u := 0x1p-52 * float64(n+3)
		if d := math.Abs(col.Mean - mean); d > u*scale*3+0x1p-53*math.Abs(mean)+0x1p-1074 {
			t.Errorf("%s: mean %v, want %v", c.name, col.Mean, mean)
		}
		if d := math.Abs(col.Scale - scale); d > u*scale+0x1p-1074 {
			t.Errorf("%s: scale %v, want %v", c.name, col.Scale, scale)
		}
		if col.Min != lo || col.Max != hi {
			t.Errorf("%s: range %v to %v, want %v to %v", c.name, col.Min, col.Max, lo, hi)
		}
		if c.median == c.median && col.Missing != c.median {
			t.Errorf("%s: median %v, want %v", c.name, col.Missing, c.median)
		}
	}
}

func TestMeasureMissing(t *testing.T) {
	nan := math.NaN()
	var c Column
	require.NoError(t, c.measure([]float64{nan, 4, 1, nan, 3}, make([]float64, 5)))
	mean, scale := oracleStats([]float64{3, 4, 1, 3, 3})
	if c.Missing != 3 || c.Mean != mean || math.Abs(c.Scale-scale) > 1e-15 || c.Min != 1 || c.Max != 4 {
		t.Errorf("got %+v, want median 3, mean %v, scale %v", c, mean, scale)
	}
	require.NoError(t, c.measure([]float64{nan, 0.1, 0.1, 0.1}, make([]float64, 4)))
	if c.Scale != 0 || c.Mean != 0.1 || c.Missing != 0.1 {
		t.Errorf("a constant column: got %+v", c)
	}
	require.NoError(t, c.measure([]float64{math.Copysign(0, -1), 0}, make([]float64, 2)))
	if math.Signbit(c.Min) || math.Signbit(c.Mean) || math.Signbit(c.Missing) {
		t.Errorf("zeros: got %+v, want no negative zero", c)
	}
}

// mixed is a small table with everything in it.
func mixed() Data {
	nan := math.NaN()
	return Data{
		Schema: Schema{Clip: 4, Features: []Column{
			{Name: "a"}, {Name: "b", Kind: Category, Levels: []string{"p", "q"}}, {Name: "c"}, {Name: "d", Kind: Category, Levels: []string{"", "z"}},
		}, Targets: []Column{{Name: "t"}, {Name: "u"}}},
		Rows: 4,
		X:    []float64{1, 0, 5, 0, 2, 1, 5, nan, 3, nan, nan, 1, nan, -1, 5, 1},
		Y:    []float64{1, 10, 2, 30, 3, 10, 4, 30},
	}
}

func TestPrepareRegression(t *testing.T) {
	d := mixed()
	s, x, y, classes, err := prepare(t.Context(), d, false)
	require.NoError(t, err)
	if len(d.Schema.Features[1].Levels) != 2 || d.Schema.Features[0].Scale != 0 {
		t.Error("the caller's schema has changed")
	}
	if got := s.Features[1].Levels; len(got) != 3 || got[2] != "" {
		t.Errorf("levels %q, want one for missing values at the end", got)
	}
	if len(s.Features[3].Levels) != 2 {
		t.Errorf("levels %q, want what they were", s.Features[3].Levels)
	}
	if x.Rows != 4 || x.Cols != 1+3+0+2 || y.Rows != 4 || y.Cols != 2 || classes != nil {
		t.Fatalf("inputs %d×%d, targets %d×%d, %d classes", x.Rows, x.Cols, y.Rows, y.Cols, len(classes))
	}
	hot := [][]float32{{1, 0, 0, 1, 0}, {0, 1, 0, 1, 0}, {0, 0, 1, 0, 1}, {0, 0, 0, 0, 1}}
	for i, want := range hot {
		for j, v := range want {
			if x.Row(i)[1+j] != v {
				t.Errorf("row %d: levels are %v, want %v", i, x.Row(i)[1:], want)
				break
			}
		}
	}
	for i, want := range []float32{-1, 1, -1, 1} {
		if y.Row(i)[1] != want {
			t.Errorf("row %d: target is %v, want %v", i, y.Row(i)[1], want)
		}
	}
	var sum, squares float64
	for i := range 4 {
		sum += float64(x.Row(i)[0])
		squares += float64(x.Row(i)[0]) * float64(x.Row(i)[0])
	}
	if math.Abs(sum) > 1e-6 || math.Abs(squares-4) > 1e-6 {
		t.Errorf("a has sum %v and squares %v, want 0 and 4", sum, squares)
	}
	lo, hi := s.targetRange()
	if lo[1] != -1 || hi[1] != 1 || lo[0] != y.Row(0)[0] || hi[0] != y.Row(3)[0] {
		t.Errorf("range %v to %v", lo, hi)
	}
}

func TestPrepareClassification(t *testing.T) {
	d := mixed()
	d.Schema.Task = Classification
	d.Schema.Targets = []Column{{Name: "k", Kind: Category, Levels: []string{"n", "o", "p"}}}
	d.Y = []float64{2, 0, 0, 2}
	s, _, y, classes, err := prepare(t.Context(), d, false)
	require.NoError(t, err)
	require.Equal(t, []int32{2, 0, 0, 2}, classes)
	if y.Rows != 0 || s.outputs() != 3 {
		t.Errorf("%d rows of targets, %d outputs", y.Rows, s.outputs())
	}
}

func TestPrepareErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	classify := func(d *Data) {
		d.Schema.Task = Classification
		d.Schema.Targets = []Column{{Name: "k", Kind: Category, Levels: []string{"n", "o", "p"}}}
		d.Y = []float64{2, 0, 0, 2}
	}
	for _, c := range []struct {
		change func(*Data)
		want   string
	}{
		{func(d *Data) { d.Rows = 1; d.X = d.X[:4]; d.Y = d.Y[:2] }, "mgdl: training needs at least 2 rows, there are 1"},
		{func(d *Data) { d.Rows = -3 }, "mgdl: training needs at least 2 rows, there are -3"},
		{func(d *Data) { d.X = d.X[:15] }, "mgdl: X has 15 values, want 4 rows × 4 features"},
		{func(d *Data) { d.Rows = math.MaxInt }, ""},
		{func(d *Data) { d.Y = append(d.Y, 1) }, "mgdl: Y has 9 values, want 4 rows × 2 targets"},
		{func(d *Data) { d.X[8] = inf }, `mgdl: row 3 of 4, column "a": the value is infinite`},
		{func(d *Data) { d.X[13] = inf }, `mgdl: row 4 of 4, column "b": the value is infinite`},
		{func(d *Data) { d.Y[3] = nan }, `mgdl: row 2 of 4, column "u": the target is missing`},
		{func(d *Data) { d.Y[6] = inf }, `mgdl: row 4 of 4, column "t": the target is infinite`},
		{func(d *Data) { d.Y[1], d.Y[5] = 30, 30 }, `mgdl: target "u" is 30 in every row: there is nothing to learn`},
		{func(d *Data) { d.X[0], d.X[4], d.X[8] = nan, nan, nan }, `mgdl: column "a": every value is missing`},
		{func(d *Data) { d.X[1], d.X[5], d.X[13] = nan, nan, nan }, `mgdl: column "b": every value is missing`},
		{func(d *Data) { d.X[0], d.X[4] = 1e308, -1e308 }, `mgdl: column "a": the values from -1e+308 to 1e+308 span more than a float64 can hold`},
		{func(d *Data) { d.Schema.Features[0].Name = "t" }, `mgdl: two columns have the name "t"`},
		{func(d *Data) { classify(d); d.Y[1] = 3 }, `mgdl: row 2 of 4, column "k": 3 is no class: classes are 0 to 2`},
		{func(d *Data) { classify(d); d.Y[1] = 0.5 }, `mgdl: row 2 of 4, column "k": 0.5 is no class: classes are 0 to 2`},
		{func(d *Data) { classify(d); d.Y[1] = nan }, `mgdl: row 2 of 4, column "k": the target is missing`},
		{func(d *Data) { classify(d); clear(d.Y) }, `mgdl: target "k" is "n" in every row: there is nothing to learn`},
	} {
		d := mixed()
		c.change(&d)
		_, x, y, classes, err := prepare(t.Context(), d, false)
		if c.want == "" {
			require.ErrorContains(t, err, "mgdl: ")
		} else {
			require.EqualError(t, err, c.want)
		}
		if x.Rows != 0 || y.Rows != 0 || classes != nil {
			t.Errorf("%v: there are results", err)
		}
	}
}

func TestEncodeHoldout(t *testing.T) {
	d := mixed()
	s, x, y, _, err := prepare(t.Context(), d, false)
	require.NoError(t, err)
	x2, y2, _, err := s.encode(d) // d's schema has one level fewer
	require.NoError(t, err)
	require.Equal(t, x, x2)
	require.Equal(t, y, y2)
	d.Schema.Features[2].Name = "other"
	_, _, _, err = s.encode(d)
	require.EqualError(t, err, `mgdl: feature 3 is "other" in the data and "c" in the model`)
}

// A spoiled source has an infinite value, in a row behind the first block.
type spoiled struct{ rows int }

func (s spoiled) ReadRows(dst []float64, lo int) {
	for i := range dst {
		dst[i] = float64(lo + i)
		if lo+i == s.rows-1 {
			dst[i] = math.Inf(-1)
		}
	}
}

func (s spoiled) ReadColumn(dst []float64, _ int) { s.ReadRows(dst, 0) }

func TestSource(t *testing.T) {
	const rows = blockRows + 10
	d := NewData(nil, 1, make([]float64, rows), 1)
	d.Rows = rows
	d.Source = spoiled{rows}
	want := fmt.Sprintf(`mgdl: row %d of %d, column "x1": the value is infinite`, rows, rows)
	if _, _, _, _, err := prepare(t.Context(), d, false); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	d.X = make([]float64, rows)
	if _, _, _, _, err := prepare(t.Context(), d, false); err == nil || !strings.Contains(err.Error(), "both X and Source") {
		t.Errorf("X and Source: %v", err)
	}
}

// TestNth compares with sorting, on orders that are hard for a quick selection too.
func TestNth(t *testing.T) {
	s := newStream(5, 0, 0, 0)
	for n := 1; n < 300; n++ {
		for kind := range 5 {
			x := make([]float64, n)
			for i := range x {
				x[i] = [...]float64{s.normal(), float64(s.intn(3)), float64(i), float64(-i), float64(min(i, n-i))}[kind]
			}
			sorted := slices.Sorted(slices.Values(x))
			k := s.intn(n)
			if got := nth(slices.Clone(x), k); got != sorted[k] {
				t.Fatalf("%d numbers of kind %d: element %d is %v, want %v", n, kind, k, got, sorted[k])
			}
			y := slices.Clone(x)
			nth(y, k)
			for i, v := range y {
				if i < k && v > y[k] || i > k && v < y[k] {
					t.Fatalf("%d numbers of kind %d: element %d is %v on the wrong side of %v at %d", n, kind, i, v, y[k], k)
				}
			}
			want := sorted[n/2]
			if n%2 == 0 {
				want = sorted[n/2-1]*0.5 + want*0.5
			}
			if got := median(x); got != want {
				t.Fatalf("the median of %d numbers of kind %d is %v, want %v", n, kind, got, want)
			}
		}
	}
}

// Preparation looks at the context before every column.
func TestMeasureCancelled(t *testing.T) {
	d := NewData(make([]float64, 30), 3, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 1)
	_, _, _, _, err := prepare(&exhausted{t.Context(), 2}, d, false)
	require.Equal(t, context.Canceled, err)
}
