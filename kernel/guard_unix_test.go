//go:build unix

package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/unix"
)

// Operands between unreadable pages: an access one element past either end of what an
// operation was given is a fault, and a write beside it on the same page is noticed.

// canary fills what an operation must not touch.
const canary = -12345.5

// An arena is memory with an unreadable page on either side.
type arena struct{ data []float32 }

func newArena(t *testing.T, floats int) arena {
	t.Helper()
	page := unix.Getpagesize()
	size := (4*floats + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(m); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{m[:page], m[page+size:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return arena{unsafe.Slice((*float32)(unsafe.Pointer(&m[page])), size/4)}
}

// readOnly makes writes to the arena fault.
func (a arena) readOnly(t *testing.T) arena {
	t.Helper()
	b := unsafe.Slice((*byte)(unsafe.Pointer(&a.data[0])), 4*len(a.data))
	if err := unix.Mprotect(b, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	return a
}

// at returns n elements flush against the end of the arena or its beginning.
func (a arena) at(end bool, n int) []float32 {
	if end {
		return a.data[len(a.data)-n : len(a.data) : len(a.data)]
	}
	return a.data[:n:n]
}

func (a arena) matrix(end bool, rows, cols, stride int) Matrix {
	return Matrix{Rows: rows, Cols: cols, Stride: stride, Data: a.at(end, span(rows, cols, stride))}
}

// beside is what lies next to the n elements on their open side.
func (a arena) beside(end bool, n int) []float32 {
	if end {
		return a.data[max(0, len(a.data)-n-64) : len(a.data)-n]
	}
	return a.data[n:min(len(a.data), n+64)]
}

// prepare puts values into the n elements and canaries beside them.
func (a arena) prepare(end bool, values []float32) []float32 {
	x := a.at(end, len(values))
	copy(x, values)
	b := a.beside(end, len(values))
	for i := range b {
		b[i] = canary
	}
	return x
}

func (a arena) requireCanaries(t *testing.T, what string, end bool, n int) {
	t.Helper()
	for _, v := range a.beside(end, n) {
		if v != canary {
			t.Fatalf("%s: wrote beside its operand", what)
		}
	}
}

// guarded runs f and fails if it touches a page it must not.
func guarded(t *testing.T, what string, f func()) {
	t.Helper()
	if _, p := fault(f); p != nil {
		t.Fatalf("%s: %v", what, p)
	}
}

// fault returns what f panics with, and the address if that is a fault.
func fault(f func()) (address uintptr, p any) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p = recover()
		if e, ok := p.(interface{ Addr() uintptr }); ok {
			address = e.Addr()
			p = fmt.Sprintf("access to a guarded page at %#x", address)
		}
	}()
	f()
	return 0, nil
}

// TestGuard checks that the guards of an arena bite.
func TestGuard(t *testing.T) {
	a := newArena(t, 100)
	first, last := unsafe.Pointer(&a.data[0]), unsafe.Pointer(&a.data[len(a.data)-1])
	touch := func(p unsafe.Pointer) func() {
		return func() { *(*float32)(p)++ }
	}
	page := uintptr(unix.Getpagesize()) // s390x reports the page of a fault
	at := func(p unsafe.Pointer) bool { // emulated arm and ppc64le report no address
		address, panicked := fault(touch(p))
		return panicked != nil && (address == 0 || address/page == uintptr(p)/page)
	}
	for _, p := range []unsafe.Pointer{unsafe.Add(first, -4), unsafe.Add(last, 4)} {
		if !at(p) {
			t.Fatalf("an access at %v does not fault there", p)
		}
	}
	guarded(t, "an access inside", touch(first))
	guarded(t, "an access inside", touch(last))
	a.readOnly(t)
	if !at(first) {
		t.Fatal("wrote to what is read-only")
	}
}

var guardRows = []int{1, 2, 3, 4, 5, 6, 7, 8, 13}

// eachEnd runs f on every implementation with operands at the end and at the beginning.
func eachEnd(t *testing.T, f func(t *testing.T, k Kernel, end bool)) {
	for _, k := range Available() {
		for _, end := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/end %v", k.Name(), end), func(t *testing.T) {
				t.Parallel()
				if end && k.isa == avx2 && emulated() {
					t.Skip("the emulator reads what VMASKMOVPS masks off; the CPU does not")
				}
				f(t, k, end)
			})
		}
	}
}

// emulated tells whether QEMU interprets this program.
func emulated() bool { return cpuid.CPU.HypervisorVendorString == "TCGTCGTCGTCG" }

// source is read-only memory full of random values.
func source(t *testing.T, r *rand.Rand, floats int) arena {
	a := newArena(t, floats)
	fillers[1].fill(r, a.data)
	return a.readOnly(t)
}

const (
	guardFloats  = 13 * (130 + 5)
	guardWeights = 130 * 160
)

func TestGuardProducts(t *testing.T) {
	portable := Kernel{generic}
	eachEnd(t, func(t *testing.T, k Kernel, end bool) {
		r := rand.New(rand.NewPCG(51, 1))
		as, ws, biases, masks := source(t, r, guardFloats), source(t, r, guardWeights), source(t, r, 130), source(t, r, guardFloats)
		dsts := newArena(t, guardFloats)
		initial := vector(r, fillers[1], guardFloats)
		for _, rows := range thin(guardRows) {
			for _, kk := range thin(kSizes) {
				for _, n := range nSizes {
					a := as.matrix(end, rows, kk, kk+r.IntN(3))
					// The padding holds values here: it may be read, and must not matter
					// but as a finite number.
					w := Weights{K: kk, N: n, Data: ws.at(end, WeightsLen(kk, n))}
					bias := biases.at(end, n)
					mask := masks.matrix(end, rows, n, n+r.IntN(3))
					stride := n + r.IntN(3)
					size := span(rows, n, stride)
					got := Matrix{Rows: rows, Cols: n, Stride: stride}
					want := clone(Matrix{Rows: rows, Cols: n, Stride: stride, Data: initial[:size]})
					run := func(what string, op func(k Kernel, dst Matrix)) {
						t.Helper()
						what = fmt.Sprintf("%s %d×%d×%d strides %d %d %d", what, rows, kk, n, a.Stride, stride, mask.Stride)
						copy(want.Data, initial)
						got.Data = dsts.prepare(end, want.Data)
						guarded(t, what, func() { op(k, got) })
						op(portable, want)
						requireBits(t, what, got.Data, want.Data)
						dsts.requireCanaries(t, what, end, size)
					}
					run("MatMul", func(k Kernel, dst Matrix) { k.MatMul(dst, a, w, bias, true) })
					run("InputGrad", func(k Kernel, dst Matrix) { k.InputGrad(dst, a, w, mask) })
					run("InputGrad in place", func(k Kernel, dst Matrix) { k.InputGrad(dst, a, w, dst) })
				}
			}
		}
	})
}

func TestGuardNetworks(t *testing.T) {
	portable := Kernel{generic}
	eachEnd(t, func(t *testing.T, k Kernel, end bool) {
		r := rand.New(rand.NewPCG(55, 1))
		xs, biases, dsts := source(t, r, 200), source(t, r, 200), newArena(t, 200)
		for _, widths := range networkWidths {
			var layers []Layer
			for l := range len(widths) - 1 {
				w := Weights{K: widths[l], N: widths[l+1]}
				w.Data = source(t, r, max(1, WeightsLen(w.K, w.N))).at(end, WeightsLen(w.K, w.N))
				layers = append(layers, Layer{W: w, Bias: biases.at(end, w.N), ReLU: l%2 == 0})
			}
			n, want := k.NewNetwork(layers), portable.NewNetwork(layers)
			x, out := xs.at(end, widths[0]), widths[len(widths)-1]
			for range 3 {
				what := fmt.Sprint(widths)
				got, y := dsts.prepare(end, make([]float32, out)), make([]float32, out)
				guarded(t, what, func() { n.Run(got, x) })
				want.Run(y, x)
				requireBits(t, what, got, y)
				dsts.requireCanaries(t, what, end, out)
			}
		}
	})
}

func TestGuardGradients(t *testing.T) {
	portable := Kernel{generic}
	eachEnd(t, func(t *testing.T, k Kernel, end bool) {
		r := rand.New(rand.NewPCG(52, 1))
		xs, dys := source(t, r, guardFloats), source(t, r, guardFloats)
		dws, dbs := newArena(t, guardWeights), newArena(t, 130)
		crosses := newArena(t, 2*97*130)
		initial := vector(r, fillers[1], 2*guardWeights)
		for _, rows := range thin([]int{1, 2, 5}) {
			for _, kk := range thin(kSizes) {
				for _, n := range nSizes {
					x, dy := xs.matrix(end, rows, kk, kk+r.IntN(3)), dys.matrix(end, rows, n, n+r.IntN(3))
					accumulate := r.IntN(2) == 0
					what := fmt.Sprintf("%d×%d×%d strides %d %d accumulate %v", rows, kk, n, x.Stride, dy.Stride, accumulate)

					size := WeightsLen(kk, n)
					want := Weights{K: kk, N: n, Data: append([]float32(nil), initial[:size]...)}
					wantB := append([]float32(nil), initial[:n]...)
					got := Weights{K: kk, N: n, Data: dws.prepare(end, want.Data)}
					gotB := dbs.prepare(end, wantB)
					guarded(t, "WeightGrad "+what, func() { k.WeightGrad(got, gotB, x, dy, accumulate) })
					portable.WeightGrad(want, wantB, x, dy, accumulate)
					requireBits(t, "WeightGrad "+what, got.Data, want.Data)
					requireBits(t, "WeightGrad bias "+what, gotB, wantB)
					dws.requireCanaries(t, "WeightGrad "+what, end, size)
					dbs.requireCanaries(t, "WeightGrad bias "+what, end, n)

					if kk == 0 {
						continue
					}
					raw := crosses.prepare(end, initial[:2*kk*n])
					cross := unsafe.Slice((*float64)(unsafe.Pointer(&raw[0])), kk*n)
					wantC := make([]float64, kk*n)
					for i := range wantC {
						cross[i] = float64(initial[i])
						wantC[i] = cross[i]
					}
					guarded(t, "Cross "+what, func() { k.Cross(cross, x, dy) })
					portable.Cross(wantC, x, dy)
					for i := range wantC {
						if !sameFloat64(cross[i], wantC[i]) {
							t.Fatalf("Cross %s: element %d is %g, want %g", what, i, cross[i], wantC[i])
						}
					}
					crosses.requireCanaries(t, "Cross "+what, end, 2*kk*n)
				}
			}
		}
	})
}

func TestGuardTranspose(t *testing.T) {
	portable := Kernel{generic}
	eachEnd(t, func(t *testing.T, k Kernel, end bool) {
		r := rand.New(rand.NewPCG(53, 1))
		srcs, dsts := source(t, r, guardWeights), newArena(t, guardWeights)
		initial := vector(r, fillers[1], guardWeights)
		for _, kk := range kSizes {
			for _, n := range nSizes {
				what := fmt.Sprintf("%d×%d", kk, n)
				src := Weights{K: kk, N: n, Data: srcs.at(end, WeightsLen(kk, n))}
				size := WeightsLen(n, kk)
				want := Weights{K: n, N: kk, Data: append([]float32(nil), initial[:size]...)}
				got := Weights{K: n, N: kk, Data: dsts.prepare(end, want.Data)}
				guarded(t, what, func() { k.Transpose(got, src) })
				portable.Transpose(want, src)
				requireBits(t, what, got.Data, want.Data)
				dsts.requireCanaries(t, what, end, size)
			}
		}
	})
}

func TestGuardVectors(t *testing.T) {
	portable := Kernel{generic}
	eachEnd(t, func(t *testing.T, k Kernel, end bool) {
		r := rand.New(rand.NewPCG(54, 1))
		const most = 20000
		x, y := source(t, r, most), source(t, r, most)
		var dsts [3]arena
		for i := range dsts {
			dsts[i] = newArena(t, most)
		}
		values := vector(r, fillers[1], most)
		for i, v := range values {
			values[i] = v * v // also a second moment
		}
		sizes := append([]int(nil), vectorSizes...)
		for n := range 40 {
			if !short() || n%8 == 1 {
				sizes = append(sizes, n, 48+n, 16380+n)
			}
		}
		for _, n := range sizes {
			what := fmt.Sprintf("%d elements", n)
			run := func(op string, f func(k Kernel, dst [3][]float32)) {
				t.Helper()
				var got, want [3][]float32
				for i := range dsts {
					want[i] = append([]float32(nil), values[:n]...)
					got[i] = dsts[i].prepare(end, want[i])
				}
				guarded(t, op+" "+what, func() { f(k, got) })
				f(portable, want)
				for i := range dsts {
					requireBits(t, op+" "+what, got[i], want[i])
					dsts[i].requireCanaries(t, op+" "+what, end, n)
				}
			}
			x, y := x.at(end, n), y.at(end, n)
			run("Sums", func(k Kernel, dst [3][]float32) { k.Sums(x) })
			run("Distance", func(k Kernel, dst [3][]float32) { k.Distance(x, y) })
			run("Residual", func(k Kernel, dst [3][]float32) { k.Residual(dst[0], x, y) })
			run("Lerp", func(k Kernel, dst [3][]float32) { k.Lerp(dst[0], x, 0.3) })
			run("Add", func(k Kernel, dst [3][]float32) { k.Add(dst[0], x) })
			run("Multiply", func(k Kernel, dst [3][]float32) { k.Multiply(dst[0], x) })
			run("Sine", func(k Kernel, dst [3][]float32) { k.Sine(dst[0], nil, x, 0.7) })
			run("Sine with cosine", func(k Kernel, dst [3][]float32) { k.Sine(dst[0], dst[1], y, 1) })
			run("Adam", func(k Kernel, dst [3][]float32) { k.Adam(dst[0], x, dst[1], dst[2], adam) })
		}
	})
}

// TestGuardComplete fails when an operation joins that no test here covers.
func TestGuardComplete(t *testing.T) {
	requireOperations(t, "MatMul", "InputGrad", "WeightGrad", "Cross", "Transpose", "Sums", "Distance", "Residual", "Lerp", "Add", "Adam", "Sine", "Multiply")
}
