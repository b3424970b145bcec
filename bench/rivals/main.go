//go:build !riscv64

// A package of a rival does not build on riscv64.

// Rivals measures package kernel beside libraries for float32 matrices on one thread, on the
// shapes of bench: gonum and vek in Go; OpenBLAS, oneDNN, libxsmm and plain loops in C, as
// far as a C compiler finds them.
//
//	go run ./bench/rivals                       ours, the best in C, the best in Go, the floor
//	go run ./bench/rivals --all                 everybody
//	go run ./bench/rivals -c=false              without rivals in C
//	go run ./bench/rivals --run 'network|/1x'   operations and shapes that match
//	go run ./bench/rivals --isa avx2            ours is this implementation; the others are free
//
// Everybody computes the same from the same data: product, bias and ReLU of a layer,
// gradients, whole networks. Results are checked before anything is timed. The README says
// what is compared, and how to run it outside the workspace.
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
	"strings"
	"time"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/kernel"
)

const (
	done   = 0
	failed = 1
	usage  = 2
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

// options are what the command line says.
type options struct {
	match  *regexp.Regexp
	rounds int
	window time.Duration
	c, all bool
	kernel kernel.Kernel
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (options, error) {
	o := options{window: 2 * time.Millisecond, kernel: kernel.Default()}
	fs := flag.NewFlagSet("rivals", flag.ContinueOnError)
	fs.SetOutput(stderr)
	pattern := fs.String("run", "", "measure only OPERATION/SHAPE that match this `regexp`")
	isa := fs.String("isa", "", "our `implementation`; default: the one selected for this machine")
	quick := fs.Bool("quick", false, "shorter samples")
	fs.IntVar(&o.rounds, "rounds", 11, "`number` of rounds")
	fs.BoolVar(&o.c, "c", true, "with rivals in C")
	fs.BoolVar(&o.all, "all", false, "a line for everybody")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if *quick {
		o.window /= 5
	}
	var err error
	o.match, err = regexp.Compile(*pattern)
	sel := kernel.Selected()
	switch k, ok := kernel.Lookup(*isa); {
	case err != nil:
	case fs.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case o.rounds < 1:
		err = fmt.Errorf("--rounds %d is below 1", o.rounds)
	case ok:
		o.kernel = k
	case *isa != "":
		err = fmt.Errorf("no implementation %q here; available: %s", *isa, strings.Join(sel.Available, ", "))
	case sel.Requested != "" && !sel.Honored:
		err = fmt.Errorf("MGDL_KERNEL=%s is not available here; available: %s", sel.Requested, strings.Join(sel.Available, ", "))
	}
	if err != nil {
		fmt.Fprintln(stderr, "rivals:", err)
	}
	return o, err
}

func command(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return done
	case err != nil:
		return usage
	}
	// One thread for everybody: rivals in Go start goroutines for large products.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cs := slices.DeleteFunc(contests(o.kernel), func(c contest) bool { return !o.match.MatchString(c.String()) })
	if len(cs) == 0 {
		fmt.Fprintf(stderr, "rivals: --run %q matches nothing\n", o.match)
		return usage
	}
	text, err := o.measure(cs, func(s string) { fmt.Fprintln(stderr, "rivals:", s) })
	if err == nil {
		_, err = io.WriteString(stdout, text)
	}
	if err != nil {
		fmt.Fprintln(stderr, "rivals:", err)
		return failed
	}
	return done
}

// measure runs the races of contests and returns the report.
func (o options) measure(cs []contest, note func(string)) (string, error) {
	facts, units := machine.Detect(), machine.Units()
	unit := units[machine.UnitOf(units, o.kernel.Name())]
	var text strings.Builder
	fmt.Fprintf(&text, "%s; %s %s/%s; ours is %s of %s; one thread\n", facts.Name(), facts.Go, facts.GOOS, facts.GOARCH,
		o.kernel.Name(), strings.Join(facts.Kernel.Available, ", "))
	for i, p := range players[1:] {
		fmt.Fprintf(&text, "%-9s %s\n", p, version(modules[i+1]))
	}
	var others []*process
	if o.c {
		started, stop, err := startRivals(&text, facts)
		if err != nil {
			return "", err
		}
		defer stop()
		others = started
	}
	t := table{limits: machine.MeasureLimits([]machine.Unit{unit}, facts.Caches, o.window/2, max(5, o.rounds/2)), kernel: o.kernel.Name()}
	for _, c := range cs {
		r, err := enter(c, others, unit, o.window)
		if err != nil {
			return "", err
		}
		t.races = append(t.races, r)
	}
	if err := run(t.races, o.rounds, o.window, note); err != nil {
		return "", err
	}
	fmt.Fprintf(&text, "%d rounds, samples of %v; ns of a call: fastest and (median); ratios to ours, above 1 where we are faster, of the\nfastest and (of the medians); floor: the least time one core allows, and %% of it that our fastest reaches\n\n", o.rounds, o.window)
	write := t.print
	if o.all {
		write = t.printAll
	}
	if err := write(&text); err != nil {
		return "", err
	}
	if n := t.unsteady(); 4*n > len(t.races) {
		fmt.Fprintf(&text, "\ndisturbed machine: do not compare: the median of %d of %d lines is more than 7 %% above our fastest\n", n, len(t.races))
	}
	return text.String(), nil
}

// startRivals compiles and starts the rivals in C, and writes who they are and who is
// missing. Without a compiler there are none.
func startRivals(w io.Writer, facts machine.Facts) (started []*process, stop func(), err error) {
	dir, err := os.MkdirTemp("", "rivals")
	if err != nil {
		return nil, nil, err
	}
	stop = func() {
		for _, p := range started {
			_ = p.stop() // it has said all it had to
		}
		_ = os.RemoveAll(dir)
	}
	programs, missing, err := buildRivals(dir)
	if err != nil {
		fmt.Fprintln(w, "no rivals in C:", err)
		return nil, stop, nil
	}
	avx512 := slices.ContainsFunc(facts.Features, func(f string) bool { return strings.EqualFold(f, "avx512f") })
	for _, program := range programs {
		p, err := startRival(program, avx512)
		if err != nil {
			stop()
			return nil, nil, err
		}
		started = append(started, p)
		for _, name := range p.rivals {
			about, err := p.ask("about %s", name)
			if err != nil {
				stop()
				return nil, nil, err
			}
			fmt.Fprintf(w, "%-9s %s\n", name, about)
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(w, "missing: %s\n", strings.Join(missing, ", "))
	}
	return started, stop, nil
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
