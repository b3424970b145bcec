package mgdl

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

// A form says what model makeModel makes.
type form struct {
	task    Task
	outputs int
	linear  bool    // a linear grade first
	chains  int     // of the nonlinear grades
	hidden  [][]int // of each nonlinear grade
	alone   string  // "a" at the place of a nonlinear grade that takes features alone; "" for none
}

func (f form) String() string {
	return fmt.Sprintf("%v %d linear=%v chains=%d hidden=%v %q", f.task, f.outputs, f.linear, f.chains, f.hidden, f.alone)
}

// forms are models of odd shapes: every rule of the kernels' summation order, one and
// more hidden layers, one and more chains, widths around panels, no grade at all.
var forms = []form{
	{Regression, 1, false, 0, nil, ""},
	{Regression, 1, true, 0, nil, ""},
	{Regression, 1, false, 1, [][]int{{1}}, ""},
	{Regression, 2, true, 2, [][]int{{3}, {17, 1}}, ""},
	{Regression, 3, false, 3, [][]int{{33}, {5}, {7, 40, 3}}, ""},
	{Regression, 9, true, 2, [][]int{{64, 64}, {64, 64}}, ""},
	{Regression, 12, false, 1, [][]int{{2, 2, 2}}, ""},
	{Classification, 2, true, 2, [][]int{{17}, {33}}, ""},
	{Classification, 5, false, 5, [][]int{{8, 16}}, ""},
	{Classification, 11, true, 1, [][]int{{31}, {1}}, ""},
	{Regression, 1, false, 1, [][]int{{8}, {40}, {3, 2}, {1}, {5}}, "-aaaa"},
	{Regression, 2, true, 3, [][]int{{7, 33}, {5, 9}, {9}, {4}}, "-a-a"},
	{Classification, 3, true, 2, [][]int{{16, 8}, {8}}, "-a"},
}

// testSchema has a number, a category with and one without the level "", a constant
// column, and another number.
func testSchema(task Task, outputs int) Schema {
	s := Schema{Task: task, Clip: 4, Features: []Column{
		{Name: "length", Missing: 1.5, Mean: 2, Scale: 0.75, Min: -1, Max: 9},
		{Name: "colour", Kind: Category, Levels: []string{"blue", "red", "ünï \"q\" \\ \t<b>", ""}},
		{Name: "same", Missing: 3, Mean: 3, Min: 3, Max: 3},
		{Name: "shape", Kind: Category, Levels: []string{"round", "square"}},
		{Name: "weight", Missing: -20, Mean: -17.25, Scale: 1000.0 / 3, Min: -1e4, Max: 1e4},
	}}
	if task == Classification {
		c := Column{Name: "class", Kind: Category}
		for i := range outputs {
			c.Levels = append(c.Levels, fmt.Sprint("c", i))
		}
		s.Targets = []Column{c}
		return s
	}
	for i := range outputs {
		s.Targets = append(s.Targets, Column{Name: fmt.Sprint("y", i), Missing: 4, Mean: 5.1, Scale: 2.3 + float64(i), Min: 1.7, Max: 9.25 + float64(i)})
	}
	return s
}

// randomLayer has weights of the size that keeps activations near 1.
func randomLayer(rng *rand.Rand, k, n int) layer {
	m := kernel.NewMatrix(k, n)
	for i := range m.Data {
		m.Data[i] = float32(rng.NormFloat64() / math.Sqrt(float64(k)))
	}
	l := layer{w: kernel.NewWeights(k, n), b: kernel.Floats(n)}
	l.w.Pack(m)
	for i := range l.b {
		l.b[i] = float32(rng.NormFloat64() / 4)
	}
	return l
}

func makeModel(t testing.TB, f form, seed uint64) *Model {
	t.Helper()
	s := testSchema(f.task, f.outputs)
	rng := rand.New(rand.NewPCG(seed, 0))
	var grades []grade
	if f.linear {
		grades = append(grades, grade{networks: []network{{out: randomLayer(rng, s.inputs(), f.outputs)}}})
	}
	features := 0
	for i, hidden := range f.hidden {
		g := grade{info: GradeInfo{TrainLoss: rng.Float64(), ValLoss: math.NaN(), Curve: []Check{{0.5, 1e-7, 2}, {1, math.NaN(), 1e21}}}}
		for range f.chains {
			var n network
			k := s.inputs() + features
			if i < len(f.alone) && f.alone[i] == 'a' {
				k = features
			}
			for _, h := range hidden {
				n.hidden = append(n.hidden, randomLayer(rng, k, h))
				k = h
			}
			n.out = randomLayer(rng, k, f.outputs)
			g.networks = append(g.networks, n)
		}
		features = hidden[len(hidden)-1]
		grades = append(grades, g)
	}
	prior := make([]float32, f.outputs)
	for i := range prior {
		prior[i] = float32(rng.NormFloat64())
	}
	m, err := newModel(s, prior, GradeInfo{TrainLoss: 1, ValLoss: 1.0625}, grades, map[string]string{"seed": "1", "note": "a \"note\"\n"})
	require.NoError(t, err)
	return m
}

// makeRows returns n raw rows of testSchema: numbers, missing values, known, missing and
// unknown levels, outliers.
func makeRows(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	var x []float64
	for range n {
		row := []float64{2 + rng.NormFloat64(), float64(rng.IntN(5) - 1), 3, float64(rng.IntN(2)), 300 * rng.NormFloat64()}
		switch rng.IntN(8) {
		case 0:
			row[rng.IntN(5)] = math.NaN()
		case 1:
			row[4] = 1e30
		}
		x = append(x, row...)
	}
	return x
}

func sameBits(a, b []float64) int {
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return i
		}
	}
	return -1
}
