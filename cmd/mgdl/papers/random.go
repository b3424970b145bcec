package papers

// A twister is the generator MT19937 in the form numpy's RandomState gives it, of which the
// published cases draw their phases and their validation and test points.
type twister struct {
	state [624]uint32
	at    int
}

func newTwister(seed uint32) *twister {
	t := &twister{at: len(twister{}.state)}
	t.state[0] = seed
	for i := 1; i < len(t.state); i++ {
		prev := t.state[i-1]
		t.state[i] = 1812433253*(prev^prev>>30) + uint32(i)
	}
	return t
}

func (t *twister) next() uint32 {
	n := len(t.state)
	if t.at == n {
		for i := range n {
			y := t.state[i]&(1<<31) | t.state[(i+1)%n]&(1<<31-1)
			t.state[i] = t.state[(i+397)%n] ^ y>>1 ^ y&1*0x9908b0df
		}
		t.at = 0
	}
	y := t.state[t.at]
	t.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// uniform returns a multiple of 2^-53 in [0, 1).
func (t *twister) uniform() float64 {
	a, b := t.next()>>5, t.next()>>6
	return float64(float64(a)*(1<<26)+float64(b)) / (1 << 53)
}

// uniforms returns the first n numbers of a seed.
func uniforms(seed uint32, n int) []float64 {
	t := newTwister(seed)
	x := make([]float64, n)
	for i := range x {
		x[i] = t.uniform()
	}
	return x
}
