package convex

import (
	"context"
	"math"
)

// A point is coefficients and an affine image of them that is dear to compute: the image of a
// combination of points whose weights add up to 1 is that combination of their images.
type point struct{ x, image []float64 }

func newPoint(x, image int) point { return point{make([]float64, x), make([]float64, image)} }

// A program is a smooth convex function plus one whose proximal operator is known, with a
// metric in which steps are taken.
type program interface {
	// slope computes the gradient of the smooth part f at v.
	slope(v point)
	// step sets next to argmin ⟨∇f(v), x⟩ + lip/2·‖x − v‖² + rest(x) and its image. It
	// returns ‖next − v‖² and bend = 2·(f(next) − f(v) − ⟨∇f(v), next − v⟩).
	step(next, v point, lip float64) (bend, length float64)
	// inner is the inner product of the metric.
	inner(x, y []float64) float64
}

// accelerated is the accelerated proximal gradient method of Beck and Teboulle with the
// restarts of O'Donoghue and Candès; lip, the curvature steps count on, is found by trial.
type accelerated struct {
	w, v, next point
	t, lip     float64
	a, b       []float64
}

func newAccelerated(x, image int) *accelerated {
	return &accelerated{w: newPoint(x, image), v: newPoint(x, image), next: newPoint(x, image),
		t: 1, lip: 1, a: make([]float64, x), b: make([]float64, x)}
}

// run takes up to n iterations, fewer if ctx is done or lip·‖next − v‖, the norm of what is
// left of the gradient, is at most enough, and returns how many.
func (f *accelerated) run(ctx context.Context, p program, n int, enough float64) int {
	const (
		slack         = 1e-5 // products of a step may be rounded to float32
		longer, short = 1.5, 0.98
		steepest      = 1e30 // for what is not finite
	)
	for it := range n {
		if ctx.Err() != nil {
			return it
		}
		p.slope(f.v)
		var bend, length float64
		for {
			bend, length = p.step(f.next, f.v, f.lip)
			if bend <= float64(float64(f.lip*length)*(1+slack)) || f.lip > steepest {
				break
			}
			f.lip *= longer
		}
		left := float64(f.lip * math.Sqrt(length))
		for i, x := range f.next.x {
			f.a[i], f.b[i] = f.v.x[i]-x, x-f.w.x[i]
		}
		beta := 0.0
		if p.inner(f.a, f.b) > 0 {
			f.t = 1
		} else {
			t := 0.5 * (1 + math.Sqrt(1+float64(4*float64(f.t*f.t))))
			beta = (f.t - 1) / t
			f.t = t
		}
		extrapolate(f.v.x, f.next.x, f.w.x, beta)
		extrapolate(f.v.image, f.next.image, f.w.image, beta)
		f.w, f.next = f.next, f.w
		f.lip *= short
		if left <= enough {
			return it + 1
		}
	}
	return n
}

// extrapolate sets v = x + beta·(x − w).
func extrapolate(v, x, w []float64, beta float64) {
	x, w = x[:len(v)], w[:len(v)]
	for i := range v {
		v[i] = x[i] + float64(beta*(x[i]-w[i]))
	}
}
