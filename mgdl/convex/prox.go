package convex

import "math"

// A metric is the quadratic form Σ d_k·w_k² on the inputs of a gate, the same for every gate
// and output, in which steps are taken.
type metric []float64

// each calls f for all panels of coefficients of all inputs: those of input k begin at lo.
func (q metric) each(size int, f func(k, lo int)) {
	for lo := 0; lo < size; {
		for k := range q {
			f(k, lo)
			lo += panel
		}
	}
}

// inner returns Σ d·x·y.
func (q metric) inner(x, y []float64) float64 {
	sum := 0.0
	q.each(len(x), func(k, lo int) { sum += float64(q[k] * dot(x[lo:lo+panel], y[lo:lo+panel])) })
	return sum
}

// shrink replaces the W_i (m×c) of each gate by
//
//	argmin_U ½·Σ_kj d_k·(U_kj − W_kj)² + τ·‖U‖     (Frobenius),
//
// τ > 0. With b_k = d_k²·‖W_k·‖² the minimiser is 0 if Σ b_k ≤ τ²; otherwise, t being ‖U‖, it
// is U_k = d_k·t/(d_k·t + τ)·W_k, where t is the root of Σ b_k/(d_k·t + τ)² = 1.
// b is scratch memory for panel·m values.
func (q metric) shrink(d *design, w []float64, tau float64, b []float64) {
	m := len(q)
	for g := 0; g < d.width(); g += panel {
		clear(b)
		for j := range d.outputs {
			at := d.at(j, g)
			for i, v := range w[at : at+panel*m] {
				b[i] += float64(v * v)
			}
		}
		var total, t [panel]float64
		for k, s := range q {
			for l := range panel {
				b[panel*k+l] *= float64(s * s)
				total[l] += b[panel*k+l]
			}
		}
		left := false
		for l, s := range total {
			if t[l] = -1; math.Sqrt(s) > tau {
				t[l], left = 0, true
			}
		}
		if left {
			q.secular(&t, b, tau)
		}
		for k, s := range q {
			var f [panel]float64
			for l, t := range t {
				if t > 0 {
					f[l] = float64(s*t) / (float64(s*t) + tau)
				}
			}
			for j := range d.outputs {
				row := w[d.at(j, g)+panel*k:][:panel]
				for l := range row {
					row[l] *= f[l]
				}
			}
		}
	}
}

// secular sets each t that is 0 to the root of S(t) = Σ b_k/(d_k·t + τ)² = 1. Newton's method
// for S^(−½) = 1, whose left side is concave and increases, goes from 0 up to the root.
func (q metric) secular(t *[panel]float64, b []float64, tau float64) {
	const steps = 60 // more than ever needed: convergence is quadratic
	settled := *t    // below 0: not to be moved any more
	for range steps {
		var sum, slope [panel]float64
		for k, s := range q {
			for l, v := range b[panel*k:][:panel] {
				r := 1 / (float64(s*t[l]) + tau)
				v = float64(float64(v*r) * r)
				sum[l] += v
				slope[l] += float64(float64(v*s) * r)
			}
		}
		moved := false
		for l := range t {
			if settled[l] < 0 {
				continue
			}
			next := t[l] + float64(float64(math.Sqrt(sum[l])-1)*sum[l])/slope[l]
			if !(next-t[l] > float64(1e-14*next)) {
				settled[l] = -1
				continue
			}
			t[l], moved = next, true
		}
		if !moved {
			return
		}
	}
}
