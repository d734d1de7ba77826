//! The same world from one seed.
