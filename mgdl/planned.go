package mgdl

import (
	"context"
	"math"
	"time"

	"github.com/multigrade/multigrade/internal/backprop"
	"github.com/multigrade/multigrade/kernel"
)

// planned trains grade i of the plan and reports whether it was accepted.
func (t *trainer) planned(ctx context.Context, i int) (bool, error) {
	p := t.recipe.plan[i]
	c := t.chains[0]
	if i > 0 {
		c.measure(ctx, t.n)
		if !p.Normalise {
			c.asTheyAre()
		}
	}
	unit := 1.0
	if p.Normalise {
		unit = t.unit()
	}
	if err := ctx.Err(); err != nil || unit == 0 {
		return false, err
	}
	if p.Optimiser == Convex {
		return t.convexGrade(ctx, &p, i, unit)
	}
	if p.Start == StartWaves && p.Band == 0 {
		var err error
		if p.Band, err = t.findBand(ctx, p, i, unit); err != nil {
			return false, err
		}
	}
	l := t.newPlanLearner(&p, i, unit)
	curve, err := l.train(ctx)
	if err != nil {
		return false, err
	}
	a, err := t.propose(ctx, l)
	if err != nil {
		return false, err
	}
	a.info.Curve = curve
	c.features = a.features
	return t.decide(a.candidate, t.falls(a.candidate)), nil
}

// A proposal is a candidate with the features that the next grade would see.
type proposal struct {
	*candidate
	features kernel.Matrix
}

// propose makes a candidate of what l has learnt, with a solved readout if the plan asks for
// one. The chain keeps its features.
func (t *trainer) propose(ctx context.Context, l *planLearner) (proposal, error) {
	c := t.chains[0]
	before := c.features
	defer func() { c.features = before }()
	h := l.plan.hidden()
	a := proposal{&candidate{networks: []network{l.network()}}, kernel.NewMatrix(t.x.Rows, h[len(h)-1])}
	if err := t.computeInto(ctx, a.candidate, a.networks, []kernel.Matrix{a.features}); err != nil {
		return a, err
	}
	a.mean = average(t.k, a.outs)
	if err := t.assess(ctx, a.candidate); err != nil {
		return a, err
	}
	var err error
	if l.plan.Readout && t.class == nil {
		c.features = a.features
		a.candidate, err = t.solveReadouts(ctx, a.candidate, l.unit, planPenalties[:], 0)
	}
	return a, err
}

// findBand returns the band of frequencies that the holdout likes best, by the readout alone:
// a first one times powers of two, going up as long as it gains, or else down. In the first
// one W waves are as many as the box of the inputs' ranges R holds of its frequencies, with
// 1.4 to spare: Π 2·Band·R = W/1.4. At last 2^½ and 2^¼ to either side are tried.
func (t *trainer) findBand(ctx context.Context, p GradePlan, i int, unit float64) (float64, error) {
	p.Epochs, p.Band = 0, 1
	l := t.newPlanLearner(&p, i, unit)
	volume := 1.4
	for j := range l.in.Cols {
		lo, hi := l.span(j)
		volume *= 2 * (hi - lo)
	}
	loss := func(band float64) (float64, error) {
		p.Band = band
		a, err := t.propose(ctx, t.newPlanLearner(&p, i, unit))
		if err != nil {
			return 0, err
		}
		return mean(a.held), nil
	}
	best := expf64(logf64(float64(p.hidden()[0])/volume) / float64(l.in.Cols))
	least, err := loss(best)
	const rounding = 1e-9 // share of the loss below which float32 leaves nothing to choose
	try := func(band float64) (better bool) {
		if err != nil || least < float64(rounding*mean(t.held)) {
			return false
		}
		var next float64
		if next, err = loss(band); err == nil && next < least {
			best, least = band, next
			return true
		}
		return false
	}
	const tries = 12
	up := 0
	for up < tries && try(2*best) {
		up++
	}
	for down := 0; up == 0 && down < tries && try(0.5*best); down++ {
	}
	for _, fine := range [...]float64{math.Sqrt2, 0x1.306fe0a31b715p+0} { // 2^½, 2^¼
		if middle := best; !try(fine * middle) {
			try(middle / fine)
		}
	}
	return best, err
}

// A planLearner is the one network of a planned grade in training. It is the backprop.Task
// of its batches and of the holdout.
type planLearner struct {
	t        *trainer
	c        *chain
	plan     *GradePlan
	grade    int
	unit     float64
	carried  int           // raw inputs among those of the network; they come first
	in       kernel.Matrix // what the network sees of each row
	target   kernel.Matrix // regression: what is left over of each row, in unit
	schedule planSchedule

	team    *backprop.Team
	stepper *backprop.Stepper
	p       backprop.Parameters
	m, v    []float32 // moments; none for gradient descent
	exp     [][]float64

	random *stream
	order  []int32 // training rows in the order of this epoch; nil: as they are
	turns  int     // times they have been shuffled
	rows   span    // of the task at hand: positions in order
	step   int
	sum    float64 // of the losses of steps since the last check
}

func (t *trainer) newPlanLearner(p *GradePlan, grade int, unit float64) *planLearner {
	c := t.chains[0]
	l := &planLearner{t: t, c: c, plan: p, grade: grade, unit: unit, in: t.x, carried: t.x.Cols, schedule: p.schedule(t.n)}
	if grade > 0 {
		l.in, l.carried = c.seen(t.x, p.Carry, p.Normalise)
	}
	if t.class == nil {
		l.target = t.residual(c, unit)
	}
	s := backprop.Shape{Inputs: l.in.Cols, Hidden: p.hidden(), Outputs: t.outputs, Sine: p.Activation == Sine}
	batch := p.batch(t.n)
	slots, _ := backprop.Slots(batch)
	if slots > 1 {
		l.team = backprop.NewTeam(t.recipe.workers)
	}
	l.stepper = backprop.NewStepper(t.k, s, batch, l.team)
	l.p = s.Parameters()
	if p.Optimiser == Adam {
		l.m, l.v = kernel.Floats(len(l.p.Flat)), kernel.Floats(len(l.p.Flat))
	}
	for range slots {
		l.exp = append(l.exp, make([]float64, t.outputs))
	}
	if batch < t.n {
		l.order = span{0, t.n}.appendRows(nil)
	}
	l.random = newStream(t.recipe.seed, orderRows, grade, 0)
	l.start()
	return l
}

// residual returns what c leaves over of each row's targets, in unit.
func (t *trainer) residual(c *chain, unit float64) kernel.Matrix {
	r := kernel.NewMatrix(t.x.Rows, t.outputs)
	inverse := float32(1 / unit)
	for i := range r.Rows {
		row, base := r.Row(i), c.sums.Row(i)
		for j, y := range t.y.Row(i) {
			row[j] = (y - base[j]) * inverse
		}
	}
	return r
}

// seen returns what a network sees of each row of features: they themselves, or standardised,
// behind the raw inputs if carry; and the number of raw inputs.
func (c *chain) seen(x kernel.Matrix, carry, standardise bool) (in kernel.Matrix, carried int) {
	if !carry && !standardise {
		return c.features, 0
	}
	if carry {
		carried = x.Cols
	}
	in = kernel.NewMatrix(x.Rows, carried+c.features.Cols)
	for i := range in.Rows {
		row := in.Row(i)
		copy(row[:carried], x.Row(i))
		c.standardise(row[carried:], i)
	}
	return in, carried
}

// asTheyAre makes standardise leave features as they are.
func (c *chain) asTheyAre() {
	clear(c.center)
	for j := range c.inverse {
		c.inverse[j] = 1
	}
}

// Inputs returns what the network sees of the task's rows from lo on.
func (l *planLearner) Inputs(in kernel.Matrix, lo int) kernel.Matrix {
	lo += l.rows.lo
	if l.order == nil || lo >= len(l.order) { // the holdout follows the training rows
		return l.in.RowRange(lo, lo+in.Rows)
	}
	for i, r := range l.order[lo : lo+in.Rows] {
		copy(in.Row(i), l.in.Row(int(r)))
	}
	return in
}

// Loss adds the losses of the outputs for the task's rows from lo on, and replaces the
// outputs by the gradient of the mean loss over all of its rows, or of half of it where it is
// a squared error.
func (l *planLearner) Loss(out kernel.Matrix, lo int, sum float64) float64 {
	m := l.rows.hi - l.rows.lo
	slots, slotRows := backprop.Slots(m)
	exp := l.exp[min(lo/slotRows, slots-1, len(l.exp)-1)]
	scale := float32(1 / (float64(m) * float64(out.Cols)))
	for i := range out.Rows {
		r := l.rows.lo + lo + i
		if r < len(l.order) {
			r = int(l.order[r])
		}
		z := out.Row(i)
		if l.t.class != nil {
			for j, v := range l.c.sums.Row(r) {
				z[j] += v
			}
			sum += softmaxGradient(z, int(l.t.class[r]), 1/float64(m), exp)
			continue
		}
		loss := 0.0
		for j, y := range l.target.Row(r) {
			d := z[j] - y
			loss += float64(d) * float64(d) // exact product
			z[j] = d * scale
		}
		sum += loss / float64(len(z))
	}
	return sum
}

// train runs the schedule.
func (l *planLearner) train(ctx context.Context) ([]Check, error) {
	total := l.schedule.total
	every := max(1, total/checks)
	scale := float64(l.unit * l.unit)
	p := Progress{Grade: l.grade + 1, Steps: total, ValLoss: math.NaN()}
	var s trainingState
	students := []student{l}
	if err := l.t.begin(l.grade, students, func(_ int, s *learnerState) bool { return l.restore(s) }, &s); err != nil {
		return nil, err
	}
	for s.step < total {
		n := min(every, total-s.step)
		if err := l.t.advance(ctx, students, s.step+n); err != nil {
			return nil, err
		}
		trainLoss := l.sum / float64(n)
		if trainLoss*0 != 0 {
			return nil, ErrDiverged
		}
		if l.t.holdout {
			p.ValLoss = l.validate(ctx) * scale
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.step, l.sum = s.step+n, 0
		p.Step, p.Epoch, p.TrainLoss = s.step, float64(s.step)/float64(l.schedule.perEpoch), trainLoss*scale
		s.curve = append(s.curve, Check{p.Epoch, p.TrainLoss, p.ValLoss})
		l.t.report(p)
	}
	return s.curve, ctx.Err()
}

// advance takes steps until target; it returns early when ctx is done, and after a step at
// which a deadline, if there is one, has passed.
func (l *planLearner) advance(ctx done, target int, deadline time.Time) {
	l.team.Start()
	defer l.team.Stop()
	for l.step < target && ctx.Err() == nil {
		l.sum += l.next()
		if !deadline.IsZero() && time.Now().After(deadline) {
			return
		}
	}
}

func (l *planLearner) steps() int { return l.step }

func (l *planLearner) state() learnerState {
	return learnerState{step: l.step, shuffles: l.turns, trainLoss: l.sum, vectors: [][]float32{l.p.Flat, l.m, l.v}}
}

// restore continues from a state; false if it is that of another network.
func (l *planLearner) restore(s *learnerState) bool {
	if !s.restoreVectors(l.p.Flat, l.m, l.v) || s.shuffles < 0 || s.shuffles > s.step {
		return false
	}
	l.step, l.sum = s.step, s.trainLoss
	for range s.shuffles {
		l.random.shuffle(l.order)
	}
	l.turns = s.shuffles
	return true
}

// next takes the next step and returns its mean loss.
func (l *planLearner) next() float64 {
	batch := l.plan.batch(l.t.n)
	at := l.step % l.schedule.perEpoch * batch
	if at == 0 && l.order != nil {
		l.random.shuffle(l.order)
		l.turns++
	}
	l.rows = span{at, min(at+batch, l.t.n)}
	rate := float32(l.schedule.at(l.step))
	l.step++
	m := l.rows.hi - l.rows.lo
	sum := l.stepper.Step(&l.p, l, m, backprop.Optimiser{Moments1: l.m, Moments2: l.v,
		Step: kernel.AdamStep{Rate: rate, Beta1: adamBeta1, Beta2: planBeta2, Epsilon: adamEpsilon, Step: l.step}})
	return sum / float64(m)
}

// validate returns the mean loss on the holdout.
func (l *planLearner) validate(ctx context.Context) float64 {
	sum := 0.0
	for lo := l.t.n; lo < l.t.x.Rows && ctx.Err() == nil; lo += blockRows {
		l.rows = span{lo, min(lo+blockRows, l.t.x.Rows)}
		sum += l.stepper.Evaluate(&l.p, l, l.rows.hi-l.rows.lo)
	}
	return sum / float64(l.t.x.Rows-l.t.n)
}

// network returns what has been trained as a network on raw features.
func (l *planLearner) network() network {
	n := network{activation: l.plan.Activation}
	layers := copyLayers(&l.p)
	if l.grade > 0 {
		layers[0].fold(nil, l.carried, l.c.center, l.c.inverse)
	}
	last := len(layers) - 1
	layers[last].multiply(l.unit)
	if n.activation == Sine {
		for i := range last {
			layers[i].cycles()
		}
	}
	n.hidden, n.out = layers[:last], layers[last]
	return n
}
