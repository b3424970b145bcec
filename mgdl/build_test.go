package mgdl

import (
	"bytes"
	"math"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

// identity is a schema that leaves one number as it is.
func identity() Schema {
	return Schema{
		Features: []Column{{Name: "x", Scale: 1, Max: 1}},
		Targets:  []Column{{Name: "y", Scale: 1, Min: -8, Max: 8}},
	}
}

// row returns the matrix of these rows.
func matrixOf(rows ...[]float32) kernel.Matrix {
	m := kernel.NewMatrix(len(rows), len(rows[0]))
	for i, r := range rows {
		copy(m.Row(i), r)
	}
	return m
}

// hats is the sum of two tents on [0, 1], one a grade, whose values are exact: the second
// grade takes the first one's features alone, or the input along with them.
func hats(carry bool) []Grade {
	first := Network{{matrixOf([]float32{4, 4, 4}), []float32{0, -1, -2}}, {matrixOf([]float32{1}, []float32{-2}, []float32{1}), []float32{0}}}
	w := matrixOf([]float32{0.5, 1}, []float32{-1, 0}, []float32{0.5, 0})
	if carry {
		w = matrixOf([]float32{0, 1}, []float32{0.5, 0}, []float32{-1, 0}, []float32{0.5, 0})
	}
	second := Network{{w, []float32{0, 0}}, {matrixOf([]float32{-2}, []float32{0.25}), []float32{0}}}
	return []Grade{{Networks: []Network{first}, TrainLoss: math.NaN(), ValLoss: math.NaN()}, {Networks: []Network{second}, TrainLoss: 0.5, ValLoss: 0.25}}
}

func TestNewModel(t *testing.T) {
	for _, carry := range []bool{false, true} {
		grades := hats(carry)
		m, err := NewModel(identity(), []float32{0.125}, grades)
		require.NoError(t, err)
		grades[0].Networks[0][0].W.Data[0] = 100 // the model has its own
		m2, err := ReadModel(bytes.NewReader(fileOf(t, m)))
		require.NoError(t, err)
		require.Equal(t, m.Checksum(), m2.Checksum())
		tent := func(x float64) float64 { return max(0, 4*x) - 2*max(0, 4*x-1) + max(0, 4*x-2) }
		slope := 1.0 // of what the second grade carries along: 4x from the features, x from the input
		if !carry {
			slope = 4
		}
		for _, x := range []float64{0, 0.0625, 0.25, 0.375, 0.5, 0.75, 1} {
			want := []float64{0.125, 0.125 + tent(x), 0.125 + tent(x) - tent(x) + slope*x/4}
			for k := range 3 {
				require.Equal(t, want[k], m.NewPredictor().PredictGrades(nil, []float64{x}, k)[0], "%v, %d grades", x, k)
				require.Equal(t, want[k], m2.NewPredictor().PredictGrades(nil, []float64{x, x}, k)[1], "%v, %d grades", x, k)
			}
			got, _ := m2.NewPredictor().PredictWithin(nil, []float64{x}, 1e9)
			require.Equal(t, want[2], got[0], "%v within", x)
		}
		info := m.Grades()
		require.True(t, math.IsNaN(info[0].TrainLoss))
		require.Equal(t, 0.25, info[1].ValLoss)
		require.Equal(t, []int{2}, info[1].Hidden)
	}
}

func TestNewModelRefuses(t *testing.T) {
	for want, change := range map[string]func(g []Grade){
		"mgdl: grade 1: network 0 has no layers": func(g []Grade) { g[0].Networks[0] = nil },
		"mgdl: grade 2: network 0, layer 1: 2×1 weights at stride 1 in 1 values": func(g []Grade) {
			g[1].Networks[0][1].W.Data = g[1].Networks[0][1].W.Data[:1]
		},
		"mgdl: grade 1: network 0, layer 0 is 1×3 with 2 biases, want 1×3": func(g []Grade) { g[0].Networks[0][0].Bias = make([]float32, 2) },
		"mgdl: grade 2: network 0, layer 0 is 3×2 with 2 biases, want 5×2": func(g []Grade) {
			g[0].Networks[0] = Network{{matrixOf(make([]float32, 4)), make([]float32, 4)}, {matrixOf([]float32{1}, []float32{1}, []float32{1}, []float32{1}), []float32{0}}}
		},
		"mgdl: grade 2: network 0, layer 0 has a weight that is not finite": func(g []Grade) { g[1].Networks[0][0].W.Data[0] = float32(math.NaN()) },
		"mgdl: grade 2: it has no networks":                                 func(g []Grade) { g[1].Networks = nil },
		"mgdl: grade 1: a loss is infinite":                                 func(g []Grade) { g[0].TrainLoss = math.Inf(1) },
	} {
		g := hats(false)
		change(g)
		m, err := NewModel(identity(), []float32{0}, g)
		require.EqualError(t, err, want)
		require.Nil(t, m)
	}
	_, err := NewModel(Schema{}, nil, nil)
	require.EqualError(t, err, "mgdl: there are no feature columns")
}
