// Package kernel computes the dense float32 operations of ReLU networks: products with
// bias and ReLU fused, their gradients, residuals and reductions, optimiser updates.
//
// # One order for every bit
//
// Results do not depend on the implementation, the batch, a row's place in it, or how a
// caller splits rows between goroutines. Every element of a product is a fixed set of
// chains of float32 fused multiply-adds, each correctly rounded. For a K×N right-hand
// side the chains are those of the first line that matches:
//
//  1. N = 1, or N ≤ 8 and K ≥ 32: 32 lanes over k. Lane l takes the k with k mod 32 = l
//     in ascending order. Lane 0 starts from the bias, the others from +0. Where K is no
//     multiple of 32 the last group is filled up with fma(0, 0, lane). The lanes are
//     added by halves: l + (l+16), then +8, +4, +2, +1.
//  2. K ≤ 8: one chain.
//  3. N ≥ 32: two chains, result c0 + c1.
//  4. Otherwise four chains, result (c0 + c2) + (c1 + c3).
//
// In lines 2 to 4 chain c of S takes the k with k mod S = c in ascending order; chain 0
// starts from the bias (+0 without one), the others from +0. ReLU comes last and is 0
// where x < 0 and x elsewhere: NaN and -0 pass.
//
// The input gradient dy·wᵀ is such a product of the N×K matrix wᵀ, without bias,
// followed by its mask: +0 where y ≤ 0, the value elsewhere.
//
// The weight gradient xᵀ·dy has one chain per element, over the rows in ascending order,
// from +0 or from the stored value; the bias gradient likewise, by float32 additions.
//
// Sums over a vector are float64 sums of short float32 ones. Runs of 1024 elements have 32
// float32 lanes each (element i belongs to lane i mod 32): from +0, s = fma(x, x, s) for
// squares and s + |x| for absolutes. Lanes l and l+16 are added in float32, and the 16 sums
// are added to 16 float64 lanes, run by run. The last n mod 32 elements are a run of their
// own. The float64 lanes are added by halves. Where the largest absolute value is neither 0
// nor in [2⁻⁵⁰, 2⁶⁰], so that squares might leave the range of float32, there are no runs:
// element i is added to float64 lane i mod 16.
//
// Cross has one float64 chain per element over the rows. Products of two float32 are exact in
// float64, so there it does not matter whether they are fused.
//
// Adam, Lerp, Add, Multiply and Sine are written down as formulas at their definitions: every operation
// in them is rounded once, in the order of the formula; fma is named where it is one.
//
// The sign and payload of a NaN are not part of the contract.
//
// # Implementations
//
// The portable Go code is the contract in code and runs everywhere. avx512 needs
// AVX-512 F, BW, DQ and VL; avx2 needs AVX2 and FMA; neon is there on every arm64. The
// choice is made when the program starts and can be overridden by
// MGDL_KERNEL=avx512|avx2|neon|generic; see Selected. The build tags purego and noasm leave
// only the portable code.
//
// # Memory, panics, goroutines
//
// Arguments are checked before anything is written; a programmer's error panics with a
// message that begins "kernel: ". Nothing outside the arguments is read or written.
// Nothing allocates but the functions that return memory. No function starts a
// goroutine. An assembly call is bounded to about two million operations, 50 µs on a core of
// 40 GFLOP/s, so that it never holds up the scheduler and the garbage collector for long; in
// layers of more than 32768 inputs one row of a panel is one call.
package kernel
