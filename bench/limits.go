package main

import (
	"slices"
	"time"

	"github.com/multigrade/multigrade/kernel"
)

// limits is what the machine can do on one core, measured.
type limits struct {
	GHz    float64      `json:"ghz"`
	Units  []unitLimits `json:"units"`
	Caches []cache      `json:"-"`
}

// unitLimits is what one core can do through one unit.
type unitLimits struct {
	Unit   string      `json:"unit"`
	Lanes  int         `json:"lanes"`
	GFLOPS float64     `json:"gflops"`
	Groots float64     `json:"groots"` // square roots, each with a division, in 10⁹ a second
	Levels []bandwidth `json:"levels"`
}

// bandwidth is that of a buffer that fits a level and not the one below.
type bandwidth struct {
	Level     string  `json:"level"`
	Bytes     int     `json:"bytes"`
	ReadGBps  float64 `json:"read_gbps"`
	WriteGBps float64 `json:"write_gbps"`
}

// unit returns the limits a kernel implementation is held against: those of its name, or
// of plain Go.
func (l limits) unit(kernel string) unitLimits {
	for _, u := range l.Units {
		if u.Unit == kernel {
			return u
		}
	}
	return l.Units[len(l.Units)-1]
}

// levels returns a buffer size for every level of the caches and for memory.
func levels(cs []cache) []bandwidth {
	var ls []bandwidth
	for i, c := range cs {
		b := c.Bytes / 2 // leaves room for the stack and for neighbours
		if i > 0 {
			b = max(b, min(c.Bytes/4*3, 4*cs[i-1].Bytes)) // and does not mostly fit below
		}
		if i == 2 {
			b = min(b, 4*cs[i-1].Bytes) // the share of a guest may be small
		}
		ls = append(ls, bandwidth{Level: c.Level, Bytes: b})
	}
	// Four times the last cache, bounded: little boards have little memory, and the sizes
	// of very large caches are often those of a whole machine shared by many.
	memory := 4 * min(max(cs[len(cs)-1].Bytes, 16<<20), 64<<20)
	ls = append(ls, bandwidth{Level: "DRAM", Bytes: memory})
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
func streams(u unit, buf []uint64, memory bool) (read, write *probe, bytes float64) {
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
	read = &probe{run: func(n int) {
		for range n {
			u.read(next(), passes)
		}
	}}
	write = &probe{run: func(n int) {
		for range n {
			u.write(next(), 0x0123456789abcdef, passes) // not zero: some cores drop stores of zeros over zeros
		}
	}}
	if !memory {
		read.warm = (len(buf) + chunk - 1) / chunk // a whole pass
		write.warm = read.warm
	}
	return read, write, float64(8 * chunk * passes)
}

// measureLimits measures every unit at every level, interleaved, and keeps the best of
// each: a limit is what has been seen to be possible.
func measureLimits(us []unit, cs []cache, p plan) limits {
	lim := limits{Caches: cs}
	ls := levels(cs)
	buf := make([]uint64, ls[len(ls)-1].Bytes/8)
	writeGo(buf, 1, 1) // gets the memory from the system

	type entry struct {
		*probe
		work float64 // of one operation
		to   *float64
	}
	var all []entry
	add := func(p *probe, work float64, to *float64) { all = append(all, entry{p, work, to}) }

	clock, done := clockProbe()
	add(clock, done, &lim.GHz)
	lim.Units = make([]unitLimits, len(us))
	for i, u := range us {
		l := &lim.Units[i]
		*l = unitLimits{Unit: u.name, Lanes: u.lanes, Levels: slices.Clone(ls)}
		q, flops := fmaProbe(u, 1)
		add(q, flops, &l.GFLOPS)
		const steps = 256
		acc := kernel.Floats(rootChains * u.lanes)
		add(&probe{run: func(n int) {
			for range n {
				u.roots(acc, steps)
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
		e.calibrate(max(p.window/2, 100*time.Microsecond))
	}
	for range max(5, p.rounds/2) {
		for _, e := range all {
			e.sample()
		}
	}
	for _, e := range all {
		*e.to = round(e.work / slices.Min(e.ns))
	}
	return lim
}
