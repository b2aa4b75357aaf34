//! The numbers of the NBD protocol, and reading fields out of a message that has all its bytes.
//!
//! Names are those of the specification (NetworkBlockDevice/nbd, doc/proto.md). Everything is big-endian.

use super::error::NbdError;

/// "NBDMAGIC".
pub(super) const NBDMAGIC: u64 = 0x4e42_444d_4147_4943;
/// "IHAVEOPT".
pub(super) const IHAVEOPT: u64 = 0x4948_4156_454f_5054;
pub(super) const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
pub(super) const REQUEST_MAGIC: u32 = 0x2560_9513;
pub(super) const SIMPLE_REPLY_MAGIC: u32 = 0x6744_6698;
pub(super) const STRUCTURED_REPLY_MAGIC: u32 = 0x668e_33ef;

pub(super) const FLAG_FIXED_NEWSTYLE: u16 = 1;
pub(super) const FLAG_NO_ZEROES: u16 = 2;

pub(super) const OPT_GO: u32 = 7;
pub(super) const OPT_STRUCTURED_REPLY: u32 = 8;
pub(super) const OPT_SET_META_CONTEXT: u32 = 10;

pub(super) const REP_ACK: u32 = 1;
pub(super) const REP_INFO: u32 = 3;
pub(super) const REP_META_CONTEXT: u32 = 4;
/// Set in every reply that refuses an option.
pub(super) const REP_ERROR: u32 = 1 << 31;

pub(super) const INFO_EXPORT: u16 = 0;
pub(super) const INFO_BLOCK_SIZE: u16 = 3;

pub(super) const HAS_FLAGS: u16 = 1;
pub(super) const READ_ONLY: u16 = 1 << 1;
pub(super) const SEND_FLUSH: u16 = 1 << 2;
pub(super) const SEND_FUA: u16 = 1 << 3;
pub(super) const SEND_TRIM: u16 = 1 << 5;
pub(super) const SEND_WRITE_ZEROES: u16 = 1 << 6;
pub(super) const CAN_MULTI_CONN: u16 = 1 << 8;

pub(super) const CMD_READ: u16 = 0;
pub(super) const CMD_WRITE: u16 = 1;
pub(super) const CMD_DISC: u16 = 2;
pub(super) const CMD_FLUSH: u16 = 3;
pub(super) const CMD_WRITE_ZEROES: u16 = 6;
pub(super) const CMD_BLOCK_STATUS: u16 = 7;

pub(super) const REPLY_FLAG_DONE: u16 = 1;
pub(super) const REPLY_NONE: u16 = 0;
pub(super) const REPLY_OFFSET_DATA: u16 = 1;
pub(super) const REPLY_OFFSET_HOLE: u16 = 2;
pub(super) const REPLY_BLOCK_STATUS: u16 = 5;
/// Set in every kind of chunk that carries an error.
pub(super) const REPLY_ERROR: u16 = 1 << 15;
pub(super) const REPLY_ERROR_OFFSET: u16 = REPLY_ERROR + 2;

pub(super) const STATE_HOLE: u32 = 1;
pub(super) const STATE_ZERO: u32 = 2;
pub(super) const STATE_DIRTY: u32 = 1;

/// The metadata context that tells data, holes and zeros apart.
pub(super) const BASE_ALLOCATION: &str = "base:allocation";
/// Before the name of a dirty bitmap of qemu.
pub(super) const DIRTY_BITMAP: &str = "qemu:dirty-bitmap:";

/// Bytes of a string, by the protocol.
pub(super) const LONGEST_STRING: usize = 4096;

/// The fields of a message, from its first byte on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Fields(message)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NbdError> {
        let (field, rest) = self
            .0
            .split_first_chunk()
            .ok_or_else(|| NbdError::protocol("a message is too short for its fields"))?;
        self.0 = rest;
        Ok(*field)
    }

    pub(super) fn u16(&mut self) -> Result<u16, NbdError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, NbdError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, NbdError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], NbdError> {
        let (field, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| NbdError::protocol("a message is too short for its fields"))?;
        self.0 = rest;
        Ok(field)
    }

    /// What has not been read yet.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// That nothing stands behind the last field.
    pub(super) fn end(self) -> Result<(), NbdError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(NbdError::protocol("a message is longer than its fields"))
    }
}
