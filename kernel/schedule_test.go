package kernel

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// How well the inner loops of the NEON code are scheduled, without the silicon: llvm-mca
// simulates them on its models of cores. What is measured is multiply-adds a cycle, against
// what the same model does when there is nothing else to do.

// scheduleCores are models that differ; "in order" is what the first two are.
var scheduleCores = []string{"cortex-a53", "cortex-a55", "cortex-a72", "cortex-a76", "neoverse-n1", "neoverse-v1", "neoverse-v2", "apple-m1"}

// scheduleFloor is the share of a core's peak that the loops of the big tiles must reach.
// None may be slower anywhere than the simple tile. The Cortex-A55 is modelled with two multiply-adds and two instructions a cycle, so
// that every instruction of another kind costs half a multiply-add: calibrate.md in bench
// has the arithmetic.
var scheduleFloor = map[string]float64{
	"cortex-a55": 0.66, "cortex-a72": 0.95, "cortex-a76": 0.95, "neoverse-n1": 0.95, "neoverse-v1": 0.95, "neoverse-v2": 0.95, "apple-m1": 0.95,
}

// bigTiles are the loops in which large layers spend their time.
var bigTiles = []string{"product6x8x2NEON four", "gradient8x8NEON two"}

// TestSchedule compares the table with the one in testdata, which MGDL_UPDATE=1 rewrites.
func TestSchedule(t *testing.T) {
	tool(t, "llvm-mca-19", "llvm-19")
	loops := innerLoops(t)
	table := &bytes.Buffer{}
	fmt.Fprintf(table, "%-24s %5s %6s", "multiply-adds a cycle", "count", "instr.")
	for _, core := range scheduleCores {
		fmt.Fprintf(table, " %11s", core)
	}
	row := func(name string, loop []string) map[string]float64 {
		n := multiplyAdds(loop)
		fmt.Fprintf(table, "\n%-24s %5d %6.2f", name, n, float64(len(loop))/float64(n))
		rates := map[string]float64{}
		for _, core := range scheduleCores {
			rates[core] = rate(t, core, loop)
			fmt.Fprintf(table, " %11.2f", rates[core])
		}
		return rates
	}
	peak := row("nothing else", independent())
	plain := row("simple 8x8, one chain", simpleTile())
	rates := map[string]map[string]float64{}
	for _, name := range slices.Sorted(maps.Keys(loops)) {
		rates[name] = row(name, loops[name])
	}
	fmt.Fprintln(table)
	for _, name := range bigTiles {
		for _, core := range scheduleCores {
			if got := rates[name][core] / peak[core]; got < scheduleFloor[core] {
				t.Errorf("%s: %s reaches %.3f of the peak, want %.2f", core, name, got, scheduleFloor[core])
			}
			if got := rates[name][core]; got < 0.999*plain[core] {
				t.Errorf("%s: %s does %.3f multiply-adds a cycle, the simple tile %.3f", core, name, got, plain[core])
			}
		}
	}
	golden := filepath.Join("testdata", "schedule.txt")
	if os.Getenv("MGDL_UPDATE") != "" {
		if err := os.WriteFile(golden, table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, table.Bytes()) {
		t.Errorf("%s does not say\n%s", golden, table)
	}
}

// innerLoops returns the instructions of each innermost loop with multiply-adds, named for
// its TEXT and label.
func innerLoops(t *testing.T) map[string][]string {
	t.Helper()
	const file = "kernel_arm64.s"
	list := arm64Object(t)[file]
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(source), "\n")
	target := regexp.MustCompile(`^(?:b(?:\.\w+)?|t?bn?z \w+, .*|cbn?z \w+,) 0x([0-9a-f]+)$`)
	loops := map[string][]string{}
	last := 0 // behind the last branch or target of one
	for i, in := range list {
		m := target.FindStringSubmatch(in.asm)
		if m == nil {
			continue
		}
		addr, _ := strconv.ParseUint(m[1], 16, 64)
		if start := int(addr / 4); start <= i && start >= last {
			var loop []string
			for _, in := range list[start:i] {
				loop = append(loop, in.asm)
			}
			loop = append(loop, strings.TrimSuffix(in.asm, "0x"+m[1])+"loop")
			if multiplyAdds(loop) > 0 {
				loops[in.text+" "+labelAbove(lines, list[start].line)] = loop
			}
		}
		last = i + 1
	}
	return loops
}

// labelAbove is the label that a line stands behind.
func labelAbove(lines []string, line int) string {
	for n := line - 1; n >= 0; n-- {
		if label, found := strings.CutSuffix(lines[n], ":"); found {
			return label
		}
	}
	return ""
}

var fused = regexp.MustCompile(`^fmla v\d+\.(4s|2d)`)

func multiplyAdds(loop []string) int {
	n := 0
	for _, asm := range loop {
		if fused.MatchString(asm) {
			n++
		}
	}
	return n
}

// rate is how many multiply-adds a cycle a model does of a loop.
func rate(t *testing.T, core string, loop []string) float64 {
	t.Helper()
	const times = 200
	cmd := exec.Command("llvm-mca-19", "-mtriple=aarch64-linux-gnu", "-mcpu="+core, "-iterations="+strconv.Itoa(times))
	cmd.Stdin = strings.NewReader("loop:\n" + strings.Join(loop, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	m := regexp.MustCompile(`Total Cycles: +(\d+)`).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("llvm-mca-19 -mcpu=%s: %v\n%s", core, err, out)
	}
	cycles, _ := strconv.Atoi(string(m[1]))
	return float64(times*multiplyAdds(loop)) / float64(cycles)
}

// independent is a loop of multiply-adds that do not wait for each other.
func independent() []string {
	var loop []string
	for i := range 24 {
		loop = append(loop, fmt.Sprintf("fmla v%d.4s, v30.4s, v31.s[%d]", i, i%4))
	}
	return loop
}

// simpleTile is what one writes first: eight rows, eight columns, one chain, four k at a
// time; loads before what needs them.
func simpleTile() []string {
	var loop []string
	for r := range 8 {
		loop = append(loop, fmt.Sprintf("ldr q%d, [x%d], #16", 16+r, r))
	}
	for k := range 4 {
		for j := range 2 {
			loop = append(loop, fmt.Sprintf("ldr q%d, [x10, #%d]", 24+j, 128*k+16*j))
		}
		for j := range 2 {
			for r := range 8 {
				loop = append(loop, fmt.Sprintf("fmla v%d.4s, v%d.4s, v%d.s[%d]", 8*j+r, 24+j, 16+r, k))
			}
		}
	}
	return append(loop, "add x10, x10, #512", "subs x11, x11, #4", "b.ge loop")
}
