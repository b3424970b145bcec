//go:build !purego && !noasm

#include "go_asm.h"
#include "textflag.h"
#include "words_arm64.h"

// Reductions and elementwise updates on NEON. All work on whole vectors: the length is a
// multiple of 32 (sums) or 16 (updates), and Go code does the rest.

// Sums go in runs of up to 1024 elements (sumRun): 32 float32 lanes of squares and of
// absolutes, which are then folded into 16 float64 lanes each. Registers of all:
//
//	R0 s    R1 x    R2 y    R3 dst    R4 elements left    R5 elements left in the run
//	V0-V7 squares, V8-V15 absolutes, V16-V23 maxima, V24-V31 scratch

// Where eight values come from, in V24 and V25: x; x−y; x−y which is also stored.
#define FROMX(o) \
	FLDPQ o(R1), (F24, F25)

#define FROMXY(o) \
	FLDPQ o(R1), (F24, F25)              \
	FLDPQ o(R2), (F26, F27)              \
	FSUB(24, 24, 26)                     \
	FSUB(25, 25, 27)

#define FROMXYTODST(o) \
	FROMXY(o)                            \
	FSTPQ (F24, F25), o(R3)

// ADD8 adds the values of V24 and V25 to lanes: squares s and t, absolutes a and a+1,
// maxima m and m+1. A NaN leaves a maximum as it is.
#define ADD8(s, t, a, m, mv, nv) \
	VFMLA V24.S4, V24.S4, s.S4           \
	VFMLA V25.S4, V25.S4, t.S4           \
	FABS(24, 24)                         \
	FABS(25, 25)                         \
	FADD(a, a, 24)                       \
	FADD(a+1, a+1, 25)                   \
	FCMGT(28, 24, m)                     \
	FCMGT(29, 25, m+1)                   \
	VBIT V28.B16, V24.B16, mv.B16        \
	VBIT V29.B16, V25.B16, nv.B16

// FOLD4 adds eight float32 lanes, v and w, to the float64 lanes at o(R0).
#define FOLD4(v, w, o) \
	FADD(v, v, w)                        \
	FCVTL(24, v)                         \
	FCVTL2(25, v)                        \
	FLDPQ (o)(R0), (F26, F27)            \
	FADDD(26, 26, 24)                    \
	FADDD(27, 27, 25)                    \
	FSTPQ (F26, F27), (o)(R0)

// LARGER keeps the larger of the maxima m and n in m.
#define LARGER(m, n, mv, nv) \
	FCMGT(28, n, m)                      \
	VBIT V28.B16, nv.B16, mv.B16

// SUMS is all runs.
#define SUMS(source) \
	FLDPQ (laneSums_max+0)(R0), (F16, F17) \
	FLDPQ (laneSums_max+32)(R0), (F18, F19) \
	VORR V16.B16, V16.B16, V20.B16       \
	VORR V17.B16, V17.B16, V21.B16       \
	VORR V18.B16, V18.B16, V22.B16       \
	VORR V19.B16, V19.B16, V23.B16       \
run:                                         \
	MOVD $1024, R5                       \
	CMP  R5, R4                          \
	CSEL LT, R4, R5, R5                  \
	SUB  R5, R4                          \
	VEOR V0.B16, V0.B16, V0.B16          \
	VEOR V1.B16, V1.B16, V1.B16          \
	VEOR V2.B16, V2.B16, V2.B16          \
	VEOR V3.B16, V3.B16, V3.B16          \
	VEOR V4.B16, V4.B16, V4.B16          \
	VEOR V5.B16, V5.B16, V5.B16          \
	VEOR V6.B16, V6.B16, V6.B16          \
	VEOR V7.B16, V7.B16, V7.B16          \
	VEOR V8.B16, V8.B16, V8.B16          \
	VEOR V9.B16, V9.B16, V9.B16          \
	VEOR V10.B16, V10.B16, V10.B16       \
	VEOR V11.B16, V11.B16, V11.B16       \
	VEOR V12.B16, V12.B16, V12.B16       \
	VEOR V13.B16, V13.B16, V13.B16       \
	VEOR V14.B16, V14.B16, V14.B16       \
	VEOR V15.B16, V15.B16, V15.B16       \
step:                                        \
	source(0)                            \
	ADD8(V0, V1, 8, 16, V16, V17)        \
	source(32)                           \
	ADD8(V2, V3, 10, 18, V18, V19)       \
	source(64)                           \
	ADD8(V4, V5, 12, 20, V20, V21)       \
	source(96)                           \
	ADD8(V6, V7, 14, 22, V22, V23)       \
	ADD  $128, R1                        \
	ADD  $128, R2                        \
	ADD  $128, R3                        \
	SUBS $32, R5                         \
	BNE  step                            \
	FOLD4(0, 4, laneSums_squares+0)      \
	FOLD4(1, 5, laneSums_squares+32)     \
	FOLD4(2, 6, laneSums_squares+64)     \
	FOLD4(3, 7, laneSums_squares+96)     \
	FOLD4(8, 12, laneSums_abs+0)         \
	FOLD4(9, 13, laneSums_abs+32)        \
	FOLD4(10, 14, laneSums_abs+64)       \
	FOLD4(11, 15, laneSums_abs+96)       \
	CBNZ R4, run                         \
	LARGER(16, 20, V16, V20)             \
	LARGER(17, 21, V17, V21)             \
	LARGER(18, 22, V18, V22)             \
	LARGER(19, 23, V19, V23)             \
	FSTPQ (F16, F17), (laneSums_max+0)(R0) \
	FSTPQ (F18, F19), (laneSums_max+32)(R0)

// func sumsNEON(s *laneSums, x *float32, n int)
TEXT ·sumsNEON(SB), NOSPLIT, $0-24
	MOVD s+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R4
	SUMS(FROMX)
	RET

// func distanceNEON(s *laneSums, x, y *float32, n int)
TEXT ·distanceNEON(SB), NOSPLIT, $0-32
	MOVD s+0(FP), R0
	MOVD x+8(FP), R1
	MOVD y+16(FP), R2
	MOVD n+24(FP), R4
	SUMS(FROMXY)
	RET

// func residualNEON(s *laneSums, dst, x, y *float32, n int)
TEXT ·residualNEON(SB), NOSPLIT, $0-40
	MOVD s+0(FP), R0
	MOVD dst+8(FP), R3
	MOVD x+16(FP), R1
	MOVD y+24(FP), R2
	MOVD n+32(FP), R4
	SUMS(FROMXYTODST)
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

#undef FROMX
#undef FROMXY
#undef FROMXYTODST
#undef ADD8
#undef FOLD4
#undef LARGER
#undef SUMS
#undef MOMENTS
#undef FLUSH
#undef STEP
