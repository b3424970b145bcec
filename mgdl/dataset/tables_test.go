package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

// Tables as they come from other programs. They may not all be redistributed, so they
// lie beside the repository where they are at all.
func TestRealTables(t *testing.T) {
	cases := []struct {
		file                string
		o                   Options
		rows                int
		numbers, categories int
		missing             int
		task                mgdl.Task
		classes             int
		dropped             []string
		err                 string
	}{
		{file: "md_ames.csv", o: Options{Target: []string{"Sale_Price"}}, rows: 2930, numbers: 33, categories: 40},
		{file: "diamonds.csv", o: Options{Target: []string{"price"}}, rows: 53940, numbers: 6, categories: 3},
		{file: "diamonds.csv", o: Options{Target: []string{"cut"}}, rows: 53940, numbers: 7, categories: 2,
			task: mgdl.Classification, classes: 5},
		{file: "letterrecognition.csv", o: Options{Target: []string{"lettr"}}, rows: 20000, numbers: 16,
			task: mgdl.Classification, classes: 26},
		{file: "sk_digits.csv", rows: 1797, numbers: 64, dropped: []string{"pixel_0_0", "pixel_4_0", "pixel_4_7"}},
		{file: "sk_digits.csv", o: Options{Task: "classify"}, rows: 1797, numbers: 64,
			task: mgdl.Classification, classes: 10, dropped: []string{"pixel_0_0", "pixel_4_0", "pixel_4_7"}},
		{file: "faithfuld.csv", rows: 5625, numbers: 2},
		{file: "sk_diabetes.csv", rows: 442, numbers: 10},
		{file: "seattle-weather.csv",
			err: `seattle-weather.csv: column "date" (1): more than 1,000 different values, too many for a category`},
		{file: "seattle-weather.csv", o: Options{Drop: []string{"date"}}, rows: 1461, numbers: 4,
			task: mgdl.Classification, classes: 5},
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", c.file))
			if err != nil {
				t.Skipf("the table is not here: %v", err)
			}
			defer f.Close()
			d, info, err := ReadCSV(f, c.file, c.o)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			checkData(t, d, info)
			require.Equal(t, c.rows, d.Rows)
			require.Equal(t, c.numbers, info.Numbers)
			require.Equal(t, c.categories, info.Categories)
			require.Equal(t, c.missing, info.MissingCells)
			require.Equal(t, c.dropped, info.Dropped)
			require.Equal(t, c.task, d.Schema.Task)
			require.Len(t, d.Schema.Targets[0].Levels, c.classes)

			_, err = f.Seek(0, 0)
			require.NoError(t, err)
			again, err := ReadCSVFor(f, c.file, d.Schema, 0, true)
			require.NoError(t, err)
			require.True(t, sameBits(d.X, again.X) && sameBits(d.Y, again.Y), "the table reads differently for its own schema")
		})
	}
}
