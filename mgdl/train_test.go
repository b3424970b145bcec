package mgdl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/multigrade/multigrade/kernel"
)

// The tables that training is tested on. Numbers come from a stream, and functions of
// them are made of sums and products only, so that the rows have the same bits on every
// platform.

// smoothTable is a regression on four numbers and a category, of one or two targets.
func smoothTable(n, targets int, noise float64, seed uint64) Data {
	s := newStream(seed, shuffleRows, 1000, 0)
	d := Data{Rows: n, Schema: Schema{Features: plainColumns("x", 5), Targets: plainColumns("y", targets)}}
	d.Schema.Features[4] = Column{Name: "colour", Kind: Category, Levels: []string{"blue", "green", "red"}}
	for range n {
		x := make([]float64, 5)
		for j := range 4 {
			x[j] = float64(2*s.uniform()) - 1
		}
		x[4] = float64(s.intn(3))
		d.X = append(d.X, x...)
		for k := range targets {
			a, b := x[k], x[k+1]
			y := float64(3*float64(a*b)) + float64(2*float64(float64(x[2]*x[2])*x[3])) + float64(float64(0.5*x[4])*a)
			if a+b > 0.3 {
				y += float64(4 * (a + b - 0.3))
			}
			d.Y = append(d.Y, y+float64(noise*s.normal()))
		}
	}
	return d
}

// classTable has three classes: inside a ball, outside of it to the left or to the right.
func classTable(n int, seed uint64) Data {
	s := newStream(seed, shuffleRows, 2000, 0)
	d := Data{Rows: n, Schema: Schema{Task: Classification, Features: plainColumns("x", 3),
		Targets: []Column{{Name: "class", Kind: Category, Levels: []string{"in", "left", "right"}}}}}
	for range n {
		q, class := 0.0, 1.0
		for j := range 3 {
			v := s.normal()
			d.X = append(d.X, v)
			q += float64(v * v)
			if j == 0 && v > 0 {
				class = 2
			}
		}
		if q < 2.4 {
			class = 0
		}
		d.Y = append(d.Y, class)
	}
	return d
}

// small is a configuration that trains in a moment on the portable kernel.
func small() Config {
	return Config{Hidden: []int{16, 8}, Chains: 3, Epochs: 6, Batch: 32, Seed: 5}
}

func mustTrain(t testing.TB, d Data, c Config) *Model {
	t.Helper()
	m, err := Train(t.Context(), d, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The bytes of the model depend neither on the number of workers nor on the kernel.
func TestTrainBits(t *testing.T) {
	for _, c := range []struct {
		name string
		d    Data
		c    func(*Config)
	}{
		{"regression", smoothTable(400, 2, 0.1, 1), func(*Config) {}},
		{"classification", classTable(500, 1), func(*Config) {}},
		{"slots", smoothTable(700, 1, 0.1, 2), func(c *Config) { c.Batch = 300 }},
		{"sine", smoothTable(300, 1, 0.1, 5), func(c *Config) { c.Activation = Sine }},
		{"holdout", smoothTable(300, 1, 0.1, 3), func(c *Config) {
			h := smoothTable(60, 1, 0.1, 4)
			c.Holdout = &h
		}},
		{"waves", rippleTable(1200, 12, 0.05), func(c *Config) { *c = quick() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := small()
			cfg.Grades = 2
			c.c(&cfg)
			want := fileOf(t, mustTrain(t, c.d, cfg))
			for _, w := range []int{2, 3, 7} {
				cfg.Workers = w
				if !slices.Equal(fileOf(t, mustTrain(t, c.d, cfg)), want) {
					t.Errorf("%d workers give other bytes", w)
				}
			}
			for _, k := range kernel.Available() {
				cfg.Kernel = k
				if !slices.Equal(fileOf(t, mustTrain(t, c.d, cfg)), want) {
					t.Errorf("kernel %s gives other bytes", k.Name())
				}
			}
			cfg.Seed++
			if slices.Equal(fileOf(t, mustTrain(t, c.d, cfg)), want) {
				t.Error("another seed gives the same bytes")
			}
		})
	}
}

// Golden runs: seed, data and settings give these models on every platform. A change of a
// checksum is a change of every model.
func TestTrainGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		d    Data
		want string
	}{
		{"regression", smoothTable(300, 1, 0.05, 10), "d222463094a18c03b669139505cf1648c909ecc66b1e8b27ccecd2cca317c110"},
		{"classification", classTable(300, 10), "515a6f7b36f4c0028b2f51fdea77224dfb56153e64f71fbc26c06151b5360eae"},
		{"waves", rippleTable(1200, 12, 0.05), "974cb196f0592332f9e650d04eea394d9ed625007d3bc0937f2ac2ac4629d787"},
		{"linear", linearTable(300), "c6f15d146f85e62bf44a7c903d36203f5a7f33c0c67e3f8161f6b7c139455f0d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := small()
			cfg.Grades = 3
			if c.name == "waves" {
				cfg = quick()
			}
			m := mustTrain(t, c.d, cfg)
			if got := m.Checksum(); got != c.want {
				for _, g := range m.Grades() {
					t.Logf("%s: training loss %v, validation loss %v", g.Kind, g.TrainLoss, g.ValLoss)
				}
				t.Errorf("checksum is %s, want %s", got, c.want)
			}
		})
	}
}

// Whatever the target is, the training loss falls from grade to grade, and it is the loss
// of what the model predicts.
func TestTrainLossFalls(t *testing.T) {
	coins := classTable(200, 20)
	s := newStream(1, shuffleRows, 5000, 0)
	for i := range coins.Y {
		coins.Y[i] = float64(s.intn(3))
	}
	for _, c := range []struct {
		name string
		d    Data
	}{
		{"smooth", smoothTable(300, 2, 0.1, 20)},
		{"classes", classTable(300, 20)},
		{"noise", noiseTable(200, 20)},
		{"coins", coins},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := small()
			cfg.Grades = 6
			m := mustTrain(t, c.d, cfg)
			if len(m.Grades()) < 5 {
				t.Errorf("only %d grades were trained", len(m.Grades()))
			}
			metrics, err := m.Evaluate(c.d)
			if err != nil {
				t.Fatal(err)
			}
			infos := append([]GradeInfo{m.Prior()}, m.Grades()...)
			for k, g := range infos {
				if k > 0 && !(g.TrainLoss < infos[k-1].TrainLoss) {
					t.Errorf("training loss goes from %v to %v in grade %d", infos[k-1].TrainLoss, g.TrainLoss, k)
				}
				loss := metrics[k].LogLoss
				if m.Schema().Task == Regression {
					if len(m.Schema().Targets) > 1 {
						continue // RMSE is over targets of different scales
					}
					loss = math.Pow(metrics[k].RMSE/m.Schema().Targets[0].Scale, 2)
				}
				if math.Abs(g.TrainLoss-loss) > 1e-5*loss {
					t.Errorf("training loss of grade %d is said to be %v and is %v", k, g.TrainLoss, loss)
				}
			}
		})
	}
}

// Residuals are trained at unit size: however small the part of the target is that the
// linear grade leaves over, the first network fits it as well.
func TestTrainRescales(t *testing.T) {
	var first float64
	for i, small := range []float64{1, 1e-2, 1e-4} {
		d := smoothTable(400, 1, 0, 30)
		d.Schema.Features = d.Schema.Features[:4]
		var x []float64
		for r := range d.Rows {
			row := d.X[r*5 : r*5+4]
			x = append(x, row...)
			d.Y[r] = (row[0] + 2*row[1]) + small*(row[0]*row[1]+row[2]*row[3]*row[3])
		}
		d.X = x
		c := Config{Hidden: []int{32, 32}, Chains: 3, Epochs: 30, Batch: 32, Seed: 3}
		m := mustTrain(t, d, c)
		infos := m.Grades()
		if len(infos) < 2 && infos[0].Kind == kindLinear {
			t.Fatalf("part of size %v: only %d grades", small, len(infos))
		}
		// What is left over, relative to the part.
		left := math.Sqrt(infos[len(infos)-1].ValLoss) * m.Schema().Targets[0].Scale / small
		if i == 0 {
			first = left
		}
		if left > 2*first {
			t.Errorf("part of size %v: %v of it is left over, of the part of size 1 %v", small, left, first)
		}
	}
}

// The recipe learns what there is to learn, and says how much on rows it has not seen.
func TestTrainQuality(t *testing.T) {
	cfg := Config{Hidden: []int{24, 24}, Chains: 4, Epochs: 25, Seed: 1}
	d, test := smoothTable(600, 1, 0.1, 40), smoothTable(500, 1, 0.1, 41)
	m := mustTrain(t, d, cfg)
	metrics, err := m.Evaluate(test)
	if err != nil {
		t.Fatal(err)
	}
	last := metrics[len(metrics)-1]
	if last.R2 < 0.97 {
		t.Errorf("R² on new rows is %v", last.R2)
	}
	if said := m.Grades()[len(m.Grades())-1].ValLoss; said < 0.5*(1-last.R2) || said > 3*(1-last.R2) {
		t.Errorf("validation loss is %v, on new rows it is %v", said, 1-last.R2)
	}

	c, test := classTable(600, 42), classTable(500, 43)
	m = mustTrain(t, c, cfg)
	if metrics, err = m.Evaluate(test); err != nil {
		t.Fatal(err)
	}
	if last = metrics[len(metrics)-1]; last.Accuracy < 0.92 {
		t.Errorf("accuracy on new rows is %v", last.Accuracy)
	}
	if linear := metrics[1]; linear.Accuracy > 0.8 {
		t.Errorf("accuracy of the linear grade is %v: the table is too easy", linear.Accuracy)
	}
}

// noiseTable is a table whose target has nothing to do with its features.
func noiseTable(n int, seed uint64) Data {
	d := smoothTable(n, 1, 0, seed)
	s := newStream(seed, shuffleRows, 3000, 0)
	for i := range d.Y {
		d.Y[i] = s.normal()
	}
	return d
}

// The gate keeps noise out: what looks like a gain is within two standard errors.
func TestTrainOnNoise(t *testing.T) {
	for seed := range uint64(6) {
		cfg := Config{Epochs: 10, Hidden: []int{32, 16}, Chains: 4, Seed: seed}
		if m := mustTrain(t, noiseTable(240, seed), cfg); len(m.Grades()) > 0 {
			t.Errorf("seed %d: %d grades were accepted", seed, len(m.Grades()))
		}
	}
}

// Validation losses are honest: no chain that has seen a row has a say on it. Grades that
// are forced to learn noise by heart leave them where they were.
func TestTrainHeldOut(t *testing.T) {
	d := noiseTable(120, 3)
	d.Schema.Features[4].Levels = nil // and a category that lets the linear grade do it
	for i := range 60 {
		d.Schema.Features[4].Levels = append(d.Schema.Features[4].Levels, fmt.Sprint(i))
	}
	for r := range d.Rows {
		d.X[r*5+4] = float64(r % 60)
	}
	cfg := Config{Grades: 3, Epochs: 40, Batch: 16, Hidden: []int{32, 16}, Chains: 8, Seed: 2}
	m := mustTrain(t, d, cfg)
	prior, last := m.Prior(), m.Grades()[len(m.Grades())-1]
	if last.TrainLoss > 0.8*prior.TrainLoss {
		t.Fatalf("training loss is %v: too little was learned by heart", last.TrainLoss)
	}
	if last.ValLoss < 0.95*prior.ValLoss {
		t.Errorf("validation loss goes from %v to %v on noise", prior.ValLoss, last.ValLoss)
	}

	ctx := t.Context()
	tr, err := newTrainer(ctx, d, &cfg)
	if err != nil {
		t.Fatal(err)
	}
	linear, err := tr.linear(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if v := mean(linear.held); v < 0.95*prior.ValLoss {
		t.Errorf("validation loss goes from %v to %v by a linear grade on noise", prior.ValLoss, v)
	}
}

// A chain keeps the check that was best on its fold, not the last one.
func TestTrainKeepsBest(t *testing.T) {
	d := smoothTable(120, 1, 2, 5)
	m := mustTrain(t, d, Config{Grades: 1, Epochs: 200, Hidden: []int{64}, Chains: 1, Validation: 0.3, Seed: 1})
	g := m.Grades()[len(m.Grades())-1]
	best := math.Inf(1)
	for _, c := range g.Curve {
		best = min(best, c.ValLoss)
	}
	if last := g.Curve[len(g.Curve)-1].ValLoss; last < 1.01*best {
		t.Fatalf("the last check is as good as the best, %v: nothing was tested", last)
	}
	if g.ValLoss > 1.00001*best { // clamping may make it smaller
		t.Errorf("validation loss is %v, the best check had %v", g.ValLoss, best)
	}
}

// A checkpoint and a resumed run end in the bytes of an uninterrupted one.
func TestTrainResume(t *testing.T) {
	for _, c := range []struct {
		name string
		d    Data
		set  func(*Config)
	}{
		{"regression", smoothTable(400, 1, 0.1, 50), func(*Config) {}},
		{"classification", classTable(400, 50), func(*Config) {}},
		{"linear", linearTable(300), func(*Config) {}},
		{"holdout", classTable(300, 51), func(c *Config) {
			h := classTable(80, 52)
			c.Holdout = &h
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := small()
			cfg.Grades = 3
			c.set(&cfg)
			var saved []*Model
			cfg.Checkpoint = func(m *Model) error {
				saved = append(saved, m)
				return nil
			}
			want := mustTrain(t, c.d, cfg)
			cfg.Checkpoint = nil
			if len(saved) != 2 {
				t.Fatalf("%d checkpoints, want 2", len(saved))
			}
			first, err := want.Truncate(1) // a linear grade alone, or the first network
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range append(saved, first, want) {
				cfg.Resume = m.WithMeta("note", "checkpoint")
				if got := mustTrain(t, c.d, cfg); !slices.Equal(fileOf(t, got), fileOf(t, want)) {
					t.Errorf("resumed from checkpoint %d of %d grades: other bytes", i, len(m.grades))
				}
			}

			var config *ConfigError
			cfg.Seed++
			if _, err := Train(t.Context(), c.d, cfg); !errors.As(err, &config) || config.Field != "Resume" {
				t.Errorf("resumed with another seed: %v", err)
			}
			other := c.d
			other.Y = slices.Clone(other.Y)
			slices.Reverse(other.Y)
			other.X = slices.Clone(other.X)
			other.X[0] += 0.25
			if _, err := Train(t.Context(), other, cfg); !errors.As(err, &config) {
				t.Errorf("resumed on other data: %v", err)
			}
		})
	}
}

// linearTable is a target that the linear grade fits nearly, so that it stays.
func linearTable(n int) Data {
	d := smoothTable(n, 1, 0, 60)
	for r := range n {
		x := d.X[r*5 : r*5+5]
		d.Y[r] = x[0] - float64(2*x[1]) + float64(0.02*float64(x[0]*x[2]))
	}
	return d
}

// A cancelled run returns the grades that were finished.
func TestTrainCancel(t *testing.T) {
	for grade := 1; grade <= 4; grade++ {
		for _, d := range []Data{smoothTable(300, 1, 0.1, 70), classTable(300, 70), linearTable(300)} {
			ctx, cancel := context.WithCancel(t.Context())
			finished, cancelled := 0, false
			cfg := small()
			cfg.Grades = 4
			cfg.Progress = func(p Progress) {
				if p.Finished != nil && p.Accepted {
					finished++
				}
				if p.Grade == grade && p.Finished == nil && p.Step > 2 {
					cancelled = true
					cancel()
				}
			}
			m, err := Train(ctx, d, cfg)
			cancel()
			if !cancelled {
				continue // there was no such grade, or it was linear
			}
			if err != context.Canceled {
				t.Fatalf("error is %v", err)
			}
			if m == nil && finished > 0 || m != nil && len(m.Grades()) != finished {
				t.Errorf("cancelled in grade %d: %d grades were finished, the model is %v", grade, finished, m)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if m, err := Train(ctx, classTable(100, 1), Config{}); m != nil || err != context.Canceled {
		t.Errorf("cancelled before the start: %v, %v", m, err)
	}
}

// Cancelled while it takes over a checkpoint, a run gives the checkpoint back.
func TestTrainCancelResume(t *testing.T) {
	d, cfg := smoothTable(300, 1, 0.1, 71), small()
	cfg.Resume = mustTrain(t, d, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if m, err := Train(ctx, d, cfg); m != cfg.Resume || err != context.Canceled {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestTrainProgress(t *testing.T) {
	cfg := small()
	cfg.Workers = 3
	var last Progress
	reports, finished := 0, 0
	inside := false
	cfg.Progress = func(p Progress) {
		if inside {
			t.Error("called from two goroutines at once")
		}
		inside = true
		defer func() { inside = false }()
		if p.Elapsed < last.Elapsed || p.Grade < 1 || p.Grade > p.GradesMost {
			t.Errorf("report %+v after %+v", p, last)
		}
		if p.Finished == nil {
			reports++
			if p.Step > p.Steps || p.Step <= 0 || !(p.TrainLoss > 0) || !(p.ValLoss > 0) || !(p.Epoch > 0) {
				t.Errorf("report %+v", p)
			}
		} else {
			finished++
			g := p.Finished
			if g.Params == 0 || g.Kind == kindReLU && (len(g.Curve) == 0 || g.Networks != 3 || len(g.Hidden) != 2) {
				t.Errorf("finished %+v", g)
			}
		}
		last = p
	}
	m := mustTrain(t, smoothTable(400, 1, 0.1, 80), cfg)
	if reports < 20 || finished < len(m.Grades()) {
		t.Errorf("%d reports, %d of them about finished grades", reports, finished)
	}
	for _, g := range m.Grades() {
		for i, c := range g.Curve {
			if i > 0 && c.Epoch <= g.Curve[i-1].Epoch {
				t.Errorf("curve goes from epoch %v to %v", g.Curve[i-1].Epoch, c.Epoch)
			}
		}
	}
}

func TestTrainCheckpointError(t *testing.T) {
	cfg := small()
	cfg.Grades = 2
	stop := errors.New("disk full")
	cfg.Checkpoint = func(*Model) error { return stop }
	if _, err := Train(t.Context(), smoothTable(200, 1, 0, 1), cfg); !errors.Is(err, stop) {
		t.Errorf("error is %v", err)
	}
}

// Every size of table from two rows on is trained on, in every regime of the settings.
func TestTrainTiny(t *testing.T) {
	for n := 2; n <= 24; n++ {
		for _, grades := range []int{0, 2} {
			d, c := smoothTable(n, 2, 0.1, uint64(n)), classTable(n, uint64(n))
			c.Y[0], c.Y[1] = 0, 1
			for _, data := range []Data{d, c} {
				m := mustTrain(t, data, Config{Grades: grades, Epochs: 4, Hidden: []int{4}, Workers: 2})
				metrics, err := m.Evaluate(data)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range metrics {
					if v.RMSE*0 != 0 || v.LogLoss*0 != 0 {
						t.Fatalf("%d rows: metrics %+v", n, v)
					}
				}
			}
		}
	}
}

// Shapes at the edges: as many classes as rows and more, one wide category, narrow and
// single layers, a batch above the rows, more chains than rows.
func TestTrainShapes(t *testing.T) {
	many := classTable(60, 90)
	many.Schema.Targets[0].Levels = nil
	for i := range 100 {
		many.Schema.Targets[0].Levels = append(many.Schema.Targets[0].Levels, fmt.Sprint(i))
	}
	for i := range many.Y {
		many.Y[i] = float64(i)
	}
	wide := smoothTable(50, 1, 0.1, 91)
	wide.Schema.Features[4].Levels = nil
	for i := range gramMost {
		wide.Schema.Features[4].Levels = append(wide.Schema.Features[4].Levels, fmt.Sprint(i))
	}
	constant := smoothTable(50, 1, 0.1, 92)
	for i := range constant.Rows {
		constant.X[i*5+1] = 7
	}
	for _, c := range []struct {
		name string
		d    Data
		c    Config
	}{
		{"more classes than rows", many, small()},
		{"category of many levels", wide, small()},
		{"constant column", constant, small()},
		{"batch above rows", smoothTable(40, 1, 0.1, 93), Config{Batch: 1000, Epochs: 5, Hidden: []int{8}}},
		{"chains above rows", smoothTable(5, 1, 0.1, 94), Config{Chains: 50, Epochs: 5, Hidden: []int{8}}},
		{"one chain", smoothTable(50, 1, 0.1, 95), Config{Chains: 1, Grades: 2, Epochs: 5, Hidden: []int{1}}},
		{"deep", smoothTable(50, 1, 0.1, 96), Config{Chains: 1, Grades: 2, Epochs: 5, Hidden: []int{9, 3, 40, 2}}},
		{"large share held out", smoothTable(50, 1, 0.1, 97), Config{Chains: 1, Validation: 0.99, Epochs: 5, Hidden: []int{8}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := mustTrain(t, c.d, c.c)
			if _, err := m.Evaluate(c.d); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTrainErrors(t *testing.T) {
	d := smoothTable(50, 1, 0.1, 1)
	other := classTable(20, 1)
	none := Data{Schema: d.Schema}
	for _, c := range []struct {
		field string
		c     Config
	}{
		{"Grades", Config{Grades: -1}},
		{"Grades", Config{Grades: mostGrades + 1}},
		{"Chains", Config{Chains: -1}},
		{"Epochs", Config{Epochs: -1}},
		{"Batch", Config{Batch: -2}},
		{"Workers", Config{Workers: -1}},
		{"Hidden", Config{Hidden: []int{4, 0}}},
		{"Hidden", Config{Hidden: []int{1 << 30}}},
		{"Hidden", Config{Hidden: make([]int, 1000)}},
		{"LearningRate", Config{LearningRate: math.NaN()}},
		{"LearningRate", Config{LearningRate: -1}},
		{"Validation", Config{Validation: 1}},
		{"Validation", Config{Validation: math.Inf(1)}},
		{"Holdout", Config{Holdout: &none}},
		{"Resume", Config{Resume: mustTrain(t, other, small())}},
	} {
		m, err := Train(t.Context(), d, c.c)
		var config *ConfigError
		if m != nil || !errors.As(err, &config) || config.Field != c.field {
			t.Errorf("%s: got %v, %v", c.field, m, err)
		}
	}
	if _, err := Train(t.Context(), d, Config{Holdout: &other}); err == nil {
		t.Error("a holdout of another table was accepted")
	}
	if _, err := Train(t.Context(), Data{}, Config{}); err == nil {
		t.Error("no data was accepted")
	}
}

func TestTrainDiverges(t *testing.T) {
	cfg := small()
	cfg.LearningRate = 1000
	cfg.Grades = 3
	cfg.Hidden = []int{64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64}
	m, err := Train(t.Context(), classTable(300, 1), cfg)
	if !errors.Is(err, ErrDiverged) {
		t.Fatalf("error is %v", err)
	}
	if m == nil || len(m.Grades()) == 0 {
		t.Error("the linear grade was finished and is not returned")
	}
}

// Rows the caller gives for validation decide, and are not learned from.
func TestTrainHoldout(t *testing.T) {
	d, h := smoothTable(300, 1, 0.1, 98), smoothTable(100, 1, 0.1, 99)
	cfg := small()
	cfg.Holdout = &h
	m := mustTrain(t, d, cfg)
	metrics, err := m.Evaluate(h)
	if err != nil {
		t.Fatal(err)
	}
	for k, g := range m.Grades() {
		want := math.Pow(metrics[k+1].RMSE/m.Schema().Targets[0].Scale, 2)
		if math.Abs(g.ValLoss-want) > 1e-5*want {
			t.Errorf("validation loss of grade %d is %v, on the holdout it is %v", k+1, g.ValLoss, want)
		}
	}
}

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		n, inputs                int
		chains, held, fit, batch int
		first, later             float64
	}{
		{2, 8, 2, 1, 1, 1, 100, 100},
		{10, 8, 8, 1, 9, 9, 100, 100},
		{354, 8, 8, 44, 310, 32, 100, 100},
		{2344, 8, 8, 293, 2051, 32, 100, 100},
		{2344, 40, 8, 293, 2051, 32, 80, 64},
		{2344, 300, 8, 293, 2051, 32, 50, 25},
		{16000, 8, 4, 2000, 14000, 256, 1e6 / 14000.0, 5e5 / 14000.0},
		{43152, 8, 4, 4000, 39152, 256, 1e6 / 39152.0, 5e5 / 39152.0},
		{350_000, 8, 4, 4000, 346_000, 256, 20, 10},
		{500_000, 8, 2, 4000, 496_000, 256, 20, 10},
		{2_000_000, 8, 1, 4000, 1_996_000, 256, 20, 10},
	} {
		var cfg Config
		r := cfg.resolve(c.n, c.inputs)
		if r.chains != c.chains || r.held != c.held || r.fit != c.fit || r.batch != c.batch || r.epochs != [2]float64{c.first, c.later} {
			t.Errorf("%d rows, %d inputs: %+v", c.n, c.inputs, r)
		}
	}
}
