package mgdl

import "github.com/multigrade/multigrade/kernel"

// width returns the widest hidden layer of n, 0 if it has none.
func (n *network) width() int {
	w := 0
	for i := range n.hidden {
		w = max(w, n.hidden[i].w.N)
	}
	return w
}

// prepare returns n for single rows.
func (n *network) prepare(k kernel.Kernel) *kernel.Network {
	var ls []kernel.Layer
	for _, l := range n.hidden {
		ls = append(ls, kernel.Layer{W: l.w, Bias: l.b, ReLU: true})
	}
	return k.NewNetwork(append(ls, kernel.Layer{W: n.out.w, Bias: n.out.b}))
}

// A runScratch holds the activations between the layers of a network.
type runScratch struct {
	rows int // rows that go through together
	buf  [2][]float32
}

// newRunScratch returns the scratch for networks whose hidden layers are at most width
// wide (network.width), rows at a time; batchRows is a good number.
func newRunScratch(rows, width int) *runScratch {
	s := &runScratch{rows: rows}
	for i := range s.buf {
		s.buf[i] = kernel.Floats(rows * width)
	}
	return s
}

// layer returns the place of rows activations of hidden layer i.
func (s *runScratch) layer(i, rows, width int) kernel.Matrix {
	return kernel.Matrix{Rows: rows, Cols: width, Stride: width, Data: s.buf[i&1][:rows*width]}
}

// run computes network n on the rows of in:
//
//	h₀ = in;  h_l = ReLU(h_{l−1}·W_l + B_l);  hiddenOut = h_last;  out = h_last·W_out + B_out
//
// in is rows × inputs, of which the previous features are the last, or all, from a chain's
// second network on; hiddenOut is rows × last hidden width and out rows × outputs. Either
// may be the zero Matrix, and is not computed then. hiddenOut may overlap in, if they are
// views of the same rows; nothing else may. A network without hidden layers leaves
// hiddenOut as it is. Nothing is allocated, and the bits do not depend on the scratch.
func (n *network) run(k kernel.Kernel, in, hiddenOut, out kernel.Matrix, s *runScratch) {
	if in.Rows <= s.rows {
		n.runRows(k, in, hiddenOut, out, s)
		return
	}
	for i := 0; i < in.Rows; i += s.rows {
		j := min(i+s.rows, in.Rows)
		h, o := hiddenOut, out
		if h.Data != nil {
			h = h.RowRange(i, j)
		}
		if o.Data != nil {
			o = o.RowRange(i, j)
		}
		n.runRows(k, in.RowRange(i, j), h, o, s)
	}
}

// runRows is run for at most s.rows rows.
func (n *network) runRows(k kernel.Kernel, in, hiddenOut, out kernel.Matrix, s *runScratch) {
	a := in
	last := len(n.hidden) - 1
	for i := range n.hidden {
		l := &n.hidden[i]
		dst := s.layer(i, in.Rows, l.w.N)
		if i == last && i > 0 && hiddenOut.Data != nil {
			dst = hiddenOut // in has been used up
		}
		k.MatMul(dst, a, l.w, l.b, true)
		a = dst
	}
	if last == 0 && hiddenOut.Data != nil {
		for i := range a.Rows {
			copy(hiddenOut.Row(i), a.Row(i))
		}
	}
	if out.Data != nil {
		k.MatMul(out, a, n.out.w, n.out.b, false)
	}
}
