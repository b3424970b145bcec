// Package convex fits a grade of a multigrade network, a hidden layer of ReLU units and a
// readout, by convex programs whose solutions come with a certificate: a number below every
// value the program can take.
//
// Fit is the way from rows to a grade. Problem, Gated, ReLU and Choose are its parts.
//
// # Programs
//
// X is the n×m matrix of inputs, m = d + 1, whose last column is 1: inner biases are weights
// like others, and penalised with them. Y is the n×c matrix of targets. A gate is a set of
// rows, D_i = diag(1[X·u_i ≥ 0]) for some u_i; A_i = D_i·X. The output intercept b is not
// penalised. ‖·‖ is the Euclidean norm, of a matrix the Frobenius norm. For λ > 0 and gates
// 1 … P the gated program is
//
//	(G)  min over W_i (m×c), b of   1/(2n)·‖Σ A_i·W_i + 1·bᵀ − Y‖² + λ·Σ ‖W_i‖.
//
// With one output it is the training of a network of gated ReLU units, D_i·X·w·a, whose gates
// are fixed, with weight decay λ/2·(‖w‖² + a²): for given W = w·a the decay is least, and equal
// to λ·‖W‖, where ‖w‖ = |a|. With several outputs weight decay amounts to the nuclear norm of
// W_i; the Frobenius norm is at most that, and at least it divided by √min(m, c). The
// cone-constrained program is, for each output by itself,
//
//	(C)  min over V_i, U_i in K_i, b of   1/(2n)·‖Σ A_i·(V_i − U_i) + 1·b − y‖² + λ·Σ (‖V_i‖ + ‖U_i‖),
//	     K_i = {v : (2·D_i − 1)·X·v ≥ 0}.
//
// On K_i the gate is that of v itself, A_i·v = relu(X·v), so its solutions are ReLU networks: V_i
// is a unit v/√‖v‖ with the readout √‖v‖, U_i one with the readout −√‖v‖. If the gates are all
// patterns that the rows have, (C) is the training of one hidden layer of ReLU units of
// sufficient width, at most 2P, with weight decay: units with one pattern and one sign add up to
// one in the same cone, which by the triangle inequality costs no more. (G) on the same gates is
// never above (C). (Pilanci and Ergen 2020; Mishkin, Sahiner and Pilanci 2022; for the vector
// case Sahiner et al. 2021.)
//
// # Certificates
//
// Let R be any n×c matrix whose columns have mean 0, and Y that of the targets less their means.
// With κ = max ‖A_iᵀ·R‖/n and |s| ≤ λ/κ the matrix s·R/n satisfies the constraints of the dual of
// (G), and weak duality gives for all W and b
//
//	D(s) = s·⟨R,Y⟩/n − s²·⟨R,R⟩/(2n)  ≤  P(W, b).
//
// For (C), ‖·‖ is replaced by the length of the projection onto K_i, with A_iᵀ·R for V_i and
// −A_iᵀ·R for U_i and s ≥ 0. It is at most ‖±A_iᵀ·R/n + ((2·D_i − 1)·X)ᵀ·μ‖ for any μ ≥ 0: the
// augmented Lagrangian's multipliers bound it. Certificates give the largest D found and the P of
// the solution returned, so the optimum is between them.
//
// What that means: P exceeds the least value for these gates and this λ by no more than the gap.
// It says nothing of other gates, of other λ, nor of data not seen. It is global, of all ReLU
// networks with one hidden layer whatever their width and weights, for (C) with all patterns
// only, which this package has for one input column: thresholds in the gaps between distinct
// values, both ways, and the pattern of all rows, 2·(values − 1) + 1 in all. With several outputs
// that is of networks whose units serve one output each; a unit shared by outputs has less weight
// decay than one for each, and the training of such networks is no program of this form. From a gated
// solution or from (C), Choose makes a grade of bounded width and its own readout; the
// certificate is about the program, not about that grade.
//
// In (C) by the augmented Lagrangian, P is the objective of the real network, which is defined
// whether or not units satisfy their cones; ReLU.Violation says how far they are off. While they
// do not, P may be below D: the network is then better than the best one that keeps to the
// gates. Gap is 0 in that case.
//
// # Floating point
//
// Inputs and targets are float32 and taken as they are. P, A_iᵀ·R and D are sums in float64 of
// products of float32 inputs, exact, with float64 numbers split into two float32 parts, whose
// products are exact and whose remainder is below 2⁻⁴⁸ of the number. So the computed P and D
// differ from the exact ones for the coefficients and R at hand by about (n + m·P)·2⁻⁵³ + 2⁻⁴⁸ of
// the sums of absolute values that make them up; where features have about unit size, that is
// below 10⁻¹²·P(0) for up to a thousand rows and gates. P − D below 0 is of that order, but for (C) by
// the augmented Lagrangian as said. Solutions are float64; the Grade made of them is rounded to
// float32, and Grade.Loss is what that grade does.
//
// # Method
//
// The accelerated proximal gradient method (Beck and Teboulle 2009), with the restarts of
// O'Donoghue and Candès (2015) and step sizes by trial. Inputs are turned to their principal
// axes, which leaves norms alone and makes Xᵀ·X/n = diag(d). Steps are taken in the metric
// Σ d_k·w_k²: for features of an earlier grade, which are strongly correlated, that
// saves a tenth to a half of the iterations; the proximal operator of the norm in that metric is a root of one
// equation in one unknown. Most gates never get coefficients, so steps are taken on those that
// have some or nearly might. Steps use float32 products of differences; every so often the
// residual and the gradient are computed anew in float64 for all gates, so float32 costs no
// accuracy of the result.
//
// The objective is near its optimum long before R is nearly feasible, so the scaling s, which
// pays for the worst gate, would dominate the gap. Besides R, certificates therefore try R moved
// by the least amount that puts the gates it violates onto their bound, to first order, a few
// times over.
//
// # Promises
//
// Results have the same bits for any number of workers, on every implementation of the kernels
// and every architecture. Nothing is printed; goroutines are joined before a function returns.
// Functions return errors about data, and panic with a message that begins "convex: " on
// arguments that do not belong together. If a context is done, solves return what they have,
// with its certificate, within one iteration.
//
// One iteration costs 4·n·m·P·c operations on the gates at work, memory is n·P/8 bytes of gates
// and a few vectors of coefficients. The principal axes cost some 10·m³ operations, once.
package convex
