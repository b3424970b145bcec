package dataset

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// TestPackedTrain: the same rows make the same model, to the byte, whether they come as
// float64, packed, or packed and let go of on the way.
func TestPackedTrain(t *testing.T) {
	in := lines("a,b,c,y", 9000, func(i int) string {
		return fmt.Sprintf("%g,%s,%d,%.3f", math.Sin(float64(i)), []string{"u", "", "w"}[i%3], i%7, math.Cos(float64(i))+float64(i%3))
	})
	read := func(packed bool) mgdl.Data {
		d, _, err := ReadCSV(strings.NewReader(in), "t.csv", Options{Packed: packed})
		require.NoError(t, err)
		require.Equal(t, packed, d.X == nil)
		require.Equal(t, packed, d.Source != nil)
		return d
	}
	train := func(d mgdl.Data) []byte {
		m, err := mgdl.Train(context.Background(), d, mgdl.Config{Grades: 1, Epochs: 1, Chains: 1, Hidden: []int{4}})
		require.NoError(t, err)
		var b bytes.Buffer
		_, err = m.WriteTo(&b)
		require.NoError(t, err)
		return b.Bytes()
	}
	plain, packed, once := read(false), read(true), read(true)
	want := train(plain)
	require.Equal(t, want, train(packed))
	require.Equal(t, want, train(packed), "the packed rows have changed")

	p := once.Source.(*Packed)
	require.Positive(t, p.Bytes())
	require.Less(t, p.Bytes(), 8*len(plain.X)*2/3)
	once.Source = p.Consume()
	require.Equal(t, want, train(once))
	require.Zero(t, p.Bytes(), "rows have been kept")
	require.PanicsWithValue(t, "dataset: the rows have been let go", func() { p.ReadRows(make([]float64, 3), 0) })

	m, err := mgdl.ReadModel(bytes.NewReader(want))
	require.NoError(t, err)
	a, err := m.Evaluate(plain)
	require.NoError(t, err)
	b, err := m.Evaluate(packed)
	require.NoError(t, err)
	require.Equal(t, a, b)
}
