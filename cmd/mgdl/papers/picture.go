package papers

import (
	"image"

	"github.com/multigrade/multigrade/mgdl"
	"github.com/multigrade/multigrade/mgdl/dataset"
)

// Picture returns the case of a picture: its pixels by their column/width and row/height.
// Pixels of even rows and columns are trained on, those of odd ones choose, all are the test,
// as the papers have it: without colours the study of why grades help, with colours that of
// spectral bias, whose rates are those of its picture of the sea.
func Picture(m image.Image, name string) (Case, error) {
	d, _, err := dataset.ReadImage(m, name, dataset.Options{})
	if err != nil {
		return Case{}, err
	}
	width, height := m.Bounds().Dx(), m.Bounds().Dy()
	targets := len(d.Schema.Targets)
	var set Set
	parts := [...]*mgdl.Data{&set.Train, &set.Val, &set.Test}
	var x, y [len(parts)][]float64
	for i := range d.Rows {
		row, column := i/width, i%width
		for p := range parts {
			if p == len(parts)-1 || row%2 == p && column%2 == p {
				x[p] = append(x[p], float64(column)/float64(width), float64(row)/float64(height))
				y[p] = append(y[p], d.Y[i*targets:(i+1)*targets]...)
			}
		}
	}
	for p, part := range parts {
		*part = mgdl.NewData(x[p], 2, y[p], targets)
	}
	grade := mgdl.GradePlan{Hidden: []int{128, 128}, Start: mgdl.StartGlorot, Epochs: 10000, Rate: 1e-3, LastRate: 1e-3}
	c := Case{Name: "image", Title: name, Load: func() Set { return set }, Decibels: true, Plan: same(4, grade), Published: Figures{Note: "no figures"}}
	if targets > 1 {
		grade.Hidden = []int{256, 256, 256}
		c.Plan = same(4, grade)
		c.Plan[0].Rate, c.Plan[0].LastRate = 1e-2, 1e-2
		c.Published = Figures{Errors: []float64{18.62, 21.50, 23.42, 24.33}, Seconds: 680, Note: "of the sea, 1284x2040, on a GPU"}
	}
	c.Single = single(4, grade)
	return c, nil
}
