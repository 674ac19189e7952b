"""Does any request, however odd, break the server?"""

from __future__ import annotations

import re
import warnings
from collections import Counter

import pytest

schemathesis = pytest.importorskip("schemathesis")
pytestmark = pytest.mark.slow
N_EXAMPLES = 5  # for each endpoint, each sent by a stranger, by a participant and by an admin


def test_no_request_ends_in_an_error_of_ours(serve, admin_token):
    """Generated from the application's own OpenAPI; forms go out as generated, and again signed."""
    from fastapi.testclient import TestClient
    from hypothesis import HealthCheck, given, settings

    with serve() as site, site.browser() as person:
        site.app.add_api_route("/openapi.json", site.app.openapi, methods=["GET"])
        schema = schemathesis.openapi.from_asgi("/openapi.json", site.app)
        admin = TestClient(site.app, raise_server_exceptions=False)
        admin.post("/admin/login", data={"token": admin_token})
        signed = re.search(r'name="csrf" value="(\w+)"', admin.get("/admin").text)[1]
        person.join()
        mine = TestClient(site.app, raise_server_exceptions=False, cookies=dict(person.client.cookies))
        mine_signed, number = person.hidden("csrf"), person.hidden("comparison")
        stranger = TestClient(site.app, raise_server_exceptions=False)
        codes, broken = Counter(), []

        def send(client, case, **fields):
            kwargs = case.as_transport_kwargs(base_url="http://testserver")
            request = {key: kwargs[key] for key in ("method", "url", "params", "data", "headers") if kwargs.get(key)}
            if fields and isinstance(request.get("data"), dict):
                request["data"] = {**request["data"], **fields}
            try:
                response = client.request(**request, follow_redirects=False)
            except Exception as error:  # what cannot be put into a request never reaches the server
                if (
                    not isinstance(error, (UnicodeError, ValueError, TypeError))
                    and "httpx" not in type(error).__module__
                ):
                    raise
                return
            codes[response.status_code] += 1
            if response.status_code >= 500:
                broken.append((case.method, case.path, request, response.text[:200]))

        for found in schema.get_all_operations():
            operation = found.ok()

            @settings(max_examples=N_EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(operation.as_strategy())
            def fuzz(case):
                send(stranger, case)
                if case.path != "/withdraw" or case.method == "GET":
                    send(mine, case, csrf=mine_signed, comparison=number)
                send(admin, case, csrf=signed)

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fuzz()
    assert broken == []
    assert {200, 303, 403, 422} <= set(codes)  # it got past the door as well as not
