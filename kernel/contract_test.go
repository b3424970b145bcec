package kernel

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

// One test for each sentence of doc.go about numbers. Every test runs on every
// implementation; the oracles share no code with the package.

// underflowing values have products that underflow to zeros of both signs.
var underflowing = filler{"underflow", func(r *rand.Rand, x []float32) {
	for i := range x {
		x[i] = 1e-30 * sign(r)
	}
}}

var allFillers = append(append([]filler(nil), fillers...), underflowing)

// everywhere runs f on every implementation.
func everywhere(t *testing.T, f func(t *testing.T, k Kernel)) {
	for _, k := range Available() {
		t.Run(k.Name(), func(t *testing.T) {
			t.Parallel()
			f(t, k)
		})
	}
}

// everyFiller runs f on every implementation and kind of value.
func everyFiller(t *testing.T, f func(t *testing.T, k Kernel, v filler)) {
	for _, k := range Available() {
		for _, v := range allFillers {
			t.Run(k.Name()+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				f(t, k, v)
			})
		}
	}
}

// thin drops sizes where time is short.
func thin(sizes []int) []int {
	if !short() {
		return sizes
	}
	var kept []int
	for i := 0; i < len(sizes); i += 3 {
		kept = append(kept, sizes[i])
	}
	return kept
}

// textElement is one element of a product as doc.go words it: x is the row of a, column
// the column of the K×N right-hand side, step a fused multiply-add.
func textElement(x, column []float32, n int, bias float32, step func(a, b, c float32) float32) float32 {
	k := len(x)
	chain := func(first, stride int, start float32) float32 {
		for i := first; i < k; i += stride {
			start = step(x[i], column[i], start)
		}
		return start
	}
	switch {
	case n == 1 || n <= 8 && k >= 32:
		lane := make([]float32, 32)
		lane[0] = bias
		for l := range lane {
			lane[l] = chain(l, 32, lane[l])
			if k%32 != 0 && l >= k%32 {
				lane[l] = step(0, 0, lane[l])
			}
		}
		for len(lane) > 1 {
			half := len(lane) / 2
			for l := range half {
				lane[l] += lane[l+half]
			}
			lane = lane[:half]
		}
		return lane[0]
	case k <= 8:
		return chain(0, 1, bias)
	case n >= 32:
		return chain(0, 2, bias) + chain(1, 2, 0)
	default:
		return (chain(0, 4, bias) + chain(2, 4, 0)) + (chain(1, 4, 0) + chain(3, 4, 0))
	}
}

// textProduct is a product of a and the K×N matrix b.
func textProduct(a, b Matrix, bias []float32, relu bool, step func(a, b, c float32) float32) Matrix {
	dst := NewMatrix(a.Rows, b.Cols)
	column := make([]float32, b.Rows)
	for j := range b.Cols {
		for k := range column {
			column[k] = b.Data[k*b.Stride+j]
		}
		var start float32
		if bias != nil {
			start = bias[j]
		}
		for i := range a.Rows {
			v := textElement(a.Row(i), column, b.Cols, start, step)
			if relu && v < 0 {
				v = 0
			}
			dst.Data[i*dst.Stride+j] = v
		}
	}
	return dst
}

func packOf(b Matrix) Weights {
	w := NewWeights(b.Rows, b.Cols)
	w.Pack(b)
	return w
}

func vector(r *rand.Rand, f filler, n int) []float32 {
	x := make([]float32, n)
	f.fill(r, x)
	return x
}

func matrix(r *rand.Rand, f filler, rows, cols int) Matrix {
	m := NewMatrix(rows, cols)
	f.fill(r, m.Data)
	return m
}

func requireMatrix(t *testing.T, what string, got, want Matrix) {
	t.Helper()
	if got.Rows != want.Rows || got.Cols != want.Cols {
		t.Fatalf("%s: shape %d×%d, want %d×%d", what, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	for i := range want.Rows {
		if j, ok := sameBits(got.Row(i), want.Row(i)); !ok {
			t.Fatalf("%s: element (%d, %d) is %x, want %x", what, i, j, got.Row(i)[j], want.Row(i)[j])
		}
	}
}

// TestProductOrder holds all implementations to the text at all sizes.
func TestProductOrder(t *testing.T) {
	const rows = 8 // tiles of six and three rows, and what is left of them
	everyFiller(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(21, 1))
		for _, kk := range thin(kSizes) {
			for _, n := range thin(nSizes) {
				a, b, bias := matrix(r, v, rows, kk), matrix(r, v, kk, n), vector(r, v, n)
				if r.IntN(3) == 0 {
					bias = nil
				}
				relu := r.IntN(3) == 0
				want := textProduct(a, b, bias, relu, softFMA)
				got := NewMatrix(rows, n)
				w := packOf(b)
				what := fmt.Sprintf("%d×%d×%d bias %v relu %v", rows, kk, n, bias != nil, relu)
				k.MatMul(got, a, w, bias, relu)
				requireMatrix(t, what, got, want)
				one := got.RowRange(0, 1)
				k.MatMul(one, a.RowRange(0, 1), w, bias, relu)
				requireMatrix(t, what+" one row", one, want.RowRange(0, 1))
			}
		}
	})
}

// TestProductOrderExact does so in exact arithmetic at small sizes.
func TestProductOrderExact(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	for _, v := range allFillers {
		for _, kk := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 31, 32, 33, 65} {
			for _, n := range thin([]int{1, 2, 8, 9, 31, 32, 33}) {
				a, b, bias := matrix(r, v, 1, kk), matrix(r, v, kk, n), vector(r, v, n)
				want := textProduct(a, b, bias, false, bigFMA)
				for _, k := range Available() {
					got := NewMatrix(1, n)
					k.MatMul(got, a, packOf(b), bias, false)
					requireMatrix(t, fmt.Sprintf("%s %s %d×%d", k.Name(), v.name, kk, n), got, want)
				}
			}
		}
	}
}

// gamma is γ_n = n·u/(1−n·u): a product of n factors (1+δ), |δ| ≤ u, lies within 1 ± γ_n.
func gamma(n int, u float64) float64 { return float64(n) * u / (1 - float64(n)*u) }

// productBound bounds the error of an element of a product.
//
// A term of a chain of length L goes through at most L roundings in the chain and D in
// the additions of the chains, so it carries at most L+D factors (1+δ) with |δ| ≤ 2⁻²⁴,
// and the error is at most γ_{L+D}·(|bias| + Σ|a·w|). A rounding in the range of
// subnormals errs by at most 2⁻¹⁵⁰ instead; there are fewer than 32+K of them. The sum in
// float64 it is compared with errs by γ_{K+1} for u = 2⁻⁵³: its products are exact.
func productBound(k, n int, abs float64) float64 {
	var l, d int
	switch {
	case n == 1 || n <= 8 && k >= 32:
		l, d = (k+31)/32, 5
	case k <= 8:
		l = k
	case n >= 32:
		l, d = (k+1)/2, 1
	default:
		l, d = (k+3)/4, 2
	}
	return (gamma(l+d, 0x1p-24)+gamma(k+1, 0x1p-53))*abs + float64(32+k)*0x1p-150
}

func TestProductError(t *testing.T) {
	random := fillers[1]
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(23, 1))
		for _, rows := range thin(rowSizes) {
			for _, kk := range append(thin(kSizes), 500) {
				for _, n := range thin(nSizes) {
					a, b, bias := matrix(r, random, rows, kk), matrix(r, random, kk, n), vector(r, random, n)
					dst := NewMatrix(rows, n)
					k.MatMul(dst, a, packOf(b), bias, false)
					for i := range rows {
						for j := range n {
							sum, abs := float64(bias[j]), math.Abs(float64(bias[j]))
							for p := range kk {
								x := float64(a.Data[i*kk+p]) * float64(b.Data[p*n+j])
								sum += x
								abs += math.Abs(x)
							}
							if d := math.Abs(float64(dst.Data[i*n+j]) - sum); d > productBound(kk, n, abs) {
								t.Fatalf("%d×%d×%d: element (%d, %d) is %g off, at most %g expected", rows, kk, n, i, j, d, productBound(kk, n, abs))
							}
						}
					}
				}
			}
		}
	})
}

// TestNegativeZero fixes where a -0 survives: in every chain (no k is filled up there),
// and in lanes where K is a multiple of 32. Elsewhere fma(0, 0, -0) makes a lane +0.
func TestNegativeZero(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		for _, kk := range []int{4, 5, 8, 9, 11, 12, 31, 32, 33, 40, 63, 64, 65, 95, 96, 97} {
			for _, n := range []int{1, 2, 7, 8, 9, 16, 17, 31, 32, 33, 65} {
				for _, rows := range []int{1, 7} {
					a, b, dst := NewMatrix(rows, kk), NewMatrix(kk, n), NewMatrix(rows, n)
					for i := range a.Data {
						a.Data[i] = -1e-30
					}
					for i := range b.Data {
						b.Data[i] = 1e-30
					}
					bias := vector(nil, filler{fill: func(_ *rand.Rand, x []float32) {
						for i := range x {
							x[i] = float32(math.Copysign(0, -1))
						}
					}}, n)
					k.MatMul(dst, a, packOf(b), bias, true)
					lanes := n == 1 || n <= 8 && kk >= 32
					for i, v := range dst.Data {
						if v != 0 || math.Signbit(float64(v)) == (lanes && kk%32 != 0) {
							t.Fatalf("%d×%d×%d: element %d is %g", rows, kk, n, i, v)
						}
					}
				}
			}
		}
	})
}

// orderShapes has K and N of every order, with tails in both.
var orderShapes = []struct{ k, n int }{
	{1, 1}, {33, 1}, {96, 1}, {32, 2}, {32, 8}, {65, 5}, // lanes
	{0, 5}, {3, 2}, {8, 31}, {7, 40}, {8, 64}, // one chain
	{9, 32}, {10, 33}, {64, 64}, {67, 97}, // two chains
	{9, 9}, {31, 8}, {30, 17}, {64, 31}, {33, 16}, // four chains
}

// specials are what ReLU and the mask must tell apart.
var specials = []float32{
	1, -1, 0, float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, -0x1p-126,
	float32(math.NaN()), math.Float32frombits(0xFFC00001), float32(math.Inf(1)), float32(math.Inf(-1)),
}

func TestReLU(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(24, 1))
		for _, s := range orderShapes {
			for _, rows := range []int{1, 13} {
				var nans, zeros, negative int
				for try := range 3 {
					a, b, bias := matrix(r, fillers[1], rows, s.k), matrix(r, fillers[1], s.k, s.n), make([]float32, s.n)
					for j := range bias {
						bias[j] = specials[(j+4*try)%len(specials)]
					}
					switch try {
					case 0: // the bias shows
						clear(a.Data)
					case 1: // zeros of both signs
						underflowing.fill(r, a.Data)
						underflowing.fill(r, b.Data)
						for i := range a.Data {
							a.Data[i] = -1e-30
						}
						for i := range b.Data {
							b.Data[i] = 1e-30 * float32(1-2*(i%s.n%2))
						}
						for j := range bias {
							bias[j] = float32(math.Copysign(0, float64(1-2*((j+1)%2))))
						}
					}
					x, got := NewMatrix(rows, s.n), NewMatrix(rows, s.n)
					w := packOf(b)
					k.MatMul(x, a, w, bias, false)
					k.MatMul(got, a, w, bias, true)
					for i, v := range x.Data {
						want := v
						if v < 0 {
							want = 0
							negative++
						}
						if v != v {
							nans++
						}
						if v == 0 && math.Signbit(float64(v)) {
							zeros++
						}
						if !sameFloat(got.Data[i], want) {
							t.Fatalf("%d×%d×%d: ReLU of %g is %g", rows, s.k, s.n, v, got.Data[i])
						}
					}
				}
				// The cases that matter must have been there: NaN needs N > 4, and lanes
				// that are filled up have no -0.
				lanes := s.n == 1 || s.n <= 8 && s.k >= 32
				if s.n >= len(specials) && nans == 0 || negative == 0 && s.n > 1 || zeros == 0 && !(lanes && s.k%32 != 0) {
					t.Fatalf("%d×%d×%d: saw %d NaN, %d -0, %d negative", rows, s.k, s.n, nans, zeros, negative)
				}
			}
		}
	})
}

// TestMask: +0 where y ≤ 0, the value, whatever it is, elsewhere.
func TestMask(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(25, 1))
		for _, s := range orderShapes {
			for _, rows := range []int{1, 13} {
				for _, v := range allFillers {
					dy, wt := matrix(r, v, rows, s.k), packOf(matrix(r, v, s.k, s.n))
					x, y := NewMatrix(rows, s.n), NewMatrix(rows, s.n)
					for i := range y.Data {
						y.Data[i] = specials[r.IntN(len(specials))]
					}
					k.InputGrad(x, dy, wt, Matrix{})
					for i, v := range x.Data {
						if y.Data[i] <= 0 {
							v = 0
						}
						x.Data[i] = v
					}
					what := fmt.Sprintf("%s %d×%d×%d", v.name, rows, s.k, s.n)
					got := NewMatrix(rows, s.n)
					k.InputGrad(got, dy, wt, y)
					requireMatrix(t, what, got, x)
					k.InputGrad(y, dy, wt, y)
					requireMatrix(t, what+" in place", y, x)
				}
			}
		}
	})
}

// TestInputGradOrder: the input gradient is a product with the transposed weights.
func TestInputGradOrder(t *testing.T) {
	everyFiller(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(26, 1))
		for _, kk := range thin(nSizes) {
			for _, n := range thin(kSizes) {
				b, dy := matrix(r, v, kk, n), matrix(r, v, 7, n)
				bt := NewMatrix(n, kk)
				for i := range kk {
					for j := range n {
						bt.Data[j*kk+i] = b.Data[i*n+j]
					}
				}
				wt := NewWeights(n, kk)
				k.Transpose(wt, packOf(b))
				got := NewMatrix(7, kk)
				k.InputGrad(got, dy, wt, Matrix{})
				requireMatrix(t, fmt.Sprintf("%d×%d", kk, n), got, textProduct(dy, bt, nil, false, softFMA))
			}
		}
	})
}

// batchShapes has every order; the rows of the later ones exceed what one call takes.
var batchShapes = []struct{ m, k, n int }{
	{29, 64, 65}, {29, 33, 1}, {29, 40, 5}, {29, 7, 33}, {29, 20, 20}, {29, 9, 130}, {29, 0, 7},
	{110, 300, 40}, {110, 300, 20}, {40, 3000, 8}, {4100, 8, 9},
	{2, 1024, 1024}, {2, 1025, 1024},
}

// TestRowsIndependent: a row has the same bits alone, elsewhere in the batch, in any
// split and with any stride.
func TestRowsIndependent(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		random := fillers[1]
		r := rand.New(rand.NewPCG(27, 1))
		for _, s := range batchShapes {
			if short() && s.m*s.k*s.n > 1<<20 {
				continue
			}
			a, w, bias, mask := matrix(r, random, s.m, s.k), packed(r, random, s.k, s.n), vector(r, random, s.n), matrix(r, random, s.m, s.n)
			for name, op := range map[string]func(dst, a, mask Matrix){
				"MatMul":    func(dst, a, _ Matrix) { k.MatMul(dst, a, w, bias, true) },
				"InputGrad": func(dst, a, mask Matrix) { k.InputGrad(dst, a, w, mask) },
				"unmasked":  func(dst, a, _ Matrix) { k.InputGrad(dst, a, w, Matrix{}) },
			} {
				what := fmt.Sprintf("%s %d×%d×%d", name, s.m, s.k, s.n)
				whole := NewMatrix(s.m, s.n)
				op(whole, a, mask)

				got := NewMatrix(s.m, s.n)
				for i := range s.m {
					op(got.RowRange(i, i+1), a.RowRange(i, i+1), mask.RowRange(i, i+1))
				}
				requireMatrix(t, what+" row by row", got, whole)

				for _, workers := range []int{2, 3, 7} {
					got := NewMatrix(s.m, s.n)
					for i := range workers {
						from, to := i*s.m/workers, (i+1)*s.m/workers
						op(got.RowRange(from, to), a.RowRange(from, to), mask.RowRange(from, to))
					}
					requireMatrix(t, fmt.Sprintf("%s in %d parts", what, workers), got, whole)
				}

				reversed := func(m Matrix) Matrix {
					v := NewMatrix(m.Rows, m.Cols)
					for i := range m.Rows {
						copy(v.Row(i), m.Row(m.Rows-1-i))
					}
					return v
				}
				got = NewMatrix(s.m, s.n)
				op(got, reversed(a), reversed(mask))
				requireMatrix(t, what+" reversed", reversed(got), whole)

				wide := func(m Matrix, extra int) Matrix {
					v := NewMatrix(m.Rows, m.Cols+extra)
					for i := range v.Data {
						v.Data[i] = float32(math.NaN())
					}
					v = v.ColRange(extra/2, extra/2+m.Cols)
					for i := range m.Rows {
						if m.Cols > 0 {
							copy(v.Row(i), m.Row(i))
						}
					}
					return v
				}
				dst := wide(NewMatrix(s.m, s.n), 3)
				op(dst, wide(a, 5), wide(mask, 2))
				requireMatrix(t, what+" with strides", dst, whole)
			}
		}
	})
}

// TestWeightGradOrder: one chain per element over the rows in ascending order, from +0 or
// from the stored value; the bias gradient by additions.
func TestWeightGradOrder(t *testing.T) {
	everyFiller(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(28, 1))
		for _, rows := range []int{2, 7} {
			for _, kk := range thin(kSizes) {
				for _, n := range thin(nSizes) {
					x, dy, stored := matrix(r, v, rows, kk), matrix(r, v, rows, n), matrix(r, v, kk, n)
					accumulate := r.IntN(2) == 0
					dw, db := packOf(stored), vector(r, v, n)
					want, wantB := NewMatrix(kk, n), make([]float32, n)
					if accumulate {
						copy(want.Data, stored.Data)
						copy(wantB, db)
					}
					for m := range rows {
						for j, d := range dy.Row(m) {
							for i, xi := range x.Row(m) {
								want.Data[i*n+j] = softFMA(xi, d, want.Data[i*n+j])
							}
							wantB[j] += d
						}
					}
					k.WeightGrad(dw, db, x, dy, accumulate)
					got := NewMatrix(kk, n)
					dw.Unpack(got)
					what := fmt.Sprintf("%d×%d×%d accumulate %v", rows, kk, n, accumulate)
					requireMatrix(t, what, got, want)
					requireBits(t, what+" bias", db, wantB)
				}
			}
		}
	})
}

// TestWeightGradError: a term of a chain over M rows carries at most M factors (1+δ).
func TestWeightGradError(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(29, 1))
		for _, rows := range []int{1, 12, 500} {
			for _, s := range orderShapes {
				x, dy := matrix(r, fillers[1], rows, s.k), matrix(r, fillers[1], rows, s.n)
				dw, db := NewWeights(s.k, s.n), make([]float32, s.n)
				k.WeightGrad(dw, db, x, dy, false)
				check := func(got float32, term func(m int) float64) {
					t.Helper()
					var sum, abs float64
					for m := range rows {
						sum += term(m)
						abs += math.Abs(term(m))
					}
					bound := (gamma(rows, 0x1p-24)+gamma(rows, 0x1p-53))*abs + float64(rows)*0x1p-150
					if d := math.Abs(float64(got) - sum); d > bound {
						t.Fatalf("%d rows, %d×%d: %g off, at most %g expected", rows, s.k, s.n, d, bound)
					}
				}
				for j := range s.n {
					for i := range s.k {
						check(dw.Data[dw.Index(i, j)], func(m int) float64 { return float64(x.Data[m*s.k+i]) * float64(dy.Data[m*s.n+j]) })
					}
					check(db[j], func(m int) float64 { return float64(dy.Data[m*s.n+j]) })
				}
			}
		}
	})
}

// cuts returns where to split rows into consecutive chunks, some of them empty.
func cuts(r *rand.Rand, rows, parts int) []int {
	c := []int{0}
	for range parts - 1 {
		c = append(c, c[len(c)-1]+r.IntN(rows-c[len(c)-1]+1))
	}
	return append(c, rows)
}

// TestWeightGradChunks: accumulating over consecutive chunks of rows is one call.
func TestWeightGradChunks(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(30, 1))
		for _, v := range []filler{fillers[1], fillers[2]} {
			for _, s := range []struct{ m, k, n int }{{29, 10, 33}, {29, 33, 1}, {29, 40, 5}, {29, 9, 130}, {64, 0, 3}, {4100, 9, 17}, {8200, 3, 1}, {4200, 33, 2}} {
				x, dy := matrix(r, v, s.m, s.k), matrix(r, v, s.m, s.n)
				stored, storedB := packed(r, v, s.k, s.n), vector(r, v, s.n)
				for _, accumulate := range []bool{false, true} {
					fresh := func() (Weights, []float32) {
						w := NewWeights(s.k, s.n)
						copy(w.Data, stored.Data)
						return w, append([]float32(nil), storedB...)
					}
					want, wantB := fresh()
					k.WeightGrad(want, wantB, x, dy, accumulate)
					for range 3 {
						got, gotB := fresh()
						c := cuts(r, s.m, 1+r.IntN(6))
						for i := range len(c) - 1 {
							k.WeightGrad(got, gotB, x.RowRange(c[i], c[i+1]), dy.RowRange(c[i], c[i+1]), accumulate || i > 0)
						}
						what := fmt.Sprintf("%s %d×%d×%d accumulate %v cut at %v", v.name, s.m, s.k, s.n, accumulate, c)
						requireBits(t, what, got.Data, want.Data)
						requireBits(t, what+" bias", gotB, wantB)
					}
				}
			}
		}
	})
}

// TestCrossOrder: dst += Σ in float64, one chain per element over the rows, so that
// consecutive chunks of rows are one call.
func TestCrossOrder(t *testing.T) {
	everyFiller(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(31, 1))
		check := func(m, kk, n int) {
			a, b := matrix(r, v, m, kk), matrix(r, v, m, n)
			got, want := make([]float64, kk*n), make([]float64, kk*n)
			for i := range got {
				got[i] = r.NormFloat64()
				want[i] = got[i]
			}
			for i := range kk {
				for j := range n {
					for p := range m {
						want[i*n+j] += float64(a.Data[p*kk+i]) * float64(b.Data[p*n+j])
					}
				}
			}
			c := cuts(r, m, 1+r.IntN(3))
			for i := range len(c) - 1 {
				k.Cross(got, a.RowRange(c[i], c[i+1]), b.RowRange(c[i], c[i+1]))
			}
			for i := range got {
				if !sameFloat64(got[i], want[i]) {
					t.Fatalf("%d×%d×%d: element %d is %g, want %g", m, kk, n, i, got[i], want[i])
				}
			}
		}
		for _, m := range thin([]int{1, 2, 9}) {
			for _, kk := range thin(kSizes) {
				for _, n := range thin(nSizes) {
					check(m, kk, n)
				}
			}
		}
		check(5000, 9, 17) // more rows than one call takes
	})
}

func sameFloat64(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

// textSums are the reductions as doc.go words them.
func textSums(x []float32) Sums {
	var total Sums
	for _, v := range x {
		if m := math.Abs(float64(v)); m > total.Max {
			total.Max = m
		}
	}
	var squares, abs [16]float64
	if total.Max != 0 && (total.Max < 0x1p-50 || total.Max > 0x1p60) {
		for i, v := range x {
			squares[i%16] += float64(v) * float64(v)
			abs[i%16] += math.Abs(float64(v))
		}
	} else {
		whole := len(x) - len(x)%32
		for start := 0; start < len(x); {
			end := min(start+1024, whole)
			if start == whole {
				end = len(x)
			}
			var s, a [32]float32
			for i, v := range x[start:end] {
				s[i%32] = softFMA(v, v, s[i%32])
				a[i%32] += float32(math.Abs(float64(v)))
			}
			for l := range 16 {
				squares[l] += float64(s[l] + s[l+16])
				abs[l] += float64(a[l] + a[l+16])
			}
			start = end
		}
	}
	for _, half := range []int{8, 4, 2, 1} {
		for l := range half {
			squares[l] += squares[l+half]
			abs[l] += abs[l+half]
		}
	}
	total.Squares, total.Abs = squares[0], abs[0]
	return total
}

func requireSums(t *testing.T, what string, got, want Sums) {
	t.Helper()
	if !sameFloat64(got.Squares, want.Squares) || !sameFloat64(got.Abs, want.Abs) || !sameFloat64(got.Max, want.Max) {
		t.Fatalf("%s: %+v, want %+v", what, got, want)
	}
}

func TestSumsOrder(t *testing.T) {
	everyFiller(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(32, 1))
		for _, n := range append([]int{16383, 16384, 16385, 16415, 24576, 40000}, vectorSizes...) {
			x := vector(r, v, n)
			requireSums(t, fmt.Sprintf("%d elements", n), k.Sums(x), textSums(x))
			for _, scale := range []float32{0x1p-50, 0x1.fffffep-51, 0x1p60, 0x1.000002p60, 0x1p-149, 0x1p127} {
				for i := range x {
					x[i] = float32(r.IntN(3)-1) * scale // the largest is the scale
				}
				requireSums(t, fmt.Sprintf("%d elements up to %g", n, scale), k.Sums(x), textSums(x))
				requireSums(t, fmt.Sprintf("%d elements up to %g from 0", n, scale), k.Distance(x, make([]float32, n)), textSums(x))
			}
			// The same in an order that no float64 sum forgives.
			for i := range x {
				x[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(120)-60))
			}
			requireSums(t, fmt.Sprintf("%d elements of all sizes", n), k.Sums(x), textSums(x))
		}
	})
}

// TestSumsError: the sums are off by no more than their documentation says. A lane has 32
// roundings and one for its half, each of at most 2⁻²⁴; float64 adds next to nothing.
func TestSumsError(t *testing.T) {
	const bound = 33 * 0x1p-24 / (1 - 33*0x1p-24)
	r := rand.New(rand.NewPCG(32, 2))
	for _, n := range vectorSizes {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(1 + r.Float64()*0x1p-10) // sums round the more the more alike their terms are
		}
		var squares, abs float64
		for _, v := range x {
			squares += float64(v) * float64(v)
			abs += math.Abs(float64(v))
		}
		s := Kernel{generic}.Sums(x)
		if math.Abs(s.Squares-squares) > bound*squares || math.Abs(s.Abs-abs) > bound*abs || bound > 0x1p-18 {
			t.Errorf("%d elements: %+v, want Squares %g, Abs %g", n, s, squares, abs)
		}
	}
}

// TestSumsNaN: a NaN anywhere makes the sums NaN and is passed over by Max.
func TestSumsNaN(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		for _, n := range []int{1, 31, 32, 33, 100, 8192, 8193} {
			for _, at := range []int{0, n / 2, n - 1} {
				for _, nan := range []uint32{0x7FC00000, 0xFFC00001, 0x7F800001} {
					x := make([]float32, n)
					for i := range x {
						x[i] = float32(i%7) - 5
					}
					x[at] = math.Float32frombits(nan)
					want := 0.0
					for _, v := range x {
						if m := math.Abs(float64(v)); v == v && m > want {
							want = m
						}
					}
					s := k.Sums(x)
					if s.Squares == s.Squares || s.Abs == s.Abs || s.Max != want {
						t.Fatalf("%d elements, NaN at %d: %+v, want Max %g", n, at, s, want)
					}
				}
			}
		}
	})
}

func TestResidual(t *testing.T) {
	everyFiller(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(33, 1))
		for _, n := range vectorSizes {
			target, pred := vector(r, v, n), vector(r, v, n)
			want := make([]float32, n)
			for i := range want {
				want[i] = target[i] - pred[i]
			}
			what := fmt.Sprintf("%d elements", n)
			check := func(what string, dst, target, pred []float32) {
				t.Helper()
				requireSums(t, what, k.Residual(dst, target, pred), textSums(want))
				requireBits(t, what, dst, want)
			}
			requireSums(t, what, k.Distance(target, pred), textSums(want))
			check(what, make([]float32, n), target, pred)
			dst := append([]float32(nil), target...)
			check(what+", dst is target", dst, dst, pred)
			dst = append([]float32(nil), pred...)
			check(what+", dst is pred", dst, target, dst)
			clear(want)
			for i, x := range target {
				want[i] = x - x // NaN for what is not finite
			}
			dst = append([]float32(nil), target...)
			check(what+", all three the same", dst, dst, dst)
		}
	})
}

// quotient and root round the exact result once.
func quotient(a, b float32) float32 {
	x, y := float64(a), float64(b)
	if q := x / y; x == 0 || y == 0 || q != q || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return float32(q)
	}
	q := new(big.Float).SetPrec(200).Quo(big.NewFloat(x), big.NewFloat(y))
	r, _ := q.Float32()
	return r
}

func root(a float32) float32 {
	if x := float64(a); !(x > 0) || math.IsInf(x, 0) {
		return float32(math.Sqrt(x))
	}
	r, _ := new(big.Float).SetPrec(200).Sqrt(big.NewFloat(float64(a))).Float32()
	return r
}

// flushed is 0 where |x| < 2⁻¹⁰⁰ and x elsewhere.
func flushed(x float32) float32 {
	if math.Abs(float64(x)) < 0x1p-100 {
		return 0
	}
	return x
}

// TestUpdates holds Adam, Lerp and Add to the formulas in their comments.
func TestUpdates(t *testing.T) {
	everyFiller(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(34, 1))
		for _, n := range []int{0, 1, 7, 15, 16, 17, 33, 64, 200} {
			what := fmt.Sprintf("%d elements", n)
			dst, src := vector(r, v, n), vector(r, v, n)
			for _, rate := range []float32{0.3, 0, 1, -0.1} {
				want := make([]float32, n)
				for i, d := range dst {
					want[i] = softFMA(rate, src[i]-d, d)
				}
				k.Lerp(dst, src, rate)
				requireBits(t, what+" lerp", dst, want)
			}
			want := make([]float32, n)
			for i, d := range dst {
				want[i] = d + src[i]
			}
			k.Add(dst, src)
			requireBits(t, what+" add", dst, want)

			w, m, q := vector(r, v, n), vector(r, v, n), vector(r, v, n)
			for i, x := range q {
				if i%5 != 0 { // a negative second moment is NaN and stays so
					q[i] = float32(math.Abs(float64(x)))
				}
			}
			for _, step := range []int{1, 2, 3, 1000} {
				s := AdamStep{Rate: 1e-2, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Decay: 0.03, Step: step}
				c := s.coefficients()
				g := vector(r, v, n)
				wantW, wantM, wantQ := make([]float32, n), make([]float32, n), make([]float32, n)
				for i, x := range g {
					square := softFMA(x, x, 0)
					decayed := softFMA(w[i], c.keep, float32(math.Copysign(0, -1)))
					wantM[i] = flushed(softFMA(1-s.Beta1, x-m[i], m[i]))
					wantQ[i] = flushed(softFMA(1-s.Beta2, square-q[i], q[i]))
					wantW[i] = softFMA(-c.rate, quotient(wantM[i], softFMA(root(wantQ[i]), c.scale, s.Epsilon)), decayed)
				}
				k.Adam(w, g, m, q, s)
				what := fmt.Sprintf("%s step %d", what, step)
				requireBits(t, what+" first moment", m, wantM)
				requireBits(t, what+" second moment", q, wantQ)
				requireBits(t, what+" weights", w, wantW)
			}
		}
	})
}

// TestAdamCoefficients compares the bias corrections with exact powers. The float64 power
// of a float32 β by squaring takes at most 2·log₂(t) roundings on each of t factors:
// its relative error is at most 2t·2⁻⁵³, and |βᵗ|·2t/(1−βᵗ) ≤ 2/(1−β) for every t, since
// t·βᵗ·(1−β) ≤ 1−βᵗ. With β ≤ 0.999 that is 2⁻⁴²: one rounding to float32 remains.
func TestAdamCoefficients(t *testing.T) {
	exact := func(beta float32, step int) *big.Float {
		p := new(big.Float).SetPrec(400).SetInt64(1)
		for range step {
			p.Mul(p, big.NewFloat(float64(beta)))
		}
		return p.Sub(new(big.Float).SetPrec(400).SetInt64(1), p)
	}
	for _, step := range []int{1, 2, 3, 7, 100, 1023, 5000} {
		s := AdamStep{Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Decay: 0.01, Step: step}
		c := s.coefficients()
		rate := new(big.Float).SetPrec(400).Quo(big.NewFloat(float64(s.Rate)), exact(s.Beta1, step))
		scale := new(big.Float).SetPrec(400).Sqrt(exact(s.Beta2, step))
		scale.Quo(big.NewFloat(1), scale)
		for _, v := range []struct {
			name string
			got  float32
			want *big.Float
		}{{"rate", c.rate, rate}, {"scale", c.scale, scale}} {
			want, _ := v.want.Float64()
			if d := math.Abs(float64(v.got)-want) / want; d > 0x1p-24+0x1p-40 {
				t.Errorf("step %d: %s is %g, relative error %g", step, v.name, v.got, d)
			}
		}
		if want := 1 - float32(s.Rate*s.Decay); c.keep != want || c.epsilon != s.Epsilon || c.beta1c != 1-s.Beta1 || c.beta2c != 1-s.Beta2 {
			t.Errorf("step %d: %+v", step, c)
		}
	}
}

// TestZeroSizes: any size may be zero, with or without memory behind it.
func TestZeroSizes(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(35, 1))
		random := fillers[1]
		sizes := []int{0, 1, 3, 33}
		// Three ways to have a view: of its own memory, of columns and of rows of others.
		views := []func(rows, cols int) Matrix{
			func(rows, cols int) Matrix { return matrix(r, random, rows, cols) },
			func(rows, cols int) Matrix { return matrix(r, random, rows, cols+5).ColRange(2, 2+cols) },
			func(rows, cols int) Matrix { return matrix(r, random, rows+3, cols).RowRange(1, 1+rows) },
		}
		for _, m := range sizes {
			for _, kk := range sizes {
				for _, n := range sizes {
					if m*kk*n != 0 {
						continue
					}
					for i, view := range views {
						t.Run(fmt.Sprintf("%d×%d×%d view %d", m, kk, n, i), func(t *testing.T) {
							defer func() {
								if p := recover(); p != nil {
									t.Errorf("panic: %v", p)
								}
							}()
							a, b, bias, dst := view(m, kk), view(kk, n), vector(r, random, n), view(m, n)
							w := packOf(b)
							want := textProduct(a, b, bias, true, softFMA)
							k.MatMul(dst, a, w, bias, true)
							requireMatrix(t, "MatMul", dst, want)
							k.MatMul(dst, a, w, nil, false)
							requireMatrix(t, "MatMul", dst, textProduct(a, b, nil, false, softFMA))
							k.InputGrad(dst, a, w, view(m, n))
							k.InputGrad(dst, a, w, dst)
							back := view(kk, n)
							w.Unpack(back)
							requireMatrix(t, "Unpack", back, b)
							wt := NewWeights(n, kk)
							k.Transpose(wt, w)

							x, dy := a, view(m, n)
							dw, db := packOf(b), append([]float32(nil), bias...)
							k.WeightGrad(dw, db, x, dy, true)
							if m == 0 {
								requireBits(t, "gradient of no rows", dw.Data, w.Data)
								requireBits(t, "bias gradient of no rows", db, bias)
							}
							k.WeightGrad(dw, db, x, dy, false)
							for _, v := range dw.Data {
								if m == 0 && math.Float32bits(v) != 0 {
									t.Fatalf("the gradient of no rows has a %g", v)
								}
							}
							wantB := make([]float32, n)
							for i := range m {
								for j := range n {
									wantB[j] += dy.Data[i*dy.Stride+j]
								}
							}
							requireBits(t, "bias gradient", db, wantB)
							k.WeightGrad(dw, nil, x, dy, false)

							cross := make([]float64, kk*n)
							for i := range cross {
								cross[i] = 7
							}
							k.Cross(cross, a, dy)
							for _, v := range cross {
								if m == 0 && v != 7 {
									t.Fatalf("the cross product of no rows has a %g", v)
								}
							}
						})
					}
				}
			}
		}
		requireSums(t, "Sums", k.Sums(nil), Sums{})
		requireSums(t, "Distance", k.Distance(nil, []float32{}), Sums{})
		requireSums(t, "Residual", k.Residual(nil, []float32{}, nil), Sums{})
		k.Add(nil, nil)
		k.Lerp(nil, []float32{}, 1)
		k.Adam(nil, nil, nil, nil, AdamStep{Step: 1, Epsilon: 1})
	})
}

// TestFloats: zeros at a multiple of 64 bytes, and no more capacity than asked for.
func TestFloats(t *testing.T) {
	var keep [][]float32
	for n := range 200 {
		x := Floats(n)
		if len(x) != n || cap(x) != n {
			t.Fatalf("Floats(%d) has length %d, capacity %d", n, len(x), cap(x))
		}
		if p := uintptr(unsafe.Pointer(unsafe.SliceData(x))); p%64 != 0 {
			t.Fatalf("Floats(%d) begins at %#x", n, p)
		}
		for _, v := range x {
			if v != 0 {
				t.Fatalf("Floats(%d) has a %g", n, v)
			}
		}
		keep = append(keep, x)
	}
	if len(keep) != 200 {
		t.Fatal(len(keep))
	}
}

// sources returns the syntax trees of the package without its tests.
func sources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) < 10 {
		t.Fatalf("found %d files", len(files))
	}
	return fset, files
}

// TestNoGoroutines: no function starts one; nor is there an init or an exported variable.
func TestNoGoroutines(t *testing.T) {
	fset, files := sources(t)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%v: starts a goroutine", fset.Position(n.Pos()))
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%v: init", fset.Position(n.Pos()))
				}
			}
			return true
		})
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, s := range g.Specs {
					for _, name := range s.(*ast.ValueSpec).Names {
						if name.IsExported() {
							t.Errorf("%v: exported variable %s", fset.Position(name.Pos()), name.Name)
						}
					}
				}
			}
		}
	}
}
