package mgdl

import (
	"math"

	"github.com/multigrade/multigrade/kernel"
)

// labels are what the rows of a table should be predicted as.
type labels struct {
	y      kernel.Matrix // regression: standardised targets
	lo, hi []float32     // and their range, to which predictions are clamped
	class  []int32       // classification; nil for regression
}

// loss returns the loss of outputs z for row i, as GradeInfo defines it.
func (l *labels) loss(z []float32, i int) float64 {
	if l.class != nil {
		return crossEntropy(z, int(l.class[i]))
	}
	sum := 0.0
	for j, y := range l.y.Row(i) {
		d := float64(y) - float64(min(max(z[j], l.lo[j]), l.hi[j]))
		sum += float64(d * d)
	}
	return sum / float64(len(z))
}

// crossEntropy returns log Σ_c exp(z_c − z_class).
func crossEntropy(z []float32, class int) float64 {
	base := float64(z[class])
	sum := 0.0
	for _, v := range z {
		sum += expf64(float64(v) - base)
	}
	if !math.IsInf(sum, 1) {
		return logf64(sum) // the class itself adds 1: no underflow
	}
	top := largest(z)
	sum = 0
	for _, v := range z {
		sum += expf64(float64(v) - top)
	}
	return (top - base) + logf64(sum)
}

func largest(z []float32) float64 {
	top := z[0]
	for _, v := range z {
		if v > top {
			top = v
		}
	}
	return float64(top)
}

// softmaxGradient replaces the logits z by the gradient of scale·crossEntropy(z, class),
// scale·(softmax(z) − 1[class]), and returns the cross-entropy. tmp is as long as z.
func softmaxGradient(z []float32, class int, scale float64, tmp []float64) float64 {
	tmp = tmp[:len(z)]
	loss := 0.0
	base := float64(z[class])
	sum := exponentials(tmp, z, base)
	if math.IsInf(sum, 1) {
		top := largest(z)
		loss = top - base
		sum = exponentials(tmp, z, top)
	}
	f := scale / sum
	for j, e := range tmp {
		z[j] = float32(e * f)
	}
	z[class] = float32((tmp[class] - sum) * f)
	return loss + logf64(sum)
}

// exponentials sets dst to exp(z − base) and returns its sum. Where an element is too
// large it returns +Inf, and dst is not complete.
func exponentials(dst []float64, z []float32, base float64) float64 {
	dst = dst[:len(z)]
	sum := 0.0
	for j, v := range z {
		x := float64(v) - base
		e := 0.0
		if x >= -708 {
			if x > 709 {
				return math.Inf(1)
			}
			e = expRest(expReduce(x))
		} else if x != x {
			e = x
		}
		dst[j] = e
		sum += e
	}
	return sum
}

// wins reports whether the mean of losses a is below that of b by more than z standard
// errors of the paired difference. It is the gate that grades pass to be accepted.
func wins(a, b []float64, z float64) bool {
	n := float64(len(a))
	if n < 2 {
		return false
	}
	gain, squares := 0.0, 0.0
	for i := range a {
		gain += b[i] - a[i]
	}
	gain /= n
	for i := range a {
		d := (b[i] - a[i]) - gain
		squares += float64(d * d)
	}
	return gain > 0 && gain > float64(z*math.Sqrt(squares/(n-1)/n))
}

// sum returns the sum of x in order.
func sum(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}

// mean returns the mean of x, NaN if it is empty.
func mean(x []float64) float64 { return sum(x) / float64(len(x)) }
