// Bench measures package kernel against the limits of the machine it runs on:
//
//	go run ./bench                  the implementation selected for this machine
//	go run ./bench --isa all        every implementation, side by side
//	go run ./bench --isa avx2       one of them
//	go run ./bench --run 'MatMul/1x' --json
//
// It prints what the machine says about itself, what one core of it can do (fused
// multiply-adds from registers, loads and stores at every level of the caches), and for
// every operation and size the time, the rate and how near to those limits it comes. All
// figures come from interleaved rounds; where the machine was disturbed the last lines say
// so. The same workloads are Benchmark functions: go test -bench . ./bench
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"

	"github.com/multigrade/multigrade/kernel"
)

const (
	done   = 0
	failed = 1
	usage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// options are what the command line says.
type options struct {
	kernels []kernel.Kernel
	run     *regexp.Regexp
	json    bool
	plan    plan
}

// parse reads the command line. Its errors are the user's.
func parse(args []string, stderr io.Writer) (options, error) {
	o := options{plan: usual}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprintln(stderr, "usage: go run ./bench [--isa NAME|all] [--run REGEXP] [--rounds N] [--quick] [--json]")
		fs.PrintDefaults()
	}
	isa := fs.String("isa", "", "`implementation` to measure, or all; default: the one selected for this machine")
	pattern := fs.String("run", "", "measure only workloads OPERATION/SHAPE that match this `regexp`")
	rounds := fs.Int("rounds", 0, fmt.Sprintf("`number` of rounds; default %d, with --quick %d", usual.rounds, quick.rounds))
	short := fs.Bool("quick", false, "shorter samples, fewer rounds: under 5 s")
	fs.BoolVar(&o.json, "json", false, "print one JSON document")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	fail := func(format string, a ...any) (options, error) {
		err := fmt.Errorf(format, a...)
		fmt.Fprintln(stderr, "bench:", err)
		return o, err
	}
	if fs.NArg() > 0 {
		return fail("unexpected argument %q", fs.Arg(0))
	}
	if *short {
		o.plan = quick
	}
	if *rounds < 0 || *rounds > 10000 {
		return fail("--rounds %d is not between 1 and 10000", *rounds)
	}
	if *rounds > 0 {
		o.plan.rounds = *rounds
	}
	var err error
	if o.run, err = regexp.Compile(*pattern); err != nil {
		return fail("--run: %v", err)
	}
	switch sel := kernel.Selected(); {
	case *isa == "all":
		o.kernels = kernel.Available()
	case *isa != "":
		k, ok := kernel.Lookup(*isa)
		if !ok {
			return fail("no implementation %q here; available: %s, all", *isa, strings.Join(sel.Available, ", "))
		}
		o.kernels = []kernel.Kernel{k}
	case sel.Requested != "" && !sel.Honored:
		return fail("MGDL_KERNEL=%s is not available here; available: %s", sel.Requested, strings.Join(sel.Available, ", "))
	default:
		o.kernels = []kernel.Kernel{kernel.Default()}
	}
	return o, nil
}

func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return done
	case err != nil:
		return usage
	}
	// One thread throughout: a change of thread is a change of core and of its caches.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	m := detect()
	us := units()
	o.plan.window = granular(o.plan.window)
	var ws []workload
	for _, w := range workloads(m.Caches) {
		if o.run.MatchString(w.op + "/" + w.shape) {
			ws = append(ws, w)
		}
	}
	if len(ws) == 0 {
		fmt.Fprintf(stderr, "bench: --run %q matches no workload\n", o.run)
		return usage
	}
	d := document{Machine: m, Limits: measureLimits(us, m.Caches, o.plan)}
	d.outcome = measure(ws, o.kernels, us, d.Limits, o.plan, func(s string) { fmt.Fprintln(stderr, "bench:", s) })
	if o.json {
		err = d.json(stdout)
	} else {
		var text strings.Builder
		d.text(&text)
		_, err = io.WriteString(stdout, text.String())
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return failed
	}
	return done
}
