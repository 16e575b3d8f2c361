#!/usr/bin/env bash
# fastavro writes a Decimal or a float into an Avro long by cutting off its fraction: 19.99 is stored as 19.
#
# A field of type "long" or "int" takes whatever Python turns into a whole number. A string is refused with a
# TypeError, and so is a Decimal as soon as the field may also be null (["null", "long"]), because then a branch has
# to be chosen. In the plain field the cents are gone, without a word.
#
# Who is hurt: whoever dumps query results to Avro: PostgreSQL's numeric arrives as Decimal, and a column changed from
# bigint to numeric(10,2) goes on being written by yesterday's schema.
# Seen in fastavro 1.13.1 and 1.9.0. The documents offer validator=True as an extra check of records; they do not say
# that without it values are changed, where Avro's specification has a long hold whole numbers only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check fastavro==1.13.1

cat >try.py <<'PY'
import io
import sys
from decimal import Decimal

import fastavro


def through(kind, value):
    schema = {"type": "record", "name": "row", "fields": [{"name": "price", "type": kind}]}
    file = io.BytesIO()
    try:
        fastavro.writer(file, fastavro.parse_schema(schema), [{"price": value}])
    except Exception as error:
        return type(error).__name__
    file.seek(0)
    return next(fastavro.reader(file))["price"]


print("fastavro 1.13.1: writer, field of type long, then read back")
print("expected: an error for each of Decimal('19.99'), 19.99 and '19.99'")
seen = [through("long", value) for value in (Decimal("19.99"), 19.99, "19.99")]
nullable = through(["null", "long"], Decimal("19.99"))
print(f"seen: {seen[0]}, {seen[1]}, {seen[2]}; Decimal('19.99') into a nullable long: {nullable}")
same = seen == [19, 19, "TypeError"] and nullable == "ValueError"
print("as described" if same else "CHANGED")
sys.exit(not same)
PY
python/bin/python try.py
