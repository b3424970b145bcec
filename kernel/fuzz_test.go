package kernel

import (
	"encoding/binary"
	"math"
	"math/bits"
	"testing"
)

// The fuzz targets turn bytes into sizes and bit patterns of float32, NaN payloads and
// all, and hold every implementation to the bits of the portable one. The class of every
// operation is the same: exact.

// A pool hands out what the fuzzer's bytes say.
type pool struct {
	head  []byte
	words []uint32
	next  int
}

func newPool(data []byte, head int) *pool {
	p := &pool{head: make([]byte, head)}
	data = data[copy(p.head, data):]
	for len(data) >= 4 {
		p.words = append(p.words, binary.LittleEndian.Uint32(data))
		data = data[4:]
	}
	if len(p.words) == 0 {
		p.words = []uint32{0x3F800001}
	}
	return p
}

// size returns one of 0 to most-1.
func (p *pool) size(most int) int {
	b := p.head[0]
	p.head = p.head[1:]
	return int(b) % most
}

func (p *pool) flag() bool { return p.size(2) == 1 }

// floats returns n patterns: the words in turn, rotated by one bit in each turn.
func (p *pool) floats(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(bits.RotateLeft32(p.words[p.next%len(p.words)], p.next/len(p.words)))
		p.next++
	}
	return x
}

func (p *pool) matrix(rows, cols, stride int) Matrix {
	return Matrix{Rows: rows, Cols: cols, Stride: stride, Data: p.floats(rows * stride)}
}

func (p *pool) weights(k, n int) Weights {
	w := NewWeights(k, n)
	w.Pack(p.matrix(k, n, n))
	return w
}

// Sizes up to which the targets go: past every tile in each dimension.
const (
	fuzzRows = 15
	fuzzK    = 70
	fuzzN    = 100
)

// seeds adds one input for every shape of every order.
func seeds(f *testing.F, head ...byte) {
	patterns := []byte{
		0x00, 0x00, 0x80, 0x3F, 0x01, 0x00, 0x80, 0xBF, 0xFF, 0xFF, 0x7F, 0x33, 0xCD, 0xCC, 0x4C, 0x3E,
		0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x80, 0x7F, 0x00, 0x00, 0x80, 0xFF, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0xC0, 0xFF,
	}
	f.Add([]byte{})
	for i, s := range orderShapes {
		for _, rows := range []int{1, 13} {
			data := append([]byte{byte(rows), byte(s.k), byte(s.n), byte(i % 3)}, head...)
			data = append(data, byte(i), byte(i>>1))
			f.Add(append(data, patterns[:16]...)) // finite
			f.Add(append(data, patterns...))
		}
	}
}

func FuzzMatMul(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPool(data, 6)
		rows, kk, n, extra, relu, biased := p.size(fuzzRows), p.size(fuzzK), p.size(fuzzN), p.size(3), p.flag(), p.flag()
		a, w, bias, dst := p.matrix(rows, kk, kk+extra), p.weights(kk, n), p.floats(n), p.matrix(rows, n, n+extra)
		if !biased {
			bias = nil
		}
		want := clone(dst)
		Kernel{generic}.MatMul(want, a, w, bias, relu)
		for _, i := range accelerated() {
			got := clone(dst)
			Kernel{i}.MatMul(got, a, w, bias, relu)
			requireBits(t, isaNames[i], got.Data, want.Data)
		}
	})
}

func FuzzInputGrad(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPool(data, 6)
		rows, kk, n, extra, masked, inPlace := p.size(fuzzRows), p.size(fuzzK), p.size(fuzzN), p.size(3), p.flag(), p.flag()
		dy, wt, y, dx := p.matrix(rows, kk, kk+extra), p.weights(kk, n), p.matrix(rows, n, n+2*extra), p.matrix(rows, n, n+extra)
		run := func(k Kernel) Matrix {
			dst := clone(dx)
			switch {
			case inPlace:
				k.InputGrad(dst, dy, wt, dst)
			case masked:
				k.InputGrad(dst, dy, wt, y)
			default:
				k.InputGrad(dst, dy, wt, Matrix{})
			}
			return dst
		}
		want := run(Kernel{generic})
		for _, i := range accelerated() {
			requireBits(t, isaNames[i], run(Kernel{i}).Data, want.Data)
		}
	})
}

func FuzzWeightGrad(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPool(data, 6)
		rows, kk, n, extra, accumulate, biased := p.size(fuzzRows), p.size(fuzzK), p.size(fuzzN), p.size(3), p.flag(), p.flag()
		x, dy, dw, db := p.matrix(rows, kk, kk+extra), p.matrix(rows, n, n+extra), p.weights(kk, n), p.floats(n)
		run := func(k Kernel) (Weights, []float32, []float64) {
			w := Weights{K: kk, N: n, Data: append([]float32(nil), dw.Data...)}
			var b []float32
			if biased {
				b = append([]float32{}, db...)
			}
			k.WeightGrad(w, b, x, dy, accumulate)
			cross := make([]float64, kk*n)
			k.Cross(cross, x, dy)
			return w, b, cross
		}
		want, wantB, wantC := run(Kernel{generic})
		for _, i := range accelerated() {
			got, gotB, gotC := run(Kernel{i})
			requireBits(t, isaNames[i], got.Data, want.Data)
			requireBits(t, isaNames[i]+" bias", gotB, wantB)
			for j := range gotC {
				if !sameFloat64(gotC[j], wantC[j]) {
					t.Fatalf("%s: Cross: element %d is %x, want %x", isaNames[i], j, gotC[j], wantC[j])
				}
			}
		}
	})
}

func FuzzVectors(f *testing.F) {
	seeds(f, 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPool(data, 5)
		n := p.size(256) + 256*p.size(3)
		s := AdamStep{Step: 1 + p.size(100)}
		p.size(1)
		for _, c := range []*float32{&s.Rate, &s.Beta1, &s.Beta2, &s.Epsilon, &s.Decay} {
			*c = p.floats(1)[0]
		}
		if p.flag() || !(s.Epsilon > 0) { // sensible coefficients reach the arithmetic behind them
			s = AdamStep{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decay: 0.1, Step: s.Step}
		}
		rate := p.floats(1)[0]
		x, y, m, v := p.floats(n), p.floats(n), p.floats(n), p.floats(n)
		type result struct {
			vectors [][]float32
			sums    []Sums
		}
		run := func(k Kernel) (r result) {
			fresh := func(x []float32) []float32 {
				c := append([]float32(nil), x...)
				r.vectors = append(r.vectors, c)
				return c
			}
			r.sums = append(r.sums, k.Sums(x), k.Distance(x, y), k.Residual(fresh(x), x, y))
			k.Lerp(fresh(x), y, rate)
			k.Add(fresh(x), y)
			k.Adam(fresh(x), y, fresh(m), fresh(v), s)
			k.Multiply(fresh(x), y)
			k.Sine(fresh(x), fresh(m), y, rate)
			k.Sine(fresh(x), nil, x, 1)
			return r
		}
		want := run(Kernel{generic})
		for _, i := range accelerated() {
			got := run(Kernel{i})
			for j, what := range []string{"residual", "lerp", "add", "weights", "first moment", "second moment", "multiply", "sine", "cosine", "sine alone"} {
				requireBits(t, isaNames[i]+" "+what, got.vectors[j], want.vectors[j])
			}
			for j, what := range []string{"sums", "residual"} {
				requireSums(t, isaNames[i]+" "+what, got.sums[j], want.sums[j])
			}
		}
	})
}

func FuzzNetwork(f *testing.F) {
	seeds(f, 3, 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPool(data, 8)
		widths := []int{p.size(fuzzN), p.size(fuzzN), p.size(fuzzN), p.size(fuzzN)}
		widths = widths[:2+p.size(3)]
		relu, biased := p.flag(), p.flag()
		var layers []Layer
		for l := range len(widths) - 1 {
			y := Layer{W: p.weights(widths[l], widths[l+1]), ReLU: relu}
			if biased {
				y.Bias = p.floats(widths[l+1])
			}
			layers = append(layers, y)
		}
		a := p.matrix(1, widths[0], widths[0])
		x := a.Data
		for _, y := range layers {
			b := NewMatrix(1, y.W.N)
			Kernel{generic}.MatMul(b, a, y.W, y.Bias, y.ReLU)
			a = b
		}
		for _, k := range Available() {
			n := k.NewNetwork(layers)
			for range 2 {
				got := make([]float32, a.Cols)
				n.Run(got, x)
				requireBits(t, k.Name(), got, a.Data)
			}
		}
	})
}
