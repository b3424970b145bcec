//go:build !purego && !noasm

// Loops that only a limit of the core can slow down: fused multiply-add, loads, stores,
// the latency of an addition. Each returns or leaves a value from which the work done
// can be counted. The loops of peak.go are the same in Go.

#include "textflag.h"

// func fmaLoopNEON(acc *float32, one float32, n int)
//
//	for range n {
//		for i := range 24 * 4 {
//			acc[i] += one * one
//		}
//	}
//
// Needs n > 0. Twenty-four chains are more than latency × pipes (4 × 4, or 9 × 2).
// R0 acc, R1 acc once more for the stores, R2 n, V0–V23 the chains, V24 one.
TEXT ·fmaLoopNEON(SB), NOSPLIT, $0-24
	MOVD   acc+0(FP), R0
	MOVD   R0, R1
	FMOVS  one+8(FP), F24
	VDUP   V24.S[0], V24.S4
	MOVD   n+16(FP), R2
	VLD1.P 64(R0), [V0.S4, V1.S4, V2.S4, V3.S4]     // chains continue from acc
	VLD1.P 64(R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(R0), [V8.S4, V9.S4, V10.S4, V11.S4]
	VLD1.P 64(R0), [V12.S4, V13.S4, V14.S4, V15.S4]
	VLD1.P 64(R0), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R0), [V20.S4, V21.S4, V22.S4, V23.S4]
	PCALIGN $32

step:
	VFMLA V24.S4, V24.S4, V0.S4                     // one step of every chain
	VFMLA V24.S4, V24.S4, V1.S4
	VFMLA V24.S4, V24.S4, V2.S4
	VFMLA V24.S4, V24.S4, V3.S4
	VFMLA V24.S4, V24.S4, V4.S4
	VFMLA V24.S4, V24.S4, V5.S4
	VFMLA V24.S4, V24.S4, V6.S4
	VFMLA V24.S4, V24.S4, V7.S4
	VFMLA V24.S4, V24.S4, V8.S4
	VFMLA V24.S4, V24.S4, V9.S4
	VFMLA V24.S4, V24.S4, V10.S4
	VFMLA V24.S4, V24.S4, V11.S4
	VFMLA V24.S4, V24.S4, V12.S4
	VFMLA V24.S4, V24.S4, V13.S4
	VFMLA V24.S4, V24.S4, V14.S4
	VFMLA V24.S4, V24.S4, V15.S4
	VFMLA V24.S4, V24.S4, V16.S4
	VFMLA V24.S4, V24.S4, V17.S4
	VFMLA V24.S4, V24.S4, V18.S4
	VFMLA V24.S4, V24.S4, V19.S4
	VFMLA V24.S4, V24.S4, V20.S4
	VFMLA V24.S4, V24.S4, V21.S4
	VFMLA V24.S4, V24.S4, V22.S4
	VFMLA V24.S4, V24.S4, V23.S4
	SUB   $1, R2
	CBNZ  R2, step
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R1)     // the proof: every chain has grown by n
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R1)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R1)
	VST1.P [V12.S4, V13.S4, V14.S4, V15.S4], 64(R1)
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R1)
	VST1.P [V20.S4, V21.S4, V22.S4, V23.S4], 64(R1)
	RET

// READ256 adds 256 bytes at off(R0) to V0–V7 through V16–V31. All loads come before the
// additions so that a core that executes in order need not wait for each.
#define READ256(off) \
	FLDPQ (off+0)(R0), (F16, F17); \
	FLDPQ (off+32)(R0), (F18, F19); \
	FLDPQ (off+64)(R0), (F20, F21); \
	FLDPQ (off+96)(R0), (F22, F23); \
	FLDPQ (off+128)(R0), (F24, F25); \
	FLDPQ (off+160)(R0), (F26, F27); \
	FLDPQ (off+192)(R0), (F28, F29); \
	FLDPQ (off+224)(R0), (F30, F31); \
	VADD V16.D2, V0.D2, V0.D2; \
	VADD V17.D2, V1.D2, V1.D2; \
	VADD V18.D2, V2.D2, V2.D2; \
	VADD V19.D2, V3.D2, V3.D2; \
	VADD V20.D2, V4.D2, V4.D2; \
	VADD V21.D2, V5.D2, V5.D2; \
	VADD V22.D2, V6.D2, V6.D2; \
	VADD V23.D2, V7.D2, V7.D2; \
	VADD V24.D2, V0.D2, V0.D2; \
	VADD V25.D2, V1.D2, V1.D2; \
	VADD V26.D2, V2.D2, V2.D2; \
	VADD V27.D2, V3.D2, V3.D2; \
	VADD V28.D2, V4.D2, V4.D2; \
	VADD V29.D2, V5.D2, V5.D2; \
	VADD V30.D2, V6.D2, V6.D2; \
	VADD V31.D2, V7.D2, V7.D2

// The assembler does not know these.
#define FSQRT(d) WORD $(0x6EA1F800 | (d)<<5 | (d)) // fsqrt v<d>.4s, v<d>.4s
#define FDIV(d) WORD $(0x6E20FC00 | (d)<<16 | 8<<5 | (d)) // fdiv v<d>.4s, v8.4s, v<d>.4s

// func rootLoopNEON(acc *float32, n int)
//
//	for range n {
//		for i := range 8 * 4 {
//			acc[i] = 1 / sqrt(acc[i])
//		}
//	}
//
// Needs n > 0. R0 acc, R1 n, V0–V7 the chains, V8 ones.
TEXT ·rootLoopNEON(SB), NOSPLIT, $0-16
	MOVD acc+0(FP), R0
	MOVD n+8(FP), R1
	MOVD $0x3F800000, R2
	VDUP R2, V8.S4
	FLDPQ (R0), (F0, F1)
	FLDPQ 32(R0), (F2, F3)
	FLDPQ 64(R0), (F4, F5)
	FLDPQ 96(R0), (F6, F7)

step:
	FSQRT(0)
	FDIV(0)
	FSQRT(1)
	FDIV(1)
	FSQRT(2)
	FDIV(2)
	FSQRT(3)
	FDIV(3)
	FSQRT(4)
	FDIV(4)
	FSQRT(5)
	FDIV(5)
	FSQRT(6)
	FDIV(6)
	FSQRT(7)
	FDIV(7)
	SUBS $1, R1
	BNE  step
	FSTPQ (F0, F1), (R0)
	FSTPQ (F2, F3), 32(R0)
	FSTPQ (F4, F5), 64(R0)
	FSTPQ (F6, F7), 96(R0)
	RET

// func readLoopNEON(p *uint64, blocks, passes int) uint64
//
//	for range passes {
//		for i := range 64 * blocks {
//			sum += p[i]
//		}
//	}
//
// Needs blocks > 0 and passes > 0. There are as many vector adders as load ports on cores
// that execute out of order; smaller ones may lose a little to the additions.
// R0 next block, R1 blocks left, R2 passes left, R3 start, R4 blocks, V0–V7 sums.
TEXT ·readLoopNEON(SB), NOSPLIT, $0-32
	MOVD p+0(FP), R3
	MOVD blocks+8(FP), R4
	MOVD passes+16(FP), R2
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16

pass:
	MOVD    R3, R0
	MOVD    R4, R1
	PCALIGN $32

block:
	READ256(0)                                      // 512 bytes
	READ256(256)
	ADD  $512, R0
	SUB  $1, R1
	CBNZ R1, block
	SUB  $1, R2
	CBNZ R2, pass
	VADD V1.D2, V0.D2, V0.D2                        // eight vectors to one
	VADD V3.D2, V2.D2, V2.D2
	VADD V5.D2, V4.D2, V4.D2
	VADD V7.D2, V6.D2, V6.D2
	VADD V2.D2, V0.D2, V0.D2
	VADD V6.D2, V4.D2, V4.D2
	VADD V4.D2, V0.D2, V0.D2
	VMOV V0.D[0], R5                                // two lanes to one
	VMOV V0.D[1], R6
	ADD  R6, R5
	MOVD R5, ret+24(FP)
	RET

#undef READ256

// func writeLoopNEON(p *uint64, v uint64, blocks, passes int)
//
//	for range passes {
//		for i := range 64 * blocks {
//			p[i] = v
//		}
//	}
//
// Needs blocks > 0 and passes > 0.
// R0 next block, R1 blocks left, R2 passes left, R3 start, R4 blocks, V0 and V1 the value.
TEXT ·writeLoopNEON(SB), NOSPLIT, $0-32
	MOVD p+0(FP), R3
	MOVD v+8(FP), R5
	VDUP R5, V0.D2
	VDUP R5, V1.D2
	MOVD blocks+16(FP), R4
	MOVD passes+24(FP), R2

pass:
	MOVD    R3, R0
	MOVD    R4, R1
	PCALIGN $32

block:
	FSTPQ (F0, F1), 0(R0)                           // 512 bytes
	FSTPQ (F0, F1), 32(R0)
	FSTPQ (F0, F1), 64(R0)
	FSTPQ (F0, F1), 96(R0)
	FSTPQ (F0, F1), 128(R0)
	FSTPQ (F0, F1), 160(R0)
	FSTPQ (F0, F1), 192(R0)
	FSTPQ (F0, F1), 224(R0)
	FSTPQ (F0, F1), 256(R0)
	FSTPQ (F0, F1), 288(R0)
	FSTPQ (F0, F1), 320(R0)
	FSTPQ (F0, F1), 352(R0)
	FSTPQ (F0, F1), 384(R0)
	FSTPQ (F0, F1), 416(R0)
	FSTPQ (F0, F1), 448(R0)
	FSTPQ (F0, F1), 480(R0)
	ADD   $512, R0
	SUB   $1, R1
	CBNZ  R1, block
	SUB   $1, R2
	CBNZ  R2, pass
	RET

#define ADD8 \
	ADD R1, R0, R0; \
	ADD R1, R0, R0; \
	ADD R1, R0, R0; \
	ADD R1, R0, R0; \
	ADD R1, R0, R0; \
	ADD R1, R0, R0; \
	ADD R1, R0, R0; \
	ADD R1, R0, R0

// func addChain(one uint64, n int) uint64
//
//	for range 64 * n {
//		x += one // waits for the addition before it
//	}
//
// Needs n > 0. An addition of two registers takes one cycle on every arm64 core.
// R0 x, R1 one, R2 n.
TEXT ·addChain(SB), NOSPLIT, $0-24
	MOVD    one+0(FP), R1
	MOVD    n+8(FP), R2
	MOVD    ZR, R0
	PCALIGN $32

step:
	ADD8                                            // 64 additions, one after the other
	ADD8
	ADD8
	ADD8
	ADD8
	ADD8
	ADD8
	ADD8
	SUB  $1, R2
	CBNZ R2, step
	MOVD R0, ret+16(FP)
	RET

#undef ADD8
