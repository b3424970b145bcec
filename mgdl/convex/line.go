package convex

import (
	"context"
	"math"
	"slices"
)

// A line is the cone-constrained program of one output for all patterns of one column, in the
// order of EnumerateGates. Products with A are sums over ends of the sorted values, so they
// cost as many operations as there are rows and gates. Coefficients are pairs of a weight and
// a bias, first those of the V_i, then those of the U_i; images are residuals.
type line struct {
	lambda float64
	values []float64 // distinct, ascending
	rank   []int     // of each row's value
	wedges []wedge
	g      []float64
	diff   []float64
	up     []float64 // scratch: weights and biases by rank
}

// A wedge is the cone of the w in the plane with w·a ≥ 0 and w·b ≥ 0.
type wedge struct{ a, b [2]float64 }

// project returns the nearest point of the wedge to (x, y).
func (c wedge) project(x, y float64) (px, py float64) {
	in := func(n [2]float64, x, y float64) bool {
		return float64(n[0]*x)+float64(n[1]*y) >= 0
	}
	if in(c.a, x, y) && in(c.b, x, y) {
		return x, y
	}
	// On the boundary of one half-plane, within the other; or at the apex.
	best := math.Inf(1)
	for _, n := range [...][2][2]float64{{c.a, c.b}, {c.b, c.a}} {
		s := (float64(n[0][0]*x) + float64(n[0][1]*y)) / (float64(n[0][0]*n[0][0]) + float64(n[0][1]*n[0][1]))
		qx, qy := x-float64(s*n[0][0]), y-float64(s*n[0][1])
		if s <= 0 && in(n[1], qx, qy) {
			if d := float64(s*s) * (float64(n[0][0]*n[0][0]) + float64(n[0][1]*n[0][1])); d < best {
				best, px, py = d, qx, qy
			}
		}
	}
	return px, py
}

// newLine returns the program of the rows x.
func newLine(x []float64, lambda float64) *line {
	f := &line{lambda: lambda, values: slices.Clone(x), rank: make([]int, len(x))}
	slices.Sort(f.values)
	f.values = slices.Compact(f.values)
	for i, v := range x {
		f.rank[i], _ = slices.BinarySearch(f.values, v)
	}
	last := len(f.values) - 1
	for i := range last {
		lo, hi := f.values[i], f.values[i+1]
		f.wedges = append(f.wedges,
			wedge{[2]float64{hi, 1}, [2]float64{-lo, -1}}, // on above the gap, off below
			wedge{[2]float64{lo, 1}, [2]float64{-hi, -1}})
	}
	f.wedges = append(f.wedges, wedge{[2]float64{f.values[0], 1}, [2]float64{f.values[last], 1}})
	f.g, f.diff = make([]float64, 4*len(f.wedges)), make([]float64, 4*len(f.wedges))
	f.up = make([]float64, 2*len(f.values))
	return f
}

// linear sets r to −A·(V − U).
func (f *line) linear(r, x []float64) {
	half, last := 2*len(f.wedges), len(f.values)-1
	net := func(i, k int) float64 { return x[2*i+k] - x[half+2*i+k] }
	// up holds the weights and biases that act at each rank: the gaps below it from their
	// units above, the others from their units below.
	var sum [2]float64
	for i := range last {
		for k := range sum {
			sum[k] += net(2*i, k)
			f.up[2*(i+1)+k] = sum[k]
		}
	}
	f.up[0], f.up[1] = 0, 0
	sum = [2]float64{net(2*last, 0), net(2*last, 1)}
	for i := last; i >= 0; i-- {
		for k := range sum {
			if i < last {
				sum[k] += net(2*i+1, k)
			}
			f.up[2*i+k] += sum[k]
		}
	}
	for i, q := range f.rank {
		r[i] = -float64(f.up[2*q]*f.values[q]) - f.up[2*q+1]
	}
}

// slope sets f.g to minus the gradient, Aᵀ·R/n for the V_i.
func (f *line) slope(v point) {
	half, last := 2*len(f.wedges), len(f.values)-1
	clear(f.up)
	for i, q := range f.rank {
		e := v.image[i] / float64(len(f.rank))
		f.up[2*q] += float64(e * f.values[q])
		f.up[2*q+1] += e
	}
	for k := range 2 {
		sum := 0.0
		for i := range last { // units below the gaps, from the lowest
			sum += f.up[2*i+k]
			f.g[2*(2*i+1)+k] = sum
		}
		f.g[2*(2*last)+k] = sum + f.up[2*last+k]
		sum = 0
		for i := last - 1; i >= 0; i-- { // units above, from the highest
			sum += f.up[2*(i+1)+k]
			f.g[2*(2*i)+k] = sum
		}
	}
	for i := range half {
		f.g[half+i] = -f.g[i]
	}
}

// step is the projection onto the wedge, then towards its apex: for cones the proximal operator
// of the norm on the cone is that composition.
func (f *line) step(next, v point, lip float64) (bend, length float64) {
	inverse := 1 / lip
	tau := f.lambda / lip
	for i := range 2 * len(f.wedges) {
		x, y := f.wedges[i%len(f.wedges)].project(v.x[2*i]+float64(f.g[2*i]*inverse), v.x[2*i+1]+float64(f.g[2*i+1]*inverse))
		s := math.Sqrt(float64(x*x) + float64(y*y))
		if s > tau {
			s = 1 - tau/s
		} else {
			s = 0
		}
		next.x[2*i], next.x[2*i+1] = float64(x*s), float64(y*s)
	}
	for i := range f.diff {
		f.diff[i] = next.x[i] - v.x[i]
	}
	f.linear(next.image, f.diff)
	centre(next.image, 1)
	bend = dot(next.image, next.image) / float64(len(f.rank))
	for i, e := range v.image {
		next.image[i] += e
	}
	return bend, dot(f.diff, f.diff)
}

func (f *line) inner(x, y []float64) float64 { return dot(x, y) }

// line solves the program of one output with targets y for all patterns of one column.
func (p *Problem) line(ctx context.Context, s *ReLU, start *state, y []float64, o Options) *state {
	const most = 1000 // iterations between two certificates
	x := make([]float64, len(y))
	for i := range x {
		x[i] = float64(p.exact.x.Row(i)[0])
	}
	f := newLine(x, s.Lambda)
	a := newAccelerated(4*len(f.wedges), len(y))
	copy(a.w.x, start.x)
	copy(a.v.x, start.x)
	for round := firstRound; ; round = min(2*round, most) {
		// Anew at both points: extrapolation would multiply the difference of their errors.
		for _, q := range [...]point{a.w, a.v} {
			f.linear(q.image, q.x)
			for i, v := range y {
				q.image[i] += v
			}
			recentre(q.image, 1, q.x)
		}
		f.slope(a.w)
		f.certify(s, a.w, x, y)
		if o.Progress != nil {
			o.Progress(s.Certificate)
		}
		if s.Gap() <= float64(o.Tolerance*s.Zero) || s.Iterations >= o.Iterations || ctx.Err() != nil {
			return &state{x: a.w.x}
		}
		s.Iterations += a.run(ctx, f, min(round, o.Iterations-s.Iterations), 0)
	}
}

// certify sets the solution to the network of w, if it is the best so far, and the bound to
// that of the residual at w, whose f.g is there: κ is the largest projection onto a cone.
func (f *line) certify(s *ReLU, w point, x, y []float64) {
	n := float64(len(y))
	kappa, norms := 0.0, 0.0
	e := slices.Clone(y)
	var units []unit
	for i := range 2 * len(f.wedges) {
		c := f.wedges[i%len(f.wedges)]
		a, b := c.project(f.g[2*i], f.g[2*i+1])
		kappa = max(kappa, float64(a*a)+float64(b*b))
		a, b = w.x[2*i], w.x[2*i+1]
		if a == 0 && b == 0 {
			continue
		}
		u := unit{sign: signs[i/len(f.wedges)], v: []float64{a, b}}
		units = append(units, u)
		norms += math.Sqrt(float64(a*a) + float64(b*b))
		for r, v := range x {
			e[r] -= float64(u.sign * max(float64(a*v)+b, 0))
		}
	}
	r := w.image
	s.Dual = max(s.Dual, dual(max(dot(r, y), 0)/n, dot(r, r)/n, math.Sqrt(kappa), f.lambda))
	offset := recentre(e, 1, w.x)
	if primal := 0.5*(dot(e, e)/n) + float64(f.lambda*norms); primal < s.Primal {
		s.Primal, s.units, s.offset = primal, units, offset
	}
}
