package mgdl

import (
	"sync"
	"sync/atomic"
)

// each calls f(0), …, f(n−1), each once, on up to workers goroutines, and returns when
// all calls have. What f(i) computes must not depend on the order.
func each(workers, n int, f func(i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(i)
		}
	}
	for range workers - 1 {
		wait.Go(work)
	}
	work()
	wait.Wait()
}
