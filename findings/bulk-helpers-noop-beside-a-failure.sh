#!/usr/bin/env bash
# helpers.bulk counts an update that changed nothing as `noop` only when no other item of its request failed.
#
# The JavaScript clients of OpenSearch and Elasticsearch share this helper. For a bulk without errors the result of
# each update is looked at; for a bulk with an error in any item it is not. So the same two no-ops count as 2, or as
# 0 because a third document of the same batch was refused, and how rows are batched (flushBytes) decides what the
# number says. The helper also counts no-ops as successful, so `successful - noop` says that documents were changed
# when none was.
#
# Who is hurt: whoever reads `noop` to tell how many rows a catch-up really changed, or takes it as an alarm that
# stale rows were sent: one bad document among 5 MB of updates hides all of them.
# Seen in @opensearch-project/opensearch 3.9.0 and @elastic/elasticsearch 9.4.3. The documents do not say that the
# count depends on the other items.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @opensearch-project/opensearch@3.9.0 @elastic/elasticsearch@9.4.3

cat >try.mjs <<'JS'
import { createServer } from 'node:http'
import { Client as Elasticsearch } from '@elastic/elasticsearch'
import { Client as OpenSearch } from '@opensearch-project/opensearch'

// answers as a cluster does: updates of 1 and 2 change nothing, 3 breaks the mapping
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece)).on('end', () => {
    const items = [...text.matchAll(/"_id":"(\d+)"/g)].map(([, id]) => ({
      update: id === '3'
        ? { _id: id, status: 400, error: { type: 'document_parsing_exception', reason: 'not a number' } }
        : { _id: id, status: 200, result: 'noop' },
    }))
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ took: 1, errors: items.some((item) => item.update.error), items }))
  })
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const node = `http://127.0.0.1:${server.address().port}`

let same = true
for (const [name, client] of [
  ['@opensearch-project/opensearch 3.9.0', new OpenSearch({ node })],
  ['@elastic/elasticsearch 9.4.3', new Elasticsearch({ node })],
]) {
  const seen = {}
  for (const [batching, flushBytes] of [['in one batch', 5_000_000], ['in a batch each', 1]]) {
    const stats = await client.helpers.bulk({
      datasource: [{ id: '1', n: 1 }, { id: '2', n: 2 }, { id: '3', n: 'x' }], flushBytes,
      onDocument: (row) => [{ update: { _index: 'i', _id: row.id } }, {}],
    })
    seen[batching] = `successful ${stats.successful}, failed ${stats.failed}, noop ${stats.noop}`
  }
  console.log(`${name}: helpers.bulk, two updates that change nothing and one that is refused`)
  console.log('expected: noop 2 however they are batched')
  for (const [batching, text] of Object.entries(seen)) console.log(`seen ${batching}: ${text}`)
  same &&= seen['in one batch'] === 'successful 2, failed 1, noop 0' && seen['in a batch each'] === 'successful 2, failed 1, noop 2'
}
server.close()
server.closeAllConnections()
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
