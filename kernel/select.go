package kernel

import "os"

// An isa names an implementation. The order is that of preference.
type isa uint8

const (
	unset isa = iota // a zero Kernel: the selected implementation
	generic
	neon
	avx2
	avx512
)

var isaNames = [...]string{unset: "selected", generic: "generic", neon: "neon", avx2: "avx2", avx512: "avx512"}

// A Kernel is one implementation of the operations of this package; all give the same
// bits. The zero Kernel is the one selected for this process, which is what programs
// want; the others are there to be tested and measured. A Kernel is a small value, safe
// for concurrent use.
type Kernel struct{ isa isa }

// Name returns "avx512", "avx2", "neon" or "generic".
func (k Kernel) Name() string { return isaNames[k.resolve()] }

func (k Kernel) resolve() isa {
	if k.isa == unset {
		return selected
	}
	return k.isa
}

// selected is decided once, from the CPU and the environment.
var selected, selection = choose(detect(), os.Getenv("MGDL_KERNEL"))

// choose returns the best of the available implementations, or the requested one.
func choose(available []isa, requested string) (isa, Selection) {
	s := Selection{Requested: requested, Honored: requested == ""}
	best := available[0]
	for _, i := range available {
		s.Available = append(s.Available, isaNames[i])
		if isaNames[i] == requested {
			best, s.Honored = i, true
		}
	}
	s.Name = isaNames[best]
	return best, s
}

// Selection tells which implementation runs, and why.
type Selection struct {
	Name      string   // the implementation the zero Kernel stands for
	Available []string // what this build and this CPU can run, best first
	Requested string   // the value of MGDL_KERNEL, empty when unset
	Honored   bool     // false where Requested is unknown or not available here
	Features  []string // CPU features the choice looked at and found
}

// Selected reports the choice made when the program started.
func Selected() Selection {
	s := selection
	s.Available = append([]string(nil), s.Available...)
	s.Features = features()
	return s
}

// Default returns the selected implementation by name.
func Default() Kernel { return Kernel{selected} }

// Available returns the implementations that can run here, best first.
func Available() []Kernel {
	var ks []Kernel
	for _, i := range detect() {
		ks = append(ks, Kernel{i})
	}
	return ks
}

// Lookup returns the implementation of that name if it can run here.
func Lookup(name string) (Kernel, bool) {
	for _, i := range detect() {
		if isaNames[i] == name {
			return Kernel{i}, true
		}
	}
	return Kernel{}, false
}
