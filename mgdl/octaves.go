package mgdl

import (
	"context"
	"math"
	"slices"

	"github.com/multigrade/multigrade/kernel"
)

// A function of few inputs may have detail that hinges find slowly: an image, a sound, a
// field. Where a table has the shape of one, two grades are trained from the prior when all
// others are done, as their rivals: a grade of waves, which has no training but a solved
// readout, and a network that sees the inputs and the waves. The two take the place of all
// others if the held-out rows prefer them by the gate.
//
// The waves are fixed: the sine and the cosine of octaves of each input. It is frequencies
// that networks lack, not directions, which the first layer behind the waves makes of them
// (M. Tancik et al., Fourier features let networks learn high frequency functions in low
// dimensional domains, 2020).

const (
	wavesInputs  = 3       // most inputs of a table that rivals are trained for,
	wavesRows    = 1000    // fewest rows of a chain,
	wavesMost    = 1 << 16 // most cycles, but for the factor longest: float32 tells 2²⁴ places apart
	wavesNothing = 1e-9    // and held-out loss up to which rounding leaves nothing to gain
	wavesNarrow  = 1e-30   // range of an input below which it has no waves of its own

	// longest is the cycles of the longest wave over the range of an input: less than one, so
	// that the ends of the range, and a little beyond them, do not look alike.
	longest = 0.75

	// Where the network of the rivals stands in a checkpoint: it is network grade 1 of its
	// chains. No other network of that grade is a second attempt.
	wavesGrade, wavesAttempt = 1, 2
)

// wavy reports whether rivals are trained: for regression on at most wavesInputs inputs, all
// of them numbers, and at least wavesRows rows, where ReLU grades are as many as validation
// likes.
func (t *trainer) wavy() bool {
	r := &t.recipe
	for _, c := range t.schema.Features {
		if c.Kind != Number {
			return false
		}
	}
	return t.class == nil && r.plan == nil && !r.sine && !r.forced && r.grades > 1 &&
		t.x.Cols > 0 && t.x.Cols <= wavesInputs && r.fit >= wavesRows
}

// octaves returns the number of frequencies of each input: longest·2^k cycles over its range,
// k = 0, 1, …, with at least 8 rows for 2^k: as many lie along an input where n rows fill a
// grid of as many dimensions as there are inputs. That is 8·2^k ≤ n^(1/inputs).
func octaves(n, inputs int) int {
	k := 0
	for 1<<k <= wavesMost {
		rows := int64(1)
		for range inputs {
			if rows *= 8 << k; rows > int64(n) {
				return k
			}
		}
		k++
	}
	return k
}

// waves returns the layer of sines and cosines of all octaves of each input.
func (t *trainer) waves() layer {
	d, k := t.x.Cols, octaves(t.recipe.fit, t.x.Cols)
	l := layer{kernel.NewWeights(d, 2*k*d), make([]float32, 2*k*d)}
	n := 0
	for j := range d {
		lo, hi := t.x.Row(0)[j], t.x.Row(0)[j]
		for i := range t.n {
			v := t.x.Row(i)[j]
			lo, hi = min(lo, v), max(hi, v)
		}
		width := float64(hi) - float64(lo)
		if width < wavesNarrow {
			width = 1 // float32 does not tell the values apart; raw inputs may be like that
		}
		for o := range k {
			cycles := float32(float64(longest*float64(int(1)<<o)) / width)
			for _, phase := range [...]float32{0, 0.25} {
				l.w.Data[l.w.Index(j, n)], l.b[n] = cycles, phase
				n++
			}
		}
	}
	return l
}

// rivals trains the rivals, puts them in the place of all grades if the held-out rows say so,
// and reports whether others may follow.
func (t *trainer) rivals(ctx context.Context) (more bool, err error) {
	if mean(t.held) <= wavesNothing {
		return false, nil
	}
	// Until it is decided, a checkpoint has the grades there are, of which there may be none, and
	// says what comes next.
	grades, held := t.grades, t.held
	t.training = func() *trainingState {
		return &trainingState{grade: wavesGrade, attempt: wavesAttempt, best: math.Inf(1)}
	}
	waves, follower, err := t.trainRivals(ctx)
	if err != nil {
		return false, err
	}
	last, follows := waves, follower != nil && t.falls(follower) && wins(follower.held, waves.held, gate)
	if follows {
		last = follower
	}
	won := last.trainLoss < t.base.TrainLoss && wins(last.held, held, gate)
	t.grades = nil
	t.forget() // decide adds what wins
	t.decide(waves, won)
	if follower != nil {
		t.grades = []grade{{waves.info, waves.networks}} // whether they stay or not, it follows them
		t.decide(follower, won && follows)
	}
	if !won {
		t.grades = grades // all that is left to do is the model
		return false, nil
	}
	t.done++ // the follower
	if follows && t.checkpoint != nil {
		err = t.save()
	}
	return follows, err
}

// trainRivals returns the grade of waves with a solved readout, and the network that follows
// it; nil if waves alone are no better than the prior. t goes back to the prior for them, but
// for its grades.
func (t *trainer) trainRivals(ctx context.Context) (waves, follower *candidate, err error) {
	t.done = 0
	if err := t.restart(ctx); err != nil {
		return nil, nil, err
	}
	hidden := t.waves()
	c := &candidate{}
	for range t.chains {
		out := layer{kernel.NewWeights(hidden.w.N, t.outputs), make([]float32, t.outputs)}
		c.networks = append(c.networks, network{Sine, []layer{hidden}, out})
	}
	if err := t.compute(ctx, c, c.networks, true); err != nil {
		return nil, nil, err
	}
	c.mean = average(t.k, c.outs)
	if err := t.assess(ctx, c); err != nil {
		return nil, nil, err
	}
	if waves, err = t.solveReadouts(ctx, c, t.unit(), readoutPenalties[:], 0); err != nil || !t.falls(waves) {
		return waves, nil, err
	}
	t.add(waves)
	t.waved, t.done, t.attempt = true, wavesGrade, wavesAttempt-1
	follower, err = t.network(ctx, wavesGrade)
	return waves, follower, err
}

// waveGrade reports whether grade i of a checkpoint is one of waves.
func (t *trainer) waveGrade(i int, g *grade) bool {
	return i == 0 && g.networks[0].activation == Sine && t.wavy() &&
		slices.Equal(g.info.Hidden, []int{2 * t.x.Cols * octaves(t.recipe.fit, t.x.Cols)})
}
