package mgdl

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// rippleTable has rows of one input and a wave of cycles over its range, ever higher, with noise.
func rippleTable(n int, cycles, noise float64) Data {
	s := newStream(70, 0, 0, 0)
	var x, y []float64
	for range n {
		u := s.uniform()
		x = append(x, u)
		y = append(y, float64((1+u)*cospi(float64(2*cycles*u)-0.5))+float64(noise*s.normal()))
	}
	return NewData(x, 1, y, 1)
}

// quick is a small recipe for tables that are large enough for waves.
func quick() Config { return Config{Hidden: []int{16, 8}, Chains: 2, Epochs: 6, Batch: 64, Seed: 3} }

func TestOctaves(t *testing.T) {
	for _, c := range []struct{ n, inputs, want int }{
		{7, 1, 0}, {8, 1, 1}, {15, 1, 1}, {16, 1, 2}, {1000, 1, 7}, {1024, 1, 8},
		{63, 2, 0}, {64, 2, 1}, {7168, 2, 4}, {511, 3, 0}, {512, 3, 1}, {math.MaxInt32, 1, 17}, {math.MaxInt32, 3, 8},
	} {
		require.Equal(t, c.want, octaves(c.n, c.inputs), "%d rows, %d inputs", c.n, c.inputs)
	}
}

// Waves are chosen where hinges are slow and the held-out rows say so: accepted grades never
// raise a loss, and the model is the better one.
func TestWavesChosen(t *testing.T) {
	d := rippleTable(1200, 12, 0)
	var last Progress
	cfg := quick()
	cfg.Progress = func(p Progress) {
		if p.Finished != nil && p.Accepted {
			last = p
		}
	}
	m := mustTrain(t, d, cfg)
	g := m.Grades()
	require.Equal(t, "sin", g[0].Kind)
	require.Equal(t, []int{2 * octaves(1050, 1)}, g[0].Hidden)
	require.Equal(t, "relu", g[1].Kind)
	require.Len(t, g, 3)
	require.Equal(t, len(g), last.Grade)
	metrics, err := m.Evaluate(d)
	require.NoError(t, err)
	before := m.Prior()
	for k, info := range g {
		require.InEpsilon(t, math.Pow(metrics[k+1].RMSE/m.Schema().Targets[0].Scale, 2), info.TrainLoss, 1e-5)
		require.Less(t, info.TrainLoss, before.TrainLoss)
		require.Less(t, info.ValLoss, before.ValLoss)
		before = info
	}
	cfg.Grades = 3 // without waves
	without := mustTrain(t, d, cfg).Grades()
	require.Less(t, 10*before.ValLoss, without[len(without)-1].ValLoss)
}

// Elsewhere they are tried, rejected, and leave no trace: the model is that of all its grades
// before they were.
func TestWavesRejected(t *testing.T) {
	d := rippleTable(1200, 0.4, 0.3)
	cfg := quick()
	tried := 0
	kept := []GradeInfo{}
	cfg.Progress = func(p Progress) {
		switch {
		case p.Finished == nil:
		case p.Finished.Kind == kindSine:
			require.False(t, p.Accepted)
			tried++
		case p.Accepted:
			kept = append(kept, *p.Finished)
		}
	}
	m := mustTrain(t, d, cfg)
	require.Equal(t, 1, tried)
	require.NotEmpty(t, kept)
	require.Equal(t, kept, m.Grades())
	metrics, err := m.Evaluate(d)
	require.NoError(t, err)
	for k, g := range kept {
		require.InEpsilon(t, math.Pow(metrics[k+1].RMSE/m.Schema().Targets[0].Scale, 2), g.TrainLoss, 1e-5)
	}
}

// The shape of the data decides whether waves are tried.
func TestWavesTried(t *testing.T) {
	table := func(rows, inputs int) Data {
		s := newStream(71, 0, 0, 0)
		x, y := make([]float64, rows*inputs), make([]float64, rows)
		for i := range x {
			x[i] = s.uniform()
		}
		for i := range y {
			y[i] = x[i*inputs] + s.normal()
		}
		return NewData(x, inputs, y, 1)
	}
	category := table(2000, 2)
	category.Schema.Features[1] = Column{Name: "c", Kind: Category, Levels: []string{"a", "b"}}
	for i := 1; i < len(category.X); i += 2 {
		category.X[i] = math.Round(category.X[i])
	}
	classes := table(2000, 2)
	classes.Schema.Task = Classification
	classes.Schema.Targets = []Column{{Name: "c", Kind: Category, Levels: []string{"a", "b"}}}
	for i := range classes.Y {
		classes.Y[i] = float64(i % 2)
	}
	constant := table(2000, 4)
	for i := 0; i < len(constant.X); i += 4 {
		constant.X[i+1] = 5
	}
	for _, c := range []struct {
		name string
		d    Data
		c    Config
		want bool
	}{
		{"one input", table(2000, 1), Config{}, true},
		{"three", table(2000, 3), Config{}, true},
		{"four", table(2000, 4), Config{}, false},
		{"three and a constant", constant, Config{}, true},
		{"few rows", table(1100, 1), Config{}, false},
		{"category", category, Config{}, false},
		{"classes", classes, Config{}, false},
		{"grades given", table(2000, 1), Config{Grades: 2}, false},
		{"sine", table(2000, 1), Config{Activation: Sine}, false},
		{"plan", table(2000, 1), Config{Plan: []GradePlan{{Epochs: 1, Rate: 1e-3}}}, false},
	} {
		tr, err := newTrainer(t.Context(), c.d, &c.c)
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, tr.wavy(), c.name)
	}
}

// Waves have no frequency that is not finite, however narrow the range is.
func TestWavesNarrow(t *testing.T) {
	d := rippleTable(1200, 3, 0)
	for i := range d.X {
		d.X[i] = 1e9 + 1e-3*d.X[i]
	}
	cfg := quick()
	cfg.Raw = true
	mustTrain(t, d, cfg)
}
