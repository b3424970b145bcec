package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/multigrade/multigrade/mgdl"
)

func embeddedModel(t testing.TB) *mgdl.Model {
	t.Helper()
	m, err := mgdl.ReadModel(bytes.NewReader(embedded))
	require.NoError(t, err)
	return m
}

// patient is a row of what the embedded model takes.
func patient(age float64) map[string]any {
	return map[string]any{"age": age, "sex": 1.0, "bmi": 25.0, "bp": 80.0, "s1": 190.0, "s2": nil, "s3": 50.0, "s4": 4.0, "s5": 4.6, "s6": 90.0}
}

func body(t testing.TB, rows ...map[string]any) string {
	b, err := json.Marshal(map[string]any{"rows": rows})
	require.NoError(t, err)
	return string(b)
}

// ask sends a request to s and returns the status and the body of the answer.
func ask(s http.Handler, method, target, body string, header ...string) (int, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestPredict: the answers are those of the library, to the bit.
func TestPredict(t *testing.T) {
	m := embeddedModel(t)
	s := NewService(m)
	status, text := ask(s, "POST", "/predict", body(t, patient(30), patient(60)))
	require.Equal(t, http.StatusOK, status, text)
	var a answer
	require.NoError(t, json.Unmarshal([]byte(text), &a))
	p := m.NewPredictor()
	for i, age := range []float64{30, 60} {
		want := p.Predict(nil, []float64{age, 1, 25, 80, 190, math.NaN(), 50, 4, 4.6, 90})
		require.Equal(t, want, a.Predictions[i])
	}
	require.Equal(t, m.Checksum(), a.Checksum)
	require.Empty(t, a.Grades)

	status, text = ask(s, "POST", "/predict", body(t, patient(30)), "Timeout", "1h")
	require.Equal(t, http.StatusOK, status, text)
	a = answer{}
	require.NoError(t, json.Unmarshal([]byte(text), &a))
	require.Equal(t, []int{len(m.Grades())}, a.Grades)
	require.Equal(t, p.Predict(nil, []float64{30, 1, 25, 80, 190, math.NaN(), 50, 4, 4.6, 90}), a.Predictions[0])
}

// TestErrors: what cannot be answered is told so, as JSON.
func TestErrors(t *testing.T) {
	s := NewService(embeddedModel(t))
	for _, c := range []struct {
		name, method, target, body string
		status                     int
		want                       string
		header                     []string
	}{
		{"NotJSON", "POST", "/predict", "rows", 400, "cannot be read", nil},
		{"Truncated", "POST", "/predict", `{"rows":[{"age":`, 400, "cannot be read", nil},
		{"TwoValues", "POST", "/predict", body(t, patient(1)) + "{}", 400, "cannot be read", nil},
		{"UnknownField", "POST", "/predict", `{"row":[]}`, 400, "unknown field", nil},
		{"NoRows", "POST", "/predict", `{"rows":[]}`, 400, "0 rows", nil},
		{"ManyRows", "POST", "/predict", `{"rows":[` + strings.Repeat("{},", 1000) + `{}]}`, 400, "1001 rows", nil},
		{"UnknownColumn", "POST", "/predict", `{"rows":[{"weight":1}]}`, 400, `no column "weight"`, nil},
		{"NotANumber", "POST", "/predict", `{"rows":[{"age":"old"}]}`, 400, `row 0: column "age": "old" is not a number`, nil},
		{"WrongType", "POST", "/predict", `{"rows":[{"age":[1]}]}`, 400, "want a number", nil},
		{"TooLargeNumber", "POST", "/predict", `{"rows":[{"age":1e999}]}`, 400, "cannot be read", nil},
		{"Timeout", "POST", "/predict", body(t, patient(1)), 400, "want a time", []string{"Timeout", "soon"}},
		{"Body", "POST", "/predict", `{"rows":[` + strings.Repeat(" ", maxBody), 413, "more than 1048576 bytes", nil},
		{"NotFound", "GET", "/predictions", "", 404, "nothing at /predictions", nil},
		{"Method", "GET", "/predict", "", 405, "takes POST", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, text := ask(s, c.method, c.target, c.body, c.header...)
			require.Equal(t, c.status, status, text)
			var e struct{ Error string }
			require.NoError(t, json.Unmarshal([]byte(text), &e), text)
			require.Contains(t, e.Error, c.want)
		})
	}
}

// TestBusy: a request that finds no place before its deadline is sent away, and the places
// are free again afterwards.
func TestBusy(t *testing.T) {
	s := NewService(embeddedModel(t))
	for range cap(s.busy) {
		s.busy <- struct{}{}
	}
	status, text := ask(s, "POST", "/predict", body(t, patient(1)), "Timeout", "1ms")
	require.Equal(t, http.StatusServiceUnavailable, status, text)
	for range cap(s.busy) {
		<-s.busy
	}
	status, text = ask(s, "POST", "/predict", body(t, patient(1)))
	require.Equal(t, http.StatusOK, status, text)
	require.Empty(t, s.busy)
}

func TestHealth(t *testing.T) {
	s := NewService(embeddedModel(t))
	for _, target := range []string{"/health/live", "/health/ready", "/model"} {
		status, text := ask(s, "GET", target, "")
		require.Equal(t, http.StatusOK, status, text)
	}
	s.Drain()
	status, _ := ask(s, "GET", "/health/ready", "")
	require.Equal(t, http.StatusServiceUnavailable, status)
	status, _ = ask(s, "GET", "/health/live", "")
	require.Equal(t, http.StatusOK, status)
}

// TestPredictAllocates nothing, neither from the pool nor in the prediction, with and
// without a deadline.
func TestPredictAllocates(t *testing.T) {
	v := newServed(embeddedModel(t))
	k := v.pool.Get().(*worker)
	k.x = make([]float64, 8*len(v.features))
	later := time.Now().Add(time.Hour)
	for name, deadline := range map[string]time.Time{"none": {}, "deadline": later} {
		k.predict(len(v.features), deadline)
		if n := testing.AllocsPerRun(100, func() { k.predict(len(v.features), deadline) }); n != 0 {
			t.Errorf("with %s, a prediction allocates %v times", name, n)
		}
	}
}

// variants returns two models with the embedded one's columns that predict differently.
func variants(t testing.TB) [2]*mgdl.Model {
	m := embeddedModel(t)
	short, err := m.Truncate(1)
	require.NoError(t, err)
	return [2]*mgdl.Model{m, short}
}

// TestReload: while models are exchanged, every answer is all of one model and says which.
func TestReload(t *testing.T) {
	models := variants(t)
	want := map[string]float64{}
	for _, m := range models {
		want[m.Checksum()] = m.NewPredictor().Predict(nil, []float64{40, 1, 25, 80, 190, math.NaN(), 50, 4, 4.6, 90})[0]
	}
	require.Len(t, want, 2)
	s := NewService(models[0])
	question := body(t, patient(40), patient(40), patient(40))
	var clients sync.WaitGroup
	var stop atomic.Bool
	seen := make([]map[string]int, 4)
	for i := range seen {
		seen[i] = map[string]int{}
		clients.Add(1)
		go func() {
			defer clients.Done()
			for !stop.Load() || len(seen[i]) < 2 {
				status, text := ask(s, "POST", "/predict", question)
				var a answer
				if err := json.Unmarshal([]byte(text), &a); status != http.StatusOK || err != nil {
					t.Errorf("status %d: %s", status, text)
					return
				}
				for _, p := range a.Predictions {
					if p[0] != want[a.Checksum] {
						t.Errorf("model %.8s says %v, want %v", a.Checksum, p[0], want[a.Checksum])
						return
					}
				}
				seen[i][a.Checksum]++
			}
		}()
	}
	for i := range 200 {
		require.NoError(t, s.Reload(models[(i+1)%2]))
		runtime.Gosched()
	}
	stop.Store(true)
	done := make(chan struct{})
	go func() { clients.Wait(); close(done) }()
	for exchange := 0; ; exchange++ { // until every client has met both models
		select {
		case <-done:
			return
		default:
			require.NoError(t, s.Reload(models[exchange%2]))
			runtime.Gosched()
		}
	}
}

// TestReloadRefuses: what is no model, or one for other columns, leaves the old one.
func TestReloadRefuses(t *testing.T) {
	m := embeddedModel(t)
	s := NewService(m)
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.safetensors")
	require.NoError(t, os.WriteFile(bad, embedded[:len(embedded)/2], 0o666))
	require.Error(t, s.ReloadFile(bad))
	require.Error(t, s.ReloadFile(filepath.Join(dir, "none.safetensors")))
	d := mgdl.NewData([]float64{1, 2, 3, 4}, 1, []float64{1, 2, 3, 5}, 1)
	other, err := mgdl.Train(context.Background(), d, mgdl.Config{Grades: 1, Epochs: 1})
	require.NoError(t, err)
	require.ErrorContains(t, s.Reload(other), "other columns")
	require.Same(t, m, s.Model())
}

// TestReloadMemory: 10,000 models later, with a request to each, the heap is what it was.
func TestReloadMemory(t *testing.T) {
	reloads := 10000
	if testing.Short() {
		reloads = 500
	}
	models := variants(t)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	s := NewService(models[0])
	question := body(t, patient(50))
	heap := func() (bytes, objects uint64) {
		var m runtime.MemStats
		for range 3 { // a pool lets go of what it holds in two collections
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, m.HeapObjects
	}
	goroutines := runtime.NumGoroutine()
	var bytes, objects uint64
	for i := range reloads {
		if i == 100 { // after the first ones, all there is to grow has grown
			bytes, objects = heap()
		}
		if i < 2 || i%1000 == 0 {
			require.NoError(t, mgdl.WriteFile(path, models[i%2]))
		}
		if err := s.ReloadFile(path); err != nil {
			t.Fatal(err)
		}
		if status, text := ask(s, "POST", "/predict", question); status != http.StatusOK {
			t.Fatal(text)
		}
	}
	endBytes, endObjects := heap()
	t.Logf("heap after 100 reloads: %d bytes in %d objects; after %d: %d in %d", bytes, objects, reloads, endBytes, endObjects)
	// A model with its predictor takes 60 KB: a single one kept in a hundred would be 6 MB.
	if endBytes > bytes+1<<20 || endObjects > objects+1000 {
		t.Errorf("the heap grew from %d bytes in %d objects to %d in %d", bytes, objects, endBytes, endObjects)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, there were %d", n, goroutines)
	}
}

// TestRun: the program answers, takes a new file, keeps the old model when the file is bad,
// and ends when it is told to, with the requests under way answered.
func TestRun(t *testing.T) {
	models := variants(t)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, mgdl.WriteFile(path, models[0]))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	addresses := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	var log lockedBuffer
	go func() {
		ended <- run(ctx, []string{"-listen", "localhost:0", "-model", path, "-poll", "1ms"}, slog.New(slog.NewTextHandler(&log, nil)),
			func(a net.Addr) { addresses <- a })
	}()
	var base string
	select {
	case a := <-addresses:
		base = "http://" + a.String()
	case err := <-ended:
		t.Fatal(err)
	}
	client := &http.Client{}
	checksum := func() string {
		r, err := client.Post(base+"/predict", "application/json", strings.NewReader(body(t, patient(20))))
		require.NoError(t, err)
		defer r.Body.Close()
		var a answer
		require.NoError(t, json.NewDecoder(r.Body).Decode(&a))
		require.Equal(t, http.StatusOK, r.StatusCode)
		return a.Checksum
	}
	require.Equal(t, models[0].Checksum(), checksum())
	require.NoError(t, mgdl.WriteFile(path, models[1]))
	for checksum() != models[1].Checksum() { // the test's own timeout ends it
	}
	require.NoError(t, os.WriteFile(path, []byte("no model"), 0o666))
	for !strings.Contains(log.String(), "stays what it was") {
		runtime.Gosched()
	}
	require.Equal(t, models[1].Checksum(), checksum())
	client.CloseIdleConnections()
	stop()
	require.NoError(t, <-ended)
	_, err := client.Get(base + "/health/live")
	require.Error(t, err)
}

// A lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// BenchmarkLoad is the load test: clients that keep a connection each and ask for one row at
// a time, over the loopback device, while the model is exchanged every 10 ms. It reports
// requests a second and how long they take: half of them at most p50, 99 of 100 at most p99.
func BenchmarkLoad(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			models := variants(b)
			s := NewService(models[0])
			server := httptest.NewServer(s)
			defer server.Close()
			stop := make(chan struct{})
			var exchanger sync.WaitGroup
			exchanger.Add(1)
			go func() {
				defer exchanger.Done()
				for i := 1; ; i++ {
					select {
					case <-stop:
						return
					case <-time.After(10 * time.Millisecond):
						s.Reload(models[i%2])
					}
				}
			}()
			question := body(b, patient(40))
			var left atomic.Int64
			left.Store(int64(b.N))
			times := make([][]time.Duration, clients)
			var all sync.WaitGroup
			b.ResetTimer()
			for c := range clients {
				all.Add(1)
				go func() {
					defer all.Done()
					client := &http.Client{Transport: &http.Transport{}}
					defer client.CloseIdleConnections()
					for left.Add(-1) >= 0 {
						begin := time.Now()
						r, err := client.Post(server.URL+"/predict", "application/json", strings.NewReader(question))
						if err == nil {
							_, err = io.Copy(io.Discard, r.Body)
							r.Body.Close()
						}
						if err != nil || r.StatusCode != http.StatusOK {
							b.Errorf("%v %v", r, err)
							return
						}
						times[c] = append(times[c], time.Since(begin))
					}
				}()
			}
			all.Wait()
			b.StopTimer()
			close(stop)
			exchanger.Wait()
			flat := slices.Sorted(slices.Values(slices.Concat(times...)))
			b.ReportMetric(float64(len(flat))/b.Elapsed().Seconds(), "requests/s")
			for _, q := range []struct {
				share float64
				unit  string
			}{{0.5, "p50-µs"}, {0.99, "p99-µs"}} {
				b.ReportMetric(float64(flat[int(q.share*float64(len(flat)-1))])/1e3, q.unit)
			}
		})
	}
}

// BenchmarkPredict is the part of a request that is the model's: a predictor from the pool
// and one row.
func BenchmarkPredict(b *testing.B) {
	v := newServed(embeddedModel(b))
	row := []float64{40, 1, 25, 80, 190, math.NaN(), 50, 4, 4.6, 90}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			k := v.pool.Get().(*worker)
			k.x = append(k.x[:0], row...)
			k.predict(len(v.features), time.Time{})
			v.pool.Put(k)
		}
	})
}
