//go:build !purego && !noasm

#include "go_asm.h"
#include "textflag.h"
#include "words_arm64.h"

// Reductions and elementwise updates on NEON. All work on whole vectors: the length is a
// multiple of 32 (sums) or 16 (updates), and Go code does the rest.

// LANESIN and LANESOUT move the 32 float64 lanes at R3 between memory and V0-V15.
#define LANESIN \
	FLDPQ (R3), (F0, F1)                 \
	FLDPQ 32(R3), (F2, F3)               \
	FLDPQ 64(R3), (F4, F5)               \
	FLDPQ 96(R3), (F6, F7)               \
	FLDPQ 128(R3), (F8, F9)              \
	FLDPQ 160(R3), (F10, F11)            \
	FLDPQ 192(R3), (F12, F13)            \
	FLDPQ 224(R3), (F14, F15)

#define LANESOUT \
	FSTPQ (F0, F1), (R3)                 \
	FSTPQ (F2, F3), 32(R3)               \
	FSTPQ (F4, F5), 64(R3)               \
	FSTPQ (F6, F7), 96(R3)               \
	FSTPQ (F8, F9), 128(R3)              \
	FSTPQ (F10, F11), 160(R3)            \
	FSTPQ (F12, F13), 192(R3)            \
	FSTPQ (F14, F15), 224(R3)

// SQUARES8 adds the squares of eight values at R4+o to eight lanes.
#define SQUARES8(o, a, b, c, d) \
	FMOVQ o(R4), F16                     \
	FMOVQ (o+16)(R4), F18                \
	FCVTL2(17, 16)                       \
	FCVTL(16, 16)                        \
	FCVTL2(19, 18)                       \
	FCVTL(18, 18)                        \
	VFMLA V16.D2, V16.D2, a.D2           \
	VFMLA V17.D2, V17.D2, b.D2           \
	VFMLA V18.D2, V18.D2, c.D2           \
	VFMLA V19.D2, V19.D2, d.D2

// func squaresNEON(s *laneSums, x *float32, n int)
//
// Adds the squares to the lanes, V0-V15. Squares and absolutes are two functions, since
// 64 float64 lanes do not fit into the registers.
TEXT ·squaresNEON(SB), NOSPLIT, $0-24
	MOVD s+0(FP), R3
	MOVD x+8(FP), R4
	MOVD n+16(FP), R5
	ADD  $laneSums_squares, R3
	LANESIN

group:
	SQUARES8(0, V0, V1, V2, V3)
	SQUARES8(32, V4, V5, V6, V7)
	SQUARES8(64, V8, V9, V10, V11)
	SQUARES8(96, V12, V13, V14, V15)
	ADD  $128, R4
	SUBS $32, R5
	BNE  group
	LANESOUT
	RET

// ABS4 adds the absolutes of four values, in x, to two registers of lanes from a, and
// keeps the larger of them and those in m. V30, V31 scratch; xv and mv are x and m.
#define ABS4(x, xv, a, m, mv) \
	FABS(x, x)                           \
	FCVTL(30, x)                         \
	FCVTL2(31, x)                        \
	FADDD(a, a, 30)                      \
	FADDD(a+1, a+1, 31)                  \
	FCMGT(30, x, m)                      \ // false for NaN, which leaves the maximum
	VBIT V30.B16, xv.B16, mv.B16

// func absolutesNEON(s *laneSums, x *float32, n int)
//
// Adds the absolutes to the lanes, V0-V15, with maxima in V16-V23.
TEXT ·absolutesNEON(SB), NOSPLIT, $0-24
	MOVD  s+0(FP), R2
	MOVD  x+8(FP), R4
	MOVD  n+16(FP), R5
	ADD   $laneSums_abs, R2, R3
	ADD   $laneSums_max, R2
	LANESIN
	FLDPQ (R2), (F16, F17)
	FLDPQ 32(R2), (F18, F19)
	FLDPQ 64(R2), (F20, F21)
	FLDPQ 96(R2), (F22, F23)

group:
	FLDPQ (R4), (F24, F25)
	FLDPQ 32(R4), (F26, F27)
	ABS4(24, V24, 0, 16, V16)
	ABS4(25, V25, 2, 17, V17)
	FLDPQ 64(R4), (F28, F29)
	ABS4(26, V26, 4, 18, V18)
	ABS4(27, V27, 6, 19, V19)
	FLDPQ 96(R4), (F24, F25)
	ABS4(28, V28, 8, 20, V20)
	ABS4(29, V29, 10, 21, V21)
	ABS4(24, V24, 12, 22, V22)
	ABS4(25, V25, 14, 23, V23)
	ADD   $128, R4
	SUBS  $32, R5
	BNE   group
	LANESOUT
	FSTPQ (F16, F17), (R2)
	FSTPQ (F18, F19), 32(R2)
	FSTPQ (F20, F21), 64(R2)
	FSTPQ (F22, F23), 96(R2)
	RET

// func subNEON(dst, x, y *float32, n int)
TEXT ·subNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD y+16(FP), R2
	MOVD n+24(FP), R3

loop:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R2), [V4.S4, V5.S4, V6.S4, V7.S4]
	FSUB(0, 0, 4)
	FSUB(1, 1, 5)
	FSUB(2, 2, 6)
	FSUB(3, 3, 7)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R3
	BNE    loop
	RET

// func addNEON(dst, src *float32, n int)
TEXT ·addNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R3

loop:
	VLD1   (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD(0, 0, 4)
	FADD(1, 1, 5)
	FADD(2, 2, 6)
	FADD(3, 3, 7)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R3
	BNE    loop
	RET

// func lerpNEON(dst, src *float32, n int, t float32)
TEXT ·lerpNEON(SB), NOSPLIT, $0-28
	MOVD  dst+0(FP), R0
	MOVD  src+8(FP), R1
	MOVD  n+16(FP), R3
	FMOVS t+24(FP), F16

loop:
	VLD1   (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	FSUB(4, 4, 0)
	FSUB(5, 5, 1)
	FSUB(6, 6, 2)
	FSUB(7, 7, 3)
	FMLAE(0, 4, 16, 0)
	FMLAE(1, 5, 16, 0)
	FMLAE(2, 6, 16, 0)
	FMLAE(3, 7, 16, 0)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R3
	BNE    loop
	RET

// MOMENTS updates m and v by the gradient g: not yet flushed. d is scratch.
#define MOMENTS(g, m, v, d) \
	FSUB(d, g, m)                        \
	FMLAE(m, d, 24, 0)                   \
	FMUL(d, g, g)                        \
	FSUB(d, d, v)                        \
	FMLAE(v, d, 25, 0)

// FLUSH makes x +0 where |x| is below V30, which no NaN is. d is scratch.
#define FLUSH(x, d) \
	FACGT(d, 30, x)                      \
	BIC(x, x, d)

// STEP updates the weights w. d is scratch; dv, wv and vv are d, w and v.
#define STEP(w, wv, m, v, d, dv) \
	FSQRT(v, v)                          \
	VMOV  V27.B16, dv.B16                \
	FMLAE(d, v, 26, 0)                   \ // √v·scale + ε
	FDIV(d, m, d)                        \
	FMUL(w, w, 29)                       \
	VFMLS V28.S4, dv.S4, wv.S4

// func adamNEON(w, grad, m, v *float32, n int, c *adamCoefficients)
//
// V24 beta1c, V25 beta2c, V26 scale, V27 epsilon, V28 rate, V29 keep, V30 2⁻¹⁰⁰.
TEXT ·adamNEON(SB), NOSPLIT, $0-48
	MOVD  w+0(FP), R0
	MOVD  grad+8(FP), R1
	MOVD  m+16(FP), R2
	MOVD  v+24(FP), R3
	MOVD  n+32(FP), R4
	MOVD  c+40(FP), R5
	FMOVS adamCoefficients_beta1c(R5), F24
	FMOVS adamCoefficients_beta2c(R5), F25
	FMOVS adamCoefficients_scale(R5), F26
	FMOVS adamCoefficients_epsilon(R5), F27
	FMOVS adamCoefficients_rate(R5), F28
	FMOVS adamCoefficients_keep(R5), F29
	VDUP  V27.S[0], V27.S4
	VDUP  V28.S[0], V28.S4
	VDUP  V29.S[0], V29.S4
	MOVD  $0x0D800000, R6                // 2⁻¹⁰⁰
	VDUP  R6, V30.S4

loop:
	FLDPQ (R1), (F0, F1)
	FLDPQ (R2), (F2, F3)
	FLDPQ (R3), (F4, F5)
	FLDPQ (R0), (F6, F7)
	MOMENTS(0, 2, 4, 16)
	MOMENTS(1, 3, 5, 17)
	FLUSH(2, 16)
	FLUSH(3, 17)
	FLUSH(4, 18)
	FLUSH(5, 19)
	FSTPQ (F2, F3), (R2)
	FSTPQ (F4, F5), (R3)
	STEP(6, V6, 2, 4, 16, V16)
	STEP(7, V7, 3, 5, 17, V17)
	FSTPQ (F6, F7), (R0)
	ADD   $32, R0
	ADD   $32, R1
	ADD   $32, R2
	ADD   $32, R3
	SUBS  $8, R4
	BNE   loop
	RET

// func transposeNEON(dst, src *float32, k, n int)
//
// Rows of 32 on both sides: dst[j*32+i] = src[i*32+j] for i < k, j < n, both multiples of
// four and at most 32. Blocks of 4×4.
TEXT ·transposeNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD k+16(FP), R2
	MOVD n+24(FP), R3

rows:
	MOVD R0, R4
	MOVD R1, R5
	MOVD R3, R6

columns:
	FMOVQ (R5), F0
	FMOVQ 128(R5), F1
	FMOVQ 256(R5), F2
	FMOVQ 384(R5), F3
	VTRN1 V1.S4, V0.S4, V4.S4            // 00 10 02 12
	VTRN2 V1.S4, V0.S4, V5.S4            // 01 11 03 13
	VTRN1 V3.S4, V2.S4, V6.S4            // 20 30 22 32
	VTRN2 V3.S4, V2.S4, V7.S4            // 21 31 23 33
	VZIP1 V6.D2, V4.D2, V0.D2            // 00 10 20 30
	VZIP1 V7.D2, V5.D2, V1.D2
	VZIP2 V6.D2, V4.D2, V2.D2
	VZIP2 V7.D2, V5.D2, V3.D2
	FMOVQ F0, (R4)
	FMOVQ F1, 128(R4)
	FMOVQ F2, 256(R4)
	FMOVQ F3, 384(R4)
	ADD   $16, R5
	ADD   $512, R4
	SUBS  $4, R6
	BNE   columns
	ADD   $512, R1
	ADD   $16, R0
	SUBS  $4, R2
	BNE   rows
	RET

#undef LANESIN
#undef LANESOUT
#undef SQUARES8
#undef ABS4
#undef MOMENTS
#undef FLUSH
#undef STEP
