// Command awkward looks for shapes of MatMul that cost much more than the next larger one
// that fills the tiles: cliffs.
//
//	go run ./bench/awkward [-over 1.15] [-worst 20]
//
// It times all combinations of rows, inputs and outputs on both sides of every tile's edge,
// each against rows rounded up to a multiple of six (eight for narrow readouts of many
// inputs) and outputs to a multiple of 32 (16 where there are no more), and prints how many
// cost more than so many times that, and the worst. MGDL_KERNEL chooses the implementation.
package main

import (
	"flag"
	"fmt"
	"slices"
	"time"

	"github.com/multigrade/multigrade/kernel"
)

var (
	rows    = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65}
	inputs  = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 97, 101, 784}
	outputs = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 31, 32, 33, 53, 65, 96, 127, 200}
)

type shape struct{ m, k, n int }

func (s shape) String() string { return fmt.Sprintf("%dx%dx%d", s.m, s.k, s.n) }

// full returns the next shape that fills the tiles.
func (s shape) full() shape {
	switch {
	case s.n == 1 || s.n <= 8 && s.k >= 32:
		return shape{up(s.m, 8), s.k, s.n}
	case s.n <= 16:
		return shape{up(s.m, 6), s.k, 16}
	default:
		return shape{up(s.m, 6), s.k, up(s.n, 32)}
	}
}

func up(n, to int) int { return (n + to - 1) / to * to }

func main() {
	over := flag.Float64("over", 1.15, "`ratio` from which a shape counts")
	worst := flag.Int("worst", 20, "`shapes` to print")
	flag.Parse()

	costs := map[shape]float64{}
	cost := func(s shape) float64 {
		if _, ok := costs[s]; !ok {
			costs[s] = fastest(s)
		}
		return costs[s]
	}
	type cliff struct {
		s     shape
		ratio float64
	}
	var cliffs []cliff
	count, long, longOver := 0, 0, 0
	for _, k := range inputs {
		for _, n := range outputs {
			for _, m := range rows {
				s := shape{m, k, n}
				c := cliff{s, cost(s) / cost(s.full())}
				count++
				if cost(s) >= 500 {
					long++
				}
				if c.ratio > *over {
					cliffs = append(cliffs, c)
					if cost(s) >= 500 {
						longOver++
					}
				}
			}
		}
	}
	fmt.Printf("%s: %d of %d shapes cost more than %g times the next full one; of those that take 500 ns and more, %d of %d\n\n",
		kernel.Default().Name(), len(cliffs), count, *over, longOver, long)
	slices.SortFunc(cliffs, func(a, b cliff) int {
		if a.ratio > b.ratio {
			return -1
		}
		return 1
	})
	fmt.Printf("%-12s %8s   %-12s %8s  ratio\n", "shape", "ns", "full", "ns")
	for _, c := range cliffs[:min(*worst, len(cliffs))] {
		fmt.Printf("%-12v %8.0f   %-12v %8.0f  %.2f\n", c.s, cost(c.s), c.s.full(), cost(c.s.full()), c.ratio)
	}
}

// fastest returns the ns of one product: the least of several samples of about 20 µs.
func fastest(s shape) float64 {
	var k kernel.Kernel
	// Room behind every operand: what lies at the end of memory is slower to mask.
	a, dst, w, bias := kernel.NewMatrix(s.m+1, s.k+16), kernel.NewMatrix(s.m+1, s.n+16), kernel.NewWeights(s.k, s.n), kernel.Floats(s.n+16)
	a.Rows, a.Cols, a.Stride = s.m, s.k, s.k
	dst.Rows, dst.Cols, dst.Stride = s.m, s.n, s.n
	call := func(n int) time.Duration {
		start := time.Now()
		for range n {
			k.MatMul(dst, a, w, bias[:s.n], true)
		}
		return time.Since(start)
	}
	n := 1
	for n < 1<<16 && call(n) < 10*time.Microsecond {
		n *= 2
	}
	best := call(n)
	for range 9 {
		best = min(best, call(n))
	}
	return float64(best.Nanoseconds()) / float64(n)
}
