package mgdl

import (
	"context"

	"github.com/multigrade/multigrade/kernel"
)

// planPenalties are those of a plan, where data are dense and exact.
var planPenalties = [...]float64{1e-3, 1e-5, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13}

// readoutPenalties are what the exact readout chooses from, relative to the deviations of
// the features, the largest first.
var readoutPenalties = [...]float64{1e-2, 1e-3, 1e-4, 1e-6, 1e-8}

const (
	// readoutGate is by how many standard errors of the paired difference solved readouts
	// have to be better than trained ones.
	readoutGate = 1
	// readoutRows is the most rows of a chain that its readout is solved on: a thousand for
	// each weight of the usual width.
	readoutRows = 1 << 16
)

// solveReadouts returns c, whose features the chains hold, with its readouts replaced by
// the least-squares solutions over each chain's own rows, with the one of penalties for all
// that the held-out rows like best; or c itself if none is better than the readouts that
// training ended with by gate standard errors. The readout is a convex problem: where noise is low or the schedule short,
// its solution is better than where training stops; where features overfit, it is worse,
// and the held-out rows say so.
func (t *trainer) solveReadouts(ctx context.Context, c *candidate, unit float64, penalties []float64, gate float64) (*candidate, error) {
	width := t.chains[0].features.Cols
	maps := make([][]affine, len(t.chains))
	each(t.recipe.workers, len(t.chains), func(e int) {
		ch := t.chains[e]
		m := newMoments(width, t.outputs)
		inverse := float32(1 / unit)
		for _, s := range ch.spans(t.n, readoutRows) {
			m.addRows(ctx, t.k, ch.features, s, func(dst []float32, r int) {
				z := ch.sums.Row(r)
				for j, y := range t.y.Row(r) {
					dst[j] = (y - z[j]) * inverse
				}
			})
		}
		maps[e] = m.ridge(ctx, penalties)
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var best []layer // of each chain
	bestHeld := c.held
	for i := range penalties {
		layers := make([]layer, len(t.chains))
		for e := range layers {
			layers[e] = maps[e][i].layer(unit)
		}
		held := t.heldLayers(layers, func(c *chain) kernel.Matrix { return c.features })
		if wins(held, c.held, gate) && mean(held) < mean(bestHeld) {
			best, bestHeld = layers, held
		}
	}
	if best == nil {
		return c, nil
	}
	solved := &candidate{info: c.info}
	for e, l := range best {
		solved.networks = append(solved.networks, network{c.networks[e].activation, c.networks[e].hidden, l})
		out := kernel.NewMatrix(t.x.Rows, t.outputs)
		each(t.recipe.workers, blocks(t.x.Rows), func(b int) {
			s := block(b, t.x.Rows)
			t.k.MatMul(s.rows(out), s.rows(t.chains[e].features), l.w, l.b, false)
		})
		solved.outs = append(solved.outs, out)
	}
	solved.mean = average(t.k, solved.outs)
	if err := t.assess(ctx, solved); err != nil {
		return nil, err
	}
	if !t.falls(solved) {
		return c, nil
	}
	return solved, nil
}
