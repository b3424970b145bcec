package backprop

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A Team is a caller and some goroutines that help with its jobs. Waking a parked goroutine
// can take 100 µs, longer than many a job; so the helpers of a running team spin between
// jobs. Start and Stop enclose the time in which that is worth a core.
//
// A nil Team is the caller alone.
type Team struct {
	size int
	// job is the job number, the number of its tasks and the next one: 32, 16, 16 bits. A
	// task is claimed by raising the word by one, so the caller never waits for a helper
	// that has not begun: it takes what is left itself.
	job  atomic.Uint64
	done atomic.Int64 // tasks of the current job that are finished
	stop atomic.Bool
	f    func(i, worker int) // of the current job: written before job, read after a claim
	wait sync.WaitGroup
}

const (
	taskBits = 16
	taskMask = 1<<taskBits - 1
)

// NewTeam returns a team of size workers, the caller of Do being one.
func NewTeam(size int) *Team {
	if size <= 1 {
		return nil
	}
	return &Team{size: size}
}

// Size returns the number of workers.
func (t *Team) Size() int {
	if t == nil {
		return 1
	}
	return t.size
}

// Start starts the helpers. They use a core each until Stop.
func (t *Team) Start() {
	if t == nil {
		return
	}
	t.stop.Store(false)
	for w := 1; w < t.size; w++ {
		t.wait.Go(func() { t.help(w) })
	}
}

// Stop ends the helpers and returns when they have ended.
func (t *Team) Stop() {
	if t == nil {
		return
	}
	t.stop.Store(true)
	t.wait.Wait()
}

// Do calls f(0, w), …, f(n−1, w), each once, on any worker w, and returns when all calls
// have. n is below 2¹⁶. It does not allocate if f does not.
func (t *Team) Do(n int, f func(i, worker int)) {
	if t == nil || n == 1 {
		for i := range n {
			f(i, 0)
		}
		return
	}
	if n > taskMask {
		panic("backprop: too many tasks")
	}
	t.done.Store(0)
	t.f = f
	number := t.job.Load()>>(2*taskBits) + 1
	t.job.Store(number<<(2*taskBits) | uint64(n)<<taskBits)
	for t.task(0) {
	}
	for t.done.Load() < int64(n) {
	}
}

// task claims a task of the current job and runs it; it returns false where none is left.
func (t *Team) task(worker int) bool {
	for {
		w := t.job.Load()
		i := w & taskMask
		if i == w>>taskBits&taskMask {
			return false
		}
		if t.job.CompareAndSwap(w, w+1) {
			t.f(int(i), worker)
			t.done.Add(1)
			return true
		}
	}
}

// patience is how often a helper looks for a job before it lets others have its thread:
// some 50 µs.
const patience = 1 << 15

func (t *Team) help(worker int) {
	for idle := 0; !t.stop.Load(); idle++ {
		if t.task(worker) {
			idle = 0
		} else if idle >= patience {
			runtime.Gosched()
		}
	}
}
