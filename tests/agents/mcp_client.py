"""Lists and calls every tool of `mirrorctl mcp` with the official client.

    mcp_client.py MIRRORCTL

Runs in the folder of a project in which `a.md` waits as a conflict and others have
pushed; the client validates each answer against the tool's own schema.
"""

import asyncio
import os
import sys

from mcp import StdioServerParameters
from mcp.client.client import Client

TOOLS = [
    "status", "inbox", "diff", "log", "history", "conflict_list", "conflict_show",
    "conflict_apply", "pull", "push", "restore",
]


async def converse(mirrorctl, mode):
    server = StdioServerParameters(command=mirrorctl, args=["mcp"], env=dict(os.environ))
    async with Client(server, mode=mode) as client:
        assert len((client.instructions or "").encode()) in range(100, 2049)
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == TOOLS, tools
        for tool in tools:
            assert tool.output_schema and tool.annotations.read_only_hint is not None, tool.name

        async def gets(name, **arguments):
            result = await client.call_tool(name, arguments)
            assert not result.is_error, (name, result.content)
            return result.structured_content

        project = (await gets("status", all_files=True))["project"]
        await gets("inbox", peek=True)
        await gets("diff")
        log = await gets("log", limit=5)
        assert log["entries"], log
        versions = await gets("history", path="a.md")
        assert versions["versions"], versions
        assert (await gets("pull"))["dry_run"]
        assert (await gets("push", dry_run=True))["dry_run"]
        assert (await gets("restore", paths=["b.md"], **{"from": "2"}))["dry_run"]
        if (await gets("conflict_list"))["conflicts"]:
            shown = await gets("conflict_show", path="a.md")
            merged = {"path": "a.md", "merged": "settled\n", "token": shown["token"]}
            refused = await client.call_tool("conflict_apply", merged)
            assert refused.is_error and "show the user" in refused.content[0].text, refused
            await gets("conflict_apply", confirm=True, **merged)
            with open("a.md", encoding="utf-8") as file:
                assert file.read() == "settled\n"

        assert (await client.list_resource_templates()).resource_templates
        listed = (await client.list_resources()).resources
        assert str(listed[0].uri) == f"mirrord://{project}/latest/a.md", listed
        read = await client.read_resource(f"mirrord://{project}/2/a.md")
        assert read.contents[0].text == "first\n", read
        return client.protocol_version


def main():
    for mode in ["auto", "legacy"]:
        version = asyncio.run(converse(sys.argv[1], mode))
        print(f"the official client, {mode}: revision {version}, {len(TOOLS)} tools")


main()
