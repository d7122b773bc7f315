//! What an agent keeps to this machine is written by nobody else.

use std::os::unix::fs::symlink;

use mirror_core::patterns::{Agent, AgentFolder, Seen};

use super::*;

/// The tree of the scene on a machine where Claude Code uses this folder, relative
/// to the scene's home.
fn tree_beside(scene: &Scene, root: &Path, folder: &str) -> LocalTree {
    let agents = vec![(Agent::Claude, scene.home.path().join(folder))];
    LocalTree::open(root.to_owned()).with_agents(agents)
}

fn seen(tree: &LocalTree) -> Seen {
    let [AgentFolder { agent: Agent::Claude, seen }] = &tree.agent_folders()[..] else {
        panic!("{:?}", tree.agent_folders())
    };
    seen.clone()
}

#[test]
fn an_agents_folder_is_known_by_where_it_really_lies() {
    let scene = Scene::new();
    let root = scene.root();
    let name = root.file_name().unwrap().to_str().unwrap();
    let below = tree_beside(&scene, &root, &format!("{name}/dot/claude"));
    assert_eq!(seen(&below), Seen::Below(path("dot/claude")), "though it isn't there yet");

    symlink(&root, scene.home.path().join("short")).unwrap();
    assert_eq!(seen(&tree_beside(&scene, &root, "short")), Seen::Around(None));
    scene.write("projects/x/y", "x");
    let within = tree_beside(&scene, &root.join("projects/x"), "short");
    assert_eq!(seen(&within), Seen::Around(Some(path("projects/x"))));
    assert_eq!(tree_beside(&scene, &root, "elsewhere").agent_folders(), []);

    let moved = tree_beside(&scene, &root, "link");
    symlink(root.join("projects"), scene.home.path().join("link")).unwrap();
    moved.root_identity().unwrap();
    assert_eq!(seen(&moved), Seen::Below(path("projects")), "it was made since");
}

#[test]
fn nothing_is_written_over_what_an_agent_keeps_to_its_machine() {
    let scene = Scene::new();
    let root = scene.root();
    let name = root.file_name().unwrap().to_str().unwrap();
    let tree = tree_beside(&scene, &root, name);
    let manner = Manner::of(Kind::File, false);
    for name in
        [".credentials.json", "projects/a/b.jsonl", "todos/a", "a/.claude/.Credentials.json"]
    {
        let staged = tree.stage(&path(name), manner, TEMP, &mut &b"x"[..]);
        assert!(matches!(staged, Err(TreeError::OfAgent(_))), "{name}: {staged:?}");
    }
    assert!(fs::read_dir(&root).unwrap().next().is_none(), "no folder was made");
    tree.stage(&path("projects/a/memory/MEMORY.md"), manner, TEMP, &mut &b"x"[..]).unwrap();
}
