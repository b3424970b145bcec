package main

import (
	"cmp"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"time"

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

// A probe is one thing that can be timed: n operations in a row.
type probe struct {
	run   func(n int)
	n     int       // operations in a sample
	warm  int       // untimed operations before a sample, which bring the data near
	ns    []float64 // of one operation, a sample each
	guess float64   // of one operation, from calibration
}

// seconds times n operations.
func (p *probe) seconds(n int) float64 {
	start := time.Now()
	p.run(n)
	return time.Since(start).Seconds()
}

// calibrate chooses n so that a sample fills the window.
func (p *probe) calibrate(window time.Duration) {
	want := window.Seconds()
	n := 1
	t := p.seconds(n)
	if t < want { // the first call paid for cold caches and code
		t = p.seconds(n)
	}
	for t < want/2 && n < 1<<30 {
		n = max(2*n, int(math.Min(float64(n)*want/math.Max(t, 1e-9)*0.9, float64(n)*100)))
		t = p.seconds(n)
	}
	p.guess = t / float64(n)
	p.n = max(1, int(math.Round(want/p.guess)))
}

// sample takes one sample.
func (p *probe) sample() {
	if p.warm > 0 {
		p.run(p.warm)
	}
	p.ns = append(p.ns, p.seconds(p.n)/float64(p.n)*1e9)
}

// atDepth calls f with the stack n levels of about 256 bytes deeper. A function whose
// frame happens to straddle a page can lose a third of its speed (copies of arguments
// that cross the boundary), so every round has its stack elsewhere: no operation is
// unlucky in all of them.
//
//go:noinline
func atDepth(n int, f func()) byte {
	var level [208]byte
	if n == 0 {
		f()
		return 0
	}
	level[n&127] = byte(n)
	return atDepth(n-1, f) + level[n&63]
}

// depth returns that of a round: 16 places in a page, visited in jumps.
func depth(round int) int { return round * 5 % 16 }

// granular returns a window that the system's clock can measure to 2 %.
func granular(window time.Duration) time.Duration {
	least := time.Hour
	for range 10 {
		start := time.Now()
		step := time.Duration(0)
		for step <= 0 {
			step = time.Since(start)
		}
		least = min(least, step)
	}
	return max(window, 50*least)
}

// fmaProbe makes a probe whose operation is one call of the unit's multiply-add loop, and
// returns it with the floating-point operations of a call. The loop is started from
// known values and its result counted, so the figure rests on arithmetic, not on trust.
func fmaProbe(u unit) (*probe, float64) {
	acc := kernel.Floats(u.chains * u.lanes)
	// Calls of 20 µs: long against their overhead, short for the scheduler, and few
	// enough steps for float32 to count them exactly.
	const call, tries, most = 20e-6, 256, 1 << 16
	trial := probe{run: func(int) { u.fma(acc, 1, tries) }}
	t := math.Inf(1)
	for range 5 {
		t = min(t, trial.seconds(1))
	}
	steps := int(min(max(tries*call/max(t, 1e-9), tries), most))

	clear(acc)
	u.fma(acc, 1, steps)
	sum := 0.0
	for _, v := range acc {
		sum += float64(v)
	}
	return &probe{run: func(n int) {
		for range n {
			clear(acc) // a thousandth of a call
			u.fma(acc, 1, steps)
		}
	}}, 2 * sum
}

// clockProbe makes a probe of the dependent chain and returns it with its cycles.
func clockProbe() (*probe, float64) {
	const steps = 512
	done := cycles(steps)
	return &probe{run: func(n int) {
		for range n {
			cycles(steps)
		}
	}}, float64(done)
}

// A result is one line of the table. Rates follow from the fastest round.
type result struct {
	Op     string `json:"op"`
	Shape  string `json:"shape"`
	Kernel string `json:"kernel"`

	NsMin    float64 `json:"ns_min"`
	NsMedian float64 `json:"ns_median"`
	GFLOPS   float64 `json:"gflops,omitempty"`
	GBps     float64 `json:"gbps,omitempty"` // bytes that must move, not bytes that did

	PeakPct       float64 `json:"peak_pct,omitempty"`        // of the best FMA peak in the rounds
	PeakPctMedian float64 `json:"peak_pct_median,omitempty"` // median of the median peak
	Limit         string  `json:"limit"`                     // what bounds it: fma, L1 read, ...
	LimitNs       float64 `json:"limit_ns"`                  // the least time that bound allows
	LimitPct      float64 `json:"limit_pct"`

	Calls int       `json:"calls"` // in a sample
	Ns    []float64 `json:"ns"`    // of every round
}

// A calibration is what the machine could do while the rounds ran.
type calibration struct {
	Unit   string    `json:"unit"`
	GFLOPS []float64 `json:"gflops,omitempty"` // best of each round
	GHz    []float64 `json:"ghz,omitempty"`    // for the clock
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
	probe
	kernel string
	unit   int
	cost   float64 // seconds of one round
}

// calibrationsPerRound is how often in a round the peak is taken: a neighbour that is
// there for half a round must not pass for a slow machine, nor hide.
const calibrationsPerRound = 3

// measure runs all workloads on all kernels, round robin.
func measure(ws []workload, ks []kernel.Kernel, us []unit, lim limits, p plan, note func(string)) outcome {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would be a disturbance of our own
	out := outcome{WindowNs: p.window.Nanoseconds(), Disturbed: []string{}, LeftOut: []string{}}

	tasks, rounds, left := schedule(ws, ks, us, p)
	out.Rounds, out.LeftOut = rounds, append(out.LeftOut, left...)
	if total := float64(rounds) * roundCost(tasks); total > 5 {
		note(fmt.Sprintf("%d rounds will take about %.0f s", rounds, total))
	}

	clock, cyclesPerCall := clockProbe()
	clock.calibrate(p.window / 4)
	peaks := make([]*probe, len(us)) // of the units in use
	flops := make([]float64, len(us))
	for _, t := range tasks {
		if peaks[t.unit] == nil {
			peaks[t.unit], flops[t.unit] = fmaProbe(us[t.unit])
			peaks[t.unit].calibrate(p.window)
		}
	}
	calibrate := func() {
		clock.sample()
		for _, q := range peaks {
			if q != nil {
				q.sample()
			}
		}
	}
	every := (len(tasks) + calibrationsPerRound - 1) / calibrationsPerRound
	for r := range rounds {
		atDepth(depth(r), func() {
			for i, t := range tasks {
				if i%every == 0 {
					calibrate()
				}
				t.sample()
			}
		})
	}

	perRound := func(ns []float64, work float64) []float64 { // best of each round, work/ns
		var best []float64
		for c := range slices.Chunk(ns, max(1, len(ns)/rounds)) {
			best = append(best, round(work/slices.Min(c)))
		}
		return best
	}
	if len(tasks) > 0 {
		out.Calibrations = append(out.Calibrations, calibration{Unit: "clock", GHz: perRound(clock.ns, cyclesPerCall)})
	}
	for i, q := range peaks {
		if q == nil {
			continue
		}
		c := calibration{Unit: us[i].name, GFLOPS: perRound(q.ns, flops[i])}
		out.Calibrations = append(out.Calibrations, c)
		out.Disturbed = append(out.Disturbed, disturbed(c.Unit, c.GFLOPS, lim.unit(us[i].name).GFLOPS)...)
	}
	for _, t := range tasks {
		q := peaks[t.unit]
		out.Results = append(out.Results, t.result(flops[t.unit]/slices.Min(q.ns), flops[t.unit]/median(q.ns), lim))
	}
	return out
}

// schedule makes and calibrates a task of every workload and kernel, neighbours for the
// same workload, and fits them into the budget: first by fewer rounds, then by leaving out
// the most expensive, which are named in left.
func schedule(ws []workload, ks []kernel.Kernel, us []unit, p plan) (tasks []*task, rounds int, left []string) {
	for _, w := range ws {
		for _, k := range ks {
			t := &task{workload: w, kernel: k.Name(), unit: unitOf(us, k.Name())}
			t.run = w.calls(k)
			tasks = append(tasks, t)
		}
	}
	// Small ones first: their rates tell what a large one will cost without running it.
	bySize := slices.SortedStableFunc(slices.Values(tasks), func(a, b *task) int { return cmp.Compare(a.work(), b.work()) })
	rate := map[string]float64{} // slowest seen, in units of work a second, by operation and kernel
	window := p.window.Seconds()
	for _, t := range bySize {
		key := t.op + t.kernel
		if r, ok := rate[key]; ok && t.work()/r > 10*window {
			t.guess, t.n = t.work()/r, 1
		} else {
			t.calibrate(p.window)
			if r := t.work() / t.guess; !ok || r < rate[key] {
				rate[key] = r
			}
		}
		if t.guess < 10*window {
			t.warm = 1 // later, a cold start is lost in the sample
		}
		t.cost = t.guess * float64(t.n+t.warm)
	}

	rounds = max(p.rounds, 1)
	over := func() bool { return float64(rounds)*roundCost(tasks) > p.budget.Seconds() }
	for rounds > leastRounds && over() {
		rounds--
	}
	for len(tasks) > 0 && over() {
		worst := slices.MaxFunc(tasks, func(a, b *task) int { return cmp.Compare(a.cost, b.cost) })
		left = append(left, fmt.Sprintf("%s %s on %s: about %.2g s a call", worst.op, worst.shape, worst.kernel, worst.guess))
		tasks = slices.DeleteFunc(tasks, func(t *task) bool { return t == worst })
	}
	return tasks, rounds, left
}

func roundCost(tasks []*task) float64 {
	sum := 0.0
	for _, t := range tasks {
		sum += t.cost
	}
	return sum
}

// result sums the samples up against the peaks of the task's unit in GFLOP/s.
func (t *task) result(peakBest, peakMedian float64, lim limits) result {
	r := result{
		Op: t.op, Shape: t.shape, Kernel: t.kernel,
		NsMin: slices.Min(t.ns), NsMedian: median(t.ns), Calls: t.n, Ns: t.ns,
	}
	if t.double {
		peakBest, peakMedian = peakBest/2, peakMedian/2 // half the values in a register
	}
	r.Limit, r.LimitNs = t.limit(peakBest, lim.unit(t.kernel), lim.Caches)
	if t.flops > 0 {
		r.GFLOPS = round(t.flops / r.NsMin)
		r.PeakPct = round(100 * t.flops / r.NsMin / peakBest)
		r.PeakPctMedian = round(100 * t.flops / r.NsMedian / peakMedian)
	}
	if t.flops == 0 || t.double {
		r.GBps = round((t.reads + t.writes) / r.NsMin)
	}
	r.LimitPct = round(100 * r.LimitNs / r.NsMin)
	r.NsMin, r.NsMedian, r.LimitNs = round(r.NsMin), round(r.NsMedian), round(r.LimitNs)
	for i, v := range r.Ns {
		r.Ns[i] = round(v)
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
		if a, b := median(peaks[:half]), median(peaks[half:]); b < a*(1-mayFall) {
			reasons = append(reasons, fmt.Sprintf("the %s peak fell from %.4g to %.4g GFLOP/s during the rounds", unit, a, b))
		}
	}
	if hi < best*(1-mayMove) {
		reasons = append(reasons, fmt.Sprintf("the %s peak had been %.4g GFLOP/s and was at most %.4g in the rounds", unit, best, hi))
	}
	return reasons
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// round keeps four digits: more would be noise.
func round(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	p := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(x))))
	return math.Round(x*p) / p
}
