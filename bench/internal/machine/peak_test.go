package machine

import (
	"math"
	"testing"
)

// The result of the multiply-add loop is the number of multiply-adds it made: a chain
// that is missing, stored twice or stepped once too often shows.
func TestFMALoopCounts(t *testing.T) {
	for _, u := range Units() {
		t.Run(u.Name, func(t *testing.T) {
			size := u.Chains * u.Lanes
			for _, n := range []int{1, 2, 3, 1000, 65536} {
				acc := make([]float32, size+2) // a guard at either end
				for i := range acc {
					acc[i] = float32(i)
				}
				u.FMA(acc[1:1+size], 1, n)
				for i, v := range acc {
					want := float32(i)
					if i > 0 && i <= size {
						want += float32(n)
					}
					if v != want {
						t.Fatalf("n = %d: element %d is %v, want %v", n, i-1, v, want)
					}
				}
			}
			acc := make([]float32, size)
			u.FMA(acc, float32(math.NaN()), 1)
			for i, v := range acc {
				if v == v {
					t.Fatalf("element %d is %v and does not depend on the operand", i, v)
				}
			}
		})
	}
}

// Every element of the loop of roots has taken n steps.
func TestRootLoop(t *testing.T) {
	for _, u := range Units() {
		for _, n := range []int{1, 2, 5} {
			acc, want := make([]float32, rootChains*u.Lanes), make([]float32, rootChains*u.Lanes)
			for i := range acc {
				acc[i] = float32(i + 2)
				want[i] = acc[i]
				for range n {
					want[i] = 1 / float32(math.Sqrt(float64(want[i])))
				}
			}
			u.Roots(acc, n)
			for i, v := range acc {
				if v != want[i] {
					t.Fatalf("%s, %d steps: element %d is %v, want %v", u.Name, n, i, v, want[i])
				}
			}
		}
	}
}

func TestFMAProbeCounts(t *testing.T) {
	for _, u := range Units() {
		_, flops := FMAProbe(u, 1)
		steps := flops / 2 / float64(u.Chains*u.Lanes)
		if steps < 256 || steps != math.Trunc(steps) {
			t.Errorf("%s: %v floating-point operations are %v steps of all chains", u.Name, flops, steps)
		}
	}
}

// A word read twice or not at all changes the sum; one outside would change it too.
func TestReadLoopSums(t *testing.T) {
	for _, u := range Units() {
		for _, blocks := range []int{1, 2, 3, 17} {
			for _, passes := range []int{1, 2, 5} {
				n := blocks * blockWords
				buf := make([]uint64, n+2)
				var want uint64
				for i := range buf {
					buf[i] = 0x9e3779b97f4a7c15 * uint64(i+1)
					if i > 0 && i <= n {
						want += buf[i]
					}
				}
				want *= uint64(passes)
				if got := u.Read(buf[1:1+n], passes); got != want {
					t.Fatalf("%s: sum of %d blocks, %d passes is %#x, want %#x", u.Name, blocks, passes, got, want)
				}
			}
		}
	}
}

func TestWriteLoopFills(t *testing.T) {
	const v = 0x0123456789abcdef
	for _, u := range Units() {
		for _, blocks := range []int{1, 2, 3, 17} {
			n := blocks * blockWords
			buf := make([]uint64, n+2)
			u.Write(buf[1:1+n], v, 2)
			for i, got := range buf {
				want := uint64(v)
				if i == 0 || i == n+1 {
					want = 0
				}
				if got != want {
					t.Fatalf("%s: word %d of %d blocks is %#x, want %#x", u.Name, i-1, blocks, got, want)
				}
			}
		}
	}
}

func TestChainCounts(t *testing.T) {
	for _, n := range []int{1, 2, 1000} {
		if got := cycles(n); got != 64*uint64(n) {
			t.Errorf("cycles(%d) = %d, want %d", n, got, 64*n)
		}
		if got := addChainGo(3, 0, n); got != 3*32*uint64(n) {
			t.Errorf("addChainGo(3, 0, %d) = %d, want %d", n, got, 3*32*n)
		}
	}
}

// Samples over a buffer of many chunks must walk all of it.
func TestStreamsWalkTheBuffer(t *testing.T) {
	for _, memory := range []bool{false, true} {
		for _, words := range []int{blockWords, 2048, cacheChunk / 8, cacheChunk/8*3 + 5*blockWords} {
			seen := make([]int, words)
			u := Unit{Read: func(p []uint64, passes int) uint64 {
				for i := range p {
					seen[p[i]] += passes
				}
				return 0
			}}
			buf := make([]uint64, words)
			for i := range buf {
				buf[i] = uint64(i)
			}
			read, _, bytes := streams(u, buf, memory)
			const calls = 50
			read.Run(calls)
			total, least := 0, math.MaxInt
			for _, n := range seen[:words/(memoryChunk/8)*(memoryChunk/8)] {
				least = min(least, n)
			}
			for _, n := range seen {
				total += n
			}
			if got, want := float64(8*total), calls*bytes; got != want {
				t.Errorf("%d words, memory %t: %v bytes touched, want %v", words, memory, got, want)
			}
			if least == 0 {
				t.Errorf("%d words, memory %t: part of the buffer was never touched", words, memory)
			}
		}
	}
}
