package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/multigrade/multigrade/bench/internal/shapes"
	"github.com/multigrade/multigrade/internal/backprop"
	"github.com/multigrade/multigrade/kernel"
)

// layers makes the layers of a network, ReLU between them.
func (d dice) layers(widths []int) []kernel.Layer {
	var ls []kernel.Layer
	for i, n := range widths[1:] {
		ls = append(ls, kernel.Layer{W: d.layer(widths[i], n), Bias: d.vector(n), ReLU: i+2 < len(widths)})
	}
	return ls
}

// network is one row through a kernel.Network. Rows rotate, so that the next one need not
// wait for this one's output.
func network(widths []int) workload {
	w := workload{
		section: networks, op: "Network", shape: shapes.Network(widths),
		Work: shapes.RowWork(widths), rows: 1,
	}
	w.calls = func(kn kernel.Kernel) func(int) {
		const samples = 16
		d := newDice(8)
		x := d.matrix(samples, widths[0])
		var rows [samples][]float32
		for i := range rows {
			rows[i] = x.Row(i)
		}
		net := kn.NewNetwork(d.layers(widths))
		dst := kernel.Floats(widths[len(widths)-1])
		return func(calls int) {
			for s := range calls {
				net.Run(dst, rows[s%samples])
			}
		}
	}
	return w
}

// batch is many rows through a network, chunk by chunk.
func batch(widths []int, rows int) workload {
	last := len(widths) - 1
	w := workload{
		section: networks, op: "Batch", shape: fmt.Sprintf("%s/%d", shapes.Network(widths), rows),
		Work: shapes.BatchWork(widths, rows), rows: rows,
	}
	w.calls = func(kn kernel.Kernel) func(int) {
		d := newDice(9)
		x, out := d.matrix(rows, widths[0]), kernel.NewMatrix(rows, widths[last])
		ls := d.layers(widths)
		var hidden []kernel.Matrix
		for _, n := range widths[1:last] {
			hidden = append(hidden, kernel.NewMatrix(min(rows, shapes.ChunkRows), n))
		}
		return func(calls int) {
			for range calls {
				for lo := 0; lo < rows; lo += shapes.ChunkRows {
					hi := min(lo+shapes.ChunkRows, rows)
					a := x.RowRange(lo, hi)
					for i := range ls {
						dst := out.RowRange(lo, hi)
						if i < len(hidden) {
							dst = hidden[i].RowRange(0, hi-lo)
						}
						kn.MatMul(dst, a, ls[i].W, ls[i].Bias, ls[i].ReLU)
						a = dst
					}
				}
			}
		}
	}
	return w
}

// mostWorkers is the largest number of workers a training step is measured with.
const mostWorkers = 2

// step is one step of training: forward, mean squared error, backward, Adam.
func step(widths []int, rows, workers int) workload {
	// Forward, gradient of the weights, gradient of the input; the first layer needs no
	// gradient of its input.
	all, first := float64(shapes.MultiplyAdds(widths)), float64(widths[0]*widths[1])
	w := workload{
		section: training, op: "Step", shape: fmt.Sprintf("%s/%d/%dw", shapes.Network(widths), rows, workers),
		Work: shapes.Work{Flops: 2 * float64(rows) * (3*all - first)}, rows: rows,
		team: backprop.NewTeam(workers),
	}
	w.calls = func(kn kernel.Kernel) func(int) {
		// A rate that leaves the last network what the first was, however many steps.
		l := newLesson(kn, widths, rows, w.team, 1e-7)
		return func(calls int) {
			for range calls {
				l.step()
			}
		}
	}
	return w
}

// A lesson is a network in training on random rows.
type lesson struct {
	stepper *backprop.Stepper
	net     backprop.Parameters
	rows    fit
	opt     backprop.Optimiser
}

func newLesson(k kernel.Kernel, widths []int, rows int, team *backprop.Team, rate float32) *lesson {
	last := len(widths) - 1
	s := backprop.Shape{Inputs: widths[0], Hidden: widths[1:last], Outputs: widths[last]}
	d := newDice(10)
	l := &lesson{
		stepper: backprop.NewStepper(k, s, rows, team),
		net:     s.Parameters(),
		rows:    fit{d.matrix(rows, widths[0]), d.matrix(rows, widths[last])},
	}
	for i, w := range l.net.W {
		copy(w.Data, d.layer(w.K, w.N).Data)
		copy(l.net.B[i], d.vector(w.N))
	}
	n := len(l.net.Flat)
	l.opt = backprop.Optimiser{
		Moments1: kernel.Floats(n), Moments2: kernel.Floats(n),
		Step: kernel.AdamStep{Rate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8},
	}
	return l
}

// step makes one step on all rows and returns the sum of their losses before it.
func (l *lesson) step() float64 {
	l.opt.Step.Step++
	return l.stepper.Step(&l.net, &l.rows, l.rows.x.Rows, l.opt)
}

// fit is the task of a lesson: the mean squared error.
type fit struct{ x, y kernel.Matrix }

// Inputs implements backprop.Task.
func (f *fit) Inputs(in kernel.Matrix, lo int) kernel.Matrix {
	for i := range in.Rows {
		copy(in.Row(i), f.x.Row(lo+i))
	}
	return in
}

// Loss implements backprop.Task.
func (f *fit) Loss(out kernel.Matrix, lo int, sum float64) float64 {
	scale := 2 / float32(f.x.Rows*f.y.Cols)
	for i := range out.Rows {
		z := out.Row(i)
		for j, y := range f.y.Row(lo + i) {
			d := z[j] - y
			sum += float64(d) * float64(d) // exact product: fused or not, the same bits
			z[j] = d * scale
		}
	}
	return sum
}

// trainingBits trains a small network on k and returns a hash of the losses and of what
// comes out: on all machines the same. The widths meet all orders of sums; the rows make
// two slots.
func trainingBits(k kernel.Kernel) string {
	l := newLesson(k, []int{5, 70, 33, 10, 1}, 300, nil, 1e-2)
	h := sha256.New()
	for range 20 {
		// A hash takes whatever is written to it: there is no error to look at.
		_ = binary.Write(h, binary.LittleEndian, math.Float64bits(l.step()))
	}
	_ = binary.Write(h, binary.LittleEndian, l.net.Flat)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
