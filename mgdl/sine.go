package mgdl

import (
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// An Activation follows each hidden layer of a grade's networks.
type Activation uint8

const (
	ReLU Activation = iota // 0 where negative
	Sine                   // sin 2πz: weights and biases are in cycles
)

func (a Activation) String() string {
	if a == Sine {
		return kindSine
	}
	return kindReLU
}

// exactInputs is the most inputs of a sine layer whose phases are computed without the
// rounding of whole cycles. More inputs are features, whose phases are small.
const exactInputs = 8

// hiddenLayer sets dst to the activations of l for the rows of a.
func (a Activation) hiddenLayer(k kernel.Kernel, dst, in kernel.Matrix, l *layer) {
	switch {
	case a == ReLU:
		k.MatMul(dst, in, l.w, l.b, true)
		return
	case l.w.K > exactInputs:
		k.MatMul(dst, in, l.w, l.b, false)
	default:
		phases(dst, in, l)
	}
	for i := range dst.Rows {
		k.Sine(dst.Row(i), nil, dst.Row(i), 1)
	}
}

// phases sets dst to a·W + B in cycles, less whole cycles of the products. A product of
// hundreds of cycles has an error of 1e-5 cycles in float32; so each is taken in two parts,
//
//	hi = fl(w·x)    lo = fma(w, x, −hi)    s = (s + (hi − round(hi))) + lo
//
// over the inputs in ascending order from s = 0, and the bias is added last. Beyond 2²²
// cycles round loses its meaning, but not its bits.
func phases(dst, a kernel.Matrix, l *layer) {
	const panel = 32 // columns that lie together in Weights, where there are as many
	n := l.w.N
	for r := range dst.Rows {
		row, out := a.Row(r), dst.Row(r)
		clear(out)
		for at := 0; at < n; at += panel {
			s := out[at:min(at+panel, n)]
			for k, x := range row {
				i := l.w.Index(k, at)
				w := l.w.Data[i : i+len(s)]
				for j, v := range w {
					p := float64(v) * float64(x) // exact
					hi := float32(p)
					lo := float32(p - float64(hi))
					s[j] = float32(s[j]+(hi-roundPhase(hi))) + lo
				}
			}
		}
		for j, b := range l.b {
			out[j] += b
		}
	}
}

// roundPhase rounds x to the nearest integer, ties to even, as kernel.Sine does.
func roundPhase(x float32) float32 {
	const shift = 0x1.8p23
	return float32(x+shift) - shift
}

// cycles turns a layer whose activation is sin z into one for Sine.
func (l *layer) cycles() {
	for _, x := range [...][]float32{l.w.Data, l.b} {
		for i, v := range x {
			x[i] = float32(float64(v) / (2 * math.Pi))
		}
	}
}
