//! The edge of the Acme cloud: answers every request with what it is.

use acme_proto::Health;

const HELP: &str = "\
Answers every request with what it is

Usage: acme-edge [ADDRESS]

Arguments:
  [ADDRESS]  Where to listen [default: 127.0.0.1:8104]

Options:
  -h, --help  Print help
";

fn main() {
    if std::env::args().any(|argument| argument == "-h" || argument == "--help") {
        print!("{HELP}");
        return;
    }
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8104".to_owned());
    let server = match tiny_http::Server::http(&address) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("acme-edge: cannot listen on {address}: {error}");
            std::process::exit(1);
        }
    };
    let health = Health { service: "acme-edge".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    for request in server.incoming_requests() {
        let _ = request.respond(tiny_http::Response::from_string(health.to_json()));
    }
}
