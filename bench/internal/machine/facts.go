// Package machine says what the machine is and measures what one core of it can do: fused
// multiply-adds from registers, loads and stores at every level of the caches.
package machine

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/multigrade/multigrade/kernel"
)

// Facts are what the system says about itself. Nothing here is measured.
type Facts struct {
	Time       time.Time `json:"time"`
	CPU        string    `json:"cpu"`
	Vendor     string    `json:"vendor,omitempty"`
	Family     int       `json:"family,omitempty"`
	Model      int       `json:"model,omitempty"`
	Stepping   int       `json:"stepping,omitempty"`
	Hypervisor string    `json:"hypervisor,omitempty"`
	CPUs       int       `json:"cpus"`
	Features   []string  `json:"features"`
	Caches     []Cache   `json:"caches"`

	GOOS     string `json:"goos"`
	GOARCH   string `json:"goarch"`
	Level    string `json:"level,omitempty"` // GOAMD64=v1 and its like
	Go       string `json:"go"`
	Tags     string `json:"tags,omitempty"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"`

	Kernel Selection `json:"kernel"`
}

// A Selection is the implementation of package kernel that was chosen.
type Selection struct {
	Name      string   `json:"name"`
	Available []string `json:"available"`
	Requested string   `json:"requested,omitempty"`
	Features  []string `json:"features,omitempty"`
}

// A Cache is one level of the hierarchy that holds data. Note says why Bytes may be wrong;
// a guess is never silent, since buffers and floors are derived from these sizes.
type Cache struct {
	Level string `json:"level"`
	Bytes int    `json:"bytes"`
	From  string `json:"from"` // cpuid, system or assumed
	Note  string `json:"note,omitempty"`
}

// report is what one source says; zero fields are unknown.
type report struct {
	cpu, vendor, hypervisor string
	family, model, stepping int
	features                []string
	data                    [3]int // bytes of L1 data, L2 and L3
	virtual                 bool
}

// Detect asks the processor and the system.
func Detect() Facts {
	cpu, system := cpuidReport(), systemReport()
	sel := kernel.Selected()
	m := Facts{
		Time:       time.Now().UTC().Truncate(time.Second),
		CPU:        first(cpu.cpu, system.cpu, "unknown"),
		Vendor:     first(cpu.vendor, system.vendor),
		Family:     cpu.family,
		Model:      cpu.model,
		Stepping:   cpu.stepping,
		Hypervisor: first(cpu.hypervisor, system.hypervisor),
		CPUs:       runtime.NumCPU(),
		Features:   cpu.features,
		Caches:     caches(cpu.data, system.data, cpu.virtual || system.virtual),
		GOOS:       runtime.GOOS,
		GOARCH:     runtime.GOARCH,
		Go:         runtime.Version(),
		Kernel: Selection{
			Name: sel.Name, Available: sel.Available, Requested: sel.Requested, Features: sel.Features,
		},
	}
	if m.Family == 0 {
		m.Family, m.Model, m.Stepping = system.family, system.model, system.stepping
	}
	if len(m.Features) == 0 {
		m.Features = system.features
	}
	if bi, ok := debug.ReadBuildInfo(); ok {
		level := "GO" + strings.ToUpper(runtime.GOARCH)
		for _, s := range bi.Settings {
			switch s.Key {
			case level:
				m.Level = s.Key + "=" + s.Value
			case "-tags":
				m.Tags = s.Value
			case "vcs.revision":
				m.Commit = s.Value
			case "vcs.modified":
				m.Modified = s.Value == "true"
			}
		}
	}
	return m
}

func first(s ...string) string {
	for _, v := range s {
		if v = strings.Join(strings.Fields(v), " "); v != "" {
			return v
		}
	}
	return ""
}

// The range of believable sizes of a level, and what is assumed where nothing believable
// is reported. Levels above the second need not exist.
var believable = [3]struct{ least, most, assume int }{
	{4 << 10, 1 << 20, 32 << 10},
	{32 << 10, 256 << 20, 512 << 10},
	{256 << 10, 1 << 30, 0},
}

// caches settles what two sources say about the data caches: a size must be believable and
// larger than the level below; where both are and differ, the smaller is taken.
func caches(cpuid, system [3]int, virtual bool) []Cache {
	var cs []Cache
	below := 0
	for i, b := range believable {
		ok := func(n int) bool { return n >= b.least && n <= b.most && n > below }
		c := Cache{Level: fmt.Sprintf("L%d", i+1)}
		switch x, s := cpuid[i], system[i]; {
		case ok(x) && ok(s):
			c.Bytes, c.From = min(x, s), "cpuid"
			if s < x {
				c.From = "system"
			}
			if s != x {
				c.Note = fmt.Sprintf("cpuid says %s, the system says %s", BytesText(x), BytesText(s))
			}
		case ok(x):
			c.Bytes, c.From = x, "cpuid"
			if s > 0 {
				c.Note = fmt.Sprintf("the system's %s is not believable", BytesText(s))
			}
		case ok(s):
			c.Bytes, c.From = s, "system"
			if x > 0 {
				c.Note = fmt.Sprintf("cpuid's %s is not believable", BytesText(x))
			}
		case b.assume > below:
			c.Bytes, c.From, c.Note = b.assume, "assumed", "no believable size reported"
		default:
			continue
		}
		if virtual && c.From != "assumed" {
			if c.Note != "" {
				c.Note += "; "
			}
			c.Note += "as the hypervisor says, unchecked"
			if i == 2 {
				c.Note += ", perhaps shared with other guests"
			}
		}
		below = c.Bytes
		cs = append(cs, c)
	}
	return cs
}

// BytesText shows a number of bytes in the unit that suits it.
func BytesText(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// field returns the value of the first "name: value" line of a /proc/cpuinfo.
func field(cpuinfo string, name string) string {
	for line := range strings.Lines(cpuinfo) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func readText(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.Trim(string(b), " \n\x00")
}

// Name is what people know the processor by.
func (m Facts) Name() string {
	if m.Family == 0 {
		return m.CPU
	}
	return fmt.Sprintf("%s (family %d model %d stepping %d)", m.CPU, m.Family, m.Model, m.Stepping)
}

// Revision is that of the source, as far as it is known.
func (m Facts) Revision() string {
	switch {
	case m.Commit == "":
		return "not recorded (go run -buildvcs=true records it)"
	case m.Modified:
		return m.Commit + ", modified"
	}
	return m.Commit
}

// String says how large a cache is, and how that is known.
func (c Cache) String() string {
	text := fmt.Sprintf("%s from %s", BytesText(c.Bytes), c.From)
	if c.Note != "" {
		text += " (" + c.Note + ")"
	}
	return text
}

// Print writes what is known, a line each.
func (m Facts) Print(w io.Writer) {
	fmt.Fprintf(w, "cpu        %s, %d logical\n", m.Name(), m.CPUs)
	if m.Hypervisor != "" {
		fmt.Fprintf(w, "virtual    %s\n", m.Hypervisor)
	}
	if len(m.Features) > 0 {
		fmt.Fprintf(w, "features   %s\n", strings.Join(m.Features, " "))
	}
	for i, c := range m.Caches {
		label := ""
		if i == 0 {
			label = "caches"
		}
		fmt.Fprintf(w, "%-10s %s %s\n", label, c.Level, c)
	}
	fmt.Fprintf(w, "go         %s %s/%s", m.Go, m.GOOS, m.GOARCH)
	if m.Level != "" {
		fmt.Fprintf(w, " %s", m.Level)
	}
	if m.Tags != "" {
		fmt.Fprintf(w, " -tags %s", m.Tags)
	}
	fmt.Fprintf(w, "\ncommit     %s\n", m.Revision())
	fmt.Fprintf(w, "kernel     %s, of %s", m.Kernel.Name, strings.Join(m.Kernel.Available, ", "))
	if m.Kernel.Requested != "" {
		fmt.Fprintf(w, " (MGDL_KERNEL=%s)", m.Kernel.Requested)
	}
	fmt.Fprintf(w, "\ntime       %s\n", m.Time.Format(time.RFC3339))
}
