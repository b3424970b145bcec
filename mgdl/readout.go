package mgdl

import (
	"context"

	"github.com/multigrade/multigrade/kernel"
)

// readoutPenalties are what the exact readout chooses from, relative to the deviations of
// the features, the largest first.
var readoutPenalties = [...]float64{1e-2, 1e-3, 1e-4, 1e-6, 1e-8}

// solveReadouts returns c, whose features the chains hold, with its readouts replaced by
// the least-squares solutions over each chain's own rows, with the one penalty for all
// that the held-out rows like best; or c itself if the readouts that training ended with
// are as good. The readout is a convex problem: where noise is low, its solution is far
// better than where a schedule ends.
func (t *trainer) solveReadouts(ctx context.Context, c *candidate, unit float64) (*candidate, error) {
	width := t.chains[0].features.Cols
	maps := make([][]affine, len(t.chains))
	each(t.recipe.workers, len(t.chains), func(e int) {
		ch := t.chains[e]
		m := newMoments(width, t.outputs)
		inverse := float32(1 / unit)
		residual := func(dst []float32, r int) {
			z := ch.sums.Row(r)
			for j, y := range t.y.Row(r) {
				dst[j] = (y - z[j]) * inverse
			}
		}
		m.addRows(ctx, t.k, ch.features, span{0, min(ch.lo, t.n)}, residual)
		m.addRows(ctx, t.k, ch.features, span{ch.hi, t.n}, residual)
		maps[e] = m.ridge(ctx, readoutPenalties[:])
	})
	best := c
	for i := range readoutPenalties {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := &candidate{info: c.info}
		for e, old := range c.networks {
			n.networks = append(n.networks, network{old.hidden, maps[e][i].layer(unit)})
		}
		t.readOut(n)
		n.average(t.k)
		if err := t.assess(ctx, n); err != nil {
			return nil, err
		}
		if n.trainLoss < t.trainLoss && wins(n.held, c.held, readoutGate) && mean(n.held) < mean(best.held) {
			best = n
		}
	}
	return best, nil
}

// readoutGate is by how many standard errors of the paired difference solved readouts
// have to be better than trained ones.
const readoutGate = 1

// readOut sets the outputs of c's networks from the chains' features.
func (t *trainer) readOut(c *candidate) {
	for range c.networks {
		c.outs = append(c.outs, kernel.NewMatrix(t.x.Rows, t.outputs))
	}
	each(t.recipe.workers, len(c.networks)*t.blocks(), func(i int) {
		e := i % len(c.networks)
		lo, hi := t.block(i / len(c.networks))
		l := &c.networks[e].out
		t.k.MatMul(c.outs[e].RowRange(lo, hi), t.chains[e].features.RowRange(lo, hi), l.w, l.b, false)
	})
}
