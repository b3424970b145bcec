package mgdl

import (
	"context"
	"math"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// Constants of the optimiser.
const (
	adamBeta1   = 0.9
	adamBeta2   = 0.95
	adamEpsilon = 1e-8
	weightDecay = 3e-2 // times the rate; on weights only
	scaleRate   = 6    // learning rate of the scale layer, as a multiple of that of the rest
	warmUp      = 0.1  // share of the schedule in which the rate rises
	lowest      = 0.01 // rate at the end, as a share of the peak
	averageOver = 0.1  // share of the steps so far that the average of weights covers
	averageStep = 4    // steps between updates of the average
)

// A learner is one chain's network in training.
type learner struct {
	k     kernel.Kernel
	t     *table
	c     *chain
	shape shape
	unit  float64 // residuals are divided by it; 1 for classification
	batch int
	peak  float64 // of the learning rate
	total int     // steps of the schedule

	p          parameters
	average    parameters
	best       parameters
	grads      []parameters // of each slot of the batch
	m, v       []float32    // moments
	transposed []kernel.Weights
	first      kernel.Weights // first layer, the scale layer multiplied in

	rows   []int32 // of the table, now in in
	in     kernel.Matrix
	hidden []kernel.Matrix
	out    kernel.Matrix
	exp    []float64

	random *stream
	order  []int32 // the chain's own rows in the order of this epoch
	at     int     // how many of them are done

	step      int
	slotLoss  [8]float64
	trainLoss float64 // sum of the losses of the steps since the last check
	heldLoss  float64 // of the average at the last check
	bestLoss  float64 // of best
	improved  bool    // at the last check
}

// slots returns how a batch of m rows is cut for sums over rows: into g slots of r rows,
// the last one shorter. It depends on m alone, so that the sums do.
func slots(m int) (g, r int) {
	switch {
	case m < 256:
		g = 1
	case m < 1024:
		g = 2
	case m < 2048:
		g = 4
	default:
		g = 8
	}
	return g, (m + 16*g - 1) / (16 * g) * 16
}

// workRows is the least number of rows a learner's buffers hold: validation goes through
// them in pieces.
const workRows = 256

func newLearner(k kernel.Kernel, t *table, c *chain, s shape, r *recipe, unit float64, grade int) *learner {
	l := &learner{k: k, t: t, c: c, shape: s, unit: unit, batch: r.batch, peak: r.rate}
	l.p, l.average, l.best = s.parameters(), s.parameters(), s.parameters()
	n := len(l.p.flat)
	g, _ := slots(l.batch)
	for range g {
		l.grads = append(l.grads, s.parameters())
	}
	l.m, l.v = kernel.Floats(n), kernel.Floats(n)
	l.first = kernel.NewWeights(l.p.w[0].K, l.p.w[0].N)
	for _, w := range l.p.w[1:] {
		l.transposed = append(l.transposed, kernel.NewWeights(w.N, w.K))
	}
	rows := max(l.batch, workRows)
	l.rows = make([]int32, rows)
	l.in = work(rows, s.inputs)
	for _, w := range s.hidden {
		l.hidden = append(l.hidden, work(rows, w))
	}
	l.out = work(rows, s.outputs)
	l.exp = make([]float64, s.outputs)
	l.order = c.own(t.n)
	l.at = len(l.order)
	l.random = newStream(r.seed, orderRows, grade, c.id)
	l.bestLoss = math.Inf(1)
	l.start(newStream(r.seed, startWeights, grade, c.id))
	copy(l.average.flat, l.p.flat)
	copy(l.best.flat, l.p.flat)
	return l
}

// work returns a matrix whose rows begin at whole cache lines, at a stride that is no
// large power of two.
func work(rows, cols int) kernel.Matrix {
	m := kernel.NewMatrix(rows, lineUp(cols)+16)
	return m.ColRange(0, cols)
}

// start sets the first weights: He normal, variance 2/inputs of the layer; first-layer
// biases that put the hinge of each unit through a random point between two random rows;
// a readout of zeros, so that the network starts as the zero function; scales of 1.
func (l *learner) start(s *stream) {
	for i := range l.p.scale {
		l.p.scale[i] = 1
	}
	for _, w := range l.p.w[:len(l.p.w)-1] {
		d := math.Sqrt(2 / float64(w.K))
		for k := range w.K {
			for n := range w.N {
				w.Data[w.Index(k, n)] = float32(float64(d * s.normal()))
			}
		}
	}
	w := l.p.w[0]
	for n := range w.N {
		l.rows[0], l.rows[1] = l.order[s.intn(len(l.order))], l.order[s.intn(len(l.order))]
		u := s.uniform()
		l.gather(2)
		a, b := l.in.Row(0), l.in.Row(1)
		sum := 0.0
		for k := range w.K {
			x := float64(b[k]) + float64(u*(float64(a[k])-float64(b[k])))
			sum += float64(x * float64(w.Data[w.Index(k, n)]))
		}
		l.p.b[0][n] = float32(-sum)
	}
}

// gather fills the first m rows of in with the network inputs of l.rows: the raw inputs
// and the standardised features.
func (l *learner) gather(m int) {
	d := l.t.x.Cols
	for i, r := range l.rows[:m] {
		row := l.in.Row(i)
		copy(row[:d], l.t.x.Row(int(r)))
		if len(row) > d {
			l.c.standardise(row[d:], int(r))
		}
	}
}

// forward computes the activations and outputs of the first m rows of in for parameters
// p.
func (l *learner) forward(p *parameters, m int) {
	scaleRows(l.first, p.w[0], p.scale)
	a := l.in.RowRange(0, m)
	for i := range l.hidden {
		w := p.w[i]
		if i == 0 {
			w = l.first
		}
		dst := l.hidden[i].RowRange(0, m)
		l.k.MatMul(dst, a, w, p.b[i], true)
		a = dst
	}
	last := len(l.hidden)
	l.k.MatMul(l.out.RowRange(0, m), a, p.w[last], p.b[last], false)
}

// lossGradient replaces the outputs of m rows by the gradient of half their mean loss
// (squared error) or of their mean loss (cross-entropy), and returns the mean loss, of
// residuals in l.unit.
func (l *learner) lossGradient(m int) float64 {
	g, r := slots(m)
	for s := range g {
		l.slotLoss[s] = 0
		for i := s * r; i < min((s+1)*r, m); i++ {
			l.slotLoss[s] += l.rowGradient(i, m)
		}
	}
	for d := 1; d < g; d *= 2 {
		for s := 0; s < g; s += 2 * d {
			l.slotLoss[s] += l.slotLoss[s+d]
		}
	}
	return l.slotLoss[0] / float64(m)
}

// rowGradient does lossGradient for row i of m.
func (l *learner) rowGradient(i, m int) float64 {
	z, r := l.out.Row(i), int(l.rows[i])
	base := l.c.sums.Row(r)
	if l.t.class != nil {
		for j, v := range base {
			z[j] += v
		}
		return softmaxGradient(z, int(l.t.class[r]), 1/float64(m), l.exp)
	}
	inverse := float32(1 / l.unit)
	scale := float32(1 / (float64(m) * float64(len(z))))
	loss := 0.0
	for j, y := range l.t.y.Row(r) {
		d := z[j] - float32((y-base[j])*inverse)
		loss += float64(d) * float64(d) // exact product
		z[j] = d * scale
	}
	return loss / float64(len(z))
}

// backward sets grads[0] to the gradient, given that of the outputs of m rows. The
// gradients of activations replace them.
func (l *learner) backward(m int) {
	g, r := slots(m)
	for i := len(l.p.w) - 1; i >= 0; i-- {
		x, dy := l.in, l.out
		if i > 0 {
			x = l.hidden[i-1]
		}
		if i < len(l.hidden) {
			dy = l.hidden[i]
		}
		for s := range g {
			lo, hi := min(s*r, m), min((s+1)*r, m)
			l.k.WeightGrad(l.grads[s].w[i], l.grads[s].b[i], x.RowRange(lo, hi), dy.RowRange(lo, hi), false)
		}
		if i > 0 {
			l.transposed[i-1].Transpose(l.p.w[i])
			x = x.RowRange(0, m)
			l.k.InputGrad(x, dy.RowRange(0, m), l.transposed[i-1], x)
		}
	}
	for d := 1; d < g; d *= 2 {
		for s := 0; s < g; s += 2 * d {
			l.k.Add(l.grads[s].flat, l.grads[s+d].flat)
		}
	}
	unscaleGradient(l.grads[0].w[0], l.grads[0].scale, l.p.w[0], l.p.scale)
}

// descend takes the optimiser's step number l.step+1.
func (l *learner) descend() {
	rate := l.peak * rateAt((float64(l.step)+0.5)/float64(l.total))
	l.step++
	s := kernel.AdamStep{Rate: float32(rate), Beta1: adamBeta1, Beta2: adamBeta2, Epsilon: adamEpsilon, Decay: weightDecay, Step: l.step}
	l.adam(0, l.p.weights, s)
	s.Decay = 0
	l.adam(l.p.weights, l.p.biases, s)
	s.Rate = float32(scaleRate * rate)
	l.adam(l.p.biases, len(l.p.flat), s)
	if l.step%averageStep == 0 {
		n := min(float64(l.step), float64(l.total)/4)
		l.k.Lerp(l.average.flat, l.p.flat, float32(min(1, averageStep/(averageOver*n))))
	}
}

func (l *learner) adam(i, j int, s kernel.AdamStep) {
	l.k.Adam(l.p.flat[i:j], l.grads[0].flat[i:j], l.m[i:j], l.v[i:j], s)
}

// rateAt returns the learning rate at share u of the schedule, 1 being the peak: a rise
// from 0, then half a cosine down to lowest.
func rateAt(u float64) float64 {
	if u < warmUp {
		return u / warmUp
	}
	return lowest + float64((1-lowest)*0.5*(1+cospi((u-warmUp)/(1-warmUp))))
}

// train takes one step: the next batch forward and back, and the optimiser's update.
func (l *learner) train() {
	if l.at+l.batch > len(l.order) {
		l.random.shuffle(l.order)
		l.at = 0
	}
	copy(l.rows, l.order[l.at:l.at+l.batch])
	l.at += l.batch
	l.gather(l.batch)
	l.forward(&l.p, l.batch)
	l.trainLoss += l.lossGradient(l.batch)
	l.backward(l.batch)
	l.descend()
}

// run trains for n steps, then validates the average of the weights; it returns early
// when ctx is done.
func (l *learner) run(ctx context.Context, n int) {
	l.trainLoss = 0
	for range n {
		if ctx.Err() != nil {
			return
		}
		l.train()
	}
	l.trainLoss /= float64(n)
	l.validate(ctx)
}

// validate sets heldLoss to the mean loss of the average on the rows the chain holds out,
// and keeps the average as best if it is the best so far. Residuals are in l.unit and
// not clamped.
func (l *learner) validate(ctx context.Context) {
	sum := 0.0
	for lo := l.c.lo; lo < l.c.hi; lo += len(l.rows) {
		if ctx.Err() != nil {
			return
		}
		m := min(len(l.rows), l.c.hi-lo)
		for i := range m {
			l.rows[i] = int32(lo + i)
		}
		l.gather(m)
		l.forward(&l.average, m)
		for i := range m {
			sum += l.rowGradient(i, m)
		}
	}
	l.heldLoss = sum / float64(l.c.hi-l.c.lo)
	l.improved = l.heldLoss < l.bestLoss
	if l.improved {
		l.bestLoss = l.heldLoss
		copy(l.best.flat, l.average.flat)
	}
}

// network returns the best average as a network on the raw inputs and raw features, with
// outputs in the units of the targets: the scale layer and the standardisation of
// features are folded into the first layer, the unit of residuals into the readout.
func (l *learner) network() network {
	p := &l.best
	var ls []layer
	for i, w := range p.w {
		c := kernel.Weights{K: w.K, N: w.N, Data: kernel.Floats(len(w.Data))}
		copy(c.Data, w.Data)
		ls = append(ls, layer{c, slices.Clone(p.b[i])})
	}
	d := l.t.x.Cols
	first := &ls[0]
	for n, b := range first.b {
		bias := float64(b)
		for k := range first.w.K {
			i := first.w.Index(k, n)
			w := float64(first.w.Data[i]) * float64(p.scale[k])
			if k < d {
				first.w.Data[i] = float32(w)
				continue
			}
			v := float32(w * float64(l.c.inverse[k-d]))
			first.w.Data[i] = v
			bias -= float64(float64(v) * float64(l.c.center[k-d]))
		}
		first.b[n] = float32(bias)
	}
	last := &ls[len(ls)-1]
	for i, v := range last.w.Data {
		last.w.Data[i] = float32(float64(v) * l.unit)
	}
	for i, v := range last.b {
		last.b[i] = float32(float64(v) * l.unit)
	}
	return network{hidden: ls[:len(ls)-1], out: *last}
}
