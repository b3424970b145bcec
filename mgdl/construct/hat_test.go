package construct

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// hatAt is the formula of a hat.
func hatAt(dim, n int, k []int, x []float64) float64 {
	up, down := 0.0, 0.0
	for i := range dim {
		u := float64(n)*x[i] - float64(k[i])
		up, down = max(up, u), max(down, -u)
	}
	return max(0, 1-up-down)
}

// T1: the networks of all hats of a mesh add up to the interpolant, in float64 and in the float32 of a model.
func TestHatsAreTheInterpolant(t *testing.T) {
	for _, dim := range []int{1, 2, 3, 5} {
		for _, n := range []int{4, 3} {
			m, err := newMesh(dim, n, 1<<20)
			require.NoError(t, err)
			r := points(uint64(dim))
			values := make([]float64, m.nodes)
			hats := make([]hat, m.nodes)
			for z := range values {
				hats[z].c = float32(r.IntN(1<<12)-1<<11) / 64
				values[z] = float64(hats[z].c)
				m.coordinates(hats[z].k[:], z)
			}
			x := make([]float64, dim)
			for i := range 40 {
				fill(r, x)
				if i == 0 {
					clear(x)
				} else if i == 1 {
					x[0] = 1
				}
				sum, y := 0.0, make([]float64, dim)
				for j, v := range x {
					y[j] = v + shift(dim)
					x[j] = y[j] - shift(dim) // so that both see the same point
				}
				want := m.interpolate(values, x)
				for _, h := range hats {
					_, one := forward(network(dim, n, dim, []hat{h}), y)
					sum += one
				}
				if n == 4 {
					require.Equal(t, want, sum, "dim %d at %v", dim, x)
				} else {
					require.InDelta(t, want, sum, 1e-14*(1+32), "dim %d at %v", dim, x)
				}
			}
		}
	}
}

// A hat's network is as wide and as deep as it should be, carries the coordinates, is exact in float32 through the
// kernels, and is constant beyond the cube.
func TestHatNetwork(t *testing.T) {
	for _, dim := range []int{1, 2, 3, 4} {
		for _, n := range []int{1, 8, 1 << 17} {
			for _, count := range []int{1, 3, 9} {
				r := points(uint64(dim*n + count))
				hats := make([]hat, count)
				for b := range hats {
					for i := range dim {
						hats[b].k[i] = r.IntN(n + 1)
					}
					hats[b].c = 1
				}
				net := network(dim, n, dim+4, hats)
				require.Len(t, net, dim+2)
				wide, params := 0, 0
				for i, l := range net {
					if i <= dim {
						wide = max(wide, l.W.Cols)
					}
					params += (l.W.Rows + 1) * l.W.Cols
				}
				if dim > 1 {
					require.Equal(t, dim+4*count, wide)
				} else {
					require.Equal(t, 1+2*count, wide)
				}
				require.Equal(t, width(dim, count), wide)
				require.Equal(t, parameters(dim, 4, count), params)

				first := network(dim, n, dim, hats)
				m, err := mgdl.NewModel((&Scheme{dim: dim, levels: []level{{mesh: mesh{dim: dim, n: 1}}}}).schema(columnNames(dim), 1),
					[]float32{0}, []mgdl.Grade{{Networks: []mgdl.Network{first}, TrainLoss: math.NaN(), ValLoss: math.NaN()}})
				require.NoError(t, err)
				p := m.NewPredictor()
				x, y := make([]float64, dim), make([]float64, dim)
				for i := range 30 {
					for j := range x {
						near := float64(hats[0].k[j])/float64(n) + (r.Float64()-0.5)*2.2/float64(n)
						if i%3 == 0 {
							near = r.Float64()*1.4 - 0.2 // beyond the cube too
						}
						x[j] = float64(float32(near+shift(dim))) - shift(dim) // what float32 sees of it
						y[j] = min(max(x[j], 0), 1)
					}
					want := 0.0
					for _, h := range hats {
						want += hatAt(dim, n, h.k[:], y)
					}
					want = min(max(want, -1), 1) // the schema's range here
					require.InDelta(t, want, p.Predict(nil, x)[0], float64(count)*0x1p-24, "dim %d n %d at %v", dim, n, x)
				}
				for j := range x {
					y[j] = r.Float64() + shift(dim)
				}
				features, _ := forward(first, y)
				require.Equal(t, y, features[:dim])
			}
		}
	}
}

// Outside of its support a hat is exactly 0, in float32 as well: other regions keep their bits.
func TestHatVanishesOutside(t *testing.T) {
	const n = 64
	h := hat{c: 3}
	h.k[0], h.k[1] = 20, 33
	net := network(2, n, 2, []hat{h})
	m, err := mgdl.NewModel((&Scheme{dim: 2, levels: []level{{mesh: mesh{dim: 2, n: 1}}}}).schema(columnNames(2), 1),
		[]float32{0}, []mgdl.Grade{{Networks: []mgdl.Network{net}, TrainLoss: math.NaN(), ValLoss: math.NaN()}})
	require.NoError(t, err)
	p := m.NewPredictor()
	r, x, seen := points(1), make([]float64, 2), 0
	for range 20000 {
		fill(r, x)
		y := []float64{float64(float32(x[0]+2)) - 2, float64(float32(x[1]+2)) - 2}
		if hatAt(2, n, h.k[:], y) == 0 {
			seen++
			require.Zero(t, p.Predict(nil, x)[0])
		}
	}
	require.Greater(t, seen, 10000)
}
