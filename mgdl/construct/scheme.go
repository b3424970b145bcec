package construct

import "math"

// A Scheme is a function on the unit cube with all its prefixes: a constant and, level by
// level, hats on finer and finer meshes in the order of their nodes. It is immutable and safe
// for concurrent use.
//
//	f_k(x) = f_0 + Σ over the first k hats of c·φ(x)
//	φ(x)   = max(0, 1 − max(0, u_1..u_d) − max(0, −u_1..−u_d)),  u = (x−z)/h
//
// Coefficients are float32 numbers and multiples of a power of two, chosen so that on meshes
// of powers of two the sums at nodes fit in 53 bits: they are exact in any order.
type Scheme struct {
	dim    int
	mode   Mode
	note   string
	start  float64
	levels []level
	final  []float64 // nodal values on the finest mesh

	estimated bool
}

// A level holds the coefficients of the nodes of a mesh.
type level struct {
	Level
	mesh mesh
	c    []float32
}

// extend adds a level without hats.
func (s *Scheme) extend(m mesh) {
	if n := len(s.levels); n > 0 {
		s.final = s.levels[n-1].mesh.refine(&m, s.final)
	} else {
		s.final = make([]float64, m.nodes)
		for z := range s.final {
			s.final[z] = s.start
		}
	}
	s.levels = append(s.levels, level{Level: Level{Mesh: m.n}, mesh: m, c: make([]float32, m.nodes)})
}

// Dim returns the number of coordinates.
func (s *Scheme) Dim() int { return s.dim }

// Mode returns how coefficients were chosen.
func (s *Scheme) Mode() Mode { return s.mode }

// Note returns what Options.Note said.
func (s *Scheme) Note() string { return s.note }

// Certified reports whether the bounds rest on a certificate that somebody vouches for, rather than
// on an estimate from samples.
func (s *Scheme) Certified() bool { return !s.estimated }

// Start returns f_0.
func (s *Scheme) Start() float64 { return s.start }

// Hats returns the number of hats.
func (s *Scheme) Hats() int {
	n := 0
	for i := range s.levels {
		n += s.levels[i].Hats
	}
	return n
}

// Levels returns what is known of each level.
func (s *Scheme) Levels() []Level {
	list := make([]Level, len(s.levels))
	for i := range list {
		list[i] = s.levels[i].Level
	}
	return list
}

// Bound returns a proven bound on |f(x) − At(x)| for all x in the cube: that of the last level
// and the rounding of At.
func (s *Scheme) Bound() float64 {
	return (s.levels[len(s.levels)-1].Bound + s.rounding()) * outward
}

// rounding bounds the error of At: each of d+1 products has a weight that is rounded once and is
// rounded itself, and there are d additions. With a mesh that is no power of two the place is
// rounded as well, by 2⁻⁵³ of n cells.
func (s *Scheme) rounding() float64 {
	const u = 0x1p-53
	m := &s.levels[len(s.levels)-1].mesh
	e := float64(float64(s.dim+3) * u * largest(s.final))
	if m.n&(m.n-1) != 0 {
		for _, g := range m.steepest(s.final) {
			e += 2 * u * g
		}
	}
	return e
}

// At returns the value of the scheme at x, by interpolation on the finest mesh: d·log d
// operations and d+1 reads, whatever the number of hats. Coordinates outside [0,1] are moved
// to the nearest end; with a NaN among them it is NaN. It allocates nothing and panics if x has not Dim values.
func (s *Scheme) At(x []float64) float64 {
	if s.check(x) {
		return math.NaN()
	}
	return s.levels[len(s.levels)-1].mesh.interpolate(s.final, x)
}

// check panics if x has a wrong length, and reports whether it has a NaN.
func (s *Scheme) check(x []float64) bool {
	if len(x) != s.dim {
		panic("construct: x has not as many values as the scheme has dimensions")
	}
	sum := 0.0
	for _, v := range x {
		sum += min(max(v, 0), 1)
	}
	return sum != sum
}

// A Grade is a run of hats of one level that a network evaluates together.
type Grade struct {
	Level       int // from 0
	first, last int // nodes: up to, not including, last
	Hats        int
}

// Grades cuts the hats of each level into runs of at most hats. It panics unless hats ≥ 1.
func (s *Scheme) Grades(hats int) []Grade {
	if hats < 1 {
		panic("construct: a grade has at least one hat")
	}
	var grades []Grade
	for j := range s.levels {
		first, n := 0, 0
		for z, c := range s.levels[j].c {
			if c == 0 {
				continue
			}
			if n == hats {
				grades = append(grades, Grade{j, first, z, n})
				first, n = z, 0
			}
			n++
		}
		if n > 0 {
			grades = append(grades, Grade{j, first, len(s.levels[j].c), n})
		}
	}
	return grades
}

// After returns the value at x of the sum up to and with grade g: f_0 and the hats up to it, added
// one by one. It costs as many steps as there are levels, and allocates nothing.
func (s *Scheme) After(g Grade, x []float64) float64 {
	if s.check(x) {
		return math.NaN()
	}
	sum := s.start
	for j := range g.Level + 1 {
		l := &s.levels[j]
		var p place
		l.mesh.locate(&p, x)
		for k := range s.dim + 1 {
			if z := p.node[k]; j < g.Level || z < g.last {
				sum += float64(float64(l.c[z]) * p.weight[k])
			}
		}
	}
	return sum
}

// AfterLevel returns the value at x of the sum up to and with level j, from 0; f_0 for −1.
func (s *Scheme) AfterLevel(j int, x []float64) float64 {
	if j < 0 {
		return s.start
	}
	return s.After(Grade{Level: j, last: math.MaxInt}, x)
}
