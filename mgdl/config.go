package mgdl

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/multigrade/multigrade/kernel"
)

// Config says how to train. The zero value is the default recipe: every zero field
// is replaced by a value that depends on the shape of the data alone, never on its
// name. Results depend on the data, the fields above Workers, and nothing else.
type Config struct {
	Grades       int        // network grades, while the training loss falls; 0 means up to 3, chosen by validation, as are waves (see Train)
	Hidden       []int      // hidden widths of a grade, but for one of waves; nil means 64, 64
	Activation   Activation // of all network grades
	Chains       int        // independent chains whose mean is the model; 0 means 4 to 8 by rows, fewer above 350,000
	Epochs       int        // passes over the rows for the first network grade, later ones half; 0 means 20 to 100 by rows
	Batch        int        // rows a step; 0 means 32 to 256 by rows
	LearningRate float64    // peak of the schedule; 0 means 1e-2
	Validation   float64    // share of the rows each chain holds out, at most 1/Chains; 0 means 1/8, at most 4000 rows
	// Plan, if not nil, is followed in place of the recipe and of the fields above: a grade for
	// each element, in one chain, on all rows.
	Plan []GradePlan
	// Raw has the networks see and give numbers as they are, neither standardised nor clipped;
	// predictions may go beyond the range of the training targets by half of it.
	Raw     bool
	Holdout *Data  // validate on these rows instead of held-out folds; nil means folds
	Seed    uint64 // start of every random stream

	Workers  int            // goroutines; 0 means 1. The model does not depend on it
	Kernel   kernel.Kernel  // implementation; the zero value is the selected one. The model does not depend on it
	Progress func(Progress) // called from one goroutine at a time, at least once per validation check; nil means none
	// Checkpoint is called after each accepted network grade but the last with the model so
	// far, and about every CheckpointEvery while a grade is trained, unless that is 0; the
	// model then holds the state of training too. Training from Resume = such a model, or one
	// that came with an error of Train, gives the bytes of an uninterrupted run. An error from
	// Checkpoint ends the training.
	Checkpoint      func(*Model) error
	CheckpointEvery time.Duration
	Resume          *Model // continue from a checkpoint made with the same data and configuration
}

// Progress is one report of a running Train. Where waves win (see Train), accepted grades are
// replaced: the numbers of the waves, 1, and of what follows them come again.
type Progress struct {
	Grade      int     // grade being trained, from 1
	Step       int     // steps done in this grade and steps its schedule has;
	Steps      int     // both 0 for a linear grade
	Epoch      float64 // passes over the rows done in this grade
	TrainLoss  float64 // mean loss of the recent batches, in the units of GradeInfo
	ValLoss    float64 // mean loss on held-out rows at the latest check; NaN before the first
	Elapsed    time.Duration
	Finished   *GradeInfo // set once per grade, when it has been accepted or rejected
	Accepted   bool       // meaningful with Finished
	GradesMost int        // grades there can be at most
}

// A ConfigError says which field of a Config cannot be used, and why.
type ConfigError struct {
	Field  string // name of the field
	Reason string
}

func (e *ConfigError) Error() string { return "mgdl: Config." + e.Field + ": " + e.Reason }

// ErrDiverged is returned by Train when a loss is no longer a finite number.
var ErrDiverged = errors.New("mgdl: training diverged: the loss is no longer finite")

// Bounds of what a Config may ask for: far above what is useful, so that sizes computed
// from them stay integers everywhere.
const (
	mostGrades = 1000
	mostChains = 1000
	mostLayers = 64
	mostWidth  = 1 << 16
	mostEpochs = 1 << 20
	mostBatch  = 1 << 20
)

func (c *Config) validate() error {
	for _, f := range [...]struct {
		name       string
		value, top int
	}{
		{"Grades", c.Grades, mostGrades},
		{"Chains", c.Chains, mostChains},
		{"Epochs", c.Epochs, mostEpochs},
		{"Batch", c.Batch, mostBatch},
		{"Workers", c.Workers, math.MaxInt},
	} {
		if f.value < 0 || f.value > f.top {
			return &ConfigError{f.name, fmt.Sprintf("%d is not between 0 and %d", f.value, f.top)}
		}
	}
	if len(c.Hidden) > mostLayers {
		return &ConfigError{"Hidden", fmt.Sprintf("%d layers are more than %d", len(c.Hidden), mostLayers)}
	}
	for _, w := range c.Hidden {
		if w < 1 || w > mostWidth {
			return &ConfigError{"Hidden", fmt.Sprintf("width %d is not between 1 and %d", w, mostWidth)}
		}
	}
	if c.Activation > Sine {
		return &ConfigError{"Activation", fmt.Sprintf("there is no activation %d", c.Activation)}
	}
	if !(c.LearningRate >= 0 && c.LearningRate <= 1e3) {
		return &ConfigError{"LearningRate", fmt.Sprintf("%v is not between 0 and 1000", c.LearningRate)}
	}
	if !(c.Validation >= 0 && c.Validation < 1) {
		return &ConfigError{"Validation", fmt.Sprintf("%v is not at least 0 and below 1", c.Validation)}
	}
	if len(c.Plan) > mostGrades {
		return &ConfigError{"Plan", fmt.Sprintf("%d grades are more than %d", len(c.Plan), mostGrades)}
	}
	for i := range c.Plan {
		if err := c.Plan[i].validate(); err != nil {
			return err
		}
	}
	if c.Plan != nil && len(c.Plan) == 0 {
		return &ConfigError{"Plan", "it has no grades"}
	}
	for i := range c.Plan {
		if c.Plan[i].Readout && c.Holdout == nil {
			return &ConfigError{"Plan", "solved readouts need a Holdout to choose their penalty by"}
		}
	}
	if c.Holdout != nil && c.Holdout.Rows < 1 {
		return &ConfigError{"Holdout", "it has no rows"}
	}
	return nil
}

// A recipe is a Config whose zero fields have been replaced for n training rows.
type recipe struct {
	seed     uint64
	grades   int  // most network grades
	forced   bool // grades were given: validation does not end training
	hidden   []int
	sine     bool // hidden layers end with it
	chains   int
	held     int // rows each chain holds out; 0 with a holdout
	fit      int // rows each chain is trained on
	batch    int
	rate     float64 // peak of the learning rate
	epochs   [2]float64
	workers  int
	progress func(Progress)
	plan     []GradePlan // nil: the fields above
}

// The recipe's constants. They were chosen by cross-validation inside the training rows
// of the acceptance tables, all at once: change one and measure all.
const (
	foldShare = 1.0 / 8
	foldMost  = 4000  // held-out rows of a chain
	chainRows = 20000 // chains × rows of each chain, where that is 4 to 8 chains
	// chainRowsMost bounds chains × rows where a table is so large that a chain hardly gains
	// from others, and each keeps its features of all rows: 2 chains from 350,000 rows on,
	// 1 from 700,000.
	chainRowsMost = 1e6
	passes        = 1e6 // rows × epochs of the first network grade,
	passesLater   = 5e5 // and of a later one
	inputClip     = 4

	// Epochs are at most epochsMost, and in wide tables, where each costs more and fewer do,
	// at most wideEpochs: of 32 inputs and fewer the first, of 64 and more the second.
	epochsMost = 100
	wideEpochs = 50
	narrow     = 32
)

// resolve returns the recipe for n training rows of some inputs.
//
// Chain e holds out rows [e·held, (e+1)·held) of the shuffled table, so folds are
// disjoint, and every row is trained on by all chains but at most one. However small the
// table is, folds have at least one row and no table has more chains than rows.
func (c *Config) resolve(n, inputs int) recipe {
	if c.Plan != nil {
		held := 0
		if c.Holdout == nil && slices.ContainsFunc(c.Plan, func(p GradePlan) bool { return p.Optimiser == Convex }) {
			held = max(1, int(foldShare*float64(n)))
		}
		return recipe{seed: c.Seed, grades: len(c.Plan), chains: 1, held: held, fit: n - held, batch: n, workers: max(1, c.Workers),
			progress: c.Progress, plan: slices.Clone(c.Plan)}
	}
	r := recipe{seed: c.Seed, grades: c.Grades, forced: c.Grades > 0, hidden: slices.Clone(c.Hidden), sine: c.Activation == Sine, chains: c.Chains,
		batch: c.Batch, rate: c.LearningRate, workers: max(1, c.Workers), progress: c.Progress}
	if r.grades == 0 {
		r.grades = 3
	}
	if len(r.hidden) == 0 {
		r.hidden = []int{64, 64}
	}
	if r.rate == 0 {
		r.rate = 1e-2
	}
	if c.Holdout == nil {
		share, most := c.Validation, n
		if share == 0 {
			share, most = foldShare, foldMost
		}
		r.held = max(1, min(int(float64(share*float64(n))), most))
	}
	if r.chains == 0 {
		rows := float64(max(1, n-r.held))
		r.chains = min(max(nearestPower(chainRows/rows), min(nearestPower(chainRowsMost/rows), 4)), 8)
	}
	if c.Holdout == nil {
		r.chains = min(r.chains, n)
		r.held = min(r.held, n/r.chains, n-1)
	}
	r.fit = n - r.held
	fit := float64(max(1, r.fit))
	if r.batch == 0 {
		r.batch = nearestPower(min(max(fit/64, 32), 256))
	}
	r.batch = min(r.batch, max(1, r.fit))
	most := max(wideEpochs, min(epochsMost, float64(epochsMost*narrow)/float64(inputs)))
	r.epochs = [2]float64{min(max(passes/fit, 20), most), min(max(passesLater/fit, 10), most*most/epochsMost)}
	if c.Epochs > 0 {
		r.epochs = [2]float64{float64(c.Epochs), max(1, float64(c.Epochs)/2)}
	}
	return r
}

// widths returns the hidden widths of grade i of a plan, or of every grade of the recipe; nil
// for a grade that the plan does not have.
func (r *recipe) widths(i int) []int {
	switch {
	case r.plan == nil:
		return r.hidden
	case i < len(r.plan):
		return r.plan[i].hidden()
	}
	return nil
}

// nearestPower returns the power of two nearest to x in its logarithm, at least 1.
func nearestPower(x float64) int {
	p := 1
	for float64(p)*math.Sqrt2 < x && p < 1<<30 {
		p *= 2
	}
	return p
}
