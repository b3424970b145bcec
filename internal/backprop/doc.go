// Package backprop computes one optimisation step of a ReLU network: forward, loss,
// backward, and Adam, over chunks of the batch that stay in the cache.
//
// The order of every sum depends on the shape of the network and the size of the batch
// alone (see Slots and Stepper.Gradient), so results are the same for any number of
// workers and on every implementation of package kernel.
package backprop
