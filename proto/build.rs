//! Compiles the contract without a `protoc` on the machine.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "common", "daemon", "project", "config", "sync", "status", "history",
    ]
    .map(|noun| format!("mirror/v1/{noun}.proto"));
    println!("cargo::rerun-if-changed=mirror/v1");
    let descriptors = protox::compile(files, ["."])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
