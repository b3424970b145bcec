package mgdl

import (
	"fmt"
	"math"
	"slices"
)

// A GradePlan says how one grade is made, where Config.Plan takes the place of the recipe:
// a single network, trained on all rows, on the last hidden features of the grade before it.
// It is kept if the training loss falls. Validation, by Config.Holdout, only chooses the
// penalty of a solved readout, and is reported.
//
// The loss of a step is half the mean square of what the earlier grades leave over, or the
// cross-entropy. A batch is the next Batch rows of an order drawn anew for each epoch; the
// last one of an epoch may be short.
type GradePlan struct {
	Hidden     []int // hidden widths; nil means 64, 64, or 64 for Convex
	Activation Activation
	Carry      bool // take the inputs along with the features of the grade before
	// Normalise has the network see features of mean 0 and deviation 1, and learn the
	// residual at root mean square 1. Without it both are as they are.
	Normalise bool
	Start     Start
	Band      float64 // StartWaves: frequencies, in cycles per unit of the inputs, are within ±Band; 0: the holdout chooses
	Epochs    int     // passes over the rows; 0: what the start and the readout give
	Batch     int     // rows a step; 0 means all
	Optimiser Optimiser
	// Rate is the learning rate. With LastRate it falls from epoch to epoch,
	// Rate·(LastRate/Rate)^(epoch/Epochs); without, it rises over the first twentieth of the
	// steps and falls to 0 by half a cosine.
	Rate, LastRate float64
	// Readout solves the readout by least squares in float64, with one of several penalties
	// or none at all, as the holdout likes best.
	Readout bool
}

// An Optimiser is a rule by which weights follow gradients.
type Optimiser uint8

const (
	Adam    Optimiser = iota // β₁ 0.9, β₂ 0.999, ε 1e-8, begun anew for each grade
	Descent                  // plain gradient descent
	// Convex is none: the grade, one hidden layer of ReLU, is a choice of at most that many
	// units from the solution of a convex program, which GradeInfo.Certificate certifies. It is
	// for regression. The holdout, or else an eighth of the rows, chooses the penalty and
	// the number of units; Start, Epochs, Batch, rates and Readout have no say.
	Convex
)

// A Start draws the first weights of a network.
type Start uint8

const (
	// StartHinges is the recipe's: hidden weights He normal, variance 2/inputs of the layer;
	// the hinges of the first layer pass between random rows; other biases and the readout 0.
	StartHinges Start = iota
	// StartHe is the same with all hidden biases 0.
	StartHe
	// StartRamps has equally spaced hinges in the first layer, and in the second mixtures of
	// the tents between them (learner.startRamps); the readout is 0.
	StartRamps
	// StartWaves has random frequencies within ±Band and random phases in the first layer of
	// sine, small normal weights in further layers, and a readout of 0.
	StartWaves
	// The papers' starts, the same in every grade of equal form: all weights and biases
	// uniform within ±1/√inputs; normal weights of variance 2/(inputs + outputs) and biases
	// of deviation 0.01; normal weights of variance 2/inputs and biases 0.
	StartUniform
	StartGlorot
	StartHeNormal
)

const lastStart = StartHeNormal

func (p *GradePlan) validate() error {
	wrong := func(field, format string, args ...any) error {
		return &ConfigError{"Plan", field + ": " + fmt.Sprintf(format, args...)}
	}
	if len(p.Hidden) > mostLayers {
		return wrong("Hidden", "%d layers are more than %d", len(p.Hidden), mostLayers)
	}
	for _, w := range p.Hidden {
		if w < 1 || w > mostWidth {
			return wrong("Hidden", "width %d is not between 1 and %d", w, mostWidth)
		}
	}
	switch {
	case p.Activation > Sine:
		return wrong("Activation", "there is no activation %d", p.Activation)
	case p.Start > lastStart:
		return wrong("Start", "there is no start %d", p.Start)
	case p.Optimiser > Convex:
		return wrong("Optimiser", "there is no optimiser %d", p.Optimiser)
	case p.Optimiser == Convex && (len(p.Hidden) > 1 || p.Activation != ReLU):
		return wrong("Optimiser", "a convex grade has one hidden layer of ReLU")
	case p.Start == StartWaves && p.Activation != Sine:
		return wrong("Start", "waves are for sine")
	case p.Start == StartRamps && p.Activation != ReLU:
		return wrong("Start", "ramps are for ReLU")
	case !(p.Band >= 0 && p.Band <= 1e9):
		return wrong("Band", "%v is not between 0 and 1e9", p.Band)
	case p.Start == StartWaves && p.Band == 0 && !p.Readout:
		return wrong("Band", "only solved readouts can choose it")
	case p.Epochs < 0 || p.Epochs > mostPlanEpochs:
		return wrong("Epochs", "%d is not between 0 and %d", p.Epochs, mostPlanEpochs)
	case p.Batch < 0 || p.Batch > mostBatch:
		return wrong("Batch", "%d is not between 0 and %d", p.Batch, mostBatch)
	case !(p.Rate >= 0 && p.Rate <= 1e3):
		return wrong("Rate", "%v is not between 0 and 1000", p.Rate)
	case !(p.LastRate >= 0 && p.LastRate <= p.Rate):
		return wrong("LastRate", "%v is not between 0 and Rate", p.LastRate)
	}
	return nil
}

// mostPlanEpochs is the most epochs of a plan: those of the longest published run, and more.
const mostPlanEpochs = 1 << 24

// A planSchedule is the learning rate of a plan, step by step.
type planSchedule struct {
	rate, last float64
	perEpoch   int // steps of an epoch
	total      int // steps of the schedule
}

func (p *GradePlan) schedule(rows int) planSchedule {
	batch := p.batch(rows)
	perEpoch := (rows + batch - 1) / batch
	return planSchedule{p.Rate, p.LastRate, perEpoch, int(min(int64(p.Epochs)*int64(perEpoch), math.MaxInt32))}
}

// batch returns the rows of a step.
func (p *GradePlan) batch(rows int) int {
	if p.Batch == 0 {
		return rows
	}
	return min(p.Batch, rows)
}

// at returns the rate of a step, counted from 0.
func (s *planSchedule) at(step int) float64 {
	if s.last > 0 {
		epochs := float64(s.total / s.perEpoch)
		return float64(s.rate * expf64(float64(float64(step/s.perEpoch)/epochs)*logf64(s.last/s.rate)))
	}
	const rise = 0.05
	u := (float64(step) + 0.5) / float64(s.total)
	if u < rise {
		return s.rate * u / rise
	}
	return float64(0.5*s.rate) * (1 + cospi((u-rise)/(1-rise)))
}

// hidden returns the widths.
func (p *GradePlan) hidden() []int {
	if len(p.Hidden) == 0 && p.Optimiser == Convex {
		return []int{64}
	}
	if len(p.Hidden) == 0 {
		return []int{64, 64}
	}
	return slices.Clone(p.Hidden)
}
