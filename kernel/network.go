package kernel

// A Layer maps a row x to x·W + Bias, followed by ReLU if ReLU is set. Bias has W.N values
// or is nil.
type Layer struct {
	W    Weights
	Bias []float32
	ReLU bool
}

// A Network evaluates layers one after the other for single rows, with the bits MatMul
// gives. Everything that can be decided beforehand is, so that a small network costs
// little more than its multiply-adds. The layers are shared with the caller and must not
// change; the activations are the Network's own, so it must not be used by two goroutines
// at once.
type Network struct {
	isa         isa
	x, y        []float32 // input and output
	activations []float32 // input of the last layer, nil if that is the first
	layers      [][]step
	backward    bool // walk the steps of a layer from the last to the first
	alternate   bool
}

// A step is one call of a tile: a panel, or two of them.
type step struct {
	order order
	far   int // bytes to the second panel; 0 if there is none
	t     productTile
}

// Weights of this many bytes are walked in turn forward and backward: then what the
// first-level cache still holds from the last row is used first. Smaller ones stay there
// anyway, of larger ones hardly anything does (bench, Network).
const (
	alternateAbove = 40 << 10
	alternateBelow = 160 << 10
)

// NewNetwork prepares layers, of which each takes what the one before it gives. There must
// be at least one.
func (k Kernel) NewNetwork(layers []Layer) *Network {
	if len(layers) == 0 {
		panic("kernel: network without layers")
	}
	n := &Network{isa: k.resolve(), x: Floats(layers[0].W.K)}
	size := 0
	for l := range layers {
		size += 4 * len(layers[l].W.Data)
	}
	n.alternate = size > alternateAbove && size < alternateBelow
	a := n.x
	for l := range layers {
		y := &layers[l]
		y.W.check()
		if l > 0 && y.W.K != layers[l-1].W.N {
			panic("kernel: columns of a differ from rows of weights")
		}
		if y.Bias != nil && len(y.Bias) != y.W.N {
			panic("kernel: length of bias differs from columns of weights")
		}
		if l > 0 {
			n.activations = a
		}
		n.y = Floats(y.W.N)
		n.layers = append(n.layers, n.steps(y, n.y, a))
		a = n.y
	}
	return n
}

// steps returns the calls for one layer from a to dst.
func (n *Network) steps(y *Layer, dst, a []float32) []step {
	ord, cols := orderOf(y.W.K, y.W.N), panel
	if ord == lanes || wide(n.isa, ord) {
		cols = y.W.N
	}
	at := func(from, count int) step {
		s := step{order: ord, t: productTile{dst: dst[from:], a: a, w: y.W.Data[from*y.W.K:], rows: 1, k: y.W.K, n: count, relu: y.ReLU}}
		if y.Bias != nil {
			s.t.bias = y.Bias[from:]
		}
		return s
	}
	var steps []step
	from := 0
	pair := 2 * 4 * panel * y.W.K
	if panels := (y.W.N + panel - 1) / panel; ord == twoChains && paired(n.isa) && !(n.alternate && pair > nearestBytes()*3/4) {
		// Two panels at a time that lie far apart: their streams then share no page. But a
		// pair that fills the first-level cache would leave nothing there for the way back.
		apart := panels / 2 * panel
		for ; from < apart; from += panel {
			s := at(from, min(panel, y.W.N-from-apart))
			s.far, s.t.ldd = 4*apart*y.W.K, apart
			steps = append(steps, s)
		}
		from = 2 * apart
	}
	for ; from < y.W.N; from += cols {
		steps = append(steps, at(from, min(cols, y.W.N-from)))
	}
	return steps
}

// Run sets dst to the output for the row x. x has as many values as the first layer has
// inputs, dst as many as the last has outputs; dst may be x, but must not overlap
// Activations.
func (n *Network) Run(dst, x []float32) {
	if len(x) != len(n.x) {
		panic("kernel: columns of a differ from rows of weights")
	}
	if len(dst) != len(n.y) {
		panic("kernel: shape of dst is not rows of a by columns of weights")
	}
	if overlap(dst, n.activations) {
		panic("kernel: dst overlaps an operand")
	}
	if raceEnabled {
		n.race(dst, x)
	}
	copy(n.x, x)
	for _, steps := range n.layers {
		for i := range steps {
			if n.backward {
				i = len(steps) - 1 - i
			}
			s := &steps[i]
			if s.far == 0 {
				singleOn(n.isa, s.order, &s.t)
			} else {
				pairOn(n.isa, &s.t, s.far)
			}
		}
	}
	n.backward = n.alternate && !n.backward
	copy(dst, n.y)
}

// Activations returns the input of the last layer in the latest Run, nil if that is the
// only one. It is valid until the next Run.
func (n *Network) Activations() []float32 { return n.activations }

func (n *Network) race(dst, x []float32) {
	raceReadSlice(x)
	raceWriteSlice(dst)
	for _, steps := range n.layers {
		for i := range steps {
			raceReadSlice(steps[i].t.w)
			raceReadSlice(steps[i].t.bias)
		}
	}
}
