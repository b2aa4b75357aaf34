// Package shelf keeps backups as files in a granted directory, in the format of the posix driver.
//
// Bytes of objects are moved by the host (Pipe) from stream to stream and never enter Go's heap. Paths are made of names that were
// checked, below the directory of the settings; the sandbox lets nothing lead out of it.
package shelf

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	wit "go.bytecodealliance.org/pkg/wit/types"
	host "wit_component/cofferdam_backup_host"
	types "wit_component/cofferdam_backup_types"
	"wit_component/wasi_filesystem_preopens"
	files "wit_component/wasi_filesystem_types"
	"wit_component/wasi_io_streams"
)

// Shelf is what do-setup keeps.
type Shelf struct {
	root       string
	ObjectSize uint64
	BlockSize  uint32
}

// New reads the settings. Their texts are lent by the host for the call, so what is kept is cloned.
func New(settings []types.Setting) (*Shelf, error) {
	made := &Shelf{ObjectSize: 1_999_994_880, BlockSize: 32768}
	for _, setting := range settings {
		wanted := types.SettingValue_Integer
		if setting.Name == "shelf_go_path" {
			wanted = types.SettingValue_Text
		}
		if setting.Value.Tag() != wanted {
			return nil, invalid(setting.Name, "the value is of another kind")
		}
		switch setting.Name {
		case "shelf_go_path":
			made.root = path.Clean(strings.Clone(setting.Value.Text()))
		case "shelf_go_file_size":
			if setting.Value.Integer() < 1 {
				return nil, invalid(setting.Name, "expected a positive number of bytes")
			}
			made.ObjectSize = uint64(setting.Value.Integer())
		case "shelf_go_sha_block_size_bytes":
			if size := setting.Value.Integer(); size < 1 || size > 1<<32-1 {
				return nil, invalid(setting.Name, "expected 1 to 4294967295 bytes")
			}
			made.BlockSize = uint32(setting.Value.Integer())
		}
	}
	if made.root == "" {
		return nil, invalid("shelf_go_path", "the option is required and absent")
	}
	if made.ObjectSize == 0 || made.ObjectSize%uint64(made.BlockSize) != 0 {
		return nil, invalid("shelf_go_file_size", "expected a positive multiple of shelf_go_sha_block_size_bytes")
	}
	return made, nil
}

func (s *Shelf) folder(container string) (string, error) {
	if err := CheckFolder(container); err != nil {
		return "", err
	}
	folder := path.Join(s.root, container)
	found, err := os.Stat(folder)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			if err := s.Probe(); err != nil {
				return "", err
			}
			return "", notFound("there is no container " + container)
		}
		return "", FromOS(err, "open the container "+container)
	}
	if !found.IsDir() {
		return "", failed("a file stands in the place of the container " + container)
	}
	return folder, nil
}

// Probe finds a root that is gone unavailable: it may come back.
func (s *Shelf) Probe() error {
	found, err := os.Stat(s.root)
	if err != nil || !found.IsDir() {
		return Failure{types.MakeErrorUnavailable("the directory " + s.root + " is missing")}
	}
	return nil
}

// Check makes a file, reads it back and takes it away.
func (s *Shelf) Check() error {
	if err := s.Probe(); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(s.root, ".cofferdam-canary-")
	if err != nil {
		return FromOS(err, "make a folder in "+s.root)
	}
	defer os.RemoveAll(folder)
	canary, text := path.Join(folder, "canary"), []byte("cofferdam canary\n")
	if err := os.WriteFile(canary, text, 0o666); err != nil {
		return FromOS(err, "write the canary")
	}
	found, err := os.ReadFile(canary)
	if err != nil {
		return FromOS(err, "read the canary back")
	}
	if string(found) != string(text) {
		return Failure{types.MakeErrorCorrupted("the canary was read back with other bytes than were written")}
	}
	return nil
}

// Create makes the container and syncs what leads to it.
func (s *Shelf) Create(container string) error {
	if err := CheckFolder(container); err != nil {
		return err
	}
	if err := s.Probe(); err != nil {
		return err
	}
	at := s.root
	for _, component := range strings.Split(container, "/") {
		parent := at
		at = path.Join(at, component)
		if err := os.Mkdir(at, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return FromOS(err, "make the folder "+component)
		}
		if err := s.syncFolder(parent); err != nil {
			return err
		}
	}
	return nil
}

// syncFolder goes by WASI's own call: os.File.Sync does not reach a folder.
func (s *Shelf) syncFolder(folder string) error {
	opened, err := s.open(folder, files.OpenFlags_Directory, files.DescriptorFlags_Read|files.DescriptorFlags_MutateDirectory)
	if err != nil {
		return err
	}
	defer opened.Drop()
	if opened.Sync().IsErr() {
		return Failure{types.MakeErrorUnavailable("cannot sync the folder " + folder)}
	}
	return nil
}

// open opens what lies below a grant, for what the os package has no call for: streams of the host, the sync of a folder. The caller drops it.
func (s *Shelf) open(file string, how files.OpenFlags, rights files.DescriptorFlags) (*files.Descriptor, error) {
	preopens := wasi_filesystem_preopens.GetDirectories()
	var best *files.Descriptor
	depth, below := -1, ""
	for _, preopen := range preopens {
		granted := strings.TrimSuffix(preopen.F1, "/")
		if strings.HasPrefix(file+"/", granted+"/") && len(granted) > depth {
			depth, below, best = len(granted), "."+file[len(granted):], preopen.F0
		}
	}
	for _, preopen := range preopens {
		if preopen.F0 != best {
			preopen.F0.Drop()
		}
	}
	if best == nil {
		return nil, invalid("shelf_go_path", s.root+" is not granted to this driver")
	}
	defer best.Drop()
	opened := best.OpenAt(0, below, how, rights)
	if opened.IsErr() {
		return nil, failed("cannot open " + file)
	}
	return opened.Ok(), nil
}

// Put writes under a hidden name, syncs, renames, syncs the folder.
func (s *Shelf) Put(at types.ObjectAddress, body *wasi_io_streams.InputStream, info types.BodyInfo) error {
	if err := CheckObject(at.Name); err != nil {
		return err
	}
	folder, err := s.folder(at.Container)
	if err != nil {
		return err
	}
	hidden := path.Join(folder, part(at.Name))
	os.Remove(hidden)
	if err = s.write(hidden, body, info); err == nil {
		if err = os.Rename(hidden, path.Join(folder, at.Name)); err != nil {
			err = FromOS(err, "rename the finished file to "+at.Name)
		} else {
			err = s.syncFolder(folder)
		}
	}
	if err != nil {
		os.Remove(hidden)
	}
	return err
}

func (s *Shelf) write(hidden string, body *wasi_io_streams.InputStream, info types.BodyInfo) error {
	file, err := s.open(hidden, files.OpenFlags_Create|files.OpenFlags_Exclusive, files.DescriptorFlags_Write)
	if err != nil {
		return err
	}
	defer file.Drop()
	stream := file.WriteViaStream(0)
	if stream.IsErr() {
		return failed("cannot write the object's file")
	}
	sink := stream.Ok()
	moved := host.Pipe(body, sink, wit.None[uint64]())
	sink.Drop()
	if moved.IsErr() {
		return broken(moved.Err())
	}
	if info.Size.IsSome() && info.Size.Some() != moved.Ok() {
		return failed("the object's body had another length than was announced")
	}
	if stat := file.Stat(); stat.IsErr() || stat.Ok().Size != moved.Ok() {
		return failed("the object's file has another length than was written")
	}
	if file.Sync().IsErr() {
		return Failure{types.MakeErrorUnavailable("cannot sync the object's file")}
	}
	return nil
}

func broken(err host.PipeError) error {
	switch err.Tag() {
	case host.PipeError_SourceFailed:
		return failed("the source broke off: " + err.SourceFailed())
	case host.PipeError_SinkFailed:
		text := err.SinkFailed()
		if strings.Contains(strings.ToLower(text), "no space left") {
			return Failure{types.MakeErrorOutOfSpace("the storage took no more: " + text)}
		}
		return failed("the sink took no more: " + text)
	}
	return Failure{types.MakeErrorCorrupted("the object became shorter while it was read")}
}

// Stat is the object's size.
func (s *Shelf) Stat(at types.ObjectAddress) (uint64, string, error) {
	if err := CheckObject(at.Name); err != nil {
		return 0, "", err
	}
	folder, err := s.folder(at.Container)
	if err != nil {
		return 0, "", err
	}
	file := path.Join(folder, at.Name)
	found, err := os.Lstat(file)
	if err != nil {
		return 0, "", FromOS(err, "look at the object "+at.Name)
	}
	if !found.Mode().IsRegular() {
		return 0, "", notFound(at.Name + " is not a plain file, and so no object")
	}
	return uint64(found.Size()), file, nil
}

// Get writes the range of the object to the sink.
func (s *Shelf) Get(at types.ObjectAddress, asked wit.Option[types.ByteRange], sink *wasi_io_streams.OutputStream) (uint64, error) {
	size, name, err := s.Stat(at)
	if err != nil {
		return 0, err
	}
	offset, length := uint64(0), size
	if asked.IsSome() {
		offset = asked.Some().Offset
		if offset >= size {
			return 0, nil
		}
		if length = size - offset; asked.Some().Length.IsSome() {
			length = min(length, asked.Some().Length.Some())
		}
	}
	if length == 0 {
		return 0, nil
	}
	file, err := s.open(name, 0, files.DescriptorFlags_Read)
	if err != nil {
		return 0, err
	}
	defer file.Drop()
	stream := file.ReadViaStream(offset)
	if stream.IsErr() {
		return 0, failed("cannot read the object's file")
	}
	source := stream.Ok()
	defer source.Drop()
	moved := host.Pipe(source, sink, wit.Some(length))
	if moved.IsErr() {
		return 0, broken(moved.Err())
	}
	return moved.Ok(), nil
}

// Delete takes the object and what an unfinished put of it left.
func (s *Shelf) Delete(at types.ObjectAddress) error {
	if err := CheckObject(at.Name); err != nil {
		return err
	}
	folder, err := s.folder(at.Container)
	var failure Failure
	if errors.As(err, &failure) && failure.Cause.Tag() == types.Error_NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range []string{at.Name, part(at.Name)} {
		file := path.Join(folder, name)
		if found, err := os.Lstat(file); err != nil || !found.Mode().IsRegular() {
			continue
		}
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return FromOS(err, "delete the object "+at.Name)
		}
	}
	return s.syncFolder(folder)
}
