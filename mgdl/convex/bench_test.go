package convex

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/multigrade/multigrade/kernel"
)

// BenchmarkProducts measures A·W and Aᵀ·R on every implementation: in float32, as steps use
// them, and exactly, as certificates do. A flop is one of A as a dense matrix.
func BenchmarkProducts(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, shape := range []struct{ n, d, gates int }{{2000, 32, 256}, {2000, 128, 512}, {20000, 64, 256}} {
		x := random(r, shape.n, shape.d)
		g := SampleGates(x, shape.gates, kernel.Matrix{}, 1)
		for _, k := range kernel.Available() {
			if k.Name() == "generic" && testing.Short() {
				continue
			}
			d := newDesign(k, 1, prepared(x), g, 1)
			w, e := make([]float64, d.size()), make([]float64, shape.n)
			for i := range g.Len() {
				for j := range shape.d + 1 {
					w[d.at(0, i)+panel*j] = r.NormFloat64()
				}
			}
			for i := range e {
				e[i] = r.NormFloat64()
			}
			for _, product := range []struct {
				name   string
				f      func(dst []float64, s float64, v []float64)
				dst, v []float64
			}{
				{"AW", d.forward, make([]float64, shape.n), w}, {"AtR", d.adjoint, make([]float64, d.size()), e},
				{"AWexact", d.forwardExact, make([]float64, shape.n), w}, {"AtRexact", d.adjointExact, make([]float64, d.size()), e},
			} {
				b.Run(fmt.Sprintf("%s/%dx%dx%d/%s", product.name, shape.n, shape.d+1, g.Len(), k.Name()), func(b *testing.B) {
					product.f(product.dst, 1, product.v)
					b.ResetTimer()
					for range b.N {
						product.f(product.dst, 1, product.v)
					}
					flops := 2 * float64(shape.n) * float64(shape.d+1) * float64(g.Len())
					b.ReportMetric(flops*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
				})
			}
		}
	}
}

// BenchmarkGated measures whole solves of a grade on correlated features.
func BenchmarkGated(b *testing.B) {
	x, y := grade2()
	p, err := NewProblem(x, y, SampleGates(x, 256, kernel.Matrix{}, 1), Settings{})
	if err != nil {
		b.Fatal(err)
	}
	for _, share := range []float64{1e-1, 1e-2, 1e-3} {
		b.Run(fmt.Sprintf("lambda=%g", share), func(b *testing.B) {
			var s *Gated
			for range b.N {
				s, _ = p.Gated(context.Background(), share*p.LambdaMax(), nil, Options{})
			}
			b.ReportMetric(float64(s.Iterations), "iterations")
			b.ReportMetric(s.Relative(), "gap/P(0)")
		})
	}
}
