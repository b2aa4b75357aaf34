//! What of the network a driver may reach: plain rules without WebAssembly and without a socket.
//!
//! Problem: the address that is dialled must be one that the deployer meant, whatever a guest writes as a URL and
//! whatever a name resolves to. Solution, in three steps, each in a file: [`origin`] reads texts into a scheme, a host and
//! a port, and takes exactly one spelling of each; [`address`] says what kind of place an address is; [`policy`] holds both
//! against the grants, first the origin and then every single address. What is denied is a [`Denial`], which names
//! the line that would allow it. Bound: no text is kept that is longer than a host's name. Cost: comparing strings.

pub(crate) mod address;
pub(crate) mod origin;
pub(crate) mod policy;

pub use address::{Network, TcpAddress};
pub use origin::Origin;
pub(crate) use origin::{Host, Scheme, Target};
pub(crate) use policy::{Denial, Policy};
