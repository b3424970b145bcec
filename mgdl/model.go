package mgdl

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/multigrade/multigrade/kernel"
)

// The kinds of GradeInfo.
const (
	kindPrior  = "prior"
	kindLinear = "linear"
	kindReLU   = "relu"
	kindSine   = "sin"
)

// GradeInfo is what is known of one grade: its form, and the losses of the model that
// ends with it.
//
// Losses are means over rows: the squared error of the standardised targets, averaged
// over targets (so the share of the variance left over), or the cross-entropy in nats.
type GradeInfo struct {
	Kind      string  // "linear", "relu" or "sin"; "prior" for Model.Prior
	Hidden    []int   // hidden widths of each network; nil for linear
	Networks  int     // independent networks it is the mean of (chains); 1 for linear
	Params    int     // parameters of all its networks
	MACs      int     // multiply-adds of one prediction by this grade alone
	TrainLoss float64 // of the model up to this grade, on the training rows; NaN if unknown
	ValLoss   float64 // of each chain on the rows it held out, pooled; of the model on the rows of a holdout
	Curve     []Check // the schedule's validation checks, in order

	Certificate *Certificate // of a convex grade, else nil
}

// A Check is one point of a grade's learning curve.
type Check struct {
	Epoch     float64
	TrainLoss float64 // mean over the batches since the last check
	ValLoss   float64
}

func (g GradeInfo) clone() GradeInfo {
	g.Hidden = slices.Clone(g.Hidden)
	g.Curve = slices.Clone(g.Curve)
	g.Certificate = g.Certificate.clone()
	return g
}

// layer maps a row x to x·W + B, followed by its network's activation if it is hidden.
type layer struct {
	w kernel.Weights
	b []float32
}

// network is one chain's part of a grade. Its input is the raw inputs in the chain's first
// network; in a later one the last hidden activations of the chain's previous network, with
// or without the raw inputs before them (source). Its output adds to the running sum.
type network struct {
	activation Activation // ReLU if there is no hidden layer
	hidden     []layer
	out        layer
}

// layers returns the hidden layers followed by the readout.
func (n *network) layers() []layer {
	return append(slices.Clip(n.hidden), n.out)
}

// grade is the mean of its networks, one per chain; a linear grade has a single
// network without hidden layers, which adds to every chain.
type grade struct {
	info     GradeInfo
	networks []network
}

func (g *grade) linear() bool { return len(g.networks[0].hidden) == 0 }

// features returns the last hidden width of the grade's networks.
func (g *grade) features() int {
	h := g.networks[0].hidden
	return h[len(h)-1].w.N
}

// inputs returns the number of inputs of the network.
func (n *network) inputs() int {
	if len(n.hidden) == 0 {
		return n.out.w.K
	}
	return n.hidden[0].w.K
}

// source returns what a network with k inputs sees of a row that begins with inputs raw
// inputs and continues with features activations of the network before it: the k values from
// at on. It is all of them, or, where k is features, the activations alone.
func source(k, inputs, features int) (at int) {
	if features > 0 && k == features {
		return inputs
	}
	return 0
}

// A Model is a trained multigrade network: a prior plus a sum of grades, of which each
// prefix is itself a model. It is immutable and safe for concurrent use.
//
// In standardised units (or logits) the prediction after k grades is
// prior + Σ_{g≤k} mean over chains of network g, clamped to the range of the training
// targets for regression; Predict turns it into target units (or probabilities).
type Model struct {
	schema Schema
	inputs int       // network inputs the schema makes
	prior  []float32 // one per network output
	grades []grade
	prior0 GradeInfo // losses of the prior alone
	// meta holds what else the file says about how the model was made, key by key.
	meta     map[string]string
	training *trainingState // of a checkpoint

	checksum atomic.Pointer[string] // of the model file, once it is known
}

// newModel returns the model of these parts, which it keeps: the only way to make one.
// It checks that all shapes fit together and every number is finite, and sets what
// follows from the shapes in each GradeInfo: all but the losses and the curve.
//
// A hidden layer or readout with K inputs and N outputs has Weights{K, N} and N biases.
// The first network of a chain takes the raw inputs, a later one the last hidden layer of the
// network before it, or the raw inputs and that layer; a linear grade takes the raw inputs
// and leaves the chains as they are. All networks of a grade have the same widths and all
// nonlinear grades the same number of networks.
func newModel(schema Schema, prior []float32, base GradeInfo, grades []grade, meta map[string]string) (*Model, error) {
	if err := schema.validate(true); err != nil {
		return nil, err
	}
	outputs := schema.outputs()
	if len(prior) != outputs {
		return nil, fmt.Errorf("mgdl: the prior has %d values, want %d", len(prior), outputs)
	}
	if !allFinite(prior) {
		return nil, fmt.Errorf("mgdl: the prior has a value that is not finite")
	}
	m := &Model{schema: schema, inputs: schema.inputs(), prior: prior, meta: cleanMeta(meta)}
	m.prior0 = base
	m.prior0.Kind, m.prior0.Hidden, m.prior0.Networks, m.prior0.Params, m.prior0.MACs = kindPrior, nil, 0, 0, 0
	if err := m.prior0.validate(); err != nil {
		return nil, fmt.Errorf("mgdl: prior: %w", err)
	}
	chains, features := 0, 0
	for i := range grades {
		g := grades[i] // a copy: what is set below is not the caller's
		if err := g.complete(m.inputs, features, outputs, chains); err != nil {
			return nil, fmt.Errorf("mgdl: grade %d: %w", i+1, err)
		}
		if !g.linear() {
			chains, features = len(g.networks), g.features()
		}
		m.grades = append(m.grades, g)
	}
	return m, nil
}

// complete checks a grade whose networks follow on features hidden activations in each
// of chains chains (0: there are none yet) and sets its info.
func (g *grade) complete(inputs, features, outputs, chains int) error {
	if len(g.networks) == 0 {
		return fmt.Errorf("it has no networks")
	}
	first := &g.networks[0]
	info := &g.info
	info.Kind, info.Hidden, info.Networks, info.Params, info.MACs = first.activation.String(), nil, len(g.networks), 0, 0
	for _, l := range first.hidden {
		info.Hidden = append(info.Hidden, l.w.N)
	}
	k0 := inputs + features
	switch {
	case g.linear() && len(g.networks) != 1:
		return fmt.Errorf("it is linear and has %d networks, want 1", len(g.networks))
	case g.linear() && first.activation != ReLU:
		return fmt.Errorf("it is linear and has the activation %v", first.activation)
	case g.linear():
		info.Kind = kindLinear
		k0 = inputs
	case chains != 0 && chains != len(g.networks):
		return fmt.Errorf("it has %d networks, the grade before it %d", len(g.networks), chains)
	case source(first.inputs(), inputs, features) > 0:
		k0 = features
	}
	for e := range g.networks {
		n := &g.networks[e]
		if len(n.hidden) != len(info.Hidden) {
			return fmt.Errorf("network %d has %d hidden layers, the first %d", e, len(n.hidden), len(info.Hidden))
		}
		if n.activation != first.activation {
			return fmt.Errorf("network %d has the activation %v, the first %v", e, n.activation, first.activation)
		}
		k := k0
		for j, l := range n.layers() {
			want := outputs
			if j < len(info.Hidden) {
				want = info.Hidden[j]
			}
			if l.w.K != k || l.w.N != want || want < 1 || len(l.b) != want || len(l.w.Data) != kernel.WeightsLen(k, want) {
				return fmt.Errorf("network %d, layer %d is %d×%d with %d biases, want %d×%d", e, j, l.w.K, l.w.N, len(l.b), k, want)
			}
			if !allFinite(l.w.Data) || !allFinite(l.b) {
				return fmt.Errorf("network %d, layer %d has a weight that is not finite", e, j)
			}
			info.Params += k*want + want
			info.MACs += k * want
			k = want
		}
	}
	return info.validate()
}

// validate refuses losses that are infinite: they say that training went wrong.
func (g *GradeInfo) validate() error {
	if math.IsInf(g.TrainLoss, 0) || math.IsInf(g.ValLoss, 0) {
		return fmt.Errorf("a loss is infinite")
	}
	if c := g.Certificate; c != nil && !(c.Gap >= 0 && c.Gap <= math.MaxFloat64 && c.Lambda >= 0 && c.Lambda <= math.MaxFloat64) {
		return fmt.Errorf("its certificate is damaged")
	}
	for _, c := range g.Curve {
		if math.IsInf(c.Epoch, 0) || math.IsInf(c.TrainLoss, 0) || math.IsInf(c.ValLoss, 0) {
			return fmt.Errorf("its curve has an infinite number")
		}
	}
	return nil
}

// allFinite reports whether x has neither NaN nor an infinity. Zero times those is NaN,
// zero times anything else is 0.
func allFinite(x []float32) bool {
	for _, v := range x {
		if v*0 != 0 {
			return false
		}
	}
	return true
}

// Schema returns the columns of the model's raw rows and what it predicts.
func (m *Model) Schema() Schema { return m.schema.clone() }

// Outputs returns the number of values of one prediction: targets, or classes.
func (m *Model) Outputs() int { return len(m.prior) }

// Prior returns the losses of the model without grades: the mean of the targets, or the
// frequencies of the classes. Its Kind is "prior".
func (m *Model) Prior() GradeInfo { return m.prior0.clone() }

// Grades returns what is known of each grade, in order.
func (m *Model) Grades() []GradeInfo {
	infos := make([]GradeInfo, len(m.grades))
	for i := range infos {
		infos[i] = m.grades[i].info.clone()
	}
	return infos
}

// Truncate returns the model of the first k grades, 0 ≤ k ≤ len(m.Grades()); with k = 0
// it is the prior. Weights are shared.
func (m *Model) Truncate(k int) (*Model, error) {
	if k < 0 || k > len(m.grades) {
		return nil, fmt.Errorf("mgdl: cannot keep %d grades of a model of %d", k, len(m.grades))
	}
	if k == len(m.grades) {
		return m, nil
	}
	c := m.share()
	c.grades, c.training = m.grades[:k:k], nil
	return c, nil
}

// Meta returns what the model says under key about how it was made, "" if nothing.
func (m *Model) Meta(key string) string { return m.meta[strings.ToValidUTF8(key, "\uFFFD")] }

// WithMeta returns a copy of m, weights shared, that says value under key, or nothing if
// value is "". It travels with the model file, as UTF-8.
func (m *Model) WithMeta(key, value string) *Model {
	c := m.share()
	c.meta = cleanMeta(m.meta)
	maps.Copy(c.meta, cleanMeta(map[string]string{key: value}))
	if value == "" {
		delete(c.meta, strings.ToValidUTF8(key, "\uFFFD"))
	}
	return c
}

// share returns a model with m's parts and no checksum yet.
func (m *Model) share() *Model {
	return &Model{schema: m.schema, inputs: m.inputs, prior: m.prior, grades: m.grades, prior0: m.prior0, meta: m.meta, training: m.training}
}

// cleanMeta returns a copy of meta in valid UTF-8, without empty values.
func cleanMeta(meta map[string]string) map[string]string {
	c := make(map[string]string, len(meta)+1)
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		if v := meta[k]; v != "" {
			c[strings.ToValidUTF8(k, "\uFFFD")] = strings.ToValidUTF8(v, "\uFFFD")
		}
	}
	return c
}
