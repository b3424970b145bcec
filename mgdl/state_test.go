package mgdl

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// unfinishedCases are runs whose grades end in every way.
func unfinishedCases() map[string]struct {
	d Data
	c Config
} {
	recipe := small()
	recipe.Grades = 2
	holdout := smoothTable(60, 1, 0.1, 4)
	held := recipe
	sine := recipe
	sine.Activation = Sine
	held.Holdout = &holdout
	chosen := small() // by validation
	overfits := Config{Grades: 1, Epochs: 100, Hidden: []int{64}, Chains: 1, Validation: 0.3, Seed: 1}
	return map[string]struct {
		d Data
		c Config
	}{
		"regression":     {smoothTable(300, 1, 0.1, 50), recipe},
		"classification": {classTable(300, 50), recipe},
		"linear":         {linearTable(300), recipe},
		"chosen":         {smoothTable(300, 1, 1, 50), chosen},
		"overfits":       {smoothTable(120, 1, 2, 5), overfits},
		"sine":           {smoothTable(300, 1, 0.1, 50), sine},
		"holdout":        {smoothTable(300, 1, 0.1, 50), held},
		"waves":          {rippleTable(1200, 12, 0.05), quick()},
		"no waves":       {rippleTable(1200, 0.4, 0.3), quick()},
		"ramps":          {waveTable(300, 0), planConfig(plans()["ramps"])},
		"papers":         {waveTable(300, 0), planConfig(plans()["papers"])},
	}
}

// A checkpoint from anywhere inside a grade, read back from its file, ends in the bytes of an
// uninterrupted run; and it is a model of the finished grades.
func TestResumeAnywhere(t *testing.T) {
	for name, c := range unfinishedCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := fileOf(t, mustTrain(t, c.d, c.c))
			var files [][]byte
			inside := 0
			cfg := c.c
			cfg.CheckpointEvery = 1
			cfg.Checkpoint = func(m *Model) error {
				if m.Unfinished() {
					inside++
				}
				if inside%31 == 1 || !m.Unfinished() {
					files = append(files, fileOf(t, m))
				}
				return nil
			}
			if !slices.Equal(fileOf(t, mustTrain(t, c.d, cfg)), want) {
				t.Fatal("checkpoints change the model")
			}
			if inside < 50 {
				t.Fatalf("%d checkpoints inside grades", inside)
			}
			attempts := map[[2]int]bool{}
			for i, file := range files {
				m, err := ReadModel(bytes.NewReader(file))
				if err != nil {
					t.Fatal(err)
				}
				attempts[[2]int{m.training.grade, m.training.attempt}] = true
				if again := fileOf(t, m.WithMeta("a", "b").WithMeta("a", "")); !slices.Equal(again, file) {
					t.Fatal("a checkpoint is written with other bytes")
				}
				resumed := c.c
				resumed.Resume = m
				first := true
				resumed.Progress = func(p Progress) {
					if first && p.Finished == nil {
						first = false
						if p.Step <= m.training.step {
							t.Errorf("resumed at step %d, training is back at %d", m.training.step, p.Step)
						}
					}
				}
				if !slices.Equal(fileOf(t, mustTrain(t, c.d, resumed)), want) {
					t.Errorf("resumed from checkpoint %d, grade %d, step %d: other bytes", i, m.training.grade, m.training.learners[0].step)
				}
				if _, err := m.Evaluate(c.d); err != nil {
					t.Error(err)
				}
			}
			if name == "linear" && !attempts[[2]int{0, 2}] {
				t.Errorf("no checkpoint of a second network after the linear grade: %v", attempts)
			}
			if strings.HasSuffix(name, "waves") && !attempts[[2]int{wavesGrade, wavesAttempt}] {
				t.Errorf("no checkpoint of a network on waves: %v", attempts)
			}
		})
	}
}

// Cancelled inside a grade, a run returns what it can be resumed from; so it can be cancelled
// again and again.
func TestCancelAnywhere(t *testing.T) {
	for name, c := range unfinishedCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := fileOf(t, mustTrain(t, c.d, c.c))
			cfg := c.c
			cfg.Workers = 2
			cancelled := 0
			for reports := 7; ; reports += 5 {
				ctx, cancel := context.WithCancel(t.Context())
				left := reports
				cfg.Progress = func(Progress) {
					if left--; left == 0 {
						cancel()
					}
				}
				m, err := Train(ctx, c.d, cfg)
				cancel()
				if err == nil {
					if !slices.Equal(fileOf(t, m), want) {
						t.Error("other bytes in the end")
					}
					break
				}
				if !errors.Is(err, context.Canceled) || m == nil {
					t.Fatalf("%v, model %v", err, m)
				}
				cancelled++
				cfg.Resume = m
			}
			if cancelled < 2 {
				t.Errorf("cancelled %d times", cancelled)
			}
		})
	}
}

// An exhausted context is done after a number of looks at it.
type exhausted struct {
	context.Context
	looks int
}

func (c *exhausted) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

// A run that is cancelled at any look at its context, in a step, a check or between them,
// ends in the same bytes.
func TestCancelAtAnyLook(t *testing.T) {
	for name, c := range unfinishedCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := fileOf(t, mustTrain(t, c.d, c.c))
			cfg := c.c
			for looks := 40; ; looks += 47 {
				m, err := Train(&exhausted{t.Context(), looks}, c.d, cfg)
				if err == nil {
					if !slices.Equal(fileOf(t, m), want) {
						t.Error("other bytes in the end")
					}
					return
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if m != nil {
					cfg.Resume = m
				}
			}
		})
	}
}

// A checkpoint is refused, with what differs, by a run with other settings or other data.
func TestResumeRefuses(t *testing.T) {
	d := smoothTable(300, 1, 0.1, 50)
	cfg := small()
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Progress = func(p Progress) {
		if p.Step > 3 {
			cancel()
		}
	}
	m, err := Train(ctx, d, cfg)
	if err != context.Canceled || !m.Unfinished() {
		t.Fatalf("%v, %v", m, err)
	}
	for want, change := range map[string]func(*Config){
		"Seed is 6 here and was 5":                func(c *Config) { c.Seed = 6 },
		"Hidden is [16] here and was [16 8]":      func(c *Config) { c.Hidden = []int{16} },
		"Batch is 16 here and was 32":             func(c *Config) { c.Batch = 16 },
		"Epochs is [7 3.5] here and was [6 3]":    func(c *Config) { c.Epochs = 7 },
		"LearningRate is 0.001 here and was 0.01": func(c *Config) { c.LearningRate = 1e-3 },
		"Chains is 2 here and was 3":              func(c *Config) { c.Chains = 2 },
		"Grades is 2 here and was 3":              func(c *Config) { c.Grades = 2 },
		"Grades given is true here and was false": func(c *Config) { c.Grades = 3 },
		"Validation rows is 30 here and was 37":   func(c *Config) { c.Validation = 0.1 },
		"the model was trained on other data":     nil,
	} {
		other, data := small(), d
		other.Resume = m
		if change != nil {
			change(&other)
		} else {
			data = smoothTable(300, 1, 0.1, 51)
		}
		_, err := Train(t.Context(), data, other)
		var config *ConfigError
		if !errors.As(err, &config) || config.Field != "Resume" || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A checkpoint is refused where the holdout is another one.
func TestResumeRefusesHoldout(t *testing.T) {
	d, h := classTable(300, 1), classTable(50, 2)
	cfg := small()
	cfg.Holdout = &h
	m := mustTrain(t, d, cfg)
	other := classTable(50, 3)
	cfg.Holdout, cfg.Resume = &other, m
	var config *ConfigError
	if _, err := Train(t.Context(), d, cfg); !errors.As(err, &config) || !strings.Contains(err.Error(), "validated on other rows") {
		t.Error(err)
	}
}

// Every byte of a checkpoint counts, those of the state too.
func TestCheckpointDamaged(t *testing.T) {
	var file []byte
	cfg := small()
	cfg.CheckpointEvery = 1
	enough := errors.New("enough")
	cfg.Checkpoint = func(m *Model) error {
		file = fileOf(t, m)
		return enough
	}
	if _, err := Train(t.Context(), classTable(200, 1), cfg); !errors.Is(err, enough) {
		t.Fatal(err)
	}
	for i := 0; i < len(file); i += 1 + len(file)/500 {
		damaged := slices.Clone(file)
		damaged[i] ^= 0x10
		if _, err := ReadModel(bytes.NewReader(damaged)); err == nil {
			t.Errorf("byte %d of %d has changed, and the checkpoint is read", i, len(file))
		}
		if _, err := ReadModel(bytes.NewReader(file[:i])); err == nil {
			t.Errorf("%d of %d bytes are read", i, len(file))
		}
	}
}

// A state that is cut off or changed is refused or read, but never a panic or a large memory.
func TestReadStateDamaged(t *testing.T) {
	s := &trainingState{settings: "Seed 1\n", grade: 1, attempt: 1, step: 3, curve: []Check{{1, 2, 3}},
		learners: []learnerState{{step: 3, at: 2, shuffles: 1, vectors: [][]float32{{1, 2, 3}, {4}}}}}
	b := s.append(nil)
	back, err := readState(b)
	if err != nil || !slices.Equal(back.append(nil), b) {
		t.Fatalf("%v, %v", back, err)
	}
	for n := range b {
		if _, err := readState(b[:n]); err == nil {
			t.Errorf("%d of %d bytes are read", n, len(b))
		}
	}
	if _, err := readState(append(slices.Clone(b), 0)); err == nil {
		t.Error("a byte behind is read")
	}
	for i := range b {
		c := slices.Clone(b)
		c[i] ^= 0xff
		readState(c)
	}
}

// A run that diverges returns the grades that were accepted, and nothing to go on from.
func TestDivergedKeepsGrades(t *testing.T) {
	plan := []GradePlan{
		{Hidden: []int{16}, Start: StartRamps, Normalise: true, Epochs: 20, Batch: 32, Rate: 1e-3},
		{Hidden: []int{8}, Start: StartHeNormal, Epochs: 1000, Optimiser: Descent, Rate: 1000, LastRate: 1000},
	}
	m, err := Train(t.Context(), waveTable(200, 0), Config{Plan: plan, Raw: true})
	if !errors.Is(err, ErrDiverged) || m == nil || len(m.Grades()) != 1 || m.Unfinished() {
		t.Fatalf("%v, %v", m, err)
	}
}
