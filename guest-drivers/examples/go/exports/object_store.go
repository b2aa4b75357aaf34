// Package export_cofferdam_backup_object_store takes the place of the generated stub.
package export_cofferdam_backup_object_store

import (
	wit "go.bytecodealliance.org/pkg/wit/types"
	types "wit_component/cofferdam_backup_types"
	driver "wit_component/export_cofferdam_backup_backup_driver"
	"wit_component/shelf"
	"wit_component/wasi_io_streams"
)

type nothing = wit.Result[wit.Unit, types.Error]

func result[T any](value T, err error) wit.Result[T, types.Error] {
	if err != nil {
		return wit.Err[T](driver.ErrorOf(err))
	}
	return wit.Ok[T, types.Error](value)
}

func CreateContainer(container string) nothing {
	shelf.Guard()
	return driver.Done(driver.Current.Create(container))
}

// A borrowed stream must be dropped before the call returns, or the host ends the instance.
func PutObject(at types.ObjectAddress, body *wasi_io_streams.InputStream, info types.BodyInfo) nothing {
	shelf.Guard()
	defer body.Drop()
	return driver.Done(driver.Current.Put(at, body, info))
}

func GetObject(at types.ObjectAddress, asked wit.Option[types.ByteRange], sink *wasi_io_streams.OutputStream) wit.Result[uint64, types.Error] {
	shelf.Guard()
	defer sink.Drop()
	return result(driver.Current.Get(at, asked, sink))
}

func StatObject(at types.ObjectAddress) wit.Result[types.ObjectInfo, types.Error] {
	shelf.Guard()
	size, _, err := driver.Current.Stat(at)
	return result(types.ObjectInfo{Name: at.Name, Size: size}, err)
}

func DeleteObject(at types.ObjectAddress) nothing {
	shelf.Guard()
	return driver.Done(driver.Current.Delete(at))
}

func ListObjects(container, prefix string, after wit.Option[string], limit uint32) wit.Result[types.Page, types.Error] {
	shelf.Guard()
	return result(driver.Current.List(container, prefix, after.SomeOr(""), int(limit)))
}

func ListContainers(after wit.Option[string], limit uint32) wit.Result[types.ContainerPage, types.Error] {
	shelf.Guard()
	return result(driver.Current.Containers(after.SomeOr(""), int(limit)))
}
