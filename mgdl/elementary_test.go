package mgdl

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// relative returns |got/want − 1|, 0 where both are equal.
func relative(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got/want - 1)
}

func TestExpAccuracy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	worst, at := 0.0, 0.0
	for range 200_000 {
		x := (r.Float64() - 0.5) * 2
		switch r.IntN(3) {
		case 0:
			x *= 700
		case 1:
			x *= 20
		}
		if e := relative(expf64(x), math.Exp(x)); e > worst {
			worst, at = e, x
		}
	}
	if worst > 5e-16 {
		t.Errorf("relative error %.3g at %v", worst, at)
	}
	for _, c := range [][2]float64{{0, 1}, {1, math.E}, {709.75, 1.7398368732641605e308}, {709.7827, 1.7976699566638014e308}} {
		if e := relative(expf64(c[0]), c[1]); e > 5e-16 {
			t.Errorf("exp(%v) = %v, want %v", c[0], expf64(c[0]), c[1])
		}
	}
	if v := expf64(math.Inf(-1)); v != 0 {
		t.Errorf("exp(-Inf) = %v", v)
	}
	if v := expf64(-1000); v != 0 {
		t.Errorf("exp(-1000) = %v", v)
	}
	if v := expf64(710); !math.IsInf(v, 1) {
		t.Errorf("exp(710) = %v", v)
	}
	if v := expf64(math.NaN()); v == v {
		t.Errorf("exp(NaN) = %v", v)
	}
}

// The table is 2^(i/64) rounded to float64, found by big square roots.
func TestExpTable(t *testing.T) {
	step := new(big.Float).SetPrec(200).SetInt64(2)
	for range 6 {
		step.Sqrt(step)
	}
	v := new(big.Float).SetPrec(200).SetInt64(1)
	for i, got := range expTable {
		f, _ := v.Float64()
		if want := math.Float64bits(f) - uint64(i)<<46; got != want {
			t.Errorf("element %d is %#x, want %#x", i, got, want)
		}
		v.Mul(v, step)
	}
}

func TestLogAccuracy(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	worst, at := 0.0, 0.0
	for range 100_000 {
		x := r.Float64() * 4
		if r.IntN(2) == 0 {
			x = math.Ldexp(r.Float64()+0.5, r.IntN(2000)-1000)
		}
		if e := relative(logf64(x), math.Log(x)); e > worst {
			worst, at = e, x
		}
	}
	if worst > 1e-15 {
		t.Errorf("relative error %.3g at %v", worst, at)
	}
	if v := logf64(5e-324); relative(v, -744.4400719213812) > 1e-15 { // package math is wrong there on amd64
		t.Errorf("log(5e-324) = %v", v)
	}
	for _, x := range []float64{1, math.MaxFloat64, 0, math.Inf(1), 1 + 0x1p-52, 1 - 0x1p-53} {
		if got, want := logf64(x), math.Log(x); relative(got, want) > 1e-15 {
			t.Errorf("log(%v) = %v, want %v", x, got, want)
		}
	}
	if v := logf64(-1); v == v {
		t.Errorf("log(-1) = %v", v)
	}
}

func TestCospiAccuracy(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		x := (r.Float64() - 0.5) * 4
		if got, want := cospi(x), math.Cos(math.Pi*x); math.Abs(got-want) > 2e-15 {
			t.Fatalf("cos(π·%v) = %v, want %v", x, got, want)
		}
	}
	for x, want := range []float64{1, -1, 1, -1} {
		if got := cospi(float64(x)); got != want {
			t.Errorf("cos(π·%d) = %v", x, got)
		}
		if got := cospi(float64(x) + 0.5); got != 0 {
			t.Errorf("cos(π·%d.5) = %v", x, got)
		}
	}
}

// The bits are the promise: the same on every platform.
func TestElementaryBits(t *testing.T) {
	h := uint64(14695981039346656037)
	add := func(v float64) {
		h = (h ^ math.Float64bits(v)) * 1099511628211
	}
	s := newStream(7, 0, 0, 0)
	for range 20_000 {
		u := s.uniform()
		add(expf64(float64(1400*u) - 700))
		add(expf64(float64(2*u) - 1))
		add(logf64(u + 1e-9))
		add(logf64(float64(1e9 * u)))
		add(cospi(float64(3 * u)))
	}
	if want := uint64(0x1ab64ad19f7ee631); h != want {
		t.Errorf("bits sum to %#x, want %#x", h, want)
	}
}
