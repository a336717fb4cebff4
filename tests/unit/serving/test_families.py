"""Each request reaches its own family of routes, wherever the app is served."""

import asyncio

import httpx
import pytest

from alexandria.settings import Settings
from serving.app import create_app


@pytest.mark.parametrize("root", ["", "/library"])
def test_routes_are_found_below_the_path_an_app_is_served_under(root: str) -> None:
    async def ask(*paths: str) -> list[int]:
        transport = httpx.ASGITransport(create_app(Settings()), root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [(await client.get(root + path)).status_code for path in paths]

    asked = ("/health/live", "/api/v2/auth/providers", "/api/v2/auth/nothing", "/nowhere")
    assert asyncio.run(ask(*asked)) == [200, 200, 404, 404]
