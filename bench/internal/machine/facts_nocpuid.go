//go:build !(amd64 || 386 || arm64) || purego || noasm

package machine

// cpuidReport knows nothing where there is no assembly to ask the processor with.
func cpuidReport() report { return report{} }
