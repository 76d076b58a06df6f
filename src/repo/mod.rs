//! Signed apt and yum repositories.
