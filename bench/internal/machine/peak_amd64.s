//go:build !purego && !noasm

// Loops that only a limit of the core can slow down: fused multiply-add, loads, stores,
// the latency of an addition. Each returns or leaves a value from which the work done
// can be counted. The loops of peak.go are the same in Go.

#include "textflag.h"

// func fmaLoopAVX512(acc *float32, one float32, n int)
//
//	for range n {
//		for i := range 16 * 16 {
//			acc[i] += one * one
//		}
//	}
//
// Needs AVX512F and n > 0. Sixteen chains are more than latency × pipes (4 × 2).
// DI acc, CX n, Z0–Z15 the chains, Z16 one.
TEXT ·fmaLoopAVX512(SB), NOSPLIT, $0-24
	MOVQ         acc+0(FP), DI
	VBROADCASTSS one+8(FP), Z16
	MOVQ         n+16(FP), CX
	VMOVUPS      0(DI), Z0         // chains continue from acc
	VMOVUPS      64(DI), Z1
	VMOVUPS      128(DI), Z2
	VMOVUPS      192(DI), Z3
	VMOVUPS      256(DI), Z4
	VMOVUPS      320(DI), Z5
	VMOVUPS      384(DI), Z6
	VMOVUPS      448(DI), Z7
	VMOVUPS      512(DI), Z8
	VMOVUPS      576(DI), Z9
	VMOVUPS      640(DI), Z10
	VMOVUPS      704(DI), Z11
	VMOVUPS      768(DI), Z12
	VMOVUPS      832(DI), Z13
	VMOVUPS      896(DI), Z14
	VMOVUPS      960(DI), Z15
	PCALIGN      $64

step:
	VFMADD231PS Z16, Z16, Z0       // one step of every chain
	VFMADD231PS Z16, Z16, Z1
	VFMADD231PS Z16, Z16, Z2
	VFMADD231PS Z16, Z16, Z3
	VFMADD231PS Z16, Z16, Z4
	VFMADD231PS Z16, Z16, Z5
	VFMADD231PS Z16, Z16, Z6
	VFMADD231PS Z16, Z16, Z7
	VFMADD231PS Z16, Z16, Z8
	VFMADD231PS Z16, Z16, Z9
	VFMADD231PS Z16, Z16, Z10
	VFMADD231PS Z16, Z16, Z11
	VFMADD231PS Z16, Z16, Z12
	VFMADD231PS Z16, Z16, Z13
	VFMADD231PS Z16, Z16, Z14
	VFMADD231PS Z16, Z16, Z15
	DECQ        CX
	JNZ         step
	VMOVUPS     Z0, 0(DI)          // the proof: every chain has grown by n
	VMOVUPS     Z1, 64(DI)
	VMOVUPS     Z2, 128(DI)
	VMOVUPS     Z3, 192(DI)
	VMOVUPS     Z4, 256(DI)
	VMOVUPS     Z5, 320(DI)
	VMOVUPS     Z6, 384(DI)
	VMOVUPS     Z7, 448(DI)
	VMOVUPS     Z8, 512(DI)
	VMOVUPS     Z9, 576(DI)
	VMOVUPS     Z10, 640(DI)
	VMOVUPS     Z11, 704(DI)
	VMOVUPS     Z12, 768(DI)
	VMOVUPS     Z13, 832(DI)
	VMOVUPS     Z14, 896(DI)
	VMOVUPS     Z15, 960(DI)
	VZEROUPPER
	RET

// func fmaLoopAVX2(acc *float32, one float32, n int)
//
//	for range n {
//		for i := range 12 * 8 {
//			acc[i] += one * one
//		}
//	}
//
// Needs AVX, FMA and n > 0. Twelve chains are more than latency × pipes (5 × 2 at most).
// DI acc, CX n, Y0–Y11 the chains, Y12 one.
TEXT ·fmaLoopAVX2(SB), NOSPLIT, $0-24
	MOVQ         acc+0(FP), DI
	VBROADCASTSS one+8(FP), Y12
	MOVQ         n+16(FP), CX
	VMOVUPS      0(DI), Y0         // chains continue from acc
	VMOVUPS      32(DI), Y1
	VMOVUPS      64(DI), Y2
	VMOVUPS      96(DI), Y3
	VMOVUPS      128(DI), Y4
	VMOVUPS      160(DI), Y5
	VMOVUPS      192(DI), Y6
	VMOVUPS      224(DI), Y7
	VMOVUPS      256(DI), Y8
	VMOVUPS      288(DI), Y9
	VMOVUPS      320(DI), Y10
	VMOVUPS      352(DI), Y11
	PCALIGN      $64

step:
	VFMADD231PS Y12, Y12, Y0       // one step of every chain
	VFMADD231PS Y12, Y12, Y1
	VFMADD231PS Y12, Y12, Y2
	VFMADD231PS Y12, Y12, Y3
	VFMADD231PS Y12, Y12, Y4
	VFMADD231PS Y12, Y12, Y5
	VFMADD231PS Y12, Y12, Y6
	VFMADD231PS Y12, Y12, Y7
	VFMADD231PS Y12, Y12, Y8
	VFMADD231PS Y12, Y12, Y9
	VFMADD231PS Y12, Y12, Y10
	VFMADD231PS Y12, Y12, Y11
	DECQ        CX
	JNZ         step
	VMOVUPS     Y0, 0(DI)          // the proof: every chain has grown by n
	VMOVUPS     Y1, 32(DI)
	VMOVUPS     Y2, 64(DI)
	VMOVUPS     Y3, 96(DI)
	VMOVUPS     Y4, 128(DI)
	VMOVUPS     Y5, 160(DI)
	VMOVUPS     Y6, 192(DI)
	VMOVUPS     Y7, 224(DI)
	VMOVUPS     Y8, 256(DI)
	VMOVUPS     Y9, 288(DI)
	VMOVUPS     Y10, 320(DI)
	VMOVUPS     Y11, 352(DI)
	VZEROUPPER
	RET

// func rootLoopAVX512(acc *float32, n int)
//
//	for range n {
//		for i := range 8 * 16 {
//			acc[i] = 1 / sqrt(acc[i])
//		}
//	}
//
// Needs n > 0. DI acc, CX n, Z0–Z7 the chains, Z8 one.
TEXT ·rootLoopAVX512(SB), NOSPLIT, $0-16
	MOVQ         acc+0(FP), DI
	MOVQ         n+8(FP), CX
	MOVL         $0x3F800000, AX
	VMOVD        AX, X8
	VBROADCASTSS X8, Z8
	VMOVUPS      0(DI), Z0
	VMOVUPS      64(DI), Z1
	VMOVUPS      128(DI), Z2
	VMOVUPS      192(DI), Z3
	VMOVUPS      256(DI), Z4
	VMOVUPS      320(DI), Z5
	VMOVUPS      384(DI), Z6
	VMOVUPS      448(DI), Z7
	PCALIGN      $64

step:
	VSQRTPS      Z0, Z0
	VDIVPS       Z0, Z8, Z0
	VSQRTPS      Z1, Z1
	VDIVPS       Z1, Z8, Z1
	VSQRTPS      Z2, Z2
	VDIVPS       Z2, Z8, Z2
	VSQRTPS      Z3, Z3
	VDIVPS       Z3, Z8, Z3
	VSQRTPS      Z4, Z4
	VDIVPS       Z4, Z8, Z4
	VSQRTPS      Z5, Z5
	VDIVPS       Z5, Z8, Z5
	VSQRTPS      Z6, Z6
	VDIVPS       Z6, Z8, Z6
	VSQRTPS      Z7, Z7
	VDIVPS       Z7, Z8, Z7
	DECQ         CX
	JNZ          step
	VMOVUPS      Z0, 0(DI)
	VMOVUPS      Z1, 64(DI)
	VMOVUPS      Z2, 128(DI)
	VMOVUPS      Z3, 192(DI)
	VMOVUPS      Z4, 256(DI)
	VMOVUPS      Z5, 320(DI)
	VMOVUPS      Z6, 384(DI)
	VMOVUPS      Z7, 448(DI)
	VZEROUPPER
	RET

// func rootLoopAVX2(acc *float32, n int)
//
//	for range n {
//		for i := range 8 * 8 {
//			acc[i] = 1 / sqrt(acc[i])
//		}
//	}
//
// Needs n > 0. DI acc, CX n, Y0–Y7 the chains, Y8 one.
TEXT ·rootLoopAVX2(SB), NOSPLIT, $0-16
	MOVQ         acc+0(FP), DI
	MOVQ         n+8(FP), CX
	MOVL         $0x3F800000, AX
	VMOVD        AX, X8
	VBROADCASTSS X8, Y8
	VMOVUPS      0(DI), Y0
	VMOVUPS      32(DI), Y1
	VMOVUPS      64(DI), Y2
	VMOVUPS      96(DI), Y3
	VMOVUPS      128(DI), Y4
	VMOVUPS      160(DI), Y5
	VMOVUPS      192(DI), Y6
	VMOVUPS      224(DI), Y7
	PCALIGN      $64

step:
	VSQRTPS      Y0, Y0
	VDIVPS       Y0, Y8, Y0
	VSQRTPS      Y1, Y1
	VDIVPS       Y1, Y8, Y1
	VSQRTPS      Y2, Y2
	VDIVPS       Y2, Y8, Y2
	VSQRTPS      Y3, Y3
	VDIVPS       Y3, Y8, Y3
	VSQRTPS      Y4, Y4
	VDIVPS       Y4, Y8, Y4
	VSQRTPS      Y5, Y5
	VDIVPS       Y5, Y8, Y5
	VSQRTPS      Y6, Y6
	VDIVPS       Y6, Y8, Y6
	VSQRTPS      Y7, Y7
	VDIVPS       Y7, Y8, Y7
	DECQ         CX
	JNZ          step
	VMOVUPS      Y0, 0(DI)
	VMOVUPS      Y1, 32(DI)
	VMOVUPS      Y2, 64(DI)
	VMOVUPS      Y3, 96(DI)
	VMOVUPS      Y4, 128(DI)
	VMOVUPS      Y5, 160(DI)
	VMOVUPS      Y6, 192(DI)
	VMOVUPS      Y7, 224(DI)
	VZEROUPPER
	RET

// func readLoopAVX512(p *uint64, blocks, passes int) uint64
//
//	for range passes {
//		for i := range 64 * blocks {
//			sum += p[i]
//		}
//	}
//
// Needs AVX512F, blocks > 0 and passes > 0. The addition is part of the load instruction
// and there are as many adders as load ports, so it costs nothing.
// SI next block, CX blocks left, DX passes left, DI start, BX blocks, Z0–Z7 sums.
TEXT ·readLoopAVX512(SB), NOSPLIT, $0-32
	MOVQ   p+0(FP), DI
	MOVQ   blocks+8(FP), BX
	MOVQ   passes+16(FP), DX
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4
	VPXORQ Z5, Z5, Z5
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7

pass:
	MOVQ    DI, SI
	MOVQ    BX, CX
	PCALIGN $64

block:
	VPADDQ        0(SI), Z0, Z0    // 512 bytes
	VPADDQ        64(SI), Z1, Z1
	VPADDQ        128(SI), Z2, Z2
	VPADDQ        192(SI), Z3, Z3
	VPADDQ        256(SI), Z4, Z4
	VPADDQ        320(SI), Z5, Z5
	VPADDQ        384(SI), Z6, Z6
	VPADDQ        448(SI), Z7, Z7
	ADDQ          $512, SI
	DECQ          CX
	JNZ           block
	DECQ          DX
	JNZ           pass
	VPADDQ        Z1, Z0, Z0       // eight vectors to one
	VPADDQ        Z3, Z2, Z2
	VPADDQ        Z5, Z4, Z4
	VPADDQ        Z7, Z6, Z6
	VPADDQ        Z2, Z0, Z0
	VPADDQ        Z6, Z4, Z4
	VPADDQ        Z4, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y1       // eight lanes to one
	VPADDQ        Y1, Y0, Y0
	VEXTRACTI128  $1, Y0, X1
	VPADDQ        X1, X0, X0
	VPSHUFD       $0x4E, X0, X1
	VPADDQ        X1, X0, X0
	VMOVQ         X0, AX
	MOVQ          AX, ret+24(FP)
	VZEROUPPER
	RET

// func readLoopAVX2(p *uint64, blocks, passes int) uint64
//
// As readLoopAVX512 in vectors of 32 bytes. Needs AVX2, blocks > 0 and passes > 0.
// SI next block, CX blocks left, DX passes left, DI start, BX blocks, Y0–Y7 sums.
TEXT ·readLoopAVX2(SB), NOSPLIT, $0-32
	MOVQ  p+0(FP), DI
	MOVQ  blocks+8(FP), BX
	MOVQ  passes+16(FP), DX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7

pass:
	MOVQ    DI, SI
	MOVQ    BX, CX
	PCALIGN $64

block:
	VPADDQ       0(SI), Y0, Y0     // 512 bytes
	VPADDQ       32(SI), Y1, Y1
	VPADDQ       64(SI), Y2, Y2
	VPADDQ       96(SI), Y3, Y3
	VPADDQ       128(SI), Y4, Y4
	VPADDQ       160(SI), Y5, Y5
	VPADDQ       192(SI), Y6, Y6
	VPADDQ       224(SI), Y7, Y7
	VPADDQ       256(SI), Y0, Y0
	VPADDQ       288(SI), Y1, Y1
	VPADDQ       320(SI), Y2, Y2
	VPADDQ       352(SI), Y3, Y3
	VPADDQ       384(SI), Y4, Y4
	VPADDQ       416(SI), Y5, Y5
	VPADDQ       448(SI), Y6, Y6
	VPADDQ       480(SI), Y7, Y7
	ADDQ         $512, SI
	DECQ         CX
	JNZ          block
	DECQ         DX
	JNZ          pass
	VPADDQ       Y1, Y0, Y0        // eight vectors to one
	VPADDQ       Y3, Y2, Y2
	VPADDQ       Y5, Y4, Y4
	VPADDQ       Y7, Y6, Y6
	VPADDQ       Y2, Y0, Y0
	VPADDQ       Y6, Y4, Y4
	VPADDQ       Y4, Y0, Y0
	VEXTRACTI128 $1, Y0, X1        // four lanes to one
	VPADDQ       X1, X0, X0
	VPSHUFD      $0x4E, X0, X1
	VPADDQ       X1, X0, X0
	VMOVQ        X0, AX
	MOVQ         AX, ret+24(FP)
	VZEROUPPER
	RET

// func writeLoopAVX512(p *uint64, v uint64, blocks, passes int)
//
//	for range passes {
//		for i := range 64 * blocks {
//			p[i] = v
//		}
//	}
//
// Needs AVX512F, blocks > 0 and passes > 0. Plain stores: a cache line is fetched before
// it is written, as under any kernel.
// DI next block, CX blocks left, DX passes left, SI start, BX blocks, Z0 the value.
TEXT ·writeLoopAVX512(SB), NOSPLIT, $0-32
	MOVQ         p+0(FP), SI
	VPBROADCASTQ v+8(FP), Z0
	MOVQ         blocks+16(FP), BX
	MOVQ         passes+24(FP), DX

pass:
	MOVQ    SI, DI
	MOVQ    BX, CX
	PCALIGN $64

block:
	VMOVDQU64 Z0, 0(DI)            // 512 bytes
	VMOVDQU64 Z0, 64(DI)
	VMOVDQU64 Z0, 128(DI)
	VMOVDQU64 Z0, 192(DI)
	VMOVDQU64 Z0, 256(DI)
	VMOVDQU64 Z0, 320(DI)
	VMOVDQU64 Z0, 384(DI)
	VMOVDQU64 Z0, 448(DI)
	ADDQ      $512, DI
	DECQ      CX
	JNZ       block
	DECQ      DX
	JNZ       pass
	VZEROUPPER
	RET

// func writeLoopAVX2(p *uint64, v uint64, blocks, passes int)
//
// As writeLoopAVX512 in vectors of 32 bytes. Needs AVX2, blocks > 0 and passes > 0.
// DI next block, CX blocks left, DX passes left, SI start, BX blocks, Y0 the value.
TEXT ·writeLoopAVX2(SB), NOSPLIT, $0-32
	MOVQ         p+0(FP), SI
	VPBROADCASTQ v+8(FP), Y0
	MOVQ         blocks+16(FP), BX
	MOVQ         passes+24(FP), DX

pass:
	MOVQ    SI, DI
	MOVQ    BX, CX
	PCALIGN $64

block:
	VMOVDQU Y0, 0(DI)              // 512 bytes
	VMOVDQU Y0, 32(DI)
	VMOVDQU Y0, 64(DI)
	VMOVDQU Y0, 96(DI)
	VMOVDQU Y0, 128(DI)
	VMOVDQU Y0, 160(DI)
	VMOVDQU Y0, 192(DI)
	VMOVDQU Y0, 224(DI)
	VMOVDQU Y0, 256(DI)
	VMOVDQU Y0, 288(DI)
	VMOVDQU Y0, 320(DI)
	VMOVDQU Y0, 352(DI)
	VMOVDQU Y0, 384(DI)
	VMOVDQU Y0, 416(DI)
	VMOVDQU Y0, 448(DI)
	VMOVDQU Y0, 480(DI)
	ADDQ    $512, DI
	DECQ    CX
	JNZ     block
	DECQ    DX
	JNZ     pass
	VZEROUPPER
	RET

#define ADD8 \
	ADDQ BX, AX; \
	ADDQ BX, AX; \
	ADDQ BX, AX; \
	ADDQ BX, AX; \
	ADDQ BX, AX; \
	ADDQ BX, AX; \
	ADDQ BX, AX; \
	ADDQ BX, AX

// func addChain(one uint64, n int) uint64
//
//	for range 64 * n {
//		x += one // waits for the addition before it
//	}
//
// Needs n > 0. An addition of two registers takes one cycle on every amd64 core; one of a
// constant would not do, because newer cores fold those before they execute.
// AX x, BX one, CX n.
TEXT ·addChain(SB), NOSPLIT, $0-24
	MOVQ    one+0(FP), BX
	MOVQ    n+8(FP), CX
	XORL    AX, AX
	PCALIGN $64

step:
	ADD8                           // 64 additions, one after the other
	ADD8
	ADD8
	ADD8
	ADD8
	ADD8
	ADD8
	ADD8
	DECQ CX
	JNZ  step
	MOVQ AX, ret+16(FP)
	RET

#undef ADD8
