//go:build !riscv64

// A package of a rival does not build on riscv64.

package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	blasgonum "gonum.org/v1/gonum/blas/gonum"

	"github.com/multigrade/multigrade/bench/internal/shapes"
	"github.com/multigrade/multigrade/kernel"
)

// players are who takes part, modules where they come from.
var (
	players = [...]string{"ours", "gonum", "vek"}
	modules = [...]string{"", "gonum.org/v1/gonum", "github.com/viterin/vek"}
)

// A contest is one operation at one size. A player without a call cannot do it.
type contest struct {
	op, shape string
	flops     float64
	terms     int // of the longest sum: how far results may lie apart
	calls     [len(players)]func(n int)
	results   [len(players)]func() []float32
}

// check compares what the players compute.
func (c contest) check() error {
	for p, f := range c.calls {
		if f == nil {
			continue
		}
		f(1)
		want, got := c.results[0](), c.results[p]()
		if len(got) != len(want) {
			return fmt.Errorf("%s %s: %s has %d results, not %d", c.op, c.shape, players[p], len(got), len(want))
		}
		for i, v := range got {
			if d := math.Abs(float64(v) - float64(want[i])); !(d <= 1e-5*math.Sqrt(float64(c.terms))*(1+math.Abs(float64(want[i])))) {
				return fmt.Errorf("%s %s: result %d of %s is %v, ours %v", c.op, c.shape, i, players[p], v, want[i])
			}
		}
	}
	return nil
}

// contests are the shapes of the sections kernels and networks of bench.
func contests() []contest {
	blas32.Use(blasgonum.Implementation{}) // and not a C library that something links
	var cs []contest
	for _, s := range shapes.Products() {
		cs = append(cs, product(s[0], s[1], s[2]))
	}
	for _, s := range shapes.Gradients() {
		cs = append(cs, weightGrad(s[0], s[1], s[2]))
	}
	for _, s := range shapes.Gradients() {
		cs = append(cs, inputGrad(s[0], s[1], s[2]))
	}
	for _, widths := range shapes.Networks() {
		cs = append(cs, network(widths, 1))
	}
	for _, rows := range shapes.Batches() {
		for _, widths := range shapes.Networks() {
			cs = append(cs, network(widths, rows))
		}
	}
	return cs
}

// repeat makes a function of n calls.
func repeat(call func()) func(n int) {
	return func(n int) {
		for range n {
			call()
		}
	}
}

// A layer is one in the form everybody wants: plain for the rivals, packed for us.
type layer struct {
	w      kernel.Matrix
	packed kernel.Weights
	bias   []float32
	relu   bool
}

func newLayer(r *rand.Rand, k, n int, relu bool) layer {
	l := layer{random(r, k, n), kernel.NewWeights(k, n), random(r, 1, n).Data, relu}
	scale := float32(math.Sqrt(6 / float64(k)))
	for i := range l.w.Data {
		l.w.Data[i] *= scale
	}
	l.packed.Pack(l.w)
	return l
}

// random returns values in ±[0.1, 1).
func random(r *rand.Rand, rows, cols int) kernel.Matrix {
	m := kernel.NewMatrix(rows, cols)
	for i := range m.Data {
		m.Data[i] = 0.1 + 0.9*r.Float32()
		if r.Uint32()&1 != 0 {
			m.Data[i] = -m.Data[i]
		}
	}
	return m
}

func general(m kernel.Matrix) blas32.General {
	return blas32.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: m.Data}
}

func vector(x []float32) blas32.Vector { return blas32.Vector{N: len(x), Inc: 1, Data: x} }

func ours(dst, a kernel.Matrix, l *layer) {
	kernel.Kernel{}.MatMul(dst, a, l.packed, l.bias, l.relu)
}

// gonum starts the sums from the bias, and has products with vectors. It has no ReLU; a
// loop is what its users write.
func gonum(dst, a kernel.Matrix, l *layer) {
	for i := range dst.Rows {
		copy(dst.Row(i), l.bias)
	}
	switch {
	case a.Rows == 1:
		blas32.Gemv(blas.Trans, 1, general(l.w), vector(a.Data), 1, vector(dst.Data))
	case l.w.Cols == 1:
		blas32.Gemv(blas.NoTrans, 1, general(a), vector(l.w.Data), 1, vector(dst.Data))
	default:
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, general(a), general(l.w), 1, general(dst))
	}
	if l.relu {
		for i, v := range dst.Data {
			dst.Data[i] = max(v, 0)
		}
	}
}

func vek(dst, a kernel.Matrix, l *layer) {
	vek32.MatMul_Into(dst.Data, a.Data, l.w.Data, l.w.Rows)
	for i := range dst.Rows {
		vek32.Add_Inplace(dst.Row(i), l.bias)
	}
	if l.relu {
		vek32.MaximumNumber_Inplace(dst.Data, 0)
	}
}

var layerCalls = [len(players)]func(dst, a kernel.Matrix, l *layer){ours, gonum, vek}

// product is a hidden layer.
func product(m, k, n int) contest {
	r := rand.New(rand.NewPCG(1, 1))
	a, l := random(r, m, k), newLayer(r, k, n, true)
	c := contest{op: "MatMul", shape: shapes.Product(m, k, n), flops: 2 * float64(m) * float64(k) * float64(n), terms: k}
	for p, f := range layerCalls {
		dst := kernel.NewMatrix(m, n)
		c.calls[p] = repeat(func() { f(dst, a, &l) })
		c.results[p] = func() []float32 { return dst.Data }
	}
	return c
}

// weightGrad is xᵀ·dy with the column sums of dy. vek has no product with a transpose.
func weightGrad(m, k, n int) contest {
	r := rand.New(rand.NewPCG(2, 1))
	x, dy := random(r, m, k), random(r, m, n)
	c := contest{op: "WeightGrad", shape: shapes.Product(m, k, n), flops: 2 * float64(m) * float64(k) * float64(n), terms: m}

	packed, db := kernel.NewWeights(k, n), kernel.Floats(n)
	c.calls[0] = repeat(func() { kernel.Kernel{}.WeightGrad(packed, db, x, dy, false) })
	c.results[0] = func() []float32 {
		dw := kernel.NewMatrix(k, n)
		packed.Unpack(dw)
		return append(dw.Data, db...)
	}

	dw, sums, ones := kernel.NewMatrix(k, n), make([]float32, n), make([]float32, m)
	for i := range ones {
		ones[i] = 1
	}
	c.calls[1] = repeat(func() {
		blas32.Gemm(blas.Trans, blas.NoTrans, 1, general(x), general(dy), 0, general(dw))
		blas32.Gemv(blas.Trans, 1, general(dy), vector(ones), 0, vector(sums))
	})
	c.results[1] = func() []float32 { return append(dw.Data[:k*n:k*n], sums...) }
	return c
}

// inputGrad is dy·wᵀ where the activation is positive. The weights are transposed
// beforehand for us, as a training step does once for all rows.
func inputGrad(m, k, n int) contest {
	r := rand.New(rand.NewPCG(3, 1))
	l, dy, y := newLayer(r, k, n, false), random(r, m, n), random(r, m, k)
	for i, v := range y.Data {
		y.Data[i] = max(v, 0)
	}
	c := contest{op: "InputGrad", shape: shapes.Product(m, k, n), flops: 2 * float64(m) * float64(k) * float64(n), terms: n}

	transposed, dx := kernel.NewWeights(n, k), kernel.NewMatrix(m, k)
	kernel.Kernel{}.Transpose(transposed, l.packed)
	c.calls[0] = repeat(func() { kernel.Kernel{}.InputGrad(dx, dy, transposed, y) })
	c.results[0] = func() []float32 { return dx.Data }

	theirs := kernel.NewMatrix(m, k)
	c.calls[1] = repeat(func() {
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, general(dy), general(l.w), 0, general(theirs))
		for i, v := range y.Data {
			if v <= 0 {
				theirs.Data[i] = 0
			}
		}
	})
	c.results[1] = func() []float32 { return theirs.Data }
	return c
}

// chunkRows is how many rows go through all layers together, as in bench; everybody's
// activations then stay cached.
const chunkRows = 64

// network is a network with ReLU between its layers, for one row or for many in chunks.
func network(widths []int, rows int) contest {
	r := rand.New(rand.NewPCG(4, 1))
	c := contest{op: "Network", shape: shapes.Network(widths)}
	if rows > 1 {
		c.op, c.shape = "Batch", fmt.Sprintf("%s/%d", c.shape, rows)
	}
	last := len(widths) - 1
	x := random(r, rows, widths[0])
	var ls []layer
	var prepared []kernel.Layer
	for i, n := range widths[1:] {
		l := newLayer(r, widths[i], n, i+1 < last)
		ls = append(ls, l)
		prepared = append(prepared, kernel.Layer{W: l.packed, Bias: l.bias, ReLU: l.relu})
		c.flops += 2 * float64(rows) * float64(widths[i]*n)
		c.terms += widths[i] // errors pass through all layers
	}
	for p, f := range layerCalls {
		out := kernel.NewMatrix(rows, widths[last])
		var hidden []kernel.Matrix
		for _, n := range widths[1:last] {
			hidden = append(hidden, kernel.NewMatrix(min(rows, chunkRows), n))
		}
		c.calls[p] = repeat(func() {
			for lo := 0; lo < rows; lo += chunkRows {
				hi := min(lo+chunkRows, rows)
				a := x.RowRange(lo, hi)
				for i := range ls {
					dst := out.RowRange(lo, hi)
					if i < len(hidden) {
						dst = hidden[i].RowRange(0, hi-lo)
					}
					f(dst, a, &ls[i])
					a = dst
				}
			}
		})
		c.results[p] = func() []float32 { return out.Data }
	}
	if rows == 1 {
		net, dst := kernel.Kernel{}.NewNetwork(prepared), kernel.Floats(widths[last])
		c.calls[0] = repeat(func() { net.Run(dst, x.Data) })
		c.results[0] = func() []float32 { return dst }
	}
	return c
}
