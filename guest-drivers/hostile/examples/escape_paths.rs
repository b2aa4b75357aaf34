//! Tries in `do-setup` every way out of the granted directory, beside which lies the file `secret` and in
//! which the symbolic link `link` points to the folder around. The host must refuse each one: `0 of 17 ways
//! out: none`.

use cofferdam_hostile::cofferdam_driver::wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};
use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, Tries, info, options};

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::directory()])
    }

    fn do_setup(settings: &Settings) -> Result<(), Error> {
        let directory = options::granted(settings.required_text(options::PATH)?)?;
        prepare(&directory)?;
        let mut tries = Tries::default();
        open_out(&directory, &mut tries);
        follow_out(&directory, &mut tries);
        move_out(&directory, &mut tries);
        Err(tries.told("ways out"))
    }
}

/// What the tries need. Without it they would fail for a reason that proves nothing.
fn prepare(directory: &Descriptor) -> Result<(), Error> {
    let lacking =
        |what: &'static str| move |code: ErrorCode| Error::unavailable(format!("{what}: {}", code.name()));
    match directory.create_directory_at("sub") {
        Ok(()) | Err(ErrorCode::Exist) => {}
        Err(code) => return Err(lacking("cannot make the folder sub")(code)),
    }
    let own = directory.open_at(
        PathFlags::empty(),
        "own",
        OpenFlags::CREATE,
        DescriptorFlags::WRITE,
    );
    own.map_err(lacking("cannot make the file own"))?;
    let link = directory.stat_at(PathFlags::empty(), "link");
    if link.map_err(lacking("no link is planted"))?.type_ != DescriptorType::SymbolicLink {
        return Err(Error::unavailable("no link is planted: something else is there"));
    }
    Ok(())
}

/// Opens by paths that lead out by themselves, and by the planted link.
fn open_out(directory: &Descriptor, tries: &mut Tries) {
    let (read, write) = (DescriptorFlags::READ, DescriptorFlags::WRITE);
    for (name, path, create, flags) in [
        ("read ../secret", "../secret", false, read),
        ("write ../secret", "../secret", false, write),
        ("read sub/../../secret", "sub/../../secret", false, read),
        ("write sub/../../secret", "sub/../../secret", false, write),
        ("read /etc/passwd", "/etc/passwd", false, read),
        ("read link", "link", false, read),
        ("read link/secret", "link/secret", false, read),
        ("write link/secret", "link/secret", false, write),
        ("create link/planted", "link/planted", true, write),
    ] {
        let open = if create {
            OpenFlags::CREATE
        } else {
            OpenFlags::empty()
        };
        let opened = directory.open_at(PathFlags::SYMLINK_FOLLOW, path, open, flags);
        tries.note(name, opened.is_ok());
    }
}

/// Makes symbolic links that lead out, and opens them.
fn follow_out(directory: &Descriptor, tries: &mut Tries) {
    for (name, target) in [
        ("follow a link to /etc/passwd", "/etc/passwd"),
        ("follow a link to ../secret", "../secret"),
    ] {
        // Left from the last time, if at all.
        let _ = directory.unlink_file_at("away");
        let opened = directory.symlink_at(target, "away").and_then(|()| {
            directory.open_at(
                PathFlags::SYMLINK_FOLLOW,
                "away",
                OpenFlags::empty(),
                DescriptorFlags::READ,
            )
        });
        tries.note(name, opened.is_ok());
    }
}

/// Moves, links, makes and removes across the border.
fn move_out(directory: &Descriptor, tries: &mut Tries) {
    let none = PathFlags::empty();
    for (name, result) in [
        (
            "link ../secret to mine",
            directory.link_at(none, "../secret", directory, "mine"),
        ),
        (
            "link own to ../planted",
            directory.link_at(none, "own", directory, "../planted"),
        ),
        ("mkdir ../made", directory.create_directory_at("../made")),
        (
            "rename own to ../stolen",
            directory.rename_at("own", directory, "../stolen"),
        ),
        (
            "rename ../secret to mine",
            directory.rename_at("../secret", directory, "mine"),
        ),
        ("unlink ../secret", directory.unlink_file_at("../secret")),
    ] {
        tries.note(name, result.is_ok());
    }
}

cofferdam_hostile::misbehave!(Behaviour);
