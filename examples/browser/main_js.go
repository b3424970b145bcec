package main

import "syscall/js"

// In a page this program offers two functions, and stays:
//
//	multigrade.open(Uint8Array)            the page as JSON, or an Error
//	multigrade.predict(array of numbers)   for each row, the outputs after each grade
func main() {
	var shown *viewer
	object := js.Global().Get("Object").New()
	object.Set("open", js.FuncOf(func(_ js.Value, args []js.Value) any {
		file := make([]byte, args[0].Length())
		js.CopyBytesToGo(file, args[0])
		v, err := open(file)
		if err != nil {
			return js.Global().Get("Error").New(err.Error())
		}
		shown = v
		return v.describe()
	}))
	object.Set("predict", js.FuncOf(func(_ js.Value, args []js.Value) any {
		x := make([]float64, args[0].Length())
		for i := range x {
			x[i] = args[0].Index(i).Float()
		}
		y := shown.predict(x)
		values := make([]any, len(y))
		for i, v := range y {
			values[i] = v
		}
		return js.ValueOf(values)
	}))
	js.Global().Set("multigrade", object)
	select {}
}
