//go:build (!amd64 && !arm64) || purego || noasm

package kernel

// detect returns the implementations that can run here, best first.
func detect() []isa { return []isa{generic} }

// features returns the CPU features the choice looked at and found.
func features() []string { return nil }

// nearestBytes returns the size of a usual first-level data cache.
func nearestBytes() int { return 32 << 10 }

// columnsAtOnce is how many columns columnsOn takes.
const columnsAtOnce = 32

func paired(isa) bool               { return false }
func pairOn(isa, *productTile, int) {}

func productOn(_ isa, o order, t *productTile) { productPortable(o, t) }
func gradientOn(_ isa, t *gradientTile)        { gradientGeneric(t) }
func columnsOn(_ isa, t *gradientTile)         { columnsGeneric(t) }
func crossOn(_ isa, t *crossTile)              { crossGeneric(t) }
func sumsOn(_ isa, s *laneSums, x []float32)   { sumsGeneric(s, x) }
func addOn(_ isa, dst, src []float32)          { addGeneric(dst, src) }

func distanceOn(_ isa, s *laneSums, x, y []float32)      { distanceGeneric(s, x, y) }
func residualOn(_ isa, s *laneSums, dst, x, y []float32) { residualGeneric(s, dst, x, y) }

func packOn(_ isa, dst, src []float32, stride int) { packGeneric(dst, src, stride) }

func lerpOn(_ isa, dst, src []float32, t float32) { lerpGeneric(dst, src, t) }

func adamOn(_ isa, w, g, m, v []float32, c *adamCoefficients) { adamGeneric(w, g, m, v, c) }

func transposeOn(_ isa, dst, src []float32, k, n int) { transposeGeneric(dst, src, k, n) }

func singleOn(_ isa, o order, t *productTile) { productPortable(o, t) }

func wide(isa, order) bool { return false }
