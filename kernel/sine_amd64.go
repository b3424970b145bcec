//go:build !purego && !noasm

package kernel

//go:noescape
func sineAVX512(sin, x *float32, n int, unit float32)

//go:noescape
func sineAVX2(sin, x *float32, n int, unit float32)

//go:noescape
func sineCosineAVX512(sin, cos, x *float32, n int, unit float32)

//go:noescape
func sineCosineAVX2(sin, cos, x *float32, n int, unit float32)

//go:noescape
func multiplyAVX512(dst, src *float32, n int)

//go:noescape
func multiplyAVX2(dst, src *float32, n int)

func sineOn(i isa, sin, x []float32, unit float32) {
	sin = sin[:len(x)]
	n := whole(i, len(x), 16)
	if n > 0 {
		if i == avx512 {
			sineAVX512(&sin[0], &x[0], n, unit)
		} else {
			sineAVX2(&sin[0], &x[0], n, unit)
		}
	}
	sineGeneric(sin[n:], x[n:], unit)
}

func sineCosineOn(i isa, sin, cos, x []float32, unit float32) {
	sin, cos = sin[:len(x)], cos[:len(x)]
	n := whole(i, len(x), 16)
	if n > 0 {
		if i == avx512 {
			sineCosineAVX512(&sin[0], &cos[0], &x[0], n, unit)
		} else {
			sineCosineAVX2(&sin[0], &cos[0], &x[0], n, unit)
		}
	}
	sineCosineGeneric(sin[n:], cos[n:], x[n:], unit)
}

func multiplyOn(i isa, dst, src []float32) {
	src = src[:len(dst)]
	n := whole(i, len(dst), 16)
	if n > 0 {
		if i == avx512 {
			multiplyAVX512(&dst[0], &src[0], n)
		} else {
			multiplyAVX2(&dst[0], &src[0], n)
		}
	}
	multiplyGeneric(dst[n:], src[n:])
}
