//! The program `cargo-packhouse`: makes `cargo packhouse …` the same as `packhouse …`.

fn main() -> std::process::ExitCode {
    packhouse::cli::main()
}
