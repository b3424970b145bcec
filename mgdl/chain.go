package mgdl

import (
	"context"
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// A table holds the encoded rows in the order the folds are cut from: n training rows,
// shuffled, then the rows of a holdout, if there is one.
type table struct {
	labels
	x kernel.Matrix // network inputs
	n int           // training rows
}

// shuffle puts the training rows in random order, unless ctx is done.
func (t *table) shuffle(ctx context.Context, s *stream) {
	for i := t.n - 1; i > 0; i-- {
		if i%blockRows == 0 && ctx.Err() != nil {
			return
		}
		j := s.intn(i + 1)
		swapRows(t.x, i, j)
		if t.class != nil {
			t.class[i], t.class[j] = t.class[j], t.class[i]
		} else {
			swapRows(t.y, i, j)
		}
	}
}

func swapRows(m kernel.Matrix, i, j int) {
	a, b := m.Row(i), m.Row(j)
	for k, v := range a {
		a[k], b[k] = b[k], v
	}
}

// join appends the rows of a holdout.
func (t *table) join(x, y kernel.Matrix, class []int32) {
	t.x = joinRows(t.x, x)
	if t.class != nil {
		t.class = append(t.class, class...)
	} else {
		t.y = joinRows(t.y, y)
	}
}

func joinRows(a, b kernel.Matrix) kernel.Matrix {
	m := kernel.NewMatrix(a.Rows+b.Rows, a.Cols)
	for i := range a.Rows {
		copy(m.Row(i), a.Row(i))
	}
	for i := range b.Rows {
		copy(m.Row(a.Rows+i), b.Row(i))
	}
	return m
}

// A chain is one of the independent multigrade networks whose mean is the model. It is
// trained on all training rows but those it holds out.
type chain struct {
	id   int
	held span
	// sums are its outputs so far for every row of the table: the prior, its own linear
	// map, its networks.
	sums kernel.Matrix
	// features are the last hidden activations of its latest network for every row, from
	// which a later one sees (features − center)·inverse.
	features        kernel.Matrix
	center, inverse []float32
}

// spans returns the first rows the chain is trained on, most of them at most, of a table
// of n training rows.
func (c *chain) spans(n, most int) []span {
	var spans []span
	for _, s := range [...]span{{0, min(c.held.lo, n)}, {c.held.hi, n}} {
		s.hi = min(s.hi, s.lo+most)
		if s.lo < s.hi {
			spans = append(spans, s)
			most -= s.hi - s.lo
		}
	}
	return spans
}

// standardise sets dst to what a network sees of the features of row r.
func (c *chain) standardise(dst []float32, r int) {
	h := c.features.Row(r)
	center, inverse := c.center[:len(h)], c.inverse[:len(h)]
	dst = dst[:len(h)]
	for j, v := range h {
		dst[j] = (v - center[j]) * inverse[j]
	}
}

// measure sets center and inverse so that features have mean 0 and deviation 1 over the
// n training rows. A feature that hardly varies keeps its scale. It returns early when ctx
// is done.
func (c *chain) measure(ctx context.Context, n int) {
	const flat = 1e-6 // deviation below which a feature does not vary
	width := c.features.Cols
	sums, squares := make([]float64, width), make([]float64, width)
	for i := range n {
		if i%blockRows == 0 && ctx.Err() != nil {
			return
		}
		for j, v := range c.features.Row(i) {
			sums[j] += float64(v)
			squares[j] += float64(v) * float64(v) // exact product
		}
	}
	c.center, c.inverse = make([]float32, width), make([]float32, width)
	for j := range width {
		m := sums[j] / float64(n)
		v := squares[j]/float64(n) - float64(m*m)
		c.center[j], c.inverse[j] = float32(m), 1
		if d := math.Sqrt(max(v, 0)); d > flat {
			c.inverse[j] = float32(1 / d)
		}
	}
}
