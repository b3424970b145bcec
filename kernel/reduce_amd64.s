//go:build !purego && !noasm

#include "go_asm.h"
#include "textflag.h"

// Reductions and elementwise updates on AVX-512 and AVX2. All work on whole vectors: the
// length is a multiple of 32 (sums) or 16 (updates), and Go code does the rest.

DATA absFloat32<>+0(SB)/4, $0x7FFFFFFF
GLOBL absFloat32<>(SB), RODATA|NOPTR, $4

// Arguments of the updates by Adam.
#define ADAMARGS \
	MOVQ w+0(FP), DI                     \
	MOVQ grad+8(FP), SI                  \
	MOVQ m+16(FP), R8                    \
	MOVQ v+24(FP), R9                    \
	MOVQ n+32(FP), CX                    \
	MOVQ c+40(FP), AX

// Sums go in runs of up to 1024 elements (sumRun): 32 float32 lanes of squares and of
// absolutes, which are then folded into 16 float64 lanes each. Registers of all:
//
//	DI s    SI x    DX y    R8 dst    CX elements left
//	R9 byte offset in the run    R10 length of the run in bytes

// NEXTRUN sets R10 to the length of the next run and takes it off CX.
#define NEXTRUN \
	MOVQ $1024, R10                      \
	CMPQ CX, R10                         \
	CMOVQLT CX, R10                      \
	SUBQ R10, CX                         \
	SHLQ $2, R10                         \
	XORL R9, R9

// ENDRUN moves on to the next run.
#define ENDRUN \
	ADDQ R10, SI                         \
	ADDQ R10, DX                         \
	ADDQ R10, R8                         \
	TESTQ CX, CX

// Where values come from: x; x−y; x−y which is also stored.
#define FROMX(o, v) \
	VMOVUPS o(SI)(R9*1), v

#define FROMXY(o, v) \
	VMOVUPS o(SI)(R9*1), v               \
	VSUBPS o(DX)(R9*1), v, v

#define FROMXYTODST(o, v) \
	FROMXY(o, v)                         \
	VMOVUPS v, o(R8)(R9*1)

// ADD16 adds 16 values v to lanes; a scratch. A NaN leaves the maximum as it is.
#define ADD16(v, a, squares, abs, max) \
	VFMADD231PS v, v, squares            \
	VPANDD v, Z10, a                     \
	VADDPS a, abs, abs                   \
	VMAXPS max, a, max

// FOLD16 adds 32 float32 lanes, lo and hi, to the float64 lanes a and b. y is the lower
// half of lo.
#define FOLD16(lo, hi, y, a, b) \
	VADDPS hi, lo, lo                    \
	VEXTRACTF64X4 $1, lo, Y13            \
	VCVTPS2PD y, Z12                     \
	VCVTPS2PD Y13, Z13                   \
	VADDPD Z12, a, a                     \
	VADDPD Z13, b, b

// SUMSAVX512 is all runs. Z0, Z1 squares, Z2, Z3 absolutes, Z4, Z5 maxima, Z6-Z9 float64
// lanes, Z10 sign mask, Z12-Z15 scratch.
#define SUMSAVX512(source) \
	VPBROADCASTD absFloat32<>(SB), Z10   \
	VMOVUPS laneSums_max(DI), Z4         \
	VMOVAPS Z4, Z5                       \
	VMOVUPD (laneSums_squares+0)(DI), Z6 \
	VMOVUPD (laneSums_squares+64)(DI), Z7 \
	VMOVUPD (laneSums_abs+0)(DI), Z8     \
	VMOVUPD (laneSums_abs+64)(DI), Z9    \
run:                                         \
	NEXTRUN                              \
	VPXORD Z0, Z0, Z0                    \
	VPXORD Z1, Z1, Z1                    \
	VPXORD Z2, Z2, Z2                    \
	VPXORD Z3, Z3, Z3                    \
step:                                        \
	source(0, Z12)                       \
	source(64, Z13)                      \
	ADD16(Z12, Z14, Z0, Z2, Z4)          \
	ADD16(Z13, Z15, Z1, Z3, Z5)          \
	ADDQ $128, R9                        \
	CMPQ R9, R10                         \
	JNE  step                            \
	FOLD16(Z0, Z1, Y0, Z6, Z7)           \
	FOLD16(Z2, Z3, Y2, Z8, Z9)           \
	ENDRUN                               \
	JNZ  run                             \
	VMAXPS Z5, Z4, Z4                    \
	VMOVUPS Z4, laneSums_max(DI)         \
	VMOVUPD Z6, (laneSums_squares+0)(DI) \
	VMOVUPD Z7, (laneSums_squares+64)(DI) \
	VMOVUPD Z8, (laneSums_abs+0)(DI)     \
	VMOVUPD Z9, (laneSums_abs+64)(DI)

// func sumsAVX512(s *laneSums, x *float32, n int)
TEXT ·sumsAVX512(SB), NOSPLIT, $0-24
	MOVQ s+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	SUMSAVX512(FROMX)
	VZEROUPPER
	RET

// func distanceAVX512(s *laneSums, x, y *float32, n int)
TEXT ·distanceAVX512(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX
	SUMSAVX512(FROMXY)
	VZEROUPPER
	RET

// func residualAVX512(s *laneSums, dst, x, y *float32, n int)
TEXT ·residualAVX512(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ dst+8(FP), R8
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), DX
	MOVQ n+32(FP), CX
	SUMSAVX512(FROMXYTODST)
	VZEROUPPER
	RET

// ADD8 is ADD16 on AVX2, from source. Y12 sign mask, Y13, Y14 scratch.
#define ADD8(source, o, squares, abs, max) \
	source(o, Y13)                       \
	VFMADD231PS Y13, Y13, squares        \
	VANDPS Y13, Y12, Y14                 \
	VADDPS Y14, abs, abs                 \
	VMAXPS max, Y14, max

// FOLD8 adds 16 float32 lanes, lo and hi, to eight float64 lanes in memory. x is the lower
// half of lo.
#define FOLD8(lo, hi, x, lanes) \
	VADDPS hi, lo, lo                    \
	VCVTPS2PD x, Y13                     \
	VEXTRACTF128 $1, lo, X14             \
	VCVTPS2PD X14, Y14                   \
	VADDPD (lanes+0)(DI), Y13, Y13       \
	VADDPD (lanes+32)(DI), Y14, Y14      \
	VMOVUPD Y13, (lanes+0)(DI)           \
	VMOVUPD Y14, (lanes+32)(DI)

// SUMSAVX2 is all runs. Y0-Y3 squares, Y4-Y7 absolutes, Y8-Y11 maxima.
#define SUMSAVX2(source) \
	VBROADCASTSS absFloat32<>(SB), Y12   \
	VMOVUPS (laneSums_max+0)(DI), Y8     \
	VMOVUPS (laneSums_max+32)(DI), Y9    \
	VMOVAPS Y8, Y10                      \
	VMOVAPS Y9, Y11                      \
run:                                         \
	NEXTRUN                              \
	VXORPS Y0, Y0, Y0                    \
	VXORPS Y1, Y1, Y1                    \
	VXORPS Y2, Y2, Y2                    \
	VXORPS Y3, Y3, Y3                    \
	VXORPS Y4, Y4, Y4                    \
	VXORPS Y5, Y5, Y5                    \
	VXORPS Y6, Y6, Y6                    \
	VXORPS Y7, Y7, Y7                    \
step:                                        \
	ADD8(source, 0, Y0, Y4, Y8)          \
	ADD8(source, 32, Y1, Y5, Y9)         \
	ADD8(source, 64, Y2, Y6, Y10)        \
	ADD8(source, 96, Y3, Y7, Y11)        \
	ADDQ $128, R9                        \
	CMPQ R9, R10                         \
	JNE  step                            \
	FOLD8(Y0, Y2, X0, (laneSums_squares+0)) \
	FOLD8(Y1, Y3, X1, (laneSums_squares+64)) \
	FOLD8(Y4, Y6, X4, (laneSums_abs+0))  \
	FOLD8(Y5, Y7, X5, (laneSums_abs+64)) \
	ENDRUN                               \
	JNZ  run                             \
	VMAXPS Y10, Y8, Y8                   \
	VMAXPS Y11, Y9, Y9                   \
	VMOVUPS Y8, (laneSums_max+0)(DI)     \
	VMOVUPS Y9, (laneSums_max+32)(DI)

// func sumsAVX2(s *laneSums, x *float32, n int)
TEXT ·sumsAVX2(SB), NOSPLIT, $0-24
	MOVQ s+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	SUMSAVX2(FROMX)
	VZEROUPPER
	RET

// func distanceAVX2(s *laneSums, x, y *float32, n int)
TEXT ·distanceAVX2(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX
	SUMSAVX2(FROMXY)
	VZEROUPPER
	RET

// func residualAVX2(s *laneSums, dst, x, y *float32, n int)
TEXT ·residualAVX2(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ dst+8(FP), R8
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), DX
	MOVQ n+32(FP), CX
	SUMSAVX2(FROMXYTODST)
	VZEROUPPER
	RET

// func addAVX512(dst, src *float32, n int)
TEXT ·addAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

loop:
	VMOVUPS (DI), Z0
	VADDPS (SI), Z0, Z0
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func addAVX2(dst, src *float32, n int)
TEXT ·addAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

loop:
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VADDPS (SI), Y0, Y0
	VADDPS 32(SI), Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func lerpAVX512(dst, src *float32, n int, t float32)
TEXT ·lerpAVX512(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS t+24(FP), Z2

loop:
	VMOVUPS (DI), Z0
	VMOVUPS (SI), Z1
	VSUBPS Z0, Z1, Z1
	VFMADD231PS Z1, Z2, Z0
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func lerpAVX2(dst, src *float32, n int, t float32)
TEXT ·lerpAVX2(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS t+24(FP), Y2

loop:
	VMOVUPS (DI), Y0
	VMOVUPS (SI), Y1
	VSUBPS Y0, Y1, Y1
	VFMADD231PS Y1, Y2, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

DATA tiny<>+0(SB)/4, $0x0D800000        // 2⁻¹⁰⁰
GLOBL tiny<>(SB), RODATA|NOPTR, $4

// MOMENTS is the first half of the update of one vector: m and v of gradients g, not yet
// flushed; d and q scratch.
#define MOMENTS(g, m, v, q, d, beta1c, beta2c) \
	VSUBPS m, g, d                       \
	VFMADD231PS d, beta1c, m             \
	VMULPS g, g, q                       \
	VSUBPS v, q, q                       \
	VFMADD231PS q, beta2c, v

// STEP is the second half: the weights w.
#define STEP(w, m, v, d, scale, epsilon, rate, keep) \
	VSQRTPS v, d                         \
	VFMADD213PS epsilon, scale, d        \ // √v·scale + ε
	VDIVPS d, m, d                       \
	VMULPS keep, w, w                    \
	VFNMADD231PS d, rate, w

// func adamAVX512(w, grad, m, v *float32, n int, c *adamCoefficients)
TEXT ·adamAVX512(SB), NOSPLIT, $0-48
	ADAMARGS
	VBROADCASTSS adamCoefficients_beta1c(AX), Z6
	VBROADCASTSS adamCoefficients_beta2c(AX), Z7
	VBROADCASTSS adamCoefficients_scale(AX), Z8
	VBROADCASTSS adamCoefficients_epsilon(AX), Z9
	VBROADCASTSS adamCoefficients_rate(AX), Z10
	VBROADCASTSS adamCoefficients_keep(AX), Z11
	VBROADCASTSS tiny<>(SB), Z12
	VBROADCASTSS absFloat32<>(SB), Z13

loop:
	VMOVUPS (DI), Z0
	VMOVUPS (SI), Z1
	VMOVUPS (R8), Z2
	VMOVUPS (R9), Z3
	MOMENTS(Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	VPANDD Z13, Z2, Z4
	VPANDD Z13, Z3, Z5
	VCMPPS $0x15, Z12, Z4, K1            // not (|m| < 2⁻¹⁰⁰), true for NaN
	VCMPPS $0x15, Z12, Z5, K2
	VMOVAPS.Z Z2, K1, Z2
	VMOVAPS.Z Z3, K2, Z3
	STEP(Z0, Z2, Z3, Z5, Z8, Z9, Z10, Z11)
	VMOVUPS Z0, (DI)
	VMOVUPS Z2, (R8)
	VMOVUPS Z3, (R9)
	ADDQ $64, DI
	ADDQ $64, SI
	ADDQ $64, R8
	ADDQ $64, R9
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func adamAVX2(w, grad, m, v *float32, n int, c *adamCoefficients)
TEXT ·adamAVX2(SB), NOSPLIT, $0-48
	ADAMARGS
	VBROADCASTSS adamCoefficients_beta1c(AX), Y6
	VBROADCASTSS adamCoefficients_beta2c(AX), Y7
	VBROADCASTSS adamCoefficients_scale(AX), Y8
	VBROADCASTSS adamCoefficients_epsilon(AX), Y9
	VBROADCASTSS adamCoefficients_rate(AX), Y10
	VBROADCASTSS adamCoefficients_keep(AX), Y11
	VBROADCASTSS tiny<>(SB), Y12
	VBROADCASTSS absFloat32<>(SB), Y13

loop:
	VMOVUPS (DI), Y0
	VMOVUPS (SI), Y1
	VMOVUPS (R8), Y2
	VMOVUPS (R9), Y3
	MOMENTS(Y1, Y2, Y3, Y4, Y5, Y6, Y7)
	VANDPS Y13, Y2, Y4
	VANDPS Y13, Y3, Y5
	VCMPPS $0x15, Y12, Y4, Y4            // not (|m| < 2⁻¹⁰⁰), true for NaN
	VCMPPS $0x15, Y12, Y5, Y5
	VANDPS Y4, Y2, Y2
	VANDPS Y5, Y3, Y3
	STEP(Y0, Y2, Y3, Y5, Y8, Y9, Y10, Y11)
	VMOVUPS Y0, (DI)
	VMOVUPS Y2, (R8)
	VMOVUPS Y3, (R9)
	ADDQ $32, DI
	ADDQ $32, SI
	ADDQ $32, R8
	ADDQ $32, R9
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

// func packAVX2(dst, src *float32, rows, stride int)
//
// Rows of 32, stride elements apart in src, go one after the other to dst.
TEXT ·packAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ rows+16(FP), CX
	MOVQ stride+24(FP), R8
	SHLQ $2, R8

row:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	ADDQ R8, SI
	ADDQ $128, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET

// TRANSPOSE4 turns four columns of eight rows at SI+o into four rows at DI+p. Rows are
// 128 bytes apart on both sides. One 128-bit lane holds rows 0-3, the other rows 4-7.
#define TRANSPOSE4(o, p) \
	VMOVUPS (o+0)(SI), X0                \
	VMOVUPS (o+128)(SI), X1              \
	VMOVUPS (o+256)(SI), X2              \
	VMOVUPS (o+384)(SI), X3              \
	VINSERTF128 $1, (o+512)(SI), Y0, Y0  \
	VINSERTF128 $1, (o+640)(SI), Y1, Y1  \
	VINSERTF128 $1, (o+768)(SI), Y2, Y2  \
	VINSERTF128 $1, (o+896)(SI), Y3, Y3  \
	VUNPCKLPS Y1, Y0, Y4                 \ // 00 10 01 11
	VUNPCKHPS Y1, Y0, Y5                 \ // 02 12 03 13
	VUNPCKLPS Y3, Y2, Y6                 \ // 20 30 21 31
	VUNPCKHPS Y3, Y2, Y7                 \ // 22 32 23 33
	VSHUFPS $0x44, Y6, Y4, Y0            \
	VSHUFPS $0xEE, Y6, Y4, Y1            \
	VSHUFPS $0x44, Y7, Y5, Y2            \
	VSHUFPS $0xEE, Y7, Y5, Y3            \
	VMOVUPS Y0, (p+0)(DI)                \
	VMOVUPS Y1, (p+128)(DI)              \
	VMOVUPS Y2, (p+256)(DI)              \
	VMOVUPS Y3, (p+384)(DI)

// func transposeAVX2(dst, src *float32, k, n int)
//
// Rows of 32 on both sides: dst[j*32+i] = src[i*32+j] for i < k, j < n, both multiples
// of eight and at most 32.
TEXT ·transposeAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), R8
	MOVQ src+8(FP), R9
	MOVQ k+16(FP), R10
	MOVQ n+24(FP), R11

rows:
	MOVQ R9, SI
	MOVQ R8, DI
	MOVQ R11, CX

columns:
	TRANSPOSE4(0, 0)
	TRANSPOSE4(16, 512)
	ADDQ $32, SI
	ADDQ $1024, DI
	SUBQ $8, CX
	JNZ  columns
	ADDQ $1024, R9
	ADDQ $32, R8
	SUBQ $8, R10
	JNZ  rows
	VZEROUPPER
	RET

#undef TRANSPOSE4
#undef NEXTRUN
#undef ENDRUN
#undef FROMX
#undef FROMXY
#undef FROMXYTODST
#undef ADD16
#undef FOLD16
#undef SUMSAVX512
#undef ADD8
#undef FOLD8
#undef SUMSAVX2
#undef MOMENTS
#undef STEP
#undef ADAMARGS
