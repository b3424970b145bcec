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

// crossEntropy returns log Σ_c exp z_c − z_class.
func crossEntropy(z []float32, class int) float64 {
	top := largest(z)
	sum := 0.0
	for _, v := range z {
		sum += expf64(float64(v) - top)
	}
	return (top - float64(z[class])) + logf64(sum)
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
	top := largest(z)
	loss := top - float64(z[class])
	tmp = tmp[:len(z)]
	sum := 0.0
	for j, v := range z {
		e := 0.0
		if x := float64(v) - top; x >= -708 {
			e = expRest(expReduce(x))
		} else if x != x {
			e = x
		}
		tmp[j] = e
		sum += e
	}
	f := scale / sum
	for j, e := range tmp {
		z[j] = float32(e * f)
	}
	z[class] = float32((tmp[class] - sum) * f)
	return loss + logf64(sum)
}

// wins reports whether the mean of losses a is below that of b by more than z standard
// errors of the paired difference. It is the gate that grades pass to be accepted.
func wins(a, b []float64, z float64) bool {
	n := float64(len(a))
	if n < 2 {
		return false
	}
	sum := 0.0
	for i := range a {
		sum += b[i] - a[i]
	}
	mean := sum / n
	sum = 0
	for i := range a {
		d := (b[i] - a[i]) - mean
		sum += float64(d * d)
	}
	return mean > 0 && mean > float64(z*math.Sqrt(sum/(n-1)/n))
}

// mean returns the mean of x in order, NaN if it is empty.
func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
