//go:build !amd64 || purego || noasm

package kernel

func sineOn(_ isa, sin, x []float32, unit float32) { sineGeneric(sin, x, unit) }

func sineCosineOn(_ isa, sin, cos, x []float32, unit float32) { sineCosineGeneric(sin, cos, x, unit) }

func multiplyOn(_ isa, dst, src []float32) { multiplyGeneric(dst, src) }
