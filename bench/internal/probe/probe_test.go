package probe

import (
	"slices"
	"testing"
	"unsafe"
)

// Each round has its stack at another place of a page, and sixteen rounds see all of it.
func TestDepthMovesTheStack(t *testing.T) {
	at := make([]int, 0, 17)
	AtDepth(15, func() {}) // the stack grows, and moves, now
	for r := range 16 {
		AtDepth(Depth(r), func() {
			var here byte
			at = append(at, int(uintptr(unsafe.Pointer(&here))%4096))
		})
	}
	slices.Sort(at)
	at = append(at, at[0]+4096)
	for i := range 16 {
		if gap := at[i+1] - at[i]; gap == 0 || gap > 1024 {
			t.Errorf("places in the page %v: gap of %d bytes", at, gap)
		}
	}
}

func TestStatistics(t *testing.T) {
	if got := Median([]float64{3, 1, 2}); got != 2 {
		t.Errorf("median = %v, want 2", got)
	}
	if got := Median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median = %v, want 2.5", got)
	}
	for x, want := range map[float64]float64{0: 0, 1234567: 1235000, 0.00123456: 0.001235, 9.9996: 10, 121412345: 121400000} {
		if got := Round(x); got < want*(1-1e-12) || got > want*(1+1e-12) {
			t.Errorf("Round(%v) = %v, want %v", x, got, want)
		}
	}
}
