//! A story that chance tells.
