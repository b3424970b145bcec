package shapes

// Work is what one call has to do, however it does it.
type Work struct {
	Flops  float64 // floating-point operations; 0 where bytes are the measure
	Roots  float64 // square roots, each with a division
	Reads  float64 // bytes that must be read, each once
	Writes float64 // and written
	Touch  float64 // bytes: decides which cache can hold them
}

// ProductWork is that of a layer k×n for m rows: product, bias and ReLU.
func ProductWork(m, k, n int) Work {
	w := Work{Flops: flops(m, k, n), Reads: floats(m*k + k*n + n), Writes: floats(m * n)}
	w.Touch = w.Reads + w.Writes
	return w
}

// WeightGradWork is that of the gradient of a k×n layer over m rows, with that of its bias.
func WeightGradWork(m, k, n int) Work {
	w := Work{Flops: flops(m, k, n), Reads: floats(m*k + m*n), Writes: floats(k*n + n)}
	w.Touch = w.Reads + w.Writes
	return w
}

// InputGradWork is that of the gradient of the m×k input of a k×n layer, masked by the
// ReLU that made the input.
func InputGradWork(m, k, n int) Work {
	w := Work{Flops: flops(m, k, n), Reads: floats(m*n + k*n + m*k), Writes: floats(m * k)}
	w.Touch = w.Reads + w.Writes
	return w
}

// RowWork is that of one row through a network. Its activations are too few to count.
func RowWork(widths []int) Work {
	w := Work{Flops: 2 * float64(MultiplyAdds(widths)), Reads: weightBytes(widths)}
	w.Touch = w.Reads
	return w
}

// ChunkRows is how many rows of a batch go through all layers before the next: as many as
// package mgdl takes at a time when it predicts.
const ChunkRows = 64

// BatchWork is that of many rows through a network, chunk by chunk.
func BatchWork(widths []int, rows int) Work {
	last := len(widths) - 1
	w := Work{
		Flops:  2 * float64(MultiplyAdds(widths)) * float64(rows),
		Reads:  weightBytes(widths) + floats(rows*widths[0]),
		Writes: floats(rows * widths[last]),
	}
	w.Touch = w.Reads + w.Writes
	for _, n := range widths[1:last] {
		w.Touch += floats(min(rows, ChunkRows) * n)
	}
	return w
}

// MultiplyAdds returns those of one row through a network.
func MultiplyAdds(widths []int) int {
	sum := 0
	for i, n := range widths[1:] {
		sum += widths[i] * n
	}
	return sum
}

// weightBytes are those of weights and biases.
func weightBytes(widths []int) float64 {
	sum := MultiplyAdds(widths)
	for _, n := range widths[1:] {
		sum += n
	}
	return floats(sum)
}

func flops(m, k, n int) float64 { return 2 * float64(m) * float64(k) * float64(n) }

func floats(n int) float64 { return 4 * float64(n) }
