//! What authors of drivers need of the host before there is a driver: a project to begin with, and a component out of what a
//! compiler made.
//!
//! Problem: the tools of a language stop at a core module or want the contract at hand, and an SDK that must be fetched from
//! somewhere can be missing. Solution: contract, SDKs and templates are in the binary (`build.rs`); [`project`] writes them
//! out, [`component`] gives a core module the contract's types and makes a component of it. Neither runs any of the code.
//!
//! Bound: one file in memory. Cost: half a megabyte of the binary.

pub mod component;
mod files;
pub mod project;
