"""Whether the parameters of a call are what the service's own model says, down to values, patterns and lengths.

Botocore's validator sees to unknown and missing members, types and least lengths; the rest of the model it leaves to the
service. Some values have no list in the model but in its documentation alone; these are looked up there.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import Shape
from botocore.validate import ParamValidator

#: Members whose values only the documentation lists, by the structure that they are of.
DOCUMENTED = {
    ("InstancesDistribution", "OnDemandAllocationStrategy"),
    ("InstancesDistribution", "SpotAllocationStrategy"),
    ("EnableMetricsCollectionQuery", "Metrics"),
    ("EnableMetricsCollectionQuery", "Granularity"),
    ("ScalingProcessQuery", "ScalingProcesses"),
    ("CreateAutoScalingGroupType", "HealthCheckType"),
    ("PutMetricAlarmInput", "TreatMissingData"),
    ("PutRetentionPolicyRequest", "retentionInDays"),
    ("PutParameterRequest", "DataType"),
}


def faults(shape: Shape, parameters: Any) -> list[str]:
    """One sentence each; none: the service takes them."""
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        return report.generate_report().split("\n")
    return list(_faults(shape, parameters, ""))


def _faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in value.items():
            here = f"{path}.{name}".lstrip(".")
            if (shape.name, name) in DOCUMENTED:
                yield from _undocumented(shape.members[name], member, here)
            yield from _faults(shape.members[name], member, here)
    elif shape.type_name == "list":
        yield from _above(shape, len(value), f"{path} has {len(value)} members")
        for index, member in enumerate(value):
            yield from _faults(shape.member, member, f"{path}[{index}]")
    elif shape.type_name == "map":
        yield from _above(shape, len(value), f"{path} has {len(value)} members")
        for key, member in value.items():
            yield from _faults(shape.key, key, f"{path}, key {key}")
            yield from _faults(shape.value, member, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from _text_faults(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _above(shape, value, f"{path} is {value}")


def _text_faults(shape: Shape, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f'{path} is "{value}", and can be {", ".join(shape.enum)}'
    yield from _above(shape, len(value), f"{path} has {len(value)} characters")
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not _compiled(pattern).fullmatch(value):
        yield f'{path} is "{value}", which does not match {pattern}'


def _above(shape: Shape, size: float, sentence: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and size > most:
        yield f"{sentence}, and at most {most} are taken"


def _undocumented(shape: Shape, value: Any, path: str) -> Iterator[str]:
    words = set(re.findall(r"[\w:-]+", re.sub(r"<[^>]*>", " ", shape.documentation)))
    for one in value if isinstance(value, list) else [value]:
        if str(one) not in words:
            yield f'{path} is "{one}", of which the documentation does not speak'


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Of Java's regular expressions, in which they are written, what Python has not: surrogates and `\\p{L}`."""
    python = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    python = re.sub(r"\\p\{([A-Z][a-z]?)\}", lambda found: _category(found[1]), python)
    return re.compile(python, re.ASCII)


@cache
def _category(name: str) -> str:
    """All characters of a Unicode category, as it stands between the brackets of a class."""
    codes = [code for code in range(sys.maxunicode) if unicodedata.category(chr(code)).startswith(name)]
    starts = [code for code, before in zip(codes, [-2, *codes]) if code != before + 1]
    ends = [code for code, after in zip(codes, [*codes[1:], -2]) if code != after - 1]
    return "".join(f"\\U{start:08x}-\\U{end:08x}" for start, end in zip(starts, ends))
