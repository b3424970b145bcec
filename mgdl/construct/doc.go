// Package construct builds multigrade networks without training, with proven bounds on what they leave over.
//
// For a continuous f on the unit cube Q = [0,1]^d it makes a ReLU network of fixed width, grade by grade,
// such that at every point of Q no grade raises |f − f_k|, that this residual goes to zero uniformly, with
// explicit bounds, and that every grade with a coefficient other than 0 lowers every L^p norm of it. Build
// makes a Scheme; Scheme.At evaluates it in float64, Scheme.Model makes an mgdl.Model of it, Check looks for
// contradictions at random points.
//
// # Meshes and hats
//
// T_h, h = 1/n, is the Kuhn triangulation of Q: each cube of edge h is cut into d! simplices, whose vertices
// lie on a path from its lowest corner to its highest that goes along one axis at a time. It is cut out by
// the planes x_i = kh and x_i − x_j = kh, so T_{h/q} refines T_h for every integer q ≥ 1. The hat of a node
// z, with u = (x − z)/h, is
//
//	φ_z(x) = max(0, 1 − max(0, u_1..u_d) − max(0, −u_1..−u_d)),
//
// the piecewise linear function on T_h that is 1 at z and 0 at the other nodes. It is a ReLU network of
// depth d+1 with 2 neurons in the first layer, 4 in each of the next d−1, and 1 in the last. A grade is a
// number B of hats of one mesh beside the d coordinates, which are not negative and so pass through ReLU
// unchanged: it is d + 4B wide (1 + 2B for d = 1), and the next grade takes its last hidden layer. Outside
// its support a hat is exactly 0, in floating point too: what a grade does not mean to touch keeps its bits.
//
// I_h f is the interpolant of f at the nodes. Below, r = f − f_k is the residual before a sweep over the
// nodes of T_h, where f_k is linear on the simplices of T_h.
//
// # Certificates
//
// Values at points prove nothing about the points between. Each theorem rests on a Certificate, statements
// about f that the caller vouches for:
//
//	Lipschitz  |∂f/∂x_i| ≤ L for all i           |f(x)−f(y)| ≤ L·Σ|x_i−y_i|
//	Modulus    ω                                 |f(x)−f(y)| ≤ ω(max|x_i−y_i|)
//	Curvature  K                                 |f(x+v) − f(x) − ∇f(x)·v| ≤ K|v|²/2
//	Lower, Upper                                 bounds of f
//	Noise      η                                 |computed f − f| ≤ η
//
// They give ω_f ≥ |f(x)−f(z)| on a simplex with vertex z (Ldh, or ω(h)) and E ≥ |f − I_h f| (Ldh/2, ω(h), or
// Kdh²/8). For the last three: I_h f(x) is the mean of f over a random vertex V of the simplex with mean x;
// each coordinate of V takes the ends of an interval of length h, so E|x_i−V_i| ≤ h/2 and Var V_i ≤ h²/4.
//
// Where values contradict the certificate Build fails with a CertificateError that shows the points. It
// looks at all neighbours along axes on every mesh, at second differences along axes and diagonals, at the
// bounds, and at whether residuals are where the theorems say. A wrong certificate can go unnoticed, in
// Check too: then what is said here is not true. Estimate guesses a certificate; a Scheme built with it is
// not Certified.
//
// # Caps
//
// A cap on a simplex σ is a sign s and numbers C_z ≥ 0, z the vertices of σ, with Σ_z C_z φ_z ≤ s·r on σ.
// Let every node have a coefficient with |c_z| ≤ C_z for all simplices around it, and c_z r(z) ≥ 0.
//
// Lemma. Add the hats c_z φ_z in any order, in any groups. At no point does |r| grow or r change its sign,
// and a group with some c_z ≠ 0, whose sum is g, has ‖r−g‖_p^p ≤ ‖r‖_p^p − ‖g‖_p^p < ‖r‖_p^p for 1 ≤ p < ∞.
//
// Proof. On σ all c_z that are not 0 have the sign s: C_z > 0 gives s·r(z) > 0. So for partial sums 0 ≤ sG ≤
// s·r, growing, and |r−G| = |r| − |G|. The norms follow from a^p + b^p ≤ (a+b)^p. ∎
//
// So caps are found once for a level, and B is free. Two rules give caps:
//
//	oscillation    C_z = max(|r(z)| − ω_σ, 0),  ω_σ = min(ω_f + osc_σ f_k, osc r(vertices) + E) ≥ |r(x)−r(z)|
//	interpolation  C_z = |r(z)| − E, if s·r ≥ E at all vertices of σ
//
// Proof. The first: s·r(x) ≥ s·r(z) − ω_σ, and two vertices with r > ω_σ and r < −ω_σ cannot be. The second:
// s·r ≥ s·I_h r − E, since f_k is linear on σ. ∎ The second is taken where it applies and E ≤ ω_σ; it is the
// larger one there, vertex by vertex. (The larger of both at each vertex would not be a cap.)
//
// # Theorem A: any modulus (mode Oscillation)
//
// Let δ ≥ all ω_σ. After the sweep |r| ≤ δ + E ≤ 2δ on Q. From a constant, δ = ω_f: ε takes one level with
// the least n for which 2ω_f(1/n) ≤ ε, and (n+1)^d hats.
//
// Proof. |c_z| ≥ |r(z)| − δ, so |r| ≤ δ at the nodes; r − I_h r = f − I_h f. ∎
//
// Every further level may follow, on any finer mesh, since f_k is Lipschitz with slopes known from its nodal
// values; with fine enough meshes δ goes to 0, which proves uniform convergence for every continuous f.
// Build refines by a constant factor and reports what the residuals prove (below).
//
// # Theorem B: Lipschitz (mode Lipschitz)
//
// Start from a constant. If before each truncation the coefficients are made smaller such that nodal slopes
// stay at most L (limitSlopes), every f_j has |∂f_j/∂x_i| ≤ L, δ ≤ 2Ldh_j, and |r_j| ≤ 4Ldh_j on Q; in fact
// 5/2·Ldh_j.
//
// Proof. Let F be f_{j−1}. F + c⁺ ≥ max(F, f−δ), which has slopes at most L; so the largest function A ≤ F +
// c⁺ with slopes at most L has A ≥ max(F, f−δ). The same from above for c⁻. So |r| ≤ δ at the nodes, and E =
// Ldh/2 between them. Smaller coefficients of the same sign keep the lemma. ∎ With the first rule alone and
// δ on all simplices, F + c is the median of f−δ, F and f+δ and has the slope already; the limiter is for
// the larger caps of the second rule, which bring |r| near Ldh_j.
//
// # Theorem C: envelopes (modes Minorant and Majorant)
//
// Let f ≥ m, E_j ≥ |f − I_{h_j} f|, and μ_j ≥ E_j + μ_{j+1}. Start from f_0 = m − μ_1, and at level j give
// every node c_z = r(z) − μ_j. Then all c_z ≥ 0, f_k rises to f from below, and after level j
//
//	μ_j − E_j ≤ r ≤ μ_j + E_j  on Q.
//
// With K, h_{j+1} = h_j/q and τ = 1/(q²−1): μ_j = (1+τ)E_j leaves room for any number of levels, and |r_j| ≤
// (2+τ)Kdh_j²/8. With L, τ = 1/(q−1) and |r_j| ≤ (2+τ)Ldh_j/2. With a modulus alone μ_j is the sum of the
// E_i left.
//
// Proof. The sum of the level is g = I_h r − μ_j, so r − g = (f − I_h f) + μ_j; and r ≥ μ_{j−1} − E_{j−1} ≥
// μ_j makes the next coefficients nonnegative; at first r ≥ μ_1. g ≤ r + E_j − μ_j ≤ r is the cap. ∎
//
// Why not start from 0: a scheme that raises |r| nowhere can never move a zero of r, and piecewise linear
// functions on meshes cannot be better than O(h) near one that lies between nodes. Envelopes have no zeros.
//
// # What residuals prove
//
// After every level, whatever the mode, |r| ≤ max_z |r(z)| + E on Q: Level.Posteriori. Level.Bound is the
// least of this, of the theorem, and, as residuals only fall, of the bound before. Interpolate takes c_z =
// r(z): the best bound for a mesh, E, but no monotonicity.
//
// # Floating point
//
// Coefficients are rounded toward 0 to 24 bits and to multiples of 2^−b. That keeps caps, and lower bounds
// of residuals; what it adds to upper bounds is measured and added. If |f_k| < 2^M and all n ≤ 2^J are
// powers of two, M + b + J ≤ 53: then nodal values are exact sums in any order, and a scheme that is read
// from a file has the same bits. b is chosen so. (That rounding lets slopes of theorem B exceed L by up to
// (2⁻²²·max|c| + 2^(1−b))/h; δ is computed from the slopes that there are.)
//
// From every cap 4η + 2^(M−48) is taken: for the noise of f at a node, at the two nodes an oscillation is
// measured between and where somebody looks, and for rounding. So the residuals of computed values are
// monotone as well. It is added to every bound. ω_f, E and bounds are multiplied by 1 + 2⁻⁴⁰.
//
// At is off by at most (d+3)·2⁻⁵³·max|f_K|, which is part of Scheme.Bound. A sum of n hats in floating point
// can raise a residual by 2u(n+4)(|f| + |f_0| + Σ|c|φ), u = 2⁻⁵³, which is what Check allows.
//
// A Model predicts in float32. Coordinates enter with 2 added (1 for d = 1), so they are rounded to
// multiples of 2⁻²² (2⁻²³): x' is within 2⁻²³ (2⁻²⁴) of x. From there a hat has no rounding at all: on a
// mesh of n ≤ 2²² cells, n a power of two, its neurons add multiples of n·2⁻²² whose partial sums, in
// whatever order a kernel takes them, lie within ±4n. These are 24 bits. Without the shift float32 loses n·x
// − k to cancellation in layers that add in several chains. The readouts and the running sum are left: at x'
// at most d+1 hats of a level are not 0. Together, with u = 2⁻²⁴,
//
//	|model − f_K| ≤ Σ_i G_i·|x_i−x'_i| + Σ_levels (d+1)·u·(2·max|c| + max|f_k−f_0|)
//
// up to the factor 1 + 2⁻¹⁰ and the float64 rounding of the target's scale; G_i is the largest slope of f_K
// along axis i, known from its nodal values. This is Scheme.Rounding; |f − model| ≤ Bound + Rounding on Q,
// at the points that float64 holds. Accumulation is its second part: at points x = x' the residual of the
// model's prefixes grows by at most twice that. Outside of Q the model has the value of the nearest point.
//
// All of this has the same bits on every architecture, for an f that has. Functions of package math do not
// promise that.
//
// # Prefixes with a rate
//
// Networks of constant width with a readout after each of their parts, each with a bound:
//
//   - Meshes of N^l cells: Build with First = Factor = N and mode Interpolate. Prefix l is I_h f, h = N^−l:
//     |f − prefix| ≤ E ≤ ω(N^−l) on Q. It takes N^(dl) hats.
//   - Digits: |f − prefix| ≤ ω(N^−l/2) outside of slabs of small measure, from a table of N^(dl) numbers.
//   - Tent and Square: error exactly 4^−(l+1) with two neurons a layer, for x². FitCascade is a readout of
//     the same features for other functions, without a bound.
//
// There is a published architecture with such rates whose width does not depend on N^(dl): its stages decode
// the N^(dl) values from a constant number of sine neurons. Then one real weight holds all the values, of
// which a float64 weight holds 53 bits in all: a frequency that hits M given values to within ε is found by
// about (1/ε)^M trials, and its argument has to be reduced modulo 2π with as many bits. Beyond M·log₂(1/ε)
// of about 40 there is nothing to compute with, so it is not here. With weights of bounded precision a
// table, or as many hats, is the price.
//
// # Sources
//
// Multigrade Neural Network Approximation (arXiv 2601.16884) states that schemes with these properties
// exist; the construction here is another one. Geometric Layer-wise Approximation Rates for Deep Networks
// (arXiv 2604.20219) has the prefixes. Triangulation: Freudenthal, Kuhn. Extension with a slope: McShane. x²
// from teeth: Yarotsky.
package construct
