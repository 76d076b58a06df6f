//! The command line of the Acme cloud.

use acme_proto::Health;

fn main() {
    let health = Health { service: "acme-ctl".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    println!("{}", health.to_json());
}
