package construct

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// A Mode is a way to choose the coefficients of the hats.
type Mode int

const (
	// Auto takes what gives the best bound on a mesh: with a curvature bound Minorant where the
	// certificate has a lower bound and Majorant where it has an upper one; otherwise Lipschitz
	// with a Lipschitz bound and Oscillation with a modulus.
	Auto Mode = iota
	// Oscillation takes hats as large as the caps allow, from a constant start (theorem A).
	Oscillation
	// Lipschitz is Oscillation with a limit on slopes (theorem B).
	Lipschitz
	// Minorant rises to f from below (theorem C).
	Minorant
	// Majorant falls to f from above.
	Majorant
	// Interpolate takes r itself: the interpolant of f on each mesh, the best rate for the
	// mesh, but not monotone.
	Interpolate
)

var modeNames = [...]string{"auto", "oscillation", "lipschitz", "minorant", "majorant", "interpolate"}

func (m Mode) String() string {
	if m < 0 || int(m) >= len(modeNames) {
		return fmt.Sprintf("mode %d", int(m))
	}
	return modeNames[m]
}

// ParseMode is the inverse of String.
func ParseMode(s string) (Mode, error) {
	for m, name := range modeNames {
		if s == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("construct: unknown mode %q", s)
}

// Options say what to build. Dim and Eps must be set.
type Options struct {
	Dim         int     // 1 to MaxDim
	Eps         float64 // build until the proven bound is not above it
	Certificate Certificate
	Mode        Mode
	Start       float64     // f_0 of Oscillation, Lipschitz and Interpolate
	First       int         // cells along an axis on the coarsest mesh; 0: chosen
	Factor      int         // edge of a mesh over that of the next, 2 or more; 0: 4 for Dim 1, else 2
	MaxNodes    int         // of the finest mesh; 0: 1<<23
	Note        string      // what the scheme's file says of it, as the formula of f
	Progress    func(Level) // called after each level
}

// A Level is what is known of one mesh of a scheme. Bounds are on |f − f_j| over the whole
// cube, f_j being the sum up to and with this level in exact arithmetic.
type Level struct {
	Mesh       int     // cells along an axis
	Hats       int     // nodes with a coefficient that is not 0
	Largest    float64 // of |coefficients|
	Apriori    float64 // by the theorem
	Posteriori float64 // by the residuals at the nodes: max|r| + bound on |f − I_h f|
	Bound      float64 // the least of both and, unless Mode is Interpolate, that of the level before
	Nodal      float64 // max|r| at the nodes
}

// ErrEps is matched by the errors of Build when the allowed meshes are too coarse for Eps.
var ErrEps = errors.New("construct: eps needs a finer mesh than is allowed")

// Build constructs a scheme for f: hats on finer and finer meshes, until the bound that o's
// certificate proves is at most o.Eps.
//
// It returns a *CertificateError if values of f disprove the certificate, an error that
// matches ErrEps if the meshes would get too large, and ctx's when that ends. Meshes are
// powers of two unless First or Factor are not; only then are nodal values exact sums. It
// evaluates f once at every node of the finest mesh and takes some 60 bytes for each.
func Build(ctx context.Context, f Func, o Options) (*Scheme, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	b := &builder{Options: o, f: f}
	probe, err := newMesh(o.Dim, []int{0, 64, 16, 8, 4, 2, 2, 2, 1}[o.Dim], math.MaxInt32)
	if err != nil {
		return nil, err
	}
	seen, err := b.evaluate(ctx, &probe, nil, nil)
	if err != nil {
		return nil, err
	}
	if b.Certificate.Noise == 0 {
		b.Certificate.Noise = largest(seen) * 0x1p-40
	}
	if err := b.plan(seen); err != nil {
		return nil, err
	}
	for exponent := exponentOf(2 * max(largest(seen), math.Abs(b.startGuess()))); ; exponent++ {
		s, err := b.build(ctx, exponent)
		if err != errMagnitude {
			return s, err
		}
	}
}

// complete checks o and sets what is left to choose.
func (o *Options) complete() error {
	if o.Dim < 1 || o.Dim > MaxDim {
		return fmt.Errorf("construct: the dimension is %d, want 1 to %d", o.Dim, MaxDim)
	}
	if !(o.Eps > 0) || math.IsInf(o.Eps, 0) {
		return fmt.Errorf("construct: eps is %v, want a positive number", o.Eps)
	}
	if math.IsNaN(o.Start) || math.IsInf(o.Start, 0) {
		return fmt.Errorf("construct: the start is %v", o.Start)
	}
	if o.Factor == 0 {
		o.Factor = 2
		if o.Dim == 1 {
			o.Factor = 4
		}
	}
	if o.Factor < 2 || o.First < 0 || o.MaxNodes < 0 {
		return fmt.Errorf("construct: factor %d, first mesh %d, at most %d nodes: want a factor of 2 or more and nothing negative",
			o.Factor, o.First, o.MaxNodes)
	}
	if o.MaxNodes == 0 {
		o.MaxNodes = 1 << 23
	}
	c := &o.Certificate
	if err := c.check(); err != nil {
		return err
	}
	if o.Mode == Auto {
		switch {
		case c.Curvature > 0 && c.Lower != nil:
			o.Mode = Minorant
		case c.Curvature > 0 && c.Upper != nil:
			o.Mode = Majorant
		case c.Lipschitz > 0:
			o.Mode = Lipschitz
		default:
			o.Mode = Oscillation
		}
	}
	switch {
	case c.Lipschitz == 0 && c.Curvature == 0 && c.Modulus == nil:
		return errors.New("construct: the certificate says nothing of how f varies: it needs a Lipschitz bound, a modulus or a curvature bound")
	case o.Mode == Minorant && c.Lower == nil:
		return errors.New("construct: a minorant needs a lower bound of f")
	case o.Mode == Majorant && c.Upper == nil:
		return errors.New("construct: a majorant needs an upper bound of f")
	case o.Mode == Lipschitz && c.Lipschitz == 0:
		return errors.New("construct: mode lipschitz needs a Lipschitz bound")
	case o.Mode == Oscillation && c.Lipschitz == 0 && c.Modulus == nil:
		return errors.New("construct: a curvature bound alone needs a lower or upper bound of f beside it: " +
			"where f changes its sign nothing can be built from a constant")
	}
	return nil
}

// A builder builds one scheme.
type builder struct {
	Options
	f       Func
	meshes  []int     // planned
	margins []float64 // of Minorant and Majorant: μ_j
}

// envelope returns 1 for a minorant, −1 for a majorant and 0 otherwise.
func (b *builder) envelope() float64 {
	switch b.Mode {
	case Minorant:
		return 1
	case Majorant:
		return -1
	}
	return 0
}

// gap returns E, the bound on |f − I_h f| that the theorem of b's mode works with: for an
// envelope that of one claim alone, so that it falls by a constant factor from mesh to mesh.
func (b *builder) gap(n int) float64 {
	c := b.Certificate
	if b.envelope() != 0 && c.Curvature > 0 {
		c.Lipschitz, c.Modulus = 0, nil
	} else if b.envelope() != 0 && c.Lipschitz > 0 {
		c.Modulus = nil
	}
	return c.interpolation(b.Dim, 1/float64(n))
}

// tail returns τ, where Σ_{i>j} E_i = τ·E_j for any number of further levels; 0 if there is no
// such number because only a modulus is known.
func (b *builder) tail() float64 {
	q := float64(b.Factor)
	switch c := &b.Certificate; {
	case c.Curvature > 0:
		return 1 / (q*q - 1)
	case c.Lipschitz > 0:
		return 1 / (q - 1)
	}
	return 0
}

// promise returns the bound that the theorem gives on a mesh of n cells along an axis, but for
// noise and rounding; for Oscillation and Lipschitz the one that a single sweep gives.
func (b *builder) promise(n int) float64 {
	h := 1 / float64(n)
	switch b.Mode {
	case Minorant, Majorant:
		return (2 + b.tail()) * b.gap(n)
	case Lipschitz:
		return 4 * b.Certificate.Lipschitz * float64(b.Dim) * h
	case Oscillation:
		return 2 * b.Certificate.oscillation(b.Dim, h)
	}
	return b.gap(n)
}

// plan chooses the meshes: the finest is the coarsest of First·Factor^j, or else of the powers
// of two, that promises Eps; from there down by Factor as long as a mesh resolves anything of
// f, of which seen holds some values. Oscillation and Lipschitz get a few meshes more: they
// stop when the bound that the residuals prove is small enough.
func (b *builder) plan(seen []float64) error {
	b.meshes, b.margins = nil, nil
	open := b.Mode == Oscillation || b.Mode == Lipschitz
	fits := func(n int) bool {
		if _, err := newMesh(b.Dim, n, b.MaxNodes); err != nil || n > 1<<22 { // so that hats are exact in float32
			return false
		}
		return !open || simplexCount(b.Dim, n) <= maxSimplices
	}
	first, ratio := 1, 2
	if b.First > 0 {
		first, ratio = b.First, b.Factor
	}
	if !fits(first) {
		return fmt.Errorf("%w: %d cells along an axis at first, %d nodes allowed", ErrEps, first, b.MaxNodes)
	}
	last := first
	for b.promise(last) > b.Eps && fits(last*ratio) {
		last *= ratio
	}
	p := b.promise(last)
	if open { // what residuals can prove at best
		p = min(p, b.gap(last))
	}
	if p > b.Eps {
		return fmt.Errorf("%w: %d cells along each of %d axes, the most for %d nodes, promise %.3g", ErrEps, last, b.Dim, b.MaxNodes, p)
	}
	b.meshes = []int{last}
	if b.First > 0 {
		for n := last / b.Factor; n >= first; n /= b.Factor {
			b.meshes = append([]int{n}, b.meshes...)
		}
	} else {
		for n := last; n%b.Factor == 0 && b.resolves(n/b.Factor, seen); {
			n /= b.Factor
			b.meshes = append([]int{n}, b.meshes...)
		}
	}
	for range 2 {
		if open && fits(last*b.Factor) {
			last *= b.Factor
			b.meshes = append(b.meshes, last)
		}
	}
	return nil
}

// maxSimplices bounds the work that caps take on a mesh: some seconds.
const maxSimplices = 1 << 28

// simplexCount returns d!·n^d.
func simplexCount(dim, n int) float64 {
	count := 1.0
	for i := range dim {
		count *= float64(i+1) * float64(n)
	}
	return count
}

// resolves says whether a mesh of n cells along an axis is fine enough for hats of some size.
func (b *builder) resolves(n int, seen []float64) bool {
	lo, hi := seen[0], seen[0]
	away := 0.0
	for _, v := range seen {
		lo, hi = min(lo, v), max(hi, v)
		away = max(away, math.Abs(v-b.Start))
	}
	if b.Mode == Oscillation || b.Mode == Lipschitz {
		return b.Certificate.oscillation(b.Dim, 1/float64(n)) < away
	}
	return b.gap(n) < (hi-lo)/4
}

// startGuess is about where the scheme starts.
func (b *builder) startGuess() float64 {
	e := float64(b.gap(b.meshes[0]) * float64(len(b.meshes)+2))
	switch b.Mode {
	case Minorant:
		return math.Abs(*b.Certificate.Lower) + e
	case Majorant:
		return math.Abs(*b.Certificate.Upper) + e
	}
	return b.Start
}

// errMagnitude says that a value was not below 2^exponent.
var errMagnitude = errors.New("construct: magnitude")

// build builds the scheme of the planned meshes if all values are below 2^exponent.
func (b *builder) build(ctx context.Context, exponent int) (*Scheme, error) {
	last := b.meshes[len(b.meshes)-1]
	// Coefficients are multiples of grid. Weights of coarse hats at fine nodes are multiples of
	// 1/n, so nodal values are multiples of grid/n below 2^exponent: they fit in 53 bits.
	grid := math.Ldexp(1, exponent-53+exponentOf(float64(last)))
	limit := math.Ldexp(1, exponent)
	// Computed residuals are within the noise of the true ones, at the node a cap is for, at the two
	// that an oscillation is measured between, and at the point where somebody looks.
	slack := 4*b.Certificate.Noise + limit*0x1p-48
	s := &Scheme{dim: b.Dim, mode: b.Mode, note: b.Note, estimated: b.Certificate.Estimated}
	s.start = b.begin(slack, grid)
	var values []float64
	var before *mesh
	for j, n := range b.meshes {
		m, err := newMesh(b.Dim, n, b.MaxNodes)
		if err != nil {
			return nil, err
		}
		if values, err = b.evaluate(ctx, &m, before, values); err != nil {
			return nil, err
		}
		if largest(values) >= limit || math.Abs(s.start) >= limit {
			return nil, errMagnitude
		}
		if err := b.Certificate.disprove(&m, values); err != nil {
			return nil, err
		}
		s.extend(m)
		if err := b.level(ctx, s, values, j, slack, grid); err != nil {
			return nil, err
		}
		l := s.levels[j].Level
		if b.Progress != nil {
			b.Progress(l)
		}
		if l.Bound <= b.Eps {
			break
		}
		before = &s.levels[j].mesh
	}
	l := s.levels[len(s.levels)-1].Level
	if l.Bound > b.Eps {
		return nil, fmt.Errorf("%w: the bound is %.3g with %d cells along each of %d axes, and %d nodes are allowed",
			ErrEps, l.Bound, l.Mesh, b.Dim, b.MaxNodes)
	}
	return s, nil
}

// begin sets the margins and returns f_0.
//
// An envelope keeps s·r ≥ μ_j − E_j − slack after level j, and needs that to be μ_{j+1} or
// more, so that no coefficient of the next level is negative: μ_j = E_j + slack + μ_{j+1}.
// Where E falls by a constant factor the margins leave room for any number of levels.
func (b *builder) begin(slack, grid float64) float64 {
	s := b.envelope()
	if s == 0 {
		return math.Round(b.Start/grid) * grid
	}
	tau := b.tail()
	b.margins = make([]float64, len(b.meshes))
	sum := 0.0
	for j := len(b.meshes) - 1; j >= 0; j-- {
		e := b.gap(b.meshes[j])
		sum += e
		b.margins[j] = sum
		if tau > 0 {
			b.margins[j] = float64((1 + tau) * e * outward)
		}
		b.margins[j] += float64(slack * float64(len(b.meshes)-j))
	}
	edge := *b.bound()
	// Rounded away from f.
	return s * math.Floor((s*edge-b.margins[0]-slack)/grid) * grid
}

// bound returns the bound of f that an envelope starts from.
func (b *builder) bound() *float64 {
	if b.Mode == Majorant {
		return b.Certificate.Upper
	}
	return b.Certificate.Lower
}

// level chooses the coefficients of the last level of s, number j.
func (b *builder) level(ctx context.Context, s *Scheme, f []float64, j int, slack, grid float64) error {
	l := &s.levels[j]
	m, F := &l.mesh, s.final
	h := m.h()
	r := make([]float64, len(f))
	for z := range r {
		r[z] = f[z] - F[z]
	}
	lim := limits{b.Certificate.oscillation(b.Dim, h), b.Certificate.interpolation(b.Dim, h), slack}
	c, apriori, err := b.coefficients(ctx, m, f, F, r, j, lim)
	if err != nil {
		return err
	}
	cut := 0.0
	for z, v := range c {
		t := truncate(v, grid)
		cut = max(cut, math.Abs(v-float64(t)))
		l.c[z] = t
		if t != 0 {
			l.Hats++
			l.Largest = max(l.Largest, math.Abs(float64(t)))
		}
		F[z] += float64(t)
		l.Nodal = max(l.Nodal, math.Abs(f[z]-F[z]))
	}
	l.Apriori = (apriori + slack + cut) * outward
	l.Posteriori = (l.Nodal + lim.interpolation + slack) * outward
	l.Bound = min(l.Apriori, l.Posteriori)
	if j > 0 && b.Mode != Interpolate {
		l.Bound = min(l.Bound, s.levels[j-1].Bound)
	}
	return nil
}

// coefficients returns them for level j before truncation, and the bound of the theorem.
func (b *builder) coefficients(ctx context.Context, m *mesh, f, F, r []float64, j int,
	lim limits) (c []float64, apriori float64, err error) {
	switch s := b.envelope(); {
	case s != 0:
		mu := b.margins[j]
		c := make([]float64, len(r))
		for z, v := range r {
			if c[z] = s * (float64(s*v) - mu); s*c[z] < 0 {
				return nil, 0, b.notAbove(m, f, z, s*v, mu)
			}
		}
		return c, mu + b.gap(m.n), nil
	case b.Mode == Interpolate:
		return r, lim.interpolation, nil
	}
	c, delta, err := caps(ctx, m, f, F, r, lim)
	if err != nil || b.Mode == Oscillation {
		return c, 2 * delta, err
	}
	limitSlopes(m, F, c, float64(b.Certificate.Lipschitz*m.h()))
	return c, 2 * delta, nil
}

// notAbove says that an envelope has met f.
func (b *builder) notAbove(m *mesh, f []float64, z int, r, mu float64) error {
	x := make([]float64, m.dim)
	m.point(x, z)
	return &CertificateError{Claim: "certificate", Points: [][]float64{x}, Values: []float64{f[z]},
		Why: fmt.Sprintf("the distance to the %v is %v there and cannot be less than %v", b.Mode, r, mu)}
}

// evaluate returns f at the nodes of m. Values at the nodes of before, which m refines, are
// taken over; both may be nil.
func (b *builder) evaluate(ctx context.Context, m, before *mesh, known []float64) ([]float64, error) {
	out := make([]float64, m.nodes)
	x := make([]float64, m.dim)
	var k [MaxDim]int
	q := 0
	if before != nil {
		q = m.n / before.n
	}
	for node := range out {
		if node%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		old, nested := 0, q > 0
		for i := range m.dim {
			x[i] = float64(k[i]) / float64(m.n)
			if nested {
				nested = k[i]%q == 0
				old += k[i] / q * before.stride[i]
			}
		}
		if nested {
			out[node] = known[old]
		} else {
			out[node] = b.f(x)
		}
		if v := out[node]; v-v != 0 {
			return nil, fmt.Errorf("construct: f(%s) is %v", pointText(x), v)
		}
		m.next(k[:m.dim])
	}
	return out, nil
}

// truncate returns c rounded toward 0 to a multiple of grid, a power of two, with 24 bits.
func truncate(c, grid float64) float32 {
	c = math.Trunc(c/grid) * grid
	t := float32(c)
	if math.Abs(float64(t)) > math.Abs(c) {
		t = math.Nextafter32(t, 0)
	}
	return t
}

func largest(x []float64) float64 {
	most := 0.0
	for _, v := range x {
		most = max(most, math.Abs(v))
	}
	return most
}

// exponentOf returns the least e with x ≤ 2^e, for x ≥ 0; at least −100.
func exponentOf(x float64) int {
	f, e := math.Frexp(x)
	if f == 0.5 {
		e--
	}
	if x == 0 {
		e = -100
	}
	return max(e, -100)
}
