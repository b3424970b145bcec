package machine

import (
	"math"

	"github.com/multigrade/multigrade/bench/internal/probe"
	"github.com/multigrade/multigrade/internal/backprop"
	"github.com/multigrade/multigrade/kernel"
)

// FMAProbe makes a probe whose operation is one call of the unit's multiply-add loop by
// each of so many workers at once, and returns it with the floating-point operations of
// all. The loop is started from known values and its result counted, so the figure rests
// on arithmetic, not on trust.
func FMAProbe(u Unit, workers int) (*probe.Probe, float64) {
	accs := make([][]float32, workers) // of each worker
	for i := range accs {
		accs[i] = kernel.Floats(u.Chains * u.Lanes)
	}
	acc := accs[0]
	// Calls of 20 µs: long against their overhead, short for the scheduler, and few
	// enough steps for float32 to count them exactly.
	const call, tries, most = 20e-6, 256, 1 << 16
	trial := probe.Probe{Run: func(int) { u.FMA(acc, 1, tries) }}
	t := math.Inf(1)
	for range 5 {
		t = min(t, trial.Seconds(1))
	}
	steps := int(min(max(tries*call/max(t, 1e-9), tries), most))

	clear(acc)
	u.FMA(acc, 1, steps)
	sum := 0.0
	for _, v := range acc {
		sum += float64(v)
	}
	p := &probe.Probe{Team: backprop.NewTeam(workers)}
	calls := 0
	task := func(_, worker int) {
		for range calls {
			clear(accs[worker]) // a thousandth of a call
			u.FMA(accs[worker], 1, steps)
		}
	}
	p.Run = func(n int) {
		calls = n
		p.Team.Do(workers, task)
	}
	return p, 2 * sum * float64(workers)
}

// ClockProbe makes a probe of the dependent chain and returns it with its cycles.
func ClockProbe() (*probe.Probe, float64) {
	const steps = 512
	done := cycles(steps)
	return &probe.Probe{Run: func(n int) {
		for range n {
			cycles(steps)
		}
	}}, float64(done)
}
