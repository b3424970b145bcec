package mgdl

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/multigrade/multigrade/kernel"
)

// waveTable is two waves on [0, 1], of 3 and of 11.5 periods, at n points, the first at offset.
func waveTable(n int, offset float64) Data {
	x, y := make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = (float64(i) + offset) / float64(n)
		y[i] = cospi(float64(6*x[i])) + float64(0.5*cospi(float64(23*x[i])+0.3))
	}
	return NewData(x, 1, y, 1)
}

// plans are plans of every kind of grade.
func plans() map[string][]GradePlan {
	waves := GradePlan{Hidden: []int{14}, Activation: Sine, Start: StartWaves, Normalise: true, Readout: true}
	return map[string][]GradePlan{
		"ramps": {
			{Hidden: []int{40, 24}, Start: StartRamps, Normalise: true, Readout: true, Epochs: 5, Batch: 32, Rate: 2e-3},
			{Hidden: []int{24, 16}, Start: StartHe, Normalise: true, Readout: true, Epochs: 5, Batch: 32, Rate: 1e-3},
			{Hidden: []int{16}, Start: StartHinges, Carry: true, Normalise: true, Epochs: 5, Batch: 300, Rate: 1e-3},
		},
		"waves": {waves, {Hidden: []int{16, 16}, Start: StartHe, Epochs: 20, Rate: 1e-3, LastRate: 1e-4}},
		"papers": {
			{Hidden: []int{16, 16}, Activation: Sine, Start: StartUniform, Epochs: 10, Batch: 70, Rate: 1e-2, LastRate: 1e-3},
			{Hidden: []int{16, 16}, Start: StartUniform, Epochs: 10, Batch: 70, Rate: 1e-2, LastRate: 1e-3},
			{Hidden: []int{8}, Start: StartHe, Epochs: 60, Optimiser: Descent, Rate: 0.1, LastRate: 0.1},
		},
	}
}

func planConfig(plan []GradePlan) Config {
	h := waveTable(150, 0.7)
	return Config{Plan: plan, Raw: true, Holdout: &h, Seed: 3}
}

// A plan gives the same bytes for any number of workers, on any kernel, and resumed from any
// checkpoint; the constants are those of every platform.
func TestPlanBits(t *testing.T) {
	golden := map[string]string{
		"ramps":  "1b2ec35cb85be3cfe1b9a0f1929d4105a86dffb3908a00c1423a40d851e47b71",
		"waves":  "44f65a78a7b55c56622c03544c50d223a38d8b808639a3ea354d8f8aefc77a0e",
		"papers": "672c8f2edfee8d36a09afa14797028ea3085fe0d0c71ba67c89cb1bfba2ec5be",
	}
	for name, plan := range plans() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := waveTable(400, 0)
			cfg := planConfig(plan)
			var saved []*Model
			cfg.Checkpoint = func(m *Model) error {
				saved = append(saved, m)
				return nil
			}
			m := mustTrain(t, d, cfg)
			cfg.Checkpoint = nil
			if len(m.grades) != len(plan) {
				t.Fatalf("%d grades of %d were accepted", len(m.grades), len(plan))
			}
			if m.Checksum() != golden[name] {
				t.Errorf("checksum is %s, want %s", m.Checksum(), golden[name])
			}
			want := fileOf(t, m)
			for _, workers := range []int{2, 3} {
				cfg.Workers = workers
				if !slices.Equal(fileOf(t, mustTrain(t, d, cfg)), want) {
					t.Errorf("%d workers give other bytes", workers)
				}
			}
			for _, k := range kernel.Available() {
				cfg.Kernel = k
				if !slices.Equal(fileOf(t, mustTrain(t, d, cfg)), want) {
					t.Errorf("kernel %s gives other bytes", k.Name())
				}
			}
			for i, s := range saved {
				cfg.Resume = s
				if !slices.Equal(fileOf(t, mustTrain(t, d, cfg)), want) {
					t.Errorf("resumed after grade %d: other bytes", i+1)
				}
			}
		})
	}
}

// What plans reach: waves the rounding of float32, ramps a small part of it with every grade.
func TestPlanQuality(t *testing.T) {
	test := waveTable(333, 0.4)
	for name, most := range map[string][]float64{"waves": {1e-10}, "ramps": {2e-2, 5e-3, 5e-3}} {
		plan := plans()[name]
		if name == "waves" {
			plan[0].Hidden = []int{48}
		} else {
			plan[0].Epochs, plan[1].Epochs = 150, 150
		}
		m := mustTrain(t, waveTable(500, 0), planConfig(plan))
		metrics, err := m.Evaluate(test)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range most {
			if got := metrics[i+1].RSE; !(got < want) {
				t.Errorf("%s: error after grade %d is %v, want below %v", name, i+1, got, want)
			}
		}
	}
}

// Gradient descent as a paper has it, in float64 beside the trained network: He weights, no
// biases, half the mean square, the whole batch, a geometric rate.
func TestPlanDescent(t *testing.T) {
	const rows, width, epochs = 64, 6, 400
	d := waveTable(rows, 0)
	plan := []GradePlan{{Hidden: []int{width}, Start: StartHeNormal, Epochs: epochs, Optimiser: Descent, Rate: 0.2, LastRate: 0.02}}
	m := mustTrain(t, d, Config{Plan: plan, Raw: true, Seed: 9})
	s := newStream(9, startWeights, 0, 0)
	var w1, b1, w2 [width]float64
	b2 := 0.0
	for j := range w1 {
		w1[j] = float64(float32(math.Sqrt(2) * s.normal()))
	}
	for j := range w2 {
		w2[j] = float64(float32(math.Sqrt(2.0/width) * s.normal()))
	}
	forward := func(x float64) (h [width]float64, y float64) {
		y = b2
		for j := range h {
			h[j] = max(0, w1[j]*x+b1[j])
			y += w2[j] * h[j]
		}
		return h, y
	}
	for epoch := range epochs {
		rate := 0.2 * math.Exp(-float64(epoch)/epochs*math.Log(10)) / rows
		var gw1, gb1, gw2 [width]float64
		gb2 := 0.0
		for i, x := range d.X {
			h, y := forward(x)
			e := y - d.Y[i]
			gb2 += e
			for j := range h {
				gw2[j] += e * h[j]
				if h[j] > 0 {
					gw1[j] += e * w2[j] * x
					gb1[j] += e * w2[j]
				}
			}
		}
		for j := range w1 {
			w1[j] -= rate * gw1[j]
			b1[j] -= rate * gb1[j]
			w2[j] -= rate * gw2[j]
		}
		b2 -= rate * gb2
	}
	p := m.NewPredictor()
	for _, x := range []float64{0, 0.2, 0.5, 0.9} {
		_, want := forward(x)
		if got := p.Predict(nil, []float64{x})[0]; math.Abs(got-want) > 1e-5 {
			t.Errorf("f(%v) is %v, want %v", x, got, want)
		}
	}
}

// Units of the second layer begin with independent values of deviation 1 at the knots.
func TestStartRamps(t *testing.T) {
	const width = 64
	d := waveTable(width-1, 0) // and so 62 steps between 63 knots
	h := waveTable(10, 0.5)
	tr, err := newTrainer(t.Context(), d, &Config{Raw: true, Holdout: &h, Plan: []GradePlan{{Hidden: []int{width, 200}, Start: StartRamps}}})
	if err != nil {
		t.Fatal(err)
	}
	l := tr.newPlanLearner(&tr.recipe.plan[0], 0, 1)
	n := l.network()
	first, second := n.hidden[0], n.hidden[1]
	values := func(x float64) kernel.Matrix {
		in, a, z := matrixOf([]float32{float32(x)}), kernel.NewMatrix(1, width), kernel.NewMatrix(1, 200)
		tr.k.MatMul(a, in, first.w, first.b, true)
		tr.k.MatMul(z, a, second.w, nil, false)
		return z
	}
	last := float64(width-2) / (width - 1) // the largest input
	var squares, products, count float64
	for knot := 1; knot < width-2; knot++ {
		a, b := values(last*float64(knot)/(width-2)), values(last*float64(knot+1)/(width-2))
		for i, v := range a.Data {
			squares += float64(v) * float64(v)
			products += float64(v) * float64(b.Data[i])
			count++
		}
	}
	if v := squares / count; math.Abs(v-1) > 0.1 {
		t.Errorf("values at knots have variance %v, want 1", v)
	}
	if c := products / squares; math.Abs(c) > 0.1 {
		t.Errorf("values at neighbouring knots have correlation %v, want 0", c)
	}
	for _, v := range n.out.w.Data {
		if v != 0 {
			t.Fatal("the readout does not start at 0")
		}
	}
}

func TestPlanErrors(t *testing.T) {
	d := waveTable(50, 0)
	for want, p := range map[string]GradePlan{
		"Hidden: width 0 is not between 1 and 65536":                {Hidden: []int{0}},
		"Hidden: 65 layers are more than 64":                        {Hidden: make([]int, 65)},
		"Activation: there is no activation 2":                      {Activation: 2},
		"Start: there is no start 7":                                {Start: lastStart + 1},
		"Optimiser: there is no optimiser 3":                        {Optimiser: 3},
		"Start: waves are for sine":                                 {Start: StartWaves, Band: 1},
		"Start: ramps are for ReLU":                                 {Start: StartRamps, Activation: Sine},
		"Band: only solved readouts can choose it":                  {Start: StartWaves, Activation: Sine},
		"Band: -1 is not between 0 and 1e9":                         {Band: -1},
		"Epochs: -1 is not between 0 and 16777216":                  {Epochs: -1},
		"Batch: -1 is not between 0 and 1048576":                    {Batch: -1},
		"Rate: NaN is not between 0 and 1000":                       {Rate: math.NaN()},
		"LastRate: 2 is not between 0 and Rate":                     {Rate: 1, LastRate: 2},
		"solved readouts need a Holdout to choose their penalty by": {Readout: true},
	} {
		_, err := Train(t.Context(), d, Config{Plan: []GradePlan{p}})
		var config *ConfigError
		if !errors.As(err, &config) || config.Field != "Plan" || config.Reason != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Train(t.Context(), d, Config{Plan: []GradePlan{}}); err == nil {
		t.Error("a plan without grades is accepted")
	}
	_, err := Train(t.Context(), d, Config{Plan: []GradePlan{{Hidden: []int{8}, Start: StartHeNormal, Epochs: 100, Optimiser: Descent, Rate: 1000, LastRate: 1000}}, Raw: true})
	if !errors.Is(err, ErrDiverged) {
		t.Errorf("%v, want divergence", err)
	}
}

// The rates of a schedule.
func TestPlanSchedule(t *testing.T) {
	for _, c := range []struct {
		p    GradePlan
		step int
		want float64
	}{
		{GradePlan{Epochs: 10, Batch: 10, Rate: 1e-2, LastRate: 1e-4}, 0, 1e-2},
		{GradePlan{Epochs: 10, Batch: 10, Rate: 1e-2, LastRate: 1e-4}, 9, 1e-2},
		{GradePlan{Epochs: 10, Batch: 10, Rate: 1e-2, LastRate: 1e-4}, 54, 1e-3}, // the sixth epoch of 10 steps, the last of 5 rows
		{GradePlan{Epochs: 10, Batch: 10, Rate: 1e-2}, 0, 1e-2 * 0.1},
		{GradePlan{Epochs: 10, Batch: 10, Rate: 1e-2}, 99, 1e-2 * 0.5 * (1 + math.Cos(math.Pi*(0.995-0.05)/0.95))},
	} {
		s := c.p.schedule(95)
		if s.perEpoch != 10 || s.total != 100 {
			t.Fatalf("%d steps an epoch, %d in all", s.perEpoch, s.total)
		}
		if got := s.at(c.step); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", fmt.Sprint(c.p.LastRate, c.step), got, c.want)
		}
	}
}

// Convex grades carry certificates, in the file too, and choose by rows they do not learn from.
func TestConvexGrades(t *testing.T) {
	grade := GradePlan{Hidden: []int{24}, Carry: true, Normalise: true, Optimiser: Convex}
	m, err := Train(t.Context(), smoothTable(100, 2, 0.1, 1), Config{Plan: []GradePlan{grade, grade}, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	loss := m.Prior().TrainLoss
	for i, g := range m.Grades() {
		c := g.Certificate
		if c == nil || !(c.Gap >= 0 && c.Gap <= 1e-3) || !(c.Lambda > 0 && c.Lambda <= 1) || c.Global {
			t.Errorf("grade %d: certificate %+v", i+1, c)
		}
		if !(g.TrainLoss < loss) || !(g.ValLoss > 0) || len(g.Hidden) != 1 || g.Hidden[0] > 24 {
			t.Errorf("grade %d: %+v, the training loss was %g", i+1, g, loss)
		}
		loss = g.TrainLoss
	}
	grades := m.Grades()
	if len(grades) != 2 {
		t.Fatalf("%d grades, want 2", len(grades))
	}
	if grades[0].TrainLoss > 0.05 || grades[1].TrainLoss > 0.75*grades[0].TrainLoss {
		t.Errorf("training losses %g and %g", grades[0].TrainLoss, grades[1].TrainLoss)
	}
	var file bytes.Buffer
	if _, err := m.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	read, err := ReadModel(&file)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range read.Grades() {
		if *g.Certificate != *m.Grades()[i].Certificate {
			t.Errorf("grade %d: read %+v, written %+v", i+1, *g.Certificate, *m.Grades()[i].Certificate)
		}
	}
	for _, k := range kernel.Available() {
		for _, workers := range []int{1, 3} {
			cfg := Config{Plan: []GradePlan{grade, grade}, Seed: 1, Workers: workers, Kernel: k}
			if testing.Short() && k != kernel.Default() {
				continue
			}
			again, err := Train(t.Context(), smoothTable(100, 2, 0.1, 1), cfg)
			if err != nil || again.Checksum() != m.Checksum() {
				t.Errorf("%s, %d workers: another model, %v", k.Name(), workers, err)
			}
		}
	}
	first, err := m.Truncate(1)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := Train(t.Context(), smoothTable(100, 2, 0.1, 1), Config{Plan: []GradePlan{grade, grade}, Seed: 1, Resume: first})
	if err != nil || rest.Checksum() != m.Checksum() {
		t.Errorf("resumed after a grade: another model, %v", err)
	}
	one, err := Train(t.Context(), waveTable(30, 0), Config{Plan: []GradePlan{{Optimiser: Convex}}, Raw: true})
	if err != nil || !one.Grades()[0].Certificate.Global {
		t.Errorf("one column: %v, %+v: want a global certificate", err, one)
	}
	var config *ConfigError
	if _, err := Train(t.Context(), classTable(60, 1), Config{Plan: []GradePlan{grade}}); !errors.As(err, &config) || config.Field != "Plan" {
		t.Errorf("classes: %v", err)
	}
	for _, wrong := range []GradePlan{{Optimiser: Convex, Hidden: []int{3, 3}}, {Optimiser: Convex, Activation: Sine}} {
		if _, err := Train(t.Context(), waveTable(50, 0), Config{Plan: []GradePlan{wrong}}); !errors.As(err, &config) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
