package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// systemReport is what /proc and /sys say about the first processor.
func systemReport() report {
	info := readText("/proc/cpuinfo")
	r := report{
		cpu:    first(field(info, "model name"), armName(info), field(info, "uarch"), field(info, "cpu model"), field(info, "isa")),
		vendor: first(field(info, "vendor_id"), field(info, "CPU implementer")),
		data:   sysCaches("/sys/devices/system/cpu/cpu0/cache"),
	}
	if board := readText("/sys/firmware/devicetree/base/model"); board != "" {
		r.cpu = first(r.cpu+", "+board, board)
	}
	r.family, _ = strconv.Atoi(field(info, "cpu family"))
	r.model, _ = strconv.Atoi(field(info, "model"))
	r.stepping, _ = strconv.Atoi(field(info, "stepping"))
	for f := range strings.FieldsSeq(first(field(info, "flags"), field(info, "Features"))) {
		for _, p := range []string{"sse", "avx", "amx", "fma", "f16c", "asimd", "sve", "sme", "fp", "neon", "vfp", "bf16", "i8mm"} {
			if strings.HasPrefix(f, p) && f != "fpu" {
				r.features = append(r.features, f)
				break
			}
		}
		r.virtual = r.virtual || f == "hypervisor"
	}
	if _, err := os.Stat("/sys/hypervisor/type"); err == nil {
		r.hypervisor, r.virtual = readText("/sys/hypervisor/type"), true
	}
	return r
}

// armName names the core from its implementer and part numbers, the way lscpu does: the
// kernel leaves that to its readers.
func armName(info string) string {
	part := field(info, "CPU part")
	if part == "" {
		return ""
	}
	id := field(info, "CPU implementer") + ":" + part
	name, ok := map[string]string{
		"0x41:0xd03": "Cortex-A53", "0x41:0xd04": "Cortex-A35", "0x41:0xd05": "Cortex-A55",
		"0x41:0xd07": "Cortex-A57", "0x41:0xd08": "Cortex-A72", "0x41:0xd09": "Cortex-A73",
		"0x41:0xd0a": "Cortex-A75", "0x41:0xd0b": "Cortex-A76", "0x41:0xd0d": "Cortex-A77",
		"0x41:0xd41": "Cortex-A78", "0x41:0xd46": "Cortex-A510", "0x41:0xd47": "Cortex-A710",
		"0x41:0xd80": "Cortex-A520", "0x41:0xd81": "Cortex-A720", "0x41:0xd44": "Cortex-X1",
		"0x41:0xd48": "Cortex-X2", "0x41:0xd0c": "Neoverse N1", "0x41:0xd49": "Neoverse N2",
		"0x41:0xd40": "Neoverse V1", "0x41:0xd4f": "Neoverse V2", "0x46:0x001": "A64FX",
		"0xc0:0xac3": "Ampere-1", "0xc0:0xac4": "Ampere-1A",
	}[id]
	if !ok {
		return fmt.Sprintf("implementer %s part %s", field(info, "CPU implementer"), part)
	}
	return name
}

// sysCaches reads the sizes of the caches that hold data from a sysfs directory.
func sysCaches(dir string) (data [3]int) {
	entries, _ := filepath.Glob(filepath.Join(dir, "index*"))
	for _, e := range entries {
		level, err := strconv.Atoi(readText(filepath.Join(e, "level")))
		if err != nil || level < 1 || level > 3 || readText(filepath.Join(e, "type")) == "Instruction" {
			continue
		}
		data[level-1] = sizeOf(readText(filepath.Join(e, "size")))
	}
	return data
}

// sizeOf reads "32K" or "1M"; 0 is anything else.
func sizeOf(s string) int {
	shift := 0
	switch {
	case strings.HasSuffix(s, "K"):
		shift = 10
	case strings.HasSuffix(s, "M"):
		shift = 20
	}
	n, err := strconv.Atoi(strings.TrimRight(s, "KM"))
	if err != nil || n < 0 || n > 1<<30>>shift {
		return 0
	}
	return n << shift
}
