package mgdl

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// A purpose keeps the random streams of one training apart.
type purpose uint64

const (
	shuffleRows  purpose = iota + 1 // which rows chains hold out
	startWeights                    // of one network
	orderRows                       // in the batches of one network
)

// A stream is a sequence of random numbers whose bits are fixed by its seed: the PCG-DXSM
// generator, whose outputs package rand keeps stable, and what is derived from them here.
type stream struct {
	pcg   rand.PCG
	spare float64 // second of a pair of normal numbers
	ready bool    // spare holds one
}

// newStream returns the stream of a seed for one purpose in one chain's part of a grade.
func newStream(seed uint64, p purpose, grade, chain int) *stream {
	s := new(stream)
	k := mix(mix(mix(seed)+uint64(p)) + uint64(grade))
	s.pcg.Seed(mix(k+uint64(chain)), mix(k^mix(uint64(chain)+1)))
	return s
}

// mix is a bijection in which every bit of x reaches every bit of the result (the
// finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// intn returns an integer with equal probabilities in [0, n), n > 0: the high word of a
// random word times n, without the low words that would favour some results.
func (s *stream) intn(n int) int {
	m := uint64(n)
	hi, lo := bits.Mul64(s.pcg.Uint64(), m)
	if lo < m {
		for reject := -m % m; lo < reject; {
			hi, lo = bits.Mul64(s.pcg.Uint64(), m)
		}
	}
	return int(hi)
}

// uniform returns a multiple of 2^-53 in [0, 1).
func (s *stream) uniform() float64 {
	return float64(s.pcg.Uint64()>>11) * 0x1p-53
}

// normal returns a number of mean 0 and deviation 1, by the polar method: a point (a, b)
// in the unit disc, q = a²+b², gives the pair a·√(−2 log q/q), b·√(−2 log q/q).
func (s *stream) normal() float64 {
	if s.ready {
		s.ready = false
		return s.spare
	}
	for {
		a, b := float64(2*s.uniform())-1, float64(2*s.uniform())-1
		q := float64(a*a) + float64(b*b)
		if q >= 1 || q == 0 {
			continue
		}
		f := math.Sqrt(float64(-2*logf64(q)) / q)
		s.spare, s.ready = float64(b*f), true
		return float64(a * f)
	}
}

// shuffle puts the elements of x in random order, each order with equal probability.
func (s *stream) shuffle(x []int32) { s.shuffleRuns(x, 1) }

// shuffleRuns puts runs of n neighbours in x in random order, each order with equal
// probability; a rest of fewer than n stays at the front.
func (s *stream) shuffleRuns(x []int32, n int) {
	x = x[len(x)%n:]
	for i := len(x)/n - 1; i > 0; i-- {
		if j := s.intn(i + 1); j < i {
			a, b := x[i*n:(i+1)*n], x[j*n:(j+1)*n]
			for k, v := range a {
				a[k], b[k] = b[k], v
			}
		}
	}
}
