//! Components that no compiler makes: of another world, damaged, or a good guest with a module added behind it whose
//! start code misbehaves. Such a module runs when the component is instantiated, before any call.

use std::path::PathBuf;

use cofferdam_tests::hostile;
use wasmparser::{Parser, Payload};

/// Sections of a component: a core module; a vector of core instances.
const CORE_MODULE: u8 = 1;
const CORE_INSTANCE: u8 = 2;

fn good() -> PathBuf {
    hostile("good")
}

pub(crate) fn text() -> Vec<u8> {
    b"#!/bin/sh\necho this is no WebAssembly\n".to_vec()
}

pub(crate) fn core_module() -> Vec<u8> {
    wat::parse_str("(module)").unwrap()
}

pub(crate) fn truncated() -> Vec<u8> {
    let mut bytes = std::fs::read(good()).unwrap();
    bytes.truncate(bytes.len() / 2);
    bytes
}

pub(crate) fn another_world() -> Vec<u8> {
    let world = r#"(component (instance $i) (export "wasi:http/incoming-handler@0.2.0" (instance $i)))"#;
    wat::parse_str(world).unwrap()
}

pub(crate) fn future_contract() -> Vec<u8> {
    let world = r#"(component (instance $i) (export "cofferdam:backup/backup-driver@0.9.0" (instance $i)))"#;
    wat::parse_str(world).unwrap()
}

pub(crate) fn unknown_import() -> Vec<u8> {
    wat::parse_str(r#"(component (import "evil:host/door" (instance)))"#).unwrap()
}

/// A module whose start code grows its memory by 40 MiB, which one of it may and two may not.
const HALF: &str = "(module (memory 1) (func $f (drop (memory.grow (i32.const 640)))) (start $f))";

pub(crate) fn one_more_memory() -> Vec<u8> {
    extended(&wat::parse_str(HALF).unwrap(), 1)
}

pub(crate) fn two_more_memories() -> Vec<u8> {
    extended(&wat::parse_str(HALF).unwrap(), 2)
}

pub(crate) fn growing_table() -> Vec<u8> {
    let module = "(module (table 1 funcref)
        (func $f (loop $l (drop (table.grow (ref.null func) (i32.const 10000))) (br $l)))
        (start $f))";
    extended(&wat::parse_str(module).unwrap(), 1)
}

/// A function of 7 MB, near the greatest that WebAssembly has: a loop over ten thousand values that all live at once,
/// with a way back to its head after every step.
pub(crate) fn compile_bomb() -> Vec<u8> {
    const LOCALS: u32 = 10_000;
    const BODY: usize = 7_000_000;
    let mut body = vec![1];
    leb(&mut body, LOCALS);
    body.extend_from_slice(&[0x7e, 0x03, 0x40]); // … of i64; loop
    let mut number = 0_u32;
    while body.len() < BODY {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        for (code, local) in [
            (0x20, number >> 8),
            (0x20, number >> 12),
            (0x7c, 0),
            (0x22, number >> 16),
        ] {
            body.push(code); // local.get, local.get, i64.add, local.tee
            if code != 0x7c {
                leb(&mut body, local % LOCALS);
            }
        }
        body.extend_from_slice(&[0x50, 0x0d, 0]); // i64.eqz, br_if 0
    }
    body.push(0x0b);
    body.push(0x0b);
    let mut code = vec![1];
    leb(&mut code, body.len() as u32);
    code.append(&mut body);
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    section(&mut module, 1, &[1, 0x60, 0, 0]); // one type: no parameters, no results
    section(&mut module, 3, &[1, 0]); // one function of it
    section(&mut module, 10, &code);
    extended(&module, 0)
}

/// A good guest with a module added, and so many instances of it.
fn extended(module: &[u8], instances: usize) -> Vec<u8> {
    let mut component = std::fs::read(good()).unwrap();
    let added = core_modules(&component);
    section(&mut component, CORE_MODULE, module);
    for _ in 0..instances {
        let mut instance = vec![1, 0]; // one, made of a module …
        leb(&mut instance, added); // … this one …
        instance.push(0); // … with no imports.
        section(&mut component, CORE_INSTANCE, &instance);
    }
    component
}

/// The component's own core modules, without those of components inside it.
fn core_modules(component: &[u8]) -> u32 {
    let (mut depth, mut count) = (0, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ModuleSection { .. } if depth == 1 => count += 1,
            _ => {}
        }
    }
    count
}

fn section(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
    bytes.push(id);
    leb(bytes, content.len() as u32);
    bytes.extend_from_slice(content);
}

/// A number as WebAssembly writes it: seven bits a byte, the lowest first.
fn leb(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
