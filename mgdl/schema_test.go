package mgdl

import (
	"math"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

func TestEncode(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	s := testSchema(Regression, 1)
	s.Features[4].Scale = 4
	s.Features[4].Mean = 10
	if s.inputs() != 1+4+0+2+1 {
		t.Fatalf("inputs = %d, want 8", s.inputs())
	}
	for _, c := range []struct {
		name string
		x    []float64
		want []float32
	}{
		{"plain", []float64{2.75, 1, 3, 0, 12}, []float32{1, 0, 1, 0, 0, 1, 0, 0.5}},
		{"missing", []float64{nan, nan, nan, nan, nan}, []float32{float32((1.5 - 2) / 0.75), 0, 0, 0, 1, 0, 0, -4}},
		{"unknown levels", []float64{2, -1, 99, 2, 10}, []float32{0, 0, 0, 0, 0, 0, 0, 0}},
		{"no positions", []float64{2, 0.5, 3, 1e300, 10}, []float32{0, 0, 0, 0, 0, 0, 0, 0}},
		{"the level of missing by position", []float64{2, 3, 3, 1, 10}, []float32{0, 0, 0, 0, 1, 0, 1, 0}},
		{"clipped", []float64{1e9, 0, 3, 1, -1e9}, []float32{4, 1, 0, 0, 0, 0, 1, -4}},
		{"infinite", []float64{inf, -inf, inf, inf, -inf}, []float32{4, 0, 0, 0, 0, 0, 0, -4}},
	} {
		dst := kernel.NewMatrix(1, s.inputs())
		for i := range dst.Data {
			dst.Data[i] = 77
		}
		s.encodeRows(dst, c.x)
		for i, v := range dst.Data {
			if v != c.want[i] {
				t.Errorf("%s: input %d is %v, want %v", c.name, i, v, c.want[i])
			}
		}
	}

	s.Clip = 0
	dst := kernel.NewMatrix(1, s.inputs())
	s.encodeRows(dst, []float64{1e300, 0, 3, 0, 1e6 + 10})
	if dst.Data[0] != math.MaxFloat32 || dst.Data[7] != 250000 {
		t.Errorf("without a clip: %v and %v, want the largest float32 and 250000", dst.Data[0], dst.Data[7])
	}
	require.PanicsWithValue(t, "mgdl: encodeRows: shapes differ", func() { s.encodeRows(dst, make([]float64, 10)) })
}

func TestEncodeStride(t *testing.T) {
	s := testSchema(Regression, 1)
	x := makeRows(5, 3)
	tight, wide := kernel.NewMatrix(5, s.inputs()), kernel.NewMatrix(5, s.inputs()+3)
	s.encodeRows(tight, x)
	s.encodeRows(wide.ColRange(0, s.inputs()), x)
	for i := range 5 {
		for j, v := range wide.Row(i) {
			want := float32(0)
			if j < s.inputs() {
				want = tight.Row(i)[j]
			}
			if v != want {
				t.Errorf("row %d, column %d is %v, want %v", i, j, v, want)
			}
		}
	}
}

func TestSchemaValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		task   Task
		change func(*Schema)
		want   string
	}{
		{"task", Regression, func(s *Schema) { s.Task = 2 }, "mgdl: unknown task 2"},
		{"no features", Regression, func(s *Schema) { s.Features = nil }, "mgdl: there are no feature columns"},
		{"no target", Regression, func(s *Schema) { s.Targets = nil }, "mgdl: there is no target column"},
		{"clip", Regression, func(s *Schema) { s.Clip = -1 }, "mgdl: clip is -1, want 0 or a positive number"},
		{"no name", Regression, func(s *Schema) { s.Features[1].Name = "" }, "mgdl: feature 2 has no name"},
		{"bad name", Regression, func(s *Schema) { s.Targets[0].Name = "\xff" }, `mgdl: the name "\xff" of target 1 is not UTF-8`},
		{"same name", Regression, func(s *Schema) { s.Targets[0].Name = "colour" }, `mgdl: two columns have the name "colour"`},
		{"levels of a number", Regression, func(s *Schema) { s.Features[0].Levels = []string{"a"} }, `mgdl: column "length" is a number and has levels`},
		{"no levels", Regression, func(s *Schema) { s.Features[1].Levels = nil }, `mgdl: column "colour" is a category without levels`},
		{"same level", Regression, func(s *Schema) { s.Features[3].Levels[1] = "round" }, `mgdl: column "shape" has the level "round" twice`},
		{"bad level", Regression, func(s *Schema) { s.Features[3].Levels[1] = "\xfe" }, `mgdl: column "shape": level "\xfe" is not UTF-8`},
		{"kind", Regression, func(s *Schema) { s.Features[3].Kind = 7 }, `mgdl: column "shape" has the unknown kind 7`},
		{"target kind", Regression, func(s *Schema) { s.Targets[0] = s.Features[1]; s.Targets[0].Name = "y" }, `mgdl: target "y" is a category column, regression needs a number`},
		{"class kind", Classification, func(s *Schema) { s.Targets[0] = Column{Name: "y"} }, `mgdl: target "y" is a number column, classification needs a category`},
		{"one class", Classification, func(s *Schema) { s.Targets[0].Levels = []string{"a"} }, `mgdl: target "class" has 1 class, classification needs at least 2`},
		{"two targets", Classification, func(s *Schema) { s.Targets = append(s.Targets, s.Targets[0]) }, "mgdl: classification has one target, not 2"},
		{"not finite", Regression, func(s *Schema) { s.Features[0].Mean = math.NaN() }, `mgdl: column "length" has a statistic that is not finite`},
		{"negative scale", Regression, func(s *Schema) { s.Features[0].Scale = -1 }, `mgdl: column "length" has impossible statistics`},
		{"no spread", Regression, func(s *Schema) { s.Targets[0].Scale = 0 }, `mgdl: target "y0" has no spread`},
		{"all constant", Regression, func(s *Schema) { s.Features = s.Features[2:3] }, "mgdl: every feature column is constant: there is nothing to learn from"},
	} {
		s := testSchema(c.task, 2)
		require.NoError(t, s.validate(true), c.name)
		c.change(&s)
		require.EqualError(t, s.validate(true), c.want, c.name)
	}
}

func TestSchemaCompatible(t *testing.T) {
	s := testSchema(Regression, 2)
	require.NoError(t, s.compatible(Schema{}))
	for _, c := range []struct {
		change func(*Schema)
		want   string
	}{
		{func(*Schema) {}, ""},
		{func(d *Schema) { d.Features[0].Mean = 1e9; d.Clip = 7 }, ""},
		{func(d *Schema) { d.Features[1].Levels = d.Features[1].Levels[:3] }, ""},
		{func(d *Schema) { d.Task = Classification }, "mgdl: the data is for classification, the model for regression"},
		{func(d *Schema) { d.Targets = d.Targets[:1] }, "mgdl: the data has 1 target columns, the model 2"},
		{func(d *Schema) { d.Features[0], d.Features[4] = d.Features[4], d.Features[0] }, `mgdl: feature 1 is "weight" in the data and "length" in the model`},
		{func(d *Schema) { d.Features[0].Kind = Category }, `mgdl: column "length" is a category in the data and a number in the model`},
		{func(d *Schema) { d.Features[1].Levels[0] = "green" }, `mgdl: column "colour" has other levels in the data than in the model`},
		{func(d *Schema) { d.Features[3].Levels = d.Features[3].Levels[:1] }, `mgdl: column "shape" has other levels in the data than in the model`},
	} {
		d := s.clone()
		c.change(&d)
		if c.want == "" {
			require.NoError(t, s.compatible(d))
		} else {
			require.EqualError(t, s.compatible(d), c.want)
		}
	}
}
