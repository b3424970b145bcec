//go:build (!amd64 && !arm64) || purego || noasm

package machine

// vectorUnits returns the units with loops in assembly: none here.
func vectorUnits() []Unit { return nil }

// cycles makes 64·n operations that depend on each other, of one cycle each, and returns
// their number.
func cycles(n int) uint64 { return 2 * addChainGo(1, 0, n) }
