package mgdl

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/multigrade/multigrade/kernel"
)

// Train returns a model of d. cfg's zero value is the default recipe:
//
//   - Rows are shuffled, and each of several chains holds out its own fold. Every choice
//     is made on the pooled held-out rows, so nothing is trained twice.
//   - The first grade is linear, solved by itself, if it beats the prior.
//   - Then up to three networks follow in each chain, each on the inputs and its own
//     predecessor's last hidden layer, fitted to the chain's own residual at unit RMS, or
//     to what its logits leave over. For regression the first network starts from the
//     prior, and takes the place of the linear grade if that is better.
//   - A grade is accepted if it lowers the held-out loss by more than two standard errors
//     of the paired difference, and the training loss at all. The first one that is not
//     ends the training. If Config.Grades is given, only the training loss counts.
//   - Where there are at most three inputs, all numbers, and each chain has a thousand rows
//     and more, two grades are trained from the prior as rivals of all of these: one of waves,
//     the sine and the cosine of octaves of each input, with a solved readout, and a network
//     that sees the inputs and the waves. If the held-out rows prefer them by the same two
//     standard errors, the model begins with them and goes on, up to three network grades.
//     This is for regression, and neither with Config.Grades nor with sine.
//
// The model's bytes depend on d, the seed and the settings above Workers in Config:
// neither on the machine nor on the number of workers. d is left as it is; if its Schema
// has no Clip, 4 is used.
//
// An error that ends a training that has begun comes with the model of the grades that
// were finished, nil if there is none: ctx.Err(), within about a tenth of a second after
// ctx is done; ErrDiverged; one from Config.Checkpoint. A *ConfigError is about cfg; other
// errors are about d.
func Train(ctx context.Context, d Data, cfg Config) (*Model, error) {
	t, err := newTrainer(ctx, d, &cfg)
	if err == nil && cfg.Resume != nil {
		err = t.resume(ctx, cfg.Resume)
	}
	if err != nil {
		if err == ctx.Err() {
			return cfg.Resume, err
		}
		return nil, err
	}
	err = t.run(ctx)
	if err == ErrDiverged {
		t.training = nil // it is no use to go on
	}
	if err != nil && len(t.grades) == 0 && t.training == nil {
		return nil, err
	}
	m, modelErr := t.model()
	if modelErr != nil {
		return nil, modelErr
	}
	return m, err
}

// A trainer is one run of Train.
type trainer struct {
	recipe recipe
	table
	k       kernel.Kernel
	start   time.Time
	schema  Schema
	outputs int
	prior   []float32
	base    GradeInfo // of the prior
	holdout bool
	chains  []*chain
	grades  []grade
	done    int // network grades among them

	waved      bool // network grade 0 is one of waves
	rivalsNext bool // a checkpoint says that all grades are done but their rivals

	checkpoint func(*Model) error
	every      time.Duration         // between checkpoints while a grade is trained; 0: none
	saved      time.Time             // the last one
	training   func() *trainingState // of the network in training; nil: none is
	attempt    int                   // networks of this grade that were begun
	complete   bool                  // the model is what was asked for
	restored   *trainingState        // of a checkpoint, until its network is begun

	sums      kernel.Matrix // outputs of the model so far for every row of the table, as it predicts them
	held      []float64     // their losses on the held-out rows
	trainLoss float64       // and mean loss on the training rows
}

func newTrainer(ctx context.Context, d Data, cfg *Config) (*trainer, error) {
	start := time.Now()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if d.Schema.Clip == 0 && !cfg.Raw {
		d.Schema.Clip = inputClip
	}
	schema, x, y, class, err := prepare(ctx, d, cfg.Raw)
	if err != nil {
		return nil, err
	}
	t := &trainer{recipe: cfg.resolve(d.Rows, x.Cols), k: cfg.Kernel, start: start, checkpoint: cfg.Checkpoint, every: cfg.CheckpointEvery, schema: schema, outputs: schema.outputs()}
	t.table = table{labels{y: y, class: class}, x, d.Rows}
	if class == nil {
		t.lo, t.hi = schema.targetRange()
	}
	t.shuffle(ctx, newStream(t.recipe.seed, shuffleRows, 0, 0))
	if cfg.Holdout != nil {
		x, y, class, err := schema.encode(*cfg.Holdout)
		if err != nil {
			return nil, fmt.Errorf("%w (in the holdout)", err)
		}
		t.holdout = true
		t.join(x, y, class)
	}
	if t.x.Rows > math.MaxInt32 {
		return nil, fmt.Errorf("mgdl: %d rows are more than %d", t.x.Rows, math.MaxInt32)
	}
	t.setPrior()
	for e := range t.recipe.chains {
		held := span{e * t.recipe.held, (e + 1) * t.recipe.held}
		if t.holdout {
			held = span{t.n, t.x.Rows}
		}
		t.chains = append(t.chains, &chain{id: e, held: held})
	}
	if err := t.restart(ctx); err != nil {
		return nil, err
	}
	t.base = GradeInfo{TrainLoss: t.trainLoss, ValLoss: mean(t.held)}
	return t, nil
}

// setPrior sets the prior: 0, the mean of standardised targets, or log (n_c + ½)/(n + C/2)
// for class c of C, which n_c of n rows have.
func (t *trainer) setPrior() {
	t.prior = make([]float32, t.outputs)
	if t.class == nil {
		return
	}
	counts := make([]float64, t.outputs)
	for _, c := range t.class[:t.n] {
		counts[c]++
	}
	total := logf64(float64(t.n) + float64(0.5*float64(t.outputs)))
	for c, n := range counts {
		t.prior[c] = float32(logf64(n+0.5) - total)
	}
}

// constant returns the prior for every row of the table.
func (t *trainer) constant() kernel.Matrix {
	m := kernel.NewMatrix(t.x.Rows, t.outputs)
	for i := range m.Rows {
		copy(m.Row(i), t.prior)
	}
	return m
}

// restart returns the sums and the losses to those of the prior.
func (t *trainer) restart(ctx context.Context) error {
	t.forget()
	var none candidate
	if err := t.assess(ctx, &none); err != nil {
		return err
	}
	t.held, t.trainLoss = none.held, none.trainLoss
	return nil
}

// forget sets all sums to the prior.
func (t *trainer) forget() {
	t.sums = t.constant()
	for _, c := range t.chains {
		c.sums = t.constant()
	}
}

// run trains all grades, and those of waves if there are any to be tried.
func (t *trainer) run(ctx context.Context) error {
	t.saved = time.Now()
	if !t.rivalsNext {
		if err := t.runGrades(ctx); err != nil {
			return err
		}
	}
	if t.wavy() && !t.waved {
		more, err := t.rivals(ctx)
		if err != nil {
			return err
		}
		if more {
			if err := t.runGrades(ctx); err != nil {
				return err
			}
		}
	}
	t.complete = true
	return nil
}

// runGrades trains grade by grade, from network grade t.done on.
func (t *trainer) runGrades(ctx context.Context) error {
	for ; t.done < t.recipe.grades; t.done++ {
		t.attempt = 0
		more, err := t.grade(ctx, t.done)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if t.checkpoint != nil && t.done < t.recipe.grades-1 {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// model returns the model of the accepted grades.
func (t *trainer) model() (*Model, error) {
	m, err := newModel(t.schema, t.prior, t.base, slices.Clone(t.grades), nil)
	if err != nil || t.complete {
		return m, err
	}
	m.training = &trainingState{grade: -1}
	if t.training != nil {
		m.training = t.training()
	}
	m.training.settings = t.recipe.settings()
	return m, nil
}

// same reports whether two losses are equal, or both unknown.
func same(a, b float64) bool { return a == b || a != a && b != b }

// resume takes over the grades of m, running each again on all rows.
func (t *trainer) resume(ctx context.Context, m *Model) error {
	if !bytes.Equal(m.schema.append(nil), t.schema.append(nil)) || !slices.Equal(m.prior, t.prior) {
		return &ConfigError{"Resume", "the model was trained on other data"}
	}
	if m.training != nil {
		if err := sameSettings(t.recipe.settings(), m.training.settings); err != nil {
			return err
		}
	}
	if !same(m.prior0.TrainLoss, t.base.TrainLoss) || !same(m.prior0.ValLoss, t.base.ValLoss) {
		return &ConfigError{"Resume", "the model was trained on other data, or validated on other rows"}
	}
	if m.Unfinished() {
		t.restored = m.training
	}
	if r := t.restored; r != nil && r.grade == wavesGrade && r.attempt == wavesAttempt && t.wavy() {
		t.rivalsNext = true
	}
	if len(m.grades) == 1 && m.grades[0].linear() && t.recipe.plan == nil && !t.rivalsNext {
		return nil // whether it stays is decided with the first network
	}
	other := &ConfigError{"Resume", "the model was trained on other data or with other settings"}
	for i := range m.grades {
		g := &m.grades[i]
		c := &candidate{networks: g.networks}
		var err error
		switch {
		case g.linear() && i == 0:
			c, err = t.linear(ctx) // for the chains' own solutions
			if err == nil && !slices.Equal(c.networks[0].out.w.Data, g.networks[0].out.w.Data) {
				err = other
			}
		case g.linear() || len(g.networks) != len(t.chains) || !t.waveGrade(i, g) && !slices.Equal(g.info.Hidden, t.recipe.widths(i)):
			err = other
		default:
			t.waved = t.waved || t.waveGrade(i, g)
			if err = t.compute(ctx, c, c.networks, true); err == nil {
				c.mean = average(t.k, c.outs)
				err = t.assess(ctx, c)
			}
			t.done++
		}
		if err != nil {
			return err
		}
		if c.trainLoss != g.info.TrainLoss {
			return other
		}
		c.info = g.info.clone()
		t.accept(c)
	}
	return nil
}
