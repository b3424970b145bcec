// Package shapes lists the sizes that bench and bench/rivals measure.
package shapes

import (
	"strconv"
	"strings"
)

// Products returns the M, K and N of products: squares for comparison with other
// libraries, the layers of small networks, one row, thin layers.
func Products() [][3]int {
	return [][3]int{
		{64, 64, 64}, {128, 128, 128}, {256, 256, 256}, {512, 512, 512},
		{1024, 256, 256}, {256, 64, 64}, {16384, 64, 64}, {16384, 256, 256}, {8, 64, 64}, {8, 256, 256},
		{1, 64, 64}, {1, 128, 128}, {1, 256, 256},
		{1024, 2, 64}, {1024, 1, 256}, {1024, 64, 1},
	}
}

// Gradients returns the M, K and N of the gradients of layers.
func Gradients() [][3]int { return [][3]int{{1024, 256, 256}, {256, 64, 64}, {16384, 64, 64}} }

// Networks returns the widths of networks that predict: the cases whose targets the
// kernels were designed for. Weights of the first fit the first-level cache of most
// machines, those of the last do not.
func Networks() [][]int {
	return [][]int{{2, 64, 64, 64, 1}, {16, 128, 128, 1}, {64, 256, 256, 10}}
}

// Batches returns the numbers of rows that networks predict together.
func Batches() []int { return []int{64, 1024} }

// Trained returns the widths of networks that are trained.
func Trained() [][]int {
	return [][]int{{2, 256, 256, 256, 1}, {64, 512, 512, 1}, {16, 128, 128, 1}}
}

// Minibatches returns the numbers of rows of a training step: one for each number of slots
// that internal/backprop cuts batches into.
func Minibatches() []int { return []int{32, 256, 1024, 16384} }

// Product names a product: MxKxN.
func Product(m, k, n int) string { return join([]int{m, k, n}, "x") }

// Network names a network by its widths: 2-64-1.
func Network(widths []int) string { return join(widths, "-") }

func join(sizes []int, by string) string {
	var s []string
	for _, n := range sizes {
		s = append(s, strconv.Itoa(n))
	}
	return strings.Join(s, by)
}

// Fill sets x to pseudo-random values in [-scale, scale) and returns it: the data that
// everybody computes with, in whatever language.
func Fill(x []float32, seed uint32, scale float32) []float32 {
	s := seed*2654435761 + 1
	for i := range x {
		s = s*1664525 + 1013904223
		x[i] = float32(int32(s>>8)-1<<23) * (scale / (1 << 23))
	}
	return x
}
