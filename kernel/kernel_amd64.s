//go:build !purego && !noasm

#include "go_asm.h"
#include "textflag.h"

// Products on AVX-512. Every TEXT computes one productTile, t: the rows of a times one
// panel of w, started from the bias and finished by ReLU or by the mask y. Registers:
//
//	AX t           SI row of a      R8 lda      R12 rows left
//	BX w           DI row of dst    R11 ldd     CX k left
//	DX row of y    R13 a in the k loop
//	K1, K2 columns 0-15 and 16-31 that exist
//	Z31 lower bound: 0 for ReLU, -Inf otherwise; Z30 zero

// LOAD reads what all tiles need. The masks have a one for each of the n columns.
#define LOAD \
	MOVQ t+0(FP), AX                     \
	MOVQ productTile_n(AX), CX           \
	MOVQ $-1, DX                         \
	SHLQ CX, DX                          \
	NOTQ DX                              \
	KMOVW DX, K1                         \
	SHRQ $16, DX                         \
	KMOVW DX, K2                         \
	VPXORD Z30, Z30, Z30                 \
	MOVBLZX productTile_relu(AX), DX     \
	DECL DX                              \ // 0 for ReLU, all ones otherwise
	ANDL $0xFF800000, DX                 \ // +0 or -Inf
	VPBROADCASTD DX, Z31                 \
	MOVQ productTile_dst(AX), DI         \
	MOVQ productTile_a(AX), SI           \
	MOVQ productTile_y(AX), DX           \
	MOVQ productTile_lda(AX), R8         \
	SHLQ $2, R8                          \
	MOVQ productTile_ldd(AX), R11        \
	SHLQ $2, R11                         \
	MOVQ productTile_rows(AX), R12

// BIAS sets lo and hi to the bias, or zero. It uses CX.
#define BIAS(lo, hi) \
	VMOVAPS Z30, lo                      \
	VMOVAPS Z30, hi                      \
	MOVQ productTile_bias(AX), CX        \
	TESTQ CX, CX                         \
	JZ   3(PC)                           \
	VMOVUPS.Z (CX), K1, lo               \
	VMOVUPS.Z 64(CX), K2, hi

// FINISH clamps a row from below, masks it if there is a y, stores it and moves on.
// R10 holds ldy.
#define FINISH(lo, hi) \
	VMAXPS lo, Z31, lo                   \ // NaN and -0 pass
	VMAXPS hi, Z31, hi                   \
	TESTQ DX, DX                         \
	JZ   8(PC)                           \
	VMOVUPS.Z (DX), K1, Z28              \
	VMOVUPS.Z 64(DX), K2, Z29            \
	VCMPPS $0x16, Z30, Z28, K3           \ // not (y <= 0), true for NaN
	VCMPPS $0x16, Z30, Z29, K4           \
	VMOVAPS.Z lo, K3, lo                 \
	VMOVAPS.Z hi, K4, hi                 \
	ADDQ R10, DX                         \
	VMOVUPS lo, K1, (DI)                 \
	VMOVUPS hi, K2, 64(DI)               \
	ADDQ R11, DI

// AHEAD brings lines nearer that later calls want, and goes to near if there are none. It
// uses CX and BX.
#define AHEAD(near) \
	MOVQ productTile_lines(AX), BX       \
	TESTQ BX, BX                         \
	JZ   near                            \
	MOVQ productTile_ahead(AX), CX       \
	PREFETCHT1 (CX)                      \
	ADDQ $64, CX                         \
	DECQ BX                              \
	JNZ  -3(PC)                          \
	MOVQ CX, productTile_ahead(AX)

// MASKROW sends for a row of y, if there is one, and goes on to the next in CX: it is wanted
// when the k loop is done. R10 holds ldy in bytes.
#define MASKROW \
	PREFETCHT0 (CX)                      \
	PREFETCHT0 60(CX)                    \
	ADDQ R10, CX

// MASKROWS is MASKROW for three rows from CX, and their second halves.
#define MASKROWS \
	PREFETCHT0 124(CX)                   \
	MASKROW                              \
	PREFETCHT0 124(CX)                   \
	MASKROW                              \
	PREFETCHT0 124(CX)                   \
	MASKROW

// ROW multiplies one element of a with a row of w held in Z24 and Z25.
#define ROW(x, b, lo, hi) \
	VBROADCASTSS x, b                    \
	VFMADD231PS Z24, b, lo               \
	VFMADD231PS Z25, b, hi

// STEP6 is one k of six rows: their elements at R13+o, the row of w at BX+p.
#define STEP6(o, p, a0, a1, b0, b1, c0, c1, d0, d1, e0, e1, f0, f1) \
	VMOVUPS p(BX), Z24                   \
	VMOVUPS (p+64)(BX), Z25              \
	ROW(o(R13), Z26, a0, a1)             \
	ROW(o(R13)(R8*1), Z27, b0, b1)       \
	ROW(o(R13)(R8*2), Z28, c0, c1)       \
	ROW(o(R13)(R9*1), Z29, d0, d1)       \
	ROW(o(R13)(R8*4), Z26, e0, e1)       \
	ROW(o(R10), Z27, f0, f1)

#define EVEN(o, p) STEP6(o, p, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11)
#define ODD(o, p) STEP6(o, p, Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23)

// func product6x32x2AVX512(t *productTile)
//
// Two chains, six rows at a time; rows must be a multiple of six. 24 accumulators: row r
// of the even chain in Z(2r), Z(2r+1), of the odd chain in Z(12+2r), Z(13+2r).
// R9 = 3 lda, R10 = the sixth row.
TEXT ·product6x32x2AVX512(SB), NOSPLIT, $0-8
	LOAD
	LEAQ (R8)(R8*2), R9

block:
	AHEAD(start)
	TESTQ DX, DX
	JZ   start
	MOVQ productTile_ldy(AX), R10
	SHLQ $2, R10
	MOVQ DX, CX
	MASKROWS
	MASKROWS

start:
	BIAS(Z0, Z1)
	VMOVAPS Z0, Z2
	VMOVAPS Z1, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z1, Z5
	VMOVAPS Z0, Z6
	VMOVAPS Z1, Z7
	VMOVAPS Z0, Z8
	VMOVAPS Z1, Z9
	VMOVAPS Z0, Z10
	VMOVAPS Z1, Z11
	VMOVAPS Z30, Z12
	VMOVAPS Z30, Z13
	VMOVAPS Z30, Z14
	VMOVAPS Z30, Z15
	VMOVAPS Z30, Z16
	VMOVAPS Z30, Z17
	VMOVAPS Z30, Z18
	VMOVAPS Z30, Z19
	VMOVAPS Z30, Z20
	VMOVAPS Z30, Z21
	VMOVAPS Z30, Z22
	VMOVAPS Z30, Z23
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	LEAQ (SI)(R8*4), R10
	ADDQ R8, R10
	SUBQ $4, CX
	JLT  tail

four:
	EVEN(0, 0)
	ODD(4, 128)
	EVEN(8, 256)
	ODD(12, 384)
	ADDQ $16, R13
	ADDQ $16, R10
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	EVEN(0, 0)
	DECQ CX
	JZ   combine
	ODD(4, 128)
	DECQ CX
	JZ   combine
	EVEN(8, 256)

combine:
	VADDPS Z12, Z0, Z0
	VADDPS Z13, Z1, Z1
	VADDPS Z14, Z2, Z2
	VADDPS Z15, Z3, Z3
	VADDPS Z16, Z4, Z4
	VADDPS Z17, Z5, Z5
	VADDPS Z18, Z6, Z6
	VADDPS Z19, Z7, Z7
	VADDPS Z20, Z8, Z8
	VADDPS Z21, Z9, Z9
	VADDPS Z22, Z10, Z10
	VADDPS Z23, Z11, Z11
	MOVQ productTile_ldy(AX), R10
	SHLQ $2, R10
	FINISH(Z0, Z1)
	FINISH(Z2, Z3)
	FINISH(Z4, Z5)
	FINISH(Z6, Z7)
	FINISH(Z8, Z9)
	FINISH(Z10, Z11)
	LEAQ (SI)(R8*4), SI
	LEAQ (SI)(R8*2), SI
	SUBQ $6, R12
	JNZ  block
	VZEROUPPER
	RET

// K1ROW multiplies the element of a at R13+o with the row of w at BX+p.
#define K1ROW(o, p, lo, hi) \
	VBROADCASTSS o(R13), Z24             \
	VFMADD231PS p(BX), Z24, lo           \
	VFMADD231PS (p+64)(BX), Z24, hi

// func product1x32x2AVX512(t *productTile)
//
// Two chains, a row at a time: Z0, Z1 even; Z2, Z3 odd; Z26, Z27 bias.
TEXT ·product1x32x2AVX512(SB), NOSPLIT, $0-8
	LOAD
	BIAS(Z26, Z27)
	MOVQ productTile_ldy(AX), R10
	SHLQ $2, R10

row:
	VMOVAPS Z26, Z0
	VMOVAPS Z27, Z1
	VMOVAPS Z30, Z2
	VMOVAPS Z30, Z3
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $2, CX
	JLT  tail

two:
	K1ROW(0, 0, Z0, Z1)
	K1ROW(4, 128, Z2, Z3)
	ADDQ $8, R13
	ADDQ $256, BX
	SUBQ $2, CX
	JGE  two

tail:
	ADDQ $2, CX                          // k mod 2
	JZ   combine
	K1ROW(0, 0, Z0, Z1)

combine:
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	FINISH(Z0, Z1)
	ADDQ R8, SI
	DECQ R12
	JNZ  row
	VZEROUPPER
	RET

// func product1x32x4AVX512(t *productTile)
//
// Four chains, a row at a time: chain c in Z(2c), Z(2c+1); Z26, Z27 bias.
TEXT ·product1x32x4AVX512(SB), NOSPLIT, $0-8
	LOAD
	BIAS(Z26, Z27)
	MOVQ productTile_ldy(AX), R10
	SHLQ $2, R10

row:
	VMOVAPS Z26, Z0
	VMOVAPS Z27, Z1
	VMOVAPS Z30, Z2
	VMOVAPS Z30, Z3
	VMOVAPS Z30, Z4
	VMOVAPS Z30, Z5
	VMOVAPS Z30, Z6
	VMOVAPS Z30, Z7
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail

four:
	K1ROW(0, 0, Z0, Z1)
	K1ROW(4, 128, Z2, Z3)
	K1ROW(8, 256, Z4, Z5)
	K1ROW(12, 384, Z6, Z7)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	K1ROW(0, 0, Z0, Z1)
	DECQ CX
	JZ   combine
	K1ROW(4, 128, Z2, Z3)
	DECQ CX
	JZ   combine
	K1ROW(8, 256, Z4, Z5)

combine:
	VADDPS Z4, Z0, Z0                    // c0 + c2
	VADDPS Z5, Z1, Z1
	VADDPS Z6, Z2, Z2                    // c1 + c3
	VADDPS Z7, Z3, Z3
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	FINISH(Z0, Z1)
	ADDQ R8, SI
	DECQ R12
	JNZ  row
	VZEROUPPER
	RET

// STEP2 is STEP6 for two rows.
#define STEP2(o, p, a0, a1, b0, b1) \
	VMOVUPS p(BX), Z24                   \
	VMOVUPS (p+64)(BX), Z25              \
	ROW(o(R13), Z26, a0, a1)             \
	ROW(o(R13)(R8*1), Z27, b0, b1)

// func product2x32x2AVX512(t *productTile)
//
// Two chains, two rows at a time; rows must be even. Row r of the even chain in Z(2r),
// Z(2r+1), of the odd chain in Z(4+2r), Z(5+2r).
TEXT ·product2x32x2AVX512(SB), NOSPLIT, $0-8
	LOAD

block:
	BIAS(Z0, Z1)
	VMOVAPS Z0, Z2
	VMOVAPS Z1, Z3
	VMOVAPS Z30, Z4
	VMOVAPS Z30, Z5
	VMOVAPS Z30, Z6
	VMOVAPS Z30, Z7
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail

four:
	STEP2(0, 0, Z0, Z1, Z2, Z3)
	STEP2(4, 128, Z4, Z5, Z6, Z7)
	STEP2(8, 256, Z0, Z1, Z2, Z3)
	STEP2(12, 384, Z4, Z5, Z6, Z7)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	STEP2(0, 0, Z0, Z1, Z2, Z3)
	DECQ CX
	JZ   combine
	STEP2(4, 128, Z4, Z5, Z6, Z7)
	DECQ CX
	JZ   combine
	STEP2(8, 256, Z0, Z1, Z2, Z3)

combine:
	VADDPS Z4, Z0, Z0
	VADDPS Z5, Z1, Z1
	VADDPS Z6, Z2, Z2
	VADDPS Z7, Z3, Z3
	MOVQ productTile_ldy(AX), R10
	SHLQ $2, R10
	FINISH(Z0, Z1)
	FINISH(Z2, Z3)
	LEAQ (SI)(R8*2), SI
	SUBQ $2, R12
	JNZ  block
	VZEROUPPER
	RET

// PANEL begins a panel of a tile that takes all of them: sets the masks for the columns
// from R13, an offset in bytes, and lo and hi to their bias. It uses R10 and CX.
#define PANEL(lo, hi) \
	MOVQ productTile_n(AX), CX           \
	SHLQ $2, CX                          \
	SUBQ R13, CX                         \
	MOVQ $-1, R10                        \
	CMPQ CX, $128                        \
	JGE  4(PC)                           \
	SHRQ $2, CX                          \
	SHLQ CX, R10                         \
	NOTQ R10                             \
	KMOVW R10, K1                        \
	SHRQ $16, R10                        \
	KMOVW R10, K2                        \
	VMOVAPS Z30, lo                      \
	VMOVAPS Z30, hi                      \
	MOVQ productTile_bias(AX), CX        \
	TESTQ CX, CX                         \
	JZ   3(PC)                           \
	VMOVUPS.Z (CX)(R13*1), K1, lo        \
	VMOVUPS.Z 64(CX)(R13*1), K2, hi

// FINISHAT is FINISH at column offset R13; it does not move on in y.
#define FINISHAT(y, lo, hi) \
	VMAXPS lo, Z31, lo                   \
	VMAXPS hi, Z31, hi                   \
	TESTQ DX, DX                         \
	JZ   7(PC)                           \
	VMOVUPS.Z (y)(R13*1), K1, Z28        \
	VMOVUPS.Z 64(y)(R13*1), K2, Z29      \
	VCMPPS $0x16, Z30, Z28, K3           \ // not (y <= 0), true for NaN
	VCMPPS $0x16, Z30, Z29, K4           \
	VMOVAPS.Z lo, K3, lo                 \
	VMOVAPS.Z hi, K4, hi                 \
	VMOVUPS lo, K1, (DI)(R13*1)          \
	VMOVUPS hi, K2, 64(DI)(R13*1)        \
	ADDQ R11, DI

// func product4x32x1AVX512(t *productTile)
//
// One chain, four rows at a time and all panels of w, n columns of any number: a thin
// layer costs its stores, so they go along the rows. rows must be a multiple of four and
// k at most 8. Row r in Z(2r), Z(2r+1). R9 = 3 lda, R13 column offset in bytes.
TEXT ·product4x32x1AVX512(SB), NOSPLIT, $0-8
	LOAD
	LEAQ (R8)(R8*2), R9

block:
	XORL R13, R13
	MOVQ productTile_w(AX), BX

panel:
	PANEL(Z0, Z1)
	VMOVAPS Z0, Z2
	VMOVAPS Z1, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z1, Z5
	VMOVAPS Z0, Z6
	VMOVAPS Z1, Z7
	MOVQ productTile_k(AX), CX
	TESTQ CX, CX
	JZ   done

one:
	VMOVUPS (BX), Z24
	VMOVUPS 64(BX), Z25
	ROW((SI), Z26, Z0, Z1)
	ROW((SI)(R8*1), Z27, Z2, Z3)
	ROW((SI)(R8*2), Z28, Z4, Z5)
	ROW((SI)(R9*1), Z29, Z6, Z7)
	ADDQ $4, SI
	ADDQ $128, BX
	DECQ CX
	JNZ  one

done:
	MOVQ productTile_ldy(AX), R10
	LEAQ (DX)(R10*4), CX                 // the second row of y
	FINISHAT(DX, Z0, Z1)
	FINISHAT(CX, Z2, Z3)
	LEAQ (DX)(R10*8), CX
	FINISHAT(CX, Z4, Z5)
	LEAQ (CX)(R10*4), CX
	FINISHAT(CX, Z6, Z7)
	MOVQ productTile_k(AX), CX           // back to the first k and the first row of dst
	SHLQ $2, CX
	SUBQ CX, SI
	LEAQ (R11*4), CX
	SUBQ CX, DI
	ADDQ $128, R13
	MOVQ productTile_n(AX), CX
	SHLQ $2, CX
	CMPQ R13, CX
	JLT  panel
	LEAQ (SI)(R8*4), SI
	LEAQ (DI)(R11*4), DI
	TESTQ DX, DX
	JZ   next
	SHLQ $4, R10
	ADDQ R10, DX

next:
	SUBQ $4, R12
	JNZ  block
	VZEROUPPER
	RET

// func product1x32x1AVX512(t *productTile)
//
// The same, a row at a time.
TEXT ·product1x32x1AVX512(SB), NOSPLIT, $0-8
	LOAD

row:
	XORL R13, R13
	MOVQ productTile_w(AX), BX

panel:
	PANEL(Z0, Z1)
	MOVQ productTile_k(AX), CX
	TESTQ CX, CX
	JZ   done

one:
	VBROADCASTSS (SI), Z24
	VFMADD231PS (BX), Z24, Z0
	VFMADD231PS 64(BX), Z24, Z1
	ADDQ $4, SI
	ADDQ $128, BX
	DECQ CX
	JNZ  one

done:
	FINISHAT(DX, Z0, Z1)
	SUBQ R11, DI
	MOVQ productTile_k(AX), CX
	SHLQ $2, CX
	SUBQ CX, SI
	ADDQ $128, R13
	MOVQ productTile_n(AX), CX
	SHLQ $2, CX
	CMPQ R13, CX
	JLT  panel
	ADDQ R8, SI
	ADDQ R11, DI
	TESTQ DX, DX
	JZ   next
	MOVQ productTile_ldy(AX), R10
	LEAQ (DX)(R10*4), DX

next:
	DECQ R12
	JNZ  row
	VZEROUPPER
	RET

// STEP16 is one k of six rows of 16 columns: their elements at R13+o, w at BX+p.
#define STEP16(o, p, a, b, c, d, e, f) \
	VMOVUPS p(BX), Z24                   \
	VBROADCASTSS o(R13), Z25             \
	VBROADCASTSS o(R13)(R8*1), Z26       \
	VBROADCASTSS o(R13)(R8*2), Z27       \
	VFMADD231PS Z24, Z25, a              \
	VFMADD231PS Z24, Z26, b              \
	VFMADD231PS Z24, Z27, c              \
	VBROADCASTSS o(R13)(R9*1), Z25       \
	VBROADCASTSS o(R13)(R8*4), Z26       \
	VBROADCASTSS o(R10), Z27             \
	VFMADD231PS Z24, Z25, d              \
	VFMADD231PS Z24, Z26, e              \
	VFMADD231PS Z24, Z27, f

// SUM4 adds the four chains of a row.
#define SUM4(a, b, c, d) \
	VADDPS c, a, a                       \
	VADDPS d, b, b                       \
	VADDPS b, a, a

// FINISH16 is FINISH for at most 16 columns.
#define FINISH16(lo) \
	VMAXPS lo, Z31, lo                   \
	TESTQ DX, DX                         \
	JZ   5(PC)                           \
	VMOVUPS.Z (DX), K1, Z28              \
	VCMPPS $0x16, Z30, Z28, K3           \
	VMOVAPS.Z lo, K3, lo                 \
	ADDQ R10, DX                         \
	VMOVUPS lo, K1, (DI)                 \
	ADDQ R11, DI

// func product6x16x4AVX512(t *productTile)
//
// Four chains, six rows of at most 16 columns at a time; rows must be a multiple of six.
// Row r of chain c in Z(6c+r). R9 = 3 lda, R10 = the sixth row.
TEXT ·product6x16x4AVX512(SB), NOSPLIT, $0-8
	LOAD
	LEAQ (R8)(R8*2), R9

block:
	BIAS(Z0, Z1)
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z0, Z5
	VMOVAPS Z30, Z6
	VMOVAPS Z30, Z7
	VMOVAPS Z30, Z8
	VMOVAPS Z30, Z9
	VMOVAPS Z30, Z10
	VMOVAPS Z30, Z11
	VMOVAPS Z30, Z12
	VMOVAPS Z30, Z13
	VMOVAPS Z30, Z14
	VMOVAPS Z30, Z15
	VMOVAPS Z30, Z16
	VMOVAPS Z30, Z17
	VMOVAPS Z30, Z18
	VMOVAPS Z30, Z19
	VMOVAPS Z30, Z20
	VMOVAPS Z30, Z21
	VMOVAPS Z30, Z22
	VMOVAPS Z30, Z23
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	LEAQ (SI)(R8*4), R10
	ADDQ R8, R10
	SUBQ $4, CX
	JLT  tail

four:
	STEP16(0, 0, Z0, Z1, Z2, Z3, Z4, Z5)
	STEP16(4, 128, Z6, Z7, Z8, Z9, Z10, Z11)
	STEP16(8, 256, Z12, Z13, Z14, Z15, Z16, Z17)
	STEP16(12, 384, Z18, Z19, Z20, Z21, Z22, Z23)
	ADDQ $16, R13
	ADDQ $16, R10
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	STEP16(0, 0, Z0, Z1, Z2, Z3, Z4, Z5)
	DECQ CX
	JZ   combine
	STEP16(4, 128, Z6, Z7, Z8, Z9, Z10, Z11)
	DECQ CX
	JZ   combine
	STEP16(8, 256, Z12, Z13, Z14, Z15, Z16, Z17)

combine:
	SUM4(Z0, Z6, Z12, Z18)
	SUM4(Z1, Z7, Z13, Z19)
	SUM4(Z2, Z8, Z14, Z20)
	SUM4(Z3, Z9, Z15, Z21)
	SUM4(Z4, Z10, Z16, Z22)
	SUM4(Z5, Z11, Z17, Z23)
	MOVQ productTile_ldy(AX), R10
	SHLQ $2, R10
	FINISH16(Z0)
	FINISH16(Z1)
	FINISH16(Z2)
	FINISH16(Z3)
	FINISH16(Z4)
	FINISH16(Z5)
	LEAQ (SI)(R8*4), SI
	LEAQ (SI)(R8*2), SI
	SUBQ $6, R12
	JNZ  block
	VZEROUPPER
	RET

// STEP3H is one k of three rows of 16 columns: their elements at R13+o, w at BX+p.
#define STEP3H(o, p, a, b, c) \
	VMOVUPS p(BX), Z24                   \
	VBROADCASTSS o(R13), Z25             \
	VBROADCASTSS o(R13)(R8*1), Z26       \
	VBROADCASTSS o(R13)(R8*2), Z27       \
	VFMADD231PS Z24, Z25, a              \
	VFMADD231PS Z24, Z26, b              \
	VFMADD231PS Z24, Z27, c

// func product3x16x4AVX512(t *productTile)
//
// The same for three rows; rows must be a multiple of three. Row r of chain c in Z(3c+r).
TEXT ·product3x16x4AVX512(SB), NOSPLIT, $0-8
	LOAD

block:
	BIAS(Z0, Z1)
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z30, Z3
	VMOVAPS Z30, Z4
	VMOVAPS Z30, Z5
	VMOVAPS Z30, Z6
	VMOVAPS Z30, Z7
	VMOVAPS Z30, Z8
	VMOVAPS Z30, Z9
	VMOVAPS Z30, Z10
	VMOVAPS Z30, Z11
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail

four:
	STEP3H(0, 0, Z0, Z1, Z2)
	STEP3H(4, 128, Z3, Z4, Z5)
	STEP3H(8, 256, Z6, Z7, Z8)
	STEP3H(12, 384, Z9, Z10, Z11)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	STEP3H(0, 0, Z0, Z1, Z2)
	DECQ CX
	JZ   combine
	STEP3H(4, 128, Z3, Z4, Z5)
	DECQ CX
	JZ   combine
	STEP3H(8, 256, Z6, Z7, Z8)

combine:
	SUM4(Z0, Z3, Z6, Z9)
	SUM4(Z1, Z4, Z7, Z10)
	SUM4(Z2, Z5, Z8, Z11)
	MOVQ productTile_ldy(AX), R10
	SHLQ $2, R10
	FINISH16(Z0)
	FINISH16(Z1)
	FINISH16(Z2)
	LEAQ (SI)(R8*2), SI
	ADDQ R8, SI
	SUBQ $3, R12
	JNZ  block
	VZEROUPPER
	RET

// STEP3X is one k of three rows of 32 columns: their elements at R13+o, w at BX+p.
#define STEP3X(o, p, a0, a1, b0, b1, c0, c1) \
	VMOVUPS p(BX), Z24                   \
	VMOVUPS (p+64)(BX), Z25              \
	ROW(o(R13), Z26, a0, a1)             \
	ROW(o(R13)(R8*1), Z27, b0, b1)       \
	ROW(o(R13)(R8*2), Z28, c0, c1)

// func product3x32x4AVX512(t *productTile)
//
// Four chains, three rows at a time; rows must be a multiple of three. Row r of chain c
// in Z(6c+2r), Z(6c+2r+1).
TEXT ·product3x32x4AVX512(SB), NOSPLIT, $0-8
	LOAD

block:
	BIAS(Z0, Z1)
	VMOVAPS Z0, Z2
	VMOVAPS Z1, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z1, Z5
	VMOVAPS Z30, Z6
	VMOVAPS Z30, Z7
	VMOVAPS Z30, Z8
	VMOVAPS Z30, Z9
	VMOVAPS Z30, Z10
	VMOVAPS Z30, Z11
	VMOVAPS Z30, Z12
	VMOVAPS Z30, Z13
	VMOVAPS Z30, Z14
	VMOVAPS Z30, Z15
	VMOVAPS Z30, Z16
	VMOVAPS Z30, Z17
	VMOVAPS Z30, Z18
	VMOVAPS Z30, Z19
	VMOVAPS Z30, Z20
	VMOVAPS Z30, Z21
	VMOVAPS Z30, Z22
	VMOVAPS Z30, Z23
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail

four:
	STEP3X(0, 0, Z0, Z1, Z2, Z3, Z4, Z5)
	STEP3X(4, 128, Z6, Z7, Z8, Z9, Z10, Z11)
	STEP3X(8, 256, Z12, Z13, Z14, Z15, Z16, Z17)
	STEP3X(12, 384, Z18, Z19, Z20, Z21, Z22, Z23)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	STEP3X(0, 0, Z0, Z1, Z2, Z3, Z4, Z5)
	DECQ CX
	JZ   combine
	STEP3X(4, 128, Z6, Z7, Z8, Z9, Z10, Z11)
	DECQ CX
	JZ   combine
	STEP3X(8, 256, Z12, Z13, Z14, Z15, Z16, Z17)

combine:
	SUM4(Z0, Z6, Z12, Z18)
	SUM4(Z1, Z7, Z13, Z19)
	SUM4(Z2, Z8, Z14, Z20)
	SUM4(Z3, Z9, Z15, Z21)
	SUM4(Z4, Z10, Z16, Z22)
	SUM4(Z5, Z11, Z17, Z23)
	MOVQ productTile_ldy(AX), R10
	SHLQ $2, R10
	FINISH(Z0, Z1)
	FINISH(Z2, Z3)
	FINISH(Z4, Z5)
	LEAQ (SI)(R8*2), SI
	ADDQ R8, SI
	SUBQ $3, R12
	JNZ  block
	VZEROUPPER
	RET

// PAIR is one k of two panels: the element of a in x, rows of w at BX+p and R9+p.
#define PAIR(p, x, a0, a1, b0, b1) \
	VFMADD231PS p(BX), x, a0             \
	VFMADD231PS (p+64)(BX), x, a1        \
	VFMADD231PS p(R9), x, b0             \
	VFMADD231PS (p+64)(R9), x, b1

// func row64x2AVX512(t *productTile, far int)
//
// Two chains, one row, two panels: w and the one far bytes behind it, whose columns are
// written 32·(far / bytes of a panel) behind dst. n counts the columns of the far panel;
// the near one is full. Eight accumulators cover the latency of the FMA units, and two
// distant streams are read faster than one. Z0-Z3 even chain, Z4-Z7 odd chain.
// R9 far panel, R10 distance of its columns in bytes.
TEXT ·row64x2AVX512(SB), NOSPLIT, $0-16
	LOAD
	MOVQ productTile_w(AX), BX
	MOVQ far+8(FP), R9
	MOVQ productTile_ldd(AX), R10        // distance of the columns, in elements
	SHLQ $2, R10
	ADDQ BX, R9
	VMOVAPS Z30, Z0
	VMOVAPS Z30, Z1
	VMOVAPS Z30, Z2
	VMOVAPS Z30, Z3
	MOVQ productTile_bias(AX), CX
	TESTQ CX, CX
	JZ   start
	VMOVUPS (CX), Z0
	VMOVUPS 64(CX), Z1
	ADDQ R10, CX
	VMOVUPS.Z (CX), K1, Z2
	VMOVUPS.Z 64(CX), K2, Z3

start:
	VMOVAPS Z30, Z4
	VMOVAPS Z30, Z5
	VMOVAPS Z30, Z6
	VMOVAPS Z30, Z7
	MOVQ productTile_k(AX), CX
	SUBQ $4, CX
	JLT  tail

four:
	VBROADCASTF32X4 (SI), Z8             // four k at once: one load, four shuffles
	VPERMILPS $0x00, Z8, Z9
	VPERMILPS $0x55, Z8, Z10
	VPERMILPS $0xAA, Z8, Z11
	VPERMILPS $0xFF, Z8, Z12
	PAIR(0, Z9, Z0, Z1, Z2, Z3)
	PAIR(128, Z10, Z4, Z5, Z6, Z7)
	PAIR(256, Z11, Z0, Z1, Z2, Z3)
	PAIR(384, Z12, Z4, Z5, Z6, Z7)
	ADDQ $16, SI
	ADDQ $512, BX
	ADDQ $512, R9
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	VBROADCASTSS (SI), Z9
	PAIR(0, Z9, Z0, Z1, Z2, Z3)
	DECQ CX
	JZ   combine
	VBROADCASTSS 4(SI), Z10
	PAIR(128, Z10, Z4, Z5, Z6, Z7)
	DECQ CX
	JZ   combine
	VBROADCASTSS 8(SI), Z11
	PAIR(256, Z11, Z0, Z1, Z2, Z3)

combine:
	VADDPS Z4, Z0, Z0
	VADDPS Z5, Z1, Z1
	VADDPS Z6, Z2, Z2
	VADDPS Z7, Z3, Z3
	VMAXPS Z0, Z31, Z0
	VMAXPS Z1, Z31, Z1
	VMAXPS Z2, Z31, Z2
	VMAXPS Z3, Z31, Z3
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	ADDQ R10, DI
	VMOVUPS Z2, K1, (DI)
	VMOVUPS Z3, K2, 64(DI)
	VZEROUPPER
	RET

// func lanesAVX512(t *productTile)
//
// The order that runs over 32 lanes: Z0 holds lanes 0-15, Z1 lanes 16-31. w is n rows of
// k values, filled up with zeros to a multiple of 32. n is at most 8.
// R9 bytes of a row of w, R10 column, BX row of w; K3, K4 the k of the last group.
TEXT ·lanesAVX512(SB), NOSPLIT, $0-8
	LOAD
	MOVQ productTile_k(AX), CX
	LEAQ 31(CX), R9
	ANDQ $-32, R9
	SHLQ $2, R9
	ANDQ $31, CX
	MOVQ $-1, R10
	SHLQ CX, R10
	NOTQ R10
	KMOVW R10, K3
	SHRQ $16, R10
	KMOVW R10, K4

row:
	MOVQ productTile_w(AX), BX
	XORL R10, R10

column:
	VMOVAPS Z30, Z0
	VMOVAPS Z30, Z1
	MOVQ productTile_bias(AX), CX
	TESTQ CX, CX
	JZ   start
	VMOVSS (CX)(R10*4), X0               // lane 0, zeroes the others

start:
	MOVQ SI, R13
	MOVQ productTile_k(AX), CX
	SUBQ $32, CX
	JLT  tail

group:
	VMOVUPS (R13), Z2
	VMOVUPS 64(R13), Z3
	VFMADD231PS (BX), Z2, Z0
	VFMADD231PS 64(BX), Z3, Z1
	ADDQ $128, R13
	ADDQ $128, BX
	SUBQ $32, CX
	JGE  group

tail:
	ADDQ $32, CX
	JZ   tree
	VMOVUPS.Z (R13), K3, Z2
	VMOVUPS.Z 64(R13), K4, Z3
	VFMADD231PS (BX), Z2, Z0
	VFMADD231PS 64(BX), Z3, Z1
	ADDQ $128, BX

tree:
	VADDPS Z1, Z0, Z0                    // l + (l+16)
	VEXTRACTF64X4 $1, Z0, Y1
	VADDPS Y1, Y0, Y0                    // l + (l+8)
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0                    // l + (l+4)
	VPERMILPS $0x4E, X0, X1
	VADDPS X1, X0, X0                    // l + (l+2)
	VPERMILPS $0xB1, X0, X1
	VADDPS X1, X0, X0                    // l + (l+1)
	VMAXSS X0, X31, X0
	TESTQ DX, DX
	JZ   store
	VMOVSS (DX)(R10*4), X1
	VCMPSS $0x16, X30, X1, K5            // not (y <= 0)
	VMOVAPS.Z X0, K5, X0

store:
	VMOVSS X0, (DI)(R10*4)
	INCQ R10
	CMPQ R10, productTile_n(AX)
	JLT  column
	ADDQ R8, SI
	ADDQ R11, DI
	TESTQ DX, DX
	JZ   next
	MOVQ productTile_ldy(AX), R13
	LEAQ (DX)(R13*4), DX

next:
	DECQ R12
	JNZ  row
	VZEROUPPER
	RET

// Where lanes8 finds the sums of rows 0 to 7.
DATA rows<>+0(SB)/8, $0x0000000400000000
DATA rows<>+8(SB)/8, $0x0000000C00000008
DATA rows<>+16(SB)/8, $0x0000000600000002
DATA rows<>+24(SB)/8, $0x0000000E0000000A
GLOBL rows<>(SB), RODATA|NOPTR, $32

// LANES16 multiplies 16 k of eight rows by those of w at o(BX); R13 and R10 are rows 0 and 4.
#define LANES16(o, w, a, b, c, d, e, f, g, h) \
	VMOVUPS o(BX), w                     \
	VFMADD231PS o(R13), w, a             \
	VFMADD231PS o(R13)(R8*1), w, b       \
	VFMADD231PS o(R13)(R8*2), w, c       \
	VFMADD231PS o(R13)(R9*1), w, d       \
	VFMADD231PS o(R10), w, e             \
	VFMADD231PS o(R10)(R8*1), w, f       \
	VFMADD231PS o(R10)(R8*2), w, g       \
	VFMADD231PS o(R10)(R9*1), w, h

// TAIL16 is LANES16 for the k in mask m; x scratch.
#define TAIL16(o, m, w, x, a, b, c, d, e, f, g, h) \
	VMOVUPS o(BX), w                     \
	TAILROW(o(R13), m, w, x, a)          \
	TAILROW(o(R13)(R8*1), m, w, x, b)    \
	TAILROW(o(R13)(R8*2), m, w, x, c)    \
	TAILROW(o(R13)(R9*1), m, w, x, d)    \
	TAILROW(o(R10), m, w, x, e)          \
	TAILROW(o(R10)(R8*1), m, w, x, f)    \
	TAILROW(o(R10)(R8*2), m, w, x, g)    \
	TAILROW(o(R10)(R9*1), m, w, x, h)

#define TAILROW(a, m, w, x, acc) \
	VMOVUPS.Z a, m, x                    \
	VFMADD231PS w, x, acc

// JOIN adds the halves of a to each other, and those of b, and leaves both in a.
#define JOIN(keep, other, a, b, x) \
	VSHUFF64X2 $other, b, a, x           \
	VSHUFF64X2 $keep, b, a, a            \
	VADDPS x, a, a

// SCATTER4 stores four values ldd apart, from CX; it leaves CX at the last.
#define SCATTER4(x) \
	VMOVSS x, (CX)                       \
	ADDQ R11, CX                         \
	VEXTRACTPS $1, x, (CX)               \
	ADDQ R11, CX                         \
	VEXTRACTPS $2, x, (CX)               \
	ADDQ R11, CX                         \
	VEXTRACTPS $3, x, (CX)

// func lanes8AVX512(t *productTile)
//
// lanesAVX512 for eight rows at a time and no mask; rows must be a multiple of eight. Row
// r has lanes 0-15 in Zr and lanes 16-31 in Z(8+r); the trees of all eight are one.
// Y28 where the sums stand. R9 = 3 lda, R13 and R10 rows
// 0 and 4 of a, DX column in bytes.
TEXT ·lanes8AVX512(SB), NOSPLIT, $0-8
	LOAD
	MOVQ productTile_k(AX), CX
	ANDQ $31, CX
	MOVQ $-1, R10
	SHLQ CX, R10
	NOTQ R10
	KMOVW R10, K3
	SHRQ $16, R10
	KMOVW R10, K4
	LEAQ (R8)(R8*2), R9
	VMOVUPS rows<>(SB), Y28

block:
	MOVQ productTile_w(AX), BX
	XORL DX, DX

column:
	VMOVAPS Z30, Z0
	MOVQ productTile_bias(AX), CX
	TESTQ CX, CX
	JZ   start
	VMOVSS (CX)(DX*1), X0                // lane 0, zeroes the others

start:
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z0, Z5
	VMOVAPS Z0, Z6
	VMOVAPS Z0, Z7
	VMOVAPS Z30, Z8
	VMOVAPS Z30, Z9
	VMOVAPS Z30, Z10
	VMOVAPS Z30, Z11
	VMOVAPS Z30, Z12
	VMOVAPS Z30, Z13
	VMOVAPS Z30, Z14
	VMOVAPS Z30, Z15
	MOVQ SI, R13
	LEAQ (SI)(R8*4), R10
	MOVQ productTile_k(AX), CX
	SUBQ $32, CX
	JLT  tail

group:
	LANES16(0, Z16, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	LANES16(64, Z17, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	ADDQ $128, R13
	ADDQ $128, R10
	ADDQ $128, BX
	SUBQ $32, CX
	JGE  group

tail:
	ADDQ $32, CX
	JZ   tree
	TAIL16(0, K3, Z16, Z18, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	TAIL16(64, K4, Z17, Z19, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	ADDQ $128, BX

tree:
	VADDPS Z8, Z0, Z0                    // l + (l+16)
	VADDPS Z9, Z1, Z1
	VADDPS Z10, Z2, Z2
	VADDPS Z11, Z3, Z3
	VADDPS Z12, Z4, Z4
	VADDPS Z13, Z5, Z5
	VADDPS Z14, Z6, Z6
	VADDPS Z15, Z7, Z7
	JOIN(0x44, 0xEE, Z0, Z1, Z16)        // l + (l+8), two rows in one
	JOIN(0x44, 0xEE, Z2, Z3, Z17)
	JOIN(0x44, 0xEE, Z4, Z5, Z18)
	JOIN(0x44, 0xEE, Z6, Z7, Z19)
	JOIN(0x88, 0xDD, Z0, Z2, Z16)        // l + (l+4), four rows in one
	JOIN(0x88, 0xDD, Z4, Z6, Z17)
	VUNPCKLPD Z4, Z0, Z1                 // l + (l+2)
	VUNPCKHPD Z4, Z0, Z2
	VADDPS Z2, Z1, Z0
	VPERMILPS $0xB1, Z0, Z1              // l + (l+1)
	VADDPS Z1, Z0, Z0
	VPERMPS Z0, Z28, Z0
	VMAXPS Y0, Y31, Y0
	LEAQ (DI)(DX*1), CX
	CMPQ R11, $4
	JNE  scatter
	VMOVUPS Y0, (CX)
	JMP  next

scatter:
	SCATTER4(X0)
	ADDQ R11, CX
	VEXTRACTF128 $1, Y0, X0
	SCATTER4(X0)

next:
	ADDQ $4, DX
	MOVQ productTile_n(AX), CX
	SHLQ $2, CX
	CMPQ DX, CX
	JLT  column
	LEAQ (SI)(R8*8), SI
	LEAQ (DI)(R11*8), DI
	SUBQ $8, R12
	JNZ  block
	VZEROUPPER
	RET

// Gradients on AVX-512. Every TEXT computes one gradientTile, t: dst (+)= aᵀ·b over rows.
//
//	AX t           SI row of a      R8 lda      CX rows left
//	DI dst         DX row of b      R9 ldb      R11 ldd
//	K1, K2 columns 0-15 and 16-31 of b that exist

// GRADAHEAD brings lines nearer that later calls want. It uses CX and DX.
#define GRADAHEAD \
	MOVQ gradientTile_ahead(AX), DX      \
	MOVQ gradientTile_lines(AX), CX      \
	TESTQ CX, CX                         \
	JZ   5(PC)                           \
	PREFETCHT1 (DX)                      \
	ADDQ $64, DX                         \
	DECQ CX                              \
	JNZ  -3(PC)

#define LOADGRAD \
	MOVQ t+0(FP), AX                     \
	GRADAHEAD                            \
	MOVQ gradientTile_n(AX), CX          \
	MOVQ $-1, DX                         \
	SHLQ CX, DX                          \
	NOTQ DX                              \
	KMOVW DX, K1                         \
	SHRQ $16, DX                         \
	KMOVW DX, K2                         \
	MOVQ gradientTile_dst(AX), DI        \
	MOVQ gradientTile_a(AX), SI          \
	MOVQ gradientTile_b(AX), DX          \
	MOVQ gradientTile_lda(AX), R8        \
	SHLQ $2, R8                          \
	MOVQ gradientTile_ldb(AX), R9        \
	SHLQ $2, R9                          \
	MOVQ gradientTile_ldd(AX), R11       \
	SHLQ $2, R11                         \
	MOVQ gradientTile_rows(AX), CX       \
	MOVBLZX gradientTile_accumulate(AX), AX \
	TESTL AX, AX

// LOADDST reads a row of accumulators and goes on to the next; dst is padded to 32.
#define LOADDST(lo, hi) \
	VMOVUPS (R10), lo                    \
	VMOVUPS 64(R10), hi                  \
	ADDQ R11, R10

// STOREDST leaves the padding alone: there a NaN in a would not be zero.
#define STOREDST(lo, hi) \
	VMOVUPS lo, K1, (DI)                 \
	VMOVUPS hi, K2, 64(DI)               \
	ADDQ R11, DI

// WHOLE and MASKED load a row of b: all 32 columns, or those that exist. A masked load
// takes longer.
#define WHOLE(lo, hi) \
	VMOVUPS lo, Z24                      \
	VMOVUPS hi, Z25

#define MASKED(lo, hi) \
	VMOVUPS.Z lo, K1, Z24                \
	VMOVUPS.Z hi, K2, Z25

// GRADIENT8 is the tile of eight columns of a by those of b. Accumulator r in Z(2r), Z(2r+1).
#define GRADIENT8(load) \
	JNZ  sums                            \
	VPXORD Z0, Z0, Z0                    \
	VMOVAPS Z0, Z1                       \
	VMOVAPS Z0, Z2                       \
	VMOVAPS Z0, Z3                       \
	VMOVAPS Z0, Z4                       \
	VMOVAPS Z0, Z5                       \
	VMOVAPS Z0, Z6                       \
	VMOVAPS Z0, Z7                       \
	VMOVAPS Z0, Z8                       \
	VMOVAPS Z0, Z9                       \
	VMOVAPS Z0, Z10                      \
	VMOVAPS Z0, Z11                      \
	VMOVAPS Z0, Z12                      \
	VMOVAPS Z0, Z13                      \
	VMOVAPS Z0, Z14                      \
	VMOVAPS Z0, Z15                      \
	JMP  pair                            \
sums:                                        \
	MOVQ DI, R10                         \
	LOADDST(Z0, Z1)                      \
	LOADDST(Z2, Z3)                      \
	LOADDST(Z4, Z5)                      \
	LOADDST(Z6, Z7)                      \
	LOADDST(Z8, Z9)                      \
	LOADDST(Z10, Z11)                    \
	LOADDST(Z12, Z13)                    \
	LOADDST(Z14, Z15)                    \
pair:                                        \
	SUBQ $2, CX                          \
	JLT  last                            \
two:                                         \
	load((DX), 64(DX))                   \
	ROW(0(SI), Z26, Z0, Z1)              \
	ROW(4(SI), Z27, Z2, Z3)              \
	ROW(8(SI), Z28, Z4, Z5)              \
	ROW(12(SI), Z29, Z6, Z7)             \
	ROW(16(SI), Z26, Z8, Z9)             \
	ROW(20(SI), Z27, Z10, Z11)           \
	ROW(24(SI), Z28, Z12, Z13)           \
	ROW(28(SI), Z29, Z14, Z15)           \
	load((DX)(R9*1), 64(DX)(R9*1))       \
	ROW(0(SI)(R8*1), Z26, Z0, Z1)        \
	ROW(4(SI)(R8*1), Z27, Z2, Z3)        \
	ROW(8(SI)(R8*1), Z28, Z4, Z5)        \
	ROW(12(SI)(R8*1), Z29, Z6, Z7)       \
	ROW(16(SI)(R8*1), Z26, Z8, Z9)       \
	ROW(20(SI)(R8*1), Z27, Z10, Z11)     \
	ROW(24(SI)(R8*1), Z28, Z12, Z13)     \
	ROW(28(SI)(R8*1), Z29, Z14, Z15)     \
	LEAQ (SI)(R8*2), SI                  \
	LEAQ (DX)(R9*2), DX                  \
	SUBQ $2, CX                          \
	JGE  two                             \
last:                                        \
	ADDQ $2, CX                          \
	JZ   done                            \
	load((DX), 64(DX))                   \
	ROW(0(SI), Z26, Z0, Z1)              \
	ROW(4(SI), Z27, Z2, Z3)              \
	ROW(8(SI), Z28, Z4, Z5)              \
	ROW(12(SI), Z29, Z6, Z7)             \
	ROW(16(SI), Z26, Z8, Z9)             \
	ROW(20(SI), Z27, Z10, Z11)           \
	ROW(24(SI), Z28, Z12, Z13)           \
	ROW(28(SI), Z29, Z14, Z15)           \
done:                                        \
	STOREDST(Z0, Z1)                     \
	STOREDST(Z2, Z3)                     \
	STOREDST(Z4, Z5)                     \
	STOREDST(Z6, Z7)                     \
	STOREDST(Z8, Z9)                     \
	STOREDST(Z10, Z11)                   \
	STOREDST(Z12, Z13)                   \
	STOREDST(Z14, Z15)

// func gradient8x32AVX512(t *gradientTile)
//
// Eight columns of a by 32 of b; k is eight.
TEXT ·gradient8x32AVX512(SB), NOSPLIT, $0-8
	LOADGRAD
	GRADIENT8(WHOLE)
	VZEROUPPER
	RET

// func gradient8xnAVX512(t *gradientTile)
//
// Eight columns of a by up to 32 of b.
TEXT ·gradient8xnAVX512(SB), NOSPLIT, $0-8
	LOADGRAD
	GRADIENT8(MASKED)
	VZEROUPPER
	RET

// ROW16 multiplies one element of a with the 16 columns of b in Z24.
#define ROW16(x, b, acc) \
	VBROADCASTSS x, b                    \
	VFMADD231PS Z24, b, acc

#define LOADDST16(acc) \
	VMOVUPS (R10), acc                   \
	ADDQ R11, R10

#define STOREDST16(acc) \
	VMOVUPS acc, K1, (DI)                \
	ADDQ R11, DI

// func gradient16x16AVX512(t *gradientTile)
//
// Sixteen columns of a by up to 16 of b; k is sixteen. Accumulator r in Zr.
TEXT ·gradient16x16AVX512(SB), NOSPLIT, $0-8
	LOADGRAD
	JNZ  load
	VPXORD Z0, Z0, Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z0, Z5
	VMOVAPS Z0, Z6
	VMOVAPS Z0, Z7
	VMOVAPS Z0, Z8
	VMOVAPS Z0, Z9
	VMOVAPS Z0, Z10
	VMOVAPS Z0, Z11
	VMOVAPS Z0, Z12
	VMOVAPS Z0, Z13
	VMOVAPS Z0, Z14
	VMOVAPS Z0, Z15
	JMP  row

load:
	MOVQ DI, R10
	LOADDST16(Z0)
	LOADDST16(Z1)
	LOADDST16(Z2)
	LOADDST16(Z3)
	LOADDST16(Z4)
	LOADDST16(Z5)
	LOADDST16(Z6)
	LOADDST16(Z7)
	LOADDST16(Z8)
	LOADDST16(Z9)
	LOADDST16(Z10)
	LOADDST16(Z11)
	LOADDST16(Z12)
	LOADDST16(Z13)
	LOADDST16(Z14)
	LOADDST16(Z15)

row:
	VMOVUPS.Z (DX), K1, Z24
	ROW16(0(SI), Z25, Z0)
	ROW16(4(SI), Z26, Z1)
	ROW16(8(SI), Z27, Z2)
	ROW16(12(SI), Z28, Z3)
	ROW16(16(SI), Z25, Z4)
	ROW16(20(SI), Z26, Z5)
	ROW16(24(SI), Z27, Z6)
	ROW16(28(SI), Z28, Z7)
	ROW16(32(SI), Z25, Z8)
	ROW16(36(SI), Z26, Z9)
	ROW16(40(SI), Z27, Z10)
	ROW16(44(SI), Z28, Z11)
	ROW16(48(SI), Z25, Z12)
	ROW16(52(SI), Z26, Z13)
	ROW16(56(SI), Z27, Z14)
	ROW16(60(SI), Z28, Z15)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	STOREDST16(Z0)
	STOREDST16(Z1)
	STOREDST16(Z2)
	STOREDST16(Z3)
	STOREDST16(Z4)
	STOREDST16(Z5)
	STOREDST16(Z6)
	STOREDST16(Z7)
	STOREDST16(Z8)
	STOREDST16(Z9)
	STOREDST16(Z10)
	STOREDST16(Z11)
	STOREDST16(Z12)
	STOREDST16(Z13)
	STOREDST16(Z14)
	STOREDST16(Z15)
	VZEROUPPER
	RET

// func gradient4x32AVX512(t *gradientTile)
//
// Four columns of a by 32 of b; k is four.
TEXT ·gradient4x32AVX512(SB), NOSPLIT, $0-8
	LOADGRAD
	JNZ  load
	VPXORD Z0, Z0, Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z0, Z5
	VMOVAPS Z0, Z6
	VMOVAPS Z0, Z7
	JMP  row

load:
	MOVQ DI, R10
	LOADDST(Z0, Z1)
	LOADDST(Z2, Z3)
	LOADDST(Z4, Z5)
	LOADDST(Z6, Z7)

row:
	VMOVUPS.Z (DX), K1, Z24
	VMOVUPS.Z 64(DX), K2, Z25
	ROW(0(SI), Z26, Z0, Z1)
	ROW(4(SI), Z27, Z2, Z3)
	ROW(8(SI), Z28, Z4, Z5)
	ROW(12(SI), Z29, Z6, Z7)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	STOREDST(Z0, Z1)
	STOREDST(Z2, Z3)
	STOREDST(Z4, Z5)
	STOREDST(Z6, Z7)
	VZEROUPPER
	RET

// func gradient2x32AVX512(t *gradientTile)
//
// Two columns of a by 32 of b; k is two.
TEXT ·gradient2x32AVX512(SB), NOSPLIT, $0-8
	LOADGRAD
	JNZ  load
	VPXORD Z0, Z0, Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	JMP  row

load:
	MOVQ DI, R10
	LOADDST(Z0, Z1)
	LOADDST(Z2, Z3)

row:
	VMOVUPS.Z (DX), K1, Z24
	VMOVUPS.Z 64(DX), K2, Z25
	ROW(0(SI), Z26, Z0, Z1)
	ROW(4(SI), Z27, Z2, Z3)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	STOREDST(Z0, Z1)
	STOREDST(Z2, Z3)
	VZEROUPPER
	RET

// func gradient1x32AVX512(t *gradientTile)
//
// One column of a by 32 of b; k is one.
TEXT ·gradient1x32AVX512(SB), NOSPLIT, $0-8
	LOADGRAD
	VPXORD Z0, Z0, Z0
	VMOVAPS Z0, Z1
	JZ   row
	MOVQ DI, R10
	LOADDST(Z0, Z1)

row:
	VMOVUPS.Z (DX), K1, Z24
	VMOVUPS.Z 64(DX), K2, Z25
	ROW(0(SI), Z26, Z0, Z1)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	STOREDST(Z0, Z1)
	VZEROUPPER
	RET

// func columns32AVX512(t *gradientTile)
//
// Sums of up to 32 columns of b; dst is the caller's and has n elements.
TEXT ·columns32AVX512(SB), NOSPLIT, $0-8
	LOADGRAD
	VPXORD Z0, Z0, Z0
	VMOVAPS Z0, Z1
	JZ   row
	VMOVUPS.Z (DI), K1, Z0
	VMOVUPS.Z 64(DI), K2, Z1

row:
	VMOVUPS.Z (DX), K1, Z24
	VMOVUPS.Z 64(DX), K2, Z25
	VADDPS Z24, Z0, Z0
	VADDPS Z25, Z1, Z1
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	VMOVUPS Z0, K1, (DI)
	VMOVUPS Z1, K2, 64(DI)
	VZEROUPPER
	RET

// func columns64AVX512(t *gradientTile)
//
// Sums of 64 columns of b, whose additions overlap.
TEXT ·columns64AVX512(SB), NOSPLIT, $0-8
	LOADGRAD
	VPXORD Z0, Z0, Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	JZ   row
	VMOVUPS (DI), Z0
	VMOVUPS 64(DI), Z1
	VMOVUPS 128(DI), Z2
	VMOVUPS 192(DI), Z3

row:
	VADDPS (DX), Z0, Z0
	VADDPS 64(DX), Z1, Z1
	VADDPS 128(DX), Z2, Z2
	VADDPS 192(DX), Z3, Z3
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	VMOVUPS Z3, 192(DI)
	VZEROUPPER
	RET

// CROSSROW multiplies one float32 of a with 16 float64 of b held in Z24 and Z25.
#define CROSSROW(x, b, lo, hi) \
	VCVTPS2PD.BCST x, b                  \
	VFMADD231PD Z24, b, lo               \
	VFMADD231PD Z25, b, hi

// CROSSDST moves a row of float64 accumulators from or to dst, whose columns may end.
#define CROSSLOAD(lo, hi) \
	VMOVUPD.Z (R10), K1, lo              \
	VMOVUPD.Z 64(R10), K2, hi            \
	ADDQ R11, R10

#define CROSSSTORE(lo, hi) \
	VMOVUPD lo, K1, (DI)                 \
	VMOVUPD hi, K2, 64(DI)               \
	ADDQ R11, DI

#define LOADCROSS \
	MOVQ t+0(FP), AX                     \
	MOVQ crossTile_n(AX), CX             \
	MOVQ $-1, DX                         \
	SHLQ CX, DX                          \
	NOTQ DX                              \
	KMOVB DX, K1                         \ // columns 0-7
	SHRQ $8, DX                          \
	KMOVB DX, K2                         \ // columns 8-15
	MOVQ crossTile_dst(AX), DI           \
	MOVQ crossTile_a(AX), SI             \
	MOVQ crossTile_b(AX), DX             \
	MOVQ crossTile_lda(AX), R8           \
	SHLQ $2, R8                          \
	MOVQ crossTile_ldb(AX), R9           \
	SHLQ $2, R9                          \
	MOVQ crossTile_ldd(AX), R11          \
	SHLQ $3, R11                         \
	MOVQ crossTile_rows(AX), CX          \
	MOVQ DI, R10

// func cross4x16AVX512(t *crossTile)
//
// Four columns of a by up to 16 of b in float64; k is four. R10 dst while it is read.
TEXT ·cross4x16AVX512(SB), NOSPLIT, $0-8
	LOADCROSS
	CROSSLOAD(Z0, Z1)
	CROSSLOAD(Z2, Z3)
	CROSSLOAD(Z4, Z5)
	CROSSLOAD(Z6, Z7)

row:
	VCVTPS2PD.Z (DX), K1, Z24
	VCVTPS2PD.Z 32(DX), K2, Z25
	CROSSROW(0(SI), Z26, Z0, Z1)
	CROSSROW(4(SI), Z27, Z2, Z3)
	CROSSROW(8(SI), Z28, Z4, Z5)
	CROSSROW(12(SI), Z29, Z6, Z7)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	CROSSSTORE(Z0, Z1)
	CROSSSTORE(Z2, Z3)
	CROSSSTORE(Z4, Z5)
	CROSSSTORE(Z6, Z7)
	VZEROUPPER
	RET

// func cross1x16AVX512(t *crossTile)
//
// One column of a by up to 16 of b in float64; k is one.
TEXT ·cross1x16AVX512(SB), NOSPLIT, $0-8
	LOADCROSS
	CROSSLOAD(Z0, Z1)

row:
	VCVTPS2PD.Z (DX), K1, Z24
	VCVTPS2PD.Z 32(DX), K2, Z25
	CROSSROW(0(SI), Z26, Z0, Z1)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	CROSSSTORE(Z0, Z1)
	VZEROUPPER
	RET

// Products on AVX2 and FMA. A tile is half a panel, 16 columns, but for one row and two
// chains, where it is the whole panel. Registers as above, and
//
//	R10 masks of the columns that exist, from masks<>   R9 ldy
//
// after the k loop: Y12-Y15 masks, Y11 lower bound, Y10 zero, Y8, Y9 scratch.

// 32 ones and 32 zeros: at 4·(32−n) begin masks of n elements.
DATA masks<>+0(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+8(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+16(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+24(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+32(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+40(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+48(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+56(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+64(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+72(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+80(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+88(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+96(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+104(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+112(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA masks<>+120(SB)/8, $0xFFFFFFFFFFFFFFFF
GLOBL masks<>(SB), RODATA|NOPTR, $256

// MASKS sets p to the masks of n elements; it uses n.
#define MASKS(n, p) \
	LEAQ masks<>+128(SB), p              \
	SHLQ $2, n                           \
	SUBQ n, p

#define LOAD2 \
	MOVQ t+0(FP), AX                     \
	MOVQ productTile_n(AX), CX           \
	MASKS(CX, R10)                       \
	MOVQ productTile_dst(AX), DI         \
	MOVQ productTile_a(AX), SI           \
	MOVQ productTile_y(AX), DX           \
	MOVQ productTile_lda(AX), R8         \
	SHLQ $2, R8                          \
	MOVQ productTile_ldd(AX), R11        \
	SHLQ $2, R11                         \
	MOVQ productTile_rows(AX), R12

// BIAS2 sets lo and hi to 16 values of the bias, or zero. It uses CX, Y14, Y15.
#define BIAS2(o, lo, hi) \
	VXORPS lo, lo, lo                    \
	VXORPS hi, hi, hi                    \
	MOVQ productTile_bias(AX), CX        \
	TESTQ CX, CX                         \
	JZ   5(PC)                           \
	VMOVUPS o(R10), Y14                  \
	VMOVUPS (o+32)(R10), Y15             \
	VMASKMOVPS o(CX), Y14, lo            \
	VMASKMOVPS (o+32)(CX), Y15, hi

// ENDINGS sets the registers that FINISH2 needs. It uses CX.
#define ENDINGS \
	MOVBLZX productTile_relu(AX), CX     \
	DECL CX                              \
	ANDL $0xFF800000, CX                 \ // +0 or -Inf
	VMOVD CX, X11                        \
	VBROADCASTSS X11, Y11                \
	VXORPS Y10, Y10, Y10                 \
	MOVQ productTile_ldy(AX), R9         \
	SHLQ $2, R9

// FINISH2 finishes and stores 16 columns at offset o; m is the number of columns there are
// with o. Fewer are stored piece by piece: masked stores are slow on many CPUs. It uses CX,
// R13, Y14, Y15.
#define FINISH2(o, m, lo, hi) \
	VMOVUPS o(R10), Y14                  \
	VMOVUPS (o+32)(R10), Y15             \
	VMAXPS lo, Y11, lo                   \
	VMAXPS hi, Y11, hi                   \
	TESTQ DX, DX                         \
	JZ   7(PC)                           \
	VMASKMOVPS o(DX), Y14, Y8            \
	VMASKMOVPS (o+32)(DX), Y15, Y9       \
	VCMPPS $0x16, Y10, Y8, Y8            \ // not (y <= 0)
	VCMPPS $0x16, Y10, Y9, Y9            \
	VANDPS Y8, lo, lo                    \
	VANDPS Y9, hi, hi                    \
	MOVQ productTile_n(AX), CX           \
	SUBQ $(m-16), CX                     \ // columns there are from o on
	CMPQ CX, $16                         \
	JLT  4(PC)                           \
	VMOVUPS lo, o(DI)                    \
	VMOVUPS hi, (o+32)(DI)               \
	JMP  23(PC)                          \
	TESTQ CX, CX                         \
	JLE  21(PC)                          \
	LEAQ o(DI), R13                      \
	VMOVAPS lo, Y14                      \
	TESTQ $8, CX                         \
	JZ   4(PC)                           \
	VMOVUPS Y14, (R13)                   \
	VMOVAPS hi, Y14                      \
	ADDQ $32, R13                        \
	TESTQ $4, CX                         \
	JZ   4(PC)                           \
	VMOVUPS X14, (R13)                   \
	VEXTRACTF128 $1, Y14, X14            \
	ADDQ $16, R13                        \
	TESTQ $2, CX                         \
	JZ   4(PC)                           \
	VMOVLPS X14, (R13)                   \
	VPERMILPD $1, X14, X14               \
	ADDQ $8, R13                         \
	TESTQ $1, CX                         \
	JZ   2(PC)                           \
	VMOVSS X14, (R13)

#define NEXT2 \
	ADDQ R11, DI                         \
	TESTQ DX, DX                         \
	JZ   2(PC)                           \
	ADDQ R9, DX

#define ROW2(x, b, lo, hi) \
	VBROADCASTSS x, b                    \
	VFMADD231PS Y12, b, lo               \
	VFMADD231PS Y13, b, hi

#define STEP3(o, p, a0, a1, b0, b1, c0, c1) \
	VMOVUPS p(BX), Y12                   \
	VMOVUPS (p+32)(BX), Y13              \
	ROW2(o(R13), Y14, a0, a1)            \
	ROW2(o(R13)(R8*1), Y15, b0, b1)      \
	ROW2(o(R13)(R8*2), Y14, c0, c1)

#define EVEN3(o, p) STEP3(o, p, Y0, Y1, Y2, Y3, Y4, Y5)
#define ODD3(o, p) STEP3(o, p, Y6, Y7, Y8, Y9, Y10, Y11)

// func product3x16x2AVX2(t *productTile)
//
// Two chains, three rows at a time; rows must be a multiple of three. Twelve
// accumulators: row r of the even chain in Y(2r), Y(2r+1), of the odd chain in Y(6+2r),
// Y(7+2r).
TEXT ·product3x16x2AVX2(SB), NOSPLIT, $0-8
	LOAD2

block:
	AHEAD(start)
	TESTQ DX, DX
	JZ   start
	MOVQ productTile_ldy(AX), R9
	MOVQ DX, CX
	PREFETCHT0 (CX)
	PREFETCHT0 60(CX)
	LEAQ (CX)(R9*4), CX
	PREFETCHT0 (CX)
	PREFETCHT0 60(CX)
	LEAQ (CX)(R9*4), CX
	PREFETCHT0 (CX)
	PREFETCHT0 60(CX)

start:
	BIAS2(0, Y0, Y1)
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y1, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail

four:
	EVEN3(0, 0)
	ODD3(4, 128)
	EVEN3(8, 256)
	ODD3(12, 384)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	EVEN3(0, 0)
	DECQ CX
	JZ   combine
	ODD3(4, 128)
	DECQ CX
	JZ   combine
	EVEN3(8, 256)

combine:
	VADDPS Y6, Y0, Y0
	VADDPS Y7, Y1, Y1
	VADDPS Y8, Y2, Y2
	VADDPS Y9, Y3, Y3
	VADDPS Y10, Y4, Y4
	VADDPS Y11, Y5, Y5
	ENDINGS
	FINISH2(0, 16, Y0, Y1)
	NEXT2
	FINISH2(0, 16, Y2, Y3)
	NEXT2
	FINISH2(0, 16, Y4, Y5)
	NEXT2
	LEAQ (SI)(R8*2), SI
	ADDQ R8, SI
	SUBQ $3, R12
	JNZ  block
	VZEROUPPER
	RET

// STEP2H is STEP3 for two rows.
#define STEP2H(o, p, a0, a1, b0, b1) \
	VMOVUPS p(BX), Y12                   \
	VMOVUPS (p+32)(BX), Y13              \
	ROW2(o(R13), Y14, a0, a1)            \
	ROW2(o(R13)(R8*1), Y15, b0, b1)

// func product2x16x2AVX2(t *productTile)
//
// Two chains, two rows: what the tile of three leaves. Row r of the even chain in Y(2r),
// Y(2r+1), of the odd chain in Y(4+2r), Y(5+2r).
TEXT ·product2x16x2AVX2(SB), NOSPLIT, $0-8
	LOAD2
	BIAS2(0, Y0, Y1)
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail

four:
	STEP2H(0, 0, Y0, Y1, Y2, Y3)
	STEP2H(4, 128, Y4, Y5, Y6, Y7)
	STEP2H(8, 256, Y0, Y1, Y2, Y3)
	STEP2H(12, 384, Y4, Y5, Y6, Y7)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	STEP2H(0, 0, Y0, Y1, Y2, Y3)
	DECQ CX
	JZ   combine
	STEP2H(4, 128, Y4, Y5, Y6, Y7)
	DECQ CX
	JZ   combine
	STEP2H(8, 256, Y0, Y1, Y2, Y3)

combine:
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	VADDPS Y6, Y2, Y2
	VADDPS Y7, Y3, Y3
	ENDINGS
	FINISH2(0, 16, Y0, Y1)
	NEXT2
	FINISH2(0, 16, Y2, Y3)
	NEXT2
	VZEROUPPER
	RET

// func product1x32x2AVX2(t *productTile)
//
// Two chains, a row at a time, the whole panel: Y0-Y3 even, Y4-Y7 odd.
TEXT ·product1x32x2AVX2(SB), NOSPLIT, $0-8
	LOAD2

row:
	BIAS2(0, Y0, Y1)
	BIAS2(64, Y2, Y3)
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $2, CX
	JLT  tail

two:
	VBROADCASTSS (R13), Y8
	VFMADD231PS (BX), Y8, Y0
	VFMADD231PS 32(BX), Y8, Y1
	VFMADD231PS 64(BX), Y8, Y2
	VFMADD231PS 96(BX), Y8, Y3
	VBROADCASTSS 4(R13), Y9
	VFMADD231PS 128(BX), Y9, Y4
	VFMADD231PS 160(BX), Y9, Y5
	VFMADD231PS 192(BX), Y9, Y6
	VFMADD231PS 224(BX), Y9, Y7
	ADDQ $8, R13
	ADDQ $256, BX
	SUBQ $2, CX
	JGE  two

tail:
	ADDQ $2, CX                          // k mod 2
	JZ   combine
	VBROADCASTSS (R13), Y8
	VFMADD231PS (BX), Y8, Y0
	VFMADD231PS 32(BX), Y8, Y1
	VFMADD231PS 64(BX), Y8, Y2
	VFMADD231PS 96(BX), Y8, Y3

combine:
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	VADDPS Y6, Y2, Y2
	VADDPS Y7, Y3, Y3
	ENDINGS
	FINISH2(0, 16, Y0, Y1)
	FINISH2(64, 32, Y2, Y3)
	NEXT2
	ADDQ R8, SI
	DECQ R12
	JNZ  row
	VZEROUPPER
	RET

// func product4x16x1AVX2(t *productTile)
//
// One chain, four rows at a time; rows must be a multiple of four and k at most 8. Row r
// in Y(2r), Y(2r+1); R9 = 3 lda until the rows are finished.
TEXT ·product4x16x1AVX2(SB), NOSPLIT, $0-8
	LOAD2

block:
	BIAS2(0, Y0, Y1)
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y1, Y5
	VMOVAPS Y0, Y6
	VMOVAPS Y1, Y7
	LEAQ (R8)(R8*2), R9
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	TESTQ CX, CX
	JZ   done

one:
	VMOVUPS (BX), Y12
	VMOVUPS 32(BX), Y13
	ROW2((R13), Y8, Y0, Y1)
	ROW2((R13)(R8*1), Y9, Y2, Y3)
	ROW2((R13)(R8*2), Y10, Y4, Y5)
	ROW2((R13)(R9*1), Y11, Y6, Y7)
	ADDQ $4, R13
	ADDQ $128, BX
	DECQ CX
	JNZ  one

done:
	ENDINGS
	FINISH2(0, 16, Y0, Y1)
	NEXT2
	FINISH2(0, 16, Y2, Y3)
	NEXT2
	FINISH2(0, 16, Y4, Y5)
	NEXT2
	FINISH2(0, 16, Y6, Y7)
	NEXT2
	LEAQ (SI)(R8*4), SI
	SUBQ $4, R12
	JNZ  block
	VZEROUPPER
	RET

// K1HALF multiplies the element of a at R13+o with half a row of w at BX+p.
#define K1HALF(o, p, lo, hi) \
	VBROADCASTSS o(R13), Y14             \
	VFMADD231PS p(BX), Y14, lo           \
	VFMADD231PS (p+32)(BX), Y14, hi

// func product1x32x1AVX2(t *productTile)
//
// One chain, a row at a time, the whole panel; k is at most 8. Y0-Y3 accumulators, Y4-Y7
// bias.
TEXT ·product1x32x1AVX2(SB), NOSPLIT, $0-8
	LOAD2
	BIAS2(0, Y4, Y5)
	BIAS2(64, Y6, Y7)
	ENDINGS

row:
	VMOVAPS Y4, Y0
	VMOVAPS Y5, Y1
	VMOVAPS Y6, Y2
	VMOVAPS Y7, Y3
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	TESTQ CX, CX
	JZ   done

one:
	VBROADCASTSS (R13), Y12
	VFMADD231PS (BX), Y12, Y0
	VFMADD231PS 32(BX), Y12, Y1
	VFMADD231PS 64(BX), Y12, Y2
	VFMADD231PS 96(BX), Y12, Y3
	ADDQ $4, R13
	ADDQ $128, BX
	DECQ CX
	JNZ  one

done:
	FINISH2(0, 16, Y0, Y1)
	FINISH2(64, 32, Y2, Y3)
	NEXT2
	ADDQ R8, SI
	DECQ R12
	JNZ  row
	VZEROUPPER
	RET

// CLEAR12 sets twelve accumulators to zero.
#define CLEAR12 \
	VXORPS Y0, Y0, Y0                    \
	VXORPS Y1, Y1, Y1                    \
	VXORPS Y2, Y2, Y2                    \
	VXORPS Y3, Y3, Y3                    \
	VXORPS Y4, Y4, Y4                    \
	VXORPS Y5, Y5, Y5                    \
	CLEAR6

#define CLEAR6 \
	VXORPS Y6, Y6, Y6                    \
	VXORPS Y7, Y7, Y7                    \
	VXORPS Y8, Y8, Y8                    \
	VXORPS Y9, Y9, Y9                    \
	VXORPS Y10, Y10, Y10                 \
	VXORPS Y11, Y11, Y11

#define ADD6 \
	VADDPS Y6, Y0, Y0                    \
	VADDPS Y7, Y1, Y1                    \
	VADDPS Y8, Y2, Y2                    \
	VADDPS Y9, Y3, Y3                    \
	VADDPS Y10, Y4, Y4                   \
	VADDPS Y11, Y5, Y5

// func product3x16x4AVX2(t *productTile)
//
// Four chains, three rows at a time; rows must be a multiple of three. The registers hold
// two chains, so there are two passes over k: chains 0 and 2, whose sum waits on the
// stack, then chains 1 and 3.
TEXT ·product3x16x4AVX2(SB), NOSPLIT, $192-8
	LOAD2

block:
	BIAS2(0, Y0, Y1)
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y1, Y5
	CLEAR6
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail02

four02:
	EVEN3(0, 0)
	ODD3(8, 256)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four02

tail02:
	ADDQ $4, CX                          // k mod 4
	JZ   keep
	EVEN3(0, 0)
	SUBQ $3, CX
	JLT  keep
	ODD3(8, 256)

keep:
	ADD6                                 // c0 + c2
	VMOVUPS Y0, sum-192(SP)
	VMOVUPS Y1, sum-160(SP)
	VMOVUPS Y2, sum-128(SP)
	VMOVUPS Y3, sum-96(SP)
	VMOVUPS Y4, sum-64(SP)
	VMOVUPS Y5, sum-32(SP)
	CLEAR12
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail13

four13:
	EVEN3(4, 128)
	ODD3(12, 384)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four13

tail13:
	ADDQ $2, CX                          // (k mod 4) - 2
	JLT  combine
	EVEN3(4, 128)

combine:
	ADD6                                 // c1 + c3
	VADDPS sum-192(SP), Y0, Y0
	VADDPS sum-160(SP), Y1, Y1
	VADDPS sum-128(SP), Y2, Y2
	VADDPS sum-96(SP), Y3, Y3
	VADDPS sum-64(SP), Y4, Y4
	VADDPS sum-32(SP), Y5, Y5
	ENDINGS
	FINISH2(0, 16, Y0, Y1)
	NEXT2
	FINISH2(0, 16, Y2, Y3)
	NEXT2
	FINISH2(0, 16, Y4, Y5)
	NEXT2
	LEAQ (SI)(R8*2), SI
	ADDQ R8, SI
	SUBQ $3, R12
	JNZ  block
	VZEROUPPER
	RET

// func product1x16x4AVX2(t *productTile)
//
// Four chains, a row at a time: chain c in Y(2c), Y(2c+1).
TEXT ·product1x16x4AVX2(SB), NOSPLIT, $0-8
	LOAD2

row:
	BIAS2(0, Y0, Y1)
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	MOVQ productTile_w(AX), BX
	MOVQ productTile_k(AX), CX
	MOVQ SI, R13
	SUBQ $4, CX
	JLT  tail

four:
	K1HALF(0, 0, Y0, Y1)
	K1HALF(4, 128, Y2, Y3)
	K1HALF(8, 256, Y4, Y5)
	K1HALF(12, 384, Y6, Y7)
	ADDQ $16, R13
	ADDQ $512, BX
	SUBQ $4, CX
	JGE  four

tail:
	ADDQ $4, CX                          // k mod 4
	JZ   combine
	K1HALF(0, 0, Y0, Y1)
	DECQ CX
	JZ   combine
	K1HALF(4, 128, Y2, Y3)
	DECQ CX
	JZ   combine
	K1HALF(8, 256, Y4, Y5)

combine:
	VADDPS Y4, Y0, Y0                    // c0 + c2
	VADDPS Y5, Y1, Y1
	VADDPS Y6, Y2, Y2                    // c1 + c3
	VADDPS Y7, Y3, Y3
	VADDPS Y2, Y0, Y0
	VADDPS Y3, Y1, Y1
	ENDINGS
	FINISH2(0, 16, Y0, Y1)
	NEXT2
	ADDQ R8, SI
	DECQ R12
	JNZ  row
	VZEROUPPER
	RET

// LANES8 multiplies eight k at R13+o and BX+o.
#define LANES8(o, x, acc) \
	VMOVUPS o(R13), x                    \
	VFMADD231PS o(BX), x, acc

// MASKED8 is LANES8 for the k that exist; R10 masks of k.
#define MASKED8(o, x, m, acc) \
	VMOVUPS o(R10), m                    \
	VMASKMOVPS o(R13), m, x              \
	VFMADD231PS o(BX), x, acc

// func lanesAVX2(t *productTile)
//
// The order that runs over 32 lanes, eight to a register: Y0-Y3. w is n rows of k values,
// filled up with zeros to a multiple of 32. R9 column, R10 masks of the last k.
TEXT ·lanesAVX2(SB), NOSPLIT, $0-8
	LOAD2
	MOVQ productTile_k(AX), CX
	ANDQ $31, CX
	MASKS(CX, R10)
	MOVBLZX productTile_relu(AX), CX
	DECL CX
	ANDL $0xFF800000, CX
	VMOVD CX, X11
	VXORPS X10, X10, X10

row:
	MOVQ productTile_w(AX), BX
	XORL R9, R9

column:
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	MOVQ productTile_bias(AX), CX
	TESTQ CX, CX
	JZ   start
	VMOVSS (CX)(R9*4), X0                // lane 0, zeroes the others

start:
	MOVQ SI, R13
	MOVQ productTile_k(AX), CX
	SUBQ $32, CX
	JLT  tail

group:
	LANES8(0, Y4, Y0)
	LANES8(32, Y5, Y1)
	LANES8(64, Y6, Y2)
	LANES8(96, Y7, Y3)
	ADDQ $128, R13
	ADDQ $128, BX
	SUBQ $32, CX
	JGE  group

tail:
	ADDQ $32, CX
	JZ   tree
	MASKED8(0, Y4, Y8, Y0)
	MASKED8(32, Y5, Y8, Y1)
	MASKED8(64, Y6, Y8, Y2)
	MASKED8(96, Y7, Y8, Y3)
	ADDQ $128, BX

tree:
	VADDPS Y2, Y0, Y0                    // l + (l+16)
	VADDPS Y3, Y1, Y1
	VADDPS Y1, Y0, Y0                    // l + (l+8)
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0                    // l + (l+4)
	VPERMILPS $0x4E, X0, X1
	VADDPS X1, X0, X0                    // l + (l+2)
	VPERMILPS $0xB1, X0, X1
	VADDPS X1, X0, X0                    // l + (l+1)
	VMAXSS X0, X11, X0
	TESTQ DX, DX
	JZ   store
	VMOVSS (DX)(R9*4), X1
	VCMPSS $0x16, X10, X1, X1            // not (y <= 0)
	VANDPS X1, X0, X0

store:
	VMOVSS X0, (DI)(R9*4)
	INCQ R9
	CMPQ R9, productTile_n(AX)
	JLT  column
	ADDQ R8, SI
	ADDQ R11, DI
	TESTQ DX, DX
	JZ   next
	MOVQ productTile_ldy(AX), R13
	LEAQ (DX)(R13*4), DX

next:
	DECQ R12
	JNZ  row
	VZEROUPPER
	RET

// Gradients on AVX2: as above, 16 columns at a time. Y14, Y15 masks of columns.

#define LOADGRAD2 \
	MOVQ t+0(FP), AX                     \
	GRADAHEAD                            \
	MOVQ gradientTile_n(AX), CX          \
	MASKS(CX, R10)                       \
	VMOVUPS (R10), Y14                   \
	VMOVUPS 32(R10), Y15                 \
	MOVQ gradientTile_dst(AX), DI        \
	MOVQ gradientTile_a(AX), SI          \
	MOVQ gradientTile_b(AX), DX          \
	MOVQ gradientTile_lda(AX), R8        \
	SHLQ $2, R8                          \
	MOVQ gradientTile_ldb(AX), R9        \
	SHLQ $2, R9                          \
	MOVQ gradientTile_ldd(AX), R11       \
	SHLQ $2, R11                         \
	MOVQ gradientTile_rows(AX), CX       \
	MOVBLZX gradientTile_accumulate(AX), AX \
	TESTL AX, AX

#define LOADDST2(lo, hi) \
	VMOVUPS (R10), lo                    \
	VMOVUPS 32(R10), hi                  \
	ADDQ R11, R10

#define STOREDST2(lo, hi) \
	VMASKMOVPS lo, Y14, (DI)             \
	VMASKMOVPS hi, Y15, 32(DI)           \
	ADDQ R11, DI

#define WHOLEDST2(lo, hi) \
	VMOVUPS lo, (DI)                     \
	VMOVUPS hi, 32(DI)                   \
	ADDQ R11, DI

// func gradient6x16AVX2(t *gradientTile)
//
// Six columns of a by 16 of b, all of which exist; k is six. Accumulator r in Y(2r),
// Y(2r+1).
TEXT ·gradient6x16AVX2(SB), NOSPLIT, $0-8
	LOADGRAD2
	JNZ  load
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	JMP  row

load:
	MOVQ DI, R10
	LOADDST2(Y0, Y1)
	LOADDST2(Y2, Y3)
	LOADDST2(Y4, Y5)
	LOADDST2(Y6, Y7)
	LOADDST2(Y8, Y9)
	LOADDST2(Y10, Y11)

row:
	VMOVUPS (DX), Y12
	VMOVUPS 32(DX), Y13
	ROW2(0(SI), Y14, Y0, Y1)
	ROW2(4(SI), Y15, Y2, Y3)
	ROW2(8(SI), Y14, Y4, Y5)
	ROW2(12(SI), Y15, Y6, Y7)
	ROW2(16(SI), Y14, Y8, Y9)
	ROW2(20(SI), Y15, Y10, Y11)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	WHOLEDST2(Y0, Y1)
	WHOLEDST2(Y2, Y3)
	WHOLEDST2(Y4, Y5)
	WHOLEDST2(Y6, Y7)
	WHOLEDST2(Y8, Y9)
	WHOLEDST2(Y10, Y11)
	VZEROUPPER
	RET

// func gradient4x16AVX2(t *gradientTile)
//
// Four columns of a by 16 of b; k is four. Accumulator r in Y(2r), Y(2r+1).
TEXT ·gradient4x16AVX2(SB), NOSPLIT, $0-8
	LOADGRAD2
	JNZ  load
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	JMP  row

load:
	MOVQ DI, R10
	LOADDST2(Y0, Y1)
	LOADDST2(Y2, Y3)
	LOADDST2(Y4, Y5)
	LOADDST2(Y6, Y7)

row:
	VMASKMOVPS (DX), Y14, Y12
	VMASKMOVPS 32(DX), Y15, Y13
	ROW2(0(SI), Y8, Y0, Y1)
	ROW2(4(SI), Y9, Y2, Y3)
	ROW2(8(SI), Y10, Y4, Y5)
	ROW2(12(SI), Y11, Y6, Y7)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	STOREDST2(Y0, Y1)
	STOREDST2(Y2, Y3)
	STOREDST2(Y4, Y5)
	STOREDST2(Y6, Y7)
	VZEROUPPER
	RET

// func gradient1x16AVX2(t *gradientTile)
//
// One column of a by 16 of b; k is one.
TEXT ·gradient1x16AVX2(SB), NOSPLIT, $0-8
	LOADGRAD2
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	JZ   row
	MOVQ DI, R10
	LOADDST2(Y0, Y1)

row:
	VMASKMOVPS (DX), Y14, Y12
	VMASKMOVPS 32(DX), Y15, Y13
	ROW2(0(SI), Y8, Y0, Y1)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	STOREDST2(Y0, Y1)
	VZEROUPPER
	RET

// func columns16AVX2(t *gradientTile)
//
// Sums of up to 16 columns of b; dst is the caller's and has n elements.
TEXT ·columns16AVX2(SB), NOSPLIT, $0-8
	LOADGRAD2
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	JZ   row
	VMASKMOVPS (DI), Y14, Y0
	VMASKMOVPS 32(DI), Y15, Y1

row:
	VMASKMOVPS (DX), Y14, Y12
	VMASKMOVPS 32(DX), Y15, Y13
	VADDPS Y12, Y0, Y0
	VADDPS Y13, Y1, Y1
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	VMASKMOVPS Y0, Y14, (DI)
	VMASKMOVPS Y1, Y15, 32(DI)
	VZEROUPPER
	RET

// func columns64AVX2(t *gradientTile)
//
// Sums of 64 columns of b, whose additions overlap.
TEXT ·columns64AVX2(SB), NOSPLIT, $0-8
	LOADGRAD2
	VXORPS Y0, Y0, Y0
	VMOVAPS Y0, Y1
	VMOVAPS Y0, Y2
	VMOVAPS Y0, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y0, Y5
	VMOVAPS Y0, Y6
	VMOVAPS Y0, Y7
	JZ   row
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4
	VMOVUPS 160(DI), Y5
	VMOVUPS 192(DI), Y6
	VMOVUPS 224(DI), Y7

row:
	VADDPS (DX), Y0, Y0
	VADDPS 32(DX), Y1, Y1
	VADDPS 64(DX), Y2, Y2
	VADDPS 96(DX), Y3, Y3
	VADDPS 128(DX), Y4, Y4
	VADDPS 160(DX), Y5, Y5
	VADDPS 192(DX), Y6, Y6
	VADDPS 224(DX), Y7, Y7
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	VZEROUPPER
	RET

// CROSSROW2 multiplies one float32 of a with eight float64 of b held in Y8 and Y9.
#define CROSSROW2(o, lo, hi) \
	VBROADCASTSS o(SI), X10              \
	VCVTPS2PD X10, Y10                   \
	VFMADD231PD Y8, Y10, lo              \
	VFMADD231PD Y9, Y10, hi

#define CROSSLOAD2(lo, hi) \
	VMASKMOVPD (R10), Y14, lo            \
	VMASKMOVPD 32(R10), Y15, hi          \
	ADDQ R11, R10

#define CROSSSTORE2(lo, hi) \
	VMASKMOVPD lo, Y14, (DI)             \
	VMASKMOVPD hi, Y15, 32(DI)           \
	ADDQ R11, DI

// X12, X13 float32 masks and Y14, Y15 float64 masks of columns 0-3 and 4-7.
#define LOADCROSS2 \
	MOVQ t+0(FP), AX                     \
	MOVQ crossTile_n(AX), CX             \
	MASKS(CX, R10)                       \
	VMOVUPS (R10), X12                   \
	VMOVUPS 16(R10), X13                 \
	VPMOVSXDQ (R10), Y14                 \
	VPMOVSXDQ 16(R10), Y15               \
	MOVQ crossTile_dst(AX), DI           \
	MOVQ crossTile_a(AX), SI             \
	MOVQ crossTile_b(AX), DX             \
	MOVQ crossTile_lda(AX), R8           \
	SHLQ $2, R8                          \
	MOVQ crossTile_ldb(AX), R9           \
	SHLQ $2, R9                          \
	MOVQ crossTile_ldd(AX), R11          \
	SHLQ $3, R11                         \
	MOVQ crossTile_rows(AX), CX          \
	MOVQ DI, R10

#define CROSSB2 \
	VMASKMOVPS (DX), X12, X8             \
	VMASKMOVPS 16(DX), X13, X9           \
	VCVTPS2PD X8, Y8                     \
	VCVTPS2PD X9, Y9

// func cross4x8AVX2(t *crossTile)
//
// Four columns of a by up to 8 of b in float64; k is four. R10 dst while it is read.
TEXT ·cross4x8AVX2(SB), NOSPLIT, $0-8
	LOADCROSS2
	CROSSLOAD2(Y0, Y1)
	CROSSLOAD2(Y2, Y3)
	CROSSLOAD2(Y4, Y5)
	CROSSLOAD2(Y6, Y7)

row:
	CROSSB2
	CROSSROW2(0, Y0, Y1)
	CROSSROW2(4, Y2, Y3)
	CROSSROW2(8, Y4, Y5)
	CROSSROW2(12, Y6, Y7)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	CROSSSTORE2(Y0, Y1)
	CROSSSTORE2(Y2, Y3)
	CROSSSTORE2(Y4, Y5)
	CROSSSTORE2(Y6, Y7)
	VZEROUPPER
	RET

// func cross1x8AVX2(t *crossTile)
//
// One column of a by up to 8 of b in float64; k is one.
TEXT ·cross1x8AVX2(SB), NOSPLIT, $0-8
	LOADCROSS2
	CROSSLOAD2(Y0, Y1)

row:
	CROSSB2
	CROSSROW2(0, Y0, Y1)
	ADDQ R8, SI
	ADDQ R9, DX
	DECQ CX
	JNZ  row
	CROSSSTORE2(Y0, Y1)
	VZEROUPPER
	RET
