//go:build !purego && !noasm

package machine

import "golang.org/x/sys/cpu"

// vectorUnits returns the units with loops in assembly that this machine can run.
func vectorUnits() []Unit {
	var us []Unit
	if cpu.X86.HasAVX512F {
		us = append(us, Unit{
			Name: "avx512", What: "zmm", Lanes: 16, Chains: 16,
			FMA: func(acc []float32, one float32, n int) {
				_ = acc[16*16-1]
				fmaLoopAVX512(&acc[0], one, n)
			},
			Roots: func(acc []float32, n int) {
				_ = acc[rootChains*16-1]
				rootLoopAVX512(&acc[0], n)
			},
			Read: func(p []uint64, passes int) uint64 {
				return readLoopAVX512(&p[0], len(p)/blockWords, passes)
			},
			Write: func(p []uint64, v uint64, passes int) {
				writeLoopAVX512(&p[0], v, len(p)/blockWords, passes)
			},
		})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		us = append(us, Unit{
			Name: "avx2", What: "ymm", Lanes: 8, Chains: 12,
			FMA: func(acc []float32, one float32, n int) {
				_ = acc[12*8-1]
				fmaLoopAVX2(&acc[0], one, n)
			},
			Roots: func(acc []float32, n int) {
				_ = acc[rootChains*8-1]
				rootLoopAVX2(&acc[0], n)
			},
			Read: func(p []uint64, passes int) uint64 {
				return readLoopAVX2(&p[0], len(p)/blockWords, passes)
			},
			Write: func(p []uint64, v uint64, passes int) {
				writeLoopAVX2(&p[0], v, len(p)/blockWords, passes)
			},
		})
	}
	return us
}

// cycles makes 64·n additions that depend on each other and returns their number.
func cycles(n int) uint64 { return addChain(1, n) }

//go:noescape
func fmaLoopAVX512(acc *float32, one float32, n int)

//go:noescape
func fmaLoopAVX2(acc *float32, one float32, n int)

//go:noescape
func rootLoopAVX512(acc *float32, n int)

//go:noescape
func rootLoopAVX2(acc *float32, n int)

//go:noescape
func readLoopAVX512(p *uint64, blocks, passes int) uint64

//go:noescape
func readLoopAVX2(p *uint64, blocks, passes int) uint64

//go:noescape
func writeLoopAVX512(p *uint64, v uint64, blocks, passes int)

//go:noescape
func writeLoopAVX2(p *uint64, v uint64, blocks, passes int)

func addChain(one uint64, n int) uint64
