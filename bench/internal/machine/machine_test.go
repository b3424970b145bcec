package machine

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/bench/internal/shapes"
)

func TestFloor(t *testing.T) {
	l := Limits{Caches: caches([3]int{32 << 10, 1 << 20, 0}, [3]int{}, false), Units: []UnitLimits{{Levels: []Bandwidth{
		{Level: "L1", ReadGBps: 200, WriteGBps: 100}, {Level: "L2", ReadGBps: 100, WriteGBps: 50}, {Level: "DRAM", ReadGBps: 20, WriteGBps: 10},
	}}}}
	for _, c := range []struct {
		w    shapes.Work
		name string
		ns   float64
	}{
		{shapes.Work{Flops: 1000, Reads: 100, Writes: 100, Touch: 200}, "fma", 10},
		{shapes.Work{Flops: 10, Reads: 4000, Writes: 100, Touch: 4100}, "L1 read", 20},
		{shapes.Work{Reads: 4000, Writes: 4000, Touch: 8000}, "L1 write", 40},
		{shapes.Work{Reads: 64 << 10, Touch: 64 << 10}, "L2 read", 32768/200.0 + 32768/100.0}, // half of it may be in L1
		{shapes.Work{Writes: 4 << 20, Touch: 4 << 20}, "DRAM write", 1<<20/50.0 + 3<<20/10.0},
	} {
		if name, ns := l.Floor(c.w, 100, "generic"); name != c.name || math.Abs(ns-c.ns) > 1e-9*c.ns {
			t.Errorf("%+v: %s %v, want %s %v", c.w, name, ns, c.name, c.ns)
		}
	}
}

func TestCaches(t *testing.T) {
	const k, m = 1 << 10, 1 << 20
	for _, c := range []struct {
		name          string
		cpuid, system [3]int
		virtual       bool
		want          string
	}{
		{"agreed", [3]int{32 * k, m, 32 * m}, [3]int{32 * k, m, 32 * m}, false, "32 KiB cpuid|1 MiB cpuid|32 MiB cpuid"},
		{"unknown", [3]int{-1, -1, -1}, [3]int{}, false,
			"32 KiB assumed (no believable size reported)|512 KiB assumed (no believable size reported)"},
		{"no third", [3]int{}, [3]int{64 * k, 4 * m, 0}, false, "64 KiB system|4 MiB system"},
		{"differ", [3]int{48 * k, 2 * m, 260 * m}, [3]int{48 * k, 2 * m, 16 * m}, false,
			"48 KiB cpuid|2 MiB cpuid|16 MiB system (cpuid says 260 MiB, the system says 16 MiB)"},
		{"all the same", [3]int{32 * k, 32 * k, 32 * k}, [3]int{}, false,
			"32 KiB cpuid|512 KiB assumed (no believable size reported)"},
		{"one unbelievable", [3]int{1, m, 0}, [3]int{32 * k, 1, 0}, false,
			"32 KiB system (cpuid's 1 B is not believable)|1 MiB cpuid (the system's 1 B is not believable)"},
		{"guest", [3]int{32 * k, m, 16 * m}, [3]int{}, true,
			"32 KiB cpuid (as the hypervisor says, unchecked)|1 MiB cpuid (as the hypervisor says, unchecked)|" +
				"16 MiB cpuid (as the hypervisor says, unchecked, perhaps shared with other guests)"},
	} {
		var got []string
		for _, x := range caches(c.cpuid, c.system, c.virtual) {
			s := BytesText(x.Bytes) + " " + x.From
			if x.Note != "" {
				s += " (" + x.Note + ")"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, s, c.want)
		}
	}
}

// Every level's buffer must fit its cache and not the one below.
func TestLevels(t *testing.T) {
	const k, m = 1 << 10, 1 << 20
	for _, c := range [][3]int{{32 * k, m, 32 * m}, {32 * k, 64 * k, 0}, {64 * k, 512 * k, m}, {192 * k, 12 * m, 0}, {48 * k, 2 * m, 1 << 30}} {
		cs := caches(c, [3]int{}, false)
		ls := Levels(cs)
		if len(ls) != len(cs)+1 || ls[len(cs)].Level != "DRAM" {
			t.Fatalf("%v: levels %+v", c, ls)
		}
		for i, l := range ls {
			if l.Bytes%(8*blockWords) != 0 || i < len(cs) && l.Bytes > cs[i].Bytes/4*3 || i > 0 && i < len(cs) && l.Bytes <= cs[i-1].Bytes {
				t.Errorf("%v: level %+v", c, l)
			}
		}
	}
}

func TestTexts(t *testing.T) {
	info := "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2\n"
	if got := field(info, "model name"); got != "Some CPU @ 2 GHz" {
		t.Errorf("field = %q", got)
	}
	file := filepath.Join(t.TempDir(), "size")
	require.NoError(t, os.WriteFile(file, []byte("32K\n"), 0o600))
	if got := readText(file); got != "32K" {
		t.Errorf("readText = %q", got)
	}
}
