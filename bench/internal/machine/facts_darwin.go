package machine

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// systemReport is what sysctl says. Apple's performance cores come first: a busy program
// runs on them.
func systemReport() report {
	brand, _ := unix.Sysctl("machdep.cpu.brand_string")
	r := report{cpu: brand}
	r.data[0] = number("hw.perflevel0.l1dcachesize", "hw.l1dcachesize")
	r.data[1] = number("hw.perflevel0.l2cachesize", "hw.l2cachesize")
	r.data[2] = number("hw.perflevel0.l3cachesize", "hw.l3cachesize")
	r.virtual = number("kern.hv_vmm_present") == 1
	return r
}

// number returns the first of the named values that exists. Some are 4 bytes, some 8.
func number(names ...string) int {
	for _, name := range names {
		b, err := unix.SysctlRaw(name)
		switch {
		case err == nil && len(b) == 4:
			return int(binary.LittleEndian.Uint32(b))
		case err == nil && len(b) == 8:
			return int(binary.LittleEndian.Uint64(b))
		}
	}
	return 0
}
