package mgdl

import (
	"context"
	"math"
	"time"

	"github.com/multigrade/multigrade/kernel"
)

// A candidate is a grade that has not been accepted yet.
type candidate struct {
	info      GradeInfo
	networks  []network
	outs      []kernel.Matrix // what it adds to the sums of each chain
	mean      kernel.Matrix   // what it adds to the sums of the model
	held      []float64       // losses on held-out rows of the sums with it
	trainLoss float64         // mean loss on training rows of the model with it
}

// grade trains network grade number i, from 0, with the linear grade before the first,
// and reports whether it was accepted.
func (t *trainer) grade(ctx context.Context, i int) (bool, error) {
	if t.recipe.plan != nil {
		return t.planned(ctx, i)
	}
	if i > 0 {
		return t.follow(ctx, i)
	}
	linear, err := t.linear(ctx)
	if err != nil {
		return false, err
	}
	useful := t.falls(linear) && wins(linear.held, t.held, gate)
	if !useful || t.class != nil {
		t.decide(linear, useful)
		return t.follow(ctx, i)
	}
	// Regression: a network from the prior takes the linear grade's place or follows it.
	if r := t.restored; r != nil && r.grade == i && r.attempt == 2 {
		t.attempt = 1 // the checkpoint says that it was no better
		t.decide(linear, true)
		return t.follow(ctx, i)
	}
	c, err := t.network(ctx, i)
	if err != nil {
		state := t.training
		t.decide(linear, true) // what there is
		t.training = state
		return false, err
	}
	if c != nil && t.falls(c) && wins(c.held, linear.held, gate) {
		t.decide(linear, false)
		return t.decide(c, true), nil
	}
	if c != nil {
		t.decide(c, false)
	}
	t.decide(linear, true)
	return t.follow(ctx, i)
}

// follow trains network grade number i on what the grades so far leave over.
func (t *trainer) follow(ctx context.Context, i int) (bool, error) {
	c, err := t.network(ctx, i)
	if err != nil || c == nil {
		return false, err
	}
	if t.recipe.forced {
		err := t.shrink(ctx, c)
		return err == nil && t.decide(c, t.falls(c)), err
	}
	return t.decide(c, t.falls(c) && wins(c.held, t.held, gate)), nil
}

// shrink halves what c adds until the training loss falls, but no more than shrinkMost
// times. Where c has learned anything, a small enough part of it lowers the loss.
func (t *trainer) shrink(ctx context.Context, c *candidate) error {
	const shrinkMost = 10
	for i := 0; i < shrinkMost && !t.falls(c); i++ {
		// Halves are exact, so outputs need not be computed again.
		for j, n := range c.networks {
			n.out = layer{kernel.Weights{K: n.out.w.K, N: n.out.w.N, Data: halves(n.out.w.Data)}, halves(n.out.b)}
			c.networks[j] = n
			c.outs[j].Data = halves(c.outs[j].Data)
		}
		c.mean.Data = halves(c.mean.Data)
		if err := t.assess(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func halves(x []float32) []float32 {
	y := kernel.Floats(len(x))
	for i, v := range x {
		y[i] = 0.5 * v
	}
	return y
}

const (
	// gate is the number of standard errors by which held-out losses have to fall. It is
	// more than one would ask of an honest sample: each chain's best check has been
	// chosen on the rows that are now the judges.
	gate = 2
	// fall is by how much training losses have to fall at least: more than rounding.
	fall = 1e-12
)

// falls reports whether the training loss falls with c.
func (t *trainer) falls(c *candidate) bool {
	return c.trainLoss < float64(t.trainLoss*(1-fall))
}

// decide completes c's info, makes c part of the model if accepted, reports it, and
// returns accepted.
func (t *trainer) decide(c *candidate, accepted bool) bool {
	t.training = nil
	c.info.TrainLoss, c.info.ValLoss = c.trainLoss, mean(c.held)
	g := grade{c.info, c.networks}
	chains, features := 0, 0
	if n := len(t.grades); n > 0 && !t.grades[n-1].linear() {
		chains, features = len(t.chains), t.grades[n-1].features()
	}
	if err := g.complete(t.x.Cols, features, t.outputs, chains); err == nil {
		c.info = g.info
	}
	p := Progress{Grade: len(t.grades) + 1, TrainLoss: c.trainLoss, ValLoss: c.info.ValLoss, Accepted: accepted}
	if accepted {
		t.accept(c)
	}
	info := c.info.clone()
	p.Finished = &info
	t.report(p)
	return accepted
}

// accept makes c part of the model.
func (t *trainer) accept(c *candidate) {
	t.add(c)
	t.grades = append(t.grades, grade{c.info, c.networks})
}

// add adds the outputs of c to the sums.
func (t *trainer) add(c *candidate) {
	for e, o := range c.outs {
		t.k.Add(t.chains[e].sums.Data, o.Data)
	}
	t.k.Add(t.sums.Data, c.mean.Data)
	t.held, t.trainLoss = c.held, c.trainLoss
}

// report completes p and hands it to the caller.
func (t *trainer) report(p Progress) {
	if t.recipe.progress == nil {
		return
	}
	p.Elapsed = time.Since(t.start)
	p.GradesMost = t.recipe.grades
	if t.recipe.plan == nil && (len(t.grades) == 0 || t.grades[0].linear()) {
		p.GradesMost++
	}
	t.recipe.progress(p)
}

// network trains the networks of all chains for grade i, counted from 0 without the
// linear one, and proposes them. It returns nil where nothing is left to learn.
func (t *trainer) network(ctx context.Context, i int) (*candidate, error) {
	if i > 0 {
		each(t.recipe.workers, len(t.chains), func(e int) { t.chains[e].measure(ctx, t.n) })
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	unit := t.unit()
	if unit == 0 {
		return nil, nil
	}
	learners := make([]*learner, len(t.chains))
	each(t.recipe.workers, len(t.chains), func(e int) {
		learners[e] = newLearner(t.k, &t.table, t.chains[e], &t.recipe, unit, i)
	})
	c := &candidate{}
	var err error
	if c.info.Curve, err = t.train(ctx, learners, i); err != nil {
		return nil, err
	}
	for _, l := range learners {
		c.networks = append(c.networks, l.network())
	}
	keep := t.class == nil || i < t.recipe.grades-1
	if err := t.compute(ctx, c, c.networks, keep); err != nil {
		return nil, err
	}
	c.mean = average(t.k, c.outs)
	if err := t.assess(ctx, c); err != nil || t.class != nil {
		return c, err
	}
	return t.solveReadouts(ctx, c, unit, readoutPenalties[:], readoutGate)
}

// unit returns the root mean square of what the chains leave over of their own rows, in
// which their next networks learn it; 1 for classification.
func (t *trainer) unit() float64 {
	if t.class != nil {
		return 1
	}
	sums := make([]float64, len(t.chains))
	each(t.recipe.workers, len(t.chains), func(e int) {
		c := t.chains[e]
		for _, s := range c.spans(t.n, t.n) {
			for i := s.lo; i < s.hi; i++ {
				z := c.sums.Row(i)
				for j, y := range t.y.Row(i) {
					d := y - z[j]
					sums[e] += float64(d) * float64(d) // exact product
				}
			}
		}
	})
	return math.Sqrt(mean(sums) / (float64(t.recipe.fit) * float64(t.outputs)))
}

const (
	checks   = 60   // validations of a schedule
	patience = 0.15 // share of the schedule without a gain that ends it
)

// train runs the schedule of all learners side by side. Between two checks they are
// independent of each other; at a check the mean of their held-out losses decides
// whether to go on.
func (t *trainer) train(ctx context.Context, learners []*learner, i int) ([]Check, error) {
	epochs := t.recipe.epochs[0]
	if i > 1 || i == 1 && !t.waved {
		epochs = t.recipe.epochs[1]
	}
	perEpoch := max(1, t.recipe.fit/t.recipe.batch)
	total := int(min(epochs*float64(perEpoch), math.MaxInt32))
	from := 0
	if t.recipe.forced { // the zero function that networks start as is no choice
		from = min(max(averageStep, int(math.Ceil(warmUp*float64(total)))), total)
	}
	students := make([]student, len(learners))
	for e, l := range learners {
		l.total, l.from = total, from
		students[e] = l
	}
	every := max(1, total/checks)
	scale := float64(learners[0].unit * learners[0].unit)
	s := trainingState{gained: from}
	if err := t.begin(i, students, func(e int, s *learnerState) bool { return learners[e].restore(s) }, &s); err != nil {
		return nil, err
	}
	p := Progress{Grade: len(t.grades) + 1, Steps: total}
	if i == wavesGrade && t.waved {
		p.Grade = wavesGrade + 1 // and not behind those that it may replace
	}
	losses := make([]float64, len(learners))
	for s.step < total && float64(s.step-s.gained) <= patience*float64(total) {
		n := min(every, total-s.step)
		if err := t.advance(ctx, students, s.step+n); err != nil {
			return nil, err
		}
		each(t.recipe.workers, len(learners), func(e int) { losses[e] = learners[e].check(ctx, n) })
		if err := ctx.Err(); err != nil {
			for e, l := range learners { // the check will be made again
				l.trainLoss = losses[e] * float64(n)
			}
			return nil, err
		}
		trainLoss, heldLoss := mean(losses), 0.0
		for _, l := range learners {
			heldLoss += l.heldLoss
		}
		heldLoss /= float64(len(learners))
		if trainLoss*0 != 0 {
			return nil, ErrDiverged
		}
		s.step += n
		if s.step >= from && heldLoss < s.best {
			s.best, s.gained = heldLoss, s.step
		}
		p.Step, p.Epoch, p.TrainLoss, p.ValLoss = s.step, float64(s.step)/float64(perEpoch), trainLoss*scale, heldLoss*scale
		s.curve = append(s.curve, Check{p.Epoch, p.TrainLoss, p.ValLoss})
		t.report(p)
	}
	return s.curve, nil
}
