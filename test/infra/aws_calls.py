"""Calls of AWS's API by service, operation and parameters, each held against the service's model first.

Usage: aws_calls.py REGION. A line of standard input is a call, {"service", "operation", "parameters", "url"}; without a
URL nothing is called. Its answer is a line of standard output: {"faults": [...]}, {"error": {"code", "message"}} or
{"answer": {...}}, of a list all pages as one. A binary parameter is {"zip": {NAME: TEXT}}. The process ends when standard input is closed.
"""

import io
import json
import sys
import zipfile
from functools import cache
from typing import Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel, Shape
from botocore import xform_name
from service_model import faults

_session = botocore.session.Session()
_config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, parameter_validation=False)


@cache
def _model(service: str, operation: str) -> OperationModel:
    return _session.get_service_model(service).operation_model(operation)


@cache
def _client(service: str, url: str) -> BaseClient:
    return _session.create_client(
        service,
        region_name=sys.argv[1],
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=_config,
    )


def _with_bytes(shape: Shape | None, value: Any) -> Any:
    if shape is None:
        return value
    if shape.type_name == "blob" and isinstance(value, dict):
        return _zipped(value["zip"])
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: _with_bytes(shape.members.get(name), member) for name, member in value.items()}
    return value


def _zipped(files: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return target.getvalue()


def _whole(client: BaseClient, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    if client.can_paginate(name):
        return client.get_paginator(name).paginate(**parameters).build_full_result()
    return getattr(client, name)(**parameters)


def _answer(service: str, operation: str, parameters: dict[str, Any], url: str | None) -> dict[str, Any]:
    shape = _model(service, operation).input_shape
    given = _with_bytes(shape, parameters)
    found = faults(shape, given)
    if found or url is None:
        return {"faults": found}
    try:
        answer = _whole(_client(service, url), xform_name(operation), given)
    except ClientError as error:
        return {"error": {"code": error.response["Error"]["Code"], "message": str(error)}}
    except BotoCoreError as error:
        return {"error": {"code": type(error).__name__, "message": str(error)}}
    return {"answer": {name: value for name, value in answer.items() if name != "ResponseMetadata"}}


for line in sys.stdin:
    print(json.dumps(_answer(**json.loads(line)), default=str), flush=True)
