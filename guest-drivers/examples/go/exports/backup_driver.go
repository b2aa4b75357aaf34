// Package export_cofferdam_backup_backup_driver takes the place of the generated stub.
package export_cofferdam_backup_backup_driver

import (
	wit "go.bytecodealliance.org/pkg/wit/types"
	types "wit_component/cofferdam_backup_types"
	"wit_component/shelf"
)

type nothing = wit.Result[wit.Unit, types.Error]

// Current is the shelf that the last do-setup made.
var Current *shelf.Shelf

// Done turns a Go error into the contract's result.
func Done(err error) nothing {
	if err == nil {
		return wit.Ok[wit.Unit, types.Error](wit.Unit{})
	}
	return wit.Err[wit.Unit](ErrorOf(err))
}

// ErrorOf is the contract's error of a Go error.
func ErrorOf(err error) types.Error {
	if failure, ok := err.(shelf.Failure); ok {
		return failure.Cause
	}
	return types.MakeErrorFailed(err.Error())
}

func Describe() types.DriverInfo {
	shelf.Guard()
	return types.DriverInfo{
		Name: "shelf-go", Version: "0.1.0", Vendor: "Cofferdam", Description: "Keeps backups as files in a directory; written in Go.",
		Options: []types.OptionInfo{
			{Name: "shelf_go_path", Kind: types.OptionKind_Directory, Required: true, Default: wit.None[string](),
				Description: "The absolute path of the directory that holds the backups."},
			{Name: "shelf_go_file_size", Kind: types.OptionKind_Size, Default: wit.Some("1999994880"),
				Description: "Bytes of volume in one object: a positive multiple of shelf_go_sha_block_size_bytes."},
			{Name: "shelf_go_sha_block_size_bytes", Kind: types.OptionKind_Size, Default: wit.Some("32768"),
				Description: "Bytes of volume for which one SHA-256 is kept."},
		},
		GreatestObject: wit.None[uint64](),
	}
}

func DoSetup(settings []types.Setting) nothing {
	shelf.Guard()
	made, err := shelf.New(settings)
	Current = made
	return Done(err)
}

func CheckForSetupError() nothing {
	shelf.Guard()
	return Done(Current.Check())
}

func Probe() nothing {
	shelf.Guard()
	return Done(Current.Probe())
}

func PlaceBackup(backup types.BackupIdentity, container wit.Option[string]) wit.Result[types.Placement, types.Error] {
	shelf.Guard()
	id := backup.BackupId
	placed := types.Placement{
		Prefix:     "volume_" + backup.VolumeId + "_" + backup.Timestamp + "_backup_" + id,
		ObjectSize: Current.ObjectSize, BlockSize: Current.BlockSize,
	}
	if container.IsSome() {
		placed.Container = container.Some()
	} else if len(id) > 4 {
		placed.Container = id[:2] + "/" + id[2:4] + "/" + id
	}
	err := shelf.CheckFolder(placed.Container)
	if err == nil {
		err = shelf.CheckObject(placed.Prefix)
	}
	if err != nil {
		return wit.Err[types.Placement](ErrorOf(err))
	}
	return wit.Ok[types.Placement, types.Error](placed)
}
