package shelf

import (
	"runtime"
	"runtime/debug"
)

// How much garbage may lie about between two collections.
const most = 1 << 18

var after uint64

func init() {
	debug.SetGCPercent(-1)
}

// Guard collects garbage where it is safe: at the beginning of a call, and only there. Go's collector may otherwise run while the host
// allocates an argument in the guest's memory; its wake-up of a helper is then a call out of the component, which is forbidden at that
// moment, and the instance traps: "cannot leave component instance". Every exported function begins with it.
func Guard() {
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	if now.HeapAlloc < after+most {
		return
	}
	runtime.GC()
	runtime.ReadMemStats(&now)
	after = now.HeapAlloc
}
