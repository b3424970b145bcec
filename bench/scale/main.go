// Command scale trains on large tables and prints what reading and training take: bytes and
// rows a second, and the most memory the process ever had, beside the size of the table as
// a float32 matrix.
//
//	go run ./bench/scale [-rows 20000,2000000] [-columns 64] [-digits 6] [-samples 4000000] [-workers 1] [-keep DIR]
//
// The tables are generated, the same ones at every run, and each is measured in a process
// of its own. They are left in DIR if one is given; without, they take a temporary folder
// for as long as it takes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	sizes := flags.String("rows", "20000,2000000", "comma-separated `numbers` of rows")
	columns := flags.Int("columns", 64, "features")
	digits := flags.Int("digits", 6, "decimals of a cell; 0 for as many as a float64 has")
	samples := flags.Int("samples", 4000000, "rows each chain learns from in the first network grade, in as many passes over the table as that takes")
	grades := flags.Int("grades", 2, "network grades")
	workers := flags.Int("workers", 1, "goroutines")
	keep := flags.String("keep", "", "leave the tables in `DIR`")
	one := flags.String("measure", "", "measure `FILE` in this process; for the use of this command")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *columns < 1 {
		return errors.New("there must be a column")
	}
	cfg := mgdl.Config{Grades: *grades, Workers: *workers}
	if *one != "" {
		return measure(out, *one, *columns, *samples, cfg)
	}
	dir := *keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "mgdl-scale-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	fmt.Fprintf(out, "%10s %8s %9s %9s %10s %7s %6s %10s %9s %9s\n", "rows", "columns", "file MB", "read MB/s", "prepare s", "chains", "grade", "samples/s", "peak MB", "x matrix")
	for _, size := range strings.Split(*sizes, ",") {
		rows, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, fmt.Sprintf("scale-%d-%d-%d.csv", rows, *columns, *digits))
		if err := generate(path, rows, *columns, *digits); err != nil {
			return err
		}
		self, err := os.Executable()
		if err != nil {
			return err
		}
		child := exec.Command(self, append(args, "-measure", path)...)
		child.Stdout, child.Stderr = out, os.Stderr
		if err := child.Run(); err != nil {
			return err
		}
		if *keep == "" {
			os.Remove(path)
		}
	}
	return nil
}

// measure reads and trains, as the command mgdl does, and prints a line for each grade.
func measure(out io.Writer, path string, columns, samples int, cfg mgdl.Config) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	debug.SetGCPercent(25) // as the command has it while it trains
	begin := time.Now()
	d, _, err := dataset.ReadCSV(f, filepath.Base(path), dataset.Options{Packed: true})
	if err != nil {
		return err
	}
	reading := time.Since(begin).Seconds()
	rows, matrix := d.Rows, float64(d.Rows)*float64(columns)*4
	d.Source = d.Source.(*dataset.Packed).Consume()

	cfg.Epochs = max(1, samples/rows)
	var grades []rate
	begin = time.Now()
	mark, prepare, epoch := begin, 0.0, 0.0
	var last rate // of the grade so far
	cfg.Progress = func(p mgdl.Progress) {
		now := time.Now()
		switch {
		case p.Finished != nil:
			if last.rows > 0 {
				grades = append(grades, last)
			}
			last = rate{}
		case last.grade == 0: // a grade's first check: what came before is no training
			last, mark, epoch = rate{grade: p.Grade}, now, p.Epoch
			if prepare == 0 {
				prepare = now.Sub(begin).Seconds()
			}
		default:
			last.rows = (p.Epoch - epoch) * float64(rows) / now.Sub(mark).Seconds()
		}
	}
	m, err := mgdl.Train(context.Background(), d, cfg)
	if err != nil {
		return err
	}
	if len(grades) == 0 {
		return errors.New("no grade was trained")
	}
	chains := m.Grades()[len(m.Grades())-1].Networks
	peak := peakMemory()
	for i, g := range grades {
		if i == 0 {
			fmt.Fprintf(out, "%10d %8d %9.0f %9.0f %10.1f %7d %6d %10.0f %9.0f %9.2f\n", rows, columns, float64(info.Size())/1e6,
				float64(info.Size())/1e6/reading, prepare, chains, g.grade, g.rows*float64(chains), peak/1e6, peak/matrix)
			continue
		}
		fmt.Fprintf(out, "%56s %6d %10.0f\n", "", g.grade, g.rows*float64(chains))
	}
	return nil
}

// A rate is how many rows a second each chain of a grade learnt from.
type rate struct {
	grade int
	rows  float64
}

// peakMemory returns the most bytes this process has had in memory, 0 where the system
// does not say.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kilobytes, _ := strconv.ParseFloat(f[1], 64)
			return kilobytes * 1024
		}
	}
	return 0
}
