package main

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/multigrade/multigrade/kernel"
)

// A problem is one operation on its data. check compares the result of the latest call with
// sums in float64 and returns the largest error, relative to the square root of the
// number of terms.
type problem struct {
	call  func()
	check func() float64
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
	op, m, kk, nn, threads := f[1], n[0], n[1], n[2], n[3]
	if threads != 1 {
		return problem{}, errUnsupported
	}
	kind, dims, _ := strings.Cut(op, ":")
	switch kind {
	case "gemm":
		return product(m, kk, nn, false), nil
	case "gemmbr":
		return product(m, kk, nn, true), nil
	case "dw":
		return weightGrad(m, kk, nn), nil
	case "dx":
		return inputGrad(m, kk, nn), nil
	case "mlp":
		return network(dims, m)
	case "red_diff", "red_sumsq", "red_sumabs", "red_maxabs", "red_dsumsq", "red_fused":
		return reduction(kind, m), nil
	}
	return problem{}, errUnsupported
}

// fill sets x to pseudo-random values in [-scale, scale), the same in every peer.
func fill(x []float32, seed uint32, scale float32) []float32 {
	s := seed*2654435761 + 1
	for i := range x {
		s = s*1664525 + 1013904223
		x[i] = float32(int32(s>>8)-1<<23) * (scale / (1 << 23))
	}
	return x
}

func filled(rows, cols int, seed uint32, scale float32) kernel.Matrix {
	m := kernel.NewMatrix(rows, cols)
	fill(m.Data, seed, scale)
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
func product(m, kk, nn int, fused bool) problem {
	var k kernel.Kernel
	x, w, y := filled(m, kk, 1, 1), filled(kk, nn, 2, 1), kernel.NewMatrix(m, nn)
	var b []float32
	if fused {
		b = fill(kernel.Floats(nn), 3, 1)
	}
	p := kernel.NewWeights(kk, nn)
	p.Pack(w)
	call := func() { k.MatMul(y, x, p, b, true) }
	if !fused {
		call = func() {
			p.Pack(w)
			k.MatMul(y, x, p, nil, false)
		}
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
	}}
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
	}
}

// network is a network with ReLU between its layers, for m rows at once.
func network(dims string, m int) (problem, error) {
	var widths []int
	for _, s := range strings.Split(dims, "-") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return problem{}, err
		}
		widths = append(widths, n)
	}
	if len(widths) < 2 {
		return problem{}, errUnsupported
	}
	var k kernel.Kernel
	layers := len(widths) - 1
	plain, packed := make([]kernel.Matrix, layers), make([]kernel.Weights, layers)
	bias, out := make([][]float32, layers), make([]kernel.Matrix, layers)
	for i := range layers {
		plain[i] = filled(widths[i], widths[i+1], uint32(10+i), float32(math.Sqrt(6/float64(widths[i]))))
		packed[i] = kernel.NewWeights(widths[i], widths[i+1])
		packed[i].Pack(plain[i])
		bias[i] = fill(kernel.Floats(widths[i+1]), uint32(20+i), 0.1)
		out[i] = kernel.NewMatrix(m, widths[i+1])
	}
	x := filled(m, widths[0], 5, 1)
	return problem{
		func() {
			a := x
			for i := range packed {
				k.MatMul(out[i], a, packed[i], bias[i], i < layers-1)
				a = out[i]
			}
		},
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
	}, nil
}

// reduction is one of the passes over n values. All but the first compute sums of squares,
// of absolutes and the largest in one.
func reduction(op string, n int) problem {
	var k kernel.Kernel
	x, y := fill(kernel.Floats(n), 1, 1), fill(kernel.Floats(n), 2, 1)
	r := x
	var got kernel.Sums
	call := func() { got = k.Sums(x) }
	if op == "red_diff" || op == "red_fused" || op == "red_dsumsq" {
		r = kernel.Floats(n)
		call = func() { got = k.Residual(r, y, x) }
	}
	return problem{call, func() float64 {
		var want kernel.Sums
		for i, v := range x {
			if len(r) > 0 && &r[0] != &x[0] {
				v = y[i] - v
			}
			want.Squares += float64(v) * float64(v)
			want.Abs += math.Abs(float64(v))
			want.Max = max(want.Max, math.Abs(float64(v)))
		}
		e := math.Abs(got.Squares-want.Squares)/(1+want.Squares) + math.Abs(got.Abs-want.Abs)/(1+want.Abs)
		return e + math.Abs(got.Max-want.Max)
	}}
}
