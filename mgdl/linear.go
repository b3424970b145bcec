package mgdl

import (
	"context"
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// The penalties of the linear grade that held-out rows choose from, the largest first.
var (
	ridgePenalties   = [...]float64{1, .3, .1, .03, .01, 3e-3, 1e-3, 1e-4}
	softmaxPenalties = [...]float64{1e-2, 1e-3, 1e-4}
)

const (
	// gramMost is the largest number d of inputs for which least squares are solved by
	// their Gram matrix: d³ multiply-adds for each chain, some tenths of a second.
	gramMost = 512
	// iterativeRows is the most rows of a chain that the iterative solution looks at.
	iterativeRows = 1 << 14
	// iterations of each of its solutions.
	iterations = 40
)

// linear proposes the linear grade: for each chain the minimum over its own rows of
//
//	mean loss + (λ/2)·Σ w²
//
// with half the squared error or the cross-entropy as loss and w the weights of the
// standardised inputs, one λ for all chains by the pooled held-out loss. Each chain goes
// on from its own solution, which has not seen the rows it holds out; the model's linear
// map is their mean.
func (t *trainer) linear(ctx context.Context) (*candidate, error) {
	solvers := len(t.chains)
	if t.holdout {
		solvers = 1 // all chains have the same rows
	}
	penalties := ridgePenalties[:]
	if t.class != nil {
		penalties = softmaxPenalties[:]
	}
	maps := make([][]affine, solvers) // of each chain, for each penalty
	if t.class == nil && t.x.Cols <= gramMost {
		all := t.moments(ctx)
		each(t.recipe.workers, solvers, func(e int) {
			sum := newMoments(t.x.Cols, t.outputs)
			for i, m := range all {
				if i != e || t.holdout {
					sum.add(m)
				}
			}
			maps[e] = sum.ridge(ctx, penalties)
		})
	} else {
		each(t.recipe.workers, solvers, func(e int) { maps[e] = t.iterate(ctx, t.chains[e], penalties) })
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	chosen, least := -1, math.Inf(1)
	layers := make([]layer, len(t.chains))
	for i := range penalties {
		for e := range layers {
			layers[e] = maps[e%solvers][i].layer(1)
		}
		if loss := mean(t.heldLayers(layers, func(*chain) kernel.Matrix { return t.x })); loss < least {
			chosen, least = i, loss
		}
	}
	if chosen < 0 {
		return nil, ErrDiverged
	}
	own := make([]network, len(t.chains))
	m := newAffine(t.x.Cols, t.outputs)
	for e := range own {
		a := maps[e%solvers][chosen]
		own[e].out = a.layer(1)
		axpy(m.w, 1/float64(len(own)), a.w)
		axpy(m.b, 1/float64(len(own)), a.b)
	}
	c := &candidate{networks: []network{{out: m.layer(1)}}}
	if err := t.compute(ctx, c, own, false); err != nil {
		return nil, err
	}
	c.mean = kernel.NewMatrix(t.x.Rows, t.outputs)
	each(t.recipe.workers, blocks(t.x.Rows), func(b int) {
		t.computeRows(ctx, nil, &c.networks[0], block(b, t.x.Rows), kernel.Matrix{}, c.mean)
	})
	return c, t.assess(ctx, c)
}

// moments returns the moments of each fold, in order, and then of pieces of the rest of
// the training rows. The pieces depend on the number of rows alone.
func (t *trainer) moments(ctx context.Context) []*moments {
	const pieceRows, pieces = 1 << 14, 8
	var spans []span
	rest := 0
	if !t.holdout {
		for _, c := range t.chains {
			spans = append(spans, c.held)
			rest = c.held.hi
		}
	}
	p := min(max(1, (t.n-rest)/pieceRows), pieces)
	for i := range p {
		lo, hi := int64(t.n-rest)*int64(i)/int64(p), int64(t.n-rest)*int64(i+1)/int64(p)
		spans = append(spans, span{rest + int(lo), rest + int(hi)})
	}
	all := make([]*moments, len(spans))
	each(t.recipe.workers, len(spans), func(i int) {
		all[i] = newMoments(t.x.Cols, t.outputs)
		all[i].addRows(ctx, t.k, t.x, spans[i], func(dst []float32, r int) { copy(dst, t.y.Row(r)) })
	})
	return all
}

// iterate returns the maps of chain c for each penalty by L-BFGS, each starting from the
// one before, on at most iterativeRows of its rows.
func (t *trainer) iterate(ctx context.Context, c *chain, penalties []float64) []affine {
	f := t.newLinearFit(ctx, c)
	d, k := t.x.Cols, t.outputs
	point := make([]float64, d*k+k)
	maps := make([]affine, len(penalties))
	for p, lambda := range penalties {
		f.lambda = lambda
		lbfgs(point, iterations, f.value)
		maps[p] = newAffine(d, k)
		f.affine(point, maps[p])
	}
	return maps
}

// A linearFit is the objective of one chain's linear map: a function of the weights of
// the standardised inputs, by rows, followed by the biases.
type linearFit struct {
	ctx            context.Context
	t              *trainer
	spans          []span
	rows           int
	means, inverse []float64 // standardisation of the inputs
	lambda         float64
	raw            affine // on raw inputs
	l              layer
	z              kernel.Matrix
	g              kernel.Weights
	gb             []float32
	exp            []float64
}

func (t *trainer) newLinearFit(ctx context.Context, c *chain) *linearFit {
	const chunk = 256
	d, k := t.x.Cols, t.outputs
	f := &linearFit{ctx: ctx, t: t, spans: c.spans(t.n, iterativeRows), means: make([]float64, d), inverse: make([]float64, d), raw: newAffine(d, k),
		l: layer{kernel.NewWeights(d, k), make([]float32, k)}, z: kernel.NewMatrix(chunk, k), g: kernel.NewWeights(d, k),
		gb: make([]float32, k), exp: make([]float64, k)}
	for _, s := range f.spans {
		f.rows += s.hi - s.lo
	}
	squares := make([]float64, d)
	f.each(func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j, v := range t.x.Row(i) {
				f.means[j] += float64(v)
				squares[j] += float64(v) * float64(v) // exact product
			}
		}
	})
	for j := range d {
		f.means[j] /= float64(f.rows)
		if v := squares[j]/float64(f.rows) - float64(f.means[j]*f.means[j]); v > 1e-10 {
			f.inverse[j] = 1 / math.Sqrt(v)
		}
	}
	return f
}

// each calls do for chunks of the rows, in order.
func (f *linearFit) each(do func(lo, hi int)) {
	for _, s := range f.spans {
		for lo := s.lo; lo < s.hi; lo += f.z.Rows {
			if f.ctx.Err() != nil {
				return
			}
			do(lo, min(lo+f.z.Rows, s.hi))
		}
	}
}

// affine sets a to the map on raw inputs that point stands for.
func (f *linearFit) affine(point []float64, a affine) {
	k := len(a.b)
	copy(a.b, point[len(a.w):])
	for i, m := range f.means {
		for j := range k {
			v := float64(point[i*k+j] * f.inverse[i])
			a.w[i*k+j] = v
			a.b[j] -= float64(v * m)
		}
	}
}

// value returns the objective at point and its gradient; NaN when ctx is done.
func (f *linearFit) value(point, grad []float64) float64 {
	t, k := f.t, len(f.raw.b)
	weights := len(f.raw.w)
	f.affine(point, f.raw)
	for i, v := range f.raw.w {
		f.l.w.Data[f.l.w.Index(i/k, i%k)] = float32(v)
	}
	for j, v := range f.raw.b {
		f.l.b[j] = float32(v + float64(t.prior[j]))
	}
	clear(grad)
	raw, bias := grad[:weights], grad[weights:]
	loss := 0.0
	f.each(func(lo, hi int) {
		x, z := t.x.RowRange(lo, hi), f.z.RowRange(0, hi-lo)
		t.k.MatMul(z, x, f.l.w, f.l.b, false)
		for i := range z.Rows {
			row := z.Row(i)
			if t.class != nil {
				loss += softmaxGradient(row, int(t.class[lo+i]), 1, f.exp)
				continue
			}
			for j, y := range t.y.Row(lo + i) {
				d := row[j] - y
				loss += 0.5 * (float64(d) * float64(d)) // exact products
				row[j] = d
			}
		}
		t.k.WeightGrad(f.g, f.gb, x, z, false)
		for i := range raw {
			raw[i] += float64(f.g.Data[f.g.Index(i/k, i%k)])
		}
		for j, v := range f.gb {
			bias[j] += float64(v)
		}
	})
	if f.ctx.Err() != nil {
		return math.NaN()
	}
	n := float64(f.rows)
	loss /= n
	for j := range bias {
		bias[j] /= n
	}
	penalty := 0.0
	for i, m := range f.means {
		for j := range k {
			w, g := point[i*k+j], &raw[i*k+j]
			*g = float64((*g/n-float64(m*bias[j]))*f.inverse[i]) + float64(f.lambda*w)
			penalty += float64(w * w)
		}
	}
	return loss + float64(0.5*f.lambda*penalty)
}
