//go:build !purego && !noasm

package machine

// vectorUnits returns the units with loops in assembly that this machine can run.
// Every arm64 core that Go supports has NEON.
func vectorUnits() []Unit {
	return []Unit{{
		Name: "neon", What: "q registers", Lanes: 4, Chains: 24,
		FMA: func(acc []float32, one float32, n int) {
			_ = acc[24*4-1]
			fmaLoopNEON(&acc[0], one, n)
		},
		Roots: func(acc []float32, n int) {
			_ = acc[rootChains*4-1]
			rootLoopNEON(&acc[0], n)
		},
		Read: func(p []uint64, passes int) uint64 {
			return readLoopNEON(&p[0], len(p)/blockWords, passes)
		},
		Write: func(p []uint64, v uint64, passes int) {
			writeLoopNEON(&p[0], v, len(p)/blockWords, passes)
		},
	}}
}

// cycles makes 64·n additions that depend on each other and returns their number.
func cycles(n int) uint64 { return addChain(1, n) }

//go:noescape
func fmaLoopNEON(acc *float32, one float32, n int)

//go:noescape
func rootLoopNEON(acc *float32, n int)

//go:noescape
func readLoopNEON(p *uint64, blocks, passes int) uint64

//go:noescape
func writeLoopNEON(p *uint64, v uint64, blocks, passes int)

func addChain(one uint64, n int) uint64
