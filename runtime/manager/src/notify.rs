//! Where events go besides the log: into the catalog's history, and to a webhook.
//!
//! Each sink listens to the supervisor's events on its own and is never waited for: one that is slow or dead loses the
//! oldest events beyond the channel's bound, and says how many.

pub(crate) mod recorder;
pub(crate) mod webhook;
