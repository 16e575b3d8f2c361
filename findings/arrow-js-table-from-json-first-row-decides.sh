#!/usr/bin/env bash
# tableFromJSON of apache-arrow empties lists and drops nested fields, when the first row did not have them.
#
# The columns of the table are taken from all rows, so a column that only later rows have is kept. What is inside a
# column is taken from its first value alone. If the first row's list is empty, its items have the type Null, and the
# strings of every later list become null. If the first row's object has one field, the other fields of later
# objects are left out. No error, no warning; the row count is right.
#
# In the other order the same two rows are refused with a TypeError, as lists of unlike types.
#
# Who is hurt: whoever turns rows or documents into Arrow or Parquet with it: whether the tags arrive hangs on which
# row happens to come first, so a small test passes and another range of the same table loses them.
# Seen in apache-arrow 21.2.0 and 17.0.0. The documents say that the function builds a table from an array of objects,
# and nothing of how types are found.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund apache-arrow@21.2.0

cat >try.mjs <<'JS'
import { tableFromJSON } from 'apache-arrow'

const rows = [
  { id: 'a', tags: [], size: { width: 1 } },
  { id: 'b', tags: ['red', 'blue'], size: { width: 2, height: 3 }, late: 'kept' },
]
const [, kept] = JSON.parse(JSON.stringify(tableFromJSON(rows).toArray()))
let otherOrder = 'no error'
try {
  tableFromJSON([...rows].reverse())
} catch (error) {
  otherOrder = error.name
}

console.log('apache-arrow 21.2.0: row b through tableFromJSON, after a row with an empty list and one field less')
console.log(`expected: ${JSON.stringify(rows[1])}, or an error`)
console.log(`seen: ${JSON.stringify(kept)}; with row b first: ${otherOrder}`)
const same = JSON.stringify([kept.tags, kept.size, kept.late]) === '[[null,null],{"width":2},"kept"]' && otherOrder === 'TypeError'
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
