//go:build !purego && !noasm

#include "textflag.h"

// The constants of Sine.
DATA sine<>+0(SB)/4, $0x4B400000 // added and taken off: rounds
DATA sine<>+4(SB)/4, $0x7FFFFFFF // all but the sign
DATA sine<>+8(SB)/4, $0x3F000000 // ½
DATA sine<>+12(SB)/4, $0x3E800000 // ¼
DATA sine<>+16(SB)/4, $0x40C90FDA // polynomial
DATA sine<>+20(SB)/4, $0xC2255DDB
DATA sine<>+24(SB)/4, $0x42A333B7
DATA sine<>+28(SB)/4, $0xC299197D
DATA sine<>+32(SB)/4, $0x421E2592
GLOBL sine<>(SB), RODATA|NOPTR, $36

// Registers of the AVX512 sine: Z22 unit, Z23 to Z31 the constants in their order.
#define SINE_CONSTANTS_AVX512 \
	VBROADCASTSS sine<>+0(SB), Z23; \
	VBROADCASTSS sine<>+4(SB), Z24; \
	VBROADCASTSS sine<>+8(SB), Z25; \
	VBROADCASTSS sine<>+12(SB), Z26; \
	VBROADCASTSS sine<>+16(SB), Z27; \
	VBROADCASTSS sine<>+20(SB), Z28; \
	VBROADCASTSS sine<>+24(SB), Z29; \
	VBROADCASTSS sine<>+28(SB), Z30; \
	VBROADCASTSS sine<>+32(SB), Z31

// t = x·unit less its nearest integer, a = |t|; x in t.
#define SINE_PHASE_AVX512(t, a) \
	VMULPS Z22, t, t; \
	VADDPS Z23, t, a; \
	VSUBPS Z23, a, a; \
	VSUBPS a, t, t; \
	VPANDD Z24, t, a

// s = min(a, ½−a) with the sign of t, in t.
#define SINE_FOLD_AVX512(t, a, b) \
	VSUBPS a, Z25, b; \
	VMINPS a, b, b; \
	VPANDND t, Z24, t; \
	VPXORD b, t, t

// f = P(f); q and s are overwritten.
#define SINE_POLYNOMIAL_AVX512(f, q, s) \
	VMULPS f, f, q; \
	VMULPS q, Z31, s; \
	VADDPS Z30, s, s; \
	VMULPS q, s, s; \
	VADDPS Z29, s, s; \
	VMULPS q, s, s; \
	VADDPS Z28, s, s; \
	VMULPS q, s, s; \
	VADDPS Z27, s, s; \
	VMULPS f, s, f

// func sineAVX512(sin, x *float32, n int, unit float32)
TEXT ·sineAVX512(SB), NOSPLIT, $0-28
	MOVQ sin+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS unit+24(FP), Z22
	SINE_CONSTANTS_AVX512

loop:
	VMOVUPS (SI), Z0
	SINE_PHASE_AVX512(Z0, Z1)
	SINE_FOLD_AVX512(Z0, Z1, Z2)
	SINE_POLYNOMIAL_AVX512(Z0, Z1, Z2)
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func sineCosineAVX512(sin, cos, x *float32, n int, unit float32)
TEXT ·sineCosineAVX512(SB), NOSPLIT, $0-36
	MOVQ sin+0(FP), DI
	MOVQ cos+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	VBROADCASTSS unit+32(FP), Z22
	SINE_CONSTANTS_AVX512

loop:
	VMOVUPS (SI), Z0
	SINE_PHASE_AVX512(Z0, Z1)
	SINE_FOLD_AVX512(Z0, Z1, Z2)
	VSUBPS Z1, Z26, Z3
	SINE_POLYNOMIAL_AVX512(Z0, Z1, Z2)
	SINE_POLYNOMIAL_AVX512(Z3, Z4, Z5)
	VMOVUPS Z0, (DI)
	VMOVUPS Z3, (DX)
	ADDQ $64, SI
	ADDQ $64, DI
	ADDQ $64, DX
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func multiplyAVX512(dst, src *float32, n int)
TEXT ·multiplyAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

loop:
	VMOVUPS (DI), Z0
	VMULPS (SI), Z0, Z0
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// Registers of the AVX2 sine: Y6 unit, Y7 to Y15 the constants in their order.
#define SINE_CONSTANTS_AVX2 \
	VBROADCASTSS sine<>+0(SB), Y7; \
	VBROADCASTSS sine<>+4(SB), Y8; \
	VBROADCASTSS sine<>+8(SB), Y9; \
	VBROADCASTSS sine<>+12(SB), Y10; \
	VBROADCASTSS sine<>+16(SB), Y11; \
	VBROADCASTSS sine<>+20(SB), Y12; \
	VBROADCASTSS sine<>+24(SB), Y13; \
	VBROADCASTSS sine<>+28(SB), Y14; \
	VBROADCASTSS sine<>+32(SB), Y15

// t = x·unit less its nearest integer, a = |t|; x in t.
#define SINE_PHASE_AVX2(t, a) \
	VMULPS Y6, t, t; \
	VADDPS Y7, t, a; \
	VSUBPS Y7, a, a; \
	VSUBPS a, t, t; \
	VPAND Y8, t, a

// s = min(a, ½−a) with the sign of t, in t.
#define SINE_FOLD_AVX2(t, a, b) \
	VSUBPS a, Y9, b; \
	VMINPS a, b, b; \
	VPANDN t, Y8, t; \
	VPXOR b, t, t

// f = P(f); q and s are overwritten.
#define SINE_POLYNOMIAL_AVX2(f, q, s) \
	VMULPS f, f, q; \
	VMULPS q, Y15, s; \
	VADDPS Y14, s, s; \
	VMULPS q, s, s; \
	VADDPS Y13, s, s; \
	VMULPS q, s, s; \
	VADDPS Y12, s, s; \
	VMULPS q, s, s; \
	VADDPS Y11, s, s; \
	VMULPS f, s, f

// func sineAVX2(sin, x *float32, n int, unit float32)
TEXT ·sineAVX2(SB), NOSPLIT, $0-28
	MOVQ sin+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS unit+24(FP), Y6
	SINE_CONSTANTS_AVX2

loop:
	VMOVUPS (SI), Y0
	SINE_PHASE_AVX2(Y0, Y1)
	SINE_FOLD_AVX2(Y0, Y1, Y2)
	SINE_POLYNOMIAL_AVX2(Y0, Y1, Y2)
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

// func sineCosineAVX2(sin, cos, x *float32, n int, unit float32)
TEXT ·sineCosineAVX2(SB), NOSPLIT, $0-36
	MOVQ sin+0(FP), DI
	MOVQ cos+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	VBROADCASTSS unit+32(FP), Y6
	SINE_CONSTANTS_AVX2

loop:
	VMOVUPS (SI), Y0
	SINE_PHASE_AVX2(Y0, Y1)
	SINE_FOLD_AVX2(Y0, Y1, Y2)
	VSUBPS Y1, Y10, Y3
	SINE_POLYNOMIAL_AVX2(Y0, Y1, Y2)
	SINE_POLYNOMIAL_AVX2(Y3, Y4, Y5)
	VMOVUPS Y0, (DI)
	VMOVUPS Y3, (DX)
	ADDQ $32, SI
	ADDQ $32, DI
	ADDQ $32, DX
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET

// func multiplyAVX2(dst, src *float32, n int)
TEXT ·multiplyAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

loop:
	VMOVUPS (DI), Y0
	VMULPS (SI), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $8, CX
	JNZ  loop
	VZEROUPPER
	RET
