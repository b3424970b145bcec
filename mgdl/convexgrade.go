package mgdl

import (
	"context"
	"math"
	"slices"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl/convex"
)

// A Certificate says how near a convex grade's program was solved to its optimum, which no
// training by gradients can say. The grade's units are chosen from that solution, with a
// readout of their own; package convex has the programs and what follows from a gap.
type Certificate struct {
	Gap    float64 // objective less a proven lower bound, as a share of the objective of the zero grade
	Lambda float64 // penalty, as a share of the one from which on the zero grade is optimal
	Global bool    // over all networks with one hidden layer, not only those with the gates that were sampled
}

func (c *Certificate) clone() *Certificate {
	if c == nil {
		return nil
	}
	d := *c
	return &d
}

// convexGrade fits grade i of the plan by a convex program to what is left over, in unit, and
// reports whether it was accepted.
func (t *trainer) convexGrade(ctx context.Context, p *GradePlan, i int, unit float64) (bool, error) {
	if t.class != nil {
		return false, &ConfigError{"Plan", "convex grades are for regression"}
	}
	c := t.chains[0]
	in, carried := t.x, t.x.Cols
	if i > 0 {
		in, carried = c.seen(t.x, p.Carry, p.Normalise)
	}
	target := t.residual(c, unit)
	rows := func(s span) convex.Data { return convex.Data{X: s.rows(in), Y: s.rows(target)} }
	learn := span{c.held.hi, t.n}
	if t.holdout { // it follows the training rows
		learn = span{0, t.n}
	}
	train, valid := rows(learn), rows(c.held)
	cfg := convex.Config{Settings: convex.Settings{Kernel: t.k, Workers: t.recipe.workers}, Width: p.hidden()[0], Seed: t.recipe.seed + uint64(i)}
	f, err := convex.Fit(ctx, train, &valid, cfg)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil || f.Width() == 0 {
		return false, err
	}
	a := proposal{&candidate{networks: []network{convexNetwork(f.Grade, i > 0, carried, c, unit)}}, kernel.NewMatrix(t.x.Rows, f.Width())}
	step := f.Path[f.Best]
	a.info.Certificate = &Certificate{Gap: step.Relative(), Lambda: step.Lambda / max(step.LambdaMax, math.SmallestNonzeroFloat64), Global: step.Scope == convex.Global}
	if err := t.computeInto(ctx, a.candidate, a.networks, []kernel.Matrix{a.features}); err != nil {
		return false, err
	}
	a.mean = average(t.k, a.outs)
	if err := t.assess(ctx, a.candidate); err != nil {
		return false, err
	}
	if t.falls(a.candidate) {
		c.features = a.features
	}
	return t.decide(a.candidate, t.falls(a.candidate)), nil
}

// convexNetwork returns g, which was fitted to standardised features in unit, as a network on
// raw ones.
func convexNetwork(g *convex.Grade, later bool, carried int, c *chain, unit float64) network {
	pack := func(m kernel.Matrix, bias []float32) layer {
		l := layer{w: kernel.NewWeights(m.Rows, m.Cols), b: slices.Clone(bias)}
		l.w.Pack(m)
		return l
	}
	hidden, out := pack(g.W, g.Bias), pack(g.Readout, g.Offset)
	if later {
		hidden.fold(nil, carried, c.center, c.inverse)
	}
	out.multiply(unit)
	return network{activation: ReLU, hidden: []layer{hidden}, out: out}
}
