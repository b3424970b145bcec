package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/multigrade/multigrade/kernel"
)

// A workload is one operation of package kernel at one size. The table and the Benchmark
// functions share them.
type workload struct {
	op    string // method of kernel.Kernel, or Network
	shape string // MxKxN, elements@level, or the widths of a network

	flops  float64 // of one call; 0 where bytes are the measure
	double bool    // arithmetic in float64
	reads  float64 // bytes of one call that must be read, each once
	writes float64 // and written
	touch  float64 // bytes of one call: decides which cache can hold them

	// calls makes the buffers and returns a function that makes n calls.
	calls func(k kernel.Kernel) func(n int)
}

// work is the measure by which calls of one operation can be compared.
func (w workload) work() float64 { return max(w.flops, w.reads+w.writes) }

// limit returns the bound that allows the least speed and its time in ns. The peak is in
// GFLOP/s; bandwidth is that of the first level that holds the data. Loads, stores and
// arithmetic overlap at best, so the largest of the three counts.
func (w workload) limit(peak float64, u unitLimits, cs []cache) (name string, ns float64) {
	at := len(u.Levels) - 1
	for i, c := range cs {
		if w.touch <= float64(c.Bytes) {
			at = i
			break
		}
	}
	l := u.Levels[at]
	name, ns = "fma", w.flops/peak
	if t := w.reads / l.ReadGBps; t > ns {
		name, ns = l.Level+" read", t
	}
	if t := w.writes / l.WriteGBps; t > ns {
		name, ns = l.Level+" write", t
	}
	return name, ns
}

// networks are the single-sample cases whose targets the kernels were designed for.
var networks = [][]int{{2, 64, 64, 64, 1}, {16, 128, 128, 1}, {64, 256, 256, 10}}

// workloads lists what is measured: squares for comparison with other libraries, the
// layers of small networks, one sample, thin layers, gradients, passes over vectors that
// just fit each cache, whole networks.
func workloads(cs []cache) []workload {
	var ws []workload
	for _, s := range [][3]int{
		{64, 64, 64}, {128, 128, 128}, {256, 256, 256}, {512, 512, 512},
		{1024, 256, 256}, {256, 64, 64}, {16384, 64, 64}, {8, 256, 256},
		{1, 64, 64}, {1, 128, 128}, {1, 256, 256},
		{1024, 2, 64}, {1024, 64, 1},
	} {
		ws = append(ws, matMul(s[0], s[1], s[2]))
	}
	for _, s := range [][3]int{{1024, 256, 256}, {256, 64, 64}} {
		ws = append(ws, weightGrad(s[0], s[1], s[2]))
	}
	for _, s := range [][3]int{{1024, 256, 256}, {256, 64, 64}} {
		ws = append(ws, inputGrad(s[0], s[1], s[2]))
	}
	for _, make := range []func(l bandwidth) workload{residual, sums, adam, cross} {
		for _, l := range levels(cs)[:len(cs)] {
			ws = append(ws, make(l))
		}
	}
	for _, widths := range networks {
		ws = append(ws, network(widths))
	}
	return ws
}

func shape(m, k, n int) string { return fmt.Sprintf("%dx%dx%d", m, k, n) }

// matMul is a hidden layer: product, bias and ReLU in one call.
func matMul(m, k, n int) workload {
	w := workload{
		op: "MatMul", shape: shape(m, k, n),
		flops: 2 * float64(m) * float64(k) * float64(n),
		reads: 4 * float64(m*k+k*n+n), writes: 4 * float64(m*n),
	}
	w.touch = w.reads + w.writes
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
		op: "WeightGrad", shape: shape(m, k, n),
		flops: 2 * float64(m) * float64(k) * float64(n),
		reads: 4 * float64(m*k+m*n), writes: 4 * float64(k*n+n),
	}
	w.touch = w.reads + w.writes
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
		op: "InputGrad", shape: shape(m, k, n),
		flops: 2 * float64(m) * float64(k) * float64(n),
		reads: 4 * float64(m*n+k*n+m*k), writes: 4 * float64(m*k),
	}
	w.touch = w.reads + w.writes
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
func elements(l bandwidth, vectors int) int {
	n := 64
	for 2*n*4*vectors <= l.Bytes {
		n *= 2
	}
	return n
}

func onLevel(n int, l bandwidth) string { return strconv.Itoa(n) + "@" + l.Level }

// passOver describes an operation on n elements that reads and writes so many vectors.
func passOver(op string, l bandwidth, vectors, reads, writes int) (workload, int) {
	n := elements(l, vectors)
	return workload{
		op: op, shape: onLevel(n, l),
		reads: 4 * float64(n*reads), writes: 4 * float64(n*writes), touch: 4 * float64(n*vectors),
	}, n
}

func residual(l bandwidth) workload {
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

func sums(l bandwidth) workload {
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

func adam(l bandwidth) workload {
	w, n := passOver("Adam", l, 4, 4, 3)
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
func cross(l bandwidth) workload {
	w, n := passOver("Cross", l, 2, 2, 0)
	rows := max(n/crossWidth, 1)
	w.shape = onLevel(rows, l) + "x" + strconv.Itoa(crossWidth)
	w.flops, w.double = 2*float64(rows)*crossWidth*crossWidth, true
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

// network is one sample through all layers, ReLU between them, one call a layer. Samples
// rotate, so that the next one need not wait for this one's output.
func network(widths []int) workload {
	w := workload{op: "Network", shape: strings.Trim(strings.ReplaceAll(fmt.Sprint(widths), " ", "-"), "[]")}
	for i, n := range widths[1:] {
		w.flops += 2 * float64(widths[i]*n)
		w.reads += 4 * float64(widths[i]*n+n)
	}
	w.touch = w.reads
	w.calls = func(kn kernel.Kernel) func(int) {
		const samples = 16
		d := newDice(8)
		x := d.matrix(samples, widths[0])
		var rows [samples]kernel.Matrix
		for i := range rows {
			rows[i] = x.RowRange(i, i+1)
		}
		type layer struct {
			w    kernel.Weights
			bias []float32
			dst  kernel.Matrix
			relu bool
		}
		var layers []layer
		for i, n := range widths[1:] {
			layers = append(layers, layer{d.layer(widths[i], n), d.vector(n), kernel.NewMatrix(1, n), i+2 < len(widths)})
		}
		return func(calls int) {
			for s := range calls {
				in := rows[s%samples]
				for i := range layers {
					l := &layers[i]
					kn.MatMul(l.dst, in, l.w, l.bias, l.relu)
					in = l.dst
				}
			}
		}
	}
	return w
}

// dice fills buffers with the same values in every run.
type dice struct{ r *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 2))} }

// value is uniform in ±[0.1, 1): no denormals in any product.
func (d dice) value() float32 {
	v := 0.1 + 0.9*d.r.Float32()
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
