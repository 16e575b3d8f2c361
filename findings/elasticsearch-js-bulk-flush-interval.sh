#!/usr/bin/env bash
# helpers.bulk of @elastic/elasticsearch can lose a batch: it is never sent, never handed to onDrop and never counted.
#
# The helper sends a batch when it reaches flushBytes, and, when the source pauses, whatever it holds after
# flushInterval (30 s by default). If all `concurrency` requests are under way when the interval ends, that batch
# waits for a free place. There is only one place to wait in: when the source goes on and fills the next batch (or
# ends) before a request returns, the newer batch takes the place and the older one is forgotten. The promise
# resolves, `failed` is 0, and the documents of the older batch are in no index.
#
# Who is hurt: whoever feeds the helper from a slow source (a query that pauses, a stream held up by back-pressure)
# while the cluster is slow too, and takes `failed === 0` or onDrop for proof that everything arrived.
# Seen in 8.19.1, 9.0.0 and 9.4.3.
# The documents describe flushInterval as the time after which the collected data is sent; none of them names a loss.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @elastic/elasticsearch@9.4.3

cat >try.mjs <<'JS'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@elastic/elasticsearch'

const received = []
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece)).on('end', async () => {
    const ids = [...text.matchAll(/"_id":"(\d+)"/g)].map((match) => match[1])
    received.push(...ids)
    await sleep(2000) // a busy cluster: one bulk takes longer than the flush interval
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ took: 1, errors: false, items: ids.map((id) => ({ index: { _id: id, status: 201 } })) }))
  })
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))

async function* rows() {
  yield { id: '1', text: 'x'.repeat(500) } // fills a batch: it is sent at once
  yield { id: '2' } // too small to be sent alone
  await sleep(800) // the source pauses, the interval ends, row 2 waits for a free request
  yield { id: '3', text: 'x'.repeat(500) } // the source goes on
}
let dropped = 0
const client = new Client({ node: `http://127.0.0.1:${server.address().port}` })
const stats = await client.helpers.bulk({
  datasource: rows(), flushBytes: 400, flushInterval: 200, concurrency: 1,
  onDocument: (row) => ({ index: { _index: 'i', _id: row.id } }),
  onDrop: () => { dropped++ },
})
server.close()
server.closeAllConnections()

console.log('@elastic/elasticsearch 9.4.3: helpers.bulk over 3 rows, cluster slower than flushInterval')
console.log('expected: 3 documents reach the cluster, or the missing one is counted or dropped')
console.log(`seen: received ids ${received.join(', ')}; total ${stats.total}, failed ${stats.failed}, onDrop ${dropped} times`)
const same = received.join() === '1,3' && stats.total === 2 && stats.failed === 0 && dropped === 0
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
