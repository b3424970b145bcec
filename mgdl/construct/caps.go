package construct

import (
	"context"
	"fmt"
	"math"
)

// limits are what is known on every simplex of a mesh.
type limits struct {
	oscillation   float64 // ω ≥ |f(x)−f(z)| for x in a simplex and z one of its vertices
	interpolation float64 // E ≥ |f − I_h f|
	slack         float64 // covers the noise of f and the rounding of residuals
}

// caps returns a coefficient for every node such that the hats with these coefficients,
// added in any order and any groups, nowhere raise |r| and nowhere change its sign. F holds
// the nodal values of the approximation so far, which is linear on each simplex, and r the
// residuals f−F. It also returns δ, the largest ω_σ.
//
// On a simplex σ the cap of vertex z is one of
//
//	max(|r(z)| − ω_σ, 0)   ω_σ = min(ω + osc F, osc r + E) ≥ |r(x)−r(z)| on σ
//	|r(z)| − E             where s·r ≥ E at all vertices, for s = 1 or s = −1
//
// so that Σ_z cap_z·φ_z ≤ s·r on σ. The second is the larger one where it applies and
// E ≤ ω_σ. A node takes the least cap of its simplices and the sign of r(z).
func caps(ctx context.Context, m *mesh, f, F, r []float64, l limits) (c []float64, delta float64, err error) {
	c = make([]float64, len(r))
	for i := range c {
		c[i] = math.Inf(1)
	}
	seen := 0
	err = m.simplices(func(nodes []int) error {
		if seen++; seen%(1<<16) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		lo, hi := F[nodes[0]], F[nodes[0]]
		least, most := r[nodes[0]], r[nodes[0]]
		for _, z := range nodes[1:] {
			lo, hi = min(lo, F[z]), max(hi, F[z])
			least, most = min(least, r[z]), max(most, r[z])
		}
		omega := float64(min(l.oscillation+(hi-lo), most-least+l.interpolation) * outward)
		delta = max(delta, omega)
		if most > omega+l.slack && least < -omega-l.slack {
			return contradiction(m, f, r, nodes, omega)
		}
		off := omega + l.slack
		if e := l.interpolation + l.slack; e <= off && (least >= e || most <= -e) {
			off = e
		}
		for _, z := range nodes {
			c[z] = min(c[z], max(math.Abs(r[z])-off, 0))
		}
		return nil
	})
	for z := range c {
		c[z] = math.Copysign(c[z], r[z])
	}
	return c, delta + l.slack, err
}

// contradiction says that residuals of a simplex are further apart than they can be.
func contradiction(m *mesh, f, r []float64, nodes []int, omega float64) error {
	high, low := nodes[0], nodes[0]
	for _, z := range nodes {
		if r[z] > r[high] {
			high = z
		}
		if r[z] < r[low] {
			low = z
		}
	}
	e := &CertificateError{Claim: "certificate", Why: fmt.Sprintf("the residuals %v and %v differ by more than %v", r[high], r[low], omega)}
	for _, z := range [...]int{high, low} {
		x := make([]float64, m.dim)
		m.point(x, z)
		e.Points, e.Values = append(e.Points, x), append(e.Values, f[z])
	}
	return e
}

// limitSlopes shrinks c so that F + c changes by at most step between neighbours along an
// axis, if F does: F + c becomes the largest such function below F + max(c, 0), and the
// smallest above F + min(c, 0) beyond that. In the metric Σ|x_i−y_i| passes along each axis,
// up and down, find it exactly.
func limitSlopes(m *mesh, F, c []float64, step float64) {
	above := make([]float64, len(c))
	for z := range above {
		above[z] = F[z] + max(c[z], 0)
	}
	m.sweep(func(z, neighbour int) { above[z] = min(above[z], above[neighbour]+step) })
	below := make([]float64, len(c))
	for z := range above {
		above[z] = min(max(above[z], F[z]), F[z]+max(c[z], 0)) // a guard against rounding
		below[z] = above[z] + min(c[z], 0)
	}
	m.sweep(func(z, neighbour int) { below[z] = max(below[z], below[neighbour]-step) })
	for z := range c {
		d := max(min(below[z], above[z]), above[z]+min(c[z], 0)) - F[z]
		// |c| never grows: neither by the rounding of that difference.
		c[z] = min(max(d, min(c[z], 0)), max(c[z], 0))
	}
}

// sweep calls visit for the nodes of each line along each axis, up and then down, with the
// node visited before.
func (m *mesh) sweep(visit func(z, before int)) {
	for axis := range m.dim {
		s := m.stride[axis]
		for first := 0; first < m.nodes; first += s * (m.n + 1) {
			for z := first + s; z < first+s*(m.n+1); z++ {
				visit(z, z-s)
			}
			for z := first + s*m.n - 1; z >= first; z-- {
				visit(z, z+s)
			}
		}
	}
}
