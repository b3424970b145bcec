package kernel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// TestSharedOperands is what callers may do without a lock: goroutines that share what
// they read and write to disjoint rows and columns. Under -race a report of the kernels
// that goes beyond their operands would fail it.
func TestSharedOperands(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		const rows, kk, n, workers = 26, 40, 72, 4
		r := rand.New(rand.NewPCG(61, 1))
		random := fillers[1]
		a, w, bias := matrix(r, random, rows, kk), packed(r, random, kk, n), vector(r, random, n)
		target, pred := vector(r, random, 4000), vector(r, random, 4000)
		want := NewMatrix(rows, n)
		k.MatMul(want, a, w, bias, true)

		// By rows, into rows; each row of all is also shared with the results of others.
		all := NewMatrix(rows, 2*n+kk+3)
		dst, dx, copies := all.ColRange(0, n), all.ColRange(n, n+kk), all.ColRange(n+kk, 2*n+kk)
		wt := NewWeights(n, kk)
		k.Transpose(wt, w)
		residual, average, weights := make([]float32, 4000), vector(r, random, 4000), make([]float32, 4000)
		m, v := make([]float32, 4000), make([]float32, 4000)
		grads := make([]Weights, workers)
		crosses := make([][]float64, workers)
		var group sync.WaitGroup
		for i := range workers {
			from, to := i*rows/workers, (i+1)*rows/workers
			group.Go(func() {
				k.MatMul(dst.RowRange(from, to), a.RowRange(from, to), w, bias, true)
				k.InputGrad(dx.RowRange(from, to), dst.RowRange(from, to), wt, a.RowRange(from, to))
				k.InputGrad(dx.RowRange(from, to), dst.RowRange(from, to), wt, dx.RowRange(from, to))
			})
			group.Go(func() { k.MatMul(copies.RowRange(from, to), a.RowRange(from, to), w, bias, true) })
			group.Go(func() { // gradients of shared operands into weights of one's own
				grads[i] = NewWeights(kk, kk)
				k.WeightGrad(grads[i], make([]float32, kk), a, a, false)
				crosses[i] = make([]float64, kk*kk)
				k.Cross(crosses[i], a, a)
				k.Transpose(NewWeights(n, kk), w)
			})
			group.Go(func() { // parts of shared vectors
				from, to := 1000*i, 1000*(i+1)
				k.Residual(residual[from:to], target[from:to], pred[from:to])
				k.Sums(target)
				k.Distance(target, pred)
				k.Lerp(average[from:to], target[from:to], 0.5)
				k.Add(average[from:to], pred[from:to])
				k.Multiply(average[from:to], target[from:to])
				k.Sine(average[from:to], residual[from:to], pred[from:to], 1)
				k.Adam(weights[from:to], target[from:to], m[from:to], v[from:to], adam)
			})
		}
		group.Wait()
		requireMatrix(t, "MatMul", dst, want)
		requireMatrix(t, "MatMul", copies, want)
		for i := range grads {
			requireBits(t, "WeightGrad", grads[i].Data, grads[0].Data)
			for j, c := range crosses[i] {
				if c != crosses[0][j] {
					t.Fatalf("Cross: element %d differs between goroutines", j)
				}
			}
		}
		requireOperations(t, "MatMul", "InputGrad", "WeightGrad", "Cross", "Transpose", "Sums", "Distance", "Residual", "Lerp", "Add", "Adam", "Sine", "Multiply")
	})
}

// A conflict is one operation and one element that another goroutine uses at the same
// time: one that the operation reads and the other writes, or the other way round.
type conflict struct {
	name string
	run  func(k Kernel, o *operands)
	with func(o *operands) *float32
	read bool // the other goroutine reads
}

var conflicts = []conflict{
	{"MatMul reads a", func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.bias, true) }, func(o *operands) *float32 { return &o.a.Row(4)[11] }, false},
	{"MatMul reads w", func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.bias, true) }, func(o *operands) *float32 { return &o.w.Data[o.w.Index(11, 39)] }, false},
	{"MatMul reads bias", func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.bias, true) }, func(o *operands) *float32 { return &o.bias[39] }, false},
	{"MatMul writes dst", func(k Kernel, o *operands) { k.MatMul(o.dst, o.a, o.w, o.bias, true) }, func(o *operands) *float32 { return &o.dst.Row(4)[39] }, true},
	{"InputGrad reads dy", func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, o.a) }, func(o *operands) *float32 { return &o.dst.Row(4)[39] }, false},
	{"InputGrad reads wt", func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, o.a) }, func(o *operands) *float32 { return &o.wt.Data[o.wt.Index(39, 11)] }, false},
	{"InputGrad reads y", func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, o.a) }, func(o *operands) *float32 { return &o.a.Row(4)[11] }, false},
	{"InputGrad writes dx", func(k Kernel, o *operands) { k.InputGrad(o.x, o.dst, o.wt, o.a) }, func(o *operands) *float32 { return &o.x.Row(4)[11] }, true},
	{"WeightGrad reads x", func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x, o.dst, true) }, func(o *operands) *float32 { return &o.x.Row(4)[11] }, false},
	{"WeightGrad reads dy", func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x, o.dst, true) }, func(o *operands) *float32 { return &o.dst.Row(4)[39] }, false},
	{"WeightGrad writes dw", func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x, o.dst, true) }, func(o *operands) *float32 { return &o.dw.Data[o.dw.Index(11, 39)] }, true},
	{"WeightGrad writes db", func(k Kernel, o *operands) { k.WeightGrad(o.dw, o.db, o.x, o.dst, true) }, func(o *operands) *float32 { return &o.db[39] }, true},
	{"Cross reads a", func(k Kernel, o *operands) { k.Cross(o.cross, o.x, o.dst) }, func(o *operands) *float32 { return &o.x.Row(4)[11] }, false},
	{"Cross reads b", func(k Kernel, o *operands) { k.Cross(o.cross, o.x, o.dst) }, func(o *operands) *float32 { return &o.dst.Row(4)[39] }, false},
	{"Cross writes dst", func(k Kernel, o *operands) { k.Cross(o.cross, o.x, o.dst) }, func(o *operands) *float32 { return (*float32)(unsafe.Pointer(&o.cross[479])) }, true},
	{"Network reads x", runNetwork, func(o *operands) *float32 { return &o.a.Row(4)[11] }, false},
	{"Network reads w", runNetwork, func(o *operands) *float32 { return &o.w.Data[o.w.Index(11, 39)] }, false},
	{"Network reads bias", runNetwork, func(o *operands) *float32 { return &o.bias[39] }, false},
	{"Network writes dst", runNetwork, func(o *operands) *float32 { return &o.dst.Row(4)[39] }, true},
	{"Transpose reads src", func(k Kernel, o *operands) { k.Transpose(o.wt, o.w) }, func(o *operands) *float32 { return &o.w.Data[o.w.Index(11, 39)] }, false},
	{"Transpose writes w", func(k Kernel, o *operands) { k.Transpose(o.wt, o.w) }, func(o *operands) *float32 { return &o.wt.Data[o.wt.Index(39, 11)] }, true},
	{"Sums reads x", func(k Kernel, o *operands) { k.Sums(o.v1) }, func(o *operands) *float32 { return &o.v1[99] }, false},
	{"Distance reads x", func(k Kernel, o *operands) { k.Distance(o.v1, o.v2) }, func(o *operands) *float32 { return &o.v1[99] }, false},
	{"Distance reads y", func(k Kernel, o *operands) { k.Distance(o.v1, o.v2) }, func(o *operands) *float32 { return &o.v2[99] }, false},
	{"Residual reads target", func(k Kernel, o *operands) { k.Residual(o.v1, o.v2, o.v3) }, func(o *operands) *float32 { return &o.v2[70] }, false},
	{"Residual reads pred", func(k Kernel, o *operands) { k.Residual(o.v1, o.v2, o.v3) }, func(o *operands) *float32 { return &o.v3[70] }, false},
	{"Residual writes dst", func(k Kernel, o *operands) { k.Residual(o.v1, o.v2, o.v3) }, func(o *operands) *float32 { return &o.v1[70] }, true},
	{"Lerp reads src", func(k Kernel, o *operands) { k.Lerp(o.v1, o.v2, 0.5) }, func(o *operands) *float32 { return &o.v2[70] }, false},
	{"Lerp writes dst", func(k Kernel, o *operands) { k.Lerp(o.v1, o.v2, 0.5) }, func(o *operands) *float32 { return &o.v1[70] }, true},
	{"Add reads src", func(k Kernel, o *operands) { k.Add(o.v1, o.v2) }, func(o *operands) *float32 { return &o.v2[70] }, false},
	{"Add writes dst", func(k Kernel, o *operands) { k.Add(o.v1, o.v2) }, func(o *operands) *float32 { return &o.v1[70] }, true},
	{"Multiply reads src", func(k Kernel, o *operands) { k.Multiply(o.v1, o.v2) }, func(o *operands) *float32 { return &o.v2[70] }, false},
	{"Multiply writes dst", func(k Kernel, o *operands) { k.Multiply(o.v1, o.v2) }, func(o *operands) *float32 { return &o.v1[70] }, true},
	{"Sine reads x", func(k Kernel, o *operands) { k.Sine(o.v1, o.v3, o.v2, 1) }, func(o *operands) *float32 { return &o.v2[70] }, false},
	{"Sine writes sin", func(k Kernel, o *operands) { k.Sine(o.v1, o.v3, o.v2, 1) }, func(o *operands) *float32 { return &o.v1[70] }, true},
	{"Sine writes cos", func(k Kernel, o *operands) { k.Sine(o.v1, o.v3, o.v2, 1) }, func(o *operands) *float32 { return &o.v3[70] }, true},
	{"Adam reads g", func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4, adam) }, func(o *operands) *float32 { return &o.v2[70] }, false},
	{"Adam writes w", func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4, adam) }, func(o *operands) *float32 { return &o.v1[70] }, true},
	{"Adam writes m", func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4, adam) }, func(o *operands) *float32 { return &o.v3[70] }, true},
	{"Adam writes v", func(k Kernel, o *operands) { k.Adam(o.v1, o.v2, o.v3, o.v4, adam) }, func(o *operands) *float32 { return &o.v4[70] }, true},
}

func runNetwork(k Kernel, o *operands) {
	k.NewNetwork([]Layer{{W: o.w, Bias: o.bias, ReLU: true}}).Run(o.dst.Row(4), o.a.Row(4))
}

// TestRaceDetected: the race detector finds a caller's race on every operand, also where
// assembly makes the access. It runs the races in a process of its own, whose subtests
// must all fail. No timing is involved: the detector goes by what is synchronised.
func TestRaceDetected(t *testing.T) {
	if !raceEnabled {
		t.Skip("without the race detector there is nothing to detect")
	}
	if os.Getenv("MGDL_TEST_CHILD") != "" {
		for _, k := range Available() {
			for _, c := range conflicts {
				t.Run(k.Name()+" "+c.name, func(t *testing.T) { c.provoke(k) })
			}
		}
		return
	}
	out, err := childProcess(t, "TestRaceDetected", "GORACE=suppress_equal_stacks=0 suppress_equal_addresses=0") // each conflict counts
	if err == nil {
		t.Fatal("no race was detected")
	}
	for _, k := range Available() {
		for _, c := range conflicts {
			if name := strings.ReplaceAll(k.Name()+" "+c.name, " ", "_"); !strings.Contains(out, fmt.Sprintf("--- FAIL: TestRaceDetected/%s ", name)) {
				t.Errorf("%s: not detected", name)
			}
		}
	}
}

// provoked keeps the value a conflict reads.
var provoked float32

func (c conflict) provoke(k Kernel) {
	o := newOperands()
	p := c.with(o)
	done := make(chan bool)
	go func() {
		c.run(k, o)
		done <- true
	}()
	if c.read {
		provoked = *p
	} else {
		*p = 1
	}
	<-done
}
