package shelf

// Listings: complete or an error, in byte order.

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"

	types "wit_component/cofferdam_backup_types"
)

// List is a page of the container's objects.
func (s *Shelf) List(container, prefix, after string, limit int) (types.Page, error) {
	var page types.Page
	folder, err := s.folder(container)
	if err != nil {
		return page, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return page, FromOS(err, "list the container "+container)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !entry.Type().IsRegular() || reserved(name) || !strings.HasPrefix(name, prefix) || name <= after {
			continue
		}
		if len(page.Objects) == limit {
			page.More = true
			break
		}
		found, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return page, FromOS(err, "look at the object "+name)
		}
		page.Objects = append(page.Objects, types.ObjectInfo{Name: name, Size: uint64(found.Size())})
	}
	return page, nil
}

// Containers is a page of the folders with objects in them.
func (s *Shelf) Containers(after string, limit int) (types.ContainerPage, error) {
	var page types.ContainerPage
	found := map[string]bool{}
	err := fs.WalkDir(os.DirFS(s.root), ".", func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && CheckFolder(name) != nil {
			return fs.SkipDir
		}
		if folder := path.Dir(name); entry.Type().IsRegular() && folder != "." && !reserved(entry.Name()) && folder > after {
			found[folder] = true
		}
		return nil
	})
	if err != nil {
		return page, FromOS(err, "list the containers")
	}
	for name := range found {
		page.Containers = append(page.Containers, name)
	}
	sort.Strings(page.Containers)
	if page.More = len(page.Containers) > limit; page.More {
		page.Containers = page.Containers[:limit]
	}
	return page, nil
}
