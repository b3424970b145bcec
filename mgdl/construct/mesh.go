package construct

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// MaxDim is the largest dimension: a cube has Dim! simplices.
const MaxDim = 8

// A mesh is the Kuhn (Freudenthal) triangulation of the unit cube with edge 1/n. A cell
// is a cube of that edge; its simplices are the paths from its lowest corner to its
// highest, one axis at a time, of which there is one for each order of the axes. The
// mesh with edge 1/(n·q) refines it for every q ≥ 1.
//
// Nodes are numbered lexicographically, the first axis slowest.
type mesh struct {
	dim, n int
	stride [MaxDim]int
	nodes  int
}

// newMesh returns the mesh, or an error if it has more than most nodes.
func newMesh(dim, n, most int) (mesh, error) {
	m := mesh{dim: dim, n: n, nodes: 1}
	for i := dim - 1; i >= 0; i-- {
		m.stride[i] = m.nodes
		hi, lo := bits.Mul64(uint64(m.nodes), uint64(n)+1)
		if hi != 0 || lo > uint64(most) {
			return mesh{}, fmt.Errorf("construct: a mesh of %d cells along each of %d axes has more than %d nodes", n, dim, most)
		}
		m.nodes = int(lo)
	}
	return m, nil
}

// h returns the edge.
func (m *mesh) h() float64 { return 1 / float64(m.n) }

// coordinates sets k to those of a node, in edges.
func (m *mesh) coordinates(k []int, node int) {
	for i := range m.dim {
		k[i] = node / m.stride[i]
		node -= k[i] * m.stride[i]
	}
}

// point sets x to the place of a node.
func (m *mesh) point(x []float64, node int) {
	for i := range m.dim {
		k := node / m.stride[i]
		node -= k * m.stride[i]
		x[i] = float64(k) / float64(m.n)
	}
}

// A place is a point of the cube in barycentric coordinates: dim+1 nodes of one simplex in
// ascending order, with weights that are not negative and sum to 1.
type place struct {
	node   [MaxDim + 1]int
	weight [MaxDim + 1]float64
}

// locate sets p to the place of x, whose coordinates outside [0,1] are moved to the
// nearest end. Where n is a power of two, n·x and its fraction are exact, so each weight
// is rounded once.
func (m *mesh) locate(p *place, x []float64) {
	var t [MaxDim]float64
	var step [MaxDim]int
	node := 0
	for i, v := range x[:m.dim] {
		v = min(max(v, 0), 1)
		v = float64(float64(m.n) * v)
		k := min(int(v), m.n-1)
		node += k * m.stride[i]
		f := v - float64(k)
		// Insertion keeps axes of equal fraction in order.
		j := i
		for ; j > 0 && t[j-1] < f; j-- {
			t[j], step[j] = t[j-1], step[j-1]
		}
		t[j], step[j] = f, m.stride[i]
	}
	above := 1.0
	for k := range m.dim {
		p.node[k], p.weight[k] = node, above-t[k]
		above = t[k]
		node += step[k]
	}
	p.node[m.dim], p.weight[m.dim] = node, above
}

// interpolate returns the piecewise linear function with the given nodal values at x:
// Σ value·weight over the simplex, in the order of the nodes.
func (m *mesh) interpolate(values, x []float64) float64 {
	var p place
	m.locate(&p, x)
	sum := 0.0
	for k := range m.dim + 1 {
		sum += float64(values[p.node[k]] * p.weight[k])
	}
	return sum
}

// refine returns the nodal values on fine, a refinement of m by q, of the piecewise linear
// function with nodal values v on m. They are exact as long as their bits fit: weights are
// multiples of 1/q.
func (m *mesh) refine(fine *mesh, v []float64) []float64 {
	q := fine.n / m.n
	out := make([]float64, fine.nodes)
	var k [MaxDim]int // of the fine node
	for node := range out {
		base := 0
		var t, step [MaxDim]int
		for i := range m.dim {
			c := min(k[i]/q, m.n-1)
			base += c * m.stride[i]
			f, j := k[i]-c*q, i
			for ; j > 0 && t[j-1] < f; j-- {
				t[j], step[j] = t[j-1], step[j-1]
			}
			t[j], step[j] = f, m.stride[i]
		}
		above, sum := q, 0.0
		for j := 0; above > 0; j++ {
			w := above
			if j < m.dim {
				w -= t[j]
			}
			if w > 0 {
				sum += float64(v[base] * (float64(w) / float64(q)))
			}
			if j == m.dim {
				break
			}
			above = t[j]
			base += step[j]
		}
		out[node] = sum
		for i := m.dim - 1; i >= 0; i-- {
			if k[i]++; k[i] <= fine.n {
				break
			}
			k[i] = 0
		}
	}
	return out
}

// simplices calls visit with the nodes of each simplex. The slice is visit's only during
// the call; an error ends the walk.
func (m *mesh) simplices(visit func(nodes []int) error) error {
	orders := permutations(m.dim)
	nodes := make([]int, m.dim+1)
	var k [MaxDim]int
	for {
		base := 0
		for i := range m.dim {
			base += k[i] * m.stride[i]
		}
		for _, order := range orders {
			nodes[0] = base
			for i, axis := range order {
				nodes[i+1] = nodes[i] + m.stride[axis]
			}
			if err := visit(nodes); err != nil {
				return err
			}
		}
		i := m.dim - 1
		for ; i >= 0; i-- {
			if k[i]++; k[i] < m.n {
				break
			}
			k[i] = 0
		}
		if i < 0 {
			return nil
		}
	}
}

// permutations returns the orders of 0..n−1.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return all
}

// steepest returns, for each axis, the largest slope of the piecewise linear function with
// nodal values v: on a simplex its gradient is made of differences along its edges that
// are parallel to axes.
func (m *mesh) steepest(v []float64) []float64 {
	slopes := make([]float64, m.dim)
	var k [MaxDim]int
	for node := range v {
		for i := range m.dim {
			if k[i] < m.n {
				slopes[i] = max(slopes[i], math.Abs(v[node+m.stride[i]]-v[node]))
			}
		}
		m.next(k[:m.dim])
	}
	for i := range slopes {
		slopes[i] *= float64(m.n)
	}
	return slopes
}

// next moves k to the next node.
func (m *mesh) next(k []int) {
	for i := m.dim - 1; i >= 0; i-- {
		if k[i]++; k[i] <= m.n {
			return
		}
		k[i] = 0
	}
}
