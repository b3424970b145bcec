// Package probe times operations.
package probe

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/multigrade/multigrade/internal/backprop"
)

// A Probe is one thing that can be timed: n operations in a row.
type Probe struct {
	Run   func(n int)
	N     int       // operations in a sample
	Warm  int       // untimed operations before a sample, which bring the data near
	Ns    []float64 // of one operation, a sample each
	Guess float64   // seconds of one operation, from calibration

	Team *backprop.Team // works on the operations; it runs while something is timed
}

// Seconds times n operations.
func (p *Probe) Seconds(n int) float64 {
	start := time.Now()
	p.Run(n)
	return time.Since(start).Seconds()
}

// Settle is how long a team is awake before it is measured: systems start a thread where
// there is room for one, and find it a core of its own later.
const Settle = 3 * time.Millisecond

// Start starts the team and returns when all of it has settled.
func (p *Probe) Start() {
	if p.Team == nil {
		return
	}
	p.Team.Start()
	begin := time.Now()
	var here atomic.Int32
	p.Team.Do(p.Team.Size(), func(int, int) {
		for here.Add(1); int(here.Load()) < p.Team.Size() || time.Since(begin) < Settle; {
		}
	})
}

// Calibrate chooses n so that a sample fills the window.
func (p *Probe) Calibrate(window time.Duration) {
	p.Start()
	defer p.Team.Stop()
	want := window.Seconds()
	n := 1
	t := p.Seconds(n)
	if t < 100*want { // the first call paid for cold caches, code and pages
		t = p.Seconds(n)
	}
	for t < want/2 && n < 1<<30 {
		n = max(2*n, int(math.Min(float64(n)*want/math.Max(t, 1e-9)*0.9, float64(n)*100)))
		t = p.Seconds(n)
	}
	p.Guess = t / float64(n)
	p.N = max(1, int(math.Round(want/p.Guess)))
}

// Sample takes one sample.
func (p *Probe) Sample() {
	p.Start()
	defer p.Team.Stop()
	if p.Warm > 0 {
		p.Run(p.Warm)
	}
	p.Ns = append(p.Ns, p.Seconds(p.N)/float64(p.N)*1e9)
}

// AtDepth calls f with the stack n levels of about 256 bytes deeper. A function whose
// frame happens to straddle a page can lose a third of its speed (copies of arguments
// that cross the boundary), so every round has its stack elsewhere: no operation is
// unlucky in all of them.
//
//go:noinline
func AtDepth(n int, f func()) byte {
	var level [208]byte
	if n == 0 {
		f()
		return 0
	}
	level[n&127] = byte(n)
	return AtDepth(n-1, f) + level[n&63]
}

// Depth returns that of a round: 16 places in a page, visited in jumps.
func Depth(round int) int { return round * 5 % 16 }

// Granular returns a window that the system's clock can measure to 2 %.
func Granular(window time.Duration) time.Duration {
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

// Median returns the middle of x, which has a value at least.
func Median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// Round keeps four digits: more would be noise.
func Round(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	// Powers of ten above one are exact, below they are not.
	e := math.Floor(math.Log10(math.Abs(x))) - 3
	if e > 0 {
		q := math.Pow(10, e)
		return math.Round(x/q) * q
	}
	p := math.Pow(10, -e)
	return math.Round(x*p) / p
}
