package mgdl

import (
	"context"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// What is computed for every row of the table, or for every row that is held out, when a
// grade has been trained.

// blockRows is the number of rows that workers take at a time.
const blockRows = 4096

// blocks returns the number of blocks of n rows.
func blocks(n int) int { return (n + blockRows - 1) / blockRows }

// block returns block b of n rows.
func block(b, n int) span { return span{b * blockRows, min((b+1)*blockRows, n)} }

// A span is the rows lo ≤ i < hi of a table.
type span struct{ lo, hi int }

// rows returns the rows of m in s; no Matrix has none.
func (s span) rows(m kernel.Matrix) kernel.Matrix {
	if m.Data == nil {
		return m
	}
	return m.RowRange(s.lo, s.hi)
}

// appendRows appends the rows to list.
func (s span) appendRows(list []int32) []int32 {
	list = slices.Grow(list, s.hi-s.lo)
	for i := s.lo; i < s.hi; i++ {
		list = append(list, int32(i))
	}
	return list
}

// compute runs network e of nets for chain e on every row of the table: the outputs
// become c.outs, the last hidden activations replace the chain's features if keep.
//
// It is the same computation as prediction, so training goes on from what the model will
// say, to the bit.
func (t *trainer) compute(ctx context.Context, c *candidate, nets []network, keep bool) error {
	c.outs = make([]kernel.Matrix, len(nets))
	features := make([]kernel.Matrix, len(nets))
	for e := range nets {
		c.outs[e] = kernel.NewMatrix(t.x.Rows, t.outputs)
		if !keep {
			continue
		}
		features[e] = t.chains[e].features // in place, if they have room
		if h := nets[e].hidden; features[e].Cols != h[len(h)-1].w.N {
			features[e] = kernel.NewMatrix(t.x.Rows, h[len(h)-1].w.N)
		}
	}
	each(t.recipe.workers, len(nets)*blocks(t.x.Rows), func(i int) {
		e := i % len(nets)
		t.computeRows(ctx, t.chains[e], &nets[e], block(i/len(nets), t.x.Rows), features[e], c.outs[e])
	})
	if keep {
		for e := range nets {
			t.chains[e].features = features[e]
		}
	}
	return ctx.Err()
}

// computeRows does compute for the rows s of one chain; features may be the zero Matrix.
func (t *trainer) computeRows(ctx context.Context, c *chain, n *network, s span, features, out kernel.Matrix) {
	inputs, d := n.inputs(), t.x.Cols
	follows := t.done > 0 && len(n.hidden) > 0
	alone := follows && source(inputs, d, c.features.Cols) > 0
	z := kernel.NewMatrix(batchRows, inputs)
	scratch := newRunScratch(batchRows, n.width())
	for lo := s.lo; lo < s.hi && ctx.Err() == nil; lo += batchRows {
		s := span{lo, min(lo+batchRows, s.hi)}
		in := s.rows(t.x)
		switch {
		case alone:
			in = s.rows(c.features)
		case follows:
			in = z.RowRange(0, s.hi-s.lo)
			for i := range in.Rows {
				copy(in.Row(i), t.x.Row(lo+i))
				copy(in.Row(i)[d:], c.features.Row(lo+i))
			}
		}
		n.run(t.k, in, s.rows(features), s.rows(out), scratch)
	}
}

// average returns what the model adds where its chains add outs, as Predictor does:
// (Σ_e outs_e)·(1/E).
func average(k kernel.Kernel, outs []kernel.Matrix) kernel.Matrix {
	m := kernel.NewMatrix(outs[0].Rows, outs[0].Cols)
	copy(m.Data, outs[0].Data)
	for _, o := range outs[1:] {
		k.Add(m.Data, o.Data)
	}
	inverse := 1 / float32(len(outs))
	for i := range m.Data {
		m.Data[i] *= inverse
	}
	return m
}

// assess sets the losses of c.
//
// The training loss is that of the model as it predicts: the mean of the chains. The
// held-out losses are those of each chain on the rows it holds out, chain by chain, or of
// the model on the rows of the holdout.
func (t *trainer) assess(ctx context.Context, c *candidate) error {
	parts := make([]float64, blocks(t.n))
	each(t.recipe.workers, len(parts), func(b int) {
		if s := block(b, t.n); ctx.Err() == nil {
			parts[b] = sum(t.losses(t.sums, s.rows(c.mean), s))
		}
	})
	c.trainLoss = sum(parts) / float64(t.n)
	c.held = t.heldLosses(func(e int) kernel.Matrix {
		if c.outs == nil {
			return kernel.Matrix{}
		}
		return t.chains[e].held.rows(c.outs[e])
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.trainLoss*0 != 0 {
		return ErrDiverged
	}
	return nil
}

// heldLosses returns the losses of the rows held out, if chain e adds out(e) to its sums
// of those rows.
func (t *trainer) heldLosses(out func(e int) kernel.Matrix) []float64 {
	outs := make([]kernel.Matrix, len(t.chains))
	parts := make([][]float64, len(t.chains))
	each(t.recipe.workers, len(t.chains), func(e int) {
		c := t.chains[e]
		outs[e] = out(e)
		if !t.holdout {
			parts[e] = t.losses(c.sums, outs[e], c.held)
		}
	})
	if !t.holdout {
		return slices.Concat(parts...)
	}
	var mean kernel.Matrix
	if outs[0].Data != nil {
		mean = average(t.k, outs)
	}
	return t.losses(t.sums, mean, span{t.n, t.x.Rows})
}

// losses returns the losses of the rows s of sums, to which the rows of out are added.
func (t *trainer) losses(sums, out kernel.Matrix, s span) []float64 {
	losses := make([]float64, s.hi-s.lo)
	z := make([]float32, t.outputs)
	for i := range losses {
		copy(z, sums.Row(s.lo+i))
		if out.Data != nil {
			for j, v := range out.Row(i) {
				z[j] += v
			}
		}
		losses[i] = t.loss(z, s.lo+i)
	}
	return losses
}

// heldLayers returns the losses of the rows held out, if chain e adds layer e of the rows
// of in(e).
func (t *trainer) heldLayers(layers []layer, in func(c *chain) kernel.Matrix) []float64 {
	return t.heldLosses(func(e int) kernel.Matrix {
		c, l := t.chains[e], &layers[e]
		z := kernel.NewMatrix(c.held.hi-c.held.lo, t.outputs)
		t.k.MatMul(z, c.held.rows(in(c)), l.w, l.b, false)
		return z
	})
}
