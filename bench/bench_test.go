package main

import (
	"testing"

	"github.com/multigrade/multigrade/bench/internal/machine"
	"github.com/multigrade/multigrade/bench/internal/probe"
	"github.com/multigrade/multigrade/kernel"
)

// The workloads of the table as Benchmark functions, for benchstat:
//
//	go test -run '^$' -bench MatMul/1x -count 10 ./bench | tee new.txt && benchstat old.txt new.txt

func BenchmarkMatMul(b *testing.B)     { benchmark(b, "MatMul") }
func BenchmarkWeightGrad(b *testing.B) { benchmark(b, "WeightGrad") }
func BenchmarkInputGrad(b *testing.B)  { benchmark(b, "InputGrad") }
func BenchmarkResidual(b *testing.B)   { benchmark(b, "Residual") }
func BenchmarkSums(b *testing.B)       { benchmark(b, "Sums") }
func BenchmarkAdam(b *testing.B)       { benchmark(b, "Adam") }
func BenchmarkCross(b *testing.B)      { benchmark(b, "Cross") }
func BenchmarkNetwork(b *testing.B)    { benchmark(b, "Network") }
func BenchmarkBatch(b *testing.B)      { benchmark(b, "Batch") }
func BenchmarkStep(b *testing.B)       { benchmark(b, "Step") }

func benchmark(b *testing.B, op string) {
	for _, w := range workloads(machine.Detect().Caches) {
		if w.op != op {
			continue
		}
		b.Run(w.shape, func(b *testing.B) {
			for _, k := range kernel.Available() {
				b.Run(k.Name(), func(b *testing.B) {
					p := probe.Probe{Run: w.calls(k), Team: w.team}
					p.Start()
					defer p.Team.Stop()
					p.Run(1)
					b.ReportAllocs()
					b.ResetTimer()
					p.Run(b.N)
					b.StopTimer()
					ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
					if w.Flops > 0 {
						b.ReportMetric(w.Flops/ns, "GFLOP/s")
					}
					if w.Flops == 0 || w.double {
						b.ReportMetric((w.Reads+w.Writes)/ns, "GB/s")
					}
					if w.rows > 0 {
						b.ReportMetric(float64(w.rows)/ns*1e9, "samples/s")
					}
				})
			}
		})
	}
}

// BenchmarkPeak is what the rest is compared with.
func BenchmarkPeak(b *testing.B) {
	for _, u := range machine.Units() {
		b.Run(u.Name, func(b *testing.B) {
			p, flops := machine.FMAProbe(u, 1)
			b.ResetTimer()
			p.Run(b.N)
			b.ReportMetric(flops*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}
