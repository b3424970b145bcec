// Bench measures what kernels, networks and training reach of the limits of the machine
// they run on:
//
//	go run ./bench                               the implementation selected for this machine
//	go run ./bench --isa all                     every implementation, side by side
//	go run ./bench --section networks,training   some of kernels, networks, training, reductions
//	go run ./bench --run 'MatMul/1x' --json
//	go run ./bench --share mine.txt              for the owner of another machine
//	go run ./bench --compare theirs.txt          measures, and prints both side by side
//	go run ./bench --compare theirs.txt --with mine.txt
//
// It prints what the machine says about itself, what one core of it can do (fused
// multiply-adds from registers, loads and stores at every level of the caches), and for
// every operation and size the time, the rate and how near to those limits it comes. All
// figures come from interleaved rounds; where the machine was disturbed the last lines,
// and the files, say so. The same workloads are Benchmark functions: go test -bench . ./bench
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/probe"
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
	kernels  []kernel.Kernel
	sections []string
	run      *regexp.Regexp
	json     bool
	plan     plan

	share, compare, with string // files
}

// parse reads the command line. Its errors are the user's.
func parse(args []string, stderr io.Writer) (options, error) {
	o := options{plan: usual}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprintln(stderr, "usage: go run ./bench [--section NAME,NAME] [--isa NAME|all] [--run REGEXP] [--rounds N] [--quick]")
		fmt.Fprintln(stderr, "                      [--json] [--share FILE] [--compare FILE [--with FILE]]")
		fs.PrintDefaults()
	}
	section := fs.String("section", "", "`sections` to measure, of "+strings.Join(sections, ",")+"; default: all")
	isa := fs.String("isa", "", "`implementation` to measure, or all; default: the one selected for this machine")
	pattern := fs.String("run", "", "measure only workloads OPERATION/SHAPE that match this `regexp`")
	rounds := fs.Int("rounds", 0, fmt.Sprintf("`number` of rounds; default %d, with --quick %d", usual.rounds, quick.rounds))
	short := fs.Bool("quick", false, "shorter samples, fewer rounds: under 5 s")
	fs.BoolVar(&o.json, "json", false, "print one JSON document")
	fs.StringVar(&o.share, "share", "", "write what was measured to this `file`, without the name of the machine")
	fs.StringVar(&o.compare, "compare", "", "compare with the `file` that --share wrote on another machine")
	fs.StringVar(&o.with, "with", "", "compare with this `file`, and measure nothing")
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
	o.sections = sections
	if *section != "" {
		o.sections = strings.Split(*section, ",")
	}
	for _, name := range o.sections {
		if !slices.Contains(sections, name) {
			return fail("no section %q; there are %s", name, strings.Join(sections, ", "))
		}
	}
	switch {
	case o.with != "" && o.compare == "":
		return fail("--with needs --compare")
	case o.json && o.compare != "":
		return fail("--json and --compare exclude each other")
	case o.with != "":
		measuring := ""
		fs.Visit(func(f *flag.Flag) {
			if slices.Contains([]string{"isa", "rounds", "quick", "share"}, f.Name) {
				measuring = f.Name
			}
		})
		if measuring != "" {
			return fail("--with measures nothing, so --%s says nothing", measuring)
		}
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
	fail := func(code int, format string, a ...any) int {
		fmt.Fprintf(stderr, "bench: "+format+"\n", a...)
		return code
	}
	// What would spoil the end of a run is seen before it.
	var a, b side
	if o.compare != "" {
		a.name = o.compare
		if a.record, err = readRecord(o.compare); err != nil {
			return fail(failed, "%v", err)
		}
	}
	if o.share != "" {
		if d, err := os.Stat(filepath.Dir(o.share)); err != nil || !d.IsDir() {
			return fail(failed, "--share %s: no directory %s", o.share, filepath.Dir(o.share))
		}
	}

	var text strings.Builder
	if o.with != "" {
		b.name = o.with
		if b.record, err = readRecord(o.with); err != nil {
			return fail(failed, "%v", err)
		}
	} else {
		d, ok := o.measure(stderr)
		if !ok {
			return fail(usage, "--section %s --run %q match no workload", strings.Join(o.sections, ","), o.run)
		}
		b = side{"this machine, now", d.record()}
		if o.share != "" {
			if err := writeRecord(o.share, b.record); err != nil {
				return fail(failed, "--share: %v", err)
			}
		}
		if o.json {
			err = d.json(&text)
		} else {
			d.text(&text)
		}
	}
	if o.compare != "" {
		text.Reset()
		a.record, b.record = a.filter(o.sections, o.run), b.filter(o.sections, o.run)
		compare(&text, a, b)
	}
	if err == nil {
		_, err = io.WriteString(stdout, text.String())
	}
	if err != nil {
		return fail(failed, "%v", err)
	}
	return done
}

// measure makes the run the options ask for, or returns false if that is nothing.
func (o options) measure(stderr io.Writer) (document, bool) {
	// One thread throughout: a change of thread is a change of core and of its caches.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	m := machine.Detect()
	us := machine.Units()
	o.plan.window = probe.Granular(o.plan.window)
	var ws []workload
	for _, w := range workloads(m.Caches) {
		if slices.Contains(o.sections, w.section) && o.run.MatchString(w.op+"/"+w.shape) {
			ws = append(ws, w)
		}
	}
	if len(ws) == 0 {
		return document{}, false
	}
	d := document{Machine: m, Limits: machine.MeasureLimits(us, m.Caches, o.plan.window/2, max(5, o.plan.rounds/2)), Bits: map[string]string{}}
	for _, k := range o.kernels {
		d.Bits[k.Name()] = trainingBits(k)
	}
	d.outcome = measure(ws, o.kernels, us, d.Limits, o.plan, func(s string) { fmt.Fprintln(stderr, "bench:", s) })
	return d, true
}
