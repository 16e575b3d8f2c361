#!/usr/bin/env bash
# The waiters of the AWS SDK for JavaScript look at the first page of an answer only: waitUntilInstanceTerminated
# reports SUCCESS while an instance on the next page is running.
#
# DescribeInstances by filter may answer in pages, with a NextToken, whenever it likes, and does so as soon as
# MaxResults is given. Waiters send the one request and test "every instance is terminated" on what that page holds.
# The token stands in the result that they return, but nobody asked for it.
#
# Who is hurt: whoever ends a fleet found by its tag and waits for the end before forgetting it: what was beyond the
# first page goes on running, and costing, behind a SUCCESS.
# Seen in @aws-sdk/client-ec2 3.100.0, 3.600.0 and 3.1169.0: each waiter sends the plain command. The
# reference of the waiters does not speak of pages; the one of DescribeInstances recommends them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @aws-sdk/client-ec2@3.1169.0

cat >try.mjs <<'JS'
import { createServer } from 'node:http'
import { EC2Client, paginateDescribeInstances, waitUntilInstanceTerminated } from '@aws-sdk/client-ec2'

// two instances with the fleet's tag, one a page: i-1 has ended, i-2 is running
const instance = (id, code, name) => `<item><instancesSet><item><instanceId>${id}</instanceId>
  <instanceState><code>${code}</code><name>${name}</name></instanceState></item></instancesSet></item>`
const pages = {
  first: `<reservationSet>${instance('i-1', 48, 'terminated')}</reservationSet><nextToken>second</nextToken>`,
  second: `<reservationSet>${instance('i-2', 16, 'running')}</reservationSet>`,
}
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece)).on('end', () => {
    const page = pages[new URLSearchParams(text).get('NextToken') ?? 'first']
    response.setHeader('content-type', 'text/xml')
    response.end(`<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${page}</DescribeInstancesResponse>`)
  })
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const client = new EC2Client({
  endpoint: `http://127.0.0.1:${server.address().port}`, region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})
const input = () => ({ Filters: [{ Name: 'tag:fleet', Values: ['reindex'] }], MaxResults: 5 })

const states = []
for await (const page of paginateDescribeInstances({ client }, input()))
  for (const { Instances } of page.Reservations) states.push(...Instances.map((one) => `${one.InstanceId} ${one.State.Name}`))
const result = await waitUntilInstanceTerminated({ client, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, input())
  .then(({ state }) => state, (error) => error.name)
server.close()
server.closeAllConnections()

console.log(`@aws-sdk/client-ec2 3.1169.0: waitUntilInstanceTerminated by a tag; the paginator finds ${states.join(', ')}`)
console.log('expected: it waits for i-2, and fails at its maxWaitTime')
console.log(`seen: ${result}`)
const same = states.join() === 'i-1 terminated,i-2 running' && result === 'SUCCESS'
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
