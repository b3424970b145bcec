//go:build !riscv64

package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A process speaks the line protocol of bench/peer.
type process struct {
	to     io.Writer
	from   *bufio.Scanner
	rivals []string

	stop func() error
}

// errUnsupported is what a rival says to a problem that is not for it.
var errUnsupported = errors.New("unsupported")

// start runs a program with additions to the environment. Everybody has one thread, and
// libraries choose their kernels themselves, whatever the caller's environment says.
func start(program string, env ...string) (*process, error) {
	cmd := exec.Command(program)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "OPENBLAS_") })
	cmd.Env = append(append(cmd.Env, "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return converse(in, out, func() error {
		return cmp.Or(in.Close(), cmd.Wait()) // the end of its input is the end of it
	})
}

// converse begins to talk to whoever reads to and writes from.
func converse(to io.Writer, from io.Reader, stop func() error) (*process, error) {
	p := &process{to: to, from: bufio.NewScanner(from), stop: stop}
	names, err := p.ask("peers")
	if err != nil {
		_ = stop() // the first error is the better one
		return nil, err
	}
	p.rivals = strings.Fields(names)
	return p, nil
}

// ask sends a line and returns the answer.
func (p *process) ask(format string, a ...any) (string, error) {
	question := fmt.Sprintf(format, a...)
	if _, err := fmt.Fprintln(p.to, question); err != nil {
		return "", fmt.Errorf("%q: %w", question, err)
	}
	if !p.from.Scan() {
		return "", fmt.Errorf("%q: no answer: %w", question, cmp.Or(p.from.Err(), io.ErrUnexpectedEOF))
	}
	answer := p.from.Text()
	if reason, no := strings.CutPrefix(answer, "no "); no {
		if reason == errUnsupported.Error() {
			return "", errUnsupported
		}
		return "", fmt.Errorf("%q: %s", question, reason)
	}
	return answer, nil
}

// open has a rival prepare a problem, "OP M K N", and check its result. It returns the
// number of the problem.
func (p *process) open(rival, problem string) (int, error) {
	answer, err := p.ask("open %s %s 1", rival, problem)
	if err != nil {
		return 0, err
	}
	var id int
	var e float64
	if _, err := fmt.Sscanf(answer, "ok %d %g", &id, &e); err != nil {
		return 0, fmt.Errorf("open %s %s: answer %q: %w", rival, problem, answer, err)
	}
	return id, nil
}

// run returns the mean ns of a call of a problem over about d.
func (p *process) run(id int, d time.Duration) (float64, error) {
	answer, err := p.ask("run %d %g", id, float64(d)/float64(time.Millisecond))
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseFloat(answer, 64)
	if err != nil || !(ns > 0) {
		return 0, fmt.Errorf("run %d: answer %q", id, answer)
	}
	return ns, nil
}

// wide are the cores of OpenBLAS that use 512-bit registers.
var wide = []string{"SkylakeX", "Cooperlake", "SapphireRapids"}

// startRival starts a program. An OpenBLAS that does not know an AVX-512 processor is told
// the nearest one it knows.
func startRival(program string, avx512 bool) (*process, error) {
	p, err := start(program)
	if err != nil || !avx512 || !slices.Contains(p.rivals, "openblas") {
		return p, err
	}
	about, err := p.ask("about openblas")
	if err != nil || slices.ContainsFunc(wide, func(core string) bool { return strings.Contains(about, core) }) {
		return p, err
	}
	if err := p.stop(); err != nil {
		return nil, err
	}
	return start(program, "OPENBLAS_CORETYPE="+wide[0])
}
