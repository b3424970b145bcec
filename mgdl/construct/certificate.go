package construct

import (
	"fmt"
	"math"
	"strings"
)

// A Func is the function to approximate, on the unit cube. It must return the same value
// for the same x, and must not keep or change x. Its bits are the caller's: functions of
// package math, for example, may differ by an ulp between architectures.
type Func func(x []float64) float64

// A Certificate is what is known of a function: statements that the caller vouches for,
// because samples cannot prove them. All that is proven here rests on them. What is zero or
// nil is not claimed.
type Certificate struct {
	// Lipschitz is L ≥ 0 with |∂f/∂x_i| ≤ L for every i: |f(x)−f(y)| ≤ L·Σ|x_i−y_i|.
	Lipschitz float64
	// Modulus is ω, nondecreasing, with |f(x)−f(y)| ≤ ω(max|x_i−y_i|).
	Modulus func(h float64) float64
	// Curvature is K ≥ 0 with |f(x+v) − f(x) − ∇f(x)·v| ≤ K·|v|²/2, as where
	// |vᵀ·∇²f·v| ≤ K·|v|² in Euclid's norm.
	Curvature float64
	// Lower and Upper bound f from below and above; they need not be sharp.
	Lower, Upper *float64
	// Noise is η with |computed f − f| ≤ η, so that rounding in f is accounted for. 0 stands
	// for 2⁻⁴⁰ times the largest |f|, thousands of ulps: enough for most formulas.
	Noise float64
	// Estimated says that the numbers come from samples, as those of Estimate do. Then nothing is
	// proven, and schemes say so.
	Estimated bool
}

// check reports what is wrong with the numbers.
func (c *Certificate) check() error {
	finite := func(name string, v float64) error {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("construct: %s is %v, want a number that is not negative", name, v)
		}
		return nil
	}
	for _, v := range [...]struct {
		name  string
		value float64
	}{{"the Lipschitz bound", c.Lipschitz}, {"the curvature bound", c.Curvature}, {"the noise", c.Noise}} {
		if err := finite(v.name, v.value); err != nil {
			return err
		}
	}
	for _, v := range []*float64{c.Lower, c.Upper} {
		if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
			return fmt.Errorf("construct: a bound of the function is %v", *v)
		}
	}
	if c.Lower != nil && c.Upper != nil && *c.Lower > *c.Upper {
		return fmt.Errorf("construct: the lower bound %v lies above the upper bound %v", *c.Lower, *c.Upper)
	}
	return nil
}

// outward is 1 + 2⁻⁴⁰: bounds computed in float64 are multiplied by it, which is far more
// than the few roundings in them.
const outward = 1 + 0x1p-40

// oscillation returns a bound on |f(x)−f(z)| for x in a simplex of edge h and z one of its
// vertices, +Inf if the certificate has none.
func (c *Certificate) oscillation(dim int, h float64) float64 {
	w := math.Inf(1)
	if c.Lipschitz > 0 {
		w = c.Lipschitz * float64(dim) * h
	}
	if c.Modulus != nil {
		w = min(w, c.Modulus(h))
	}
	return float64(w * outward)
}

// interpolation returns a bound on |f − I_h f|, +Inf if the certificate has none. At a
// point x the interpolant is the mean of f over a random vertex V of the simplex, whose
// mean is x:
//
//	Lipschitz  E|f(x)−f(V)| ≤ L·Σ_i E|x_i−V_i| ≤ L·d·h/2, as E|x_i−V_i| = 2t(1−t)h
//	Curvature  K/2·E|V−x|² ≤ K·d·h²/8, as the variance of V_i is t(1−t)h²
func (c *Certificate) interpolation(dim int, h float64) float64 {
	w := math.Inf(1)
	if c.Lipschitz > 0 {
		w = c.Lipschitz * float64(dim) * h / 2
	}
	if c.Curvature > 0 {
		w = min(w, c.Curvature*float64(dim)*h*h/8)
	}
	if c.Modulus != nil {
		w = min(w, c.Modulus(h))
	}
	return float64(w * outward)
}

// A CertificateError says that a certificate is wrong, and shows the points that prove it.
type CertificateError struct {
	Claim  string      // what was claimed, as "Lipschitz bound 2"
	Points [][]float64 // where
	Values []float64   // of the function there
	Why    string      // what they have that they could not have
}

func (e *CertificateError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "construct: the %s is wrong: ", e.Claim)
	for i, x := range e.Points {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "f(%s) = %v", pointText(x), e.Values[i])
	}
	b.WriteString(": " + e.Why)
	return b.String()
}

func pointText(x []float64) string {
	s := make([]string, len(x))
	for i, v := range x {
		s[i] = fmt.Sprint(v)
	}
	return strings.Join(s, ", ")
}

// disprove looks for nodes of m whose values v cannot belong to a function with this
// certificate: neighbours along axes, and for the curvature three in a row along axes and
// diagonals of two axes.
func (c *Certificate) disprove(m *mesh, v []float64) error {
	h := m.h()
	apart := 2 * c.Noise
	lip, mod, bend := math.Inf(1), math.Inf(1), math.Inf(1)
	if c.Lipschitz > 0 {
		lip = float64(c.Lipschitz*h*outward) + apart
	}
	if c.Modulus != nil {
		mod = c.Modulus(h)
		if !(mod >= 0) {
			return fmt.Errorf("construct: the modulus is %v at %v, want a number that is not negative", mod, h)
		}
		mod = float64(mod*outward) + apart
	}
	if c.Curvature > 0 {
		bend = c.Curvature * h * h * outward
	}
	rounding := func(a ...float64) float64 {
		sum := 0.0
		for _, v := range a {
			sum += math.Abs(v)
		}
		return sum * 0x1p-50
	}
	witness := func(claim, why string, nodes ...int) error {
		e := &CertificateError{Claim: claim, Why: why}
		for _, node := range nodes {
			x := make([]float64, m.dim)
			m.point(x, node)
			e.Points, e.Values = append(e.Points, x), append(e.Values, v[node])
		}
		return e
	}
	var k [MaxDim]int
	for node, f := range v {
		if c.Lower != nil && f < *c.Lower-c.Noise {
			return witness(fmt.Sprintf("lower bound %v", *c.Lower), "it lies below", node)
		}
		if c.Upper != nil && f > *c.Upper+c.Noise {
			return witness(fmt.Sprintf("upper bound %v", *c.Upper), "it lies above", node)
		}
		for i := range m.dim {
			if k[i] == m.n {
				continue
			}
			up := node + m.stride[i]
			d := math.Abs(v[up]-f) - rounding(v[up], f)
			if d > lip {
				return witness(fmt.Sprintf("Lipschitz bound %v", c.Lipschitz), fmt.Sprintf("the slope between them is %.6g", math.Abs(v[up]-f)/h), node, up)
			}
			if d > mod {
				return witness("modulus", fmt.Sprintf("they differ by %.6g at distance %v, where it is %.6g", d, h, c.Modulus(h)), node, up)
			}
			if k[i] == 0 || math.IsInf(bend, 1) {
				continue
			}
			if err := c.disproveBend(m, v, k[:m.dim], node, i, bend, rounding, witness); err != nil {
				return err
			}
		}
		m.next(k[:m.dim])
	}
	return nil
}

// disproveBend looks at the second differences around node in direction of axis i and of
// its sums with later axes.
func (c *Certificate) disproveBend(m *mesh, v []float64, k []int, node, i int, bend float64,
	rounding func(...float64) float64, witness func(claim, why string, nodes ...int) error) error {
	look := func(step int, square float64) error {
		a, b, z := v[node-step], v[node+step], v[node]
		d := math.Abs(a+b-2*z) - rounding(a, b, z, z)
		if d > bend*square+4*c.Noise {
			return witness(fmt.Sprintf("curvature bound %v", c.Curvature),
				fmt.Sprintf("the second difference quotient is %.6g", math.Abs(a+b-2*z)/(square*m.h()*m.h())), node-step, node, node+step)
		}
		return nil
	}
	if err := look(m.stride[i], 1); err != nil {
		return err
	}
	for j := i + 1; j < m.dim; j++ {
		if k[j] == 0 || k[j] == m.n {
			continue
		}
		if err := look(m.stride[i]+m.stride[j], 2); err != nil {
			return err
		}
		if err := look(m.stride[i]-m.stride[j], 2); err != nil {
			return err
		}
	}
	return nil
}
