package kernel

import "math"

// The portable implementation: the contract in code, compiled everywhere, and what every
// other implementation is tested against. Each function here has the signature and the
// loops of a tile that the drivers call; see tile.go for the arguments.

// axpy sets acc[j] = fma(x, w[j], acc[j]). It is fma written out for the common case.
func axpy(acc []float32, x float32, w []float32) {
	w = w[:len(acc)]
	xd := float64(x)
	for j, c := range acc {
		p := xd * float64(w[j])
		s := p + float64(c)
		if exact(s) {
			acc[j] = float32(s)
		} else {
			acc[j] = roundOdd(p, float64(c), s)
		}
	}
}

// productPortable is one panel of a product in order o.
func productPortable(o order, t *productTile) {
	switch o {
	case lanes:
		lanesGeneric(t)
	case oneChain:
		productGeneric(t, 1)
	case twoChains:
		productGeneric(t, 2)
	default:
		productGeneric(t, 4)
	}
}

// productGeneric is one panel of a product in the orders with one, two or four chains.
func productGeneric(t *productTile, chains int) {
	var c [4][panel]float32
	for i := range t.rows {
		for s := range chains {
			clear(c[s][:])
		}
		if t.bias != nil {
			copy(c[0][:t.n], t.bias)
		}
		for k, x := range t.a[i*t.lda : i*t.lda+t.k] {
			axpy(c[k&(chains-1)][:t.n], x, t.w[k*panel:])
		}
		for j := range t.n {
			v := c[0][j]
			switch chains {
			case 2:
				v += c[1][j]
			case 4:
				v = (v + c[2][j]) + (c[1][j] + c[3][j])
			}
			t.finish(i, j, v)
		}
	}
}

// lanesGeneric is a product in the order that runs over lanes; w holds n rows of k values.
func lanesGeneric(t *productTile) {
	kp := roundUp(t.k)
	for i := range t.rows {
		x := t.a[i*t.lda : i*t.lda+t.k]
		for j := range t.n {
			w := t.w[j*kp : (j+1)*kp]
			var c [panel]float32
			if t.bias != nil {
				c[0] = t.bias[j]
			}
			for k := range kp {
				var v float32
				if k < t.k {
					v = x[k]
				}
				c[k%panel] = fma(v, w[k], c[k%panel])
			}
			for h := panel / 2; h > 0; h /= 2 {
				for l := range h {
					c[l] += c[l+h]
				}
			}
			t.finish(i, j, c[0])
		}
	}
}

// finish ends element (i, j) of a product: ReLU or the mask of a gradient.
func (t *productTile) finish(i, j int, v float32) {
	if t.relu && v < 0 {
		v = 0
	}
	if t.y != nil && t.y[i*t.ldy+j] <= 0 {
		v = 0
	}
	t.dst[i*t.ldd+j] = v
}

// gradientGeneric adds aᵀ·b to dst, row by row of a and b.
func gradientGeneric(t *gradientTile) {
	for k := range t.k {
		acc := t.dst[k*t.ldd : k*t.ldd+t.n]
		if !t.accumulate {
			clear(acc)
		}
		for i := range t.rows {
			axpy(acc, t.a[i*t.lda+k], t.b[i*t.ldb:])
		}
	}
}

// columnsGeneric adds the rows of b to dst.
func columnsGeneric(t *gradientTile) {
	acc := t.dst[:t.n]
	if !t.accumulate {
		clear(acc)
	}
	for i := range t.rows {
		for j, v := range t.b[i*t.ldb : i*t.ldb+t.n] {
			acc[j] += v
		}
	}
}

// crossGeneric adds aᵀ·b to dst in float64, row by row of a and b.
func crossGeneric(t *crossTile) {
	for i := range t.rows {
		y := t.b[i*t.ldb : i*t.ldb+t.n]
		for p, x := range t.a[i*t.lda : i*t.lda+t.k] {
			acc := t.dst[p*t.ldd : p*t.ldd+t.n]
			for j, v := range y {
				acc[j] += float64(x) * float64(v) // exact product: fused or not, the same bits
			}
		}
	}
}

// laneSums are the sums of a vector before the tree.
type laneSums struct {
	squares, abs [16]float64
	max          [16]float32
}

// sumsGeneric adds the elements of x, a multiple of 32, to the lanes: run by run.
func sumsGeneric(s *laneSums, x []float32) {
	for ; len(x) > sumRun; x = x[sumRun:] {
		s.run(x[:sumRun])
	}
	s.run(x)
}

func (s *laneSums) run(x []float32) {
	var squares, abs [sumLanes]float32
	for ; len(x) > 0; x = x[sumLanes:] {
		for l, v := range x[:sumLanes] {
			squares[l] = fma(v, v, squares[l])
			if v < 0 {
				v = -v
			}
			abs[l] += v
			s.max[l%16] = greater(v, s.max[l%16])
		}
	}
	for l := range 16 {
		s.squares[l] += float64(squares[l] + squares[l+16])
		s.abs[l] += float64(abs[l] + abs[l+16])
	}
}

// greater returns a where it is greater than b, and b otherwise: a NaN in a is passed over.
func greater(a, b float32) float32 {
	if a > b {
		return a
	}
	return b
}

func distanceGeneric(s *laneSums, x, y []float32) {
	var r [sumRun]float32
	for len(x) > 0 {
		n := min(sumRun, len(x))
		residualGeneric(s, r[:n], x[:n], y[:n])
		x, y = x[n:], y[n:]
	}
}

func residualGeneric(s *laneSums, dst, x, y []float32) {
	for i := range dst {
		dst[i] = x[i] - y[i]
	}
	sumsGeneric(s, dst)
}

func addGeneric(dst, src []float32) {
	for i := range dst {
		dst[i] += src[i]
	}
}

func lerpGeneric(dst, src []float32, t float32) {
	for i, d := range dst {
		dst[i] = fma(t, src[i]-d, d)
	}
}

// flush returns 0 for values below 2⁻¹⁰⁰ in magnitude, and x otherwise.
func flush(x float32) float32 {
	if x > -adamTiny && x < adamTiny {
		return 0
	}
	return x
}

func adamGeneric(w, g, m, v []float32, c *adamCoefficients) {
	for i, x := range g {
		mi := flush(fma(c.beta1c, x-m[i], m[i]))
		vi := flush(fma(c.beta2c, float32(x*x)-v[i], v[i]))
		d := fma(float32(math.Sqrt(float64(vi))), c.scale, c.epsilon)
		w[i] = fma(-c.rate, mi/d, float32(w[i]*c.keep))
		m[i], v[i] = mi, vi
	}
}

// packGeneric sets dst to rows of 32 elements that are stride apart in src.
func packGeneric(dst, src []float32, stride int) {
	for k := 0; len(dst) > 0; k += stride {
		*(*[panel]float32)(dst) = *(*[panel]float32)(src[k:])
		dst = dst[panel:]
	}
}

// transposeGeneric sets dst[j*32+i] = src[i*32+j] for i < k, j < n.
func transposeGeneric(dst, src []float32, k, n int) {
	for i := range k {
		for j, v := range src[i*panel : i*panel+n] {
			dst[j*panel+i] = v
		}
	}
}
