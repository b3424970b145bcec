package machine

import "math"

// A Unit is one way to drive the core: the widest loops that one instruction set allows.
// A kernel is measured against the unit of its own name.
type Unit struct {
	Name   string // as the kernel implementations are named
	What   string // registers, for the reader
	Lanes  int    // float32 values in a register
	Chains int    // independent accumulators, enough to hide the latency of every core

	// FMA makes n steps acc[i] += 1, each one multiply-add of one, over all
	// chains·lanes elements: the growth of acc is the number of multiply-adds done.
	FMA func(acc []float32, one float32, n int)
	// Roots makes n steps acc[i] = 1/√acc[i] over rootChains·lanes elements.
	Roots func(acc []float32, n int)
	// Read returns the sum of p, passes times over; Write sets p to v, passes times over.
	// len(p) is a positive multiple of blockWords.
	Read  func(p []uint64, passes int) uint64
	Write func(p []uint64, v uint64, passes int)
}

// blockWords is the number of 64-bit words that the read and write loops take at a time.
const blockWords = 64

// Units returns what this machine can run, widest first, plain Go last.
func Units() []Unit {
	return append(vectorUnits(), Unit{
		Name: "generic", What: "scalar Go", Lanes: 1, Chains: 12,
		FMA: fmaGo, Roots: rootsGo, Read: readGo, Write: writeGo,
	})
}

// UnitOf returns the unit a kernel implementation is measured against: the one of its
// name, or plain Go.
func UnitOf(us []Unit, kernel string) int {
	for i, u := range us {
		if u.Name == kernel {
			return i
		}
	}
	return len(us) - 1
}

// fmaGo multiplies the chain rather than adding a product to it, since the compiler would
// compute twelve equal products once. Where the machine has a scalar FMA the compiler
// may use it.
//
//go:noinline
func fmaGo(acc []float32, one float32, n int) {
	a := (*[12]float32)(acc)
	a0, a1, a2, a3, a4, a5 := a[0], a[1], a[2], a[3], a[4], a[5]
	a6, a7, a8, a9, a10, a11 := a[6], a[7], a[8], a[9], a[10], a[11]
	for range n {
		a0 = a0*one + one
		a1 = a1*one + one
		a2 = a2*one + one
		a3 = a3*one + one
		a4 = a4*one + one
		a5 = a5*one + one
		a6 = a6*one + one
		a7 = a7*one + one
		a8 = a8*one + one
		a9 = a9*one + one
		a10 = a10*one + one
		a11 = a11*one + one
	}
	*a = [12]float32{a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11}
}

// rootChains is the number of independent registers in the loop of roots: enough to hide the
// latency of a root and a quotient.
const rootChains = 8

//go:noinline
func rootsGo(acc []float32, n int) {
	a := (*[rootChains]float32)(acc)
	for range n {
		for i, x := range a {
			a[i] = 1 / float32(math.Sqrt(float64(x)))
		}
	}
}

//go:noinline
func readGo(p []uint64, passes int) uint64 {
	var s0, s1, s2, s3 uint64
	for range passes {
		for q := p; len(q) >= 8; q = q[8:] {
			s0 += q[0]
			s1 += q[1]
			s2 += q[2]
			s3 += q[3]
			s0 += q[4]
			s1 += q[5]
			s2 += q[6]
			s3 += q[7]
		}
	}
	return s0 + s1 + s2 + s3
}

//go:noinline
func writeGo(p []uint64, v uint64, passes int) {
	for range passes {
		for q := p; len(q) >= 8; q = q[8:] {
			q[0], q[1], q[2], q[3] = v, v, v, v
			q[4], q[5], q[6], q[7] = v, v, v, v
		}
	}
}

// addChainGo makes 32·n additions, each followed by an exclusive or with zero so that the
// compiler cannot gather them: 64·n operations of one cycle that depend on each other. It
// returns the sum. A compiler that spends more than a cycle makes the clock look slower.
//
//go:noinline
func addChainGo(one, zero uint64, n int) uint64 {
	x := uint64(0)
	for range 4 * n {
		x = (x + one) ^ zero
		x = (x + one) ^ zero
		x = (x + one) ^ zero
		x = (x + one) ^ zero
		x = (x + one) ^ zero
		x = (x + one) ^ zero
		x = (x + one) ^ zero
		x = (x + one) ^ zero
	}
	return x
}
