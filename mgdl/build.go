package mgdl

import (
	"fmt"
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// A Layer maps a row x of K values to x·W + Bias, N values: W is K×N, Bias has N values.
type Layer struct {
	W    kernel.Matrix
	Bias []float32
}

// A Network is one chain's part of a grade: hidden layers, each followed by the grade's
// activation, and the readout as the last.
type Network []Layer

// A Grade is one summand of a model: the mean of its networks, one a chain. What is not
// known of its losses should be NaN.
type Grade struct {
	Networks           []Network
	TrainLoss, ValLoss float64 // see GradeInfo
}

// NewModel returns the model with these weights, which are copied: one that was constructed
// rather than trained. In standardised units its prediction is
//
//	prior + Σ_g mean over the networks of grade g
//
// The first network of a chain takes the inputs that schema makes of a row. A network of a
// later grade takes the last hidden activations of the same chain's previous network, or the
// inputs followed by them: its first layer's number of rows says which. A network of a
// single layer is linear and takes the inputs; its grade has no other, and adds to all
// chains. Apart from linear ones, all grades have the same number of networks, and all
// networks of a grade the same widths.
//
// The statistics of schema's columns have to be set. Mean 0 and Scale 1, with Clip 0, leave
// numbers as they are; predictions are clamped to Min and Max of their target.
//
// It returns an error if shapes do not fit together or a number is not finite.
func NewModel(schema Schema, prior []float32, grades []Grade) (*Model, error) {
	own := make([]grade, len(grades))
	for i, g := range grades {
		own[i].info.TrainLoss, own[i].info.ValLoss = g.TrainLoss, g.ValLoss
		for e, n := range g.Networks {
			network, err := n.pack()
			if err != nil {
				return nil, fmt.Errorf("mgdl: grade %d: network %d%w", i+1, e, err)
			}
			own[i].networks = append(own[i].networks, network)
		}
	}
	p := make([]float32, len(prior))
	copy(p, prior)
	return newModel(schema.clone(), p, GradeInfo{TrainLoss: math.NaN(), ValLoss: math.NaN()}, own, nil)
}

// pack returns n in the kernel's layout.
func (n Network) pack() (network, error) {
	if len(n) == 0 {
		return network{}, fmt.Errorf(" has no layers")
	}
	layers := make([]layer, len(n))
	for i, l := range n {
		m := l.W
		if m.Rows < 1 || m.Cols < 1 || m.Stride < m.Cols || len(m.Data) < (m.Rows-1)*m.Stride+m.Cols {
			return network{}, fmt.Errorf(", layer %d: %d×%d weights at stride %d in %d values", i, m.Rows, m.Cols, m.Stride, len(m.Data))
		}
		layers[i] = layer{kernel.NewWeights(m.Rows, m.Cols), kernel.Floats(len(l.Bias))}
		layers[i].w.Pack(m)
		copy(layers[i].b, l.Bias)
	}
	return network{hidden: layers[:len(layers)-1], out: layers[len(layers)-1]}, nil
}
