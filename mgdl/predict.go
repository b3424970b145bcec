package mgdl

import (
	"slices"
	"time"

	"github.com/multigrade/multigrade/kernel"
)

// batchRows is the number of rows that go through a network together: enough to reuse
// each weight in registers, few enough that the activations of a layer stay in L1.
const batchRows = 64

// A Predictor computes predictions of one Model. It owns the buffers they need, so it
// is for one goroutine; make one for each. Predictions do not depend on how rows are
// grouped into calls.
type Predictor struct {
	m       *Model
	k       kernel.Kernel
	encoder encoder
	steps   []step
	outputs []outputColumn // regression: how outputs become values

	rows    int           // rows the buffers hold: 1 until there is a call with more
	z       kernel.Matrix // rows × (inputs + features): what networks take
	out     []float32     // rows × outputs of one network
	acc     []float32     // outputs of one row
	scratch *runScratch

	// Of PredictWithin.
	chains   kernel.Matrix   // features of each chain
	segments []time.Duration // before grade g: time of the grades up to the next look at the clock; 0: no look
}

// A step is one grade as the Predictor sees it.
type step struct {
	networks []network
	linear   bool
	at, in   int               // a network takes the in values of a row of z from at on
	takes    int               // features among them
	features int               // last hidden width
	feeds    bool              // a later grade takes the features
	inverse  float32           // of the number of networks
	sum      []float32         // rows × outputs, summed over networks
	row      []*kernel.Network // the networks, prepared for one row
}

type outputColumn struct {
	lo, hi      float32 // range of the training targets, standardised
	mean, scale float64
	min, max    float64
}

// NewPredictor returns a Predictor of m that runs on the selected kernel. Where grades
// take a microsecond or more it times them, for PredictWithin, with a few predictions.
func (m *Model) NewPredictor() *Predictor { return m.NewPredictorOn(kernel.Kernel{}) }

// NewPredictorOn returns a Predictor of m that runs on k. All kernels give the same bits.
func (m *Model) NewPredictorOn(k kernel.Kernel) *Predictor {
	p := &Predictor{m: m, k: k, encoder: m.schema.encoder(), steps: make([]step, len(m.grades))}
	last := -1 // latest nonlinear grade
	for g := range m.grades {
		gr := &m.grades[g]
		s := step{networks: gr.networks, linear: gr.linear(), in: m.inputs, inverse: 1 / float32(len(gr.networks))}
		if !s.linear {
			s.features = gr.features()
			if last >= 0 {
				p.steps[last].feeds = true
				s.in, s.takes = gr.networks[0].inputs(), p.steps[last].features
				s.at = source(s.in, m.inputs, s.takes)
			}
			last = g
		}
		for i := range s.networks {
			s.row = append(s.row, s.networks[i].prepare(k))
		}
		p.steps[g] = s
	}
	if m.schema.Task == Regression {
		lo, hi := m.schema.targetRange()
		for j, c := range m.schema.Targets {
			p.outputs = append(p.outputs, outputColumn{lo[j], hi[j], c.Mean, c.Scale, c.Min, c.Max})
		}
	}
	p.acc = make([]float32, len(m.prior))
	p.grow(1)
	p.measureSegments()
	return p
}

// grow makes the buffers for calls of n rows.
func (p *Predictor) grow(n int) {
	features, width := 0, 0
	for g := range p.steps {
		s := &p.steps[g]
		if s.feeds {
			features = max(features, s.features)
		}
		for i := range s.networks {
			width = max(width, s.networks[i].width())
		}
		s.sum = kernel.Floats(n * len(p.acc))
	}
	p.rows = n
	p.z = kernel.NewMatrix(n, p.m.inputs+features)
	p.out = kernel.Floats(n * len(p.acc))
	p.scratch = newRunScratch(n, width)
}

// Predict appends to dst the predictions of the raw rows that x holds one after the
// other: for each row len(Schema().Targets) values in the targets' own units, or the
// probabilities of the classes. With all of the model's grades,
//
//	z = prior + Σ_g (Σ_e network_ge) · (1/E)     over grades g, chains e < E, in this order
//	value = Mean + Scale·z, z clamped to the range of the training targets
//	probability = exp(z_c − max z) / Σ_c exp(z_c − max z)
//
// in float32 up to z, in float64 from there. It panics unless len(x) is a multiple of
// the number of features. dst must not overlap x. Nothing is allocated if dst has room,
// but for the larger buffers that the first call with several rows makes.
func (p *Predictor) Predict(dst, x []float64) []float64 {
	return p.PredictGrades(dst, x, len(p.steps))
}

// PredictGrades is Predict with the first grades grades only; 0 means the prior. It
// panics if the model has not as many.
func (p *Predictor) PredictGrades(dst, x []float64, grades int) []float64 {
	if grades < 0 || grades > len(p.steps) {
		panic("mgdl: number of grades out of range")
	}
	f := len(p.encoder.columns)
	if len(x) == f { // no division, no loop
		p.encoder.encodeRow(p.z.Data, x)
		p.forward(1, grades)
		return p.appendPrefix(dst, 0, grades)
	}
	n := len(x) / f
	if len(x) != n*f {
		panic("mgdl: length of x is not a multiple of the number of features")
	}
	if n > 1 && p.rows == 1 {
		p.grow(batchRows)
	}
	dst = slices.Grow(dst, n*len(p.acc))
	for n > 0 {
		rows := min(n, p.rows)
		p.encoder.encode(p.z, x[:rows*f])
		p.forward(rows, grades)
		for i := range rows {
			dst = p.appendPrefix(dst, i, grades)
		}
		x = x[rows*f:]
		n -= rows
	}
	return dst
}

// appendPrefix appends the prediction of row i by the first grades grades.
func (p *Predictor) appendPrefix(dst []float64, i, grades int) []float64 {
	copy(p.acc, p.m.prior)
	for g := range grades {
		p.accumulate(g, i)
	}
	return p.appendOutputs(dst)
}

// forward sets the sums of the first grades grades for the encoded rows. Chains are the
// outer loop: one buffer holds the features of the chain at hand.
func (p *Predictor) forward(rows, grades int) {
	chains := 0
	for g := range grades {
		if s := &p.steps[g]; s.linear {
			p.run(s, 0, rows)
		} else {
			chains = len(s.networks)
		}
	}
	for e := range chains {
		for g := range grades {
			if s := &p.steps[g]; !s.linear {
				p.run(s, e, rows)
			}
		}
	}
}

// run adds the outputs of network e of s to its sum; network 0 sets it. The features of
// a chain that goes on replace those in p.z.
func (p *Predictor) run(s *step, e, rows int) {
	sum := s.sum[:rows*len(p.acc)]
	out := sum
	if e > 0 {
		out = p.out[:rows*len(p.acc)]
	}
	if rows == 1 {
		s.row[e].Run(out, p.z.Data[s.at:s.at+s.in])
		if s.feeds {
			copy(p.z.Data[p.m.inputs:], s.row[e].Activations())
		}
	} else {
		var hidden kernel.Matrix
		if s.feeds {
			hidden = p.view(rows, p.m.inputs, s.features)
		}
		o := kernel.Matrix{Rows: rows, Cols: len(p.acc), Stride: len(p.acc), Data: out}
		s.networks[e].run(p.k, p.view(rows, s.at, s.in), hidden, o, p.scratch)
	}
	if e > 0 {
		for i, v := range out {
			sum[i] += v
		}
	}
}

// view returns cols columns of p.z from column at on.
func (p *Predictor) view(rows, at, cols int) kernel.Matrix {
	end := (rows-1)*p.z.Stride + at + cols
	return kernel.Matrix{Rows: rows, Cols: cols, Stride: p.z.Stride, Data: p.z.Data[at:end]}
}

// accumulate adds grade g of row i to p.acc.
func (p *Predictor) accumulate(g, i int) {
	s := &p.steps[g]
	n := len(p.acc)
	for j, v := range s.sum[i*n : i*n+n] {
		p.acc[j] += float32(v * s.inverse)
	}
}

// appendOutputs appends the values or probabilities that p.acc stands for.
func (p *Predictor) appendOutputs(dst []float64) []float64 {
	if p.outputs == nil {
		n := len(dst)
		for range p.acc {
			dst = append(dst, 0)
		}
		probabilities(dst[n:], p.acc)
		return dst
	}
	for j := range p.outputs {
		dst = append(dst, p.outputs[j].value(p.acc[j]))
	}
	return dst
}

// value returns Mean + Scale·z in float64, within the range of the training targets: its
// very ends where z is clamped.
func (c *outputColumn) value(z float32) float64 {
	if z <= c.lo {
		return c.min
	}
	if z >= c.hi {
		return c.max
	}
	v := c.mean + float64(c.scale*float64(z))
	if v < c.min {
		return c.min
	}
	if v > c.max {
		return c.max
	}
	return v
}

// probabilities sets dst to the softmax of z: exponentials of the differences to the
// largest, summed in order, and divided by the sum.
func probabilities(dst []float64, z []float32) {
	top := slices.Max(z)
	sum := 0.0
	for i, v := range z {
		dst[i] = expf64(float64(v) - float64(top))
		sum += dst[i]
	}
	for i := range dst {
		dst[i] /= sum
	}
}
