package backprop

import (
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// chunkRows is how many rows go forward and back together: few enough for their
// activations to stay in the second-level cache, a multiple of the heights of all tiles.
const chunkRows = 192

// slotsMost is the largest number of slots of a batch.
const slotsMost = 8

// Slots returns how a batch of m rows is cut for sums over rows: into g slots of r rows, the
// last ones shorter or empty. It depends on m alone, so that the sums do. Slots are what
// workers take.
func Slots(m int) (g, r int) {
	switch {
	case m < 256:
		g = 1
	case m < 1024:
		g = 2
	case m < 2048:
		g = 4
	default:
		g = slotsMost
	}
	return g, (m + 16*g - 1) / (16 * g) * 16
}

// A Task supplies a Stepper with the rows of a batch. Its methods are called for disjoint
// ranges of rows, from several goroutines if there are workers, but for the rows of one
// slot in ascending order.
type Task interface {
	// Inputs returns rows lo, lo+1, … of the batch, as many as in has: in itself, filled, or
	// a view of memory that already holds them.
	Inputs(in kernel.Matrix, lo int) kernel.Matrix
	// Loss adds the losses of rows lo, lo+1, …, whose outputs are in out, to sum one by one,
	// and replaces out by the gradient of what is to be minimised.
	Loss(out kernel.Matrix, lo int, sum float64) float64
}

// A Stepper computes gradients of one network. It owns the buffers; nothing is allocated
// after NewStepper. It must not be used by two goroutines at once.
type Stepper struct {
	k          kernel.Kernel
	batch      int
	grads      []Parameters // of each slot
	losses     [slotsMost]float64
	first      kernel.Weights   // first layer, the scale layer multiplied in
	transposed []kernel.Weights // of all layers but the first
	work       []workspace      // of each worker
	sine       bool             // hidden layers end with it
	team       *Team

	// of the step that is running
	p    *Parameters
	task Task
	m    int
	slot func(i, worker int)
	part func(i, worker int)
	opt  Optimiser
}

// A workspace holds the activations of one chunk of rows.
type workspace struct {
	in     kernel.Matrix
	hidden []kernel.Matrix
	slopes []kernel.Matrix // of sine: the cosines that belong to hidden
	out    kernel.Matrix
}

func newWorkspace(s Shape, rows int) workspace {
	w := workspace{in: workMatrix(rows, s.Inputs), out: workMatrix(rows, s.Outputs)}
	for _, n := range s.Hidden {
		w.hidden = append(w.hidden, workMatrix(rows, n))
		if s.Sine {
			w.slopes = append(w.slopes, workMatrix(rows, n))
		}
	}
	return w
}

// workMatrix returns a matrix whose rows begin at whole cache lines, at a stride that is no
// large power of two.
func workMatrix(rows, cols int) kernel.Matrix {
	return kernel.NewMatrix(rows, lineUp(cols)+16).ColRange(0, cols)
}

// NewStepper returns a Stepper for batches of up to batch rows, whose slots the workers of
// team share; a nil team is the caller alone.
func NewStepper(k kernel.Kernel, s Shape, batch int, team *Team) *Stepper {
	t := &Stepper{k: k, batch: batch, team: team, sine: s.Sine}
	g, _ := Slots(batch)
	for range g {
		t.grads = append(t.grads, s.Parameters())
	}
	p := &t.grads[0]
	if s.Scaled {
		t.first = kernel.NewWeights(p.W[0].K, p.W[0].N)
	}
	for _, w := range p.W[1:] {
		t.transposed = append(t.transposed, kernel.NewWeights(w.N, w.K))
	}
	workers := team.Size()
	if g == 1 {
		workers = 1 // one slot is the caller's
	}
	for range workers {
		t.work = append(t.work, newWorkspace(s, min(chunkRows, batch))) // a slot of a smaller batch may be larger
	}
	t.slot = t.runSlot
	t.part = t.runPart
	return t
}

// Gradient returns the gradient of task over a batch of m rows with parameters p, and the
// sum of its losses. The gradient is the Stepper's and lives until the next call.
//
// Within a slot rows are added up one by one in ascending order; slots are added by
// adjacent pairs, ((0+1)+(2+3))+((4+5)+(6+7)), gradients in float32, losses in float64.
// So the bits depend neither on workers nor on chunks.
func (t *Stepper) Gradient(p *Parameters, task Task, m int) (*Parameters, float64) {
	t.slots(p, task, m)
	g, _ := Slots(m)
	for d := 1; d < g; d *= 2 {
		for s := 0; s < g; s += 2 * d {
			t.k.Add(t.grads[s].Flat, t.grads[s+d].Flat)
		}
	}
	t.unscale(p)
	return &t.grads[0], t.losses[0]
}

// slots runs task through all slots and adds up the losses.
func (t *Stepper) slots(p *Parameters, task Task, m int) {
	if m < 1 || m > t.batch {
		panic("backprop: batch out of range")
	}
	t.p, t.task, t.m = p, task, m
	t.scale(p)
	for i, w := range t.transposed {
		t.k.Transpose(w, p.W[i+1])
	}
	g, _ := Slots(m)
	t.team.Do(g, t.slot)
	for d := 1; d < g; d *= 2 {
		for s := 0; s < g; s += 2 * d {
			t.losses[s] += t.losses[s+d]
		}
	}
}

// scale prepares the effective first layer.
func (t *Stepper) scale(p *Parameters) {
	if p.Scale != nil {
		scaleRows(t.first, p.W[0], p.Scale)
	} else {
		t.first = p.W[0]
	}
}

// unscale turns the gradient of the effective first layer into that of the first layer and
// the scale layer.
func (t *Stepper) unscale(p *Parameters) {
	if p.Scale != nil {
		unscaleGradient(t.grads[0].W[0], t.grads[0].Scale, p.W[0], p.Scale)
	}
}

// runSlot computes the gradient of slot s, chunk by chunk.
func (t *Stepper) runSlot(s, worker int) {
	_, r := Slots(t.m)
	lo, hi := min(s*r, t.m), min((s+1)*r, t.m)
	loss, w := 0.0, &t.work[worker]
	if lo == hi {
		clear(t.grads[s].Flat)
	}
	for at := lo; at < hi; at += chunkRows {
		loss = t.chunk(w, &t.grads[s], at, min(at+chunkRows, hi), loss, at > lo)
	}
	t.losses[s] = loss
}

// chunk takes rows lo to hi forward and back and adds them to a slot.
func (t *Stepper) chunk(w *workspace, g *Parameters, lo, hi int, loss float64, accumulate bool) float64 {
	m := hi - lo
	in := t.task.Inputs(w.in.RowRange(0, m), lo)
	out := t.forward(w, t.p, in, w.slopes)
	loss = t.task.Loss(out, lo, loss)
	dy := out
	for i := len(w.hidden); i >= 0; i-- {
		x := in
		if i > 0 {
			x = w.hidden[i-1].RowRange(0, m)
		}
		t.k.WeightGrad(g.W[i], g.B[i], x, dy, accumulate)
		if i == 0 {
			break
		}
		// The gradient takes the place of the activations.
		if w.slopes == nil {
			t.k.InputGrad(x, dy, t.transposed[i-1], x)
		} else {
			t.k.InputGrad(x, dy, t.transposed[i-1], kernel.Matrix{})
			t.k.Multiply(x.Data, w.slopes[i-1].RowRange(0, m).Data)
		}
		dy = x
	}
	return loss
}

// radian is a radian in cycles, the unit of kernel.Sine.
const radian = 0.5 / math.Pi

// forward returns the outputs for the rows of in, and sets the cosines of sine layers
// unless slopes is nil.
func (t *Stepper) forward(w *workspace, p *Parameters, in kernel.Matrix, slopes []kernel.Matrix) kernel.Matrix {
	a := in
	for i, h := range w.hidden {
		layer := p.W[i]
		if i == 0 {
			layer = t.first
		}
		dst := h.RowRange(0, in.Rows)
		t.k.MatMul(dst, a, layer, p.B[i], !t.sine)
		if t.sine {
			var cos []float32
			if slopes != nil {
				cos = slopes[i].RowRange(0, in.Rows).Data
			}
			t.k.Sine(dst.Data, cos, dst.Data, radian) // padding too, which nobody reads
		}
		a = dst
	}
	last, layer := len(w.hidden), p.W[len(w.hidden)]
	if last == 0 {
		layer = t.first
	}
	dst := w.out.RowRange(0, in.Rows)
	t.k.MatMul(dst, a, layer, p.B[last], false)
	return dst
}

// Evaluate returns the sum of losses of task over m rows, which may be any number, with
// parameters p. Rows are added up one by one.
func (t *Stepper) Evaluate(p *Parameters, task Task, m int) float64 {
	t.scale(p)
	w, sum := &t.work[0], 0.0
	for lo := 0; lo < m; lo += w.in.Rows {
		in := task.Inputs(w.in.RowRange(0, min(w.in.Rows, m-lo)), lo)
		sum = task.Loss(t.forward(w, p, in, nil), lo, sum)
	}
	return sum
}

// An Optimiser says what Step does to the parameters: AdamW, with weight decay on weights
// only and a learning rate of its own for the scale layer; or, without moments, a step of
// gradient descent, p = p − rate·g, product and difference rounded.
type Optimiser struct {
	Moments1, Moments2 []float32 // as long as Parameters.Flat, or nil
	Step               kernel.AdamStep
	ScaleRate          float32 // learning rate of the scale layer; 0 where there is none
}

// updatePart is the number of parameters that a worker takes at a time.
const updatePart = 1 << 15

// Step computes the gradient of task over m rows and moves p against it. It returns the sum
// of losses. The moments are part of the state of training and belong to the caller.
func (t *Stepper) Step(p *Parameters, task Task, m int, o Optimiser) float64 {
	t.slots(p, task, m)
	t.opt = o
	n := len(p.Flat)
	if p.Scale != nil {
		// The gradient of the scale layer needs the whole first layer.
		g, _ := Slots(m)
		t.combine(g, 0, n)
		t.unscale(p)
		t.update(0, n)
		return t.losses[0]
	}
	t.team.Do((n+updatePart-1)/updatePart, t.part)
	return t.losses[0]
}

// runPart combines and updates one part of the parameters.
func (t *Stepper) runPart(i, _ int) {
	g, _ := Slots(t.m)
	lo, hi := i*updatePart, min((i+1)*updatePart, len(t.p.Flat))
	t.combine(g, lo, hi)
	t.update(lo, hi)
}

// combine adds elements lo to hi of the gradients of g slots to the first.
func (t *Stepper) combine(g, lo, hi int) {
	for d := 1; d < g; d *= 2 {
		for s := 0; s < g; s += 2 * d {
			t.k.Add(t.grads[s].Flat[lo:hi], t.grads[s+d].Flat[lo:hi])
		}
	}
}

// update moves elements lo to hi of the parameters.
func (t *Stepper) update(lo, hi int) {
	p, s := t.p, t.opt.Step
	t.adam(lo, min(hi, p.Weights), s)
	s.Decay = 0
	t.adam(max(lo, p.Weights), min(hi, p.Biases), s)
	s.Rate = t.opt.ScaleRate
	t.adam(max(lo, p.Biases), hi, s)
}

func (t *Stepper) adam(lo, hi int, s kernel.AdamStep) {
	if lo < hi && t.opt.Moments1 == nil {
		g := t.grads[0].Flat[lo:hi]
		for i, v := range t.p.Flat[lo:hi] {
			t.p.Flat[lo+i] = v - float32(s.Rate*g[i])
		}
		return
	}
	if lo < hi {
		t.k.Adam(t.p.Flat[lo:hi], t.grads[0].Flat[lo:hi], t.opt.Moments1[lo:hi], t.opt.Moments2[lo:hi], s)
	}
}
