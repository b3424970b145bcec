package kernel

import (
	"fmt"
	"go/ast"
	"go/token"
	"math"
	"math/rand/v2"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// One test for each sentence of doc.go about memory: what is checked before the first
// write, what overlaps, and that the padding of weights stays zero.

// padding returns the positions of Data that Index does not give, and checks that it gives
// every other one once.
func padding(t *testing.T, w Weights) []int {
	t.Helper()
	used := make([]bool, len(w.Data))
	for k := range w.K {
		for n := range w.N {
			i := w.Index(k, n)
			if i < 0 || i >= len(used) || used[i] {
				t.Fatalf("%d×%d: Index(%d, %d) is %d of %d, or taken", w.K, w.N, k, n, i, len(used))
			}
			used[i] = true
		}
	}
	var free []int
	for i, u := range used {
		if !u {
			free = append(free, i)
		}
	}
	return free
}

func requirePadding(t *testing.T, what string, w Weights, at []int) {
	t.Helper()
	for _, i := range at {
		if math.Float32bits(w.Data[i]) != 0 {
			t.Fatalf("%s: %d×%d: padding at %d is %g", what, w.K, w.N, i, w.Data[i])
		}
	}
}

// flat returns k×n weights in the middle of a longer vector, and a check of what lies
// around them.
func flat(t *testing.T, k, n int) (Weights, func(what string)) {
	const around = 64
	size := WeightsLen(k, n)
	v := Floats(size + 2*around)
	for i := range around {
		v[i], v[around+size+i] = 123, 321
	}
	return Weights{K: k, N: n, Data: v[around : around+size]}, func(what string) {
		t.Helper()
		for i := range around {
			if v[i] != 123 || v[around+size+i] != 321 {
				t.Fatalf("%s: %d×%d: wrote outside the weights", what, k, n)
			}
		}
	}
}

func TestWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	for _, k := range append([]int{128, 200}, kSizes...) {
		for _, n := range append([]int{0}, nSizes...) {
			for _, v := range []filler{fillers[1], fillers[3]} {
				if WeightsLen(k, n)%32 != 0 {
					t.Fatalf("WeightsLen(%d, %d) is %d", k, n, WeightsLen(k, n))
				}
				what := fmt.Sprintf("%s %d×%d", v.name, k, n)
				b := matrix(r, v, k, n)
				w, intact := flat(t, k, n)
				at := padding(t, w)
				for i := range w.Data {
					w.Data[i] = float32(math.NaN()) // what was there before does not matter
				}
				w.Pack(b)
				requirePadding(t, "Pack", w, at)
				for i := range k {
					for j := range n {
						if !sameFloat(w.Data[w.Index(i, j)], b.Data[i*n+j]) {
							t.Fatalf("%s: element (%d, %d) is not where Index says", what, i, j)
						}
					}
				}
				back := strided(r, v, k, n, 3)
				between := clone(back)
				w.Unpack(back)
				for i := range k {
					requireBits(t, what+" Unpack", back.Row(i), b.Row(i))
					requireBits(t, what+" between rows", back.Data[i*back.Stride+n:(i+1)*back.Stride], between.Data[i*back.Stride+n:(i+1)*back.Stride])
				}
				intact("Pack and Unpack")
				for _, kernel := range Available() {
					wt, intactT := flat(t, n, k)
					kernel.Transpose(wt, w)
					requirePadding(t, "Transpose", wt, padding(t, wt))
					for i := range k {
						for j := range n {
							if !sameFloat(wt.Data[wt.Index(j, i)], b.Data[i*n+j]) {
								t.Fatalf("%s: %s: transpose of element (%d, %d) is %g, want %g", what, kernel.Name(), i, j, wt.Data[wt.Index(j, i)], b.Data[i*n+j])
							}
						}
					}
					again := NewWeights(k, n)
					kernel.Transpose(again, wt)
					requireBits(t, what+" transposed twice", again.Data, w.Data)
					intactT("Transpose")
				}
			}
		}
	}
}

// TestPadding: gradients and updates keep the padding at +0 whatever the elements are.
func TestPadding(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(42, 1))
		nan := fillers[3]
		for _, kk := range thin(kSizes) {
			for _, n := range thin(nSizes) {
				var ws [4]Weights
				var intact [4]func(string)
				for i := range ws {
					ws[i], intact[i] = flat(t, kk, n)
					ws[i].Pack(matrix(r, nan, kk, n))
				}
				w, g, m, v := ws[0], ws[1], ws[2], ws[3]
				at := padding(t, w)
				for _, rows := range []int{0, 1, 5} {
					for _, accumulate := range []bool{true, false} {
						k.WeightGrad(g, nil, matrix(r, nan, rows, kk), matrix(r, nan, rows, n), accumulate)
						requirePadding(t, "WeightGrad", g, at)
					}
				}
				// A NaN in every row and column, so that every product with padding is one.
				x, dy := NewMatrix(1, kk), NewMatrix(1, n)
				for i := range x.Data {
					x.Data[i] = float32(math.NaN())
				}
				for i := range dy.Data {
					dy.Data[i] = float32(math.Inf(-1))
				}
				k.WeightGrad(g, nil, x, dy, true)
				requirePadding(t, "WeightGrad", g, at)
				for step := 1; step < 4; step++ {
					k.Adam(w.Data, g.Data, m.Data, v.Data, AdamStep{Rate: 1e-2, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decay: 0.1, Step: step})
					k.Lerp(m.Data, w.Data, 0.25)
					k.Add(w.Data, m.Data)
					for i, what := range []string{"weights", "gradient", "first moment", "second moment"} {
						requirePadding(t, "Adam, Lerp, Add: "+what, ws[i], at)
						intact[i](what)
					}
				}
			}
		}
	})
}

// TestOverlaps compares with the elements the views really share.
func TestOverlaps(t *testing.T) {
	data := make([]float32, 64)
	r := rand.New(rand.NewPCG(43, 1))
	touched := func(m Matrix, start int) (set uint64) {
		for i := range m.Rows {
			for j := range m.Cols {
				set |= 1 << (start + i*m.Stride + j)
			}
		}
		return set
	}
	view := func() (Matrix, int) {
		for {
			m := Matrix{Rows: r.IntN(6), Cols: r.IntN(7), Stride: r.IntN(12)}
			if m.Stride < m.Cols && m.Rows > 1 {
				continue
			}
			n := span(m.Rows, m.Cols, m.Stride)
			if n > len(data) {
				continue
			}
			start := r.IntN(len(data) - n + 1)
			m.Data = data[start : start+n : start+n]
			return m, start
		}
	}
	var apart, together int
	for range 200_000 {
		a, i := view()
		b, j := view()
		if r.IntN(2) == 0 && a.Stride >= b.Cols {
			b.Stride = a.Stride
			n := span(b.Rows, b.Cols, b.Stride)
			if n > len(data) {
				continue
			}
			j = r.IntN(len(data) - n + 1)
			b.Data = data[j : j+n]
		}
		got, shared := a.overlaps(&b), touched(a, i)&touched(b, j) != 0
		if shared && !got {
			t.Fatalf("%d×%d stride %d at %d and %d×%d stride %d at %d share elements", a.Rows, a.Cols, a.Stride, i, b.Rows, b.Cols, b.Stride, j)
		}
		if got != b.overlaps(&a) {
			t.Fatalf("%d×%d stride %d at %d and %d×%d stride %d at %d: not symmetric", a.Rows, a.Cols, a.Stride, i, b.Rows, b.Cols, b.Stride, j)
		}
		if a.Stride != b.Stride || a.Stride < 1 || a.Rows*a.Cols*b.Rows*b.Cols == 0 {
			continue
		}
		// Disjoint columns of one matrix must be told apart.
		columns := func(m Matrix, start int) (set uint64) {
			for c := range m.Cols {
				set |= 1 << ((start + c) % m.Stride)
			}
			return set
		}
		if columns(a, i)&columns(b, j) == 0 {
			apart++
			if got {
				t.Fatalf("columns of %d×%d at %d and %d×%d at %d, stride %d, are disjoint", a.Rows, a.Cols, i, b.Rows, b.Cols, j, a.Stride)
			}
		} else if got {
			together++
		}
	}
	if apart < 1000 || together < 1000 {
		t.Fatalf("only %d disjoint and %d overlapping views", apart, together)
	}
}

// TestColumnViews: a product may go from some columns of a matrix to others, and a mask
// may lie beside its gradient.
func TestColumnViews(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(44, 1))
		for _, rows := range []int{1, 2, 7, 13} {
			m := matrix(r, fillers[1], rows, 100)
			before := clone(m)
			a, dst, y := m.ColRange(60, 95), m.ColRange(3, 43), m.ColRange(43, 60)
			w, wt := packed(r, fillers[1], 35, 40), packed(r, fillers[1], 40, 17)
			want, wantX := NewMatrix(rows, 40), NewMatrix(rows, 17)
			k.MatMul(want, a, w, nil, false)
			k.MatMul(dst, a, w, nil, false)
			requireMatrix(t, "MatMul", dst, want)
			k.InputGrad(wantX, dst, wt, y)
			k.InputGrad(y, dst, wt, y)
			requireMatrix(t, "InputGrad", y, wantX)
			for i := range rows {
				requireBits(t, "left", m.Row(i)[:3], before.Row(i)[:3])
				requireBits(t, "right", m.Row(i)[60:], before.Row(i)[60:])
			}
		}
	})
}

// TestViews: Row cuts its capacity, ranges keep within their matrix.
func TestViews(t *testing.T) {
	m := NewMatrix(4, 6)
	for i := range m.Data {
		m.Data[i] = float32(i)
	}
	v := m.RowRange(1, 3).ColRange(2, 5)
	if v.Rows != 2 || v.Cols != 3 || v.Stride != 6 || len(v.Data) != 9 || v.Data[0] != 8 || v.Row(1)[2] != 16 {
		t.Fatalf("view %+v", v)
	}
	if row := v.Row(0); len(row) != 3 || cap(row) != 3 {
		t.Fatalf("row has length %d, capacity %d", len(row), cap(row))
	}
	for _, v := range []Matrix{m.RowRange(2, 2), m.ColRange(6, 6), m.ColRange(0, 0).RowRange(1, 3), {}, NewMatrix(0, 3), NewMatrix(3, 0)} {
		if span(v.Rows, v.Cols, v.Stride) != 0 {
			t.Fatalf("%+v is not empty", v)
		}
		v.check()
	}
}

// TestRowOfNoColumns: a view without columns has rows, all of them empty.
func TestRowOfNoColumns(t *testing.T) {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: %v", p)
		}
	}()
	v := NewMatrix(3, 5).ColRange(2, 2)
	for i := range v.Rows {
		if len(v.Row(i)) != 0 {
			t.Errorf("row %d has %d elements", i, len(v.Row(i)))
		}
	}
	w := NewWeights(3, 0)
	w.Pack(v)
	w.Unpack(v)
}

// operands are fresh valid arguments for every operation, in one piece of memory.
type operands struct {
	memory          []float32
	a, dst, y, x    Matrix // a 5×12, dst and y 5×40, x 5×12
	w, wt, dw       Weights
	bias, db        []float32
	cross           []float64
	v1, v2, v3, v4  []float32
	square, squareT Matrix // 5×30 of one stride, one row apart
}

func newOperands() *operands {
	o := &operands{memory: Floats(1 << 13)}
	for i := range o.memory {
		o.memory[i] = float32(i%97) - 48
	}
	rest := o.memory
	take := func(n int) []float32 {
		v := rest[:n:n]
		rest = rest[(n+47)&^15:]
		return v
	}
	o.a = Matrix{Rows: 5, Cols: 12, Stride: 13, Data: take(5 * 13)}
	o.x = Matrix{Rows: 5, Cols: 12, Stride: 12, Data: take(5 * 12)}
	o.dst = Matrix{Rows: 5, Cols: 40, Stride: 43, Data: take(5 * 43)}
	o.y = Matrix{Rows: 5, Cols: 40, Stride: 40, Data: take(5 * 40)}
	o.w = Weights{K: 12, N: 40, Data: take(WeightsLen(12, 40))}
	o.wt = Weights{K: 40, N: 12, Data: take(WeightsLen(40, 12))}
	o.dw = Weights{K: 12, N: 40, Data: take(WeightsLen(12, 40))}
	o.bias, o.db = take(40), take(40)
	o.v1, o.v2, o.v3, o.v4 = take(100), take(100), take(100), take(100)
	both := take(6 * 30)
	o.square = Matrix{Rows: 5, Cols: 30, Stride: 30, Data: both[:150]}
	o.squareT = Matrix{Rows: 5, Cols: 30, Stride: 30, Data: both[30:]}
	o.cross = make([]float64, 12*40)
	return o
}

// network goes from 12 inputs over 40 to 12 outputs.
func (o *operands) network(k Kernel) *Network {
	return k.NewNetwork([]Layer{{W: o.w, Bias: o.bias, ReLU: true}, {W: o.wt}})
}

func cut(m Matrix) Matrix {
	m.Data = m.Data[:span(m.Rows, m.Cols, m.Stride)-1]
	return m
}

func withStride(m Matrix, stride int) Matrix {
	m.Stride = stride
	return m
}

var adam = AdamStep{Rate: 0.1, Beta1: 0.9, Beta2: 0.9, Epsilon: 1e-8, Step: 1}

// wrap is a size of which four are too many to count and eight are 0.
const wrap = math.MaxInt/4 + 1

// panics lists the ways to call an operation wrongly, by the message that tells them.
var panics = map[string][]func(k Kernel, o *operands){
	"kernel: negative size": {
		func(k Kernel, o *operands) { Floats(-1) },
		func(k Kernel, o *operands) { NewMatrix(-1, 2) },
		func(k Kernel, o *operands) { NewMatrix(-1, -1) },
		func(k Kernel, o *operands) { NewMatrix(2, -1) },
		func(k Kernel, o *operands) { NewWeights(-1, 2) },
		func(k Kernel, o *operands) { NewWeights(2, -1) },
		func(k Kernel, o *operands) { WeightsLen(-1, 2) },
		func(k Kernel, o *operands) { k.MatMul(Matrix{Rows: -1}, Matrix{Rows: -1}, Weights{}, nil, false) },
		func(k Kernel, o *operands) { k.Cross(o.cross, Matrix{Rows: 5, Cols: -12}, Matrix{Rows: 5, Cols: -40}) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, Weights{K: -12, N: -40}, nil, false) },
		func(k Kernel, o *operands) { k.WeightGrad(Weights{K: -12, N: 40}, nil, o.x, o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, nil, Matrix{Rows: -5, Cols: 12}, o.dst, false) },
	},
	"kernel: stride below number of columns": {
		func(k Kernel, o *operands) { k.MatMul(o.dst, withStride(o.a, 11), o.w, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(withStride(o.dst, 39), o.a, o.w, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(withStride(o.dst, -40), o.a, o.w, nil, false) },
		func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, withStride(o.a, 0)) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, nil, withStride(o.x, 1), o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, nil, o.x, withStride(o.dst, 39), false) },
		func(k Kernel, o *operands) { k.Cross(o.cross, withStride(o.x, 11), o.dst) },
		func(k Kernel, o *operands) { k.Cross(o.cross, o.x, withStride(o.dst, 39)) },
		func(k Kernel, o *operands) { o.w.Pack(Matrix{Rows: 12, Cols: 40, Stride: 39, Data: o.memory}) },
		func(k Kernel, o *operands) { o.w.Unpack(Matrix{Rows: 12, Cols: 40, Stride: 39, Data: o.memory}) },
	},
	"kernel: matrix data too short": {
		func(k Kernel, o *operands) { k.MatMul(cut(o.dst), o.a, o.w, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, cut(o.a), o.w, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(Matrix{Rows: 5, Cols: 40, Stride: 40}, o.a, o.w, nil, false) },
		func(k Kernel, o *operands) { k.InputGrad(cut(o.x), o.dst, o.wt, o.a) },
		func(k Kernel, o *operands) { k.InputGrad(o.x, cut(o.dst), o.wt, o.a) },
		func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, cut(o.a)) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, nil, cut(o.x), o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, nil, o.x, cut(o.dst), false) },
		func(k Kernel, o *operands) { k.Cross(o.cross, cut(o.x), o.dst) },
		func(k Kernel, o *operands) { k.Cross(o.cross, o.x, cut(o.dst)) },
		// The last row would begin at 0, or below.
		func(k Kernel, o *operands) {
			k.MatMul(o.dst, Matrix{Rows: 9, Cols: 1, Stride: wrap, Data: o.v1}, o.w, nil, false)
		},
		func(k Kernel, o *operands) {
			k.MatMul(o.dst, Matrix{Rows: 5, Cols: 1, Stride: wrap, Data: o.v1}, o.w, nil, false)
		},
		func(k Kernel, o *operands) { k.Cross(o.cross, Matrix{Rows: 1, Cols: math.MaxInt, Data: o.v1}, o.dst) },
		func(k Kernel, o *operands) {
			k.Cross(o.cross, Matrix{Rows: 2, Cols: math.MaxInt, Stride: math.MaxInt, Data: o.v1}, o.dst)
		},
		func(k Kernel, o *operands) {
			o.w.Pack(Matrix{Rows: 12, Cols: 40, Stride: 40, Data: o.memory[:479]})
		},
		func(k Kernel, o *operands) {
			o.w.Unpack(Matrix{Rows: 12, Cols: 40, Stride: 40, Data: o.memory[:479]})
		},
	},
	"kernel: length of weights does not fit their shape": {
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, Weights{12, 40, o.w.Data[1:]}, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, Weights{12, 40, o.memory}, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, Weights{12, 40, nil}, nil, false) },
		func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, Weights{40, 12, o.wt.Data[1:]}, o.a) },
		func(k Kernel, o *operands) { k.WeightGrad(Weights{12, 40, o.dw.Data[1:]}, nil, o.x, o.dst, false) },
		func(k Kernel, o *operands) { Weights{12, 40, o.w.Data[1:]}.Pack(NewMatrix(12, 40)) },
		func(k Kernel, o *operands) { Weights{12, 40, o.w.Data[1:]}.Unpack(NewMatrix(12, 40)) },
		func(k Kernel, o *operands) { k.Transpose(Weights{40, 12, o.wt.Data[1:]}, o.w) },
		func(k Kernel, o *operands) { k.Transpose(o.wt, Weights{12, 40, o.w.Data[1:]}) },
		func(k Kernel, o *operands) { k.Transpose(Weights{40, 12, o.wt.Data[1:]}, o.w) },
		func(k Kernel, o *operands) { k.NewNetwork([]Layer{{W: o.w}, {W: Weights{40, 12, o.wt.Data[1:]}}}) },
	},
	"kernel: length of bias differs from columns of weights": {
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.bias[:39], true) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.memory[:41], true) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.bias[:0], true) },
		func(k Kernel, o *operands) { k.NewNetwork([]Layer{{W: o.w, Bias: o.bias[:39]}}) },
		func(k Kernel, o *operands) { k.NewNetwork([]Layer{{W: o.w}, {W: o.wt, Bias: o.bias[:0]}}) },
	},
	"kernel: network without layers": {
		func(k Kernel, o *operands) { k.NewNetwork(nil) },
		func(k Kernel, o *operands) { k.NewNetwork([]Layer{}) },
	},
	"kernel: columns of a differ from rows of weights": {
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a.ColRange(0, 11), o.w, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.dst, o.w, nil, false) },
		func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst.ColRange(1, 40), o.wt, o.a) },
		func(k Kernel, o *operands) { k.NewNetwork([]Layer{{W: o.w}, {W: o.dw}}) },
		func(k Kernel, o *operands) { o.network(k).Run(o.v1[:12], o.v2[:11]) },
		func(k Kernel, o *operands) { o.network(k).Run(o.v1[:12], o.v2[:13]) },
		func(k Kernel, o *operands) { o.network(k).Run(o.v1[:12], nil) },
	},
	"kernel: shape of dst is not rows of a by columns of weights": {
		func(k Kernel, o *operands) { k.MatMul(o.dst.RowRange(0, 4), o.a, o.w, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a.RowRange(0, 4), o.w, nil, false) },
		func(k Kernel, o *operands) { k.MatMul(o.dst.ColRange(0, 39), o.a, o.w, nil, false) },
		func(k Kernel, o *operands) { k.InputGrad(o.x.ColRange(0, 11), o.dst, o.wt, o.a) },
		func(k Kernel, o *operands) { k.InputGrad(o.x.RowRange(0, 1), o.dst, o.wt, o.a) },
		func(k Kernel, o *operands) { o.network(k).Run(o.v1[:11], o.v2[:12]) },
		func(k Kernel, o *operands) { o.network(k).Run(o.v1[:13], o.v2[:12]) },
	},
	"kernel: dst overlaps an operand": {
		func(k Kernel, o *operands) { k.Sine(o.memory[:100], nil, o.memory[99:199], 1) },
		func(k Kernel, o *operands) { k.Sine(o.v1, o.v2, o.v2, 1) },
		func(k Kernel, o *operands) { k.Sine(o.v1, o.v1, o.v2, 1) },
		func(k Kernel, o *operands) { k.MatMul(o.square, o.square, NewWeights(30, 30), nil, false) },
		func(k Kernel, o *operands) { k.MatMul(o.square, o.squareT, NewWeights(30, 30), nil, false) },
		func(k Kernel, o *operands) { k.MatMul(o.squareT, o.square, NewWeights(30, 30), nil, false) },
		func(k Kernel, o *operands) {
			k.MatMul(o.dst.ColRange(0, 12), o.dst.ColRange(11, 23), NewWeights(12, 12), nil, false)
		},
		func(k Kernel, o *operands) { k.InputGrad(o.square, o.squareT, NewWeights(30, 30), Matrix{}) },
		func(k Kernel, o *operands) {
			k.MatMul(Matrix{Rows: 5, Cols: 40, Stride: 40, Data: o.w.Data[o.w.Index(11, 39):][:1:1]}.over(o.memory, o.w.Data), o.a, o.w, nil, false)
		},
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.dst.Row(4), false) },
		func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.dst.Row(0), false) },
		func(k Kernel, o *operands) { // what is given out by Activations is an operand of the last layer
			n := o.network(k)
			n.Run(n.Activations()[:12], o.v2[:12])
		},
		func(k Kernel, o *operands) { k.Residual(o.memory[1:101], o.memory[:100], o.v2) },
		func(k Kernel, o *operands) { k.Residual(o.memory[:100], o.memory[99:199], o.v2) },
		func(k Kernel, o *operands) { k.Residual(o.memory[1:101], o.v2, o.memory[:100]) },
		func(k Kernel, o *operands) { k.Residual(o.memory[:100], o.memory[:100], o.memory[1:101]) },
	},
	"kernel: shapes of mask and dst differ": {
		func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, o.a.ColRange(0, 11)) },
		func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, o.a.RowRange(0, 4)) },
		func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, o.y) },
	},
	"kernel: dst overlaps its mask": {
		func(k Kernel, o *operands) { k.InputGrad(o.square, NewMatrix(5, 7), NewWeights(7, 30), o.squareT) },
		func(k Kernel, o *operands) { k.InputGrad(o.squareT, NewMatrix(5, 7), NewWeights(7, 30), o.square) },
		func(k Kernel, o *operands) {
			k.InputGrad(o.dst.ColRange(0, 20), NewMatrix(5, 7), NewWeights(7, 20), o.dst.ColRange(1, 21))
		},
		func(k Kernel, o *operands) { // same start, another stride
			m := Matrix{Rows: 5, Cols: 30, Stride: 31, Data: o.memory[:160]}
			k.InputGrad(m, NewMatrix(5, 7), NewWeights(7, 30), withStride(m, 30))
		},
	},
	"kernel: rows of x and dy differ": {
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x.RowRange(0, 4), o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x, o.dst.RowRange(0, 0), false) },
	},
	"kernel: shape of gradient is not columns of x by columns of dy": {
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x.ColRange(0, 11), o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x, o.dst.ColRange(0, 39), false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.wt, o.db, o.x, o.dst, false) },
	},
	"kernel: length of bias gradient differs from columns of dy": {
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db[:39], o.x, o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.memory[:41], o.x, o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db[:0], o.x, o.dst, false) },
	},
	"kernel: gradient overlaps an operand": {
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, Matrix{5, 12, 12, o.dw.Data}, o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x, Matrix{5, 40, 40, o.dw.Data[100:]}, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.dst.Row(4), o.x, o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.x.Data[20:60], o.x, o.dst, false) },
		func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.dw.Data[:40], o.x, o.dst, false) },
	},
	"kernel: rows of a and b differ": {
		func(k Kernel, o *operands) { k.Cross(o.cross, o.x, o.dst.RowRange(0, 4)) },
		func(k Kernel, o *operands) { k.Cross(o.cross, o.x.RowRange(0, 0), o.dst) },
	},
	"kernel: length of dst is not columns of a times columns of b": {
		func(k Kernel, o *operands) { k.Cross(o.cross[:479], o.x, o.dst) },
		func(k Kernel, o *operands) { k.Cross(make([]float64, 481), o.x, o.dst) },
		func(k Kernel, o *operands) { k.Cross(nil, o.x, o.dst) },
	},
	"kernel: lengths of vectors differ": {
		func(k Kernel, o *operands) { k.Distance(o.v1, o.v2[:99]) },
		func(k Kernel, o *operands) { k.Distance(nil, o.v2) },
	},
	"kernel: lengths of residual, target and prediction differ": {
		func(k Kernel, o *operands) { k.Residual(o.v1, o.v2[:99], o.v3) },
		func(k Kernel, o *operands) { k.Residual(o.v1, o.v2, o.v3[:99]) },
		func(k Kernel, o *operands) { k.Residual(o.v1[:99], o.v2, o.v3) },
		func(k Kernel, o *operands) { k.Residual(nil, o.v2, o.v3) },
	},
	"kernel: step of Adam below 1": {
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4, AdamStep{}) },
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4, AdamStep{Step: -1}) },
		func(k Kernel, o *operands) { k.Adam(nil, nil, nil, nil, AdamStep{}) },
	},
	"kernel: epsilon of Adam not above 0": {
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4, AdamStep{Step: 1}) },
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4, AdamStep{Step: 1, Epsilon: -1}) },
		func(k Kernel, o *operands) {
			k.Adam(o.v1, o.v2, o.v3, o.v4, AdamStep{Step: 1, Epsilon: float32(math.NaN())})
		},
	},
	"kernel: lengths of weights, gradient and moments differ": {
		func(k Kernel, o *operands) { k.Adam(o.v1[:99], o.v2, o.v3, o.v4, adam) },
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v2[:99], o.v3, o.v4, adam) },
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3[:99], o.v4, adam) },
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4[:99], adam) },
	},
	"kernel: weights, gradient and moments overlap": {
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v1, o.v3, o.v4, adam) },
		func(k Kernel, o *operands) { k.Adam(o.memory[:100], o.memory[99:199], o.v3, o.v4, adam) },
		func(k Kernel, o *operands) { k.Adam(o.memory[:100], o.v2, o.memory[99:199], o.v4, adam) },
		func(k Kernel, o *operands) { k.Adam(o.memory[99:199], o.v2, o.v3, o.memory[:100], adam) },
		func(k Kernel, o *operands) { k.Adam(o.v1, o.memory[:100], o.memory[99:199], o.v4, adam) },
		func(k Kernel, o *operands) { k.Adam(o.v1, o.memory[99:199], o.v3, o.memory[:100], adam) },
		func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.memory[:100], o.memory[99:199], adam) },
	},
	"kernel: lengths of dst and src differ": {
		func(k Kernel, o *operands) { k.Add(o.v1, o.v2[:99]) },
		func(k Kernel, o *operands) { k.Add(o.v1[:99], o.v2) },
		func(k Kernel, o *operands) { k.Lerp(o.v1, o.v2[:99], 1) },
		func(k Kernel, o *operands) { k.Lerp(nil, o.v2, 1) },
		func(k Kernel, o *operands) { k.Multiply(o.v1[:99], o.v2) },
	},
	"kernel: lengths of sine, cosine and phases differ": {
		func(k Kernel, o *operands) { k.Sine(o.v1[:99], nil, o.v2, 1) },
		func(k Kernel, o *operands) { k.Sine(o.v1, o.v3[:99], o.v2, 1) },
		func(k Kernel, o *operands) { k.Sine(o.v1, o.v3, o.v2[:99], 1) },
	},
	"kernel: dst overlaps src": {
		func(k Kernel, o *operands) { k.Multiply(o.v1, o.v1) },
		func(k Kernel, o *operands) { k.Add(o.v1, o.v1) },
		func(k Kernel, o *operands) { k.Add(o.memory[:100], o.memory[99:199]) },
		func(k Kernel, o *operands) { k.Lerp(o.memory[99:199], o.memory[:100], 1) },
	},
	"kernel: weight index out of range": {
		func(k Kernel, o *operands) { o.w.Index(12, 0) },
		func(k Kernel, o *operands) { o.w.Index(0, 40) },
		func(k Kernel, o *operands) { o.w.Index(-1, 0) },
		func(k Kernel, o *operands) { o.w.Index(0, -1) },
		func(k Kernel, o *operands) { Weights{}.Index(0, 0) },
	},
	"kernel: shapes of matrix and weights differ": {
		func(k Kernel, o *operands) { o.w.Pack(NewMatrix(12, 39)) },
		func(k Kernel, o *operands) { o.w.Pack(NewMatrix(11, 40)) },
		func(k Kernel, o *operands) { o.w.Pack(NewMatrix(40, 12)) },
		func(k Kernel, o *operands) { o.w.Unpack(o.dst) },
		func(k Kernel, o *operands) { o.w.Unpack(NewMatrix(12, 41)) },
	},
	"kernel: matrix overlaps weights": {
		func(k Kernel, o *operands) { o.w.Pack(Matrix{Rows: 12, Cols: 40, Stride: 40, Data: o.w.Data}) },
		func(k Kernel, o *operands) { o.w.Unpack(Matrix{Rows: 12, Cols: 40, Stride: 64, Data: o.w.Data}) },
		func(k Kernel, o *operands) {
			v := Weights{12, 40, o.memory[479 : 479+len(o.w.Data)]}
			v.Unpack(Matrix{Rows: 12, Cols: 40, Stride: 40, Data: o.memory[:480]})
		},
	},
	"kernel: shapes of weights and transpose differ": {
		func(k Kernel, o *operands) { k.Transpose(o.dw, o.w) },
		func(k Kernel, o *operands) { k.Transpose(o.wt, NewWeights(12, 39)) },
		func(k Kernel, o *operands) { k.Transpose(o.wt, NewWeights(11, 40)) },
	},
	"kernel: transpose overlaps its source": {
		func(k Kernel, o *operands) {
			v := Weights{33, 33, o.memory[:WeightsLen(33, 33)]}
			k.Transpose(v, v)
		},
		func(k Kernel, o *operands) {
			n := WeightsLen(33, 33)
			k.Transpose(Weights{33, 33, o.memory[:n]}, Weights{33, 33, o.memory[n-1 : 2*n-1]})
		},
	},
	"kernel: size out of range": {
		func(k Kernel, o *operands) { Floats(math.MaxInt) },
		func(k Kernel, o *operands) { NewMatrix(2*wrap, 2) },
		func(k Kernel, o *operands) { NewMatrix(4*(wrap>>1), 16) }, // 0 if it wraps around
		func(k Kernel, o *operands) { NewWeights(2*wrap, 2) },
		func(k Kernel, o *operands) { WeightsLen(2*wrap, 64) },
		func(k Kernel, o *operands) { WeightsLen(1, math.MaxInt) },
		func(k Kernel, o *operands) { WeightsLen(math.MaxInt, 1) },
		func(k Kernel, o *operands) { WeightsLen(math.MaxInt, 0) },
		func(k Kernel, o *operands) {
			k.MatMul(Matrix{}, Matrix{Cols: 2 * wrap}, Weights{K: 2 * wrap, N: 64}, nil, false)
		},
	},
	"kernel: row out of range": {
		func(k Kernel, o *operands) { o.a.Row(-1) },
		func(k Kernel, o *operands) { o.a.Row(5) },
		func(k Kernel, o *operands) { o.a.RowRange(0, 2).Row(2) }, // there is memory behind a view
		func(k Kernel, o *operands) { Matrix{}.Row(0) },
		func(k Kernel, o *operands) { Matrix{Rows: 2}.Row(2) },
	},
	"kernel: row range out of bounds": {
		func(k Kernel, o *operands) { o.a.RowRange(-1, 2) },
		func(k Kernel, o *operands) { o.a.RowRange(3, 2) },
		func(k Kernel, o *operands) { o.a.RowRange(0, 6) },
		func(k Kernel, o *operands) { o.a.RowRange(6, 6) },
	},
	"kernel: column range out of bounds": {
		func(k Kernel, o *operands) { o.a.ColRange(-1, 2) },
		func(k Kernel, o *operands) { o.a.ColRange(3, 2) },
		func(k Kernel, o *operands) { o.a.ColRange(0, 13) }, // within the stride, outside the columns
		func(k Kernel, o *operands) { o.a.ColRange(13, 13) },
	},
}

// over returns m on a part of memory that ends with the first element of what.
func (m Matrix) over(memory, what []float32) Matrix {
	for i := range memory {
		if &memory[i] == &what[0] {
			n := span(m.Rows, m.Cols, m.Stride)
			m.Data = memory[i+1-n : i+1]
			return m
		}
	}
	panic("not a part of memory")
}

// message returns the value f panics with, or "" if it returns.
func message(f func()) (p string) {
	defer func() {
		if v := recover(); v != nil {
			p = fmt.Sprint(v)
		}
	}()
	f()
	return ""
}

// TestPanics: every wrong call is told by its message before anything is written.
func TestPanics(t *testing.T) {
	for _, k := range Available() {
		for want, calls := range panics {
			for i, call := range calls {
				o := newOperands()
				before := append([]float32(nil), o.memory...)
				if got := message(func() { call(k, o) }); got != want {
					t.Errorf("%s: call %d for %q: %q", k.Name(), i, want, got)
				}
				if at, ok := sameBits(o.memory, before); !ok {
					t.Errorf("%s: call %d for %q: wrote to element %d", k.Name(), i, want, at)
				}
				for _, v := range o.cross {
					if v != 0 {
						t.Errorf("%s: call %d for %q: wrote to a float64", k.Name(), i, want)
						break
					}
				}
			}
		}
	}
}

// TestPanicsWithoutCause: the operands of TestPanics are fine as they are.
func TestPanicsWithoutCause(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		o := newOperands()
		k.MatMul(o.dst, o.a, o.w, o.bias, true)
		k.InputGrad(o.x, o.dst, o.wt, o.a)
		k.InputGrad(o.x, o.dst, o.wt, o.x)
		k.WeightGrad(o.dw, o.db, o.x, o.dst, true)
		k.Cross(o.cross, o.x, o.dst)
		k.Residual(o.v1, o.v2, o.v3)
		k.Adam(o.v1, o.v2, o.v3, o.v4, adam)
		k.Lerp(o.v1, o.v2, 0.5)
		k.Add(o.v1, o.v2)
		k.Multiply(o.v1, o.v2)
		k.Sine(o.v1, o.v3, o.v1, 1)
		k.Transpose(o.wt, o.w)
	})
}

// TestPanicMessages: the package panics with constants that begin "kernel: ", and
// TestPanics provokes every one of them.
func TestPanicMessages(t *testing.T) {
	fset, files := sources(t)
	found := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "panic" {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				t.Errorf("%v: panics with something that is no literal", fset.Position(call.Pos()))
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil || !strings.HasPrefix(text, "kernel: ") {
				t.Errorf("%v: %s", fset.Position(call.Pos()), lit.Value)
			}
			found[text] = true
			return true
		})
	}
	var missing []string
	for text := range found {
		if panics[text] == nil {
			missing = append(missing, text)
		}
	}
	for text := range panics {
		if !found[text] {
			missing = append(missing, text+" (no longer in the sources)")
		}
	}
	sort.Strings(missing)
	for _, text := range missing {
		t.Errorf("not provoked by TestPanics: %s", text)
	}
}

// requireOperations fails unless names are all operations of a Kernel.
func requireOperations(t *testing.T, names ...string) {
	t.Helper()
	listed := map[string]bool{}
	for _, name := range names {
		listed[name] = true
	}
	for m := range reflect.TypeFor[Kernel]().Methods() {
		if m.Name == "Name" || m.Name == "NewNetwork" { // no operations
			continue
		}
		if !listed[m.Name] {
			t.Errorf("Kernel.%s is not covered", m.Name)
		}
		delete(listed, m.Name)
	}
	for name := range listed {
		t.Errorf("there is no Kernel.%s", name)
	}
}

// TestFarOperands: operands beyond the second-level cache are sent for ahead of time, up to
// the last row and no further, whatever their shape.
func TestFarOperands(t *testing.T) {
	r := rand.New(rand.NewPCG(40, 1))
	for _, s := range [][3]int{{3001, 64, 64}, {20000, 3, 40}, {1003, 100, 70}, {40, 5000, 33}, {70000, 0, 33}, {2, 200000, 9}} {
		rows, k, n := s[0], s[1], s[2]
		x, dy := strided(r, fillers[1], rows, k, 1), strided(r, fillers[1], rows, n, 3)
		w := packed(r, fillers[1], k, n)
		want, wantGrad := NewMatrix(rows, n), NewWeights(k, n)
		Kernel{generic}.MatMul(want, x, w, nil, true)
		Kernel{generic}.WeightGrad(wantGrad, nil, x, dy, false)
		mask, wantMasked := strided(r, fillers[1], rows, n, 0), NewMatrix(rows, n)
		Kernel{generic}.InputGrad(wantMasked, x, w, mask)
		for _, i := range accelerated() {
			got, gotGrad := NewMatrix(rows, n), NewWeights(k, n)
			Kernel{i}.MatMul(got, x, w, nil, true)
			Kernel{i}.WeightGrad(gotGrad, nil, x, dy, false)
			requireBits(t, fmt.Sprint(isaNames[i], " product ", s), got.Data, want.Data)
			Kernel{i}.InputGrad(got, x, w, mask)
			requireBits(t, fmt.Sprint(isaNames[i], " masked product ", s), got.Data, wantMasked.Data)
			requireBits(t, fmt.Sprint(isaNames[i], " gradient ", s), gotGrad.Data, wantGrad.Data)
		}
	}
}

// TestPackLong: panels of more rows than one call copies, from a matrix with a stride.
func TestPackLong(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	for _, k := range []int{packRows - 1, packRows, packRows + 1, 2*packRows + 3} {
		m := strided(r, fillers[1], k, 70, 3)
		w := NewWeights(k, 70)
		w.Pack(m)
		for i := range k {
			for j, v := range m.Row(i) {
				if got := w.Data[w.Index(i, j)]; got != v {
					t.Fatalf("%d rows: element (%d, %d) is %g, want %g", k, i, j, got, v)
				}
			}
		}
	}
}
