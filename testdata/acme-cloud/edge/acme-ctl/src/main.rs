//! The command line of the Acme cloud.

use acme_proto::Health;

const HELP: &str = "\
Tells what this command line of the Acme cloud is

Usage: acme-ctl [OPTIONS]

Options:
  -h, --help  Print help
";

fn main() {
    if std::env::args().any(|argument| argument == "-h" || argument == "--help") {
        print!("{HELP}");
        return;
    }
    let health = Health { service: "acme-ctl".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    println!("{}", health.to_json());
}
