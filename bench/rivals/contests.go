//go:build !riscv64

// A package of a rival does not build on riscv64.

package main

import (
	"fmt"
	"math"

	"github.com/viterin/vek/vek32"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	blasgonum "gonum.org/v1/gonum/blas/gonum"

	"github.com/multigrade/multigrade/bench/internal/shapes"
	"github.com/multigrade/multigrade/kernel"
)

// players are who takes part in this process, modules where they come from.
var (
	players = [...]string{"ours", "gonum", "vek"}
	modules = [...]string{"", "gonum.org/v1/gonum", "github.com/viterin/vek"}
)

// A contest is one operation at one size, on the same data for everybody. A player without
// a call cannot do it.
type contest struct {
	op, shape string
	problem   string // for rivals in other processes: OP M K N
	work      shapes.Work
	terms     int // of the longest sum: how far results may lie apart
	calls     [len(players)]func()
	results   [len(players)]func() []float32
}

func (c contest) String() string { return c.op + "/" + c.shape }

// check compares what the players compute.
func (c contest) check() error {
	for p, f := range c.calls {
		if f == nil {
			continue
		}
		f()
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

// contests are the shapes of the sections kernels and networks of bench; ours is k.
func contests(k kernel.Kernel) []contest {
	blas32.Use(blasgonum.Implementation{}) // and not a C library that something links
	var cs []contest
	for _, s := range shapes.Products() {
		cs = append(cs, product(k, s[0], s[1], s[2]))
	}
	for _, s := range shapes.Gradients() {
		cs = append(cs, weightGrad(k, s[0], s[1], s[2]))
	}
	for _, s := range shapes.Gradients() {
		cs = append(cs, inputGrad(k, s[0], s[1], s[2]))
	}
	for _, widths := range shapes.Networks() {
		cs = append(cs, network(k, widths, 1))
	}
	for _, rows := range shapes.Batches() {
		for _, widths := range shapes.Networks() {
			cs = append(cs, network(k, widths, rows))
		}
	}
	return cs
}

func filled(rows, cols int, seed uint32, scale float32) kernel.Matrix {
	m := kernel.NewMatrix(rows, cols)
	shapes.Fill(m.Data, seed, scale)
	return m
}

// A layer is one in the form everybody wants: plain for the rivals, packed for us.
type layer struct {
	w      kernel.Matrix
	packed kernel.Weights
	bias   []float32
	relu   bool
}

func newLayer(w kernel.Matrix, bias []float32, relu bool) layer {
	l := layer{w, kernel.NewWeights(w.Rows, w.Cols), bias, relu}
	l.packed.Pack(w)
	return l
}

func (l *layer) prepared() kernel.Layer { return kernel.Layer{W: l.packed, Bias: l.bias, ReLU: l.relu} }

func general(m kernel.Matrix) blas32.General {
	return blas32.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: m.Data}
}

func vector(x []float32) blas32.Vector { return blas32.Vector{N: len(x), Inc: 1, Data: x} }

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

// layerCalls are how the players compute a layer.
func layerCalls(k kernel.Kernel) [len(players)]func(dst, a kernel.Matrix, l *layer) {
	ours := func(dst, a kernel.Matrix, l *layer) { k.MatMul(dst, a, l.packed, l.bias, l.relu) }
	return [...]func(dst, a kernel.Matrix, l *layer){ours, gonum, vek}
}

// product is a hidden layer. One row goes through a prepared network of one layer.
func product(kn kernel.Kernel, m, k, n int) contest {
	a, l := filled(m, k, 1, 1), newLayer(filled(k, n, 2, 1), filled(1, n, 3, 1).Data, true)
	c := contest{
		op: "layer", shape: shapes.Product(m, k, n), problem: fmt.Sprintf("gemmbr %d %d %d", m, k, n),
		work: shapes.ProductWork(m, k, n), terms: k,
	}
	for p, f := range layerCalls(kn) {
		dst := kernel.NewMatrix(m, n)
		c.calls[p] = func() { f(dst, a, &l) }
		c.results[p] = func() []float32 { return dst.Data }
	}
	if m == 1 {
		c.calls[0], c.results[0] = oneRow(kn, []layer{l}, a.Data)
	}
	return c
}

// oneRow is how we compute one row.
func oneRow(kn kernel.Kernel, ls []layer, x []float32) (call func(), result func() []float32) {
	var prepared []kernel.Layer
	for i := range ls {
		prepared = append(prepared, ls[i].prepared())
	}
	net, dst := kn.NewNetwork(prepared), kernel.Floats(ls[len(ls)-1].w.Cols)
	return func() { net.Run(dst, x) }, func() []float32 { return dst }
}

// weightGrad is xᵀ·dy. vek has no product with a transpose.
func weightGrad(kn kernel.Kernel, m, k, n int) contest {
	x, dy := filled(m, k, 1, 1), filled(m, n, 4, 1)
	c := contest{
		op: "weight gradient", shape: shapes.Product(m, k, n), problem: fmt.Sprintf("dw %d %d %d", m, k, n),
		work: shapes.ProductWork(k, m, n), terms: m,
	}

	packed := kernel.NewWeights(k, n)
	c.calls[0] = func() { kn.WeightGrad(packed, nil, x, dy, false) }
	c.results[0] = func() []float32 {
		dw := kernel.NewMatrix(k, n)
		packed.Unpack(dw)
		return dw.Data
	}

	dw := kernel.NewMatrix(k, n)
	c.calls[1] = func() { blas32.Gemm(blas.Trans, blas.NoTrans, 1, general(x), general(dy), 0, general(dw)) }
	c.results[1] = func() []float32 { return dw.Data }
	return c
}

// inputGrad is dy·wᵀ. The weights come plain in every call, since they change from one
// step of training to the next: we pack and transpose them.
func inputGrad(kn kernel.Kernel, m, k, n int) contest {
	w, dy := filled(k, n, 2, 1), filled(m, n, 4, 1)
	c := contest{
		op: "input gradient", shape: shapes.Product(m, k, n), problem: fmt.Sprintf("dx %d %d %d", m, k, n),
		work: shapes.ProductWork(m, n, k), terms: n,
	}

	packed, transposed, dx := kernel.NewWeights(k, n), kernel.NewWeights(n, k), kernel.NewMatrix(m, k)
	c.calls[0] = func() {
		packed.Pack(w)
		kn.Transpose(transposed, packed)
		kn.InputGrad(dx, dy, transposed, kernel.Matrix{})
	}
	c.results[0] = func() []float32 { return dx.Data }

	theirs := kernel.NewMatrix(m, k)
	c.calls[1] = func() { blas32.Gemm(blas.NoTrans, blas.Trans, 1, general(dy), general(w), 0, general(theirs)) }
	c.results[1] = func() []float32 { return theirs.Data }
	return c
}

// network is a network with ReLU between its layers, for one row, or for many in chunks:
// everybody's activations then stay cached.
func network(kn kernel.Kernel, widths []int, rows int) contest {
	c := contest{
		op: "network", shape: fmt.Sprintf("%s/%d", shapes.Network(widths), rows),
		problem: fmt.Sprintf("mlp:%s %d 0 0", shapes.Network(widths), rows), work: shapes.BatchWork(widths, rows),
	}
	last := len(widths) - 1
	x := filled(rows, widths[0], 5, 1)
	var ls []layer
	for i, n := range widths[1:] {
		w := filled(widths[i], n, uint32(10+i), float32(math.Sqrt(6/float64(widths[i]))))
		ls = append(ls, newLayer(w, filled(1, n, uint32(20+i), 0.1).Data, i+1 < last))
		c.terms += widths[i] // errors pass through all layers
	}
	if rows == 1 {
		c.work = shapes.RowWork(widths)
	}
	for p, f := range layerCalls(kn) {
		out := kernel.NewMatrix(rows, widths[last])
		var hidden []kernel.Matrix
		for _, n := range widths[1:last] {
			hidden = append(hidden, kernel.NewMatrix(min(rows, shapes.ChunkRows), n))
		}
		c.calls[p] = func() {
			for lo := 0; lo < rows; lo += shapes.ChunkRows {
				hi := min(lo+shapes.ChunkRows, rows)
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
		}
		c.results[p] = func() []float32 { return out.Data }
	}
	if rows == 1 {
		c.calls[0], c.results[0] = oneRow(kn, ls, x.Data)
	}
	return c
}
