package dataset

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

func TestWriter(t *testing.T) {
	classes := mgdl.Schema{Task: mgdl.Classification, Targets: []mgdl.Column{
		{Name: "the, kind", Kind: mgdl.Category, Levels: []string{"", "a \"b\"", "c,d", "e"}},
	}}
	cases := []struct {
		name  string
		s     mgdl.Schema
		proba bool
		in    [][]float64
		want  string
	}{
		{"Empty", numbers(), false, nil, "y,z\n"},
		{"Numbers", numbers(), false, [][]float64{{1, 2.5}, {0.1, -1e-7, 1e21, 1234567}}, "y,z\n1,2.5\n0.1,-1e-07\n1e+21,1234567\n"},
		{"ProbaOfNumbers", numbers(), true, [][]float64{{1, 2}}, "y,z\n1,2\n"},
		{"NaN", numbers(), false, [][]float64{{math.NaN(), 0}}, "y,z\nNaN,0\n"},
		{"Labels", classes, false, [][]float64{{0, 0.5, 0.25, 0.25, 0.1, 0.1, 0.7, 0.1}, {0.4, 0.3, 0.2, 0.1}},
			"\"the, kind\"\n\"a \"\"b\"\"\"\n\"c,d\"\n\"\"\n"},
		{"FirstOfEquals", classes, false, [][]float64{{0.1, 0.2, 0.35, 0.35}}, "\"the, kind\"\n\"c,d\"\n"},
		{"NaNProbabilities", classes, false, [][]float64{{math.NaN(), math.NaN(), 0, 1}}, "\"the, kind\"\ne\n"},
		{"Proba", classes, true, [][]float64{{0, 0.5, 0.25, 0.25}},
			"\"the, kind\",p(),\"p(a \"\"b\"\")\",\"p(c,d)\",p(e)\n\"a \"\"b\"\"\",0,0.5,0.25,0.25\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			w := NewWriter(&b, c.s, c.proba)
			for _, rows := range c.in {
				require.NoError(t, w.Write(rows))
			}
			require.NoError(t, w.Flush())
			require.Equal(t, c.want, b.String())
		})
	}
}

// What is written reads back to the same bits.
func TestWriterRoundTrip(t *testing.T) {
	var rows []float64
	for i := range 500 {
		u := uint64(i+1) * 0x9e3779b97f4a7c15
		v := math.Float64frombits(u)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			v = float64(i)
		}
		rows = append(rows, v, 1/float64(i+1))
	}
	rows = append(rows, math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.MaxFloat64, math.Pi*1e20)
	var b strings.Builder
	w := NewWriter(&b, numbers(), false)
	require.NoError(t, w.Write(rows))
	require.NoError(t, w.Flush())
	back := mgdl.Schema{Features: numbers().Targets}
	d, err := ReadCSVFor(strings.NewReader(b.String()), "t.csv", back, 0, false)
	require.NoError(t, err)
	require.Len(t, d.X, len(rows))
	for i := range rows {
		if math.Float64bits(d.X[i]) != math.Float64bits(rows[i]) {
			t.Fatalf("value %d is %v, was %v", i, d.X[i], rows[i])
		}
	}
}

// full takes n bytes, then fails.
type full struct{ n int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.n {
		n := f.n
		f.n = 0
		return n, errFull
	}
	f.n -= len(p)
	return len(p), nil
}

func TestWriterFailure(t *testing.T) {
	for _, n := range []int{0, 3, 10, 100_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := NewWriter(&full{n}, numbers(), false)
			for range 100_000 {
				if err := w.Write([]float64{1.25, 2.5}); err != nil {
					require.ErrorIs(t, err, errFull)
				}
			}
			require.ErrorIs(t, w.Flush(), errFull)
			require.ErrorIs(t, w.Write([]float64{1, 2}), errFull)
		})
	}
}

func TestWriterPanics(t *testing.T) {
	w := NewWriter(&strings.Builder{}, numbers(), false)
	require.PanicsWithValue(t, "dataset: predictions are not whole rows", func() { _ = w.Write([]float64{1}) })
}

func TestWriterAllocations(t *testing.T) {
	w := NewWriter(&full{math.MaxInt}, weather(), true)
	row := []float64{1.0 / 3, 2.0 / 3}
	if n := testing.AllocsPerRun(1000, func() { _ = w.Write(row) }); n > 0 {
		t.Errorf("%v allocations a row", n)
	}
}
