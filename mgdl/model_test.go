package mgdl

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/multigrade/multigrade/kernel"
	"github.com/stretchr/testify/require"
)

func TestNewModelErrors(t *testing.T) {
	const inputs = 8
	rng := rand.New(rand.NewPCG(1, 1))
	net := func(k, h int) network {
		return network{hidden: []layer{randomLayer(rng, k, h)}, out: randomLayer(rng, h, 2)}
	}
	nan := float32(math.NaN())
	for _, c := range []struct {
		name   string
		prior  []float32
		base   GradeInfo
		grades []grade
		want   string
	}{
		{"prior length", make([]float32, 3), GradeInfo{}, nil, "mgdl: the prior has 3 values, want 2"},
		{"prior NaN", []float32{0, nan}, GradeInfo{}, nil, "mgdl: the prior has a value that is not finite"},
		{"prior loss", make([]float32, 2), GradeInfo{TrainLoss: math.Inf(1)}, nil, "mgdl: prior: a loss is infinite"},
		{"empty grade", make([]float32, 2), GradeInfo{}, []grade{{}}, "mgdl: grade 1: it has no networks"},
		{"two linear", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{{out: randomLayer(rng, inputs, 2)}, {out: randomLayer(rng, inputs, 2)}}}},
			"mgdl: grade 1: it is linear and has 2 networks, want 1"},
		{"chains", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{net(inputs, 3), net(inputs, 3)}}, {networks: []network{net(inputs+3, 3)}}},
			"mgdl: grade 2: it has 1 networks, the grade before it 2"},
		{"no features", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{net(inputs, 3)}}, {networks: []network{net(inputs, 3)}}},
			"mgdl: grade 2: network 0, layer 0 is 8×3 with 3 biases, want 11×3"},
		{"features of a linear grade", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{net(inputs, 3)}}, {networks: []network{{out: randomLayer(rng, inputs+3, 2)}}}},
			"mgdl: grade 2: network 0, layer 0 is 11×2 with 2 biases, want 8×2"},
		{"width", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{net(inputs, 3), net(inputs, 4)}}},
			"mgdl: grade 1: network 1, layer 0 is 8×4 with 4 biases, want 8×3"},
		{"depth", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{net(inputs, 3), {out: randomLayer(rng, inputs, 2)}}}},
			"mgdl: grade 1: network 1 has 0 hidden layers, the first 1"},
		{"no width", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{net(inputs, 0)}}},
			"mgdl: grade 1: network 0, layer 0 is 8×0 with 0 biases, want 8×0"},
		{"outputs", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{{out: randomLayer(rng, inputs, 3)}}}},
			"mgdl: grade 1: network 0, layer 0 is 8×3 with 3 biases, want 8×2"},
		{"biases", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{{out: layer{kernel.NewWeights(inputs, 2), make([]float32, 3)}}}}},
			"mgdl: grade 1: network 0, layer 0 is 8×2 with 3 biases, want 8×2"},
		{"weights", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{{out: layer{kernel.Weights{K: inputs, N: 2, Data: make([]float32, 1)}, make([]float32, 2)}}}}},
			"mgdl: grade 1: network 0, layer 0 is 8×2 with 2 biases, want 8×2"},
		{"bias NaN", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{{out: layer{kernel.NewWeights(inputs, 2), []float32{nan, 0}}}}}},
			"mgdl: grade 1: network 0, layer 0 has a weight that is not finite"},
		{"curve", make([]float32, 2), GradeInfo{}, []grade{{networks: []network{net(inputs, 3)}, info: GradeInfo{Curve: []Check{{ValLoss: math.Inf(1)}}}}},
			"mgdl: grade 1: its curve has an infinite number"},
	} {
		m, err := newModel(testSchema(Regression, 2), c.prior, c.base, c.grades, nil)
		require.EqualError(t, err, c.want, c.name)
		require.Nil(t, m, c.name)
	}
	_, err := newModel(Schema{}, nil, GradeInfo{}, nil, nil)
	require.EqualError(t, err, "mgdl: there are no feature columns")
}

func TestModelInfo(t *testing.T) {
	m := makeModel(t, form{Regression, 2, true, 2, [][]int{{3}, {17, 1}}, ""}, 1)
	g := m.Grades()
	if m.Outputs() != 2 || len(g) != 3 || m.Prior().Kind != "prior" || m.Prior().ValLoss != 1.0625 {
		t.Fatalf("outputs %d, grades %+v, prior %+v", m.Outputs(), g, m.Prior())
	}
	for i, want := range []struct {
		kind           string
		networks, macs int
		params         int
		hidden         []int
	}{
		{"linear", 1, 8 * 2, 8*2 + 2, nil},
		{"relu", 2, 2 * (8*3 + 3*2), 2 * (8*3 + 3 + 3*2 + 2), []int{3}},
		{"relu", 2, 2 * (11*17 + 17*1 + 1*2), 2 * (11*17 + 17 + 17*1 + 1 + 1*2 + 2), []int{17, 1}},
	} {
		if g[i].Kind != want.kind || g[i].Networks != want.networks || g[i].MACs != want.macs || g[i].Params != want.params {
			t.Errorf("grade %d is %+v, want %+v", i+1, g[i], want)
		}
		require.Equal(t, want.hidden, g[i].Hidden)
	}

	// What accessors return is the caller's.
	g[1].Hidden[0], g[1].Curve[0].Epoch = 99, 99
	s := m.Schema()
	s.Features[1].Levels[0], s.Targets[0].Name = "changed", "changed"
	if m.Grades()[1].Hidden[0] != 3 || m.Grades()[1].Curve[0].Epoch != 0.5 || m.Schema().Features[1].Levels[0] != "blue" || m.Schema().Targets[0].Name != "y0" {
		t.Error("the model has changed with what its accessors returned")
	}
}

func TestTruncate(t *testing.T) {
	m := makeModel(t, form{Regression, 2, true, 2, [][]int{{3}, {17, 1}}, ""}, 1)
	for k := range 4 {
		c, err := m.Truncate(k)
		require.NoError(t, err)
		if len(c.Grades()) != k || c.Meta("seed") != "1" {
			t.Errorf("Truncate(%d) has %d grades", k, len(c.Grades()))
		}
		if (c.Checksum() == m.Checksum()) != (k == 3) {
			t.Errorf("Truncate(%d) has the checksum %s", k, c.Checksum())
		}
		if k > 1 && &c.grades[1].networks[0].out.b[0] != &m.grades[1].networks[0].out.b[0] {
			t.Errorf("Truncate(%d) does not share weights", k)
		}
	}
	_, err := m.Truncate(4)
	require.EqualError(t, err, "mgdl: cannot keep 4 grades of a model of 3")
	_, err = m.Truncate(-1)
	require.EqualError(t, err, "mgdl: cannot keep -1 grades of a model of 3")
}

func TestMeta(t *testing.T) {
	m := makeModel(t, forms[1], 1)
	c := m.WithMeta("k", "v").WithMeta("seed", "").WithMeta("bad\xff", "\xfe")
	if c.Meta("k") != "v" || c.Meta("seed") != "" || c.Meta("bad\xff") != "\uFFFD" || c.Meta("bad\uFFFD") != "\uFFFD" || c.Meta("nothing") != "" {
		t.Errorf("got %q", c.meta)
	}
	if m.Meta("seed") != "1" || m.Meta("k") != "" {
		t.Errorf("the first model has changed: %q", m.meta)
	}
	if c.Checksum() == m.Checksum() {
		t.Error("the checksum does not depend on the metadata")
	}
}
