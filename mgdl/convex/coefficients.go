package convex

import "math"

// norm returns ‖W_i‖ (Frobenius) of gate i.
func (d *design) norm(w []float64, i int) float64 {
	sum := 0.0
	m := d.x.Cols
	for j := range d.outputs {
		at := d.at(j, i)
		for k := range m {
			v := w[at+panel*k]
			sum += float64(v * v)
		}
	}
	return math.Sqrt(sum)
}

// largest returns max ‖W_i‖.
func (d *design) largest(w []float64) float64 {
	most := 0.0
	for i := range d.gates.count {
		most = max(most, d.norm(w, i))
	}
	return most
}

// turned sets dst to the coefficients of the gates in list along the axes, Vᵀ·W_i, or those along
// the axes to coefficients, V·W_i, if back. dst may be w.
func (d *design) turned(dst, w []float64, a *axes, list []int, back bool) {
	m := a.m
	x := make([]float64, m)
	for j := range d.outputs {
		for _, i := range list {
			at := d.at(j, i)
			clear(x)
			for k := range m {
				v := w[at+panel*k]
				if v == 0 {
					continue
				}
				if back {
					for l := range m {
						x[l] += float64(a.v[l*m+k] * v)
					}
				} else {
					for l, r := range a.v[k*m : (k+1)*m] {
						x[l] += float64(r * v)
					}
				}
			}
			for k, v := range x {
				dst[at+panel*k] = v
			}
		}
	}
}

// move copies the coefficients of gates list of d to those of gates 0, 1, … of s, or back.
func (d *design) move(full []float64, s *design, sub []float64, list []int, back bool) {
	for j := range d.outputs {
		for q, i := range list {
			a, b := d.at(j, i), s.at(j, q)
			for k := 0; k < panel*d.x.Cols; k += panel {
				if back {
					full[a+k] = sub[b+k]
				} else {
					sub[b+k] = full[a+k]
				}
			}
		}
	}
}

// dot returns Σ x·y by four partial sums.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(x[i] * y[i])
		b += float64(x[i+1] * y[i+1])
		c += float64(x[i+2] * y[i+2])
		d += float64(x[i+3] * y[i+3])
	}
	for ; i < len(x); i++ {
		a += float64(x[i] * y[i])
	}
	return (a + c) + (b + d)
}

// centre subtracts from each of the c columns of r (by rows) its mean, and returns the means.
func centre(r []float64, c int) []float64 {
	means := make([]float64, c)
	for i, v := range r {
		means[i%c] += v
	}
	for j := range means {
		means[j] /= float64(len(r) / c)
	}
	for i := range r {
		r[i] -= means[i%c]
	}
	return means
}

// recentre is centre for a residual of coefficients w. That of zero coefficients has mean 0
// already and keeps its bits, so that a large λ is certified with gap 0.
func recentre(r []float64, c int, w []float64) []float64 {
	for _, v := range w {
		if v != 0 {
			return centre(r, c)
		}
	}
	return make([]float64, c)
}
