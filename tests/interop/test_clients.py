"""Clients that we did not write, against the running service: each gets its token and uses it.

https://github.com/smart-on-fhir/client-py, https://github.com/beda-software/fhir-py,
https://github.com/medplum/medplum and https://github.com/smart-on-fhir/client-js
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from fhir_service.smart.assertions import client_assertion
from tests.support.real_clients import (
    INSTALLED,
    MISSING,
    SCRIPTS,
    TIMEOUT_SECONDS,
    Installation,
    are_installed,
)
from tests.support.service import FORM_URL, answers
from tests.support.serving import Served, environment, free_port

APP_SCOPE = "launch/patient openid fhirUser offline_access patient/*.rs"
CALLBACK = "http://127.0.0.1:9/callback"

with_node = pytest.mark.skipif(not are_installed(), reason=MISSING)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder, port = tmp_path_factory.mktemp("clients"), free_port()
    made = Installation(f"http://127.0.0.1:{port}", folder)
    env = environment(DATA_DIR=str(folder), BASE_URL=made.base)
    with Served(port, folder / "log", env):
        made.fill()
        yield made


def backend_token(served: Installation, client_id: str) -> str:
    """A token by SMART Backend Services, asked for without any client library."""
    url = f"{served.base}/auth/token"
    form = {
        "grant_type": "client_credentials",
        "scope": "system/*.cruds",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(served, client_id, url),
    }
    said = requests.post(url, data=form, timeout=TIMEOUT_SECONDS).json()
    return str(said["access_token"])


def assertion(served: Installation, client_id: str, url: str) -> str:
    now = int(time.time())
    return client_assertion(
        served.key, client_id=client_id, audience=url, jti=str(uuid4()), now=now
    )


@pytest.mark.filterwarnings("default")  # the client's own
def test_fhirclient_launches_and_reads(served: Installation) -> None:
    from fhirclient.client import FHIRClient  # noqa: PLC0415  installed by make interop
    from fhirclient.models.questionnaireresponse import (  # noqa: PLC0415
        QuestionnaireResponse,
    )

    served.app("py-app", APP_SCOPE, CALLBACK)
    settings = {
        "app_id": "py-app",
        "api_base": f"{served.base}/fhir",
        "redirect_uri": CALLBACK,
        "scope": APP_SCOPE,
    }
    smart = FHIRClient(settings=settings)
    smart.prepare()
    smart.handle_callback(served.allow(smart.authorize_url))
    assert smart.ready
    assert smart.patient_id == "ada"
    assert smart.patient.name[0].family == "Example"
    hers = QuestionnaireResponse.where({"subject": "Patient/ada"})
    found = list(hers.perform_resources(smart.server))
    assert found
    assert {one.status for one in found} == {"completed"}
    assert smart.reauthorize()
    again = QuestionnaireResponse.read(found[0].id, smart.server)
    assert again.id == found[0].id


def test_fhirpy_writes_and_searches(served: Installation) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fhirpy import SyncFHIRClient  # noqa: PLC0415  installed by make interop

    served.backend("fhirpy")
    token = backend_token(served, "fhirpy")
    client = SyncFHIRClient(f"{served.base}/fhir", authorization=f"Bearer {token}")
    said = {name: value for name, value in answers().items() if name != "resourceType"}
    response = client.resource("QuestionnaireResponse", **said)
    response.save()
    assert response.id
    found = client.resources("QuestionnaireResponse").search(_id=response.id).fetch()
    assert [one.id for one in found] == [response.id]
    fetched = client.reference("QuestionnaireResponse", response.id).to_resource()
    assert fetched["status"] == "completed"
    assert client.resources("Questionnaire").search(url=FORM_URL).count() == 1
    every = client.resources("QuestionnaireResponse").limit(1).fetch_all()
    assert len(every) == client.resources("QuestionnaireResponse").count()


@with_node
def test_medplum_works_as_a_backend_service(served: Installation) -> None:
    served.backend("medplum")
    file = served.folder / "response.json"
    file.write_text(json.dumps(answers()))
    node = shutil.which("node") or "node"
    url = f"{served.base}/auth/token"
    signed = assertion(served, "medplum", url)
    done = subprocess.run(
        [
            node,
            str(SCRIPTS / "medplum.cjs"),
            str(INSTALLED),
            served.base,
            signed,
            "medplum",
            str(file),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said: dict[str, Any] = json.loads(done.stdout or "{}")
    assert "failed" not in said, (said, done.stderr[-2000:])
    assert said["forms"] == ["Questionnaire"] * 2
    assert said["created"] == said["read"]
    assert said["found"] == [said["created"]]
    assert said["history"] == 1
    assert said["checked"] == said["refused"] == "OperationOutcome"


@with_node
def test_smarts_own_client_launches_refreshes_and_reads(served: Installation) -> None:
    port = free_port()
    served.app("js-app", APP_SCOPE, f"http://127.0.0.1:{port}/callback")
    node = shutil.which("node") or "node"
    base = f"{served.base}/fhir"
    script = [node, str(SCRIPTS / "smart.cjs"), str(INSTALLED), base, "js-app", APP_SCOPE]
    with subprocess.Popen(
        script, stdout=subprocess.PIPE, text=True, env=os.environ | {"PORT": str(port)}
    ) as app:
        try:
            assert app.stdout is not None
            here = f"http://127.0.0.1:{app.stdout.readline().strip()}"
            asked = requests.get(f"{here}/launch", allow_redirects=False, timeout=TIMEOUT_SECONDS)
            back = served.allow(asked.headers["Location"])
            said = requests.get(back, timeout=TIMEOUT_SECONDS).json()
        finally:
            app.terminate()
    assert "failed" not in said, said
    assert said["patient"] == "ada"
    assert said["name"] == "Example"
    assert said["found"] >= 1
    assert said["refreshed"] is True
    assert said["idToken"] == "js-app"
