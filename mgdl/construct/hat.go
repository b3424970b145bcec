package construct

import (
	"github.com/multigrade/multigrade/kernel"
	"github.com/multigrade/multigrade/mgdl"
)

// shift is what is added to every coordinate before it enters a network: y = x + shift. It
// makes float32 a fixed-point format in which hats have no rounding error at all.
//
// For d ≥ 2 the shift is 2: y lies in [2,3], where float32 numbers are multiples of 2⁻²², and
// so is x = y − 2. On a mesh of n cells, n a power of two up to 2²², everything a hat's neurons
// add up is then a multiple of n·2⁻²²: the bias ±(2n+k), the term ±n·y and the earlier neurons,
// which are at most n together. Any partial sum of these lies within ±4n, which is 24 bits of
// that unit: exact in whatever order a kernel adds. For d = 1 there are only bias and n·y, and
// y in [1,2] with multiples of 2⁻²³ will do.
func shift(dim int) float64 {
	if dim == 1 {
		return 1
	}
	return 2
}

// A hat is a node of a mesh, in edges, with its coefficient.
type hat struct {
	k [MaxDim]int
	c float32
}

// network returns the network of dim+1 hidden layers and a readout that evaluates hats of a
// mesh with n cells along an axis: Σ c·φ. It takes inputs values, of which the first dim are the
// shifted coordinates, and its last hidden layer has them again, followed by the φ.
//
//	layer 1       P = relu(u_1)            N = relu(−u_1)              u_i = n·x_i − k_i
//	layer i ≤ d   p = relu(P)  q = relu(u_i − P)   m = relu(N)  s = relu(−u_i − N),   P := p+q, N := m+s
//	layer d+1     φ = relu(1 − P − N)
//
// It is dim + 4·hats wide, 1 + 2·hats for dim 1. Where k_i = 0 the −u_i is left out and where
// k_i = n the u_i: on the cube they are never positive, and outside of it the network has the
// value at the nearest point.
func network(dim, n, inputs int, hats []hat) mgdl.Network {
	net := make(mgdl.Network, 0, dim+2)
	per := 0 // neurons of a hat in the layer before
	for i := range dim {
		width := 4
		if i == 0 {
			width = 2
		}
		l := carry(dim, inputs, dim+width*len(hats))
		for b := range hats {
			k := hats[b].k[i]
			at, from := dim+width*b, dim+per*b
			up, down := at, at+1 // neurons that see u_i and −u_i
			if i > 0 {
				up, down = at+1, at+3
				half := per / 2 // of the neurons before add up to P, half to N
				for j := range half {
					l.W.Row(from + j)[at] = 1
					l.W.Row(from + j)[up] = -1
					l.W.Row(from + half + j)[at+2] = 1
					l.W.Row(from + half + j)[down] = -1
				}
			}
			offset := float32(n)*float32(shift(dim)) + float32(k)
			if k < n {
				l.W.Row(i)[up], l.Bias[up] = float32(n), -offset
			}
			if k > 0 {
				l.W.Row(i)[down], l.Bias[down] = -float32(n), offset
			}
		}
		net = append(net, l)
		inputs, per = l.W.Cols, width
	}
	l := carry(dim, inputs, dim+len(hats))
	out := mgdl.Layer{W: kernel.NewMatrix(dim+len(hats), 1), Bias: make([]float32, 1)}
	for b := range hats {
		for j := range per {
			l.W.Row(dim + per*b + j)[dim+b] = -1
		}
		l.Bias[dim+b] = 1
		out.W.Row(dim + b)[0] = hats[b].c
	}
	return append(net, l, out)
}

// carry returns a layer that hands on the coordinates, which are not negative.
func carry(dim, inputs, outputs int) mgdl.Layer {
	l := mgdl.Layer{W: kernel.NewMatrix(inputs, outputs), Bias: make([]float32, outputs)}
	for i := range dim {
		l.W.Row(i)[i] = 1
	}
	return l
}

// width returns the widest layer of a network of so many hats.
func width(dim, hats int) int {
	if dim == 1 {
		return 1 + 2*hats
	}
	return dim + 4*hats
}

// parameters returns those of a network of hats after one with before hats, 0 for the first.
func parameters(dim, before, hats int) int {
	k := dim + before
	n := 0
	for i := range dim {
		w := dim + 4*hats
		if i == 0 {
			w = dim + 2*hats
		}
		n += (k + 1) * w
		k = w
	}
	return n + (k+1)*(dim+hats) + dim + hats + 1
}
