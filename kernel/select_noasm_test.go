//go:build purego || noasm

package kernel

import (
	"reflect"
	"testing"
)

// TestPortableOnly: the build tags leave the portable code alone, whatever the CPU.
func TestPortableOnly(t *testing.T) {
	if got := Available(); !reflect.DeepEqual(got, []Kernel{{generic}}) {
		t.Errorf("available: %v", got)
	}
	if s := Selected(); s.Name != "generic" || len(s.Features) != 0 {
		t.Errorf("selected: %+v", s)
	}
	for _, name := range []string{"avx512", "avx2", "neon"} {
		if _, ok := Lookup(name); ok {
			t.Errorf("%s is available", name)
		}
	}
}
