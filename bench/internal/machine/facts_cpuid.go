//go:build (amd64 || 386 || arm64) && !purego && !noasm

package machine

import (
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// cpuidReport is what the processor says about itself.
func cpuidReport() report {
	c := cpuid.CPU
	r := report{
		cpu: c.BrandName, vendor: c.VendorString,
		data:    [3]int{c.Cache.L1D, c.Cache.L2, c.Cache.L3},
		virtual: c.VM(),
	}
	if runtime.GOARCH != "arm64" { // where these numbers are not what people know a core by
		r.family, r.model, r.stepping = c.Family, c.Model, c.Stepping
	}
	if r.virtual {
		r.hypervisor = first(c.HypervisorVendorID.String(), c.HypervisorVendorString)
	}
	for _, f := range c.FeatureSet() {
		if vectorFeature(f) {
			r.features = append(r.features, f)
		}
	}
	slices.Sort(r.features)
	return r
}

// vectorFeature tells whether a feature matters to float arithmetic in vectors.
func vectorFeature(name string) bool {
	for _, p := range []string{"SSE", "AVX", "AMX", "FMA", "F16C", "ASIMD", "SVE", "SME", "FP", "BF16", "I8MM"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
