package papers

import (
	"errors"
	"fmt"
	"math"

	"github.com/multigrade/multigrade/mgdl"
)

// Figures are what was printed of a run: the error on the test set after each grade, and the
// time of all grades together.
type Figures struct {
	Errors  []float64
	Seconds float64
	Note    string
}

// A Case is one experiment.
type Case struct {
	Name, Title string
	Load        func() Set
	Half        bool             // errors are half the mean square, not Σ(y−f)²/Σy²
	Decibels    bool             // errors are the peak signal-to-noise ratio
	Plan        []mgdl.GradePlan // as published
	Published   Figures
	Single      []mgdl.GradePlan // the control: the same layers in one grade; nil if there is none
	Control     Figures
}

// same returns n grades of one form.
func same(n int, p mgdl.GradePlan) []mgdl.GradePlan {
	plan := make([]mgdl.GradePlan, n)
	for i := range plan {
		plan[i] = p
	}
	return plan
}

// single returns the plan of one grade with n times the hidden layers of p.
func single(n int, p mgdl.GradePlan) []mgdl.GradePlan {
	hidden := p.Hidden
	for range n - 1 {
		p.Hidden = append(p.Hidden[:len(p.Hidden):len(p.Hidden)], hidden...)
	}
	return []mgdl.GradePlan{p}
}

// spectral is a grade of the study of spectral bias.
func spectral(epochs, batch int, rate, last float64) mgdl.GradePlan {
	return mgdl.GradePlan{Hidden: []int{256, 256}, Start: mgdl.StartUniform, Epochs: epochs, Batch: batch, Rate: rate, LastRate: last}
}

// Cases returns all cases, in the order of the papers.
func Cases() []Case {
	low := spectral(30000, 256, 1e-4, 1e-4)
	full := spectral(30000, 0, 1e-3, 1e-4)
	shallow := mgdl.GradePlan{Hidden: []int{32}, Start: mgdl.StartHeNormal, Epochs: 1_000_000, Optimiser: mgdl.Descent, Rate: 0.06, LastRate: 0.06}
	return []Case{
		{
			Name: "s1", Title: "20 tones of equal size, 6,000 points", Load: func() Set { return line(constant) },
			Plan: same(4, low), Published: Figures{Note: "no figures"},
			Single: single(4, low), Control: Figures{Errors: []float64{0.1181}},
		},
		{
			Name: "s2", Title: "20 tones, the fast ones small, 6,000 points", Load: func() Set { return line(decreasing) },
			Plan: same(4, low), Published: Figures{Errors: []float64{0.6662, 0.08064, 1.964e-4, 6.537e-6}, Seconds: 27629},
			Single: single(4, spectral(30000, 256, 5e-4, 1e-4)), Control: Figures{Errors: []float64{5.869e-3}, Seconds: 32054, Note: "on validation points"},
		},
		{
			Name: "s2short", Title: "s2 on the whole batch, 300 epochs a grade", Load: func() Set { return line(decreasing) },
			Plan: same(4, spectral(300, 0, 1e-3, 1e-4)), Published: Figures{Errors: []float64{0.99556, 0.94766, 0.85103, 0.68427}, Seconds: 149},
			Single: single(4, spectral(300, 0, 1e-3, 1e-4)), Control: Figures{Errors: []float64{0.94725}, Seconds: 145},
		},
		{
			Name: "s3", Title: "20 tones whose sizes vary with x, 6,000 points", Load: func() Set { return line(varying) },
			Plan: same(4, low), Published: Figures{Note: "no figures"}, Single: single(4, low), Control: Figures{Note: "no figures"},
		},
		{
			Name: "m1q0", Title: "40 tones along a circle, the fast ones large, 12,000 points", Load: func() Set { return curve(increasing, 0) },
			Plan: same(4, full), Published: Figures{Errors: []float64{0.9685, 0.6157, 0.1174, 2.110e-4}, Seconds: 15969},
			Single: single(4, spectral(30000, 1024, 1e-4, 1e-5)), Control: Figures{Errors: []float64{0.5429}, Seconds: 29052},
		},
		{
			Name: "xu1", Title: "sin 100x, 5,000 points", Load: func() Set { return oscillation(func(x float64) float64 { return math.Sin(100 * x) }) },
			Plan: []mgdl.GradePlan{
				{Hidden: []int{256, 256}, Activation: mgdl.Sine, Start: mgdl.StartUniform, Epochs: 20, Batch: 32, Rate: 1e-1, LastRate: 1e-4},
				{Hidden: []int{128, 128, 64}, Start: mgdl.StartUniform, Epochs: 20, Batch: 32, Rate: 1e-2, LastRate: 1e-4},
				{Hidden: []int{64, 32, 32}, Start: mgdl.StartUniform, Epochs: 40, Batch: 32, Rate: 1e-2, LastRate: 1e-4},
			},
			Published: Figures{Errors: []float64{0.2923, 1.553e-5, 1.119e-5}, Seconds: 24, Note: "a lottery: see several seeds"},
		},
		{
			Name: "t1", Title: "three tones by gradient descent, 1,024 points", Load: threeTones, Half: true,
			Plan: same(4, shallow), Published: Figures{Errors: []float64{0.4404, 0.1117, 3.19e-3, 8.38e-5}, Seconds: 2680, Note: "eigenvalues of the Hessian in the time"},
		},
	}
}

// Find returns the case of a name.
func Find(name string) (Case, bool) {
	for _, c := range Cases() {
		if c.Name == name {
			return c, true
		}
	}
	return Case{}, false
}

// Fast returns our own way to fit a function from exact points, for grades of the widths of
// plan. Nothing in it depends on the case but the number of rows and of inputs and the widths
// and activations of its grades:
//
//   - A sine grade, or the first one where there are several inputs, has random waves over a
//     band that the validation points choose, at least waves of them, and is not trained.
//   - A ReLU grade on one input starts from ramps (mgdl.StartRamps), a later one from He's
//     weights on standardised features. Batches are the power of two nearest to a 24th of the
//     rows, 32 to 256; the first grade sees 1e6 rows, at a rate of 2e-3, later ones 1.2e6 at
//     1e-3, rising and falling by a cosine.
//   - Readouts are solved in float64, their penalty chosen by the validation points.
func Fast(plan []mgdl.GradePlan, rows, inputs int) []mgdl.GradePlan {
	batch := 32
	for batch < 256 && float64(batch)*math.Sqrt2 < float64(rows)/24 {
		batch *= 2
	}
	var fast []mgdl.GradePlan
	for i, p := range plan {
		f := mgdl.GradePlan{Hidden: p.Hidden, Normalise: true, Readout: true, Batch: batch, Start: mgdl.StartHe, Rate: 1e-3,
			Epochs: max(1, int(math.Round(1.2e6/float64(rows))))}
		switch {
		case i == 0 && (p.Activation == mgdl.Sine || inputs > 1):
			f = Waves(p.Hidden[0])
			if inputs > 1 {
				f = Waves(4 * p.Hidden[0])
			}
		case i == 0:
			f.Start, f.Rate, f.Epochs = mgdl.StartRamps, 2e-3, max(1, int(math.Round(1e6/float64(rows))))
		}
		fast = append(fast, f)
		if f.Start == mgdl.StartWaves {
			break // it leaves nothing that ReLU could tell from rounding
		}
	}
	return fast
}

// Waves is a sine grade of random waves with a solved readout.
func Waves(waves int) mgdl.GradePlan {
	return mgdl.GradePlan{Hidden: []int{waves}, Activation: mgdl.Sine, Start: mgdl.StartWaves, Normalise: true, Readout: true}
}

// ErrNoControl is about a case without a single-grade control.
var ErrNoControl = errors.New("the paper has no single-grade control of this case")

// Error returns the error of c that m stands for.
func (c *Case) Error(m mgdl.Metrics) float64 {
	switch {
	case c.Half:
		return 0.5 * m.RMSE * m.RMSE
	case c.Decibels:
		return -20 * math.Log10(m.RMSE)
	}
	return m.RSE
}

// Measure names the error.
func (c *Case) Measure() string {
	switch {
	case c.Half:
		return "half mean square"
	case c.Decibels:
		return "PSNR in dB"
	}
	return "rse"
}

// String is a line about the case.
func (c *Case) String() string { return fmt.Sprintf("%s: %s", c.Name, c.Title) }
