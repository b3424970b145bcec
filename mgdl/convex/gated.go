package convex

import (
	"context"
	"math"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// A Gated is a solution of the gated program.
type Gated struct {
	Certificate
	problem *Problem
	w       []float64
	offset  []float64
}

// Offset returns the output intercept b.
func (s *Gated) Offset() []float64 { return slices.Clone(s.offset) }

// Weights returns the coefficients of gate i, (d+1)×c by rows, the last row being of the bias.
func (s *Gated) Weights(i int) []float64 {
	d := s.problem.exact
	m := d.x.Cols
	w := make([]float64, m*d.outputs)
	for j := range d.outputs {
		for k := range m {
			w[k*d.outputs+j] = s.w[d.at(j, i)+panel*k]
		}
	}
	return w
}

// Active returns the gates whose coefficients are not zero.
func (s *Gated) Active() []int { return s.problem.exact.support(s.w) }

// Iterations between two certificates: few at first, while the gates that matter are found.
const firstRound, longestRound = 10, 100

// Gated minimises the gated program for λ by the accelerated proximal gradient method,
// starting from a solution of the same problem for another λ, or from zero if from is nil.
//
// Between two certificates it works on the gates that have coefficients or nearly violate
// what holds at the optimum, with float32 products of differences; residual, gradient,
// objective and certificate are then computed anew in float64, for all gates. So the float32
// products cost accuracy of a step, never of the result.
//
// It returns an error if λ is not above 0. If ctx is done, it returns the best so far, with its
// certificate, and ctx.Err().
func (p *Problem) Gated(ctx context.Context, lambda float64, from *Gated, o Options) (*Gated, error) {
	if err := checkPenalty(lambda); err != nil {
		return nil, err
	}
	if from != nil && from.problem != p {
		panic("convex: a solution of another problem")
	}
	o = o.withDefaults()
	d := p.exact.own()
	n, c := d.x.Rows, d.outputs
	w, v := make([]float64, d.size()), make([]float64, d.size()) // along the axes
	if from != nil {
		d.turned(w, from.w, p.axes, from.Active(), false)
		copy(v, w)
	}
	s := &Gated{Certificate: p.certificate(lambda), problem: p, w: make([]float64, d.size()), offset: slices.Clone(p.means)}
	s.Primal = math.Inf(1)
	r, g := make([]float64, n*c), make([]float64, d.size())
	t, lip := 1.0, 1.0
	round := firstRound
	for k := 0; ; k++ {
		here := make([]float64, d.size())
		d.turned(here, w, p.axes, d.support(w), true)
		p.certify(s, d, here, r, g)
		if k > 0 && s.Gap() > float64(o.Tolerance*s.Zero) {
			p.tighten(s, d, here, r, g, k%2 == 0)
		}
		if o.Progress != nil {
			o.Progress(s.Certificate)
		}
		if s.Gap() <= float64(o.Tolerance*s.Zero) || s.Iterations >= o.Iterations || ctx.Err() != nil {
			return s, ctx.Err()
		}
		list := d.work(w, v, g, lambda)
		d.turned(g, g, p.axes, list, false)
		sub := newDesign(d.k, d.workers, p.rotated, d.gates.pick(list), c)
		f := &gated{design: sub, metric: p.metric, lambda: lambda, base: make([]float64, sub.size()),
			g: make([]float64, sub.size()), diff: make([]float64, sub.size()), scratch: make([]float64, panel*sub.x.Cols)}
		a := newAccelerated(sub.size(), n*c)
		a.t, a.lip = t, lip
		d.move(g, sub, f.base, list, false)
		d.move(w, sub, a.w.x, list, false)
		d.move(v, sub, a.v.x, list, false)
		f.change(a.v, a.w)
		s.Iterations += a.run(ctx, f, min(round, o.Iterations-s.Iterations), 0)
		clear(w)
		clear(v)
		d.move(w, sub, a.w.x, list, true)
		d.move(v, sub, a.v.x, list, true)
		t, lip = a.t, a.lip
		round = min(2*round, longestRound)
	}
}

// certify computes the residual r and the gradient −g at w, the bound and the objective there,
// and makes w the solution if it is the best so far.
func (p *Problem) certify(s *Gated, d *design, w, r, g []float64) {
	n := float64(d.x.Rows)
	copy(r, p.y)
	d.forwardExact(r, -1, w)
	offset := recentre(r, d.outputs, w)
	clear(g)
	d.adjointExact(g, 1/n, r)
	rr := dot(r, r) / n
	s.Dual = max(s.Dual, dual(dot(r, p.y)/n, rr, d.largest(g), s.Lambda))
	primal := 0.5 * rr
	for _, i := range d.support(w) {
		primal += float64(s.Lambda * d.norm(w, i))
	}
	if primal < s.Primal {
		s.Primal, s.w = primal, w
		for j, m := range p.means {
			s.offset[j] = m + offset[j]
		}
	}
}

// work returns the gates to work on, in ascending order: those that have coefficients, and as
// many more, at least 64, of those whose gradients are the largest, if near λ or above.
func (d *design) work(w, v, g []float64, lambda float64) []int {
	const near, least = 0.9, 64
	var list, others []int
	norms := make([]float64, d.gates.count)
	for i := range norms {
		if d.norm(w, i) != 0 || d.norm(v, i) != 0 {
			list = append(list, i)
		} else if norms[i] = d.norm(g, i); norms[i] > float64(near*lambda) {
			others = append(others, i)
		}
	}
	slices.SortStableFunc(others, func(a, b int) int {
		switch {
		case norms[a] > norms[b]:
			return -1
		case norms[a] < norms[b]:
			return 1
		}
		return 0
	})
	list = append(list, others[:min(len(others), max(least, len(list)))]...)
	slices.Sort(list)
	return list
}

// gated is the gated program on the gates of a design along the axes. Images are residuals,
// less the residual of the point at which base is Aᵀ·residual/n.
type gated struct {
	*design
	metric  metric
	lambda  float64
	base    []float64
	g, diff []float64
	scratch []float64
}

// change sets the image of v, that of w being known.
func (f *gated) change(v, w point) {
	for i, x := range v.x {
		f.diff[i] = x - w.x[i]
	}
	clear(v.image)
	f.forward(v.image, -1, f.diff)
	centre(v.image, f.outputs)
}

func (f *gated) slope(v point) {
	copy(f.g, f.base)
	f.adjoint(f.g, 1/float64(f.x.Rows), v.image)
}

func (f *gated) step(next, v point, lip float64) (bend, length float64) {
	f.metric.each(len(next.x), func(k, lo int) {
		inverse := 1 / float64(lip*f.metric[k])
		x, v, g := next.x[lo:lo+panel], v.x[lo:lo+panel], f.g[lo:lo+panel]
		for l := range x {
			x[l] = v[l] + float64(g[l]*inverse)
		}
	})
	f.metric.shrink(f.design, next.x, f.lambda/lip, f.scratch)
	f.change(next, v)
	bend = dot(next.image, next.image) / float64(f.x.Rows)
	for i, e := range v.image {
		next.image[i] += e
	}
	return bend, f.inner(f.diff, f.diff)
}

func (f *gated) inner(x, y []float64) float64 { return f.metric.inner(x, y) }

// newMetric returns the curvatures of the smooth part along the axes, n·d_k of them being the
// sums of squares; an axis along which hardly anything lies takes the steps of a steeper one.
func newMetric(axes *axes) metric {
	const flattest = 1e-7 // least element, relative to the greatest
	top := slices.Max(axes.d)
	q := make(metric, axes.m)
	for k, v := range axes.d {
		q[k] = max(v, float64(flattest*top))
	}
	return q
}

// prepared returns inputs with a last column of ones.
func prepared(x kernel.Matrix) kernel.Matrix {
	m := kernel.NewMatrix(x.Rows, x.Cols+1)
	for i := range x.Rows {
		row := m.Row(i)
		copy(row, x.Row(i))
		row[x.Cols] = 1
	}
	return m
}
