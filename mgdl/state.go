package mgdl

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// A trainingState is what a checkpoint says, beside the finished grades, of the run that
// made it: its settings, and how far the grade in training is.
type trainingState struct {
	settings string // a line for each setting the model depends on: name, space, value
	grade    int    // network grade in training, from 0; −1 for none
	attempt  int    // the how manieth network of this grade it is, from 1
	step     int    // of the last check
	gained   int    // step of the best check
	best     float64
	curve    []Check
	learners []learnerState
}

// A learnerState is one chain's network in training. The order of its rows is not kept: it
// follows from the number of times they were shuffled.
type learnerState struct {
	step, at, shuffles  int
	trainLoss, bestLoss float64
	vectors             [][]float32
}

// restoreVectors copies the vectors into dst; false if they do not fit.
func (s *learnerState) restoreVectors(dst ...[]float32) bool {
	if len(s.vectors) != len(dst) {
		return false
	}
	for i, v := range s.vectors {
		if len(v) != len(dst[i]) {
			return false
		}
	}
	for i, v := range s.vectors {
		copy(dst[i], v)
	}
	return true
}

// append appends the state as it stands in a file: 8-byte little-endian integers and
// float64, 4-byte float32, lengths before what they count.
func (s *trainingState) append(b []byte) []byte {
	integer := func(v int) { b = binary.LittleEndian.AppendUint64(b, uint64(int64(v))) }
	number := func(v float64) { b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v)) }
	integer(len(s.settings))
	b = append(b, s.settings...)
	for _, v := range [...]int{s.grade, s.attempt, s.step, s.gained} {
		integer(v)
	}
	number(s.best)
	integer(len(s.curve))
	for _, c := range s.curve {
		number(c.Epoch)
		number(c.TrainLoss)
		number(c.ValLoss)
	}
	integer(len(s.learners))
	for i := range s.learners {
		l := &s.learners[i]
		for _, v := range [...]int{l.step, l.at, l.shuffles} {
			integer(v)
		}
		number(l.trainLoss)
		number(l.bestLoss)
		integer(len(l.vectors))
		for _, x := range l.vectors {
			integer(len(x))
			for _, v := range x {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
		}
	}
	return b
}

var errState = errors.New("the state of training is damaged")

// A stateReader takes a state apart. After an error it gives zeros.
type stateReader struct {
	b   []byte
	err error
}

func (r *stateReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.err, r.b = errState, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *stateReader) word() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *stateReader) number() float64 { return math.Float64frombits(r.word()) }

func (r *stateReader) integer() int {
	v := int64(r.word())
	if int64(int(v)) != v {
		r.err = errState
		return 0
	}
	return int(v)
}

// count returns a number of things that take at least size bytes each.
func (r *stateReader) count(size int) int {
	n := r.integer()
	if n < 0 || n > len(r.b)/size {
		r.err, r.b = errState, nil
		return 0
	}
	return n
}

// readState is the inverse of append. Memory is bounded by what b holds.
func readState(b []byte) (*trainingState, error) {
	r := &stateReader{b: b}
	s := &trainingState{settings: string(r.take(r.count(1)))}
	for _, v := range [...]*int{&s.grade, &s.attempt, &s.step, &s.gained} {
		*v = r.integer()
	}
	s.best = r.number()
	for range r.count(24) {
		s.curve = append(s.curve, Check{r.number(), r.number(), r.number()})
	}
	for range r.count(48) {
		var l learnerState
		for _, v := range [...]*int{&l.step, &l.at, &l.shuffles} {
			*v = r.integer()
		}
		l.trainLoss, l.bestLoss = r.number(), r.number()
		for range r.count(8) {
			x := make([]float32, r.count(4))
			raw := r.take(4 * len(x))
			for i := range x {
				x[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			}
			l.vectors = append(l.vectors, x)
		}
		s.learners = append(s.learners, l)
	}
	if r.err != nil || len(r.b) > 0 {
		return nil, errState
	}
	return s, nil
}

// Unfinished reports whether m is a checkpoint made while a grade was being trained, from
// which Config.Resume can go on. Its grades are the finished ones; there may be none.
func (m *Model) Unfinished() bool { return m.training != nil && m.training.grade >= 0 }

// settings returns the text of what the model depends on beside the data.
func (r *recipe) settings() string {
	var b strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&b, "%s %v\n", name, value) }
	line("Seed", r.seed)
	line("Grades", r.grades)
	line("Grades given", r.forced)
	if r.plan != nil {
		line("Plan", fmt.Sprintf("%+v", r.plan))
		return b.String()
	}
	line("Hidden", r.hidden)
	line("Sine", r.sine)
	line("Chains", r.chains)
	line("Validation rows", r.held)
	line("Batch", r.batch)
	line("LearningRate", r.rate)
	line("Epochs", r.epochs)
	return b.String()
}

// sameSettings returns an error that names the first setting that differs.
func sameSettings(now, then string) error {
	if now == then {
		return nil
	}
	before := map[string]string{}
	for l := range strings.Lines(then) {
		name, value := settingLine(l)
		before[name] = value
	}
	for l := range strings.Lines(now) {
		if name, value := settingLine(l); before[name] != value {
			return &ConfigError{"Resume", fmt.Sprintf("the model was trained with other settings: %s is %s here and was %s", name, value, cmp.Or(before[name], "not set"))}
		}
	}
	return &ConfigError{"Resume", "the model was trained with other settings"}
}

// settingLine cuts a line of settings at the space before the value.
func settingLine(l string) (name, value string) {
	l = strings.TrimSuffix(l, "\n")
	for _, name := range [...]string{"Grades given", "Validation rows"} {
		if v, ok := strings.CutPrefix(l, name+" "); ok {
			return name, v
		}
	}
	name, value, _ = strings.Cut(l, " ")
	return name, value
}

// A student is a network in training that can stop after any step.
type student interface {
	// advance takes steps until target, unless ctx is done or the deadline has passed.
	advance(ctx done, target int, deadline time.Time)
	steps() int
	state() learnerState
}

// done is what a student asks of its context.
type done interface{ Err() error }

// advance brings all students to step target, with a checkpoint whenever one is due. Between
// two steps of a student nothing depends on the others, so the clock decides nothing but the
// moments of the checkpoints.
func (t *trainer) advance(ctx done, students []student, target int) error {
	for {
		var deadline time.Time
		if t.checkpoint != nil && t.every > 0 {
			deadline = t.saved.Add(t.every)
		}
		each(t.recipe.workers, len(students), func(e int) { students[e].advance(ctx, target, deadline) })
		if err := ctx.Err(); err != nil {
			return err
		}
		if !deadline.IsZero() && time.Now().After(deadline) {
			if err := t.save(); err != nil {
				return err
			}
		}
		reached := true
		for _, s := range students {
			reached = reached && s.steps() == target
		}
		if reached {
			return nil
		}
	}
}

// save hands a checkpoint to the caller.
func (t *trainer) save() error {
	m, err := t.model()
	if err != nil {
		return err
	}
	if err := t.checkpoint(m); err != nil {
		return fmt.Errorf("mgdl: checkpoint: %w", err)
	}
	t.saved = time.Now()
	return nil
}

// begin says that students train a network of grade i, and brings them to where a checkpoint
// left them, if this is the network it left. The caller has set their schedules.
func (t *trainer) begin(i int, students []student, restore func(e int, s *learnerState) bool, progress *trainingState) error {
	t.attempt++
	*progress = trainingState{grade: i, attempt: t.attempt, best: math.Inf(1), gained: progress.gained}
	if r := t.restored; r != nil && r.grade == i && r.attempt == t.attempt && len(r.learners) > 0 { // else it was about to begin
		t.restored = nil
		if len(r.learners) != len(students) {
			return &ConfigError{"Resume", "the model was trained with other settings"}
		}
		for e := range students {
			if !restore(e, &r.learners[e]) {
				return &ConfigError{"Resume", "the model was trained with other settings"}
			}
		}
		*progress = *r
		progress.learners = nil
	}
	t.training = func() *trainingState {
		s := *progress
		for _, l := range students {
			s.learners = append(s.learners, l.state())
		}
		return &s
	}
	return nil
}
