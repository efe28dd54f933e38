"""``lightship call``: a guarded, end-to-end encrypted call for two on this machine, to try it."""

from __future__ import annotations

from typing import Annotated

import typer

from lightship.say import say

Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")]
Policy = Annotated[str, typer.Option(help="A policy, by name or path; its detectors must be in the browser.")]


def call(port: Port = 8090, policy: Policy = "test") -> None:
    """Serve a demonstration call for two: pictures are judged before they are encrypted, and never pass here."""
    import asyncio

    from lightship import packs
    from lightship.console.call import call_app
    from lightship.console.server import Server, config_of

    chosen = packs.policy(policy)
    text = packs.policy_text(policy)
    helps = tuple(
        line.words
        for line in packs.help_lines(chosen.jurisdiction)
        if line.audience in {"all", chosen.audience}
    )
    config = config_of(
        call_app(text, helps),
        "127.0.0.1",
        port,
        arrive_s=10.0,
        end_s=1.0,
        ws="wsproto",
        ws_max_size=256 * 1024,
    )
    server = Server(config)

    async def until_over() -> None:
        running = asyncio.ensure_future(server.serve())
        address = await asyncio.to_thread(server.address, 10.0)
        say(
            f"Open {address} in two tabs, enter one room, compare the codes, hold up the test card. Ctrl-C ends it."
        )
        await running

    try:
        asyncio.run(until_over())
    except KeyboardInterrupt:
        say("The call server has ended.")
