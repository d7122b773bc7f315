//! Compiles the contract without a `protoc` on the machine.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "common",
        "daemon",
        "project",
        "config",
        "sync",
        "status",
        "history",
        "conflicts",
        "stash",
        "queue",
        "doctor",
        "held",
        "questions",
        "inbox",
        "memory",
        "agents",
        "watch",
    ]
    .map(|noun| format!("mirror/v1/{noun}.proto"));
    println!("cargo::rerun-if-changed=mirror/v1");
    let descriptors = protox::compile(files, ["."])?;
    tonic_prost_build::configure()
        .build_client(has_feature("CLIENT"))
        .build_server(has_feature("SERVER"))
        .compile_fds(descriptors)?;
    Ok(())
}

/// Stubs of a side that isn't asked for would need its half of tonic.
fn has_feature(name: &str) -> bool {
    std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}
