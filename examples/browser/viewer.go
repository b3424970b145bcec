package main

import (
	"bytes"
	"encoding/json"
	"math"

	"github.com/multigrade/multigrade/mgdl"
)

// A viewer is a model and what the page knows of it.
type viewer struct {
	predictor *mgdl.Predictor
	page      page
}

// A page is what is to be shown: the inputs to move, the grades to choose from.
type page struct {
	Task     string  `json:"task"`
	Features []field `json:"features"`
	Targets  []field `json:"targets"`
	Grades   []grade `json:"grades"` // the first is the prior
}

type field struct {
	Name    string   `json:"name"`
	Levels  []string `json:"levels,omitempty"` // of a category
	Min     float64  `json:"min"`
	Max     float64  `json:"max"`
	Missing float64  `json:"missing"` // where a number begins: the median
}

type grade struct {
	Kind    string   `json:"kind"`
	Hidden  []int    `json:"hidden"`
	Params  int      `json:"params"`
	ValLoss *float64 `json:"loss"` // null if unknown
}

// open reads a model file.
func open(file []byte) (*viewer, error) {
	m, err := mgdl.ReadModel(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	s := m.Schema()
	v := &viewer{predictor: m.NewPredictor(), page: page{Task: s.Task.String(), Features: fields(s.Features), Targets: fields(s.Targets)}}
	for _, g := range append([]mgdl.GradeInfo{m.Prior()}, m.Grades()...) {
		shown := grade{Kind: g.Kind, Hidden: g.Hidden, Params: g.Params}
		if !math.IsNaN(g.ValLoss) {
			shown.ValLoss = &g.ValLoss
		}
		v.page.Grades = append(v.page.Grades, shown)
	}
	return v, nil
}

func fields(columns []mgdl.Column) []field {
	var fs []field
	for _, c := range columns {
		fs = append(fs, field{c.Name, c.Levels, c.Min, c.Max, c.Missing})
	}
	return fs
}

// describe returns the page as JSON.
func (v *viewer) describe() string {
	text, err := json.Marshal(v.page)
	if err != nil {
		panic("browser: a model has a number that is not finite") // its reader refuses them
	}
	return string(text)
}

// predict returns, for each row of x, the outputs after each grade from the prior on.
func (v *viewer) predict(x []float64) []float64 {
	n := len(v.page.Features)
	var y []float64
	for i := 0; i+n <= len(x); i += n {
		for g := range v.page.Grades {
			y = v.predictor.PredictGrades(y, x[i:i+n], g)
		}
	}
	return y
}
