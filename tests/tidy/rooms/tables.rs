//! The rooms of each crate, highest first, each with the rooms below it that it
//! names. A room is a file, or a folder with all in it that is no room of its own;
//! files of one room that lie side by side are joined by `+`.

use super::House;

pub(super) const CRATES: [House; 8] = [
    ("mirror_core", "daemon/core/src", CORE),
    ("mirror_storage", "daemon/storage/src", STORAGE),
    ("mirror_engine", "daemon/engine/src", ENGINE),
    ("mirrord", "daemon/mirrord/src", MIRRORD),
    ("mirrorctl", "client/src", CLIENT),
    ("mirrorctl_mcp", "mcp/src", MCP),
    ("mirror_simulation", "tests/simulation/src", ONE_ROOM),
    ("mirror_tests", "tests", TESTS),
];

/// Any file may name any other, as long as no circle comes of it.
const ONE_ROOM: &str = ".:";

const CORE: &str = "
    lib.rs:
    presets.rs: settings.rs
    checkpoint.rs: history commit.rs digest.rs
    readers: path time.rs
    plan: reconcile.rs patterns path entry.rs digest.rs
    history: reconcile.rs commit.rs settings.rs path entry.rs digest.rs shared.rs time.rs
    reconcile.rs: entry.rs
    commit.rs: settings.rs path entry.rs digest.rs time.rs
    settings.rs: merge patterns path
    merge: time.rs
    patterns: path
    path: shared.rs
    entry.rs: digest.rs time.rs
    digest.rs:
    shared.rs:
    time.rs:
";

const STORAGE: &str = "
    lib.rs:
    adapter/mod.rs:
    adapter/sftp: adapter/sftp/ssh adapter/sftp/wire adapter/temp_names.rs adapter/body.rs
        adapter/access.rs rights.rs backend.rs+offers.rs error.rs system.rs path.rs
    adapter/sftp/ssh: adapter/sftp/config.rs adapter/sftp/wire error.rs
    adapter/sftp/config.rs:
    adapter/sftp/wire:
    adapter/folder: adapter/temp_names.rs adapter/body.rs adapter/access.rs rights.rs
        backend.rs+offers.rs error.rs system.rs disks.rs path.rs
    adapter/memory: adapter/body.rs backend.rs+offers.rs error.rs system.rs path.rs
    adapter/temp_names.rs:
    adapter/access.rs: backend.rs+offers.rs
    adapter/body.rs: backend.rs+offers.rs error.rs path.rs
    layers: backend.rs+offers.rs error.rs path.rs
    backend.rs+offers.rs: error.rs path.rs
    hint.rs: error.rs
    rights.rs:
    disks.rs:
    error.rs: path.rs
    system.rs: path.rs
    path.rs:
";

const ENGINE: &str = "
    lib.rs:
    project: project/job project/queue project/query project/checkout project/conflict
        project/observe.rs project/versions project/stash.rs project/view_state project/worker
        beside data view snapshots packs log state index api error.rs outside
    project/job: project/queue project/publish project/repair.rs project/checkout project/plan
        project/conflict project/merge.rs project/commit project/held project/observe.rs project/versions
        project/naming.rs project/rules project/stash.rs project/view_state project/worker data view
        snapshots packs log state index api error.rs outside
    project/repair.rs: project/commit project/worker view packs log api error.rs
    project/queue: project/plan project/merge.rs project/commit project/held project/observe.rs
        project/naming.rs project/stash.rs project/worker data log state index api error.rs outside
    project/publish: project/import project/conflict project/rules project/view_state
        project/worker view packs log state api error.rs outside
    project/query: project/plan project/conflict project/merge.rs project/held project/observe.rs
        project/versions project/naming.rs project/worker data snapshots packs log state index api
        error.rs outside
    project/import: project/conflict project/merge.rs project/commit project/rules
        project/view_state project/worker view packs log state api error.rs planted.rs outside
    project/checkout: project/merge.rs project/commit project/observe.rs project/rules
        project/stash.rs project/worker data packs log state index links.rs api error.rs planted.rs
        outside
    project/plan: project/merge.rs project/commit project/held project/observe.rs project/rules
        project/worker
        log state index api error.rs outside
    project/conflict: project/commit project/observe.rs project/worker data view packs log index
        api error.rs outside
    project/merge.rs: project/commit project/held project/worker packs log state index api outside
    project/commit: project/held project/worker packs log state index api error.rs planted.rs outside
    project/held: project/worker data log api planted.rs
    project/create: project/rules packs log api error.rs outside
    project/observe.rs: project/rules project/worker log state index api planted.rs outside
    project/versions: project/naming.rs project/stash.rs project/worker data snapshots packs log api
        error.rs outside
    project/naming.rs: project/stash.rs project/worker data log state index api error.rs outside
    project/rules: project/worker log state index links.rs api error.rs outside
    project/stash.rs: project/worker data packs api error.rs outside
    project/view_state: project/worker view log state api error.rs
    project/worker: beside data view packs log state index api error.rs store planted.rs outside
    beside: store outside
    data: state api outside
    view: log state planted.rs outside
    snapshots: packs api error.rs
    packs: log state api error.rs planted.rs outside
    log: state api error.rs planted.rs outside
    state: index store outside
    index: links.rs api store planted.rs outside
    mapped: outside
    real: links.rs outside
    links.rs:
    api: error.rs store outside
    error.rs: store outside
    store:
    planted.rs:
    outside:
";

const MIRRORD: &str = "
    main.rs: run.rs arguments.rs facts.rs
    run.rs: server watch projects process logging config wire.rs facts.rs machine.rs folders.rs
        symlinks.rs private_file.rs
    server: watch doctor wizard projects backends config services wire.rs facts.rs finding.rs
        folders.rs path_args.rs error.rs
    watch: projects config
    doctor: projects backends config services facts.rs finding.rs folders.rs error.rs
    wizard: projects config services
    projects: backends logging config services wire.rs finding.rs folders.rs symlinks.rs
        path_args.rs error.rs private_file.rs spelling.rs
    wire.rs: config
    process: facts.rs folders.rs
    backends: services
    logging: config folders.rs
    config: services machine.rs error.rs spelling.rs
    services: finding.rs path_args.rs error.rs spelling.rs
    arguments.rs:
    facts.rs:
    finding.rs: error.rs
    machine.rs: private_file.rs
    folders.rs:
    symlinks.rs: path_args.rs
    path_args.rs: error.rs
    error.rs:
    private_file.rs:
    spelling.rs:
";

const CLIENT: &str = "
    main.rs: dispatch.rs refusal.rs arguments.rs hook prompt context.rs connect output interrupts.rs
        terminal.rs failure.rs exit.rs
    dispatch.rs: arguments.rs commands hook prompt context.rs failure.rs
    refusal.rs: arguments.rs output failure.rs exit.rs
    arguments.rs: commands hook prompt output
    commands: each_project.rs wizard resolve follow context.rs connect service install output
        settings.rs dates.rs paths.rs interrupts.rs terminal.rs failure.rs exit.rs
    install: paths.rs failure.rs
    hook: connect output exit.rs
    prompt: context.rs connect output paths.rs failure.rs exit.rs
    each_project.rs: context.rs connect output failure.rs exit.rs
    wizard: context.rs connect output settings.rs shell.rs paths.rs terminal.rs failure.rs
        exit.rs
    resolve: follow context.rs connect output paths.rs terminal.rs failure.rs exit.rs
    follow: context.rs connect output interrupts.rs terminal.rs failure.rs exit.rs
    context.rs: connect output interrupts.rs paths.rs terminal.rs failure.rs exit.rs
    connect: service paths.rs failure.rs exit.rs
    service: shell.rs paths.rs failure.rs
    output: shell.rs dates.rs failure.rs
    interrupts.rs: failure.rs
    settings.rs:
    shell.rs:
    dates.rs: failure.rs
    paths.rs: failure.rs
    terminal.rs: failure.rs
    failure.rs: exit.rs
    exit.rs:
";

const MCP: &str = "
    main.rs: server.rs calls.rs door.rs
    server.rs: tools.rs resources.rs results.rs arguments.rs calls.rs
    tools.rs: arguments.rs calls.rs schemas.rs
    resources.rs: calls.rs
    results.rs:
    arguments.rs:
    schemas.rs:
    calls.rs:
    door.rs:
";

const TESTS: &str = "
    all.rs:
    scenarios: support
    conformance: support
    tidy: support
    support:
";
