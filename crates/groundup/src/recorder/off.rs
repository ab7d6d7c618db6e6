//! The recorder that does not listen.

use super::Recorder;

/// A recorder that hears nothing, takes no space and costs no time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Off;

impl Recorder for Off {}
