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
	if len(t.grades) > 0 {
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
	c, err := t.network(ctx, i)
	if err != nil {
		t.decide(linear, true) // what there is
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
	return t.decide(c, t.falls(c) && (t.recipe.forced || wins(c.held, t.held, gate))), nil
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
	for e, o := range c.outs {
		t.k.Add(t.chains[e].sums.Data, o.Data)
	}
	t.k.Add(t.sums.Data, c.mean.Data)
	t.held, t.trainLoss = c.held, c.trainLoss
	t.grades = append(t.grades, grade{c.info, c.networks})
}

// report completes p and hands it to the caller.
func (t *trainer) report(p Progress) {
	if t.recipe.progress == nil {
		return
	}
	p.Elapsed = time.Since(t.start)
	p.GradesMost = t.recipe.grades
	if len(t.grades) == 0 || t.grades[0].linear() {
		p.GradesMost++
	}
	t.recipe.progress(p)
}

// network trains the networks of all chains for grade i, counted from 0 without the
// linear one, and proposes them. It returns nil where nothing is left to learn.
func (t *trainer) network(ctx context.Context, i int) (*candidate, error) {
	s := shape{inputs: t.x.Cols, hidden: t.recipe.hidden, outputs: t.outputs}
	if i > 0 {
		s.inputs += t.chains[0].features.Cols
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
		learners[e] = newLearner(t.k, &t.table, t.chains[e], s, &t.recipe, unit, i)
	})
	c := &candidate{}
	var err error
	if c.info.Curve, err = t.train(ctx, learners, t.recipe.epochs[min(i, 1)]); err != nil {
		return nil, err
	}
	for _, l := range learners {
		c.networks = append(c.networks, l.network())
	}
	keep := t.class == nil || i < t.recipe.grades-1
	if err := t.compute(ctx, c, c.networks, keep); err != nil {
		return nil, err
	}
	c.average(t.k)
	if err := t.assess(ctx, c); err != nil || t.class != nil {
		return c, err
	}
	return t.solveReadouts(ctx, c, unit)
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
		for i := range t.n {
			if i >= c.lo && i < c.hi {
				continue
			}
			z := c.sums.Row(i)
			for j, y := range t.y.Row(i) {
				d := y - z[j]
				sums[e] += float64(d) * float64(d) // exact product
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
func (t *trainer) train(ctx context.Context, learners []*learner, epochs float64) ([]Check, error) {
	perEpoch := max(1, t.recipe.fit/t.recipe.batch)
	total := int(epochs * float64(perEpoch))
	for _, l := range learners {
		l.total = total
	}
	every := max(1, total/checks)
	scale := float64(learners[0].unit * learners[0].unit)
	var curve []Check
	p := Progress{Grade: len(t.grades) + 1, Steps: total, ValLoss: math.NaN()}
	best, gained := math.Inf(1), 0
	for p.Step < total && float64(p.Step-gained) <= patience*float64(total) {
		n := min(every, total-p.Step)
		each(t.recipe.workers, len(learners), func(e int) { learners[e].run(ctx, n) })
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.Step += n
		trainLoss, heldLoss, better := 0.0, 0.0, false
		for _, l := range learners {
			trainLoss += l.trainLoss
			heldLoss += l.heldLoss
			better = better || l.improved
		}
		trainLoss /= float64(len(learners))
		heldLoss /= float64(len(learners))
		if trainLoss*0 != 0 {
			return nil, ErrDiverged
		}
		if better && heldLoss < best {
			gained = p.Step
		}
		best = min(best, heldLoss)
		p.Epoch, p.TrainLoss, p.ValLoss = float64(p.Step)/float64(perEpoch), trainLoss*scale, heldLoss*scale
		curve = append(curve, Check{p.Epoch, p.TrainLoss, p.ValLoss})
		t.report(p)
	}
	return curve, nil
}

// blockRows is the number of rows that workers take at a time.
const blockRows = 4096

// blocks returns the number of blocks of rows of the table.
func (t *trainer) blocks() int { return (t.x.Rows + blockRows - 1) / blockRows }

// block returns the rows of block b.
func (t *trainer) block(b int) (lo, hi int) {
	return b * blockRows, min((b+1)*blockRows, t.x.Rows)
}

// compute runs network e of nets for chain e on every row of the table: the outputs
// become c.outs, the last hidden activations replace the chain's features if keep.
//
// It is the same computation as prediction, so training goes on from what the model will
// say, to the bit.
func (t *trainer) compute(ctx context.Context, c *candidate, nets []network, keep bool) error {
	c.outs = make([]kernel.Matrix, len(nets))
	width := nets[0].width()
	for e := range nets {
		c.outs[e] = kernel.NewMatrix(t.x.Rows, t.outputs)
		if ch := t.chains[e]; keep && ch.features.Data == nil {
			h := nets[e].hidden
			ch.features = kernel.NewMatrix(t.x.Rows, h[len(h)-1].w.N)
		}
	}
	each(t.recipe.workers, len(nets)*t.blocks(), func(i int) {
		e := i % len(nets)
		lo, hi := t.block(i / len(nets))
		n, ch := &nets[e], t.chains[e]
		inputs := n.layers()[0].w.K
		z := kernel.NewMatrix(batchRows, inputs)
		s := newRunScratch(batchRows, width)
		for ; lo < hi && ctx.Err() == nil; lo += batchRows {
			end := min(lo+batchRows, hi)
			in := t.x.RowRange(lo, end)
			if d := t.x.Cols; inputs > d {
				in = z.RowRange(0, end-lo)
				for i := range in.Rows {
					copy(in.Row(i), t.x.Row(lo+i))
					copy(in.Row(i)[d:], ch.features.Row(lo+i))
				}
			}
			var hidden kernel.Matrix
			if keep {
				hidden = ch.features.RowRange(lo, end)
			}
			n.run(t.k, in, hidden, c.outs[e].RowRange(lo, end), s)
		}
	})
	return ctx.Err()
}

// average sets c.mean to what the model adds for the networks, as Predictor does:
// (Σ_e outs_e)·(1/E).
func (c *candidate) average(k kernel.Kernel) {
	first := c.outs[0]
	c.mean = kernel.NewMatrix(first.Rows, first.Cols)
	copy(c.mean.Data, first.Data)
	for _, o := range c.outs[1:] {
		k.Add(c.mean.Data, o.Data)
	}
	inverse := 1 / float32(len(c.outs))
	for i := range c.mean.Data {
		c.mean.Data[i] *= inverse
	}
}

// assess sets the losses of c.
//
// The training loss is that of the model as it predicts: the mean of the chains. The
// held-out losses are those of each chain on the rows it holds out, chain by chain, or of
// the model on the rows of the holdout.
func (t *trainer) assess(ctx context.Context, c *candidate) error {
	type work struct {
		lo, hi   int
		dst      []float64 // nil: only the sum is wanted
		sums     kernel.Matrix
		addition kernel.Matrix
		sum      float64
	}
	var parts []work
	for lo := 0; lo < t.n; lo += blockRows {
		parts = append(parts, work{lo: lo, hi: min(lo+blockRows, t.n), sums: t.sums, addition: c.mean})
	}
	training := len(parts)
	if t.holdout {
		c.held = make([]float64, t.x.Rows-t.n)
		for lo := t.n; lo < t.x.Rows; lo += blockRows {
			hi := min(lo+blockRows, t.x.Rows)
			parts = append(parts, work{lo: lo, hi: hi, dst: c.held[lo-t.n : hi-t.n], sums: t.sums, addition: c.mean})
		}
	} else {
		c.held = make([]float64, t.chains[len(t.chains)-1].hi)
		for e, ch := range t.chains {
			w := work{lo: ch.lo, hi: ch.hi, dst: c.held[ch.lo:ch.hi], sums: ch.sums}
			if c.outs != nil {
				w.addition = c.outs[e]
			}
			parts = append(parts, w)
		}
	}
	each(t.recipe.workers, len(parts), func(i int) {
		w := &parts[i]
		if ctx.Err() != nil {
			return
		}
		z := make([]float32, t.outputs)
		for r := w.lo; r < w.hi; r++ {
			copy(z, w.sums.Row(r))
			if w.addition.Data != nil {
				for j, v := range w.addition.Row(r) {
					z[j] += v
				}
			}
			v := t.loss(z, r)
			w.sum += v
			if w.dst != nil {
				w.dst[r-w.lo] = v
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	sum := 0.0
	for i := range parts[:training] {
		sum += parts[i].sum
	}
	c.trainLoss = sum / float64(t.n)
	if c.trainLoss*0 != 0 {
		return ErrDiverged
	}
	return nil
}
