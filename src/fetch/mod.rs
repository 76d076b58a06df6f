//! Downloads: verified before anything is opened, resumable, parallel, with retries.
