// Package mgdl trains, evaluates, saves, loads and serves multigrade networks: sums of
// shallow networks (ReLU or sine) in which each grade is composed on the features of the one
// before it and fitted to the residual that is left. Earlier grades are frozen, so
// every prefix of the sum is itself a model, coarse to fine.
package mgdl
