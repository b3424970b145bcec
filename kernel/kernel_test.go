package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Sizes around every tile edge. Every third is what short tests use, with all remainders
// of k by four among them.
var (
	rowSizes = []int{0, 1, 2, 3, 5, 6, 7, 11, 12, 13, 31}
	kSizes   = []int{0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 15, 31, 32, 33, 63, 64, 65, 97, 13, 34, 18}
	nSizes   = []int{1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 97, 130}
)

// accelerated returns the implementations other than the portable one.
func accelerated() []isa {
	var is []isa
	for _, i := range detect() {
		if i != generic {
			is = append(is, i)
		}
	}
	return is
}

// A filler makes test values of one kind.
type filler struct {
	name string
	fill func(r *rand.Rand, x []float32)
}

var fillers = []filler{
	{"powers", func(r *rand.Rand, x []float32) { // sums stay exact: a wrong index is an obvious integer
		for i := range x {
			x[i] = float32(int(1)<<r.IntN(4)) * float32(1-2*r.IntN(2))
		}
	}},
	{"random", func(r *rand.Rand, x []float32) {
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
	}},
	{"awkward", func(r *rand.Rand, x []float32) {
		odd := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 1e-38, -1e-38, 1e-45, 3e38, -3e38, 1 + 1e-7, 0x1p-12 * (1 + 0x1p-23)}
		for i := range x {
			x[i] = odd[r.IntN(len(odd))]
		}
	}},
	{"nan", func(r *rand.Rand, x []float32) {
		for i := range x {
			switch x[i] = float32(r.NormFloat64()); r.IntN(40) {
			case 0:
				x[i] = float32(math.NaN())
			case 1:
				x[i] = float32(math.Inf(1 - 2*r.IntN(2)))
			case 2:
				x[i] = math.Float32frombits(0xFFC00001) // a negative NaN
			}
		}
	}},
}

// strided returns a rows×cols view with a stride above cols; what lies between its rows
// must survive and is checked by sameMatrix.
func strided(r *rand.Rand, f filler, rows, cols, extra int) Matrix {
	m := Matrix{Rows: rows, Cols: cols, Stride: cols + extra, Data: make([]float32, rows*(cols+extra)+3)}
	f.fill(r, m.Data)
	return m
}

func clone(m Matrix) Matrix {
	m.Data = append([]float32(nil), m.Data...)
	return m
}

func packed(r *rand.Rand, f filler, k, n int) Weights {
	w := NewWeights(k, n)
	w.Pack(strided(r, f, k, n, 0).trimmed())
	return w
}

func (m Matrix) trimmed() Matrix {
	m.Data = m.Data[:span(m.Rows, m.Cols, m.Stride)]
	return m
}

// sameBits reports the first element in which a and b differ; all NaN are one value.
func sameBits(a, b []float32) (int, bool) {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && (a[i] == a[i] || b[i] == b[i]) {
			return i, false
		}
	}
	return 0, len(a) == len(b)
}

func requireBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if i, ok := sameBits(got, want); !ok {
		t.Fatalf("%s: element %d is %x (%g), want %x (%g)", what, i, math.Float32bits(got[i]), got[i], math.Float32bits(want[i]), want[i])
	}
}

// forImplementations runs f for every accelerated implementation and kind of value.
func forImplementations(t *testing.T, f func(t *testing.T, k Kernel, v filler)) {
	for _, i := range accelerated() {
		for _, v := range fillers {
			t.Run(fmt.Sprintf("%s/%s", isaNames[i], v.name), func(t *testing.T) {
				t.Parallel()
				f(t, Kernel{i}, v)
			})
		}
	}
}

func TestMatMulBits(t *testing.T) {
	forImplementations(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, rows := range thin(rowSizes) {
			for _, kk := range thin(kSizes) {
				for _, n := range thin(nSizes) {
					a, w := strided(r, v, rows, kk, r.IntN(3)), packed(r, v, kk, n)
					bias := strided(r, v, 1, n, 0).Data[:n]
					if r.IntN(4) == 0 {
						bias = nil
					}
					dst := strided(r, v, rows, n, r.IntN(3))
					want, relu := clone(dst), r.IntN(2) == 0
					Kernel{generic}.MatMul(want, a, w, bias, relu)
					k.MatMul(dst, a, w, bias, relu)
					requireBits(t, fmt.Sprintf("%d×%d×%d relu %v", rows, kk, n, relu), dst.Data, want.Data)
				}
			}
		}
	})
}

func TestInputGradBits(t *testing.T) {
	forImplementations(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, rows := range thin(rowSizes) {
			for _, n := range thin(kSizes) {
				for _, kk := range thin(nSizes) {
					dy, wt := strided(r, v, rows, n, r.IntN(3)), packed(r, v, n, kk)
					y := strided(r, v, rows, kk, r.IntN(3))
					dx := strided(r, v, rows, kk, r.IntN(3))
					what := fmt.Sprintf("%d×%d×%d", rows, n, kk)
					want := clone(dx)
					Kernel{generic}.InputGrad(want, dy, wt, y)
					k.InputGrad(dx, dy, wt, y)
					requireBits(t, what, dx.Data, want.Data)
					want = clone(y) // in place
					Kernel{generic}.InputGrad(want, dy, wt, want)
					k.InputGrad(y, dy, wt, y)
					requireBits(t, what+" in place", y.Data, want.Data)
					Kernel{generic}.InputGrad(want, dy, wt, Matrix{})
					k.InputGrad(y, dy, wt, Matrix{})
					requireBits(t, what+" without mask", y.Data, want.Data)
				}
			}
		}
	})
}

func TestWeightGradBits(t *testing.T) {
	forImplementations(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, rows := range thin(rowSizes) {
			for _, kk := range thin(kSizes) {
				for _, n := range thin(nSizes) {
					x, dy := strided(r, v, rows, kk, r.IntN(3)), strided(r, v, rows, n, r.IntN(3))
					dw, db := packed(r, v, kk, n), strided(r, v, 1, n, 0).Data
					wantW := Weights{K: kk, N: n, Data: append([]float32(nil), dw.Data...)}
					wantB := append([]float32(nil), db...)
					acc := r.IntN(2) == 0
					Kernel{generic}.WeightGrad(wantW, wantB[:n], x, dy, acc)
					k.WeightGrad(dw, db[:n], x, dy, acc)
					what := fmt.Sprintf("%d×%d×%d accumulate %v", rows, kk, n, acc)
					requireBits(t, what, dw.Data, wantW.Data)
					requireBits(t, what+" bias", db, wantB)
				}
			}
		}
	})
}

func TestCrossBits(t *testing.T) {
	forImplementations(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(7, 8))
		for _, rows := range thin(rowSizes) {
			for _, kk := range thin(kSizes) {
				for _, n := range thin(nSizes) {
					a, b := strided(r, v, rows, kk, r.IntN(3)), strided(r, v, rows, n, r.IntN(3))
					got, want := make([]float64, kk*n), make([]float64, kk*n)
					for i := range got {
						got[i] = r.NormFloat64()
						want[i] = got[i]
					}
					Kernel{generic}.Cross(want, a, b)
					k.Cross(got, a, b)
					for i := range got {
						if math.Float64bits(got[i]) != math.Float64bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
							t.Fatalf("%d×%d×%d: element %d is %g, want %g", rows, kk, n, i, got[i], want[i])
						}
					}
				}
			}
		}
	})
}

var vectorSizes = []int{0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 991, 992, 1023, 1024, 1025, 1056, 2047, 2080, 16383, 16384, 16416, 20000}

func TestVectorBits(t *testing.T) {
	forImplementations(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(9, 10))
		portable := Kernel{generic}
		vec := func(n int) []float32 {
			x := make([]float32, n)
			v.fill(r, x)
			return x
		}
		for _, n := range vectorSizes {
			x, y, m := vec(n), vec(n), vec(n)
			what := fmt.Sprintf("length %d", n)
			sameSums := func(got, want Sums) {
				t.Helper()
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("%s: sums %v, want %v", what, got, want)
				}
			}
			sameSums(k.Sums(x), portable.Sums(x))
			sameSums(k.Distance(x, y), portable.Distance(x, y))
			got, want := make([]float32, n), make([]float32, n)
			sameSums(k.Residual(got, x, y), portable.Residual(want, x, y))
			requireBits(t, what+" residual", got, want)
			k.Lerp(got, x, 0.3)
			portable.Lerp(want, x, 0.3)
			requireBits(t, what+" lerp", got, want)
			k.Add(got, y)
			portable.Add(want, y)
			requireBits(t, what+" add", got, want)
			k.Multiply(got, y)
			portable.Multiply(want, y)
			requireBits(t, what+" multiply", got, want)
			c, c2 := make([]float32, n), make([]float32, n)
			k.Sine(got, nil, x, 0.75)
			portable.Sine(want, nil, x, 0.75)
			requireBits(t, what+" sine", got, want)
			k.Sine(got, c, y, 1)
			portable.Sine(want, c2, y, 1)
			requireBits(t, what+" sine with cosine", got, want)
			requireBits(t, what+" cosine", c, c2)
			q := vec(n)
			for i := range q {
				q[i] = float32(math.Abs(float64(q[i])))
			}
			m2, q2 := append([]float32(nil), m...), append([]float32(nil), q...)
			for step := 1; step < 4; step++ {
				s := AdamStep{Rate: 1e-2, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, Decay: 0.03, Step: step}
				k.Adam(got, x, m, q, s)
				portable.Adam(want, x, m2, q2, s)
				requireBits(t, what+" weights", got, want)
				requireBits(t, what+" first moment", m, m2)
				requireBits(t, what+" second moment", q, q2)
			}
		}
	})
}

func TestTransposeBits(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, k := range append([]Kernel{{generic}}, Available()...) {
		for _, kk := range thin(kSizes) {
			for _, n := range thin(nSizes) {
				src, got := packed(r, fillers[1], kk, n), NewWeights(n, kk)
				k.Transpose(got, src)
				want := NewWeights(n, kk)
				for i := range kk {
					for j := range n {
						want.Data[want.Index(j, i)] = src.Data[src.Index(i, j)]
					}
				}
				requireBits(t, fmt.Sprintf("%s %d×%d", k.Name(), kk, n), got.Data, want.Data)
			}
		}
	}
}

func TestNetworkBits(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, k := range Available() {
		for _, v := range fillers {
			for _, widths := range [][]int{{3, 5}, {64, 200}, {2, 64, 64, 64, 1}, {16, 128, 128, 1}, {5, 33, 9, 130, 97, 10}, {64, 8, 8, 4}, {40, 96, 1, 70}, {0, 40, 3}, {7, 0, 2}} {
				var layers []Layer
				for l := 1; l < len(widths); l++ {
					y := Layer{W: packed(r, v, widths[l-1], widths[l]), ReLU: r.IntN(3) > 0}
					if r.IntN(4) > 0 {
						y.Bias = strided(r, v, 1, widths[l], 0).Data[:widths[l]]
					}
					layers = append(layers, y)
				}
				net := k.NewNetwork(layers)
				for range 3 { // the direction of the walk alternates
					x := strided(r, v, 1, widths[0], 0).trimmed()
					got := make([]float32, widths[len(widths)-1])
					net.Run(got, x.Data)
					a := x
					for l, y := range layers {
						if l > 0 && l == len(layers)-1 {
							requireBits(t, "activations", net.Activations(), a.Data)
						}
						b := NewMatrix(1, y.W.N)
						Kernel{generic}.MatMul(b, a, y.W, y.Bias, y.ReLU)
						a = b
					}
					requireBits(t, fmt.Sprintf("%s %s %v", k.Name(), v.name, widths), got, a.Data)
				}
			}
		}
	}
}
