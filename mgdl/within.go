package mgdl

import (
	"time"

	"github.com/multigrade/multigrade/kernel"
)

// clockWork is the number of multiply-adds that take about a microsecond for one row,
// beside which a look at the clock (about 50 ns) is cheap: on vector units and in
// portable Go, where each is a correctly rounded emulation. Measured with
// go test -run - -bench Predict ./mgdl, with and without MGDL_KERNEL=generic.
func clockWork(k kernel.Kernel) int {
	if k.Name() == "generic" {
		return 1 << 8
	}
	return 1 << 15
}

// PredictWithin is Predict for one row with as many grades as fit in budget; it returns
// how many were used. The first grade always runs. Before a further one the clock is
// looked at, and that grade left out if the budget does not hold the time it is known to
// take; where grades take less than about a microsecond together, they run without a
// look. The budget bounds the work done here, not the pauses of scheduler and collector.
//
// It panics unless x is one row, and allocates nothing if dst has room.
func (p *Predictor) PredictWithin(dst, x []float64, budget time.Duration) ([]float64, int) {
	if len(x) != len(p.encoder.columns) {
		panic("mgdl: PredictWithin takes one row")
	}
	start := time.Now()
	p.encoder.encode(p.z, x)
	copy(p.acc, p.m.prior)
	g := 0
	for ; g < len(p.steps); g++ {
		if g > 0 && budget <= 0 {
			break
		}
		if s := p.segments[g]; s > 0 && time.Since(start)+s > budget {
			break
		}
		p.runGrade(g)
		p.accumulate(g, 0)
	}
	return p.appendOutputs(dst), g
}

// runGrade sets the sum of grade g for the encoded row. Grades are the outer loop: the
// features of every chain are kept in p.chains meanwhile.
func (p *Predictor) runGrade(g int) {
	s := &p.steps[g]
	if s.linear {
		p.run(s, 0, 1)
		return
	}
	features := p.z.Data[p.m.inputs:p.z.Cols]
	for e := range s.networks {
		chain := p.chains.Row(e)
		copy(features, chain[:s.takes])
		p.run(s, e, 1)
		if s.feeds {
			copy(chain, features[:s.features])
		}
	}
}

// measureSegments decides before which grades to look at the clock, and measures how
// long the grades take from there to the next look: the least of a few runs.
func (p *Predictor) measureSegments() {
	chains := 1
	for g := range p.steps {
		chains = max(chains, len(p.steps[g].networks))
	}
	p.chains = kernel.NewMatrix(chains, p.z.Cols-p.m.inputs)
	p.segments = make([]time.Duration, len(p.steps))
	segment := make([]int, len(p.steps)) // of a grade: the look that begins it
	work, looks := 0, false
	for g := range p.steps {
		macs := p.m.grades[g].info.MACs
		work += macs
		if g > 0 {
			segment[g] = segment[g-1]
			if work >= clockWork(p.k) {
				segment[g], work, looks = g, macs, true
			}
		}
	}
	if !looks {
		return
	}
	costs := make([]time.Duration, len(p.steps))
	begin := time.Now()
	for pass := range 8 {
		for g := range p.steps {
			start := time.Now()
			p.runGrade(g)
			if d := time.Since(start); pass == 0 || d < costs[g] {
				costs[g] = d
			}
		}
		if pass > 1 && time.Since(begin) > time.Millisecond {
			break
		}
	}
	for g, look := range segment {
		if look > 0 {
			p.segments[look] += max(costs[g], 1) // 1: a coarse clock must not hide the look
		}
	}
}
