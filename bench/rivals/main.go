//go:build !riscv64

// A package of a rival does not build on riscv64.

// Rivals measures package kernel beside the libraries for float32 matrices that Go programs
// use without cgo, gonum and vek, on the shapes of bench:
//
//	go run ./bench/rivals                       all of it
//	go run ./bench/rivals --run 'Network|/1x'   operations and shapes that match
//	go run ./bench/rivals --quick
//
// Everybody has one thread, and computes what a layer needs: product, bias and ReLU. Rounds
// are interleaved; a result that differs from ours is an error. The README says how to run
// it outside the workspace.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/multigrade/multigrade/kernel"
)

const (
	done   = 0
	failed = 1
	usage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("rivals", flag.ContinueOnError)
	fs.SetOutput(stderr)
	pattern := fs.String("run", "", "measure only OPERATION/SHAPE that match this `regexp`")
	rounds := fs.Int("rounds", 11, "`number` of rounds")
	quick := fs.Bool("quick", false, "shorter samples")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return done
	case err != nil:
		return usage
	}
	match, err := regexp.Compile(*pattern)
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err == nil && *rounds < 1 {
		err = fmt.Errorf("--rounds %d is below 1", *rounds)
	}
	if err != nil {
		fmt.Fprintln(stderr, "rivals:", err)
		return usage
	}
	window := time.Millisecond
	if *quick {
		window /= 5
	}

	// One thread for everybody: both rivals start goroutines for large products.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var cs []contest
	for _, c := range contests() {
		if match.MatchString(c.op + "/" + c.shape) {
			cs = append(cs, c)
		}
	}
	if len(cs) == 0 {
		fmt.Fprintf(stderr, "rivals: --run %q matches nothing\n", match)
		return usage
	}
	var text strings.Builder
	if err := report(&text, cs, *rounds, window); err != nil {
		fmt.Fprintln(stderr, "rivals:", err)
		return failed
	}
	if _, err := io.WriteString(stdout, text.String()); err != nil {
		fmt.Fprintln(stderr, "rivals:", err)
		return failed
	}
	return done
}

// report measures contests and prints them.
func report(w io.Writer, cs []contest, rounds int, window time.Duration) error {
	fmt.Fprintf(w, "%s, %s/%s, ours is %s of %s; one thread\n", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		kernel.Default().Name(), strings.Join(kernel.Selected().Available, ", "))
	for i, p := range players {
		if i > 0 {
			fmt.Fprintf(w, "%s %s\n", p, version(modules[i]))
		}
	}
	fmt.Fprintf(w, "%d rounds, samples of %v; ns of a call, fastest and (median); ratios to ours, of the fastest and (of the medians)\n\n", rounds, window)

	times, err := measure(cs, rounds, window)
	if err != nil {
		return err
	}
	const form = "%-11s %-19s %9s %22s %22s %22s %16s %16s\n"
	line := func(a ...any) { fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf(form, a...), " \n")) }
	line("operation", "shape", "GFLOP/s", players[0], players[1], players[2], players[1]+"/"+players[0], players[2]+"/"+players[0])
	unsteady := 0
	for i, c := range cs {
		var best, mid [len(players)]float64
		cells := []any{c.op, c.shape, ""}
		for p, ns := range times[i] {
			cell := "-"
			if len(ns) > 0 {
				best[p], mid[p] = slices.Min(ns), median(ns)
				cell = fmt.Sprintf("%s (%s)", digits(best[p]), digits(mid[p]))
			}
			cells = append(cells, cell)
		}
		cells[2] = digits(c.flops / best[0])
		for p := range players[1:] {
			cell := "-"
			if best[p+1] > 0 {
				cell = fmt.Sprintf("%.3g (%.3g)", best[p+1]/best[0], mid[p+1]/mid[0])
			}
			cells = append(cells, cell)
		}
		line(cells...)
		if mid[0] > best[0]*1.07 {
			unsteady++
		}
	}
	if 4*unsteady > len(cs) {
		fmt.Fprintf(w, "\ndisturbed machine: do not compare: the median of %d of %d lines is more than 7 %% above our fastest\n", unsteady, len(cs))
	}
	return nil
}

// version returns the version of a module in this program.
func version(module string) string {
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, m := range bi.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return "of unknown version"
}

// digits shows four digits.
func digits(x float64) string {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	return strconv.FormatFloat(r, 'f', -1, 64)
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// measure returns the ns of a call of every player in every contest, one for each round.
func measure(cs []contest, rounds int, window time.Duration) ([][len(players)][]float64, error) {
	times := make([][len(players)][]float64, len(cs))
	calls := make([][len(players)]int, len(cs))
	for i, c := range cs {
		if err := c.check(); err != nil {
			return nil, err
		}
		for p, f := range c.calls {
			if f != nil {
				calls[i][p] = calibrate(f, window)
			}
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for range rounds {
		runtime.GC() // here, and not in the middle of a sample
		for i, c := range cs {
			for p, f := range c.calls {
				if f != nil {
					f(1) // brings the data near
					n := calls[i][p]
					times[i][p] = append(times[i][p], float64(timed(f, n).Nanoseconds())/float64(n))
				}
			}
		}
	}
	return times, nil
}

func timed(f func(int), n int) time.Duration {
	start := time.Now()
	f(n)
	return time.Since(start)
}

// calibrate returns how many calls fill a window.
func calibrate(f func(int), window time.Duration) int {
	f(1)
	n := 1
	t := timed(f, n)
	for t < window/2 && n < 1<<24 {
		n *= 2
		t = timed(f, n)
	}
	return max(1, int(float64(n)*float64(window)/float64(max(t, 1))))
}
