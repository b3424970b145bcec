package mgdl

import (
	"math"
	"testing"
)

// Golden numbers: a change of any of them changes every model.
func TestStreamGolden(t *testing.T) {
	s := newStream(1, startWeights, 2, 3)
	if got, want := s.pcg.Uint64(), uint64(0x1686ddee2b54d9d); got != want {
		t.Errorf("word is %#x, want %#x", got, want)
	}
	if got, want := s.intn(1000), 875; got != want {
		t.Errorf("integer is %d, want %d", got, want)
	}
	if got, want := math.Float64bits(s.uniform()), uint64(0x3fddb02b22888f52); got != want {
		t.Errorf("uniform is %#x, want %#x", got, want)
	}
	if got, want := math.Float64bits(s.normal()), uint64(0x3fcd5fefd3b6212a); got != want {
		t.Errorf("normal is %#x, want %#x", got, want)
	}
	if got, want := math.Float64bits(s.normal()), uint64(0xbfcb6cdfc196c2fa); got != want {
		t.Errorf("second normal is %#x, want %#x", got, want)
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := make(map[uint64]string)
	for seed := range uint64(4) {
		for p := range purpose(4) {
			for grade := range 4 {
				for chain := range 8 {
					w := newStream(seed, p, grade, chain).pcg.Uint64()
					if at, ok := seen[w]; ok {
						t.Fatalf("stream %d %d %d %d begins like %s", seed, p, grade, chain, at)
					}
					seen[w] = "another"
				}
			}
		}
	}
}

func TestStreamMoments(t *testing.T) {
	s := newStream(5, shuffleRows, 0, 0)
	const n = 200_000
	var u1, u2, z1, z2, z4 float64
	counts := make([]int, 7)
	for range n {
		u, z := s.uniform(), s.normal()
		u1 += u
		u2 += u * u
		z1 += z
		z2 += z * z
		z4 += z * z * z * z
		counts[s.intn(7)]++
	}
	for _, c := range []struct {
		name              string
		got, want, within float64
	}{
		{"mean of uniform", u1 / n, 0.5, 0.003},
		{"square of uniform", u2 / n, 1.0 / 3, 0.003},
		{"mean of normal", z1 / n, 0, 0.01},
		{"square of normal", z2 / n, 1, 0.015},
		{"fourth power of normal", z4 / n, 3, 0.1},
	} {
		if math.Abs(c.got-c.want) > c.within {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
	for i, c := range counts {
		if math.Abs(float64(c)-n/7.0) > 5*math.Sqrt(n/7.0) {
			t.Errorf("integer %d came %d times of %d", i, c, n)
		}
	}
}

func TestShuffle(t *testing.T) {
	x := make([]int32, 100)
	for i := range x {
		x[i] = int32(i)
	}
	newStream(1, orderRows, 0, 0).shuffle(x)
	runs := make([]int32, 1003)
	for i := range runs {
		runs[i] = int32(i)
	}
	newStream(1, orderRows, 0, 0).shuffleRuns(runs, 10)
	order := make([]int32, 100)
	for i := range order {
		order[i] = int32(i)
	}
	newStream(1, orderRows, 0, 0).shuffle(order)
	for i, v := range runs {
		want := int32(i) // the rest of three
		if i >= 3 {
			want = 3 + 10*order[(i-3)/10] + int32(i-3)%10
		}
		if v != want {
			t.Fatalf("element %d in runs is %d, want %d", i, v, want)
		}
	}
	seen, fixed := make([]bool, len(x)), 0
	for i, v := range x {
		if seen[v] {
			t.Fatalf("%d comes twice", v)
		}
		seen[v] = true
		if int(v) == i {
			fixed++
		}
	}
	if fixed > 10 {
		t.Errorf("%d of %d elements stayed", fixed, len(x))
	}
}
