package main

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/multigrade/multigrade/bench/internal/shapes"
	"github.com/multigrade/multigrade/internal/backprop"
	"github.com/multigrade/multigrade/kernel"
)

// A problem is one operation on its data. check compares the result of the latest call with
// sums in float64 and returns the largest error, relative to the square root of the
// number of terms.
//
// With two threads or more the rows of a product, and the slots of a training step, are
// shared out to a team, whose helpers run while something is measured.
type problem struct {
	call  func()
	check func() float64
	team  *backprop.Team
}

var errUnsupported = errors.New("unsupported")

// parse opens "ours OP M K N THREADS".
func parse(f []string) (problem, error) {
	if len(f) != 6 || f[0] != "ours" {
		return problem{}, errors.New("unknown peer")
	}
	var n [4]int
	for i, s := range f[2:] {
		v, err := strconv.Atoi(s)
		if err != nil {
			return problem{}, err
		}
		n[i] = v
	}
	op, m, kk, nn, team := f[1], n[0], n[1], n[2], backprop.NewTeam(n[3])
	kind, dims, _ := strings.Cut(op, ":")
	switch kind {
	case "gemm":
		return product(m, kk, nn, false, team), nil
	case "gemmbr":
		return product(m, kk, nn, true, team), nil
	case "mlp":
		return network(dims, m, team)
	case "train":
		return training(dims, m, team)
	}
	if team != nil {
		return problem{}, errUnsupported
	}
	switch kind {
	case "dw":
		return weightGrad(m, kk, nn), nil
	case "dx":
		return inputGrad(m, kk, nn), nil
	case "red_diff", "red_sumsq", "red_sumabs", "red_maxabs", "red_dsumsq", "red_fused":
		return reduction(kind, m), nil
	}
	return problem{}, errUnsupported
}

// shares calls f for ranges of m rows on the workers of a team. Small batches stay whole:
// handing over costs about a microsecond.
func shares(team *backprop.Team, m int, f func(lo, hi int)) func() {
	parts := min(2*team.Size(), m/48)
	if team == nil || parts < 2 {
		return func() { f(0, m) }
	}
	r := (m/parts + 5) / 6 * 6
	task := func(i, _ int) { f(min(i*r, m), min((i+1)*r, m)) }
	return func() { team.Do((m+r-1)/r, task) }
}

func filled(rows, cols int, seed uint32, scale float32) kernel.Matrix {
	m := kernel.NewMatrix(rows, cols)
	shapes.Fill(m.Data, seed, scale)
	return m
}

// samples calls f with 64 positions of a rows×cols matrix and returns the largest result.
func samples(rows, cols int, f func(i, j int) float64) float64 {
	s, e := uint32(7), 0.0
	next := func(n int) int {
		s = s*1664525 + 1013904223
		return int(s>>5) % n
	}
	for range 64 {
		e = max(e, f(next(rows), next(cols)))
	}
	return e
}

// product is gemm, or gemmbr when fused. The plain product packs w in every call.
func product(m, kk, nn int, fused bool, team *backprop.Team) problem {
	var k kernel.Kernel
	x, w, y := filled(m, kk, 1, 1), filled(kk, nn, 2, 1), kernel.NewMatrix(m, nn)
	var b []float32
	if fused {
		b = shapes.Fill(kernel.Floats(nn), 3, 1)
	}
	p := kernel.NewWeights(kk, nn)
	p.Pack(w)
	multiply := func() { k.MatMul(y, x, p, b, fused) }
	if team != nil {
		multiply = shares(team, m, func(lo, hi int) { k.MatMul(y.RowRange(lo, hi), x.RowRange(lo, hi), p, b, fused) })
	}
	call := multiply
	switch {
	case !fused:
		call = func() {
			p.Pack(w)
			multiply()
		}
	case m == 1:
		net := k.NewNetwork([]kernel.Layer{{W: p, Bias: b, ReLU: true}})
		call = func() { net.Run(y.Row(0), x.Row(0)) }
	}
	return problem{call, func() float64 {
		return samples(m, nn, func(i, j int) float64 {
			sum := 0.0
			for k, v := range x.Row(i) {
				sum += float64(v) * float64(w.Row(k)[j])
			}
			if fused {
				sum = max(sum+float64(b[j]), 0)
			}
			return math.Abs(sum-float64(y.Row(i)[j])) / math.Sqrt(float64(kk))
		})
	}, team}
}

func weightGrad(m, kk, nn int) problem {
	var k kernel.Kernel
	x, y, dw := filled(m, kk, 1, 1), filled(m, nn, 4, 1), kernel.NewWeights(kk, nn)
	return problem{
		func() { k.WeightGrad(dw, nil, x, y, false) },
		func() float64 {
			return samples(kk, nn, func(i, j int) float64 {
				sum := 0.0
				for r := range m {
					sum += float64(x.Row(r)[i]) * float64(y.Row(r)[j])
				}
				return math.Abs(sum-float64(dw.Data[dw.Index(i, j)])) / math.Sqrt(float64(m))
			})
		},
		nil,
	}
}

// inputGrad packs and transposes w in every call, and has no mask, like the others.
func inputGrad(m, kk, nn int) problem {
	var k kernel.Kernel
	w, y, dx := filled(kk, nn, 2, 1), filled(m, nn, 4, 1), kernel.NewMatrix(m, kk)
	p, t := kernel.NewWeights(kk, nn), kernel.NewWeights(nn, kk)
	return problem{
		func() {
			p.Pack(w)
			k.Transpose(t, p)
			k.InputGrad(dx, y, t, kernel.Matrix{})
		},
		func() float64 {
			return samples(m, kk, func(i, j int) float64 {
				sum := 0.0
				for n, v := range y.Row(i) {
					sum += float64(v) * float64(w.Row(j)[n])
				}
				return math.Abs(sum-float64(dx.Row(i)[j])) / math.Sqrt(float64(nn))
			})
		},
		nil,
	}
}

func when(condition bool, yes, no func()) func() {
	if condition {
		return yes
	}
	return no
}

// network is a network with ReLU between its layers, for m rows at once.
func network(dims string, m int, team *backprop.Team) (problem, error) {
	widths, err := parseWidths(dims)
	if err != nil {
		return problem{}, err
	}
	var k kernel.Kernel
	layers := len(widths) - 1
	plain, packed := make([]kernel.Matrix, layers), make([]kernel.Weights, layers)
	bias, out := make([][]float32, layers), make([]kernel.Matrix, layers)
	for i := range layers {
		plain[i] = filled(widths[i], widths[i+1], uint32(10+i), float32(math.Sqrt(6/float64(widths[i]))))
		packed[i] = kernel.NewWeights(widths[i], widths[i+1])
		packed[i].Pack(plain[i])
		bias[i] = shapes.Fill(kernel.Floats(widths[i+1]), uint32(20+i), 0.1)
		out[i] = kernel.NewMatrix(m, widths[i+1])
	}
	x := filled(m, widths[0], 5, 1)
	var ls []kernel.Layer
	for i := range packed {
		ls = append(ls, kernel.Layer{W: packed[i], Bias: bias[i], ReLU: i < layers-1})
	}
	net := k.NewNetwork(ls)
	one := func() { net.Run(out[layers-1].Row(0), x.Row(0)) }
	// A chunk of rows goes through all layers before the next, so that it stays cached.
	const chunk = 192
	return problem{
		when(m == 1, one, shares(team, m, func(from, to int) {
			for ; from < to; from += chunk {
				hi := min(from+chunk, to)
				a := x.RowRange(from, hi)
				for i := range packed {
					dst := out[i].RowRange(from, hi)
					k.MatMul(dst, a, packed[i], bias[i], i < layers-1)
					a = dst
				}
			}
		})),
		func() float64 {
			worst := 0.0
			for r := 0; r < m; r += 1 + m/8 {
				var h []float64
				for _, v := range x.Row(r) {
					h = append(h, float64(v))
				}
				for i := range plain {
					g := make([]float64, widths[i+1])
					for j := range g {
						g[j] = float64(bias[i][j])
						for n, v := range h {
							g[j] += v * float64(plain[i].Row(n)[j])
						}
						if i < layers-1 {
							g[j] = max(g[j], 0)
						}
					}
					h = g
				}
				for j, v := range h {
					worst = max(worst, math.Abs(v-float64(out[layers-1].Row(r)[j]))/(1+math.Abs(v)))
				}
			}
			return worst
		},
		team,
	}, nil
}

func parseWidths(dims string) ([]int, error) {
	var widths []int
	for _, s := range strings.Split(dims, "-") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, err
		}
		widths = append(widths, n)
	}
	if len(widths) < 2 {
		return nil, errUnsupported
	}
	return widths, nil
}

// fit is the task of training: the mean squared error of m rows.
type fit struct{ x, y kernel.Matrix }

func (f *fit) Inputs(in kernel.Matrix, lo int) kernel.Matrix {
	for i := range in.Rows {
		copy(in.Row(i), f.x.Row(lo+i))
	}
	return in
}

func (f *fit) Loss(out kernel.Matrix, lo int, sum float64) float64 {
	scale := 2 / float32(f.x.Rows*f.y.Cols)
	for i := range out.Rows {
		z := out.Row(i)
		for j, y := range f.y.Row(lo + i) {
			d := z[j] - y
			sum += float64(d) * float64(d)
			z[j] = d * scale
		}
	}
	return sum
}

// training is one step: forward, mean squared error, backward, Adam. The check is that
// steps lower the loss.
func training(dims string, m int, team *backprop.Team) (problem, error) {
	widths, err := parseWidths(dims)
	if err != nil {
		return problem{}, err
	}
	last := len(widths) - 1
	shape := backprop.Shape{Inputs: widths[0], Hidden: widths[1:last], Outputs: widths[last]}
	p := shape.Parameters()
	for i, w := range p.W {
		w.Pack(filled(widths[i], widths[i+1], uint32(10+i), float32(math.Sqrt(6/float64(widths[i])))))
		shapes.Fill(p.B[i], uint32(20+i), 0.1)
	}
	task := &fit{filled(m, widths[0], 5, 1), filled(m, widths[last], 6, 1)}
	s := backprop.NewStepper(kernel.Kernel{}, shape, m, team)
	o := backprop.Optimiser{Moments1: kernel.Floats(len(p.Flat)), Moments2: kernel.Floats(len(p.Flat))}
	steps, loss := 0, 0.0
	call := func() {
		steps++
		o.Step = kernel.AdamStep{Rate: 1e-5, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Step: steps}
		loss = s.Step(&p, task, m, o)
	}
	return problem{call, func() float64 {
		first := loss
		for range 5 {
			call()
		}
		if loss < first {
			return 0
		}
		return math.Inf(1)
	}, team}, nil
}

// reduction is one of the passes over n values. All but the first compute sums of squares,
// of absolutes and the largest in one.
func reduction(op string, n int) problem {
	var k kernel.Kernel
	x, y := shapes.Fill(kernel.Floats(n), 1, 1), shapes.Fill(kernel.Floats(n), 2, 1)
	var got kernel.Sums
	call := func() { got = k.Sums(x) }
	switch op {
	case "red_diff", "red_fused":
		r := kernel.Floats(n)
		call = func() { got = k.Residual(r, y, x) }
	case "red_dsumsq":
		call = func() { got = k.Distance(y, x) }
	}
	return problem{call, func() float64 {
		var want kernel.Sums
		for i, v := range x {
			if op == "red_diff" || op == "red_fused" || op == "red_dsumsq" {
				v = y[i] - v
			}
			want.Squares += float64(v) * float64(v)
			want.Abs += math.Abs(float64(v))
			want.Max = max(want.Max, math.Abs(float64(v)))
		}
		e := math.Abs(got.Squares-want.Squares)/(1+want.Squares) + math.Abs(got.Abs-want.Abs)/(1+want.Abs)
		return e + math.Abs(got.Max-want.Max)
	}, nil}
}
