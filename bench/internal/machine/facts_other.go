//go:build !linux && !darwin

package machine

import "os"

// systemReport is what the environment says: Windows names the processor there.
func systemReport() report { return report{cpu: os.Getenv("PROCESSOR_IDENTIFIER")} }
