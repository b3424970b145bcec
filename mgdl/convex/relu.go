package convex

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// A ReLU is a solution of the cone-constrained program: a network with one hidden layer of
// ReLU units.
type ReLU struct {
	Certificate
	Violation float64 // largest amount by which a unit is on the wrong side of a row
	units     []unit
	offset    []float64
	problem   *Problem
	states    []*state // of each output
}

// A state is where a solve ended, and another may begin.
type state struct {
	x     []float64
	mu    [2][]float64 // multipliers, nil where there are none
	delta float64
}

// A unit adds sign·relu(x·v) to one output; the last element of v is of the bias.
type unit struct {
	output int
	sign   float64
	v      []float64
}

// Offset returns the output intercept b.
func (s *ReLU) Offset() []float64 { return slices.Clone(s.offset) }

// ReLU minimises the cone-constrained program for λ, which separates into one for each output.
// Where the gates are all patterns of one column, the cones are wedges in the plane; the
// accelerated proximal gradient method then solves the program itself. Otherwise it is used
// within the augmented Lagrangian method, whose multipliers are 2·rows·gates numbers for an
// output.
//
// It starts from a solution of the same problem for another λ, or from zero if from is nil.
// It returns an error if λ is not above 0, or if rows times gates exceed 2²³ where the multipliers
// are needed. If ctx is done, it returns what it has, with its certificate, and ctx.Err().
func (p *Problem) ReLU(ctx context.Context, lambda float64, from *ReLU, o Options) (*ReLU, error) {
	if err := checkPenalty(lambda); err != nil {
		return nil, err
	}
	if from != nil && from.problem != p {
		panic("convex: a solution of another problem")
	}
	o = o.withDefaults()
	n, c := p.exact.x.Rows, p.exact.outputs
	if gates := p.exact.gates; !gates.complete && gates.count > mostMultipliers/n {
		return nil, fmt.Errorf("convex: %d rows and %d gates are too many for the cone-constrained program", n, gates.count)
	}
	s := &ReLU{Certificate: p.certificate(lambda), problem: p, offset: slices.Clone(p.means)}
	s.Dual = 0
	if p.exact.gates.complete {
		s.Scope = Global
	}
	for j := range c {
		y := make([]float64, n)
		for i := range y {
			y[i] = p.y[i*c+j]
		}
		one := &ReLU{Certificate: s.Certificate, offset: make([]float64, 1)}
		one.Zero, one.Primal, one.Dual, one.Iterations = 0.5*(dot(y, y)/float64(n)), math.Inf(1), math.Inf(-1), 0
		start := new(state)
		if from != nil {
			start = from.states[j]
		}
		q := o
		if o.Progress != nil {
			rest := 0.0 // of P(0), of the outputs still to come
			for i := range p.y {
				if i%c > j {
					rest += float64(p.y[i] * p.y[i])
				}
			}
			rest = 0.5 * (rest / float64(n))
			q.Progress = func(now Certificate) {
				now.Zero = s.Zero
				now.Primal += s.Primal + rest
				now.Dual += s.Dual
				now.Iterations += s.Iterations
				o.Progress(now)
			}
		}
		if p.exact.gates.complete {
			s.states = append(s.states, p.line(ctx, one, start, y, q))
		} else {
			s.states = append(s.states, p.lagrangian(ctx, one, start, y, q))
		}
		s.Primal += one.Primal
		s.Dual += one.Dual
		s.Iterations += one.Iterations
		s.Violation = max(s.Violation, one.Violation)
		s.offset[j] += one.offset[0]
		for _, u := range one.units {
			u.output = j
			s.units = append(s.units, u)
		}
	}
	return s, ctx.Err()
}

// mostMultipliers bounds rows times gates: memory is some 150 times as many bytes.
const mostMultipliers = 1 << 23

// A lagrangian is the augmented Lagrangian of one output's program. Blocks come in two halves:
// the V_i, which add to the output, and the U_i, which subtract. An image is X·V and X·U, n×P
// by rows each, then the residual.
type lagrangian struct {
	*design
	y      []float64
	axes   *axes
	metric metric
	lambda float64
	delta  float64
	mu     [2][]float64 // multipliers of (2D_i − 1)·X·V_i ≥ 0, n×P by rows
	all    []int        // gates

	g       []float64 // gradient along the axes, both halves
	diff    []float64
	scratch []float64
	weights []float64 // of a half in the inputs' coordinates
	rows    []float64 // the same, m×P by rows
}

// half returns the part of coefficients that belongs to half h.
func (f *lagrangian) half(x []float64, h int) []float64 {
	size := f.size()
	return x[h*size : (h+1)*size]
}

// products returns the part of an image that belongs to half h.
func (f *lagrangian) products(image []float64, h int) []float64 {
	size := f.x.Rows * f.gates.count
	return image[h*size : (h+1)*size]
}

func (f *lagrangian) residual(image []float64) []float64 {
	return image[2*f.x.Rows*f.gates.count:]
}

// signs are those of the halves.
var signs = [2]float64{1, -1}

// side returns 1 where gate i lets row r pass and −1 elsewhere.
func (f *lagrangian) side(r, i int) float64 {
	if f.gates.On(r, i) {
		return 1
	}
	return -1
}

// linear sets image to the image of x, with residual −A·(V − U), not centred.
func (f *lagrangian) linear(image, x []float64) {
	m, p := f.x.Cols, f.gates.count
	r := f.residual(image)
	clear(r)
	for h, sign := range signs {
		f.turned(f.weights, f.half(x, h), f.axes, f.all, true)
		for i := range p {
			for k := range m {
				f.rows[k*p+i] = f.weights[f.at(0, i)+panel*k]
			}
		}
		z := f.products(image, h)
		f.apply(z, f.rows)
		for row := range r {
			sum := 0.0
			for i, v := range z[row*p : (row+1)*p] {
				if f.gates.On(row, i) {
					sum += v
				}
			}
			r[row] -= float64(sign * sum)
		}
	}
}

// multiplier returns max(0, μ − δ·s·z) for block element i of half h.
func (f *lagrangian) multiplier(h, i int, side, z float64) float64 {
	return max(0, f.mu[h][i]-float64(f.delta*float64(side*z)))
}

// slope sets f.g to minus the gradient: V(T), T = ±D·R/n + (2D − 1)·multipliers.
func (f *lagrangian) slope(v point) {
	n, p := f.x.Rows, f.gates.count
	r := f.residual(v.image)
	for h, sign := range signs {
		z := f.products(v.image, h)
		hi, lo := kernel.NewMatrix(n, p), kernel.NewMatrix(n, p)
		for row, e := range r {
			e = float64(sign*e) / float64(n)
			for i := range p {
				at := row*p + i
				side := f.side(row, i)
				t := float64(side * f.multiplier(h, at, side, z[at]))
				if side > 0 {
					t += e
				}
				hi.Data[at], lo.Data[at] = split(t)
			}
		}
		f.gather(f.half(f.g, h), hi, lo)
		f.turned(f.half(f.g, h), f.half(f.g, h), f.axes, f.all, false)
	}
}

// gather sets dst to Xᵀ·(hi + lo) by slots of rows.
func (f *lagrangian) gather(dst []float64, hi, lo kernel.Matrix) {
	m, p := f.x.Cols, f.gates.count
	parts := make([][]float64, len(f.slots))
	f.each(func(i int) {
		parts[i] = make([]float64, m*p)
		s := f.slots[i]
		for _, t := range [...]kernel.Matrix{hi, lo} {
			f.k.Cross(parts[i], f.x.RowRange(s.lo, s.hi), t.RowRange(s.lo, s.hi))
		}
	})
	clear(dst)
	for _, part := range parts {
		for i := range p {
			for k := range m {
				dst[f.at(0, i)+panel*k] += part[k*p+i]
			}
		}
	}
}

func (f *lagrangian) step(next, v point, lip float64) (bend, length float64) {
	f.metric.each(len(next.x), func(k, lo int) {
		inverse := 1 / float64(lip*f.metric[k])
		for l := lo; l < lo+panel; l++ {
			next.x[l] = v.x[l] + float64(f.g[l]*inverse)
		}
	})
	for h := range signs {
		f.metric.shrink(f.design, f.half(next.x, h), f.lambda/lip, f.scratch)
	}
	for i := range f.diff {
		f.diff[i] = next.x[i] - v.x[i]
	}
	f.linear(next.image, f.diff)
	e := f.residual(next.image)
	centre(e, 1)
	bend = dot(e, e) / float64(len(e))
	p := f.gates.count
	for h := range signs {
		z, dz := f.products(v.image, h), f.products(next.image, h)
		sum := 0.0
		for row := range e {
			for i := range p {
				at := row*p + i
				side := f.side(row, i)
				// Half the square of max(0, a): what it has more at b than its tangent at a.
				a := f.mu[h][at] - float64(f.delta*float64(side*z[at]))
				b := a - float64(f.delta*float64(side*dz[at]))
				switch {
				case a > 0 && b > 0:
					sum += float64((b - a) * (b - a))
				case a > 0:
					sum += float64(a * (a - float64(2*b)))
				case b > 0:
					sum += float64(b * b)
				}
			}
		}
		bend += sum / f.delta
	}
	for i, x := range v.image {
		next.image[i] += x
	}
	return bend, f.inner(f.diff, f.diff)
}

func (f *lagrangian) inner(x, y []float64) float64 { return f.metric.inner(x, y) }

// lagrangian solves the program of one output with targets y.
func (p *Problem) lagrangian(ctx context.Context, s *ReLU, start *state, y []float64, o Options) *state {
	const (
		most   = 500 // iterations between two updates of the multipliers
		shrink = 0.25
	)
	d := p.exact.own()
	d.outputs = 1
	n, gates := d.x.Rows, d.gates.count
	f := &lagrangian{design: d, y: y, axes: p.axes, metric: p.metric, lambda: s.Lambda, delta: 10 / float64(n),
		g: make([]float64, 2*d.size()), diff: make([]float64, 2*d.size()), scratch: make([]float64, panel*d.x.Cols),
		weights: make([]float64, d.size()), rows: make([]float64, d.x.Cols*gates)}
	for i := range gates {
		f.all = append(f.all, i)
	}
	a := newAccelerated(2*d.size(), 2*n*gates+n)
	copy(a.w.x, start.x)
	for h := range signs {
		f.mu[h] = make([]float64, n*gates)
		copy(f.mu[h], start.mu[h])
	}
	if start.delta > 0 {
		f.delta = start.delta
	}
	last := math.Inf(1)
	unit := math.Sqrt(2 * s.Zero)
	converged := false
	for k := 0; ; k++ {
		// Images anew, the gradient at W, and what it certifies.
		f.linear(a.w.image, a.w.x)
		r := f.residual(a.w.image)
		for i, v := range y {
			r[i] += v
		}
		recentre(r, 1, a.w.x)
		copy(a.v.x, a.w.x)
		copy(a.v.image, a.w.image)
		f.slope(a.w)
		f.certify(s, a.w)
		if o.Progress != nil {
			o.Progress(s.Certificate)
		}
		done := s.Gap() <= float64(o.Tolerance*s.Zero) && s.Violation <= float64(o.Tolerance*unit)
		if done || s.Iterations >= o.Iterations || ctx.Err() != nil {
			return &state{a.w.x, f.mu, f.delta}
		}
		if converged {
			if s.Violation > float64(shrink*last) {
				f.delta *= 2
			}
			last = s.Violation
		}
		a.t = 1
		enough := float64(max(1e-10, 1e-3*math.Ldexp(1, -k)) * unit)
		took := a.run(ctx, f, min(most, o.Iterations-s.Iterations), enough)
		converged = took < most
		s.Iterations += took
		f.update(a.w)
	}
}

// update sets the multipliers to those of the minimum at w.
func (f *lagrangian) update(w point) {
	p := f.gates.count
	for h := range signs {
		z := f.products(w.image, h)
		for at := range z {
			f.mu[h][at] = f.multiplier(h, at, f.side(at/p, at%p), z[at])
		}
	}
}

// certify sets the solution to the network of w: its objective as a ReLU network, and the
// bound that the multipliers at w prove, whose f.g is there already.
func (f *lagrangian) certify(s *ReLU, w point) {
	n, p := float64(f.x.Rows), f.gates.count
	r := f.residual(w.image)
	kappa := max(f.largest(f.half(f.g, 0)), f.largest(f.half(f.g, 1)))
	s.Dual = max(s.Dual, dual(max(dot(r, f.y), 0)/n, dot(r, r)/n, kappa, f.lambda))
	e := slices.Clone(f.y)
	violation, norms := 0.0, 0.0
	var units []unit
	for h, sign := range signs {
		z, x := f.products(w.image, h), f.half(w.x, h)
		for at, v := range z {
			violation = max(violation, -float64(f.side(at/p, at%p)*v))
			e[at/p] -= float64(sign * max(v, 0))
		}
		list := f.support(x)
		f.turned(f.weights, x, f.axes, list, true)
		for _, i := range list {
			u := unit{sign: sign, v: make([]float64, f.x.Cols)}
			for k := range u.v {
				u.v[k] = f.weights[f.at(0, i)+panel*k]
			}
			norms += f.norm(x, i)
			units = append(units, u)
		}
	}
	offset := recentre(e, 1, w.x)
	s.Primal = 0.5*(dot(e, e)/n) + float64(f.lambda*norms)
	s.Violation, s.units, s.offset = violation, units, offset
}
