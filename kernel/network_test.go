package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// networkWidths has layers of every order, with tails; the weights of some networks are
// walked in turn forward and backward. Single layers have the caller's memory on all
// sides: there is one for every remainder of k and every number of panels.
var networkWidths = append([][]int{
	{1, 1}, {12, 40}, {64, 200}, {33, 1}, {40, 5}, {0, 3}, {7, 0, 2}, {0, 40, 3},
	{2, 64, 64, 64, 1}, {16, 128, 128, 1}, {5, 33, 9, 130, 97, 10}, {40, 96, 1, 70}, {64, 8, 8, 4}, {100, 150, 150, 20},
}, singleLayers([]int{1, 7, 8, 9, 10, 11, 12, 13, 31, 66}, []int{1, 5, 9, 16, 31, 32, 33, 64, 65, 96, 130})...)

func singleLayers(ks, ns []int) (widths [][]int) {
	for _, k := range ks {
		for _, n := range ns {
			widths = append(widths, []int{k, n})
		}
	}
	return widths
}

func networkLayers(r *rand.Rand, v filler, widths []int) (layers []Layer, matrices []Matrix) {
	for l := range len(widths) - 1 {
		b := matrix(r, v, widths[l], widths[l+1])
		y := Layer{W: packOf(b), ReLU: r.IntN(3) > 0}
		if r.IntN(4) > 0 {
			y.Bias = vector(r, v, widths[l+1])
		}
		layers, matrices = append(layers, y), append(matrices, b)
	}
	return layers, matrices
}

// TestNetworkOrder: a network has the bits of its products, run after run, and leaves
// its layers as they are.
func TestNetworkOrder(t *testing.T) {
	everyFiller(t, func(t *testing.T, k Kernel, v filler) {
		r := rand.New(rand.NewPCG(71, 1))
		for _, widths := range networkWidths {
			layers, matrices := networkLayers(r, v, widths)
			var before [][]float32
			for _, y := range layers {
				before = append(before, append([]float32(nil), y.W.Data...), append([]float32(nil), y.Bias...))
			}
			n := k.NewNetwork(layers)
			for run := range 4 {
				what := fmt.Sprintf("%v run %d", widths, run)
				a := matrix(r, v, 1, widths[0])
				x := append([]float32(nil), a.Data...)
				got := vector(r, v, widths[len(widths)-1])
				n.Run(got, x)
				for l, y := range layers {
					if l == len(layers)-1 {
						if l == 0 {
							if n.Activations() != nil {
								t.Fatalf("%s: activations of one layer", what)
							}
						} else {
							requireBits(t, what+" activations", n.Activations(), a.Data)
						}
					}
					a = textProduct(a, matrices[l], y.Bias, y.ReLU, softFMA)
				}
				requireBits(t, what, got, a.Data)
			}
			for l, y := range layers {
				requireBits(t, "weights afterwards", y.W.Data, before[2*l])
				requireBits(t, "bias afterwards", y.Bias, before[2*l+1])
			}
		}
	})
}

// TestNetworksApart: two networks may share layers and run at the same time.
func TestNetworksApart(t *testing.T) {
	everywhere(t, func(t *testing.T, k Kernel) {
		r := rand.New(rand.NewPCG(72, 1))
		layers, _ := networkLayers(r, fillers[1], []int{16, 128, 128, 1})
		x := vector(r, fillers[1], 16)
		results := make([]chan float32, 4)
		for i := range results {
			results[i] = make(chan float32)
			go func() {
				n, y := k.NewNetwork(layers), make([]float32, 1)
				for range 50 {
					n.Run(y, x)
				}
				results[i] <- y[0]
			}()
		}
		want := <-results[0]
		for _, c := range results[1:] {
			if got := <-c; got != want {
				t.Errorf("%g and %g for the same input", got, want)
			}
		}
	})
}

func TestNetworkAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("what is reported to the race detector escapes")
	}
	for _, k := range Available() {
		for _, widths := range networkWidths {
			layers, _ := networkLayers(rand.New(rand.NewPCG(73, 1)), fillers[1], widths)
			n := k.NewNetwork(layers)
			x, y := make([]float32, widths[0]), make([]float32, widths[len(widths)-1])
			if allocations := testing.AllocsPerRun(10, func() { n.Run(y, x) }); allocations != 0 {
				t.Errorf("%s: %v: %g allocations a run", k.Name(), widths, allocations)
			}
		}
	}
}
