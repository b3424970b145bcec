package kernel

import "testing"

// TestAllocations: nothing allocates but the functions that return memory. The buffers
// are local to each run: were an argument to escape, the run would put them on the heap.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("what is reported to the race detector escapes")
	}
	const rows, kk, n = 7, 40, 20 // 40×20 has four chains, its transpose two
	type buffers struct {
		a, x [rows * kk]float32
		dst  [rows * n]float32
		w    [kk * 32]float32
		wt   [n * 64]float32
		bias [n]float32
	}
	matrices := func(b *buffers) (a, x, dst Matrix, w, wt Weights) {
		return Matrix{rows, kk, kk, b.a[:]}, Matrix{rows, kk, kk, b.x[:]}, Matrix{rows, n, n, b.dst[:]},
			Weights{kk, n, b.w[:]}, Weights{n, kk, b.wt[:]}
	}
	operations := map[string]func(k Kernel){
		"MatMul": func(k Kernel) {
			var b buffers
			a, _, dst, w, _ := matrices(&b)
			k.MatMul(dst, a, w, b.bias[:], true)
			k.MatMul(dst, a, w, nil, false)
			k.MatMul(dst.RowRange(0, 1), a.RowRange(0, 1), w, b.bias[:], true)
		},
		"MatMul in lanes": func(k Kernel) {
			var a [rows * 40]float32
			var w [3 * 64]float32
			var dst [rows * 3]float32
			k.MatMul(Matrix{rows, 3, 3, dst[:]}, Matrix{rows, 40, 40, a[:]}, Weights{40, 3, w[:]}, nil, true)
		},
		"MatMul of one row": func(k Kernel) {
			var a [20]float32
			var w [20 * 96]float32
			var dst, bias [90]float32
			k.MatMul(Matrix{1, 90, 90, dst[:]}, Matrix{1, 20, 20, a[:]}, Weights{20, 90, w[:]}, bias[:], true)
		},
		"MatMul in one chain": func(k Kernel) {
			var a [rows * 4]float32
			var w [4 * 64]float32
			var dst [rows * 50]float32
			k.MatMul(Matrix{rows, 50, 50, dst[:]}, Matrix{rows, 4, 4, a[:]}, Weights{4, 50, w[:]}, nil, true)
		},
		"InputGrad": func(k Kernel) {
			var b buffers
			a, x, dst, _, wt := matrices(&b)
			k.InputGrad(x, dst, wt, a)
			k.InputGrad(x, dst, wt, x)
			k.InputGrad(x, dst, wt, Matrix{})
		},
		"WeightGrad": func(k Kernel) {
			var b buffers
			a, _, dst, w, _ := matrices(&b)
			k.WeightGrad(w, b.bias[:], a, dst, false)
			k.WeightGrad(w, nil, a, dst, true)
		},
		"Cross": func(k Kernel) {
			var b buffers
			var cross [kk * n]float64
			a, _, dst, _, _ := matrices(&b)
			k.Cross(cross[:], a, dst)
		},
		"Transpose": func(k Kernel) {
			var b buffers
			_, _, _, w, wt := matrices(&b)
			k.Transpose(wt, w)
		},
		"Sums": func(k Kernel) {
			var x [100]float32
			k.Sums(x[:])
		},
		"Distance": func(k Kernel) {
			var x, y [100]float32
			k.Distance(x[:], y[:])
		},
		"Residual": func(k Kernel) {
			var x, y, z [100]float32
			k.Residual(x[:], y[:], z[:])
		},
		"Lerp": func(k Kernel) {
			var x, y [100]float32
			k.Lerp(x[:], y[:], 0.5)
		},
		"Add": func(k Kernel) {
			var x, y [100]float32
			k.Add(x[:], y[:])
		},
		"Multiply": func(k Kernel) {
			var x, y [100]float32
			k.Multiply(x[:], y[:])
		},
		"Sine": func(k Kernel) {
			var x, y [100]float32
			k.Sine(x[:], y[:], x[:], 1)
			k.Sine(x[:], nil, y[:], 1)
		},
		"Adam": func(k Kernel) {
			var w, g, m, v [100]float32
			k.Adam(w[:], g[:], m[:], v[:], adam)
		},
		"views and weights": func(k Kernel) {
			var b buffers
			a, _, _, w, wt := matrices(&b)
			a.RowRange(1, 3).ColRange(2, 9).Row(1)[0] = 1
			k.Transpose(wt, w)
			w.Data[w.Index(3, 4)] = 1
			if WeightsLen(kk, n) != len(w.Data) || k.Name() == "" || Default().Name() == "" {
				panic("kernel: test")
			}
			var m [kk * n]float32
			w.Pack(Matrix{kk, n, n, m[:]})
			w.Unpack(Matrix{kk, n, n, m[:]})
		},
	}
	for _, k := range append(Available(), Kernel{}) {
		for what, op := range operations {
			if allocations := testing.AllocsPerRun(10, func() { op(k) }); allocations != 0 {
				t.Errorf("%s: %s: %g allocations a run", k.Name(), what, allocations)
			}
		}
	}
	requireOperations(t, "MatMul", "InputGrad", "WeightGrad", "Cross", "Transpose", "Sums", "Distance", "Residual", "Lerp", "Add", "Adam", "Sine", "Multiply")
}
