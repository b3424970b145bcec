package backprop

import (
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// A Shape is the form of a network.
type Shape struct {
	Inputs  int
	Hidden  []int
	Outputs int
	Scaled  bool // a learnable factor for each input stands before the first layer
	Sine    bool // hidden layers end with the sine, in radians, rather than ReLU
}

// Parameters are the numbers of one network in training, or one number for each of them
// (gradients, moments, averages), in one flat vector: the weights of all layers, packed,
// then the biases, then the scale layer, which multiplies input i by Scale[i] before the
// first layer. Each part begins at a multiple of 16; what lies between stays 0.
type Parameters struct {
	Flat            []float32
	Weights, Biases int // where the weights and the biases end
	W               []kernel.Weights
	B               [][]float32
	Scale           []float32 // nil without a scale layer
}

// widths returns the lengths of the vectors between layers, from the input on.
func (s Shape) widths() []int {
	return slices.Concat([]int{s.Inputs}, s.Hidden, []int{s.Outputs})
}

// Parameters returns zeros.
func (s Shape) Parameters() Parameters {
	w := s.widths()
	var p Parameters
	for l := 1; l < len(w); l++ {
		p.Weights += kernel.WeightsLen(w[l-1], w[l])
	}
	p.Biases = p.Weights
	for _, n := range w[1:] {
		p.Biases += lineUp(n)
	}
	n := p.Biases
	if s.Scaled {
		n += lineUp(s.Inputs)
	}
	p.Flat = kernel.Floats(n)
	at, bias := 0, p.Weights
	for l := 1; l < len(w); l++ {
		n := kernel.WeightsLen(w[l-1], w[l])
		p.W = append(p.W, kernel.Weights{K: w[l-1], N: w[l], Data: p.Flat[at : at+n]})
		p.B = append(p.B, p.Flat[bias:bias+w[l]])
		at += n
		bias += lineUp(w[l])
	}
	if s.Scaled {
		p.Scale = p.Flat[p.Biases : p.Biases+s.Inputs]
	}
	return p
}

// lineUp rounds n up to whole cache lines of float32.
func lineUp(n int) int { return (n + 15) &^ 15 }

// panel is the number of columns that lie together in Weights.
const panel = 32

// columnMajor reports whether each column of w lies in one piece, rather than rows of 32
// columns one after another.
func columnMajor(w kernel.Weights) bool { return w.K > 1 && w.Index(1, 0) == 1 }

// scaleRows sets row k of dst to s[k] times row k of w. Padding stays 0.
func scaleRows(dst, w kernel.Weights, s []float32) {
	if columnMajor(w) {
		for n := range w.N {
			o := w.Index(0, n)
			to, from := dst.Data[o:o+w.K], w.Data[o:o+w.K]
			for k, v := range s {
				to[k] = v * from[k]
			}
		}
		return
	}
	for n := 0; n < w.N; n += panel {
		o := w.Index(0, n)
		for _, v := range s {
			to, from := (*[panel]float32)(dst.Data[o:]), (*[panel]float32)(w.Data[o:])
			o += panel
			if w.N-n >= panel {
				for j := range to {
					to[j] = v * from[j]
				}
				continue
			}
			for j := range w.N - n {
				to[j] = v * from[j]
			}
		}
	}
}

// unscaleGradient turns the gradient dv with respect to v = diag(s)·w into those with
// respect to s and w: ds[k] = Σ_n w[k,n]·dv[k,n], and row k of dv times s[k] in its place.
// In a panel of columns the sum is by columns n mod 4, added as (0+2)+(1+3); panels are
// added in order.
func unscaleGradient(dv kernel.Weights, ds []float32, w kernel.Weights, s []float32) {
	clear(ds)
	if columnMajor(w) {
		for n := range w.N {
			o := w.Index(0, n)
			d, x := dv.Data[o:o+w.K], w.Data[o:o+w.K]
			for k, v := range s {
				ds[k] += float32(x[k] * d[k])
				d[k] *= v
			}
		}
		return
	}
	for n := 0; n < w.N; n += panel {
		o := w.Index(0, n)
		cols := min(panel, w.N-n)
		for k, v := range s {
			d, x := (*[panel]float32)(dv.Data[o:]), (*[panel]float32)(w.Data[o:])
			o += panel
			var a, b, c, e float32
			j := 0
			for ; j <= cols-4; j += 4 {
				d, x := (*[4]float32)(d[j:]), (*[4]float32)(x[j:])
				d0, d1, d2, d3 := d[0], d[1], d[2], d[3]
				a += float32(x[0] * d0)
				b += float32(x[1] * d1)
				c += float32(x[2] * d2)
				e += float32(x[3] * d3)
				d[0], d[1], d[2], d[3] = v*d0, v*d1, v*d2, v*d3
			}
			for ; j < cols; j++ {
				a += float32(x[j] * d[j])
				d[j] *= v
			}
			ds[k] += (a + c) + (b + e)
		}
	}
}
