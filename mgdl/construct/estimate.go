package construct

import (
	"context"
	"math"
)

// Estimate guesses a certificate from values of f on two meshes: a curvature bound and bounds of f if
// second difference quotients do not grow with refinement, else a Lipschitz bound if slopes do not,
// else a modulus C·h^α. It leaves a margin, and proves nothing: Estimated is set.
func Estimate(ctx context.Context, f Func, dim int) (Certificate, error) {
	o := Options{Dim: dim, Eps: 1, Certificate: Certificate{Lipschitz: 1}}
	if err := o.complete(); err != nil {
		return Certificate{}, err
	}
	b := &builder{Options: o, f: f}
	n := [...]int{0, 1024, 64, 16, 6, 4, 3, 2, 2}[dim]
	coarse, err := newMesh(dim, n, math.MaxInt32)
	if err != nil {
		return Certificate{}, err
	}
	fine, err := newMesh(dim, 2*n, math.MaxInt32)
	if err != nil {
		return Certificate{}, err
	}
	v, err := b.evaluate(ctx, &coarse, nil, nil)
	if err != nil {
		return Certificate{}, err
	}
	w, err := b.evaluate(ctx, &fine, &coarse, v)
	if err != nil {
		return Certificate{}, err
	}
	slope0, bend0 := coarse.quotients(v)
	slope, bend := fine.quotients(w)
	least := 0x1p-30 * max(largest(w), 0x1p-40) // of a bound: it must not be 0
	c := Certificate{Estimated: true}
	switch {
	case bend <= 1.3*bend0 || bend <= least:
		c.Curvature = max(1.5*math.Sqrt(float64(dim))*bend, least)
		lo, hi := w[0], w[0]
		for _, v := range w {
			lo, hi = min(lo, v), max(hi, v)
		}
		margin := c.interpolation(dim, fine.h()) + (hi-lo)/64
		c.Lower, c.Upper = new(lo-margin), new(hi+margin)
	case slope <= 1.15*slope0:
		c.Lipschitz = max(1.25*slope, least)
	default:
		alpha, scale := fine.power(w)
		scale *= 1.5 * float64(dim)
		c.Modulus = func(h float64) float64 { return scale * math.Pow(h, alpha) }
	}
	return c, nil
}

// quotients returns the largest slope along an axis and the largest second difference quotient along
// axes and diagonals of two axes.
func (m *mesh) quotients(v []float64) (slope, bend float64) {
	var k [MaxDim]int
	for node, f := range v {
		for i := range m.dim {
			si := m.stride[i]
			if k[i] == m.n {
				continue
			}
			slope = max(slope, math.Abs(v[node+si]-f))
			if k[i] == 0 {
				continue
			}
			bend = max(bend, math.Abs(v[node+si]+v[node-si]-2*f))
			for j := i + 1; j < m.dim; j++ {
				if sj := m.stride[j]; k[j] > 0 && k[j] < m.n {
					bend = max(bend, math.Abs(v[node+si+sj]+v[node-si-sj]-2*f)/2, math.Abs(v[node+si-sj]+v[node-si+sj]-2*f)/2)
				}
			}
		}
		m.next(k[:m.dim])
	}
	n := float64(m.n)
	return slope * n, bend * n * n
}

// power returns α and C with |difference| ≤ C·h^α between nodes at distances h = 1/n, 2/n, 4/n.. along axes; the
// exponent is that of the extremes.
func (m *mesh) power(v []float64) (alpha, scale float64) {
	var most []float64
	for s := 1; s <= m.n/2; s *= 2 {
		d := 0.0
		var k [MaxDim]int
		for node, f := range v {
			for i := range m.dim {
				if k[i]+s <= m.n {
					d = max(d, math.Abs(v[node+s*m.stride[i]]-f))
				}
			}
			m.next(k[:m.dim])
		}
		most = append(most, d)
	}
	alpha = min(max(math.Log2(most[len(most)-1]/most[0])/max(1, float64(len(most)-1)), 0.01), 1)
	for i, d := range most {
		scale = max(scale, d/math.Pow(math.Ldexp(m.h(), i), alpha))
	}
	return alpha, scale
}
