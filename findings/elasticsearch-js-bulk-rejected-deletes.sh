#!/usr/bin/env bash
# helpers.bulk of @elastic/elasticsearch reports only every second delete that the cluster went on rejecting.
#
# Items that come back with 429 are sent again up to `retries` times; what is left then goes to onDrop and into
# `failed`. That last loop walks through the request's lines two at a time, as if each action had a document behind
# it. A delete is one line. Of five rejected deletes the helper reports the first, third and fifth; the others are
# neither successful nor failed, and `total` says 3.
#
# Who is hurt: whoever keeps an index in step with a table and removes deleted rows through the helper: under load,
# rows that no longer exist stay findable, and a list of failures kept from onDrop for a later try has half of them.
# Seen in 8.0.0, 8.19.1 and 9.4.3. The documents say that onDrop is called for every document that cannot be
# indexed and has used up its retries, and that the stats count what was done.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @elastic/elasticsearch@9.4.3

cat >try.mjs <<'JS'
import { createServer } from 'node:http'
import { Client } from '@elastic/elasticsearch'

let asked = []
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece)).on('end', () => {
    const ids = [...text.matchAll(/"delete":\{[^}]*"_id":"(\d+)"/g)].map((match) => match[1])
    asked.push(ids.join(' '))
    const error = { type: 'es_rejected_execution_exception', reason: 'queue full' }
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ took: 1, errors: true, items: ids.map((id) => ({ delete: { _id: id, status: 429, error } })) }))
  })
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))

const dropped = []
const client = new Client({ node: `http://127.0.0.1:${server.address().port}` })
const stats = await client.helpers.bulk({
  datasource: ['1', '2', '3', '4', '5'], retries: 1, wait: 10,
  onDocument: (id) => ({ delete: { _index: 'i', _id: id } }),
  onDrop: (drop) => dropped.push(drop.operation.delete._id),
})
server.close()
server.closeAllConnections()

console.log('@elastic/elasticsearch 9.4.3: helpers.bulk, 5 deletes, the cluster answers each with 429, twice')
console.log('expected: onDrop for 1, 2, 3, 4, 5; failed 5; total 5')
console.log(`seen: requests [${asked.join('] [')}]; onDrop for ${dropped.join(', ')}; failed ${stats.failed}; total ${stats.total}`)
const same = asked.join() === '1 2 3 4 5,1 2 3 4 5' && dropped.join() === '1,3,5' && stats.failed === 3 && stats.total === 3
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
