package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkCall times the longest assembly calls there are: each case is one call with as
// much work as its operation ever hands over at once. While it runs the scheduler and the
// garbage collector wait, so it has to stay below 50 µs.
//
//	go test -run '^$' -bench Call ./kernel
func BenchmarkCall(b *testing.B) {
	for _, s := range [][2]int{{8, panel}, {64, panel}, {256, panel}, {1024, panel}, {32768, panel}, {2, 4096}, {784, 1}, {4096, 8}, {16, 16}} {
		k, n := s[0], s[1]
		flops := 2 * max(k, thinnest) * n
		if orderOf(k, n) == lanes {
			flops *= 2
		}
		rows := rowsPerCall(flops)
		if n == panel {
			rows = min(rows, rowsMost)
		}
		a, dst, w := NewMatrix(rows, k), NewMatrix(rows, n), NewWeights(k, n)
		each(b, fmt.Sprintf("MatMul/%dx%dx%d", rows, k, n), func(i Kernel) { i.MatMul(dst, a, w, nil, true) })
	}
	x, dy, dw := NewMatrix(gradientRows, 16), NewMatrix(gradientRows, panel), NewWeights(8, panel)
	each(b, "WeightGrad", func(i Kernel) { i.WeightGrad(dw, nil, x.ColRange(0, 8), dy, false) })
	block := rowsPerCall(4 * 16 * 16)
	p, q, cross := NewMatrix(block, 4), NewMatrix(block, 16), make([]float64, 4*16)
	each(b, "Cross", func(i Kernel) { i.Cross(cross, p, q) })
	v, u := Floats(sumBlock), Floats(sumBlock)
	each(b, "Sums", func(i Kernel) { i.Sums(v) })
	each(b, "Residual", func(i Kernel) { i.Residual(v, v, u) })
	w, g, m, s := Floats(updateBlock), Floats(updateBlock), Floats(updateBlock), Floats(updateBlock)
	step := AdamStep{Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Step: 1}
	each(b, "Adam", func(i Kernel) { i.Adam(w, g, m, s, step) })
	each(b, "Lerp", func(i Kernel) { i.Lerp(w, g, 0.5) })
}

func each(b *testing.B, name string, call func(Kernel)) {
	for _, i := range accelerated() {
		b.Run(name+"/"+isaNames[i], func(b *testing.B) {
			for range b.N {
				call(Kernel{i})
			}
		})
	}
}
