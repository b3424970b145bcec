//go:build race

package kernel

import (
	"runtime"
	"unsafe"
)

// The race detector does not see into assembly, so the exported functions tell it what
// they read and write.
const raceEnabled = true

func raceReadSlice(x []float32) {
	if len(x) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(&x[0]), 4*len(x))
	}
}

func raceWriteSlice(x []float32) {
	if len(x) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(&x[0]), 4*len(x))
	}
}

func raceWriteFloat64(x []float64) {
	if len(x) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(&x[0]), 8*len(x))
	}
}

func raceRead(m Matrix) {
	for i := range m.Rows {
		raceReadSlice(m.Row(i))
	}
}

func raceWrite(m Matrix) {
	for i := range m.Rows {
		raceWriteSlice(m.Row(i))
	}
}
