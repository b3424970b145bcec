//go:build !purego && !noasm

package kernel

import (
	"slices"
	"testing"

	"golang.org/x/sys/cpu"
)

// TestDetect compares with another library's reading of the CPU.
func TestDetect(t *testing.T) {
	x := cpu.X86
	for name, has := range map[string]bool{
		"AVX2": x.HasAVX2, "FMA3": x.HasFMA, "AVX512F": x.HasAVX512F, "AVX512BW": x.HasAVX512BW, "AVX512DQ": x.HasAVX512DQ, "AVX512VL": x.HasAVX512VL,
	} {
		if slices.Contains(features(), name) != has {
			t.Errorf("%s: x/sys/cpu says %v, features are %v", name, has, features())
		}
	}
	var want []isa
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
		want = append(want, avx512)
	}
	if x.HasAVX2 && x.HasFMA {
		want = append(want, avx2)
	}
	want = append(want, generic)
	if got := detect(); !slices.Equal(got, want) {
		t.Errorf("available are %v, by x/sys/cpu %v", got, want)
	}
	// The avx512 implementation calls functions for AVX2.
	if slices.Contains(want, avx512) && !slices.Contains(want, avx2) {
		t.Error("a CPU with AVX-512 and without AVX2")
	}
}
