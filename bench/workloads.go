package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/shapes"
	"github.com/multigrade/multigrade/internal/backprop"
	"github.com/multigrade/multigrade/kernel"
)

// The sections of the table.
const (
	kernels    = "kernels"
	networks   = "networks"
	training   = "training"
	reductions = "reductions"
)

var sections = []string{kernels, networks, training, reductions}

// A workload is one operation at one size. The table and the Benchmark functions share
// them.
type workload struct {
	section string
	op      string // method of kernel.Kernel, or Network, Batch, Step
	shape   string // MxKxN, elements@level, or the widths of a network and what it is run on

	shapes.Work
	double bool // arithmetic in float64
	rows   int  // samples of one call, for networks

	team *backprop.Team // workers that share a call, nil for the caller alone

	// calls makes the buffers and returns a function that makes n calls.
	calls func(k kernel.Kernel) func(n int)
}

// work is the measure by which calls of one operation can be compared.
func (w workload) work() float64 { return max(w.Flops, w.Reads+w.Writes) }

// workloads lists what is measured: the layers of networks and their gradients; whole
// networks; training steps; passes over vectors that just fit each cache.
func workloads(cs []machine.Cache) []workload {
	var ws []workload
	for _, s := range shapes.Products() {
		ws = append(ws, matMul(s[0], s[1], s[2]))
	}
	for _, s := range shapes.Gradients() {
		ws = append(ws, weightGrad(s[0], s[1], s[2]))
	}
	for _, s := range shapes.Gradients() {
		ws = append(ws, inputGrad(s[0], s[1], s[2]))
	}
	for _, widths := range shapes.Networks() {
		ws = append(ws, network(widths))
	}
	for _, rows := range shapes.Batches() {
		for _, widths := range shapes.Networks() {
			ws = append(ws, batch(widths, rows))
		}
	}
	for _, widths := range shapes.Trained() {
		for _, rows := range shapes.Minibatches() {
			for workers := range min(runtime.NumCPU(), runtime.GOMAXPROCS(0), mostWorkers) {
				ws = append(ws, step(widths, rows, workers+1))
			}
		}
	}
	for _, make := range []func(l machine.Bandwidth) workload{residual, distance, sums, adam, cross} {
		for _, l := range machine.Levels(cs)[:len(cs)] {
			ws = append(ws, make(l))
		}
	}
	return ws
}

// matMul is a hidden layer: product, bias and ReLU in one call.
func matMul(m, k, n int) workload {
	w := workload{
		section: kernels, op: "MatMul", shape: shapes.Product(m, k, n),
		Work: shapes.ProductWork(m, k, n),
	}
	w.calls = func(kn kernel.Kernel) func(int) {
		d := newDice(1)
		dst, a, b := kernel.NewMatrix(m, n), d.matrix(m, k), d.layer(k, n)
		bias := d.vector(n)
		return func(calls int) {
			for range calls {
				kn.MatMul(dst, a, b, bias, true)
			}
		}
	}
	return w
}

// weightGrad is the gradient of a k×n layer over m rows, with that of its bias.
func weightGrad(m, k, n int) workload {
	w := workload{
		section: kernels, op: "WeightGrad", shape: shapes.Product(m, k, n),
		Work: shapes.WeightGradWork(m, k, n),
	}
	w.calls = func(kn kernel.Kernel) func(int) {
		d := newDice(2)
		dw, db := kernel.NewWeights(k, n), kernel.Floats(n)
		x, dy := d.matrix(m, k), d.matrix(m, n)
		return func(calls int) {
			for range calls {
				kn.WeightGrad(dw, db, x, dy, false)
			}
		}
	}
	return w
}

// inputGrad is the gradient with respect to the m×k input of a k×n layer, masked by the
// ReLU that made the input.
func inputGrad(m, k, n int) workload {
	w := workload{
		section: kernels, op: "InputGrad", shape: shapes.Product(m, k, n),
		Work: shapes.InputGradWork(m, k, n),
	}
	w.calls = func(kn kernel.Kernel) func(int) {
		d := newDice(3)
		dx, dy, y, wt := kernel.NewMatrix(m, k), d.matrix(m, n), d.matrix(m, k), d.layer(n, k)
		for i, v := range y.Data {
			y.Data[i] = max(v, 0)
		}
		return func(calls int) {
			for range calls {
				kn.InputGrad(dx, dy, wt, y)
			}
		}
	}
	return w
}

// elements returns how many float32 values of so many vectors fill a level's buffer: a
// power of two.
func elements(l machine.Bandwidth, vectors int) int {
	n := 64
	for 2*n*4*vectors <= l.Bytes {
		n *= 2
	}
	return n
}

func onLevel(n int, l machine.Bandwidth) string { return strconv.Itoa(n) + "@" + l.Level }

// passOver describes an operation on n elements that reads and writes so many vectors.
func passOver(op string, l machine.Bandwidth, vectors, reads, writes int) (workload, int) {
	n := elements(l, vectors)
	return workload{
		section: reductions, op: op, shape: onLevel(n, l),
		Work: shapes.Work{Reads: 4 * float64(n*reads), Writes: 4 * float64(n*writes), Touch: 4 * float64(n*vectors)},
	}, n
}

func residual(l machine.Bandwidth) workload {
	w, n := passOver("Residual", l, 3, 2, 1)
	w.calls = func(kn kernel.Kernel) func(int) {
		d := newDice(4)
		dst, target, pred := kernel.Floats(n), d.vector(n), d.vector(n)
		return func(calls int) {
			for range calls {
				kn.Residual(dst, target, pred)
			}
		}
	}
	return w
}

func distance(l machine.Bandwidth) workload {
	w, n := passOver("Distance", l, 2, 2, 0)
	w.calls = func(kn kernel.Kernel) func(int) {
		d := newDice(4)
		x, y := d.vector(n), d.vector(n)
		return func(calls int) {
			for range calls {
				kn.Distance(x, y)
			}
		}
	}
	return w
}

func sums(l machine.Bandwidth) workload {
	w, n := passOver("Sums", l, 1, 1, 0)
	w.calls = func(kn kernel.Kernel) func(int) {
		x := newDice(5).vector(n)
		return func(calls int) {
			for range calls {
				kn.Sums(x)
			}
		}
	}
	return w
}

func adam(l machine.Bandwidth) workload {
	w, n := passOver("Adam", l, 4, 4, 3)
	w.Roots = float64(n)
	w.calls = func(kn kernel.Kernel) func(int) {
		d := newDice(6)
		x, g, m, v := d.vector(n), d.vector(n), kernel.Floats(n), kernel.Floats(n)
		for i, e := range g {
			// The moments start where a constant gradient leads them: no denormals on the
			// way, which would be slower than what is to be measured.
			m[i], v[i] = e, e*e
		}
		s := kernel.AdamStep{Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Decay: 1e-2, Step: 1000}
		return func(calls int) {
			for range calls {
				kn.Adam(x, g, m, v, s)
			}
		}
	}
	return w
}

// crossWidth is the number of columns on either side of Cross: a hidden layer's features.
const crossWidth = 32

// cross is a Gram block of tall matrices. Its sums stay in L1.
func cross(l machine.Bandwidth) workload {
	w, n := passOver("Cross", l, 2, 2, 0)
	rows := max(n/crossWidth, 1)
	w.shape = onLevel(rows, l) + "x" + strconv.Itoa(crossWidth)
	w.Flops, w.double = 2*float64(rows)*crossWidth*crossWidth, true
	w.calls = func(kn kernel.Kernel) func(int) {
		d := newDice(7)
		a, b := d.matrix(rows, crossWidth), d.matrix(rows, crossWidth)
		dst := make([]float64, crossWidth*crossWidth)
		return func(calls int) {
			for range calls {
				kn.Cross(dst, a, b)
			}
		}
	}
	return w
}

// dice fills buffers with the same values in every run.
type dice struct{ r *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 2))} }

// value is uniform in ±[0.1, 1): no denormals in any product. The conversion keeps
// compilers from fusing the two operations: training is compared bit by bit.
func (d dice) value() float32 {
	v := 0.1 + float32(0.9*d.r.Float32())
	if d.r.Uint32()&1 != 0 {
		return -v
	}
	return v
}

func (d dice) vector(n int) []float32 {
	x := kernel.Floats(n)
	for i := range x {
		x[i] = d.value()
	}
	return x
}

func (d dice) matrix(rows, cols int) kernel.Matrix {
	m := kernel.NewMatrix(rows, cols)
	for i := range m.Data {
		m.Data[i] = d.value()
	}
	return m
}

// layer makes weights that keep the size of what passes through them.
func (d dice) layer(k, n int) kernel.Weights {
	m := d.matrix(k, n)
	scale := float32(math.Sqrt(6 / float64(k)))
	for i := range m.Data {
		m.Data[i] *= scale
	}
	w := kernel.NewWeights(k, n)
	w.Pack(m)
	return w
}
