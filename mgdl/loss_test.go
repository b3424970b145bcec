package mgdl

import (
	"math"
	"testing"

	"github.com/multigrade/multigrade/kernel"
)

func TestSoftmaxGradient(t *testing.T) {
	s := newStream(2, startWeights, 0, 0)
	for _, n := range []int{2, 3, 10, 1000} {
		for _, spread := range []float64{0, 1, 50, 2000} {
			z := make([]float32, n)
			for i := range z {
				z[i] = float32(spread * s.normal())
			}
			class := s.intn(n)
			top := float64(z[0])
			for _, v := range z {
				top = max(top, float64(v))
			}
			sum := 0.0
			for _, v := range z {
				sum += math.Exp(float64(v) - top)
			}
			want := make([]float64, n)
			for i, v := range z {
				want[i] = 0.25 * math.Exp(float64(v)-top) / sum
			}
			want[class] -= 0.25
			wantLoss := top - float64(z[class]) + math.Log(sum)
			if got := crossEntropy(z, class); math.Abs(got-wantLoss) > 1e-13*(1+wantLoss) {
				t.Errorf("cross-entropy of %d classes is %v, want %v", n, got, wantLoss)
			}
			loss := softmaxGradient(z, class, 0.25, make([]float64, n))
			if math.Abs(loss-wantLoss) > 1e-13*(1+wantLoss) {
				t.Errorf("loss of %d classes is %v, want %v", n, loss, wantLoss)
			}
			for i, v := range z {
				if math.Abs(float64(v)-want[i]) > 1e-7*(math.Abs(want[i])+1e-7) {
					t.Errorf("gradient %d of %d is %v, want %v", i, n, v, want[i])
				}
			}
		}
	}
	nan := float32(math.NaN())
	if v := softmaxGradient([]float32{0, nan, 1}, 0, 1, make([]float64, 3)); v == v {
		t.Errorf("loss of NaN is %v", v)
	}
	if v := crossEntropy([]float32{0, nan, 1}, 0); v == v {
		t.Errorf("cross-entropy of NaN is %v", v)
	}
}

func TestClampedLoss(t *testing.T) {
	y := kernel.NewMatrix(1, 2)
	copy(y.Data, []float32{1, -1})
	l := labels{y: y, lo: []float32{-2, -2}, hi: []float32{2, 2}}
	for _, c := range []struct {
		z    []float32
		want float64
	}{
		{[]float32{1, -1}, 0},
		{[]float32{2, -1}, 0.5},
		{[]float32{9, -9}, 1}, // both clamped to distance 1
		{[]float32{-9, 1}, 6.5},
	} {
		if got := l.loss(c.z, 0); got != c.want {
			t.Errorf("loss of %v is %v, want %v", c.z, got, c.want)
		}
	}
	if v := l.loss([]float32{float32(math.NaN()), 0}, 0); v == v {
		t.Errorf("loss of NaN is %v", v)
	}
}

// The gate asks for z standard errors of the paired difference.
func TestWins(t *testing.T) {
	// Differences 1 and 3: mean 2, deviation √2, standard error 1.
	old := []float64{5, 9}
	for _, c := range []struct {
		now  []float64
		z    float64
		want bool
	}{
		{[]float64{4, 6}, 1.99, true},
		{[]float64{4, 6}, 2, false},
		{[]float64{4, 6}, 0, true},
		{[]float64{5, 9}, 0, false},           // nothing gained
		{[]float64{6, 10}, 0, false},          // lost
		{[]float64{4, 8}, 100, true},          // the same gain everywhere
		{[]float64{math.NaN(), 8}, 0, false},  // not comparable
		{[]float64{math.Inf(1), 1}, 0, false}, // nor this
	} {
		if got := wins(c.now, old, c.z); got != c.want {
			t.Errorf("%v against %v by %v: %v", c.now, old, c.z, got)
		}
	}
	if wins([]float64{0}, []float64{1}, 0) {
		t.Error("one row decides")
	}
}

func TestRateAt(t *testing.T) {
	for _, c := range [][2]float64{{0, 0}, {0.05, 0.5}, {0.1, 1}, {0.55, 0.505}, {1, 0.01}} {
		if got := rateAt(c[0]); math.Abs(got-c[1]) > 1e-12 {
			t.Errorf("rate at %v is %v, want %v", c[0], got, c[1])
		}
	}
}
