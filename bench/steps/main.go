// Steps measures optimisation steps at the configurations of published multigrade
// experiments: training rows a second, by grade, through mgdl.Train: of the fastest epoch of
// several rounds. With -peer it runs a tuned PyTorch trainer on the same configurations, in turn
// with ours, and prints the ratio.
//
//	go run ./bench/steps
//	go run ./bench/steps -peer ../shared/peers/mgdl/peer.sh
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/multigrade/multigrade/mgdl"
)

// A workload is one configuration: rows of inputs numbers, and grades.
type workload struct {
	name         string
	peerCase     string
	rows, inputs int
	batch        int // 0: all rows
	epochs       int
	grades       []mgdl.GradePlan
}

var workloads = []workload{
	{"s2, full batch", "s2", 6000, 1, 0, 15, []mgdl.GradePlan{relu(256, 256), relu(256, 256)}},
	{"s2, batch 256", "s2", 6000, 1, 256, 10, []mgdl.GradePlan{relu(256, 256), relu(256, 256)}},
	{"xu1, batch 32", "xu1", 5000, 1, 32, 8, []mgdl.GradePlan{sine(256, 256), relu(128, 128, 64), relu(64, 32, 32)}},
	{"helm50, full batch", "helm50", 90000, 2, 0, 6, []mgdl.GradePlan{sine(256, 256), sine(256), relu(256)}},
}

// relu and sine start at a readout of 0, so that any training lowers the loss and the next
// grade follows; steps cost the same from any start.
func relu(hidden ...int) mgdl.GradePlan {
	return mgdl.GradePlan{Hidden: hidden, Start: mgdl.StartHe, Rate: 1e-4, LastRate: 1e-4}
}

func sine(hidden ...int) mgdl.GradePlan {
	p := relu(hidden...)
	p.Activation = mgdl.Sine
	return p
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "steps:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("steps", flag.ContinueOnError)
	peer := flags.String("peer", "", "`peer.sh` of the PyTorch trainer; not measured if empty")
	workers := flags.Int("workers", 2, "goroutines, and threads of the peer")
	rounds := flags.Int("rounds", 3, "times each workload is measured")
	only := flags.String("only", "", "measure workloads whose names contain this")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "%-20s %5s  %-22s %12s", "workload", "grade", "layers", "rows/s")
	if *peer != "" {
		fmt.Fprintf(out, " %12s %6s", "peer", "ratio")
	}
	fmt.Fprintln(out)
	for _, w := range workloads {
		if !strings.Contains(w.name, *only) {
			continue
		}
		ours, theirs := make([]float64, len(w.grades)), make([]float64, len(w.grades))
		for range *rounds {
			rates, err := w.measure(*workers)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			keepBest(ours, rates)
			if *peer == "" {
				continue
			}
			if rates, err = w.peer(*peer, *workers); err != nil {
				return fmt.Errorf("%s: %w", *peer, err)
			}
			keepBest(theirs, rates)
		}
		for g, rate := range ours {
			fmt.Fprintf(out, "%-20s %5d  %-22s %12.0f", w.name, g+1, w.layers(g), rate)
			if theirs[g] > 0 {
				fmt.Fprintf(out, " %12.0f %6.2f", theirs[g], rate/theirs[g])
			}
			fmt.Fprintln(out)
		}
	}
	return nil
}

// keepBest raises best to rates.
func keepBest(best, rates []float64) {
	for i, r := range rates {
		best[i] = max(best[i], r)
	}
}

// layers names the layers of grade g.
func (w *workload) layers(g int) string {
	s := w.grades[g].Activation.String()
	for _, h := range w.grades[g].Hidden {
		s += " " + strconv.Itoa(h)
	}
	return s
}

// measure returns rows a second of each grade: of the fastest epoch.
func (w *workload) measure(workers int) ([]float64, error) {
	var x, y []float64
	for i := range w.rows {
		u := float64(i) / float64(w.rows)
		for j := range w.inputs {
			x = append(x, u*float64(1+7*j)-float64(int(u*float64(1+7*j)))) // in [0, 1)
		}
		y = append(y, 4*u*(1-u))
	}
	plan := slices.Clone(w.grades)
	for g := range plan {
		plan[g].Epochs, plan[g].Batch = w.epochs, w.batch
	}
	laps := make([][]float64, len(plan)) // seconds an epoch
	last, epoch := time.Now(), 0.0
	cfg := mgdl.Config{Plan: plan, Raw: true, Workers: workers}
	cfg.Progress = func(p mgdl.Progress) {
		now := time.Now()
		if p.Finished == nil {
			if p.Epoch > epoch {
				laps[p.Grade-1] = append(laps[p.Grade-1], now.Sub(last).Seconds()/(p.Epoch-epoch))
			}
			epoch = p.Epoch
		} else {
			epoch = 0
		}
		last = now
	}
	m, err := mgdl.Train(context.Background(), mgdl.NewData(x, w.inputs, y, 1), cfg)
	if err != nil {
		return nil, err
	}
	if n := len(m.Grades()); n < len(plan) {
		return nil, fmt.Errorf("only %d grades were accepted", n)
	}
	rates := make([]float64, len(plan))
	for g, l := range laps {
		rates[g] = float64(w.rows) / slices.Min(l[1:]) // the first one has the grade's preparation in it
	}
	return rates, nil
}

// peer returns the same of the peer.
func (w *workload) peer(script string, threads int) ([]float64, error) {
	var arch, act []string
	for g := range w.grades {
		layers := strings.Fields(w.layers(g))
		act, arch = append(act, layers[0]), append(arch, strings.Join(layers[1:], ","))
	}
	cmd := exec.Command(script, "--case", w.peerCase, "--arch", strings.Join(arch, ";"), "--act", strings.Join(act, ","),
		"--epochs", strconv.Itoa(w.epochs), "--batch", strconv.Itoa(w.batch), "--lr", "1e-4,1e-4")
	cmd.Env = append(os.Environ(), "THREADS="+strconv.Itoa(threads))
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var rates []float64
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		var line struct {
			Grade int
			Min   float64
		}
		if err := json.Unmarshal(s.Bytes(), &line); err == nil && line.Min > 0 {
			rates = append(rates, float64(w.rows)/line.Min)
		}
	}
	if len(rates) != len(w.grades) {
		return nil, fmt.Errorf("it gave %d grades of %d", len(rates), len(w.grades))
	}
	return rates, nil
}
