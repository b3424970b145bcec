package kernel_test

import (
	"fmt"

	"github.com/multigrade/multigrade/kernel"
)

// A layer of a network: two rows of three inputs, two outputs with a bias, ReLU.
func ExampleKernel_MatMul() {
	var k kernel.Kernel // the implementation selected for this process

	x := kernel.Matrix{Rows: 2, Cols: 3, Stride: 3, Data: []float32{
		1, 2, 3,
		-1, 0, 1,
	}}
	w := kernel.NewWeights(3, 2)
	w.Pack(kernel.Matrix{Rows: 3, Cols: 2, Stride: 2, Data: []float32{
		1, -1,
		0, 0.5,
		2, -2,
	}})
	y := kernel.NewMatrix(2, 2)
	k.MatMul(y, x, w, []float32{0.5, 10}, true)
	for i := range y.Rows {
		fmt.Println(y.Row(i))
	}
	// Output:
	// [7.5 4]
	// [1.5 9]
}

// One step of training a network with one hidden layer: forward, the residual and its
// mean square, gradients from the top down, an update of all weights by Adam.
func ExampleKernel_Adam() {
	var k kernel.Kernel
	const rows, inputs, hidden = 4, 2, 3

	x := kernel.Matrix{Rows: rows, Cols: inputs, Stride: inputs, Data: []float32{0, 0, 0, 1, 1, 0, 1, 1}}
	target := []float32{0, 1, 1, 0}

	w1, w2 := kernel.NewWeights(inputs, hidden), kernel.NewWeights(hidden, 1)
	w1.Pack(kernel.Matrix{Rows: inputs, Cols: hidden, Stride: hidden, Data: []float32{1, -1, 0.5, -1, 1, 0.5}})
	w2.Pack(kernel.Matrix{Rows: hidden, Cols: 1, Stride: 1, Data: []float32{0.5, 0.5, -0.25}})
	b1, b2 := make([]float32, hidden), make([]float32, 1)

	y := kernel.NewMatrix(rows, hidden)
	pred, residual := kernel.NewMatrix(rows, 1), kernel.NewMatrix(rows, 1)
	w2t := kernel.NewWeights(1, hidden)
	g1, g2 := kernel.NewWeights(inputs, hidden), kernel.NewWeights(hidden, 1)
	gb1, gb2 := make([]float32, hidden), make([]float32, 1)
	moments := map[*float32][2][]float32{}
	update := func(w, g []float32, step int) {
		m, ok := moments[&w[0]]
		if !ok {
			m = [2][]float32{make([]float32, len(w)), make([]float32, len(w))}
			moments[&w[0]] = m
		}
		k.Adam(w, g, m[0], m[1], kernel.AdamStep{Rate: 0.05, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Step: step})
	}

	for step := 1; step <= 3; step++ {
		k.MatMul(y, x, w1, b1, true)
		k.MatMul(pred, y, w2, b2, false)
		// The gradient of half the squared error is prediction less target.
		loss := k.Residual(residual.Data, pred.Data, target)
		fmt.Printf("step %d: mean square %.6f\n", step, loss.Squares/rows)

		k.WeightGrad(g2, gb2, y, residual, false)
		k.Transpose(w2t, w2)
		k.InputGrad(y, residual, w2t, y) // in place: where y was 0 there is no gradient
		k.WeightGrad(g1, gb1, x, y, false)

		update(w1.Data, g1.Data, step)
		update(w2.Data, g2.Data, step)
		update(b1, gb1, step)
		update(b2, gb2, step)
	}
	// Output:
	// step 1: mean square 0.210938
	// step 2: mean square 0.093094
	// step 3: mean square 0.056590
}

// Reductions of a vector in one pass.
func ExampleKernel_Sums() {
	var k kernel.Kernel
	fmt.Printf("%+v\n", k.Sums([]float32{3, -4, 0.5}))
	// Output:
	// {Squares:25.25 Abs:7.5 Max:4}
}
