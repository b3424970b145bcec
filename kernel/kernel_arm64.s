//go:build !purego && !noasm

#include "go_asm.h"
#include "textflag.h"
#include "words_arm64.h"

// Products on NEON. Every TEXT computes one productTile, t: some rows of a times one
// panel of w, a slice of its columns at a time, started from the bias and finished by
// ReLU or by the mask y. n is a multiple of what each says; dst and y have n columns,
// w and a bias 32. Vectors of w are multiplied by elements of vectors of a, so that
// nothing is broadcast, and are loaded half a step before they are needed, for cores that
// execute in order. Registers:
//
//	R0 t                R8 lda           R19 ldd            R23 columns left
//	R1 next block of a  R9 slice of w    R20 row of dst     R24 bias of the slice or 0
//	R2-R7 rows of a     R10 w in the k   R21 row of y       R25 ldy
//	R12 rows left           loop         R22 block of y     R26 position in rows of a
//	R13 block of dst    R11 k left           or 0
//
// All distances are in bytes. After the k loop: V31 lower bound, 0 for ReLU and -Inf
// otherwise; V28-V30 scratch.

// LOAD reads what all tiles need.
#define LOAD \
	MOVD t+0(FP), R0                     \
	MOVD productTile_a(R0), R1           \
	MOVD productTile_lda(R0), R8         \
	LSL  $2, R8                          \
	MOVD productTile_rows(R0), R12       \
	MOVD productTile_dst(R0), R13        \
	MOVD productTile_ldd(R0), R19        \
	LSL  $2, R19                         \
	MOVD productTile_y(R0), R22          \
	MOVD productTile_ldy(R0), R25        \
	LSL  $2, R25

// SLICES goes to the first slice of columns.
#define SLICES \
	MOVD productTile_w(R0), R9           \
	MOVD productTile_n(R0), R23          \
	MOVD productTile_bias(R0), R24

// CHAINS goes to the first k.
#define CHAINS \
	MOVD R9, R10                         \
	MOVD ZR, R26                         \
	MOVD productTile_k(R0), R11

// BOUND sets the lower bound. It uses R11.
#define BOUND \
	MOVBU productTile_relu(R0), R11      \
	SUBW  $1, R11                        \ // 0 for ReLU, all ones otherwise
	ANDW  $0xFF800000, R11               \ // +0 or -Inf
	VDUP  R11, V31.S4

// ENDINGS prepares for finishing the slice at hand. It uses R11.
#define ENDINGS \
	BOUND                                \
	MOVD productTile_w(R0), R11          \
	SUB  R11, R9, R11                    \ // bytes from the first column
	ADD  R11, R13, R20                   \
	ADD  R11, R22, R21

// FINISH clamps eight columns of a row from below, masks them if there is a y and stores
// them o bytes from the row's position.
#define FINISH(o, lo, hi) \
	FCMGT(28, 31, lo)                    \ // false for NaN, and -0 is not below 0
	FCMGT(29, 31, hi)                    \
	BIC(lo, lo, 28)                      \
	BIC(hi, hi, 29)                      \
	CBZ   R22, 7(PC)                     \
	FMOVQ o(R21), F28                    \
	FMOVQ (o+16)(R21), F29               \
	FCMLE0(28, 28)                       \ // false for NaN
	FCMLE0(29, 29)                       \
	BIC(lo, lo, 28)                      \
	BIC(hi, hi, 29)                      \
	FMOVQ F(lo), o(R20)                  \
	FMOVQ F(hi), (o+16)(R20)

// FINISH4 is FINISH for four columns.
#define FINISH4(o, v) \
	FCMGT(28, 31, v)                     \
	BIC(v, v, 28)                        \
	CBZ   R22, 4(PC)                     \
	FMOVQ o(R21), F28                    \
	FCMLE0(28, 28)                       \
	BIC(v, v, 28)                        \
	FMOVQ F(v), o(R20)

// NEXTROW goes to the next row of dst and y.
#define NEXTROW \
	ADD R19, R20                         \
	ADD R25, R21

#define ZERO4(a, b, c, d) \
	VMOVI $0, a.B16                      \
	VMOVI $0, b.B16                      \
	VMOVI $0, c.B16                      \
	VMOVI $0, d.B16

#define COPY3(s, a, b, c) \
	VMOV s.B16, a.B16                    \
	VMOV s.B16, b.B16                    \
	VMOV s.B16, c.B16

// SIX multiplies b with lane i of V24-V29 and adds to six accumulators from c.
#define SIX(c, b, i) \
	FMLAE(c, b, 24, i)                   \
	FMLAE(c+1, b, 25, i)                 \
	FMLAE(c+2, b, 26, i)                 \
	FMLAE(c+3, b, 27, i)                 \
	FMLAE(c+4, b, 28, i)                 \
	FMLAE(c+5, b, 29, i)

// SIXLAST is SIX with the last lane, loads the next four elements of each row, and of w
// what lies 512 and p bytes on, and counts. The loads stand together: a model of the
// Cortex-A53 charges for every change from multiplying to loading.
#define SIXLAST(c, b, p) \
	FMLAE(c, b, 24, 3)                   \
	FMLAE(c+1, b, 25, 3)                 \
	FMLAE(c+2, b, 26, 3)                 \
	FMLAE(c+3, b, 27, 3)                 \
	LDRQ(24, 2, 26)                      \
	LDRQ(25, 3, 26)                      \
	FMLAE(c+4, b, 28, 3)                 \
	FMLAE(c+5, b, 29, 3)                 \
	FMOVQ 512(R10), F30                  \
	LDRQ(26, 4, 26)                      \
	SUBS  $4, R11                        \
	LDRQ(27, 5, 26)                      \
	LDRQ(28, 6, 26)                      \
	LDRQ(29, 7, 26)                      \
	FMOVQ p(R10), F31                    \
	ADD   $512, R10

// ROWS6 points to the rows of a block and goes on to the next.
#define ROWS6 \
	MOVD R1, R2                          \
	ADD  R8, R2, R3                      \
	ADD  R8, R3, R4                      \
	ADD  R8, R4, R5                      \
	ADD  R8, R5, R6                      \
	ADD  R8, R6, R7                      \
	ADD  R8, R7, R1

// FIRST6 loads the first four elements of each row.
#define FIRST6 \
	FMOVQ (R2), F24                      \
	FMOVQ (R3), F25                      \
	FMOVQ (R4), F26                      \
	FMOVQ (R5), F27                      \
	FMOVQ (R6), F28                      \
	FMOVQ (R7), F29

// ONE6 loads one element of each row and goes on.
#define ONE6 \
	FMOVS (R2)(R26), F24                 \
	FMOVS (R3)(R26), F25                 \
	FMOVS (R4)(R26), F26                 \
	FMOVS (R5)(R26), F27                 \
	FMOVS (R6)(R26), F28                 \
	FMOVS (R7)(R26), F29                 \
	ADD   $4, R26

// TAIL6 is one k of six rows and eight columns, the row of w at R10+p.
#define TAIL6(c, p) \
	FMOVQ p(R10), F30                    \
	FMOVQ (p+16)(R10), F31               \
	ONE6                                 \
	SIX(c, 30, 0)                        \
	SIX(c+6, 31, 0)

// SUM6 adds six accumulators from e to those from c.
#define SUM6(c, e) \
	FADD(c, c, e)                        \
	FADD(c+1, c+1, e+1)                  \
	FADD(c+2, c+2, e+2)                  \
	FADD(c+3, c+3, e+3)                  \
	FADD(c+4, c+4, e+4)                  \
	FADD(c+5, c+5, e+5)

// NEXT6 goes to the next six rows of dst and y.
#define NEXT6 \
	ADD R19<<1, R13                      \
	ADD R19<<2, R13                      \
	CBZ R22, 3(PC)                       \
	ADD R25<<1, R22                      \
	ADD R25<<2, R22

// func product6x8x2NEON(t *productTile)
//
// Two chains, six rows and eight columns at a time: rows must be a multiple of six and n
// of eight. 24 accumulators, which leave eight registers for operands: row r of the even
// chain in V(r), V(6+r), of the odd chain in V(12+r), V(18+r); rows of a in V24-V29, of w
// in V30, V31.
TEXT ·product6x8x2NEON(SB), NOSPLIT, $0-8
	LOAD

block:
	ROWS6
	SLICES

slice:
	VMOVI $0, V0.B16
	VMOVI $0, V6.B16
	CBZ   R24, chains
	FLDPQ (R24), (F0, F6)
	ADD   $32, R24

chains:
	COPY3(V0, V1, V2, V3)
	VMOV V0.B16, V4.B16
	VMOV V0.B16, V5.B16
	COPY3(V6, V7, V8, V9)
	VMOV V6.B16, V10.B16
	VMOV V6.B16, V11.B16
	ZERO4(V12, V13, V14, V15)
	ZERO4(V16, V17, V18, V19)
	ZERO4(V20, V21, V22, V23)
	CHAINS
	SUBS $4, R11
	BLT  tail
	FIRST6
	FMOVQ (R10), F30
	FMOVQ 16(R10), F31
	SUBS  $4, R11
	BLT   last

four:
	SIX(0, 30, 0)
	FMOVQ 128(R10), F30
	SIX(6, 31, 0)
	FMOVQ 144(R10), F31
	SIX(12, 30, 1)
	FMOVQ 256(R10), F30
	SIX(18, 31, 1)
	FMOVQ 272(R10), F31
	SIX(0, 30, 2)
	FMOVQ 384(R10), F30
	SIX(6, 31, 2)
	FMOVQ 400(R10), F31
	ADD   $16, R26
	SIX(12, 30, 3)
	SIXLAST(18, 31, 528)
	BGE   four

last:
	SIX(0, 30, 0)
	FMOVQ 128(R10), F30
	SIX(6, 31, 0)
	FMOVQ 144(R10), F31
	SIX(12, 30, 1)
	FMOVQ 256(R10), F30
	SIX(18, 31, 1)
	FMOVQ 272(R10), F31
	SIX(0, 30, 2)
	FMOVQ 384(R10), F30
	SIX(6, 31, 2)
	FMOVQ 400(R10), F31
	ADD   $512, R10
	ADD   $16, R26
	SIX(12, 30, 3)
	SIX(18, 31, 3)

tail:
	ADDS $4, R11                         // k mod 4
	BEQ  combine
	TAIL6(0, 0)
	SUBS $1, R11
	BEQ  combine
	TAIL6(12, 128)
	SUBS $1, R11
	BEQ  combine
	TAIL6(0, 256)

combine:
	SUM6(0, 12)
	SUM6(6, 18)
	ENDINGS
	FINISH(0, 0, 6)
	NEXTROW
	FINISH(0, 1, 7)
	NEXTROW
	FINISH(0, 2, 8)
	NEXTROW
	FINISH(0, 3, 9)
	NEXTROW
	FINISH(0, 4, 10)
	NEXTROW
	FINISH(0, 5, 11)
	ADD  $32, R9
	SUBS $8, R23
	BGT  slice
	NEXT6
	SUBS $6, R12
	BNE  block
	RET

// func product6x4x4NEON(t *productTile)
//
// Four chains, six rows and four columns at a time: rows must be a multiple of six and n
// of four. Row r of chain c in V(6c+r); rows of a in V24-V29, of w in V30, V31 by turns.
TEXT ·product6x4x4NEON(SB), NOSPLIT, $0-8
	LOAD

block:
	ROWS6
	SLICES

slice:
	VMOVI $0, V0.B16
	CBZ   R24, chains
	FMOVQ (R24), F0
	ADD   $16, R24

chains:
	COPY3(V0, V1, V2, V3)
	VMOV V0.B16, V4.B16
	VMOV V0.B16, V5.B16
	VMOVI $0, V6.B16
	VMOVI $0, V7.B16
	ZERO4(V8, V9, V10, V11)
	ZERO4(V12, V13, V14, V15)
	ZERO4(V16, V17, V18, V19)
	ZERO4(V20, V21, V22, V23)
	CHAINS
	SUBS $4, R11
	BLT  tail
	FIRST6
	FMOVQ (R10), F30
	FMOVQ 128(R10), F31
	SUBS  $4, R11
	BLT   last

four:
	SIX(0, 30, 0)
	FMOVQ 256(R10), F30
	SIX(6, 31, 1)
	FMOVQ 384(R10), F31
	ADD   $16, R26
	SIX(12, 30, 2)
	SIXLAST(18, 31, 640)
	BGE   four

last:
	SIX(0, 30, 0)
	FMOVQ 256(R10), F30
	SIX(6, 31, 1)
	FMOVQ 384(R10), F31
	ADD   $512, R10
	ADD   $16, R26
	SIX(12, 30, 2)
	SIX(18, 31, 3)

tail:
	ADDS  $4, R11                        // k mod 4
	BEQ   combine
	FMOVQ (R10), F30
	ONE6
	SIX(0, 30, 0)
	SUBS  $1, R11
	BEQ   combine
	FMOVQ 128(R10), F30
	ONE6
	SIX(6, 30, 0)
	SUBS  $1, R11
	BEQ   combine
	FMOVQ 256(R10), F30
	ONE6
	SIX(12, 30, 0)

combine:
	SUM6(0, 12)                          // c0 + c2
	SUM6(6, 18)                          // c1 + c3
	SUM6(0, 6)
	ENDINGS
	FINISH4(0, 0)
	NEXTROW
	FINISH4(0, 1)
	NEXTROW
	FINISH4(0, 2)
	NEXTROW
	FINISH4(0, 3)
	NEXTROW
	FINISH4(0, 4)
	NEXTROW
	FINISH4(0, 5)
	ADD  $16, R9
	SUBS $4, R23
	BGT  slice
	NEXT6
	SUBS $6, R12
	BNE  block
	RET

// FOUR multiplies four vectors from b with lane i of a and adds to accumulators from c.
#define FOUR(c, b, a, i) \
	FMLAE(c, b, a, i)                    \
	FMLAE(c+1, b+1, a, i)                \
	FMLAE(c+2, b+2, a, i)                \
	FMLAE(c+3, b+3, a, i)

// PAIRS does so for two rows, in V24 and V25, and loads four vectors at R10+p into e-h.
#define PAIRS(c, b, i, p, e, f, g, h) \
	FMLAE(c, b, 24, i)                   \
	FMOVQ p(R10), e                      \
	FMLAE(c+1, b+1, 24, i)               \
	FMLAE(c+2, b+2, 24, i)               \
	FMOVQ (p+16)(R10), f                 \
	FMLAE(c+3, b+3, 24, i)               \
	FMLAE(c+4, b, 25, i)                 \
	FMOVQ (p+32)(R10), g                 \
	FMLAE(c+5, b+1, 25, i)               \
	FMLAE(c+6, b+2, 25, i)               \
	FMOVQ (p+48)(R10), h                 \
	FMLAE(c+7, b+3, 25, i)

// PAIRTAIL is one k of two rows and 16 columns, the row of w at R10+p.
#define PAIRTAIL(c, p) \
	FLDPQ p(R10), (F16, F17)             \
	FLDPQ (p+32)(R10), (F18, F19)        \
	FMOVS (R2)(R26), F24                 \
	FMOVS (R3)(R26), F25                 \
	ADD   $4, R26                        \
	FOUR(c, 16, 24, 0)                   \
	FOUR(c+4, 16, 25, 0)

// SUM4 adds four accumulators from e to those from c.
#define SUM4(c, e) \
	FADD(c, c, e)                        \
	FADD(c+1, c+1, e+1)                  \
	FADD(c+2, c+2, e+2)                  \
	FADD(c+3, c+3, e+3)

// func product2x16x2NEON(t *productTile)
//
// Two chains, two rows and 16 columns at a time: rows must be even, n a multiple of eight.
// Column vector j of row r in V(4r+j) for the even chain, V(8+4r+j) for the odd one; rows
// of a in V24, V25, of w in V16-V19 and V20-V23 by turns.
TEXT ·product2x16x2NEON(SB), NOSPLIT, $0-8
	LOAD

block:
	MOVD R1, R2
	ADD  R8, R2, R3
	ADD  R8, R3, R1
	SLICES

slice:
	ZERO4(V0, V1, V2, V3)
	CBZ   R24, chains
	FLDPQ (R24), (F0, F1)
	FLDPQ 32(R24), (F2, F3)
	ADD   $64, R24

chains:
	VMOV V0.B16, V4.B16
	VMOV V1.B16, V5.B16
	VMOV V2.B16, V6.B16
	VMOV V3.B16, V7.B16
	ZERO4(V8, V9, V10, V11)
	ZERO4(V12, V13, V14, V15)
	CHAINS
	SUBS $4, R11
	BLT  tail
	FMOVQ (R2), F24
	FMOVQ (R3), F25
	FLDPQ (R10), (F16, F17)
	FLDPQ 32(R10), (F18, F19)
	SUBS  $4, R11
	BLT   last

four:
	PAIRS(0, 16, 0, 128, F20, F21, F22, F23)
	PAIRS(8, 20, 1, 256, F16, F17, F18, F19)
	PAIRS(0, 16, 2, 384, F20, F21, F22, F23)
	ADD  $512, R10
	ADD  $16, R26
	SUBS $4, R11
	PAIRS(8, 20, 3, 0, F16, F17, F18, F19)
	LDRQ(24, 2, 26)
	LDRQ(25, 3, 26)
	BGE four

last:
	PAIRS(0, 16, 0, 128, F20, F21, F22, F23)
	PAIRS(8, 20, 1, 256, F16, F17, F18, F19)
	PAIRS(0, 16, 2, 384, F20, F21, F22, F23)
	ADD $512, R10
	ADD $16, R26
	FOUR(8, 20, 24, 3)
	FOUR(12, 20, 25, 3)

tail:
	ADDS $4, R11                         // k mod 4
	BEQ  combine
	PAIRTAIL(0, 0)
	SUBS $1, R11
	BEQ  combine
	PAIRTAIL(8, 128)
	SUBS $1, R11
	BEQ  combine
	PAIRTAIL(0, 256)

combine:
	SUM4(0, 8)
	SUM4(4, 12)
	ENDINGS
	FINISH(0, 0, 1)
	NEXTROW
	FINISH(0, 4, 5)
	SUBS $8, R23
	BLE  next
	ENDINGS
	FINISH(32, 2, 3)
	NEXTROW
	FINISH(32, 6, 7)
	ADD  $64, R9
	SUBS $8, R23
	BGT  slice

next:
	ADD  R19<<1, R13
	CBZ  R22, counted
	ADD  R25<<1, R22

counted:
	SUBS $2, R12
	BNE  block
	RET

// func product4x16x1NEON(t *productTile)
//
// One chain, four rows and 16 columns at a time: rows must be a multiple of four, n of
// eight, and k is at most 8. Column vector j of row r in V(4r+j), a row of w in V16-V19,
// elements of a in V20-V23.
TEXT ·product4x16x1NEON(SB), NOSPLIT, $0-8
	LOAD

block:
	MOVD R1, R2
	ADD  R8, R2, R3
	ADD  R8, R3, R4
	ADD  R8, R4, R5
	ADD  R8, R5, R1
	SLICES

slice:
	ZERO4(V0, V1, V2, V3)
	CBZ   R24, chains
	FLDPQ (R24), (F0, F1)
	FLDPQ 32(R24), (F2, F3)
	ADD   $64, R24

chains:
	COPY3(V0, V4, V8, V12)
	COPY3(V1, V5, V9, V13)
	COPY3(V2, V6, V10, V14)
	COPY3(V3, V7, V11, V15)
	CHAINS
	CBZ R11, done

one:
	FMOVQ (R10), F16
	FMOVS (R2)(R26), F20
	FMOVQ 16(R10), F17
	FMOVQ 32(R10), F18
	FMOVQ 48(R10), F19
	FMOVS (R3)(R26), F21
	FMOVS (R4)(R26), F22
	FMOVS (R5)(R26), F23
	ADD   $128, R10
	ADD   $4, R26
	FOUR(0, 16, 20, 0)
	FOUR(4, 16, 21, 0)
	FOUR(8, 16, 22, 0)
	FOUR(12, 16, 23, 0)
	SUBS $1, R11
	BNE  one

done:
	ENDINGS
	FINISH(0, 0, 1)
	NEXTROW
	FINISH(0, 4, 5)
	NEXTROW
	FINISH(0, 8, 9)
	NEXTROW
	FINISH(0, 12, 13)
	SUBS $8, R23
	BLE  next
	ENDINGS
	FINISH(32, 2, 3)
	NEXTROW
	FINISH(32, 6, 7)
	NEXTROW
	FINISH(32, 10, 11)
	NEXTROW
	FINISH(32, 14, 15)
	ADD  $64, R9
	SUBS $8, R23
	BGT  slice

next:
	ADD  R19<<2, R13
	CBZ  R22, counted
	ADD  R25<<2, R22

counted:
	SUBS $4, R12
	BNE  block
	RET

// BIAS32 sets V0-V7 to 32 values of the bias, or zero, and goes on.
#define BIAS32 \
	ZERO4(V0, V1, V2, V3)                \
	ZERO4(V4, V5, V6, V7)                \
	CBZ   R24, 6(PC)                     \
	FLDPQ (R24), (F0, F1)                \
	FLDPQ 32(R24), (F2, F3)              \
	FLDPQ 64(R24), (F4, F5)              \
	FLDPQ 96(R24), (F6, F7)              \
	ADD   $128, R24

// W32 loads a row of w, at R10+p, into V16-V23.
#define W32(p) \
	FMOVQ p(R10), F16                    \
	FMOVQ (p+16)(R10), F17               \
	FMOVQ (p+32)(R10), F18               \
	FMOVQ (p+48)(R10), F19               \
	FMOVQ (p+64)(R10), F20               \
	FMOVQ (p+80)(R10), F21               \
	FMOVQ (p+96)(R10), F22               \
	FMOVQ (p+112)(R10), F23

// func product1x32x1NEON(t *productTile)
//
// One chain, a row and 32 columns at a time: n must be a multiple of eight, and k is at
// most 8. Accumulators V0-V7, a row of w in V16-V23, an element of a in V24.
TEXT ·product1x32x1NEON(SB), NOSPLIT, $0-8
	LOAD
	BOUND

row:
	SLICES
	BIAS32
	CHAINS
	CBZ R11, done

one:
	W32(0)
	FMOVS (R1)(R26), F24
	ADD   $128, R10
	ADD   $4, R26
	FOUR(0, 16, 24, 0)
	FOUR(4, 20, 24, 0)
	SUBS $1, R11
	BNE  one

done:
	MOVD R13, R20
	MOVD R22, R21
	FINISH(0, 0, 1)
	SUBS $8, R23
	BLE  next
	FINISH(32, 2, 3)
	SUBS $8, R23
	BLE  next
	FINISH(64, 4, 5)
	SUBS $8, R23
	BLE  next
	FINISH(96, 6, 7)

next:
	ADD R8, R1
	ADD R19, R13
	CBZ R22, counted
	ADD R25, R22

counted:
	SUBS $1, R12
	BNE  row
	RET

// EIGHT multiplies a row of w in V16-V23 with lane i of V24, adds to eight accumulators
// from c, and loads the row at R10+p.
#define EIGHT(c, i, p) \
	FMLAE(c, 16, 24, i)                  \
	FMOVQ p(R10), F16                    \
	FMLAE(c+1, 17, 24, i)                \
	FMOVQ (p+16)(R10), F17               \
	FMLAE(c+2, 18, 24, i)                \
	FMOVQ (p+32)(R10), F18               \
	FMLAE(c+3, 19, 24, i)                \
	FMOVQ (p+48)(R10), F19               \
	FMLAE(c+4, 20, 24, i)                \
	FMOVQ (p+64)(R10), F20               \
	FMLAE(c+5, 21, 24, i)                \
	FMOVQ (p+80)(R10), F21               \
	FMLAE(c+6, 22, 24, i)                \
	FMOVQ (p+96)(R10), F22               \
	FMLAE(c+7, 23, 24, i)                \
	FMOVQ (p+112)(R10), F23

// EIGHTTAIL is one k of one row and 32 columns, the row of w at R10.
#define EIGHTTAIL(c) \
	W32(0)                               \
	FMOVS.P 4(R2), F24                   \
	ADD     $128, R10                    \
	FOUR(c, 16, 24, 0)                   \
	FOUR(c+4, 20, 24, 0)

// func product1x32x2NEON(t *productTile)
//
// Two chains, a row and 32 columns at a time: n must be a multiple of eight. Even chain in
// V0-V7, odd chain in V8-V15, together as many as latency × pipes of wide cores.
TEXT ·product1x32x2NEON(SB), NOSPLIT, $0-8
	LOAD
	BOUND

row:
	SLICES
	BIAS32
	ZERO4(V8, V9, V10, V11)
	ZERO4(V12, V13, V14, V15)
	CHAINS
	MOVD R1, R2
	SUBS $4, R11
	BLT  tail
	W32(0)
	FMOVQ.P 16(R2), F24
	SUBS $4, R11
	BLT  last

four:
	EIGHT(0, 0, 128)
	EIGHT(8, 1, 256)
	EIGHT(0, 2, 384)
	ADD  $512, R10
	SUBS $4, R11
	EIGHT(8, 3, 0)
	FMOVQ.P 16(R2), F24
	BGE  four

last:
	EIGHT(0, 0, 128)
	EIGHT(8, 1, 256)
	EIGHT(0, 2, 384)
	ADD $512, R10
	FOUR(8, 16, 24, 3)
	FOUR(12, 20, 24, 3)

tail:
	ADDS $4, R11                         // k mod 4
	BEQ  combine
	EIGHTTAIL(0)
	SUBS $1, R11
	BEQ  combine
	EIGHTTAIL(8)
	SUBS $1, R11
	BEQ  combine
	EIGHTTAIL(0)

combine:
	SUM4(0, 8)
	SUM4(4, 12)
	MOVD R13, R20
	MOVD R22, R21
	FINISH(0, 0, 1)
	SUBS $8, R23
	BLE  next
	FINISH(32, 2, 3)
	SUBS $8, R23
	BLE  next
	FINISH(64, 4, 5)
	SUBS $8, R23
	BLE  next
	FINISH(96, 6, 7)

next:
	ADD R8, R1
	ADD R19, R13
	CBZ R22, counted
	ADD R25, R22

counted:
	SUBS $1, R12
	BNE  row
	RET

// QUAD multiplies a row of w in V16-V19 with lane i of V24, adds to four accumulators from
// c, and loads the row at R10+p.
#define QUAD(c, i, p) \
	FMLAE(c, 16, 24, i)                  \
	FMOVQ p(R10), F16                    \
	FMLAE(c+1, 17, 24, i)                \
	FMOVQ (p+16)(R10), F17               \
	FMLAE(c+2, 18, 24, i)                \
	FMOVQ (p+32)(R10), F18               \
	FMLAE(c+3, 19, 24, i)                \
	FMOVQ (p+48)(R10), F19

// QUADTAIL is one k of one row and 16 columns, the row of w at R10+p.
#define QUADTAIL(c, p) \
	FLDPQ   p(R10), (F16, F17)           \
	FLDPQ   (p+32)(R10), (F18, F19)      \
	FMOVS.P 4(R2), F24                   \
	FOUR(c, 16, 24, 0)

// func product1x16x4NEON(t *productTile)
//
// Four chains, a row and 16 columns at a time: n must be a multiple of four. Chain c in
// V(4c)-V(4c+3).
TEXT ·product1x16x4NEON(SB), NOSPLIT, $0-8
	LOAD

row:
	SLICES

slice:
	ZERO4(V0, V1, V2, V3)
	CBZ   R24, chains
	FLDPQ (R24), (F0, F1)
	FLDPQ 32(R24), (F2, F3)
	ADD   $64, R24

chains:
	ZERO4(V4, V5, V6, V7)
	ZERO4(V8, V9, V10, V11)
	ZERO4(V12, V13, V14, V15)
	CHAINS
	MOVD R1, R2
	SUBS $4, R11
	BLT  tail

four:
	FMOVQ.P 16(R2), F24
	FMOVQ (R10), F16
	FMOVQ 16(R10), F17
	FMOVQ 32(R10), F18
	FMOVQ 48(R10), F19
	QUAD(0, 0, 128)
	QUAD(4, 1, 256)
	QUAD(8, 2, 384)
	FOUR(12, 16, 24, 3)
	ADD  $512, R10
	SUBS $4, R11
	BGE  four

tail:
	ADDS $4, R11                         // k mod 4
	BEQ  combine
	QUADTAIL(0, 0)
	SUBS $1, R11
	BEQ  combine
	QUADTAIL(4, 128)
	SUBS $1, R11
	BEQ  combine
	QUADTAIL(8, 256)

combine:
	SUM4(0, 8)                           // c0 + c2
	SUM4(4, 12)                          // c1 + c3
	SUM4(0, 4)
	ENDINGS
	FINISH4(0, 0)
	SUBS $4, R23
	BLE  next
	FINISH4(16, 1)
	SUBS $4, R23
	BLE  next
	FINISH4(32, 2)
	SUBS $4, R23
	BLE  next
	FINISH4(48, 3)
	ADD  $64, R9
	SUBS $4, R23
	BGT  slice

next:
	ADD R8, R1
	ADD R19, R13
	CBZ R22, counted
	ADD R25, R22

counted:
	SUBS $1, R12
	BNE  row
	RET

// PAD copies the last R11 = k mod 32 values of the row at R1 to pad, at R4, which is zero
// beyond them. R26 is the distance to them. It uses R3, R4, R11 and V16.
#define PAD \
	ADD     R26, R1, R3                  \
	SUBS    $4, R11                      \
	BLT     5(PC)                        \
	FMOVQ.P 16(R3), F16                  \
	FMOVQ.P F16, 16(R4)                  \
	SUBS    $4, R11                      \
	BGE     -3(PC)                       \
	TBZ     $1, R11, 3(PC)               \ // k mod 4, the higher bit: two values
	FMOVD.P 8(R3), F16                   \
	FMOVD.P F16, 8(R4)                   \
	TBZ     $0, R11, 3(PC)               \ // and the lower bit: one
	FMOVS   (R3), F16                    \
	FMOVS   F16, (R4)

// X32 loads 32 values at R2 into V16-V23 and goes on.
#define X32 \
	FMOVQ (R2), F16                      \
	FMOVQ 16(R2), F17                    \
	FMOVQ 32(R2), F18                    \
	FMOVQ 48(R2), F19                    \
	FMOVQ 64(R2), F20                    \
	FMOVQ 80(R2), F21                    \
	FMOVQ 96(R2), F22                    \
	FMOVQ 112(R2), F23                   \
	ADD   $128, R2

// GROUP adds the products of V16-V23 with 32 values at p to eight accumulators.
#define GROUP(p, a, b, c, d, e, f, g, h) \
	FMOVQ (p), F24                       \
	FMOVQ 16(p), F25                     \
	FMOVQ 32(p), F26                     \
	FMOVQ 48(p), F27                     \
	VFMLA V16.S4, V24.S4, a.S4           \
	FMOVQ 64(p), F28                     \
	VFMLA V17.S4, V25.S4, b.S4           \
	FMOVQ 80(p), F29                     \
	VFMLA V18.S4, V26.S4, c.S4           \
	FMOVQ 96(p), F30                     \
	VFMLA V19.S4, V27.S4, d.S4           \
	FMOVQ 112(p), F31                    \
	VFMLA V20.S4, V28.S4, e.S4           \
	ADD   $128, p                        \
	VFMLA V21.S4, V29.S4, f.S4           \
	VFMLA V22.S4, V30.S4, g.S4           \
	VFMLA V23.S4, V31.S4, h.S4

// HALVES adds lanes in eight vectors from c: l + (l+16), l + (l+8), l + (l+4).
#define HALVES(c) \
	SUM4(c, c+4)                         \
	FADD(c, c, c+2)                      \
	FADD(c+1, c+1, c+3)                  \
	FADD(c, c, c+1)

// LANES reads what the order over lanes needs: R5 k in whole groups of 32, R6 the others,
// R26 bytes of whole groups, R7 bytes of a column of w.
#define LANES \
	LOAD                                 \
	MOVD productTile_k(R0), R6           \
	AND  $~31, R6, R5                    \
	AND  $31, R6                         \
	LSL  $2, R5, R26                     \
	MOVD R26, R7                         \
	CBZ  R6, 2(PC)                       \
	ADD  $128, R7

// func lanes1NEON(t *productTile, pad *[panel]float32)
//
// The order that runs over 32 lanes, a column at a time, lanes in V0-V7. w is n rows of k
// values, filled up with zeros to a multiple of 32; pad is zero.
TEXT ·lanes1NEON(SB), NOSPLIT, $0-16
	LANES

row:
	SLICES
	MOVD R13, R20
	MOVD R22, R21
	MOVD R6, R11
	MOVD pad+8(FP), R4
	PAD

column:
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)
	CBZ     R24, lanes
	FMOVS.P 4(R24), F0                   // lane 0, zeroes the others

lanes:
	MOVD R1, R2
	MOVD R5, R11
	CBZ  R11, rest

group:
	X32
	GROUP(R9, V0, V1, V2, V3, V4, V5, V6, V7)
	SUBS $32, R11
	BNE  group

rest:
	CBZ  R6, tree
	MOVD pad+8(FP), R2
	X32
	GROUP(R9, V0, V1, V2, V3, V4, V5, V6, V7)

tree:
	HALVES(0)
	VEXT $8, V0.B16, V0.B16, V1.B16
	FADD(0, 0, 1)                        // l + (l+2)
	FADDP(0, 0, 0)                       // l + (l+1)
	BOUND
	FCMGT(28, 31, 0)
	BIC(0, 0, 28)
	CBZ     R22, store
	FMOVS.P 4(R21), F28
	FCMLE0(28, 28)
	BIC(0, 0, 28)

store:
	FMOVS.P F0, 4(R20)
	SUBS    $1, R23
	BNE     column
	ADD     R8, R1
	ADD     R19, R13
	CBZ     R22, counted
	ADD     R25, R22

counted:
	SUBS $1, R12
	BNE  row
	RET

// func lanes2NEON(t *productTile, pad *[panel]float32)
//
// The same two columns at a time, so that a row is loaded half as often: n must be even.
// Lanes of the columns in V0-V7 and V8-V15; R9, R10 columns of w.
TEXT ·lanes2NEON(SB), NOSPLIT, $0-16
	LANES

row:
	SLICES
	MOVD R13, R20
	MOVD R22, R21
	MOVD R6, R11
	MOVD pad+8(FP), R4
	PAD

columns:
	ADD  R7, R9, R10
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)
	ZERO4(V8, V9, V10, V11)
	ZERO4(V12, V13, V14, V15)
	CBZ     R24, lanes
	FMOVS.P 4(R24), F0                   // lane 0, zeroes the others
	FMOVS.P 4(R24), F8

lanes:
	MOVD R1, R2
	MOVD R5, R11
	CBZ  R11, rest

group:
	X32
	GROUP(R9, V0, V1, V2, V3, V4, V5, V6, V7)
	GROUP(R10, V8, V9, V10, V11, V12, V13, V14, V15)
	SUBS $32, R11
	BNE  group

rest:
	CBZ  R6, tree
	MOVD pad+8(FP), R2
	X32
	GROUP(R9, V0, V1, V2, V3, V4, V5, V6, V7)
	GROUP(R10, V8, V9, V10, V11, V12, V13, V14, V15)

tree:
	HALVES(0)
	HALVES(8)
	VZIP1 V8.D2, V0.D2, V1.D2            // lanes 0, 1 of both columns
	VZIP2 V8.D2, V0.D2, V2.D2            // lanes 2, 3
	FADD(0, 1, 2)                        // l + (l+2)
	FADDP(0, 0, 0)                       // l + (l+1)
	BOUND
	FCMGT(28, 31, 0)
	BIC(0, 0, 28)
	CBZ     R22, store
	FMOVD.P 8(R21), F28
	FCMLE0(28, 28)
	BIC(0, 0, 28)

store:
	FMOVD.P F0, 8(R20)
	MOVD    R10, R9
	SUBS    $2, R23
	BNE     columns
	ADD     R8, R1
	ADD     R19, R13
	CBZ     R22, counted
	ADD     R25, R22

counted:
	SUBS $1, R12
	BNE  row
	RET

// Gradients on NEON. Every TEXT computes one gradientTile, t: dst (+)= aᵀ·b over rows, for
// as many columns of a as its name says first and all n columns of b, in slices of as many
// as it says then. dst lies in packed weights, so that rows can be read up to a multiple of
// 32; b must be readable up to the end of a slice.
//
//	R0 t            R8 lda   R11 rows left in the loop   R20 row of dst
//	R1 a, R2 b      R9 ldb   R12 rows                    R22 accumulate
//	R3, R4 in the loop       R13 dst   R19 ldd           R23 columns left

#define LOADGRAD \
	MOVD  t+0(FP), R0                    \
	MOVD  gradientTile_a(R0), R1         \
	MOVD  gradientTile_b(R0), R2         \
	MOVD  gradientTile_lda(R0), R8       \
	LSL   $2, R8                         \
	MOVD  gradientTile_ldb(R0), R9       \
	LSL   $2, R9                         \
	MOVD  gradientTile_ldd(R0), R19      \
	LSL   $2, R19                        \
	MOVD  gradientTile_dst(R0), R13      \
	MOVD  gradientTile_rows(R0), R12     \
	MOVD  gradientTile_n(R0), R23        \
	MOVBU gradientTile_accumulate(R0), R22

// GRADLOAD and GRADSTORE move eight accumulators of a row of dst and go to the next.
#define GRADLOAD(lo, hi) \
	FLDPQ (R20), (lo, hi)                \
	ADD   R19, R20

#define GRADSTORE(lo, hi) \
	FSTPQ (lo, hi), (R20)                \
	ADD   R19, R20

// GRADPART stores the first R23 of eight accumulators of a row of dst and goes to the next.
// It overwrites them and R5.
#define GRADPART(lo, hi, vlo, vhi) \
	MOVD    R20, R5                      \
	TBZ     $2, R23, 3(PC)               \
	FMOVQ.P lo, 16(R5)                   \
	VMOV    vhi.B16, vlo.B16             \
	TBZ     $1, R23, 3(PC)               \
	FMOVD.P lo, 8(R5)                    \
	VEXT    $8, vlo.B16, vlo.B16, vlo.B16 \
	TBZ     $0, R23, 2(PC)               \
	FMOVS   lo, (R5)                     \
	ADD     R19, R20

// GRADROW loads eight elements of the next row of a, into c and d, and of b, into e and f,
// and multiplies those of this row, in a and a+1, with b and b+1. The loads stand together
// as in SIXLAST, a row before they are needed.
#define GRADROW(a, b, c, d, e, f) \
	FMOVQ (R4), e                        \
	FMOVQ 16(R4), f                      \
	ADD   R9, R4                         \
	FMOVQ (R3), c                        \
	FMOVQ 16(R3), d                      \
	ADD   R8, R3                         \
	GRADLAST(a, b)

// GRADLAST is GRADROW without loads.
#define GRADLAST(a, b) \
	GRADHALF(0, a, b)                    \
	GRADHALF(8, a+1, b)

// GRADHALF multiplies four elements of a row of a with eight of b.
#define GRADHALF(c, a, b) \
	FMLAE(c, b, a, 0)                    \
	FMLAE(c+1, b+1, a, 0)                \
	FMLAE(c+2, b, a, 1)                  \
	FMLAE(c+3, b+1, a, 1)                \
	FMLAE(c+4, b, a, 2)                  \
	FMLAE(c+5, b+1, a, 2)                \
	FMLAE(c+6, b, a, 3)                  \
	FMLAE(c+7, b+1, a, 3)

// func gradient8x8NEON(t *gradientTile)
//
// k is eight. Row r of dst in V(2r), V(2r+1); rows of a and b in V16-V19 and V20-V23 by
// turns.
TEXT ·gradient8x8NEON(SB), NOSPLIT, $0-8
	LOADGRAD

slice:
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)
	ZERO4(V8, V9, V10, V11)
	ZERO4(V12, V13, V14, V15)
	CBZ  R22, start
	MOVD R13, R20
	GRADLOAD(F0, F1)
	GRADLOAD(F2, F3)
	GRADLOAD(F4, F5)
	GRADLOAD(F6, F7)
	GRADLOAD(F8, F9)
	GRADLOAD(F10, F11)
	GRADLOAD(F12, F13)
	GRADLOAD(F14, F15)

start:
	MOVD  R12, R11
	FLDPQ (R1), (F16, F17)
	FLDPQ (R2), (F18, F19)
	ADD   R8, R1, R3
	ADD   R9, R2, R4
	SUBS  $3, R11
	BLT   rest

two:
	GRADROW(16, 18, F20, F21, F22, F23)
	SUBS $2, R11
	GRADROW(20, 22, F16, F17, F18, F19)
	BGE  two

rest:
	GRADLAST(16, 18)                     // one or two rows are left
	ADDS  $2, R11
	BEQ   store
	FLDPQ (R3), (F20, F21)
	FLDPQ (R4), (F22, F23)
	GRADLAST(20, 22)

store:
	MOVD R13, R20
	CMP  $8, R23
	BLT  part
	GRADSTORE(F0, F1)
	GRADSTORE(F2, F3)
	GRADSTORE(F4, F5)
	GRADSTORE(F6, F7)
	GRADSTORE(F8, F9)
	GRADSTORE(F10, F11)
	GRADSTORE(F12, F13)
	GRADSTORE(F14, F15)
	ADD  $32, R2
	ADD  $32, R13
	SUBS $8, R23
	BNE  slice
	RET

part:
	GRADPART(F0, F1, V0, V1)
	GRADPART(F2, F3, V2, V3)
	GRADPART(F4, F5, V4, V5)
	GRADPART(F6, F7, V6, V7)
	GRADPART(F8, F9, V8, V9)
	GRADPART(F10, F11, V10, V11)
	GRADPART(F12, F13, V12, V13)
	GRADPART(F14, F15, V14, V15)
	RET

// GRADLOAD16 and GRADSTORE16 move 16 accumulators of a row of dst and go to the next.
#define GRADLOAD16(a, b, c, d) \
	FLDPQ (R20), (a, b)                  \
	FLDPQ 32(R20), (c, d)                \
	ADD   R19, R20

#define GRADSTORE16(a, b, c, d) \
	FSTPQ (a, b), (R20)                  \
	FSTPQ (c, d), 32(R20)                \
	ADD   R19, R20

// func gradient4x16NEON(t *gradientTile)
//
// k is four, n a multiple of 16. Row r of dst in V(4r)-V(4r+3), of a in V24.
TEXT ·gradient4x16NEON(SB), NOSPLIT, $0-8
	LOADGRAD

slice:
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)
	ZERO4(V8, V9, V10, V11)
	ZERO4(V12, V13, V14, V15)
	CBZ  R22, start
	MOVD R13, R20
	GRADLOAD16(F0, F1, F2, F3)
	GRADLOAD16(F4, F5, F6, F7)
	GRADLOAD16(F8, F9, F10, F11)
	GRADLOAD16(F12, F13, F14, F15)

start:
	MOVD R1, R3
	MOVD R2, R4
	MOVD R12, R11

row:
	FMOVQ (R3), F24
	FMOVQ (R4), F16
	FMOVQ 16(R4), F17
	FMOVQ 32(R4), F18
	FMOVQ 48(R4), F19
	ADD   R8, R3
	ADD   R9, R4
	FOUR(0, 16, 24, 0)
	FOUR(4, 16, 24, 1)
	FOUR(8, 16, 24, 2)
	FOUR(12, 16, 24, 3)
	SUBS $1, R11
	BNE  row
	MOVD R13, R20
	GRADSTORE16(F0, F1, F2, F3)
	GRADSTORE16(F4, F5, F6, F7)
	GRADSTORE16(F8, F9, F10, F11)
	GRADSTORE16(F12, F13, F14, F15)
	ADD  $64, R2
	ADD  $64, R13
	SUBS $16, R23
	BNE  slice
	RET

// func gradient4x8NEON(t *gradientTile)
//
// k is four. Row r of dst in V(2r), V(2r+1).
TEXT ·gradient4x8NEON(SB), NOSPLIT, $0-8
	LOADGRAD

slice:
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)
	CBZ  R22, start
	MOVD R13, R20
	GRADLOAD(F0, F1)
	GRADLOAD(F2, F3)
	GRADLOAD(F4, F5)
	GRADLOAD(F6, F7)

start:
	MOVD R1, R3
	MOVD R2, R4
	MOVD R12, R11

row:
	FMOVQ (R3), F16
	FMOVQ (R4), F18
	FMOVQ 16(R4), F19
	ADD   R8, R3
	ADD   R9, R4
	GRADHALF(0, 16, 18)
	SUBS  $1, R11
	BNE   row
	MOVD  R13, R20
	CMP   $8, R23
	BLT   part
	GRADSTORE(F0, F1)
	GRADSTORE(F2, F3)
	GRADSTORE(F4, F5)
	GRADSTORE(F6, F7)
	ADD  $32, R2
	ADD  $32, R13
	SUBS $8, R23
	BNE  slice
	RET

part:
	GRADPART(F0, F1, V0, V1)
	GRADPART(F2, F3, V2, V3)
	GRADPART(F4, F5, V4, V5)
	GRADPART(F6, F7, V6, V7)
	RET

// func gradient1x8NEON(t *gradientTile)
//
// k is one.
TEXT ·gradient1x8NEON(SB), NOSPLIT, $0-8
	LOADGRAD

slice:
	VMOVI $0, V0.B16
	VMOVI $0, V1.B16
	CBZ   R22, start
	FLDPQ (R13), (F0, F1)

start:
	MOVD R1, R3
	MOVD R2, R4
	MOVD R12, R11

row:
	FMOVS (R3), F24
	FMOVQ (R4), F16
	FMOVQ 16(R4), F17
	ADD   R8, R3
	ADD   R9, R4
	FMLAE(0, 16, 24, 0)
	FMLAE(1, 17, 24, 0)
	SUBS  $1, R11
	BNE   row
	MOVD  R13, R20
	CMP   $8, R23
	BLT   part
	GRADSTORE(F0, F1)
	ADD   $32, R2
	ADD   $32, R13
	SUBS  $8, R23
	BNE   slice
	RET

part:
	GRADPART(F0, F1, V0, V1)
	RET

// B32 loads 32 values of a row of b into V16-V23 and goes on.
#define B32 \
	FMOVQ (R2), F16                      \
	FMOVQ 16(R2), F17                    \
	FMOVQ 32(R2), F18                    \
	FMOVQ 48(R2), F19                    \
	FMOVQ 64(R2), F20                    \
	FMOVQ 80(R2), F21                    \
	FMOVQ 96(R2), F22                    \
	FMOVQ 112(R2), F23                   \
	ADD   R9, R2

// DST32 and STORE32 move 32 values between dst and V0-V7.
#define DST32 \
	FLDPQ (R13), (F0, F1)                \
	FLDPQ 32(R13), (F2, F3)              \
	FLDPQ 64(R13), (F4, F5)              \
	FLDPQ 96(R13), (F6, F7)

#define STORE32 \
	FSTPQ (F0, F1), (R13)                \
	FSTPQ (F2, F3), 32(R13)              \
	FSTPQ (F4, F5), 64(R13)              \
	FSTPQ (F6, F7), 96(R13)

// func gradient1x32NEON(t *gradientTile)
//
// k is one, n is 32.
TEXT ·gradient1x32NEON(SB), NOSPLIT, $0-8
	LOADGRAD
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)
	CBZ R22, row
	DST32

row:
	FMOVS (R1), F24
	ADD   R8, R1
	B32
	FOUR(0, 16, 24, 0)
	FOUR(4, 20, 24, 0)
	SUBS  $1, R12
	BNE   row
	STORE32
	RET

// func columns32NEON(t *gradientTile)
//
// Sums of 32 columns of b; n is 32.
TEXT ·columns32NEON(SB), NOSPLIT, $0-8
	LOADGRAD
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)
	CBZ R22, row
	DST32

row:
	B32
	SUM4(0, 16)
	SUM4(4, 20)
	SUBS  $1, R12
	BNE   row
	STORE32
	RET

// func columns4NEON(t *gradientTile)
//
// Sums of columns of b, four at a time: n must be a multiple of four.
TEXT ·columns4NEON(SB), NOSPLIT, $0-8
	LOADGRAD

slice:
	VMOVI $0, V0.B16
	CBZ   R22, start
	FMOVQ (R13), F0

start:
	MOVD R2, R4
	MOVD R12, R11

row:
	FMOVQ (R4), F16
	ADD   R9, R4
	FADD(0, 0, 16)
	SUBS  $1, R11
	BNE   row
	FMOVQ F0, (R13)
	ADD   $16, R2
	ADD   $16, R13
	SUBS  $4, R23
	BNE   slice
	RET

// Gram products on NEON: crossTile t, dst += aᵀ·b in float64, registers as above.

#define LOADCROSS \
	MOVD t+0(FP), R0                     \
	MOVD crossTile_a(R0), R1             \
	MOVD crossTile_b(R0), R2             \
	MOVD crossTile_lda(R0), R8           \
	LSL  $2, R8                          \
	MOVD crossTile_ldb(R0), R9           \
	LSL  $2, R9                          \
	MOVD crossTile_ldd(R0), R19          \
	LSL  $3, R19                         \
	MOVD crossTile_dst(R0), R13          \
	MOVD crossTile_rows(R0), R12         \
	MOVD crossTile_n(R0), R23

// CROSSLOAD and CROSSSTORE move eight float64 of a row of dst and go to the next.
#define CROSSLOAD(a, b, c, d) \
	FLDPQ (R20), (a, b)                  \
	FLDPQ 32(R20), (c, d)                \
	ADD   R19, R20

#define CROSSSTORE(a, b, c, d) \
	FSTPQ (a, b), (R20)                  \
	FSTPQ (c, d), 32(R20)                \
	ADD   R19, R20

// CROSSB reads eight values of b at R4 as float64 into V20-V23 and goes on.
#define CROSSB \
	FMOVQ (R4), F20                      \
	FMOVQ 16(R4), F22                    \
	ADD   R9, R4                         \
	FCVTL2(21, 20)                       \
	FCVTL(20, 20)                        \
	FCVTL2(23, 22)                       \
	FCVTL(22, 22)

// CROSSROW multiplies V20-V23 with lane i of a.
#define CROSSROW(c, a, i) \
	FMLAED(c, 20, a, i)                  \
	FMLAED(c+1, 21, a, i)                \
	FMLAED(c+2, 22, a, i)                \
	FMLAED(c+3, 23, a, i)

// func cross4x8NEON(t *crossTile)
//
// k is four, n a multiple of eight. Row r of dst in V(4r)-V(4r+3), of a in V16, V17.
TEXT ·cross4x8NEON(SB), NOSPLIT, $0-8
	LOADCROSS

slice:
	MOVD R13, R20
	CROSSLOAD(F0, F1, F2, F3)
	CROSSLOAD(F4, F5, F6, F7)
	CROSSLOAD(F8, F9, F10, F11)
	CROSSLOAD(F12, F13, F14, F15)
	MOVD R1, R3
	MOVD R2, R4
	MOVD R12, R11

row:
	FMOVQ (R3), F16
	ADD   R8, R3
	CROSSB
	FCVTL2(17, 16)
	FCVTL(16, 16)
	CROSSROW(0, 16, 0)
	CROSSROW(4, 16, 1)
	CROSSROW(8, 17, 0)
	CROSSROW(12, 17, 1)
	SUBS $1, R11
	BNE  row
	MOVD R13, R20
	CROSSSTORE(F0, F1, F2, F3)
	CROSSSTORE(F4, F5, F6, F7)
	CROSSSTORE(F8, F9, F10, F11)
	CROSSSTORE(F12, F13, F14, F15)
	ADD  $32, R2
	ADD  $64, R13
	SUBS $8, R23
	BNE  slice
	RET

// func cross1x8NEON(t *crossTile)
//
// k is one, n a multiple of eight.
TEXT ·cross1x8NEON(SB), NOSPLIT, $0-8
	LOADCROSS

slice:
	MOVD R13, R20
	CROSSLOAD(F0, F1, F2, F3)
	MOVD R1, R3
	MOVD R2, R4
	MOVD R12, R11

row:
	FMOVS (R3), F16
	ADD   R8, R3
	CROSSB
	FCVTL(16, 16)
	CROSSROW(0, 16, 0)
	SUBS $1, R11
	BNE  row
	MOVD R13, R20
	CROSSSTORE(F0, F1, F2, F3)
	ADD  $32, R2
	ADD  $64, R13
	SUBS $8, R23
	BNE  slice
	RET

#undef LOAD
#undef SLICES
#undef CHAINS
#undef BOUND
#undef ENDINGS
#undef FINISH
#undef FINISH4
#undef NEXTROW
#undef ZERO4
#undef COPY3
#undef SIX
#undef SIXLAST
#undef ROWS6
#undef FIRST6
#undef ONE6
#undef TAIL6
#undef SUM6
#undef NEXT6
#undef FOUR
#undef PAIRS
#undef PAIRTAIL
#undef SUM4
#undef BIAS32
#undef W32
#undef EIGHT
#undef EIGHTTAIL
#undef QUAD
#undef QUADTAIL
#undef PAD
#undef X32
#undef GROUP
#undef HALVES
#undef LANES
#undef LOADGRAD
#undef GRADLOAD
#undef GRADSTORE
#undef GRADPART
#undef GRADROW
#undef GRADLAST
#undef GRADHALF
#undef GRADLOAD16
#undef GRADSTORE16
#undef B32
#undef DST32
#undef STORE32
#undef LOADCROSS
#undef CROSSLOAD
#undef CROSSSTORE
#undef CROSSB
#undef CROSSROW
