package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/plot/vg/draw"
)

// importance says how much worse the model does when a column is shuffled.
type importance struct {
	rows    int       // used for it
	by      []float64 // for each feature: the rise of the error; nil if it was not measured
	base    float64   // the error without shuffling
	skipped string    // why it was not measured
}

const (
	importanceColumns = 200  // more take too long and tell nobody anything
	importanceRows    = 2000 // enough for the order of the columns to settle
	importanceWork    = 1e10 // multiply-adds to spend: under a second with vector kernels, 20 without
	importanceRounds  = 3    // shuffles to take the mean of, where that leaves work for them
)

// measureImportance shuffles each column in turn over a sample of the rows. The rise is
// that of the root mean squared error (over targets in units of their standard
// deviations if there are several), or of the log loss.
func measureImportance(s *subject) importance {
	n := s.features()
	if n > importanceColumns {
		return importance{skipped: fmt.Sprintf("not measured: there are %s, and it is for at most %d", plural(n, "column"), importanceColumns)}
	}
	if s.data.Rows < 2 || s.grades() == 0 {
		return importance{skipped: "not measured: it takes two rows and a grade"}
	}
	macs := 1.0
	for _, g := range s.steps[1:] {
		macs += float64(g.MACs)
	}
	most := int(importanceWork / macs / float64(n)) // rows to predict for each column
	at := sample(s.data.Rows, min(importanceRows, max(most, 100)))
	rounds := max(1, min(importanceRounds, most/len(at)))
	x := make([]float64, 0, len(at)*n)
	for _, i := range at {
		x = append(x, s.row(i)...)
	}
	imp := importance{rows: len(at), by: make([]float64, n), base: s.errorOn(x, at)}
	r := rand.New(rand.NewPCG(1, 2))
	kept := make([]float64, len(at))
	for j := range n {
		for i := range at {
			kept[i] = x[i*n+j]
		}
		if slices.Max(kept) == slices.Min(kept) {
			continue // nothing to shuffle; NaN anywhere compares false
		}
		for range rounds {
			for i, k := range r.Perm(len(at)) {
				x[i*n+j] = kept[k]
			}
			imp.by[j] += (s.errorOn(x, at) - imp.base) / float64(rounds)
		}
		for i := range at {
			x[i*n+j] = kept[i]
		}
	}
	return imp
}

// errorOn is the error of the whole model on the raw rows x, whose truth is in the rows at.
func (s *subject) errorOn(x []float64, at []int) float64 {
	sum, nt := 0.0, len(s.schema.Targets)
	s.predict(x, s.grades(), func(i int, out []float64) {
		if s.classifies() {
			if c, ok := level(s.schema.Targets[0], s.truth(at[i], 0)); ok {
				sum -= math.Log(max(out[c], 1e-12))
			}
			return
		}
		for t, c := range s.schema.Targets {
			e := s.truth(at[i], t) - out[t]
			if nt > 1 && c.Scale > 0 {
				e /= c.Scale
			}
			sum += e * e / float64(nt)
		}
	})
	if s.classifies() {
		return sum / float64(len(at))
	}
	return math.Sqrt(sum / float64(len(at)))
}

// order returns the features from the most important on; as they come if unknown.
func (m importance) order(n int) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	if m.by != nil {
		slices.SortStableFunc(at, func(a, b int) int {
			switch x, y := m.by[a], m.by[b]; {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
	}
	return at
}

func importanceSection(s *subject) section {
	const most = 15
	sec := section{ID: "importance", Title: "Which columns matter"}
	m := s.importance
	if m.by == nil {
		sec.Intro = "Permutation importance was " + m.skipped + "."
		return sec
	}
	sec.Intro = fmt.Sprintf("Each column in turn is shuffled over %s, so that it keeps its values and loses its meaning; the bars show how much the error rises. Columns that say the same thing share their importance.", plural(m.rows, "row"))
	order := m.order(s.features())
	shown := order[:min(most, len(order))]
	f := figure{Title: "Rise of the error when a column is shuffled"}
	switch base := num(m.base); {
	case s.classifies():
		f.Note = "log loss in nats; unshuffled " + base
	case len(s.schema.Targets) > 1:
		f.Note = "RMSE in standard deviations of the targets; unshuffled " + base
	default:
		f.Note = "RMSE in the units of " + s.targets(1) + "; unshuffled " + base
	}
	if left := len(order) - len(shown); left > 0 {
		f.Foot = fmt.Sprintf("The first %d of %d columns.", len(shown), len(order))
	}
	p := newPlot(false)
	xs := span{some: true}
	names := make(named, len(shown))
	for i, j := range shown {
		y := float64(len(shown) - 1 - i)
		names[int(y)] = label(s.schema.Features[j].Name, 34)
		v := m.by[j]
		xs.add(v)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		p.Add(box{0, y - 0.32, v, y + 0.32, accent, 0.9, 0})
		p.Add(words{xy{max(0, v), y}, 6, 0, num(v), style(figureInk, tickSize, draw.XLeft, draw.YCenter)})
	}
	p.X.Min = min(0, xs.lo)
	_, p.X.Max = span{0, max(xs.hi, 1e-12), true}.padded(0.1)
	p.X.Max = max(p.X.Max, -xs.lo)
	p.Y.Min, p.Y.Max = -0.6, float64(len(shown))-0.4
	p.X.Tick.Marker, p.Y.Tick.Marker = linear{6}, names
	p.Y.Tick.Label = style(ink, tickSize+0.5, draw.XRight, draw.YCenter)
	f.SVG = append(f.SVG, render(p, fullWidth, 50+24*float64(len(shown)), f.Title))
	sec.add(part{Figures: []figure{f}, Columns: 1})
	return sec
}
