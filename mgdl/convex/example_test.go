package convex_test

import (
	"context"
	"fmt"

	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl/convex"
)

// The best ReLU network for seven points of a kink, of all there are, with weight decay.
func ExampleProblem_ReLU() {
	x, y := kernel.NewMatrix(7, 1), kernel.NewMatrix(7, 1)
	for i := range 7 {
		x.Data[i] = float32(i-3) / 2
		y.Data[i] = max(0, x.Data[i])
	}
	p, err := convex.NewProblem(x, y, convex.EnumerateGates(x), convex.Settings{})
	if err != nil {
		panic(err)
	}
	s, err := p.ReLU(context.Background(), 0.01*p.LambdaMax(), nil, convex.Options{Tolerance: 1e-6})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s: P %.5f, D %.5f\n", s.Scope, s.Primal, s.Dual)
	g := s.Grade()
	for _, v := range g.Predict(kernel.Kernel{}, x).Data {
		fmt.Printf("%.2f ", v)
	}
	// Output:
	// global: P 0.00493, D 0.00493
	// 0.00 0.00 0.00 0.02 0.51 0.99 1.48
}

// A grade of at most 16 units, its penalty and width chosen on validation rows.
func ExampleFit() {
	rows := func(n, from int) convex.Data {
		d := convex.Data{X: kernel.NewMatrix(n, 2), Y: kernel.NewMatrix(n, 1)}
		for i := range n {
			a, b := float32((from+7*i)%41)/20-1, float32((from+11*i)%37)/18-1
			copy(d.X.Row(i), []float32{a, b})
			d.Y.Data[i] = max(a, b)
		}
		return d
	}
	train, valid := rows(300, 0), rows(100, 3)
	f, err := convex.Fit(context.Background(), train, &valid, convex.Config{Width: 16, Gates: 64, Seed: 1})
	if err != nil {
		panic(err)
	}
	best := f.Path[f.Best]
	fmt.Println(f.Width() <= 16, best.Relative() <= 1e-3, best.ValidLoss < 1e-3, best.Scope)
	// Output: true true true optimal for this gate set
}
