package mgdl

import (
	"context"
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// An affine map has outputs x·w + b; w is inputs × outputs by rows.
type affine struct{ w, b []float64 }

func newAffine(inputs, outputs int) affine {
	return affine{make([]float64, inputs*outputs), make([]float64, outputs)}
}

// layer returns a, times unit, as a layer.
func (a affine) layer(unit float64) layer {
	outputs := len(a.b)
	inputs := len(a.w) / outputs
	l := layer{kernel.NewWeights(inputs, outputs), make([]float32, outputs)}
	for k := range inputs {
		for n := range outputs {
			l.w.Data[l.w.Index(k, n)] = float32(a.w[k*outputs+n] * unit)
		}
	}
	for n, v := range a.b {
		l.b[n] = float32(v * unit)
	}
	return l
}

// moments are what least squares have to know of some rows: sums, in float64, of the
// products of any two of their inputs x and tail u, which is 1 followed by the targets.
type moments struct {
	inputs, outputs int
	xx, xu, uu      []float64
}

func newMoments(inputs, outputs int) *moments {
	u := 1 + outputs
	return &moments{inputs, outputs, make([]float64, inputs*inputs), make([]float64, inputs*u), make([]float64, u*u)}
}

// add adds the sums of o.
func (m *moments) add(o *moments) {
	axpy(m.xx, 1, o.xx)
	axpy(m.xu, 1, o.xu)
	axpy(m.uu, 1, o.uu)
}

// addRows adds the rows s of x, in order; targets sets dst to the targets of a row. It
// stops when ctx is done.
func (m *moments) addRows(ctx context.Context, k kernel.Kernel, x kernel.Matrix, s span, targets func(dst []float32, row int)) {
	const rows = 512
	tail := kernel.NewMatrix(rows, 1+m.outputs)
	for lo := s.lo; lo < s.hi && ctx.Err() == nil; lo += rows {
		hi := min(lo+rows, s.hi)
		for i := lo; i < hi; i++ {
			u := tail.Row(i - lo)
			u[0] = 1
			targets(u[1:], i)
		}
		x, u := x.RowRange(lo, hi), tail.RowRange(0, hi-lo)
		k.Cross(m.xx, x, x)
		k.Cross(m.xu, x, u)
		k.Cross(m.uu, u, u)
	}
}

// ridge returns for each penalty λ the map that minimises
//
//	½·mean (target − x·w − b)² + (λ/2)·Σ (s·w)²
//
// for each target, s being the deviations of the inputs; the zero map where that has no
// solution to working precision. An input that does not vary gets weight 0. It uses up m. When
// ctx is done it returns zero maps.
func (m *moments) ridge(ctx context.Context, penalties []float64) []affine {
	const constant = 1e-10 // variance below which an input does not vary
	d, k, u := m.inputs, m.outputs, 1+m.outputs
	n := m.uu[0]
	means, inverse := make([]float64, d), make([]float64, d)
	for i := range d {
		means[i] = m.xu[i*u] / n
		if v := m.xx[i*d+i]/n - float64(means[i]*means[i]); v > constant {
			inverse[i] = 1 / math.Sqrt(v)
		}
	}
	for i := range d {
		row := m.xx[i*d : (i+1)*d]
		for j := range row {
			row[j] = float64(float64((row[j]/n-float64(means[i]*means[j]))*inverse[i]) * inverse[j])
		}
	}
	maps := make([]affine, len(penalties))
	for i := range maps {
		maps[i] = newAffine(d, k)
	}
	factors := newTridiagonal(ctx, m.xx, d)
	if factors == nil {
		return maps
	}
	b, w, tmp := make([]float64, d), make([]float64, d), make([]float64, d)
	for o := range k {
		y := m.uu[1+o] / n
		for i := range b {
			b[i] = float64((m.xu[i*u+1+o]/n - float64(means[i]*y)) * inverse[i])
		}
		for p, lambda := range penalties {
			if !factors.solve(w, b, lambda, tmp) {
				continue
			}
			bias := y
			for i, v := range w {
				v *= inverse[i]
				maps[p].w[i*k+o] = v
				bias -= float64(v * means[i])
			}
			maps[p].b[o] = bias
		}
	}
	return maps
}
