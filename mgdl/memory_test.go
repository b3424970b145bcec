package mgdl

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a model and a Predictor keep, and what reading them takes meanwhile, in sizes of
// the file: the weights once, packed in panels of 32 columns, and a little. Widths that fill
// no panels cost up to the next multiple of 16.
func TestPredictMemory(t *testing.T) {
	file := fileOf(t, makeModel(t, form{Regression, 1, false, 1, [][]int{{288, 288}, {288, 288}}, ""}, 1))
	require.Greater(t, len(file), 1_000_000)
	x := makeRows(1, 1)
	memory := func() (live, total uint64) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, m.TotalAlloc
	}
	live, total := memory()
	m, err := ReadModel(bytes.NewReader(file))
	require.NoError(t, err)
	p := m.NewPredictor()
	y := p.Predict(nil, x)
	liveAfter, totalAfter := memory()
	kept := float64(liveAfter-live) / float64(len(file))
	taken := float64(totalAfter-total) / float64(len(file))
	t.Logf("a file of %d bytes: %.3f times as much is kept, %.3f times was allocated", len(file), kept, taken)
	if kept > 1.1 || taken > 3 {
		t.Errorf("keeps %.3f sizes of the file, want at most 1.1; allocates %.3f, want at most 3", kept, taken)
	}
	runtime.KeepAlive(y)
	runtime.KeepAlive(p)
	runtime.KeepAlive(m)
	runtime.KeepAlive(file)
}
