// Instructions that the Go assembler does not know, as words. Operands are the numbers of
// registers: d the destination, n and m the sources in the order of Arm's manuals, i a
// lane. Behind each stands what a disassembler shows; a test compares text and word.

#define FMLAE(d, n, m, i) WORD $(0x4F801000 | ((i)&1)<<21 | (m)<<16 | ((i)>>1)<<11 | (n)<<5 | (d)) // fmla v<d>.4s, v<n>.4s, v<m>.s[<i>]
#define FMLAED(d, n, m, i) WORD $(0x4FC01000 | (m)<<16 | (i)<<11 | (n)<<5 | (d)) // fmla v<d>.2d, v<n>.2d, v<m>.d[<i>]
#define FADD(d, n, m) WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d)) // fadd v<d>.4s, v<n>.4s, v<m>.4s
#define FADDD(d, n, m) WORD $(0x4E60D400 | (m)<<16 | (n)<<5 | (d)) // fadd v<d>.2d, v<n>.2d, v<m>.2d
#define FADDP(d, n, m) WORD $(0x6E20D400 | (m)<<16 | (n)<<5 | (d)) // faddp v<d>.4s, v<n>.4s, v<m>.4s
#define FSUB(d, n, m) WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d)) // fsub v<d>.4s, v<n>.4s, v<m>.4s
#define FMUL(d, n, m) WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d)) // fmul v<d>.4s, v<n>.4s, v<m>.4s
#define FDIV(d, n, m) WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d)) // fdiv v<d>.4s, v<n>.4s, v<m>.4s
#define FSQRT(d, n) WORD $(0x6EA1F800 | (n)<<5 | (d)) // fsqrt v<d>.4s, v<n>.4s
#define FABS(d, n) WORD $(0x4EA0F800 | (n)<<5 | (d)) // fabs v<d>.4s, v<n>.4s
#define FCMGT(d, n, m) WORD $(0x6EA0E400 | (m)<<16 | (n)<<5 | (d)) // fcmgt v<d>.4s, v<n>.4s, v<m>.4s
#define FCMLE0(d, n) WORD $(0x6EA0D800 | (n)<<5 | (d)) // fcmle v<d>.4s, v<n>.4s, #0.0
#define FACGT(d, n, m) WORD $(0x6EA0EC00 | (m)<<16 | (n)<<5 | (d)) // facgt v<d>.4s, v<n>.4s, v<m>.4s
#define BIC(d, n, m) WORD $(0x4E601C00 | (m)<<16 | (n)<<5 | (d)) // bic v<d>.16b, v<n>.16b, v<m>.16b
#define FCVTL(d, n) WORD $(0x0E617800 | (n)<<5 | (d)) // fcvtl v<d>.2d, v<n>.2s
#define FCVTL2(d, n) WORD $(0x4E617800 | (n)<<5 | (d)) // fcvtl2 v<d>.2d, v<n>.4s
#define LDRQ(d, n, m) WORD $(0x3CE06800 | (m)<<16 | (n)<<5 | (d)) // ldr q<d>, [x<n>, x<m>]
