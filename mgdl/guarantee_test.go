package mgdl

import (
	"math"
	"testing"
)

// Ten grades and more, on rows that mean something and on noise: the training loss falls with each that is accepted, and one
// that is rejected leaves no trace in what follows.
func TestTrainGuard(t *testing.T) {
	for name, d := range map[string]Data{"smooth": smoothTable(300, 1, 0.1, 40), "noise": noiseTable(200, 41)} {
		cfg := small()
		cfg.Grades = 11
		accepted, rejected, loss := 0, 0, math.Inf(1)
		cfg.Progress = func(p Progress) {
			if p.Finished == nil {
				return
			}
			if p.Accepted {
				if !(p.Finished.TrainLoss < loss) {
					t.Errorf("%s: grade %d goes from a training loss of %v to %v", name, p.Grade, loss, p.Finished.TrainLoss)
				}
				loss = p.Finished.TrainLoss
				accepted++
			} else {
				rejected++
			}
		}
		m := mustTrain(t, d, cfg)
		if accepted < 10 || len(m.Grades()) != accepted {
			t.Errorf("%s: %d grades accepted, %d rejected, %d in the model", name, accepted, rejected, len(m.Grades()))
		}
		for k, g := range m.Grades() {
			metrics, err := m.Evaluate(d)
			if err != nil {
				t.Fatal(err)
			}
			if of := math.Pow(metrics[k+1].RMSE/m.Schema().Targets[0].Scale, 2); math.Abs(of-g.TrainLoss) > 1e-5*of {
				t.Errorf("%s: the training loss after grade %d is said to be %v and is %v", name, k+1, g.TrainLoss, of)
			}
		}
	}
}

// The size of what is to be learned does not matter: from 1 to 1e-9 the relative error stays within a factor of two.
func TestTrainAnySize(t *testing.T) {
	var first float64
	for i, size := range []float64{1, 1e-3, 1e-6, 1e-9} {
		d := smoothTable(300, 1, 0, 42)
		for r := range d.Y {
			d.Y[r] *= size
		}
		cfg := small()
		cfg.Grades = 2
		m := mustTrain(t, d, cfg)
		metrics, err := m.Evaluate(d)
		if err != nil {
			t.Fatal(err)
		}
		left := math.Sqrt(metrics[len(metrics)-1].RSE)
		if i == 0 {
			first = left
		}
		if !(left < 2*first && left > first/2) || left > 0.5 {
			t.Errorf("size %v: relative error %v, at size 1 %v", size, left, first)
		}
	}
}
