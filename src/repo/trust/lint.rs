//! What clients will say of a key, before they do.
