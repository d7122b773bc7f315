//! `mirrorctl mcp`, spoken to line by line as an agent's host does.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::support::{Machine, World};

/// A host's side of one conversation.
struct Host {
    server: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next: u64,
}

impl Host {
    fn on(machine: &Machine, general: &[&str]) -> Self {
        let mut command = machine.mirrorctl(general);
        command.arg("mcp").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().expect("started");
        let stdin = server.stdin.take();
        let stdout = BufReader::new(server.stdout.take().expect("its stdout"));
        Self { server, stdin, stdout, next: 0 }
    }

    /// One that has agreed on how to talk.
    fn met(machine: &Machine) -> Self {
        let mut host = Self::on(machine, &[]);
        host.initializes();
        host
    }

    fn initializes(&mut self) -> Value {
        let said = self.asks(
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": {},
                   "clientInfo": {"name": "a host", "version": "1"}}),
        );
        self.says(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        said["result"].clone()
    }

    fn says(&mut self, message: &Value) {
        self.says_line(&message.to_string());
    }

    fn says_line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().expect("open"), "{line}").expect("it listens");
    }

    /// The whole answer to a request.
    #[track_caller]
    fn asks(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut request = json!({"jsonrpc": "2.0", "id": self.next, "method": method});
        request["params"] = params;
        self.says(&request);
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("an answer");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        assert_eq!(answer["id"], self.next, "{answer}");
        answer
    }

    /// What a tool answers, with whether that is an error.
    #[track_caller]
    fn calls(&mut self, tool: &str, arguments: Value) -> (Value, String, bool) {
        let mut params = json!({"name": tool});
        params["arguments"] = arguments;
        let answer = self.asks("tools/call", params);
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        let is_error = result["isError"].as_bool().unwrap_or(false);
        (result["structuredContent"].clone(), text, is_error)
    }

    #[track_caller]
    fn gets(&mut self, tool: &str, arguments: Value) -> Value {
        let (result, text, is_error) = self.calls(tool, arguments);
        assert!(!is_error, "{tool}: {text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("the same as text"), result);
        result
    }

    #[track_caller]
    fn is_refused(&mut self, tool: &str, arguments: Value) -> String {
        let (_, text, is_error) = self.calls(tool, arguments);
        assert!(is_error, "{tool}: {text}");
        text
    }

    fn hangs_up(mut self) {
        self.stdin = None;
        assert!(self.server.wait().expect("it ends").success());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // One that a failed test left; it is ours, and not waited for yet.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Two machines with one file.
fn pair(world: &World) -> (Machine, Machine) {
    let laptop = world.first_machine("laptop", &[("a.md", "one\ntwo\nthree\n")]);
    (laptop, world.next_machine("desktop"))
}

#[test]
fn unknown_first_requests_are_answered_and_the_conversation_goes_on() {
    let world = World::new();
    let (laptop, _desktop) = pair(&world);
    let mut host = Host::on(&laptop, &[]);

    host.says(&json!({"jsonrpc": "2.0", "method": "notifications/something"}));
    assert_eq!(host.asks("never/heard", json!({}))["error"]["code"], -32601);
    let found = host.asks("server/discover", json!({"_meta": {}}));
    assert!(found["error"].is_object() || found["result"].is_object(), "{found}");
    assert!(host.asks("ping", json!({}))["result"].is_object());

    let own = host.initializes();
    assert_eq!(own["protocolVersion"], "2025-11-25");
    assert_eq!(own["serverInfo"]["name"], "mirrord");
    assert!(own["instructions"].as_str().expect("instructions").len() <= 2_048);
    assert_eq!(host.asks("never/heard", json!({}))["error"]["code"], -32601);
    assert_eq!(host.asks("tools/call", json!({"name": "none"}))["error"]["code"], -32602);
    host.hangs_up();
}

#[test]
fn client_of_the_newest_revision_needs_no_greeting() {
    let world = World::new();
    let (laptop, _desktop) = pair(&world);
    let mut host = Host::on(&laptop, &[]);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                      "io.modelcontextprotocol/clientInfo": {"name": "a host", "version": "1"},
                      "io.modelcontextprotocol/clientCapabilities": {}});

    let found = host.asks("server/discover", json!({"_meta": meta}));
    let versions = found["result"]["supportedVersions"].as_array().expect("versions");
    assert!(versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2025-11-25")));
    let told = host.asks("tools/call", json!({"_meta": meta, "name": "status", "arguments": {}}));
    assert_eq!(told["result"]["structuredContent"]["project"], "notes");
    host.hangs_up();
}

#[test]
fn tools_say_what_they_are_and_answer_by_their_schemas() {
    let world = World::new();
    let (laptop, _desktop) = pair(&world);
    let mut host = Host::met(&laptop);
    let listed = host.asks("tools/list", json!({}))["result"]["tools"].clone();
    let names: Vec<_> =
        listed.as_array().expect("tools").iter().map(|tool| &tool["name"]).collect();
    assert_eq!(
        json!(names),
        json!([
            "status",
            "inbox",
            "diff",
            "log",
            "history",
            "conflict_list",
            "conflict_show",
            "conflict_apply",
            "pull",
            "push",
            "restore"
        ])
    );
    laptop.writes("a.md", "one\ntwo\n3\n");

    for tool in listed.as_array().expect("tools") {
        let name = tool["name"].as_str().expect("a name");
        assert!(tool["annotations"]["readOnlyHint"].is_boolean(), "{name}");
        let arguments = match name {
            "history" => json!({"path": "a.md"}),
            "restore" => json!({"paths": ["a.md"], "from": 2}),
            "conflict_show" | "conflict_apply" => continue,
            _ => json!({}),
        };
        let result = host.gets(name, arguments);
        for key in tool["outputSchema"]["required"].as_array().expect("keys") {
            assert!(result.get(key.as_str().expect("a key")).is_some(), "{name}: {key}: {result}");
        }
    }
    let why = host.is_refused("status", json!({"verbose": true}));
    assert!(why.contains("no argument `verbose`"), "{why}");
    let why = host.is_refused("history", json!({}));
    assert!(why.contains("`path` is needed"), "{why}");
    host.hangs_up();
}

#[test]
fn plans_are_shown_until_they_are_confirmed() {
    let world = World::new();
    let (laptop, desktop) = pair(&world);
    desktop.writes("a.md", "one\n2\nthree\n");
    desktop.writes("--all.md", "a name\n");
    desktop.asks(&["push", "--message", "two is 2"]);
    let mut host = Host::met(&laptop);

    let inbox = host.gets("inbox", json!({}));
    assert_eq!(inbox["events"][0]["message"], "two is 2");
    assert_eq!(host.gets("inbox", json!({}))["events"], json!([]));

    let plan = host.gets("pull", json!({}));
    assert_eq!((&plan["dry_run"], plan["files"].as_array().unwrap().len()), (&json!(true), 2));
    assert_eq!(laptop.reads("a.md"), "one\ntwo\nthree\n");
    let done = host.gets("pull", json!({"confirm": true, "paths": ["--all.md"]}));
    assert_eq!(done["files"][0]["path"], "--all.md");
    host.gets("pull", json!({"confirm": true}));
    assert_eq!(laptop.reads("a.md"), "one\n2\nthree\n");

    let back = json!({"paths": ["a.md"], "from": "#2"});
    assert_eq!(host.gets("restore", back)["dry_run"], true);
    assert_eq!(laptop.reads("a.md"), "one\n2\nthree\n");
    host.gets("restore", json!({"paths": ["a.md"], "from": "#2", "confirm": true}));
    assert_eq!(laptop.reads("a.md"), "one\ntwo\nthree\n");
    let unified = host.gets("diff", json!({"paths": ["a.md"]}))["files"][0]["unified"].clone();
    assert!(unified.as_str().expect("lines").contains("+two"), "{unified}");

    let pushed = host.gets("push", json!({"message": "back"}));
    assert_eq!(host.gets("log", json!({"limit": 1}))["entries"][0]["seq"], pushed["commit"]);
    host.hangs_up();
}

#[test]
fn conflict_is_settled_by_what_the_user_agreed_to() {
    let world = World::new();
    let (laptop, desktop) = pair(&world);
    desktop.writes("a.md", "one\ndesktop\nthree\n");
    desktop.asks(&["push"]);
    laptop.writes("a.md", "one\nlaptop\nthree\n");
    laptop.tries(&["sync"]).exits(3);
    let mut host = Host::met(&laptop);

    assert_eq!(host.gets("conflict_list", json!({}))["conflicts"][0]["path"], "a.md");
    let shown = host.gets("conflict_show", json!({"path": "a.md"}));
    assert_eq!(shown["remote_text"], "one\ndesktop\nthree\n");
    let merged = "one\nlaptop and desktop\nthree\n";
    let with = |token: &Value, confirm: bool| json!({"path": "a.md", "merged": merged, "token": token, "confirm": confirm});
    let why = host.is_refused("conflict_apply", with(&shown["token"], false));
    assert!(why.contains("show the user"), "{why}");
    host.is_refused("conflict_apply", with(&json!("stale"), true));
    assert_eq!(laptop.reads("a.md"), "one\nlaptop\nthree\n");

    let done = host.gets("conflict_apply", with(&shown["token"], true));
    assert!(done["commit"].is_u64(), "{done}");
    assert_eq!(laptop.reads("a.md"), merged);
    desktop.asks(&["pull"]);
    assert_eq!(desktop.reads("a.md"), merged);
    host.hangs_up();
}

#[test]
fn files_are_resources_at_each_version() {
    let world = World::new();
    let (laptop, _desktop) = pair(&world);
    laptop.writes("a.md", "newer\n");
    laptop.writes("sub/ü b.md", "other\n");
    laptop.asks(&["push"]);
    let mut host = Host::met(&laptop);

    let listed = host.asks("resources/list", json!({}))["result"]["resources"].clone();
    let uris: Vec<_> = listed.as_array().expect("a list").iter().map(|one| &one["uri"]).collect();
    assert_eq!(
        json!(uris),
        json!(["mirrord://notes/latest/a.md", "mirrord://notes/latest/sub/%C3%BC%20b.md"])
    );
    let templates = host.asks("resources/templates/list", json!({}));
    assert!(templates["result"]["resourceTemplates"][0]["uriTemplate"].is_string());
    for (uri, text) in [
        ("mirrord://notes/latest/a.md", "newer\n"),
        ("mirrord://notes/2/a.md", "one\ntwo\nthree\n"),
        ("mirrord://notes/latest/sub/%C3%BC%20b.md", "other\n"),
    ] {
        let read = host.asks("resources/read", json!({"uri": uri}));
        assert_eq!(read["result"]["contents"][0]["text"], text, "{read}");
    }
    for uri in ["mirrord://notes/2/sub/none.md", "mirrord://none/2/a.md", "file:///etc/passwd"] {
        assert!(host.asks("resources/read", json!({"uri": uri}))["error"].is_object(), "{uri}");
    }
    host.hangs_up();
}

#[test]
fn project_that_was_named_at_the_start_holds_for_all_calls() {
    let world = World::new();
    let (laptop, _desktop) = pair(&world);
    let mut host = Host::on(&laptop, &["--project", "none"]);
    host.initializes();
    let why = host.is_refused("status", json!({}));
    assert!(why.contains("none") && why.contains("not_found"), "{why}");
    host.hangs_up();
}
