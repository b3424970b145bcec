package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/probe"
	"github.com/multigrade/multigrade/kernel"
)

// A plan says how long to look. Minima and medians over interleaved rounds are the only
// figures that survive a shared machine, so rounds come before anything else.
type plan struct {
	window time.Duration // of one sample
	rounds int
	budget time.Duration // for all rounds together
}

// leastRounds is the number of rounds below which a median says little.
const leastRounds = 7

var (
	usual = plan{window: time.Millisecond, rounds: 15, budget: 40 * time.Second}
	quick = plan{window: 200 * time.Microsecond, rounds: leastRounds, budget: 2 * time.Second}
)

// A result is one line of the table. Rates follow from the fastest round.
type result struct {
	Section string `json:"section"`
	Op      string `json:"op"`
	Shape   string `json:"shape"`
	Kernel  string `json:"kernel"`

	// Of one call: floating-point operations, bytes that must move (not bytes that did),
	// samples a network is run on or learns from.
	Flops   float64 `json:"flops,omitempty"`
	Bytes   float64 `json:"bytes,omitempty"`
	Samples int     `json:"samples,omitempty"`

	NsMin      float64 `json:"ns_min"`
	NsMedian   float64 `json:"ns_median"`
	GFLOPS     float64 `json:"gflops,omitempty"`
	GBps       float64 `json:"gbps,omitempty"`
	SamplesPer float64 `json:"samples_per_s,omitempty"`

	// Of the FMA peak of as many workers in samples about as long, in the same rounds: the
	// best of the best, the median of the median.
	PeakPct       float64 `json:"peak_pct,omitempty"`
	PeakPctMedian float64 `json:"peak_pct_median,omitempty"`
	Limit         string  `json:"limit"`    // what bounds it: fma, L1 read, ...
	LimitNs       float64 `json:"limit_ns"` // the least time that bound allows
	LimitPct      float64 `json:"limit_pct"`

	Calls int       `json:"calls"` // in a sample
	Ns    []float64 `json:"ns"`    // of every round
}

// A calibration is what the machine could do while the rounds ran.
type calibration struct {
	Unit     string    `json:"unit"`
	Workers  int       `json:"workers,omitempty"`
	WindowNs int64     `json:"window_ns,omitempty"`
	GFLOPS   []float64 `json:"gflops,omitempty"` // best of each round
	GHz      []float64 `json:"ghz,omitempty"`    // for the clock
}

// name tells calibrations of a run apart.
func (c calibration) name() string {
	s := c.Unit
	if c.Workers > 1 {
		s += fmt.Sprintf(" of %d workers", c.Workers)
	}
	return fmt.Sprintf("%s for %.3g ms", s, float64(c.WindowNs)/1e6)
}

// outcome is everything a run has found.
type outcome struct {
	Rounds       int           `json:"rounds"`
	WindowNs     int64         `json:"window_ns"`
	Calibrations []calibration `json:"calibrations"`
	Disturbed    []string      `json:"disturbed"` // reasons; none means calm
	Results      []result      `json:"results"`
	LeftOut      []string      `json:"left_out"` // workloads that did not fit the budget
}

// A task is a workload on one implementation.
type task struct {
	workload
	probe.Probe
	kernel kernel.Kernel
	unit   int
	cost   float64 // seconds of one round
}

// A yardstick is the peak that a task is held against. A core may lower its clock, or be
// taken away, when it is busy for longer; so the peak is taken over samples about as long
// as the task's: the window of the plan, or 4, 16 or 64 times it. Longer ones are alike.
type yardstick struct {
	unit, workers int
	window        time.Duration
}

func (t *task) yardstick(window time.Duration) yardstick {
	length := t.Guess * float64(t.N)
	y := yardstick{t.unit, t.workload.team.Size(), window}
	for y.window < 64*window && length > 2*y.window.Seconds() {
		y.window *= 4
	}
	return y
}

// A gauge takes a yardstick's samples.
type gauge struct {
	*probe.Probe
	yardstick
	flops float64
}

// calibrationsPerRound is how often in a round the peak is taken: a neighbour that is
// there for half a round must not pass for a slow machine, nor hide. Peaks over longer
// samples are taken before the first and the last task that are held against them.
const (
	calibrationsPerRound = 3
	longPerRound         = 2
)

// measure runs all workloads on all kernels, round robin.
func measure(ws []workload, ks []kernel.Kernel, us []machine.Unit, lim machine.Limits, p plan, note func(string)) outcome {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would be a disturbance of our own
	out := outcome{WindowNs: p.window.Nanoseconds(), Disturbed: []string{}, LeftOut: []string{}}

	tasks, rounds, left := schedule(ws, ks, us, p)
	out.Rounds, out.LeftOut = rounds, append(out.LeftOut, left...)
	if total := float64(rounds) * roundCost(tasks, p.window); total > 5 {
		note(fmt.Sprintf("%d rounds will take about %.0f s", rounds, total))
	}

	clock, cyclesPerCall := machine.ClockProbe()
	clock.Calibrate(p.window / 4)
	var gauges []*gauge
	gaugeOf := make([]*gauge, len(tasks))
	before := make([][]*gauge, len(tasks)) // what is sampled before a task
	every := max(1, (len(tasks)+calibrationsPerRound-1)/calibrationsPerRound)
	for i, t := range tasks {
		y := t.yardstick(p.window)
		at := slices.IndexFunc(gauges, func(g *gauge) bool { return g.yardstick == y })
		if at < 0 {
			at = len(gauges)
			q, flops := machine.FMAProbe(us[y.unit], y.workers)
			q.Calibrate(y.window)
			q.Warm = 1
			gauges = append(gauges, &gauge{q, y, flops})
		}
		gaugeOf[i] = gauges[at]
	}
	for _, g := range gauges {
		if g.window > p.window {
			first := slices.Index(gaugeOf, g)
			last := len(tasks) - 1
			for gaugeOf[last] != g {
				last--
			}
			before[first] = append(before[first], g)
			before[last] = append(before[last], g) // the first again if it is the only one
		}
	}
	for i := 0; i < len(tasks); i += every {
		for _, g := range gauges {
			if g.window == p.window {
				before[i] = append(before[i], g)
			}
		}
	}
	for r := range rounds {
		probe.AtDepth(probe.Depth(r), func() {
			for i, t := range tasks {
				if i%every == 0 {
					clock.Sample()
				}
				for _, g := range before[i] {
					g.Sample()
				}
				t.Sample()
			}
		})
	}

	perRound := func(ns []float64, work float64) []float64 { // best of each round, work/ns
		var best []float64
		for c := range slices.Chunk(ns, max(1, len(ns)/rounds)) {
			best = append(best, probe.Round(work/slices.Min(c)))
		}
		return best
	}
	if len(tasks) > 0 {
		out.Calibrations = append(out.Calibrations, calibration{Unit: "clock", GHz: perRound(clock.Ns, cyclesPerCall)})
	}
	for _, g := range gauges {
		c := calibration{
			Unit: us[g.unit].Name, Workers: g.workers, WindowNs: g.window.Nanoseconds(), GFLOPS: perRound(g.Ns, g.flops),
		}
		out.Calibrations = append(out.Calibrations, c)
		best := 0.0 // unknown
		if g.workers == 1 && g.window == p.window {
			best = lim.Unit(c.Unit).GFLOPS
		}
		out.Disturbed = append(out.Disturbed, disturbed(c.name(), c.GFLOPS, best)...)
	}
	for i, t := range tasks {
		g := gaugeOf[i]
		out.Results = append(out.Results, t.result(g.flops/slices.Min(g.Ns), g.flops/probe.Median(g.Ns), lim))
	}
	out.Disturbed = append(out.Disturbed, impossible(out.Results)...)
	return out
}

// schedule makes and calibrates a task of every workload and kernel, neighbours for the
// same workload, and fits them into the budget: first by fewer rounds, then by leaving out
// the most expensive, which are named in left.
func schedule(ws []workload, ks []kernel.Kernel, us []machine.Unit, p plan) (tasks []*task, rounds int, left []string) {
	for _, w := range ws {
		for _, k := range ks {
			tasks = append(tasks, &task{workload: w, Probe: probe.Probe{Team: w.team}, kernel: k, unit: machine.UnitOf(us, k.Name())})
		}
	}
	// Small ones first: their rates tell what a large one will cost without running it.
	bySize := slices.SortedStableFunc(slices.Values(tasks), func(a, b *task) int { return cmp.Compare(a.work(), b.work()) })
	type class struct {
		op, kernel string
		workers    int
	}
	rate := map[class]float64{} // of the largest seen, in units of work a second
	window := p.window.Seconds()
	for _, t := range bySize {
		c := class{t.op, t.kernel.Name(), t.workload.team.Size()}
		if r, ok := rate[c]; ok && t.work()/r > 10*window {
			t.Guess, t.N = t.work()/r, 1
		} else {
			t.Run = t.calls(t.kernel)
			t.Calibrate(p.window)
			rate[c] = t.work() / t.Guess
		}
		t.price(window)
	}

	rounds = max(p.rounds, 1)
	over := func() bool { return float64(rounds)*roundCost(tasks, p.window) > p.budget.Seconds() }
	for rounds > leastRounds && over() {
		rounds--
	}
	for len(tasks) > 0 && over() {
		worst := slices.MaxFunc(tasks, func(a, b *task) int { return cmp.Compare(a.cost, b.cost) })
		left = append(left, fmt.Sprintf("%s %s on %s: about %.2g s a call", worst.op, worst.shape, worst.kernel.Name(), worst.Guess))
		tasks = slices.DeleteFunc(tasks, func(t *task) bool { return t == worst })
	}
	for _, t := range tasks {
		if t.Run == nil { // cost only estimated
			t.Run = t.calls(t.kernel)
			t.Calibrate(p.window)
			t.price(window)
		}
	}
	return tasks, rounds, left
}

// price sets what a round of a calibrated task costs.
func (t *task) price(window float64) {
	t.Warm = 0
	if t.Guess < 10*window {
		t.Warm = 1 // later, a cold start is lost in the sample
	}
	t.cost = t.Guess * float64(t.N+t.Warm)
	if t.workload.team != nil {
		t.cost += probe.Settle.Seconds()
	}
}

// roundCost returns the seconds that one round takes, yardsticks included.
func roundCost(tasks []*task, window time.Duration) float64 {
	sum := 0.0
	seen := map[yardstick]bool{}
	for _, t := range tasks {
		sum += t.cost
		if y := t.yardstick(window); !seen[y] {
			seen[y] = true
			if y.window == window {
				sum += calibrationsPerRound * window.Seconds()
			} else {
				sum += longPerRound * y.window.Seconds()
			}
		}
	}
	return sum
}

// result sums the samples up against the peaks of the task's unit in GFLOP/s.
func (t *task) result(peakBest, peakMedian float64, lim machine.Limits) result {
	r := result{
		Section: t.section, Op: t.op, Shape: t.shape, Kernel: t.kernel.Name(),
		Flops: t.Flops, Bytes: t.Reads + t.Writes, Samples: t.rows,
		NsMin: slices.Min(t.Ns), NsMedian: probe.Median(t.Ns), Calls: t.N, Ns: t.Ns,
	}
	if t.double {
		peakBest, peakMedian = peakBest/2, peakMedian/2 // half the values in a register
	}
	r.Limit, r.LimitNs = lim.Floor(t.Work, peakBest, r.Kernel)
	if t.Flops > 0 {
		r.GFLOPS = probe.Round(t.Flops / r.NsMin)
		r.PeakPct = probe.Round(100 * t.Flops / r.NsMin / peakBest)
		r.PeakPctMedian = probe.Round(100 * t.Flops / r.NsMedian / peakMedian)
	}
	if t.Flops == 0 || t.double {
		r.GBps = probe.Round((t.Reads + t.Writes) / r.NsMin)
	}
	if t.rows > 0 {
		r.SamplesPer = probe.Round(float64(t.rows) / r.NsMin * 1e9)
	}
	r.LimitPct = probe.Round(100 * r.LimitNs / r.NsMin)
	r.NsMin, r.NsMedian, r.LimitNs = probe.Round(r.NsMin), probe.Round(r.NsMedian), probe.Round(r.LimitNs)
	for i, v := range r.Ns {
		r.Ns[i] = probe.Round(v)
	}
	return r
}

// How far the peak may move before figures of different rounds, or runs, say nothing
// about each other; and how much lower the second half of the rounds may be.
const (
	mayMove = 0.07
	mayFall = 0.03
)

// disturbed names the reasons not to trust rounds in which the peak of a unit was as
// given, best of each round, and best was measured before them.
func disturbed(unit string, peaks []float64, best float64) (reasons []string) {
	if len(peaks) == 0 {
		return nil
	}
	lo, hi := slices.Min(peaks), slices.Max(peaks)
	if move := (hi - lo) / hi; move > mayMove {
		reasons = append(reasons, fmt.Sprintf("the %s peak moved by %.0f %% between rounds (%.4g to %.4g GFLOP/s)", unit, 100*move, lo, hi))
	}
	if half := len(peaks) / 2; half > 0 {
		if a, b := probe.Median(peaks[:half]), probe.Median(peaks[half:]); b < a*(1-mayFall) {
			reasons = append(reasons, fmt.Sprintf("the %s peak fell from %.4g to %.4g GFLOP/s during the rounds", unit, a, b))
		}
	}
	if hi < best*(1-mayMove) {
		reasons = append(reasons, fmt.Sprintf("the %s peak had been %.4g GFLOP/s and was at most %.4g in the rounds", unit, best, hi))
	}
	return reasons
}

// impossible names results above the peak they are held against: what disturbed that may
// have been too short to show otherwise.
func impossible(rs []result) (reasons []string) {
	for _, r := range rs {
		if best := 100 * (1 + mayFall); max(r.PeakPct, r.PeakPctMedian) > best {
			reasons = append(reasons, fmt.Sprintf("%s %s on %s was above the peak of the rounds, at %.1f (%.1f) %% of it", r.Op, r.Shape, r.Kernel, r.PeakPct, r.PeakPctMedian))
		}
	}
	if n := len(reasons); n > 1 {
		reasons = []string{fmt.Sprintf("%s, and %d more were above it", reasons[0], n-1)}
	}
	return reasons
}
