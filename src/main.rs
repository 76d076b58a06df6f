//! The program `packhouse`.

fn main() -> std::process::ExitCode {
    packhouse::cli::main()
}
