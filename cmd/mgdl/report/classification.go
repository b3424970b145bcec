package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg/draw"
)

const (
	matrixClasses = 40 // classes of a confusion matrix; the commonest if there are more
	matrixNumbers = 30 // classes up to which its cells hold numbers
	pairsShown    = 10
)

// verdict is what the whole model says of one row. truth is −1 where the row's class is
// none the model knows.
type verdict struct {
	truth, pred       int
	pTruth, pPred, p1 float64 // p1 is the probability of class 1
}

func (s *subject) verdicts() []verdict {
	vs := make([]verdict, s.data.Rows)
	s.predict(s.data.X, s.grades(), func(i int, out []float64) {
		v := verdict{truth: -1}
		for c, p := range out {
			if p > out[v.pred] {
				v.pred = c
			}
		}
		v.pPred = out[v.pred]
		if len(out) > 1 {
			v.p1 = out[1]
		}
		if c, ok := level(s.schema.Targets[0], s.truth(i, 0)); ok {
			v.truth, v.pTruth = c, out[c]
		}
		vs[i] = v
	})
	return vs
}

func classificationSections(s *subject) []section {
	vs := s.verdicts()
	sec := section{ID: "confusion", Title: "Prediction and truth"}
	m := confusion(s, vs)
	second := section{ID: "mistakes", Title: "Most confident mistakes"}
	if len(m.classes) <= 9 {
		sec.add(part{Figures: []figure{m.figure(halfWidth), reliability(s, vs)}, Columns: 2})
	} else {
		sec.add(part{Figures: []figure{m.figure(fullWidth)}, Columns: 1})
	}
	if s.model.Outputs() > 2 {
		pairs := confused(s, vs)
		switch {
		case len(m.classes) > 9 && len(pairs.Rows) > 0:
			sec.add(part{Figures: []figure{reliability(s, vs)}, Table: pairs, Columns: 2})
		case len(m.classes) > 9:
			sec.add(part{Figures: []figure{reliability(s, vs)}, Columns: 2})
		case len(pairs.Rows) > 0:
			sec.add(part{Table: pairs})
		}
	}
	if t := mistakes(s, vs); len(t.Rows) > 0 {
		second.add(part{Table: t})
	} else {
		second.Intro = "None: it gets every row right."
	}
	return []section{sec, second}
}

// matrix counts rows by true and predicted class.
type matrix struct {
	classes []int // shown, in the order of their labels
	names   []string
	counts  [][]int // [truth][prediction] over classes
	total   []int   // rows of each shown class, whatever was predicted
	of      int     // classes there are
}

func confusion(s *subject, vs []verdict) matrix {
	m := matrix{of: s.model.Outputs()}
	rows := make([]int, m.of)
	for _, v := range vs {
		if v.truth >= 0 {
			rows[v.truth]++
		}
	}
	for c := range rows {
		m.classes = append(m.classes, c)
	}
	if m.of > matrixClasses {
		slices.SortStableFunc(m.classes, func(a, b int) int { return cmp.Compare(rows[b], rows[a]) })
		m.classes = m.classes[:matrixClasses]
		slices.Sort(m.classes)
	}
	at := make(map[int]int, len(m.classes))
	for k, c := range m.classes {
		at[c] = k
		m.names = append(m.names, label(s.schema.Targets[0].Levels[c], 14))
		m.counts = append(m.counts, make([]int, len(m.classes)))
		m.total = append(m.total, rows[c])
	}
	for _, v := range vs {
		i, known := at[v.truth]
		j, shown := at[v.pred]
		if known && shown {
			m.counts[i][j]++
		}
	}
	return m
}

func (m matrix) figure(width float64) figure {
	n := len(m.classes)
	f := figure{Title: "Confusion matrix", Note: "rows: true class, with the share of it that is right; columns: predicted class",
		Keys: []key{{"accent", "box", "right"}, {"second", "box", "wrong"}}}
	if m.of > n {
		f.Foot = fmt.Sprintf("The %d commonest of %d classes.", n, m.of)
	}
	p := newPlot(false)
	names := make(named, n)
	for i, row := range m.counts {
		y := float64(n - 1 - i)
		names[n-1-i] = m.names[i]
		for j, c := range row {
			x := float64(j)
			t, part := second, 0.0
			if i == j {
				t = accent
			}
			if c > 0 && m.total[i] > 0 {
				part = float64(c) / float64(m.total[i])
			}
			p.Add(box{x - 0.5, y - 0.5, x + 0.5, y + 0.5, grid, 0.35, 1})
			if part > 0 {
				p.Add(box{x - 0.5, y - 0.5, x + 0.5, y + 0.5, t, math.Pow(part, 0.6), 1})
			}
			if c > 0 && n <= matrixNumbers {
				sty := style(ink, cellText(n, width, c), draw.XCenter, draw.YCenter)
				if part > 0.42 {
					sty.Color = onAccent.opaque()
				}
				p.Add(words{xy{x, y}, -0.5, -0.5, count(c), sty})
			}
		}
		if m.total[i] > 0 {
			p.Add(words{xy{float64(n) - 0.5, y}, 6, 0, share(float64(row[i]) / float64(m.total[i])), style(muted, min(tickSize, cellText(n, width, 100)+1), draw.XLeft, draw.YCenter)})
		}
	}
	p.X.Min, p.X.Max = -0.5, float64(n)-0.5+float64(n)*58/width
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	p.X.LineStyle.Width = 0
	p.X.Tick.Marker, p.Y.Tick.Marker = named(m.names), names
	p.X.Tick.Label.Color, p.Y.Tick.Label.Color = ink.opaque(), ink.opaque()
	longest := 0.0
	for _, s := range m.names {
		longest = max(longest, p.X.Tick.Label.Width(s).Points())
	}
	if longest > (width-100)/float64(n)-4 {
		p.X.Tick.Label.Rotation = math.Pi / 2
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
	}
	height := clamp(float64(n)*width/float64(n+2)*0.72, 0, 620)
	if n <= 9 {
		height = 380
	}
	f.SVG = append(f.SVG, render(p, width, height, f.Title))
	return f
}

// cellText is a size at which a number of c fits into a cell of an n×n matrix.
func cellText(n int, width float64, c int) float64 {
	cell := (width - 110) / float64(n)
	return clamp(cell/(0.62*float64(len(count(c)))), 6, 13)
}

// reliability compares how sure the model says it is with how often it is right.
func reliability(s *subject, vs []verdict) figure {
	const bins = 10
	f := figure{Title: "Calibration", Note: "how sure it is against how often it is right; on the diagonal both are the same"}
	binary := s.model.Outputs() == 2
	xlabel, ylabel := "probability of the predicted class", "share that is right"
	if binary {
		yes := label(s.schema.Targets[0].Levels[1], 20)
		xlabel, ylabel = "predicted probability of "+yes, "share that is "+yes
	}
	var sure, right, rows [bins]float64
	total, gap := 0.0, 0.0
	for _, v := range vs {
		p, hit := v.pPred, v.pred == v.truth
		if binary {
			p, hit = v.p1, v.truth == 1
		}
		if v.truth < 0 || math.IsNaN(p) {
			continue
		}
		b := min(bins-1, int(p*bins))
		sure[b], rows[b], total = sure[b]+p, rows[b]+1, total+1
		if hit {
			right[b]++
		}
	}
	if total == 0 {
		f.Empty = "No row has a class that the model knows."
		return f
	}
	p := newPlot(true)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.02, 1.03, -0.03, 1.04
	p.Add(guide(0, 1))
	var pts []xy
	var marks []ring
	for b := range bins {
		if rows[b] == 0 {
			continue
		}
		q := xy{sure[b] / rows[b], right[b] / rows[b]}
		gap += math.Abs(q.x-q.y) * rows[b] / total
		pts = append(pts, q)
		marks = append(marks, ring{q, 2.5 + 8*math.Sqrt(rows[b]/total), accent, true})
	}
	p.Add(curve{pts, stroke(accent, 1.5)})
	for _, m := range marks {
		p.Add(m)
	}
	p.X.Label.Text, p.Y.Label.Text = xlabel, ylabel
	p.X.Tick.Marker, p.Y.Tick.Marker = shares{linear{5}}, shares{linear{5}}
	f.Foot = fmt.Sprintf("Larger circles stand for more rows. Mean distance from the diagonal: %s.", share(gap))
	f.SVG = append(f.SVG, render(p, halfWidth, 380, f.Title))
	return f
}

// confused lists the pairs of classes that are taken for one another most often.
func confused(s *subject, vs []verdict) *table {
	type pair struct{ truth, pred int }
	counts := map[pair]int{}
	rows := map[int]int{}
	for _, v := range vs {
		if v.truth < 0 {
			continue
		}
		rows[v.truth]++
		if v.truth != v.pred {
			counts[pair{v.truth, v.pred}]++
		}
	}
	var pairs []pair
	for p := range counts {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.truth, b.truth), cmp.Compare(a.pred, b.pred))
	})
	t := &table{Caption: "Most often confused", Head: []cell{text("true"), text("taken for"), number("rows"), number("of the class")}}
	levels := s.schema.Targets[0].Levels
	for _, p := range pairs[:min(len(pairs), pairsShown)] {
		t.Rows = append(t.Rows, []cell{
			text(label(levels[p.truth], 30)), text(label(levels[p.pred], 30)), number(count(counts[p])),
			number(share(float64(counts[p]) / float64(rows[p.truth]))),
		})
	}
	return t
}

// mistakes lists the rows that the model got wrong while it was most sure of itself.
func mistakes(s *subject, vs []verdict) *table {
	var at []int
	for i, v := range vs {
		if v.pred != v.truth {
			at = append(at, i)
		}
	}
	wrong := len(at)
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(vs[b].pPred, vs[a].pPred) })
	at = at[:min(len(at), worstRows)]
	t := &table{Head: []cell{number("row"), text("true"), text("predicted"), number("probability"), number("of the true class")}}
	shown := s.valueColumns(t, at)
	levels := s.schema.Targets[0].Levels
	for _, i := range at {
		v := vs[i]
		truth, p := "unknown", none
		if v.truth >= 0 {
			truth, p = label(levels[v.truth], 18), probability(v.pTruth)
		}
		row := []cell{number(strconv.Itoa(i + 1)), text(truth), text(label(levels[v.pred], 18)), number(probability(v.pPred)), number(p)}
		t.Rows = append(t.Rows, s.values(row, i, shown))
	}
	t.Foot = fmt.Sprintf("%s in all. %s", plural(wrong, "mistake"), s.valuesFoot(len(shown)))
	return t
}

// probability shows a probability with three decimals.
func probability(p float64) string {
	if math.IsNaN(p) {
		return none
	}
	if p > 0 && p < 0.0005 {
		return "<" + nbsp + "0.001"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}
