//! qemu-nbd as a server of images.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::*;

pub(super) const MIB: u64 = 1 << 20;
pub(super) const SIZE: u64 = 64 * MIB;

/// Whether the tools are there; says loudly when a test proves nothing.
pub(super) fn tools(test: &str) -> bool {
    let there = ["qemu-nbd", "qemu-img", "qemu-io"].iter().all(|tool| {
        Command::new(tool)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    if !there {
        eprintln!("\n=== SKIPPED: {test} needs qemu-nbd, qemu-img and qemu-io (Debian: qemu-utils) ===\n");
    }
    there
}

pub(super) fn call(tool: &str, args: &[&str]) {
    let output = Command::new(tool).args(args).output().unwrap();
    assert!(
        output.status.success(),
        "{tool} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(super) struct Server {
    pub(super) child: Child,
    pub(super) address: Address,
}

impl Server {
    pub(super) fn start(folder: &Path, image: &Path, format: &str, tcp: bool, more: &[&str]) -> Self {
        let socket = folder.join(format!("socket-{}", fastrand::u32(..)));
        // Free now; that nobody takes it meanwhile is hoped for.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let mut command = Command::new("qemu-nbd");
        command.args([
            "--persistent",
            "--shared=8",
            "--export-name=volume",
            "--discard=unmap",
            "-f",
            format,
        ]);
        if tcp {
            command.args(["-b", "127.0.0.1", "-p", &port.to_string()]);
        } else {
            command.arg("-k").arg(&socket);
        }
        let child = command.args(more).arg(image).spawn().unwrap();
        let address = if tcp {
            format!("nbd://127.0.0.1:{port}/volume")
        } else {
            format!("nbd+unix:///volume?socket={}", socket.display())
        };
        let server = Server {
            child,
            address: address.parse().unwrap(),
        };
        let began = Instant::now();
        while server.open(Access::ReadOnly).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "qemu-nbd does not come up"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(super) fn open(&self, access: Access) -> Result<Client, NbdError> {
        Client::connect(&self.address, access, Duration::from_secs(10))
    }

    /// Ends it so that it closes its image well.
    pub(super) fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A raw file of random bytes with a hole in its middle half, and the bytes.
pub(super) fn sparse(folder: &Path) -> (PathBuf, Vec<u8>) {
    let mut bytes = vec![0; SIZE as usize];
    let quarter = bytes.len() / 4;
    fastrand::fill(&mut bytes[..quarter]);
    fastrand::fill(&mut bytes[3 * quarter..]);
    let path = folder.join("raw");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(SIZE).unwrap();
    file.write_all_at(&bytes[..quarter], 0).unwrap();
    file.write_all_at(&bytes[3 * quarter..], SIZE * 3 / 4).unwrap();
    (path, bytes)
}

/// The same as raw and as qcow2.
pub(super) fn images(folder: &Path) -> ([(&'static str, PathBuf); 2], Vec<u8>) {
    let (raw, bytes) = sparse(folder);
    let qcow2 = folder.join("qcow2");
    call(
        "qemu-img",
        &[
            "convert",
            "-f",
            "raw",
            "-O",
            "qcow2",
            raw.to_str().unwrap(),
            qcow2.to_str().unwrap(),
        ],
    );
    ([("raw", raw), ("qcow2", qcow2)], bytes)
}
