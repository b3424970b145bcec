package mgdl

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/multigrade/multigrade/internal/backprop"
	"github.com/multigrade/multigrade/kernel"
)

// Constants of the optimiser.
const (
	adamBeta1   = 0.9
	adamBeta2   = 0.95
	planBeta2   = 0.999 // of a plan
	adamEpsilon = 1e-8
	weightDecay = 3e-2 // times the rate; on weights only
	scaleRate   = 6    // learning rate of the scale layer, as a multiple of that of the rest
	warmUp      = 0.1  // share of the schedule in which the rate rises
	lowest      = 0.01 // rate at the end, as a share of the peak
	averageOver = 0.1  // share of the steps so far that the average of weights covers
	averageStep = 4    // steps between updates of the average

	// Above nearBytes of network inputs, an epoch takes rows in runs of runRows neighbours,
	// which are random ones since the table has been shuffled: single rows from all over the
	// memory would take a quarter of the speed (go run ./bench/scale).
	nearBytes = 32 << 20
	runRows   = 32
)

// A learner is one chain's network in training. It is the backprop.Task of its batches
// and of the rows the chain holds out.
type learner struct {
	t     *table
	c     *chain
	unit  float64 // residuals are divided by it; 1 for classification
	batch int
	peak  float64 // of the learning rate
	total int     // steps of the schedule
	from  int     // steps from which on an average can be the best

	k       kernel.Kernel
	team    *backprop.Team
	stepper *backprop.Stepper
	sine    bool
	p       backprop.Parameters
	average backprop.Parameters
	best    backprop.Parameters
	m, v    []float32 // moments

	random *stream
	order  []int32     // the chain's own rows in the order of this epoch
	turns  int         // times they have been shuffled
	at     int         // how many of them are done
	held   []int32     // the rows it holds out
	rows   []int32     // those of the task at hand
	exp    [][]float64 // scratch of Loss, for each slot of the batch

	together int // rows of the order that stay together

	step      int
	trainLoss float64 // sum over the steps since the last check
	heldLoss  float64 // of the average at the last check
	bestLoss  float64 // of best
}

// newLearner returns the learner of chain c's network in grade number grade, counted from
// 0 without a linear one; from 1 on it sees the chain's features.
func newLearner(k kernel.Kernel, t *table, c *chain, r *recipe, unit float64, grade int) *learner {
	s := backprop.Shape{Inputs: t.x.Cols, Hidden: r.hidden, Outputs: c.sums.Cols, Scaled: true, Sine: r.sine}
	if grade > 0 {
		s.Inputs += c.features.Cols
	}
	l := &learner{t: t, c: c, unit: unit, batch: r.batch, peak: r.rate, k: k, sine: r.sine, p: s.Parameters(), average: s.Parameters(), best: s.Parameters()}
	slots, _ := backprop.Slots(l.batch)
	if slots > 1 { // else there is nothing to share
		l.team = backprop.NewTeam(r.workers / r.chains)
	}
	l.stepper = backprop.NewStepper(k, s, l.batch, l.team)
	l.m, l.v = kernel.Floats(len(l.p.Flat)), kernel.Floats(len(l.p.Flat))
	for range slots {
		l.exp = append(l.exp, make([]float64, s.Outputs))
	}
	for _, s := range c.spans(t.n, t.n) {
		l.order = s.appendRows(l.order)
	}
	l.at = len(l.order)
	l.together = 1
	if int64(len(l.order))*int64(s.Inputs)*4 > nearBytes {
		l.together = runRows
	}
	l.held = c.held.appendRows(nil)
	l.random = newStream(r.seed, orderRows, grade, c.id)
	l.bestLoss = math.Inf(1)
	l.start(newStream(r.seed, startWeights, grade, c.id))
	copy(l.average.Flat, l.p.Flat)
	copy(l.best.Flat, l.p.Flat)
	return l
}

// start sets the first weights: He normal, variance 2/inputs of the layer; first-layer
// biases that put the hinge of each unit through a random point between two random rows;
// a readout of zeros, so that the network starts as the zero function; scales of 1. Units of
// sine have random phases instead.
func (l *learner) start(s *stream) {
	for i := range l.p.Scale {
		l.p.Scale[i] = 1
	}
	for _, w := range l.p.W[:len(l.p.W)-1] {
		fillNormal(w, math.Sqrt(2/float64(w.K)), s)
	}
	if l.sine {
		for n := range l.p.B[0] {
			l.p.B[0][n] = float32(2 * math.Pi * s.uniform())
		}
		return
	}
	w := l.p.W[0]
	ends := kernel.NewMatrix(2, w.K)
	for n := range w.N {
		l.rows = []int32{l.order[s.intn(len(l.order))], l.order[s.intn(len(l.order))]}
		l.Inputs(ends, 0)
		l.p.B[0][n] = hinge(w, n, ends.Row(0), ends.Row(1), s.uniform())
	}
}

// Inputs sets in to what the network sees of l.rows from lo on: the raw inputs and the
// standardised features.
func (l *learner) Inputs(in kernel.Matrix, lo int) kernel.Matrix {
	d := l.t.x.Cols
	for i, r := range l.rows[lo : lo+in.Rows] {
		row := in.Row(i)
		copy(row[:d], l.t.x.Row(int(r)))
		if len(row) > d {
			l.c.standardise(row[d:], int(r))
		}
	}
	return in
}

// Loss adds the losses of the outputs for l.rows from lo on, of residuals in l.unit and
// not clamped, and replaces the outputs by the gradient of the batch's mean loss, or of
// half of it where it is a squared error.
func (l *learner) Loss(out kernel.Matrix, lo int, sum float64) float64 {
	slots, slotRows := backprop.Slots(l.batch)
	exp := l.exp[min(lo/slotRows, slots-1)] // one worker has the slot; validation has one worker
	for i, r := range l.rows[lo : lo+out.Rows] {
		z, base := out.Row(i), l.c.sums.Row(int(r))
		if l.t.class != nil {
			for j, v := range base {
				z[j] += v
			}
			sum += softmaxGradient(z, int(l.t.class[r]), 1/float64(l.batch), exp)
			continue
		}
		inverse := float32(1 / l.unit)
		scale := float32(1 / (float64(l.batch) * float64(len(z))))
		loss := 0.0
		for j, y := range l.t.y.Row(int(r)) {
			d := z[j] - float32((y-base[j])*inverse)
			loss += float64(d) * float64(d) // exact product
			z[j] = d * scale
		}
		sum += loss / float64(len(z))
	}
	return sum
}

// rateAt returns the learning rate at share u of the schedule, 1 being the peak: a rise
// from 0, then half a cosine down to lowest.
func rateAt(u float64) float64 {
	if u < warmUp {
		return u / warmUp
	}
	return lowest + float64((1-lowest)*0.5*(1+cospi((u-warmUp)/(1-warmUp))))
}

// train takes one step with the next batch.
func (l *learner) train() {
	if l.at+l.batch > len(l.order) {
		l.random.shuffleRuns(l.order, l.together)
		l.turns++
		l.at = 0
	}
	l.rows = l.order[l.at : l.at+l.batch]
	l.at += l.batch
	rate := l.peak * rateAt((float64(l.step)+0.5)/float64(l.total))
	l.step++
	sum := l.stepper.Step(&l.p, l, l.batch, backprop.Optimiser{
		Moments1: l.m, Moments2: l.v, ScaleRate: float32(scaleRate * rate),
		Step: kernel.AdamStep{Rate: float32(rate), Beta1: adamBeta1, Beta2: adamBeta2, Epsilon: adamEpsilon, Decay: weightDecay, Step: l.step},
	})
	l.trainLoss += sum / float64(l.batch)
	if l.step%averageStep == 0 || l.step == l.total {
		n := min(float64(l.step), float64(l.total)/4)
		l.k.Lerp(l.average.Flat, l.p.Flat, float32(min(1, averageStep/(averageOver*n))))
	}
}

// advance trains until step target; it returns early when ctx is done, and after a step
// at which a deadline, if there is one, has passed.
func (l *learner) advance(ctx done, target int, deadline time.Time) {
	l.team.Start()
	defer l.team.Stop()
	for l.step < target && ctx.Err() == nil {
		l.train()
		if !deadline.IsZero() && time.Now().After(deadline) {
			return
		}
	}
}

func (l *learner) steps() int { return l.step }

func (l *learner) state() learnerState {
	return learnerState{l.step, l.at, l.turns, l.trainLoss, l.bestLoss, [][]float32{l.p.Flat, l.average.Flat, l.best.Flat, l.m, l.v}}
}

// restore continues from a state; false if it is that of another network.
func (l *learner) restore(s *learnerState) bool {
	if !s.restoreVectors(l.p.Flat, l.average.Flat, l.best.Flat, l.m, l.v) || s.shuffles < 0 || s.shuffles > s.step || s.at < 0 || s.at > len(l.order) {
		return false
	}
	l.step, l.at, l.trainLoss, l.bestLoss = s.step, s.at, s.trainLoss, s.bestLoss
	for range s.shuffles {
		l.random.shuffleRuns(l.order, l.together)
	}
	l.turns = s.shuffles
	return true
}

// check returns the mean training loss of the last n steps and validates the average of the
// weights.
func (l *learner) check(ctx context.Context, n int) (trainLoss float64) {
	trainLoss = l.trainLoss / float64(n)
	l.trainLoss = 0
	l.validate(ctx)
	return trainLoss
}

// validate sets heldLoss to the mean loss of the average on the rows the chain holds out,
// and keeps the average as best if it is the best so far.
func (l *learner) validate(ctx context.Context) {
	sum := 0.0
	for rows := l.held; len(rows) > 0 && ctx.Err() == nil; {
		n := min(len(rows), blockRows)
		l.rows = rows[:n]
		sum += l.stepper.Evaluate(&l.average, l, n)
		rows = rows[n:]
	}
	l.heldLoss = sum / float64(len(l.held))
	if ctx.Err() != nil {
		return
	}
	if l.heldLoss < l.bestLoss && l.step >= l.from {
		l.bestLoss = l.heldLoss
		copy(l.best.Flat, l.average.Flat)
	}
}

// network returns the best average as a network on the raw inputs and raw features, with
// outputs in the units of the targets: the scale layer and the standardisation of
// features are folded into the first layer, the unit of residuals into the readout.
func (l *learner) network() network {
	p := &l.best
	layers := copyLayers(p)
	layers[0].fold(p.Scale, l.t.x.Cols, l.c.center, l.c.inverse)
	last := len(layers) - 1
	layers[last].multiply(l.unit)
	n := network{hidden: layers[:last], out: layers[last]}
	if l.sine {
		n.activation = Sine
		for i := range n.hidden {
			n.hidden[i].cycles()
		}
	}
	return n
}

// copyLayers returns the layers of p.
func copyLayers(p *backprop.Parameters) []layer {
	var layers []layer
	for i, w := range p.W {
		c := kernel.Weights{K: w.K, N: w.N, Data: kernel.Floats(len(w.Data))}
		copy(c.Data, w.Data)
		layers = append(layers, layer{c, slices.Clone(p.B[i])})
	}
	return layers
}

// fold makes l see raw numbers, where input k sees scale[k] times them, without a scale once,
// and inputs from at on (feature − center)·inverse, times their scale.
func (l *layer) fold(scale []float32, at int, center, inverse []float32) {
	for n, b := range l.b {
		bias := float64(b)
		for k := range l.w.K {
			i := l.w.Index(k, n)
			w := float64(l.w.Data[i])
			if scale != nil {
				w *= float64(scale[k])
			}
			if k < at {
				l.w.Data[i] = float32(w)
				continue
			}
			v := float32(w * float64(inverse[k-at]))
			l.w.Data[i] = v
			bias -= float64(float64(v) * float64(center[k-at]))
		}
		l.b[n] = float32(bias)
	}
}

// multiply multiplies what comes out of l by unit.
func (l *layer) multiply(unit float64) {
	for _, x := range [...][]float32{l.w.Data, l.b} {
		for i, v := range x {
			x[i] = float32(float64(v) * unit)
		}
	}
}
