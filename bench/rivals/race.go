//go:build !riscv64

package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/probe"
)

// A camp is what an entry is compared as.
type camp int

const (
	ours camp = iota
	inC
	inGo
)

// An entry is one rival, or ourselves, in one contest.
type entry struct {
	name string
	camp camp
	ns   []float64 // of a call, one for each round

	probe *probe.Probe // in this process
	there *process     // or in another one, as the problem of this number
	id    int
}

// A race is a contest with all who take part in it, ourselves first, and with the peak of
// the machine while it went on.
type race struct {
	contest
	entries []entry
	peak    *probe.Probe
	flops   float64 // of a call of peak
}

// settle is how long calls go on in this process after another one has run. A Go program
// that has slept has its monitor thread look in every 20 µs at first; where there is one
// core, as under taskset, that costs up to a quarter of the next ten milliseconds.
const settle = 15 * time.Millisecond

// enter checks a contest and makes a race of it. A rival to whom the problem is unknown does
// not take part.
func enter(c contest, others []*process, u machine.Unit, window time.Duration) (*race, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	r := &race{contest: c}
	r.peak, r.flops = machine.FMAProbe(u, 1)
	r.peak.Calibrate(window)
	for i, call := range c.calls {
		if call == nil {
			continue
		}
		e := entry{name: players[i], camp: inGo, probe: &probe.Probe{Warm: 1, Run: func(n int) {
			for range n {
				call()
			}
		}}}
		if i == 0 {
			e.camp = ours
		}
		e.probe.Calibrate(window)
		r.entries = append(r.entries, e)
	}
	for _, p := range others {
		for _, name := range p.rivals {
			id, err := p.open(name, c.problem)
			switch {
			case errors.Is(err, errUnsupported):
			case err != nil:
				return nil, fmt.Errorf("%s: %w", name, err)
			default:
				r.entries = append(r.entries, entry{name: name, camp: inC, there: p, id: id})
			}
		}
	}
	return r, nil
}

// round takes a sample of everybody, beginning with another one in every round.
func (r *race) round(number int, window time.Duration) error {
	r.peak.Sample()
	slept := true // while others ran in the last race
	for i := range r.entries {
		e := &r.entries[(i+number)%len(r.entries)]
		if e.there != nil {
			ns, err := e.there.run(e.id, window)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			e.ns = append(e.ns, ns)
			slept = true
			continue
		}
		for begin := time.Now(); slept && time.Since(begin) < settle; {
			e.probe.Run(e.probe.N)
		}
		slept = false
		e.probe.Sample()
		e.ns = e.probe.Ns
	}
	return nil
}

// run runs all races, interleaved, and tells after the first round how long it will take.
func run(rs []*race, rounds int, window time.Duration, note func(string)) error {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	begin := time.Now()
	for n := range rounds {
		if left := time.Since(begin) * time.Duration(rounds-1); n == 1 && left > 5*time.Second {
			note(fmt.Sprintf("%d more rounds will take about %.0f s", rounds-1, left.Seconds()))
		}
		runtime.GC() // here, and not in the middle of a sample
		var err error
		probe.AtDepth(probe.Depth(n), func() {
			for _, r := range rs {
				if err = r.round(n, window); err != nil {
					return
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// best returns the entry of a camp that is first by what f says of its times, or nil.
func (r *race) best(c camp, f func([]float64) float64) *entry {
	var best *entry
	for i := range r.entries {
		if e := &r.entries[i]; e.camp == c && (best == nil || f(e.ns) < f(best.ns)) {
			best = e
		}
	}
	return best
}

func fastest(ns []float64) float64 { return slices.Min(ns) }
