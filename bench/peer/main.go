// Command peer lets a harness measure our kernels among other libraries: it answers a line
// protocol on standard input and output.
//
//	peers                          names of the peers: ours
//	open ours OP M K N THREADS     ok ID ERROR, or no REASON
//	run ID MS                      mean ns of a call over about MS milliseconds
//	lat ID COUNT                   p50 p99 p99.9 in ns of single calls
//	close                          forgets all problems
//	quit
//
// OP is gemm (Y = X·W), gemmbr (Y = relu(X·W + b), W packed beforehand), dw (W = Xᵀ·Y), dx
// (X = Y·Wᵀ), mlp:DIMS (a network, weights packed beforehand; M rows), or a reduction of
// M values: red_diff, red_sumsq, red_sumabs, red_maxabs, red_dsumsq, red_fused. Results are
// checked against float64 before ok is said. MGDL_KERNEL chooses the implementation.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

func main() {
	runtime.LockOSThread()
	debug.SetGCPercent(-1) // no collection in the middle of a measurement; close collects
	serve(os.Stdin, os.Stdout)
}

// serve answers commands until quit or the end of in.
func serve(in io.Reader, out io.Writer) {
	open := map[int]problem{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer := "no bad command"
		f := strings.Fields(lines.Text())
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "peers":
			answer = "ours"
		case "open":
			p, err := parse(f[1:])
			if err != nil {
				answer = "no " + err.Error()
				break
			}
			p.call()
			if e := p.check(); !(e < 1e-3) {
				answer = fmt.Sprintf("no wrong result err=%g", e)
			} else {
				id := len(open) + 1
				open[id] = p
				answer = fmt.Sprintf("ok %d %g", id, e)
			}
		case "run", "lat":
			var id int
			var n float64
			if _, err := fmt.Sscan(strings.Join(f[1:], " "), &id, &n); err != nil || open[id].call == nil {
				break
			}
			p := open[id]
			p.team.Start()
			if f[0] == "run" {
				answer = fmt.Sprintf("%.2f", mean(p.call, time.Duration(n*1e6)))
			} else {
				answer = latencies(p.call, int(n))
			}
			p.team.Stop()
		case "close":
			clear(open)
			runtime.GC()
			answer = "ok"
		case "quit":
			return
		}
		fmt.Fprintln(out, answer)
	}
}

// settle is how long calls go on before they are timed. A Go program that has slept has its
// monitor thread look in every 20 µs at first; where there is one core, as in a race of
// pinned processes, that costs up to a quarter of the next ten milliseconds.
const settle = 15 * time.Millisecond

// mean returns the mean ns of a call over about d.
func mean(call func(), d time.Duration) float64 {
	for start := time.Now(); time.Since(start) < settle; {
		call()
	}
	n, spent := 1, measure(call, 1)
	for spent < d/8 {
		n = max(2*n, int(float64(n)*float64(d/8)/float64(max(spent, 1))))
		spent = measure(call, n)
	}
	if spent < d {
		n = max(1, int(float64(n)*float64(d)/float64(spent)))
		spent = measure(call, n)
	}
	return float64(spent.Nanoseconds()) / float64(n)
}

func measure(call func(), n int) time.Duration {
	start := time.Now()
	for range n {
		call()
	}
	return time.Since(start)
}

// latencies returns quantiles of the time of single calls, without that of the clock.
func latencies(call func(), n int) string {
	for range 2000 {
		call()
	}
	empty := time.Duration(1 << 62)
	for range 1000 {
		empty = min(empty, measure(call, 0))
	}
	v := make([]time.Duration, n)
	for i := range v {
		v[i] = measure(call, 1) - empty
	}
	slices.Sort(v)
	return fmt.Sprintf("%d %d %d", v[n/2].Nanoseconds(), v[n*99/100].Nanoseconds(), v[n*999/1000].Nanoseconds())
}
