package papers

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// The numbers are those that numpy's RandomState gives, as the papers' code used it.
func TestTwister(t *testing.T) {
	for seed, want := range map[uint32][]float64{
		0: {0.5488135039273248, 0.7151893663724195, 0.6027633760716439, 0.5448831829968969},
		1: {0.417022004702574, 0.7203244934421581, 0.00011437481734488664, 0.30233257263183977},
	} {
		require.Equal(t, want, uniforms(seed, 4))
	}
	phases := uniforms(0, 40)
	require.InDelta(t, 3.448296944257913, 2*math.Pi*phases[0], 1e-14)
	require.InDelta(t, 4.284003285463798, 2*math.Pi*phases[39], 1e-14)
	long := uniforms(0, 2000) // beyond the first 624 words
	require.Equal(t, 0.5017731306999452, long[1999])
}

// Values of the targets, as the formulas of the papers give them.
func TestCases(t *testing.T) {
	rows := map[string][3]int{"s1": {6000, 2000, 2000}, "s2": {6000, 2000, 2000}, "s2short": {6000, 2000, 2000}, "s3": {6000, 2000, 2000},
		"m1q0": {12000, 4000, 4000}, "xu1": {5000, 1000, 1000}, "t1": {1024, 1024, 10000}}
	first := map[string]float64{"s1": 0.5423712593357397, "s2": -0.027467576282029338, "s3": 0.5432579518542768, "m1q0": -0.2244152985767096, "xu1": 0.020002666693199687, "t1": -0.04763428269332903}
	for _, c := range Cases() {
		s := c.Load()
		require.Equal(t, rows[c.Name], [3]int{s.Train.Rows, s.Val.Rows, s.Test.Rows}, c.Name)
		if want, ok := first[c.Name]; ok {
			require.InDelta(t, want, s.Train.Y[1]-s.Train.Y[0], 1e-9, c.Name)
		}
		for _, p := range append(c.Plan, c.Single...) {
			require.Positive(t, p.Epochs, c.Name)
		}
	}
	m1, _ := Find("m1q0")
	x := m1.Load().Train.X
	require.InDelta(t, 0, x[2*3000], 1e-12) // a quarter of the circle
	require.InDelta(t, 1, x[2*3000+1], 1e-12)
	_, ok := Find("s4")
	require.False(t, ok)
}

// The fast plan depends on sizes alone.
func TestFast(t *testing.T) {
	s2, _ := Find("s2")
	xu1, _ := Find("xu1")
	p := Fast(s2.Plan, 6000, 1)
	require.Len(t, p, 4)
	require.Equal(t, mgdl.StartRamps, p[0].Start)
	require.Equal(t, []int{167, 200, 200, 200}, []int{p[0].Epochs, p[1].Epochs, p[2].Epochs, p[3].Epochs})
	require.Equal(t, 256, p[1].Batch)
	require.Equal(t, 32, Fast(s2.Plan, 1000, 1)[0].Batch)
	for _, p := range [][]mgdl.GradePlan{Fast(xu1.Plan, 5000, 1), Fast(s2.Plan, 6000, 2)} {
		require.Len(t, p, 1)
		require.Equal(t, mgdl.StartWaves, p[0].Start)
	}
	require.Equal(t, []int{256}, Fast(xu1.Plan, 5000, 1)[0].Hidden)
	require.Len(t, s2.Single[0].Hidden, 8)
}
