package convex

import (
	"context"
	"errors"
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// Config says how Fit fits a grade. The zero value is usable.
type Config struct {
	Settings
	Width   int           // most units; 0 means 64
	Gates   int           // patterns to sample; 0 means 256
	Units   kernel.Matrix // units whose patterns are gates too, a row of d weights and a bias each
	Lambdas []float64     // penalties to solve for, as shares of λmax, descending; nil means 0.1, 0.01, 0.001
	ReLU    bool          // solve the cone-constrained program instead of the gated one
	Seed    uint64        // of the gates
	Each    Options       // of the solve for each penalty
}

// A Step is what came of one penalty.
type Step struct {
	Certificate
	Units     int     // of the grade chosen from the solution
	TrainLoss float64 // its mean squared error
	ValidLoss float64 // on the validation rows; NaN without
}

// A Fitted grade and how it was found. The certificate of a step is of the solution that
// proposed units: the grade is a choice among these, of bounded width and with a readout of
// its own, and not what the certificate is about.
type Fitted struct {
	*Grade
	Path []Step
	Best int // the step it comes from
}

// enumerated is up to how many distinct values of one column Fit enumerates the patterns.
const enumerated = 2048

// Fit fits a grade to the rows of train: it solves the convex program for a path of penalties,
// each from the solution before it, lets each solution propose units and Choose choose among
// them, and returns the grade with the least error on the validation rows, or on those of train
// if valid is nil. Inputs should have about unit deviation, targets about unit size.
//
// For one input column with up to 2048 distinct values, gates are all patterns and the
// cone-constrained program is solved, whose certificates are global. Otherwise gates are
// sampled.
//
// The result depends on the rows, the configuration and its seed, not on the machine or the
// number of workers. If ctx is done, Fit returns what it has, nil if that is nothing, and
// ctx.Err().
func Fit(ctx context.Context, train Data, valid *Data, cfg Config) (*Fitted, error) {
	if err := checkRows(train.X, train.Y); err != nil {
		return nil, err
	}
	if cfg.Width < 0 || cfg.Gates < 0 {
		return nil, errors.New("convex: negative width or number of gates")
	}
	for _, share := range cfg.Lambdas {
		if err := checkPenalty(share); err != nil {
			return nil, err
		}
	}
	if cfg.Width == 0 {
		cfg.Width = 64
	}
	if cfg.Gates == 0 {
		cfg.Gates = 256
	}
	if cfg.Lambdas == nil {
		cfg.Lambdas = []float64{1e-1, 1e-2, 1e-3}
	}
	var g *Gates
	if train.X.Cols == 1 && distinct(train.X) <= enumerated {
		g, cfg.ReLU = EnumerateGates(train.X), true
	} else {
		g = SampleGates(train.X, cfg.Gates, cfg.Units, cfg.Seed)
	}
	p, err := NewProblem(train.X, train.Y, g, cfg.Settings)
	if err != nil {
		return nil, err
	}
	f := &Fitted{}
	best := math.Inf(1)
	var lastGated *Gated
	var lastReLU *ReLU
	for i, share := range cfg.Lambdas {
		// With targets that do not vary λmax is 0, and every penalty gives zero coefficients.
		lambda := max(float64(share*p.LambdaMax()), math.SmallestNonzeroFloat64)
		step := Step{ValidLoss: math.NaN()}
		var units kernel.Matrix
		if cfg.ReLU {
			s, solveErr := p.ReLU(ctx, lambda, lastReLU, cfg.Each)
			if err = solveErr; s != nil {
				lastReLU = s
				step.Certificate, units = s.Certificate, s.Units()
			}
		} else {
			s, solveErr := p.Gated(ctx, lambda, lastGated, cfg.Each)
			if err = solveErr; s != nil {
				lastGated = s
				step.Certificate, units = s.Certificate, s.Units()
			}
		}
		if err != nil && (ctx.Err() == nil || f.Grade != nil) {
			break
		}
		grade, chooseErr := Choose(train, valid, units, cfg.Width, cfg.Settings)
		if chooseErr != nil {
			return nil, chooseErr
		}
		step.Units = grade.Width()
		step.TrainLoss = grade.Loss(cfg.Kernel, train.X, train.Y)
		loss := step.TrainLoss
		if valid != nil {
			step.ValidLoss = grade.Loss(cfg.Kernel, valid.X, valid.Y)
			loss = step.ValidLoss
		}
		f.Path = append(f.Path, step)
		if loss < best {
			best = loss
			f.Grade, f.Best = grade, i
		}
		if err != nil {
			break
		}
	}
	if f.Grade == nil {
		return nil, err
	}
	return f, err
}

// distinct returns the number of distinct values of the one column of x.
func distinct(x kernel.Matrix) int {
	seen := make(map[float32]struct{}, x.Rows)
	for i := range x.Rows {
		seen[x.Row(i)[0]] = struct{}{}
	}
	return len(seen)
}
