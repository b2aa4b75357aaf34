package shelf

// Which names are safe, and which errors mean what.

import (
	"errors"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	types "wit_component/cofferdam_backup_types"
)

// Failure is the contract's error as a Go error.
type Failure struct{ Cause types.Error }

func (f Failure) Error() string { return "driver failure" }

func failed(text string) error      { return Failure{types.MakeErrorFailed(text)} }
func unsupported(text string) error { return Failure{types.MakeErrorUnsupported(text)} }
func notFound(text string) error    { return Failure{types.MakeErrorNotFound(text)} }

func invalid(option, reason string) error {
	return Failure{types.MakeErrorInvalidConfiguration(types.InvalidOption{OptionName: option, Reason: reason})}
}

// FromOS says what an error of the os package means for the contract.
func FromOS(err error, what string) error {
	text := "cannot " + what + ": " + err.Error()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notFound(text)
	case errors.Is(err, fs.ErrPermission):
		return Failure{types.MakeErrorUnauthorized(text)}
	case strings.Contains(strings.ToLower(text), "no space left"):
		return Failure{types.MakeErrorOutOfSpace(text)}
	}
	return Failure{types.MakeErrorUnavailable(text)}
}

func checkPath(name string) error {
	bad := name == "" || len(name) > 1024 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl)
	for _, component := range strings.Split(name, "/") {
		bad = bad || component == "" || component == "." || component == ".." || len(component) > 255
	}
	if bad {
		return unsupported("the name is refused: it is not a plain relative path")
	}
	return nil
}

// CheckFolder refuses a container that would leave the root, or is kept for drivers.
func CheckFolder(name string) error {
	if strings.HasPrefix(name, ".cofferdam-") {
		return unsupported("the name is refused: it is kept for the driver")
	}
	return checkPath(name)
}

func reserved(name string) bool {
	return strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".cofferdam-part") || strings.HasSuffix(name, ".cofferdam-kept"))
}

// CheckObject refuses an object's name that is not one safe component.
func CheckObject(name string) error {
	if strings.Contains(name, "/") || reserved(name) {
		return unsupported("the name is refused: an object's name is one component, and not kept for the driver")
	}
	return checkPath(name)
}

// part is the hidden name of an unfinished object: that of the posix driver.
func part(name string) string {
	hidden := "." + name + ".cofferdam-part"
	if len(hidden) <= 255 {
		return hidden
	}
	hash := uint64(0xcbf29ce484222325)
	for _, b := range []byte(name) {
		hash = (hash ^ uint64(b)) * 0x100000001b3
	}
	const digits = "0123456789abcdef"
	text := make([]byte, 16)
	for i := range text {
		text[i] = digits[hash>>(60-4*i)&15]
	}
	return "." + string(text) + ".cofferdam-part"
}
