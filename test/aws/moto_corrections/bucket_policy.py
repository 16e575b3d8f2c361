"""A statement of a bucket's policy counts only when its condition is met.

IAM User Guide, "IAM JSON policy elements: Condition", and "AWS global condition context keys", aws:SecureTransport. Moto
passes over conditions, so that a policy which refuses calls without TLS refuses all. A test's call stands for one by TLS,
as the SDK makes it where nobody gives it an endpoint. Another condition is an error: nobody has said yet how it is judged.
"""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

_FACTS = {"aws:securetransport": "true"}


def get_permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    document = json.loads(bucket.policy)
    written = document["Statement"]
    statements = [one for one in (written if isinstance(written, list) else [written]) if _counts(one)]
    return IAMPolicy(json.dumps({**document, "Statement": statements})).is_action_permitted(action, resource)


def _counts(statement: dict[str, Any]) -> bool:
    return all(
        _is_met(operator, key, value)
        for operator, values in statement.get("Condition", {}).items()
        for key, value in values.items()
    )


def _is_met(operator: str, key: str, value: str) -> bool:
    if operator != "Bool" or key.lower() not in _FACTS:
        raise NotImplementedError(f"the condition {operator} {key} of a bucket's policy")
    return _FACTS[key.lower()] == value


def apply() -> None:
    FakeBucket.get_permission = get_permission
