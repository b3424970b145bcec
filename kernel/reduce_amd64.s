//go:build !purego && !noasm

#include "go_asm.h"
#include "textflag.h"

// Reductions and elementwise updates on AVX-512 and AVX2. All work on whole vectors: the
// length is a multiple of 32 (sums) or 16 (updates), and Go code does the rest.

DATA absFloat64<>+0(SB)/8, $0x7FFFFFFFFFFFFFFF
GLOBL absFloat64<>(SB), RODATA|NOPTR, $8
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

// SUMS8 adds eight values at SI+o to eight lanes of the squares and of the absolutes.
#define SUMS8(o, squares, abs) \
	VCVTPS2PD o(SI), Z10                 \
	VFMADD231PD Z10, Z10, squares        \
	VPANDQ Z16, Z10, Z10                 \
	VADDPD Z10, abs, abs

// func sumsAVX512(s *laneSums, x *float32, n int)
//
// Z0-Z3 squares of 32 lanes, Z4-Z7 absolutes, Z8-Z9 maxima, Z16, Z17 sign masks.
TEXT ·sumsAVX512(SB), NOSPLIT, $0-24
	MOVQ s+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VPBROADCASTQ absFloat64<>(SB), Z16
	VPBROADCASTD absFloat32<>(SB), Z17
	VMOVUPD (laneSums_squares+0)(DI), Z0
	VMOVUPD (laneSums_squares+64)(DI), Z1
	VMOVUPD (laneSums_squares+128)(DI), Z2
	VMOVUPD (laneSums_squares+192)(DI), Z3
	VMOVUPD (laneSums_abs+0)(DI), Z4
	VMOVUPD (laneSums_abs+64)(DI), Z5
	VMOVUPD (laneSums_abs+128)(DI), Z6
	VMOVUPD (laneSums_abs+192)(DI), Z7
	VMOVUPS (laneSums_max+0)(DI), Z8
	VMOVUPS (laneSums_max+64)(DI), Z9

group:
	SUMS8(0, Z0, Z4)
	SUMS8(32, Z1, Z5)
	SUMS8(64, Z2, Z6)
	SUMS8(96, Z3, Z7)
	VPANDD (SI), Z17, Z11
	VMAXPS Z8, Z11, Z8                   // a NaN leaves the maximum as it is
	VPANDD 64(SI), Z17, Z12
	VMAXPS Z9, Z12, Z9
	ADDQ $128, SI
	SUBQ $32, CX
	JNZ  group
	VMOVUPD Z0, (laneSums_squares+0)(DI)
	VMOVUPD Z1, (laneSums_squares+64)(DI)
	VMOVUPD Z2, (laneSums_squares+128)(DI)
	VMOVUPD Z3, (laneSums_squares+192)(DI)
	VMOVUPD Z4, (laneSums_abs+0)(DI)
	VMOVUPD Z5, (laneSums_abs+64)(DI)
	VMOVUPD Z6, (laneSums_abs+128)(DI)
	VMOVUPD Z7, (laneSums_abs+192)(DI)
	VMOVUPS Z8, (laneSums_max+0)(DI)
	VMOVUPS Z9, (laneSums_max+64)(DI)
	VZEROUPPER
	RET

// SQUARES4 and ABS4 add four values at R8+o to four lanes.
#define SQUARES4(o, lane) \
	VCVTPS2PD o(R8), Y10                 \
	VFMADD231PD Y10, Y10, lane

#define ABS4(o, lane) \
	VCVTPS2PD o(R8), Y8                  \
	VANDPD Y15, Y8, Y8                   \
	VADDPD Y8, lane, lane

// LANES moves the 32 float64 lanes at f between DI and Y0-Y7.
#define LANESIN(f) \
	VMOVUPD (f+0)(DI), Y0                \
	VMOVUPD (f+32)(DI), Y1               \
	VMOVUPD (f+64)(DI), Y2               \
	VMOVUPD (f+96)(DI), Y3               \
	VMOVUPD (f+128)(DI), Y4              \
	VMOVUPD (f+160)(DI), Y5              \
	VMOVUPD (f+192)(DI), Y6              \
	VMOVUPD (f+224)(DI), Y7

#define LANESOUT(f) \
	VMOVUPD Y0, (f+0)(DI)                \
	VMOVUPD Y1, (f+32)(DI)               \
	VMOVUPD Y2, (f+64)(DI)               \
	VMOVUPD Y3, (f+96)(DI)               \
	VMOVUPD Y4, (f+128)(DI)              \
	VMOVUPD Y5, (f+160)(DI)              \
	VMOVUPD Y6, (f+192)(DI)              \
	VMOVUPD Y7, (f+224)(DI)

// MAX8 is the maximum of eight lanes and |x| at R8+o; Y14 sign mask.
#define MAX8(o, lane) \
	VANDPS o(R8), Y14, Y8                \
	VMAXPS lane, Y8, lane

// func sumsAVX2(s *laneSums, x *float32, n int)
//
// Two passes, since 64 float64 lanes do not fit into the registers: squares in Y0-Y7,
// then absolutes in Y0-Y7 with maxima in Y9-Y12.
TEXT ·sumsAVX2(SB), NOSPLIT, $0-24
	MOVQ s+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSD absFloat64<>(SB), Y15
	VBROADCASTSS absFloat32<>(SB), Y14
	LANESIN(laneSums_squares)
	MOVQ SI, R8
	MOVQ CX, R9

squares:
	SQUARES4(0, Y0)
	SQUARES4(16, Y1)
	SQUARES4(32, Y2)
	SQUARES4(48, Y3)
	SQUARES4(64, Y4)
	SQUARES4(80, Y5)
	SQUARES4(96, Y6)
	SQUARES4(112, Y7)
	ADDQ $128, R8
	SUBQ $32, R9
	JNZ  squares
	LANESOUT(laneSums_squares)
	LANESIN(laneSums_abs)
	VMOVUPS (laneSums_max+0)(DI), Y9
	VMOVUPS (laneSums_max+32)(DI), Y10
	VMOVUPS (laneSums_max+64)(DI), Y11
	VMOVUPS (laneSums_max+96)(DI), Y12
	MOVQ SI, R8

abs:
	ABS4(0, Y0)
	ABS4(16, Y1)
	ABS4(32, Y2)
	ABS4(48, Y3)
	ABS4(64, Y4)
	ABS4(80, Y5)
	ABS4(96, Y6)
	ABS4(112, Y7)
	MAX8(0, Y9)
	MAX8(32, Y10)
	MAX8(64, Y11)
	MAX8(96, Y12)
	ADDQ $128, R8
	SUBQ $32, CX
	JNZ  abs
	LANESOUT(laneSums_abs)
	VMOVUPS Y9, (laneSums_max+0)(DI)
	VMOVUPS Y10, (laneSums_max+32)(DI)
	VMOVUPS Y11, (laneSums_max+64)(DI)
	VMOVUPS Y12, (laneSums_max+96)(DI)
	VZEROUPPER
	RET

// func subAVX512(dst, x, y *float32, n int)
TEXT ·subAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX

loop:
	VMOVUPS (SI), Z0
	VSUBPS (DX), Z0, Z0
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func subAVX2(dst, x, y *float32, n int)
TEXT ·subAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX

loop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VSUBPS (DX), Y0, Y0
	VSUBPS 32(DX), Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop
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
#undef SUMS8
#undef SQUARES4
#undef ABS4
#undef LANESIN
#undef LANESOUT
#undef MAX8
#undef MOMENTS
#undef STEP
#undef ADAMARGS
