//! Tries in `do-setup` to reach out and to listen by sockets, and to look a name up. The host must deny each, although
//! something listens at `hostile_port`, and name what was not granted; one open door makes it crash with `doors open`.

use std::net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};

use cofferdam_hostile::cofferdam_driver::{DriverInfo, Error, Settings};
use cofferdam_hostile::{Hostile, Tries, info, options};

const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

struct Behaviour;

impl Hostile for Behaviour {
    fn describe() -> DriverInfo {
        info([options::port()])
    }

    fn do_setup(settings: &Settings) -> Result<(), Error> {
        let port = options::port_of(settings)?;
        let here = Ipv4Addr::LOCALHOST;
        let mut tries = Tries::default();
        tries.note(
            "connect to the loopback",
            TcpStream::connect((here, port)).is_ok(),
        );
        tries.note("listen on the loopback", TcpListener::bind((here, 0)).is_ok());
        tries.note("bind a datagram socket", UdpSocket::bind((here, 0)).is_ok());
        tries.note("look up localhost", ("localhost", port).to_socket_addrs().is_ok());
        tries.note(
            "connect to the metadata address",
            TcpStream::connect((METADATA, 80)).is_ok(),
        );
        let told = tries.told("doors open");
        assert!(tries.all_failed(), "{told:?}");
        Err(told)
    }
}

cofferdam_hostile::misbehave!(Behaviour);
