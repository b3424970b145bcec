package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/multigrade/multigrade/mgdl"
)

// What a request may ask for.
const (
	maxBody = 1 << 20 // bytes
	maxRows = 1000
)

// A Service answers HTTP requests from a model that can be exchanged at any time.
type Service struct {
	current  atomic.Pointer[served]
	busy     chan struct{} // a place for each request that computes
	draining atomic.Bool
	mux      *http.ServeMux
}

// served is a model and what requests need with it. It does not change: a request takes
// the pointer once and keeps to that model, whatever happens meanwhile. When the last such
// request is done, nothing holds an old model, and the collector takes it with its pool.
type served struct {
	model    *mgdl.Model
	schema   mgdl.Schema
	features []feature
	pool     sync.Pool // of *worker
}

// A feature is how a column of a request becomes a raw value.
type feature struct {
	name   string
	levels map[string]float64 // of a category, else nil
}

// A worker is a Predictor with the buffers of a request.
type worker struct {
	predictor *mgdl.Predictor
	x, y      []float64
	grades    []int
}

// NewService returns a Service that answers from m.
func NewService(m *mgdl.Model) *Service {
	s := &Service{busy: make(chan struct{}, 2*runtime.GOMAXPROCS(0)), mux: http.NewServeMux()}
	s.current.Store(newServed(m))
	s.mux.HandleFunc("POST /predict", s.predict)
	s.mux.HandleFunc("GET /model", s.describe)
	s.mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, r *http.Request) { reply(w, http.StatusOK, map[string]bool{"live": true}) })
	s.mux.HandleFunc("GET /health/ready", s.ready)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		for _, m := range []string{http.MethodGet, http.MethodPost} {
			if _, pattern := s.mux.Handler(&http.Request{Method: m, URL: r.URL, Host: r.Host}); pattern != "/" {
				w.Header().Set("Allow", m)
				fail(w, http.StatusMethodNotAllowed, "%s takes %s", r.URL.Path, m)
				return
			}
		}
		fail(w, http.StatusNotFound, "there is nothing at %s", r.URL.Path)
	})
	return s
}

func newServed(m *mgdl.Model) *served {
	v := &served{model: m, schema: m.Schema()}
	for _, c := range v.schema.Features {
		f := feature{name: c.Name}
		if c.Kind == mgdl.Category {
			f.levels = map[string]float64{}
			for i, l := range c.Levels {
				f.levels[l] = float64(i)
			}
		}
		v.features = append(v.features, f)
	}
	v.pool.New = func() any { return &worker{predictor: m.NewPredictor()} }
	return v
}

// ServeHTTP answers a request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Model returns the model that new requests are answered from.
func (s *Service) Model() *mgdl.Model { return s.current.Load().model }

// Drain makes the service tell that it is not ready any more.
func (s *Service) Drain() { s.draining.Store(true) }

// Reload answers from m from now on. A model with other columns would break the clients of
// the one before, and is refused.
func (s *Service) Reload(m *mgdl.Model) error {
	old, v := s.current.Load(), newServed(m)
	if !slices.EqualFunc(old.features, v.features, func(a, b feature) bool { return a.name == b.name && (a.levels == nil) == (b.levels == nil) }) {
		return errors.New("the new model takes other columns")
	}
	if v.schema.Task != old.schema.Task || !slices.EqualFunc(old.schema.Targets, v.schema.Targets, func(a, b mgdl.Column) bool { return a.Name == b.Name }) {
		return errors.New("the new model predicts something else")
	}
	s.current.Store(v)
	return nil
}

// ReloadFile is Reload of the model in a file.
func (s *Service) ReloadFile(path string) error {
	m, err := mgdl.ReadFile(path)
	if err != nil {
		return err
	}
	return s.Reload(m)
}

// predict computes the predictions for the raw rows in w.x with as many grades as can be
// done until the deadline; the zero time is none. It allocates nothing once the buffers of
// w have grown.
func (w *worker) predict(features int, deadline time.Time) {
	w.y, w.grades = w.y[:0], w.grades[:0]
	if deadline.IsZero() {
		w.y = w.predictor.Predict(w.y, w.x)
		return
	}
	for rows := len(w.x) / features; rows > 0; rows-- {
		x := w.x[len(w.x)-rows*features:]
		// What is left is shared by the rows that are left. The first grade always runs.
		budget := max(time.Until(deadline)/time.Duration(rows), 0)
		var grade int
		w.y, grade = w.predictor.PredictWithin(w.y, x[:features], budget)
		w.grades = append(w.grades, grade)
	}
}

// A question is the body of POST /predict.
type question struct {
	Rows []map[string]any `json:"rows"` // values by column; null or nothing is missing
}

// An answer is what it is answered with.
type answer struct {
	Predictions [][]float64 `json:"predictions"`      // for each row the targets, or the probabilities of the classes
	Classes     []string    `json:"classes,omitzero"` // their labels
	Grades      []int       `json:"grades,omitzero"`  // used for each row, if there was a deadline
	Checksum    string      `json:"checksum"`         // of the model
}

func (s *Service) predict(w http.ResponseWriter, r *http.Request) {
	ctx, cancel, err := withTimeout(r)
	if err != nil {
		fail(w, http.StatusBadRequest, "%v", err)
		return
	}
	defer cancel()
	var q question
	if status, err := read(w, r, &q); err != nil {
		fail(w, status, "%v", err)
		return
	}
	if n := len(q.Rows); n == 0 || n > maxRows {
		fail(w, http.StatusBadRequest, "%d rows: want 1 to %d", n, maxRows)
		return
	}
	// More requests at once than cores would all be late; those that find no place in time
	// are told to come back.
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	case <-ctx.Done():
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "the deadline has passed: %d requests are being computed", cap(s.busy))
		return
	}
	v := s.current.Load()
	k := v.pool.Get().(*worker)
	defer v.pool.Put(k)
	k.x = k.x[:0]
	for i, row := range q.Rows {
		if k.x, err = v.append(k.x, row); err != nil {
			fail(w, http.StatusBadRequest, "row %d: %v", i, err)
			return
		}
	}
	deadline, _ := ctx.Deadline()
	k.predict(len(v.features), deadline)
	a := answer{Checksum: v.model.Checksum(), Grades: k.grades}
	for width := v.model.Outputs(); len(a.Predictions) < len(q.Rows); {
		i := len(a.Predictions) * width
		a.Predictions = append(a.Predictions, k.y[i:i+width])
	}
	if v.schema.Task == mgdl.Classification {
		a.Classes = v.schema.Targets[0].Levels
	}
	reply(w, http.StatusOK, a)
}

// withTimeout returns the request's context with the deadline that its header Timeout asks
// for, such as 50us or 20ms.
func withTimeout(r *http.Request) (context.Context, context.CancelFunc, error) {
	text := r.Header.Get("Timeout")
	if text == "" {
		return r.Context(), func() {}, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return nil, nil, fmt.Errorf("the header Timeout is %q: want a time such as 20ms", text)
	}
	ctx, cancel := context.WithTimeout(r.Context(), d)
	return ctx, cancel, nil
}

// read decodes the body of a request, which is one JSON value.
func read(w http.ResponseWriter, r *http.Request, q *question) (status int, err error) {
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	in.DisallowUnknownFields()
	err = in.Decode(q)
	if err == nil {
		if _, more := in.Token(); more == io.EOF {
			return http.StatusOK, nil
		} else if err = more; more == nil {
			err = errors.New("something follows the JSON object")
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("the body has more than %d bytes", maxBody)
	}
	return http.StatusBadRequest, fmt.Errorf("the body cannot be read: %w", err)
}

// append appends the raw values of a row.
func (v *served) append(x []float64, row map[string]any) ([]float64, error) {
	known := 0
	for i := range v.features {
		f := &v.features[i]
		cell, there := row[f.name]
		if there {
			known++
		}
		value, err := f.value(cell)
		if err != nil {
			return x, fmt.Errorf("column %q: %w", f.name, err)
		}
		x = append(x, value)
	}
	if known < len(row) {
		for name := range row {
			if !slices.ContainsFunc(v.features, func(f feature) bool { return f.name == name }) {
				return x, fmt.Errorf("the model has no column %q", name)
			}
		}
	}
	return x, nil
}

// value returns the raw value of a cell: NaN for a missing one, and for a category the
// position of its level, −1 if the model does not know it.
func (f *feature) value(cell any) (float64, error) {
	switch c := cell.(type) {
	case nil:
		return math.NaN(), nil
	case float64:
		if f.levels == nil {
			return c, nil
		}
		return 0, fmt.Errorf("%v is a number, the column holds names", c)
	case string:
		if f.levels == nil {
			return 0, fmt.Errorf("%q is not a number", c)
		}
		if i, ok := f.levels[c]; ok {
			return i, nil
		}
		return -1, nil
	}
	return 0, errors.New("want a number, a name or null")
}

// describe says what the model takes and what it is.
func (s *Service) describe(w http.ResponseWriter, r *http.Request) {
	v := s.current.Load()
	type column struct {
		Name   string   `json:"name"`
		Kind   string   `json:"kind"`
		Levels []string `json:"levels,omitzero"`
	}
	columns := func(list []mgdl.Column) (out []column) {
		for _, c := range list {
			out = append(out, column{c.Name, c.Kind.String(), c.Levels})
		}
		return out
	}
	reply(w, http.StatusOK, map[string]any{
		"checksum": v.model.Checksum(), "task": v.schema.Task.String(), "grades": len(v.model.Grades()),
		"features": columns(v.schema.Features), "targets": columns(v.schema.Targets),
	})
}

func (s *Service) ready(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		fail(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	reply(w, http.StatusOK, map[string]bool{"ready": true})
}

// reply writes v as JSON. A client that is gone is no error of ours.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, format string, args ...any) {
	reply(w, status, map[string]string{"error": fmt.Sprintf(format, args...)})
}
