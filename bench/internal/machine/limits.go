package machine

import (
	"slices"
	"time"

	"github.com/multigrade/multigrade/bench/internal/probe"
	"github.com/multigrade/multigrade/bench/internal/shapes"
	"github.com/multigrade/multigrade/kernel"
)

// Limits is what the machine can do on one core, measured.
type Limits struct {
	GHz    float64      `json:"ghz"`
	Units  []UnitLimits `json:"units"`
	Caches []Cache      `json:"-"`
}

// UnitLimits is what one core can do through one unit.
type UnitLimits struct {
	Unit   string      `json:"unit"`
	Lanes  int         `json:"lanes"`
	GFLOPS float64     `json:"gflops"`
	Groots float64     `json:"groots"` // square roots, each with a division, in 10⁹ a second
	Levels []Bandwidth `json:"levels"`
}

// Bandwidth is that of a buffer that fits a level and not the one below.
type Bandwidth struct {
	Level     string  `json:"level"`
	Bytes     int     `json:"bytes"`
	ReadGBps  float64 `json:"read_gbps"`
	WriteGBps float64 `json:"write_gbps"`
}

// Unit returns the limits a kernel implementation is held against: those of its name, or
// of plain Go.
func (l Limits) Unit(kernel string) UnitLimits {
	for _, u := range l.Units {
		if u.Unit == kernel {
			return u
		}
	}
	return l.Units[len(l.Units)-1]
}

// Floor returns the bound that allows a kernel implementation the least speed, and its
// time in ns. The peak is in GFLOP/s. Bandwidth is that of the first level that holds the
// data, but as much as the level below holds may have stayed there from the last call.
// Loads, stores and arithmetic overlap at best, so the largest counts.
func (l Limits) Floor(w shapes.Work, peak float64, implementation string) (name string, ns float64) {
	u := l.Unit(implementation)
	at := len(u.Levels) - 1
	for i, c := range l.Caches {
		if w.Touch <= float64(c.Bytes) {
			at = i
			break
		}
	}
	here, below, near := u.Levels[at], u.Levels[max(at-1, 0)], 0.0
	if at > 0 {
		near = float64(l.Caches[at-1].Bytes) / w.Touch
	}
	time := func(bytes, here, below float64) float64 { return bytes * (near/below + (1-near)/here) }
	name, ns = "fma", w.Flops/peak
	if t := w.Roots / u.Groots; t > ns {
		name, ns = "root", t
	}
	if t := time(w.Reads, here.ReadGBps, below.ReadGBps); t > ns {
		name, ns = here.Level+" read", t
	}
	if t := time(w.Writes, here.WriteGBps, below.WriteGBps); t > ns {
		name, ns = here.Level+" write", t
	}
	return name, ns
}

// Levels returns a buffer size for every level of the caches and for memory.
func Levels(cs []Cache) []Bandwidth {
	var ls []Bandwidth
	for i, c := range cs {
		b := c.Bytes / 2 // leaves room for the stack and for neighbours
		if i > 0 {
			b = max(b, min(c.Bytes/4*3, 4*cs[i-1].Bytes)) // and does not mostly fit below
		}
		if i == 2 {
			b = min(b, 4*cs[i-1].Bytes) // the share of a guest may be small
		}
		ls = append(ls, Bandwidth{Level: c.Level, Bytes: b})
	}
	// Four times the last cache, bounded: little boards have little memory, and the sizes
	// of very large caches are often those of a whole machine shared by many.
	memory := 4 * min(max(cs[len(cs)-1].Bytes, 16<<20), 64<<20)
	ls = append(ls, Bandwidth{Level: "DRAM", Bytes: memory})
	for i := range ls {
		ls[i].Bytes = max(ls[i].Bytes/(8*blockWords)*(8*blockWords), 8*blockWords)
	}
	return ls
}

// What one call reads or writes: assembly must not hold up the scheduler for more than
// some 50 µs even on small boards (5 GB/s in caches, 2 in memory), and the call itself
// must not count.
const (
	cacheChunk  = 256 << 10
	memoryChunk = 64 << 10
)

// streams makes a reading and a writing probe over buf and returns them with the bytes of
// one operation. A buffer larger than a chunk is walked chunk by chunk, and the next
// operation goes on where the last one ended: a sample need not see the whole of DRAM.
func streams(u Unit, buf []uint64, memory bool) (read, write *probe.Probe, bytes float64) {
	words := cacheChunk / 8
	if memory {
		words = memoryChunk / 8
	}
	chunk := min(len(buf), words)
	passes := max(1, words/len(buf))
	at := 0
	next := func() []uint64 {
		if at+chunk > len(buf) {
			at = 0
		}
		p := buf[at : at+chunk]
		at += chunk
		return p
	}
	read = &probe.Probe{Run: func(n int) {
		for range n {
			u.Read(next(), passes)
		}
	}}
	write = &probe.Probe{Run: func(n int) {
		for range n {
			u.Write(next(), 0x0123456789abcdef, passes) // not zero: some cores drop stores of zeros over zeros
		}
	}}
	if !memory {
		read.Warm = (len(buf) + chunk - 1) / chunk // a whole pass
		write.Warm = read.Warm
	}
	return read, write, float64(8 * chunk * passes)
}

// MeasureLimits measures every unit at every level, interleaved, and keeps the best of
// each: a limit is what has been seen to be possible.
func MeasureLimits(us []Unit, cs []Cache, window time.Duration, rounds int) Limits {
	lim := Limits{Caches: cs}
	ls := Levels(cs)
	buf := make([]uint64, ls[len(ls)-1].Bytes/8)
	writeGo(buf, 1, 1) // gets the memory from the system

	type entry struct {
		*probe.Probe
		work float64 // of one operation
		to   *float64
	}
	var all []entry
	add := func(p *probe.Probe, work float64, to *float64) { all = append(all, entry{p, work, to}) }

	clock, done := ClockProbe()
	add(clock, done, &lim.GHz)
	lim.Units = make([]UnitLimits, len(us))
	for i, u := range us {
		l := &lim.Units[i]
		*l = UnitLimits{Unit: u.Name, Lanes: u.Lanes, Levels: slices.Clone(ls)}
		q, flops := FMAProbe(u, 1)
		add(q, flops, &l.GFLOPS)
		const steps = 256
		acc := kernel.Floats(rootChains * u.Lanes)
		add(&probe.Probe{Run: func(n int) {
			for range n {
				u.Roots(acc, steps)
			}
		}}, float64(steps*len(acc)), &l.Groots)
		for j := range l.Levels {
			b := &l.Levels[j]
			r, w, bytes := streams(u, buf[:b.Bytes/8], b.Level == "DRAM")
			add(r, bytes, &b.ReadGBps)
			add(w, bytes, &b.WriteGBps)
		}
	}
	for _, e := range all {
		e.Calibrate(max(window, 100*time.Microsecond))
	}
	for range rounds {
		for _, e := range all {
			e.Sample()
		}
	}
	for _, e := range all {
		*e.to = probe.Round(e.work / slices.Min(e.Ns))
	}
	return lim
}
