//! Tries in `do-setup` to change the directory that it may only read, in which the file `kept` lies. The host
//! must refuse each change: `0 of 13 changes made: none`.

use cofferdam_hostile::cofferdam_driver::wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, NewTimestamp, OpenFlags, PathFlags,
};
use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, Tries, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::read_only_directory()])
    }

    fn do_setup(settings: &Settings) -> Result<(), Error> {
        let directory = options::granted(settings.required_text(options::PATH)?)?;
        let (none, read) = (PathFlags::empty(), DescriptorFlags::READ);
        // Without it the tries would fail for a reason that proves nothing.
        let kept = directory.open_at(none, "kept", OpenFlags::empty(), read);
        let kept =
            kept.map_err(|code| Error::unavailable(format!("cannot read the file kept: {}", code.name())))?;
        let mut tries = Tries::default();
        change_file(&directory, &kept, &mut tries);
        change_directory(&directory, &mut tries);
        Err(tries.told("changes made"))
    }
}

/// Changes the file, by opening it anew and by the descriptor that was opened for reading.
fn change_file(directory: &Descriptor, kept: &Descriptor, tries: &mut Tries) {
    let open = |open, flags| directory.open_at(PathFlags::empty(), "kept", open, flags).is_ok();
    tries.note(
        "open for writing",
        open(OpenFlags::empty(), DescriptorFlags::WRITE),
    );
    tries.note("truncate", open(OpenFlags::TRUNCATE, DescriptorFlags::READ));
    let appended = kept
        .append_via_stream()
        .is_ok_and(|sink| sink.blocking_write_and_flush(b"x").is_ok());
    tries.note("append", appended);
    tries.note("write", kept.write(b"x", 0).is_ok());
    tries.note("set size", kept.set_size(0).is_ok());
    let (accessed, modified) = (NewTimestamp::Now, NewTimestamp::Now);
    tries.note("set times", kept.set_times(accessed, modified).is_ok());
}

/// Changes the names in the directory.
fn change_directory(directory: &Descriptor, tries: &mut Tries) {
    let none = PathFlags::empty();
    let created = directory.open_at(none, "created", OpenFlags::CREATE, DescriptorFlags::WRITE);
    let (accessed, modified) = (NewTimestamp::Now, NewTimestamp::Now);
    for (name, result) in [
        ("create", created.map(drop)),
        (
            "set times by name",
            directory.set_times_at(none, "kept", accessed, modified),
        ),
        ("mkdir", directory.create_directory_at("made")),
        ("symlink", directory.symlink_at("kept", "pointer")),
        ("hard link", directory.link_at(none, "kept", directory, "twin")),
        ("rename", directory.rename_at("kept", directory, "moved")),
        ("unlink", directory.unlink_file_at("kept")),
    ] {
        tries.note(name, result.is_ok());
    }
}

cofferdam_hostile::misbehave!(Behaviour);
